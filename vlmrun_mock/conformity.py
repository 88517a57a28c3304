"""Whether the content of a fixture agrees with the schema that it follows, and where it does not, field by field."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from vlmrun_mock import schema
from vlmrun_mock.domains import Domains
from vlmrun_mock.fields import Fields
from vlmrun_mock.fixtures import FixtureAnswer
from vlmrun_mock.grounding import ungrounded
from vlmrun_mock.hub import Hub, release_of
from vlmrun_mock.match import Match
from vlmrun_mock.references import Place


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A place of a content that its schema does not allow, or does not know of, and a sentence.

    `is_certain`: the schema is VLM Run's own or the caller's. The others are this package's idea of a domain.
    """

    place: Place
    kind: Literal["schema", "unknown_field"]
    message: str
    is_certain: bool


@dataclass(frozen=True, slots=True)
class _Rule:
    """What content of a domain is held against, and how that is called."""

    inspect: Callable[..., list[schema.Violation]]
    fields: Fields
    name: str
    is_certain: bool


class Conformity:
    """Holds content against the schemas of a release of vlmrun-hub, and those of the other documented domains."""

    def __init__(self, domains: Domains, hub: Hub) -> None:
        self._domains = domains
        self._hub = hub
        self._rules: dict[str, _Rule | None] = {}

    def disagreements(self, match: Match, answer: FixtureAnswer) -> list[Disagreement]:
        """Return where an answer's content disagrees with the caller's schema in a match, or else with its domain's.

        They are in the order of the content; what is missing comes at the end of where it belongs. What is no JSON
        object or list follows no schema. Raises SchemaProblem if the caller's is none that could be sent.
        """
        content: object = _content(answer)
        config = match.particulars.get("config") or {}
        if content is None:
            return []
        if config.get("grounding") or config.get("confidence"):
            with contextlib.suppress(RecursionError):  # what is nested so deeply is not as any schema says
                content = ungrounded(content)
        found = self._found(match, content, is_merged=answer.merged, is_selection=bool(config.get("gql_stmt")))
        return sorted(found, key=lambda each: _position(each.place, content))

    def _found(self, match: Match, content: object, *, is_merged: bool, is_selection: bool) -> Iterable[Disagreement]:
        callers = match.particulars.get("schema")
        if callers:
            return () if is_merged else _by_callers(callers, content, is_selection=is_selection)
        rule = self._rule(match.domain) if match.domain else None
        return _by_rule(rule, content, is_selection=is_selection) if rule else ()

    def _rule(self, name: str) -> _Rule | None:
        if name not in self._rules:
            self._rules[name] = self._new_rule(name)
        return self._rules[name]

    def _new_rule(self, name: str) -> _Rule | None:
        domain, own = self._domains.get(name), self._hub.schemas.get(name)
        root = own or (domain.schema if domain else None)
        if root is None:
            return None
        was_hubs = name in self._domains.hub["domains"]
        whose = self._hub.release if own else release_of(self._domains) if was_hubs else "which is our own idea of it"
        return _Rule(
            schema.inspector(root), Fields(root), f"the schema of {name} ({whose})", is_certain=own is not None
        )


def _content(answer: FixtureAnswer) -> dict[str, Any] | list[Any] | None:
    """Return the JSON object or list that an answer's content is, or is the text of."""
    content = answer.content
    if isinstance(content, str):
        try:
            content = json.loads(content)
        except (ValueError, RecursionError):
            return None
    return content if isinstance(content, (dict, list)) else None


def _position(place: Place, content: Any) -> tuple[int, ...]:
    """Return where a place is in a content, to be compared with other places."""
    position: list[int] = []
    for step in place:
        names: list[str | int] = list(content) if isinstance(content, Mapping) else list(range(len(content)))
        if step not in names:
            position.append(len(names))
            break
        position.append(names.index(step))
        content = content[step]
    return tuple(position)


def _by_callers(callers: Mapping[str, Any], content: object, *, is_selection: bool) -> list[Disagreement]:
    """Return the disagreements with a caller's schema, which may have anything in it."""
    violations = schema.load(callers).inspected(content, selected=is_selection)
    return [
        Disagreement(each.place, "schema", f"{each.message}, by match.schema", is_certain=True) for each in violations
    ]


def _by_rule(rule: _Rule, content: object, *, is_selection: bool) -> Iterator[Disagreement]:
    unknown = {found.place: found.closest for found in rule.fields.unknown(content)}
    for violation in rule.inspect(content, selected=is_selection):
        if violation.place not in unknown:
            message = f"{violation.message}, by {rule.name}"
            yield Disagreement(violation.place, "schema", message, rule.is_certain)
    for place, closest in unknown.items():
        todo = f"the closest is {closest}: rename it, or remove it" if closest else "remove it"
        yield Disagreement(place, "unknown_field", f"there is no such field in {rule.name}; {todo}", rule.is_certain)
