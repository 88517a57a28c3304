"""A value that violates a schema, made from one that fits: as a model that misunderstood would answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vlmrun_mock.schema import validation
from vlmrun_mock.schema.references import SchemaProblem

MOST_TRIED = 200
"""Candidates; a schema that accepts them all is taken to accept everything."""


def violating(value: object, known: Mapping[str, Any] | None) -> object:
    """Return the value with as little as possible changed so that it violates the schema.

    Without a schema, or with one that accepts everything, what was an object is a list of it, and all else an object.
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
    except SchemaProblem:  # so tangled that it cannot be checked: it may as well be none
        return False


def _candidates(value: object) -> Iterator[object]:
    """Yield the value with one field of another type, then with one missing, then something else altogether."""
    if isinstance(value, Mapping):
        yield from ({**value, key: _of_another_type(each)} for key, each in value.items())
        yield from ({name: each for name, each in value.items() if name != key} for key in value)
    yield from ([value], "not what was asked for", 0, None, {"unexpected": value})


def _of_another_type(value: object) -> object:
    return {"unexpected": value} if isinstance(value, str) or value is None else "not what was asked for"
