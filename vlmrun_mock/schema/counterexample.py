"""A value that violates a schema, made from one that fits: as from a model that misunderstands the request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vlmrun_mock.schema import validation
from vlmrun_mock.schema.references import SchemaProblem

MOST_TRIED = 200
"""Candidates; a schema that accepts them all is taken to accept everything."""


def violating(value: object, known: Mapping[str, Any] | None) -> object:
    """Return the value with the smallest change that makes it violate the schema.

    Without a schema, or with one that accepts everything, an object becomes a list, and any other value an object.
    """
    for tried, candidate in enumerate(_candidates(value) if known else ()):
        if tried == MOST_TRIED:
            break
        if _violates(candidate, known or {}):
            return candidate
    return [value] if isinstance(value, Mapping) else {"unexpected": value}


def _violates(value: object, known: Mapping[str, Any]) -> bool:
    try:
        return bool(validation.violations(known, value))
    except SchemaProblem:  # it cannot be checked, so nothing can violate it
        return False


def _candidates(value: object) -> Iterator[object]:
    """Yield the value with one field of another type, then with one missing, then a value of another kind."""
    if isinstance(value, Mapping):
        yield from ({**value, key: _of_another_type(each)} for key, each in value.items())
        yield from ({name: each for name, each in value.items() if name != key} for key in value)
    yield from ([value], "not what was asked for", 0, None, {"unexpected": value})


def _of_another_type(value: object) -> object:
    return {"unexpected": value} if isinstance(value, str) or value is None else "not what was asked for"
