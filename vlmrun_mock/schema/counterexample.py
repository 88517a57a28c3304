"""Turning a valid value into one that violates its schema, as a model that misunderstands a request returns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import islice
from typing import Any

from vlmrun_mock.schema import validation
from vlmrun_mock.schema.references import SchemaProblem

MOST_CANDIDATES = 200
"""A schema that accepts this many candidates counts as one that accepts everything."""


def violating(value: object, known: Mapping[str, Any] | None) -> object:
    """Return the value with the smallest change that makes it violate the schema.

    Without a schema, or with one that accepts everything, an object becomes a list, and any other value an object.
    """
    if known:
        for candidate in islice(_candidates(value), MOST_CANDIDATES):
            with suppress(SchemaProblem):  # a candidate that cannot be checked
                if validation.violations(known, candidate):
                    return candidate
    return [value] if isinstance(value, Mapping) else {"unexpected": value}


def _candidates(value: object) -> Iterator[object]:
    """Yield the value with one field of another type, then without one field, then values of other kinds."""
    if isinstance(value, Mapping):
        yield from ({**value, key: _of_another_type(each)} for key, each in value.items())
        yield from ({name: each for name, each in value.items() if name != key} for key in value)
    yield from ([value], "not what was asked for", 0, None, {"unexpected": value})


def _of_another_type(value: object) -> object:
    return {"unexpected": value} if isinstance(value, str) or value is None else "not what was asked for"
