"""Whether a JSON Schema can be used, and what is wrong with a value by it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from vlmrun_mock.lazy import lazy
from vlmrun_mock.schema import limits
from vlmrun_mock.schema.references import References, SchemaProblem, draft
from vlmrun_mock.schema.violation import LONGEST_MESSAGE, Violation, by_field, of_deepest, of_error

if TYPE_CHECKING:
    import jsonschema_rs
else:
    jsonschema_rs = lazy("jsonschema_rs")

__all__ = ["LoadedSchema", "Validator", "Violation", "check", "load", "violations"]

MOST_VIOLATIONS = 100
UNCHECKABLE = (ValueError, TypeError, RecursionError)  # for a value that is not JSON, or is nested too deeply


def check(schema: object) -> None:
    """Raise SchemaProblem unless `schema` is an object that is a JSON Schema and can be used offline.

    `$schema` names the draft, 4 to 2020-12; an unknown one counts as 2020-12. Nothing is fetched.
    """
    load(schema)


def violations(schema: Mapping[str, Any], value: object) -> list[Violation]:
    """Return what is wrong with `value`, formats included; an empty list means that it is valid.

    Raises SchemaProblem if the schema is unusable, or so tangled that checking this value would not end soon.
    """
    return load(schema).violations(value)


class Validator:
    """Checks values against a schema that is known to be harmless, formats included, and fetches nothing.

    Raises SchemaProblem for an invalid schema.
    """

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._compiled = _compiled(root)

    def is_valid(self, value: object) -> bool:
        """Return whether a JSON value meets the schema."""
        return self._compiled.is_valid(value)

    def violations(self, value: object) -> list[Violation]:
        """Return the first MOST_VIOLATIONS things that are wrong with `value`, as jsonschema-rs words them."""
        return self._checked(lambda: list(map(of_error, islice(self._compiled.iter_errors(value), MOST_VIOLATIONS))))

    def field_violations(self, value: object, *, selected: bool = False) -> list[Violation]:
        """Return one violation for each field that is wrong, with all of its reasons in full.

        A missing field is wrong at its own place; if `value` is `selected` fields of an answer, none is required.
        """
        return self._checked(
            lambda: [] if self.is_valid(value) else by_field(self._compiled.iter_errors(value), selected=selected)
        )

    def deepest_violation(self, value: object) -> Violation | None:
        """Return one thing that is wrong with `value`, at the deepest place that can be named, or None."""
        return None if self.is_valid(value) else of_deepest(next(self._compiled.iter_errors(value)))

    def _checked(self, check: Callable[[], list[Violation]]) -> list[Violation]:
        try:
            return check()
        except UNCHECKABLE as error:
            return [_uncheckable(error)]


class LoadedSchema:
    """A schema from anywhere that has been checked: its references, and its validator with a limit on the cost.

    Its methods raise SchemaProblem if the schema is so tangled that checking this value would not end soon.
    """

    def __init__(self, root: dict[str, Any]) -> None:
        self.root = root
        self.references = References(root)
        self._uses_references = limits.check_chains(self.references)
        self._validator = Validator(root)

    def violations(self, value: object) -> list[Violation]:
        """Return the first MOST_VIOLATIONS things that are wrong with `value`."""
        return self._beyond_limits(value) or self._validator.violations(value)

    def field_violations(self, value: object, *, selected: bool = False) -> list[Violation]:
        """Return one violation for each field that is wrong, as the validator does."""
        return self._beyond_limits(value) or self._validator.field_violations(value, selected=selected)

    def _beyond_limits(self, value: object) -> list[Violation]:
        """Return why `value` is nested too deeply, if it is; raises SchemaProblem."""
        try:
            if self._uses_references:
                limits.check_cost(self.references, value)
        except RecursionError as error:
            return [_uncheckable(error)]
        return []


def load(schema: object) -> LoadedSchema:
    """Return the checked schema, from a bounded cache if it was met before; raises SchemaProblem."""
    if not isinstance(schema, Mapping):
        raise SchemaProblem((), "a schema must be an object")
    limits.check_json(schema)
    return _load(json.dumps(schema, sort_keys=False, ensure_ascii=False, separators=(",", ":")))


@lru_cache(maxsize=128)
def _load(text: str) -> LoadedSchema:
    return LoadedSchema(json.loads(text))


def _compiled(root: Mapping[str, Any]) -> jsonschema_rs.Validator:
    classes: dict[str, Callable[..., jsonschema_rs.Validator]] = {
        "04": jsonschema_rs.Draft4Validator,
        "06": jsonschema_rs.Draft6Validator,
        "07": jsonschema_rs.Draft7Validator,
        "2019-09": jsonschema_rs.Draft201909Validator,
        "2020-12": jsonschema_rs.Draft202012Validator,
    }
    known = {keyword: value for keyword, value in root.items() if keyword != "$schema"}
    try:
        return classes[draft(root)](known, validate_formats=True, retriever=_refuse)
    except jsonschema_rs.ValidationError as error:
        problem = of_error(error)
        raise SchemaProblem(problem.place, problem.message) from error
    except ValueError as error:
        raise SchemaProblem((), str(error)[:LONGEST_MESSAGE]) from error


def _refuse(uri: str) -> Any:
    raise ValueError(f"{uri!r:.200} is not fetched")


def _uncheckable(error: Exception) -> Violation:
    return Violation((), f"is no JSON value that can be checked: {error}"[:LONGEST_MESSAGE])
