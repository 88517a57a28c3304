"""An example answer of the same kind of document: what a schema's fields may take from it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from vlmrun_mock.generate.node import Shape


class Absent:
    """What stands where the example has nothing, for null is a value."""


ABSENT: Final = Absent()


def find(scope: Mapping[str, Any], name: str) -> object:
    """Return the value of the property of that name, or ABSENT: case and separators do not count."""
    if name in scope:
        return scope[name]
    wanted = _letters(name)
    return next((value for key, value in scope.items() if wanted and _letters(key) == wanted), ABSENT)


def _letters(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).casefold()


def converted(shape: Shape, value: object, schema_uri: str) -> object:
    """Return the value if it meets the shape, or the same in the type that is asked for; else ABSENT."""
    for candidate in _spellings(shape.kind, value):
        if shape.accepts(candidate, schema_uri):
            return candidate
    return ABSENT


def _spellings(kind: str, value: object) -> list[object]:
    if kind == "listed":
        return [value]
    if isinstance(value, bool) or value is None:
        return [value] if kind == ("null" if value is None else "boolean") else []
    if isinstance(value, str):
        return [value] if kind == "string" else []
    if isinstance(value, int | float):
        return _numbers(kind, value)
    return []


def _numbers(kind: str, value: float) -> list[object]:
    whole = int(value) if float(value).is_integer() else None
    if kind == "integer":
        return [whole] if whole is not None else []
    if kind == "number":
        return [value]
    return [str(value)] if kind == "string" else []
