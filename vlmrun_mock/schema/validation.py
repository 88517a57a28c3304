"""Checking a JSON Schema, and validating values against it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from vlmrun_mock.lazy import lazy
from vlmrun_mock.schema import limits, pattern_effort
from vlmrun_mock.schema.dialect import UNKNOWN, modern
from vlmrun_mock.schema.latest import Latest
from vlmrun_mock.schema.pattern_effort import Keywords
from vlmrun_mock.schema.references import References, SchemaProblem, draft, named_draft
from vlmrun_mock.schema.violation import LONGEST_MESSAGE, Violation, by_field, of_deepest, of_error

if TYPE_CHECKING:
    import jsonschema_rs
else:
    jsonschema_rs = lazy("jsonschema_rs")

__all__ = ["LoadedSchema", "Validator", "Violation", "load", "violations"]

MOST_VIOLATIONS = 100
UNCHECKABLE = (ValueError, TypeError, RecursionError)  # the value is not JSON, or is nested too deeply


def violations(schema: Mapping[str, Any], value: object) -> list[Violation]:
    """Return the violations of `value`, including those of formats; a valid value has none.

    Raises SchemaProblem if the schema is unusable or checking this value would take too long.
    """
    return load(schema).violations(value)


class Validator:
    """Validates values, including their formats, against a trusted schema; it fetches nothing.

    `keywords` may compile patterns late. `guesses` say how it had to be read where it names no dialect. Raises
    SchemaProblem for an invalid schema.
    """

    def __init__(self, root: Mapping[str, Any], keywords: Keywords | None = None) -> None:
        guesses: set[str] = set()
        self._compiled = _compiled(root, guesses, keywords)
        self.guesses = tuple(sorted(guesses))

    def is_valid(self, value: object) -> bool:
        """Return whether a JSON value meets the schema."""
        return self._compiled.is_valid(value)

    def violations(self, value: object) -> list[Violation]:
        """Return the first MOST_VIOLATIONS violations of `value`, with the messages of jsonschema-rs."""
        return self._checked(lambda: list(map(of_error, islice(self._compiled.iter_errors(value), MOST_VIOLATIONS))))

    def field_violations(self, value: object, *, selected: bool = False) -> list[Violation]:
        """Return one violation for each wrong field, with all reasons in full.

        The place of a missing field is its own; if `value` has only `selected` fields of an answer, none is required.
        """
        return self._checked(
            lambda: [] if self.is_valid(value) else by_field(self._compiled.iter_errors(value), selected=selected)
        )

    def deepest_violation(self, value: object) -> Violation | None:
        """Return one violation of `value`, at the deepest place, or None."""
        return None if self.is_valid(value) else of_deepest(next(self._compiled.iter_errors(value)))

    def _checked(self, check: Callable[[], list[Violation]]) -> list[Violation]:
        try:
            return check()
        except UNCHECKABLE as error:
            return [_uncheckable(error)]


class NamePatterns:
    """The patterns of a `patternProperties`, all compiled at once; raises ValueError for a wrong one."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = patterns
        each = [{"patternProperties": {pattern: False}} for pattern in patterns]
        self._none_allowed = jsonschema_rs.Draft202012Validator({"allOf": each})

    def matching(self, name: str) -> list[str]:
        """Return those that match a name, in order."""
        value = {name: None}
        if self._none_allowed.is_valid(value):
            return []
        positions = {int(error.schema_path[1]) for error in self._none_allowed.iter_errors(value)}
        return [self._patterns[position] for position in sorted(positions)]


class LoadedSchema:
    """An untrusted schema that passed the checks: its references, and its validator with a limit on the cost.

    The methods raise SchemaProblem if checking this value would take too long.
    """

    def __init__(self, root: dict[str, Any]) -> None:
        self.root = root
        self.references = References(root)
        self._uses_references = limits.check_chains(self.references)
        keywords, self.compiling = pattern_effort.compiled(self.references.patterns, self.references.name_patterns)
        self._name_patterns: dict[tuple[str, ...], NamePatterns] = {}
        self._validator = Validator(root, keywords)
        self.guesses = self._validator.guesses

    def violations(self, value: object) -> list[Violation]:
        """Return the first MOST_VIOLATIONS violations of `value`."""
        return self._nesting_violations(value) or self._validator.violations(value)

    def field_violations(self, value: object, *, selected: bool = False) -> list[Violation]:
        """Return one violation for each wrong field, as Validator does."""
        return self._nesting_violations(value) or self._validator.field_violations(value, selected=selected)

    def name_patterns(self, patterns: tuple[str, ...]) -> NamePatterns:
        """Return the patterns of a `patternProperties` of the schema, compiled; raises ValueError for a wrong one."""
        found = self._name_patterns.get(patterns)
        if found is None:
            found = self._name_patterns[patterns] = NamePatterns(patterns)
        return found

    def _nesting_violations(self, value: object) -> list[Violation]:
        """Return a violation if `value` is nested too deeply; raises SchemaProblem if checking it takes too long."""
        try:
            if self._uses_references:
                limits.check_cost(self.references, value)
        except RecursionError as error:
            return [_uncheckable(error)]
        return []


LONGEST_KEPT = 100_000
"""Characters of a schema up to which it is kept once it was checked; what is kept takes ten times as much memory."""

SCHEMA_WEIGHT = 5.0
"""What a schema weighs that is kept, beside its compiled patterns, in classes of Unicode."""

MOST_SCHEMAS = 640.0
"""What all schemas that are kept may weigh: 128 schemas without costly patterns."""


def load(schema: object) -> LoadedSchema:
    """Check a schema, or return it from a bounded cache.

    `$schema` names the draft, 4 to 2020-12; an unknown one counts as 2020-12. Raises SchemaProblem unless the schema is
    a JSON Schema object that can be used offline: nothing is fetched.
    """
    if not isinstance(schema, Mapping):
        raise SchemaProblem((), "a schema must be an object")
    limits.check_json(schema)
    text = json.dumps(schema, sort_keys=False, ensure_ascii=False, separators=(",", ":"))
    found = KEPT.get(text)
    if found is None:
        found = LoadedSchema(json.loads(text))
        if len(text) <= LONGEST_KEPT:
            KEPT.put(text, found, SCHEMA_WEIGHT + found.compiling)
    return found


KEPT: Latest[LoadedSchema] = Latest(MOST_SCHEMAS)


def _compiled(root: Mapping[str, Any], guesses: set[str], keywords: Keywords | None) -> jsonschema_rs.Validator:
    classes: dict[str, Callable[..., jsonschema_rs.Validator]] = {
        "04": jsonschema_rs.Draft4Validator,
        "06": jsonschema_rs.Draft6Validator,
        "07": jsonschema_rs.Draft7Validator,
        "2019-09": jsonschema_rs.Draft201909Validator,
        "2020-12": jsonschema_rs.Draft202012Validator,
    }
    known = {keyword: value for keyword, value in root.items() if keyword != "$schema"}
    compiled = partial(classes[draft(root)], validate_formats=True, retriever=_refuse, keywords=keywords)
    if not root.get("$schema"):
        with contextlib.suppress(ValueError, jsonschema_rs.ValidationError):
            return compiled(known)
        with contextlib.suppress(ValueError, jsonschema_rs.ValidationError):
            made = set[str]()
            validator = compiled(modern(known, made))
            guesses |= made
            return validator
    elif named_draft(root) is None:
        guesses.add(UNKNOWN)
    try:
        return compiled(known)
    except jsonschema_rs.ValidationError as error:
        problem = of_error(error)
        raise SchemaProblem(problem.place, problem.message) from error
    except ValueError as error:
        raise SchemaProblem((), str(error)[:LONGEST_MESSAGE]) from error


def _refuse(uri: str) -> Any:
    raise ValueError(f"{uri!r:.200} is not fetched")


def _uncheckable(error: Exception) -> Violation:
    return Violation((), f"is no JSON value that can be checked: {error}"[:LONGEST_MESSAGE])
