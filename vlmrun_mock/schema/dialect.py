"""Schemas without `$schema` that are written in another dialect than the newest, as code generators write them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

NAMED = frozenset({"$defs", "definitions", "properties", "patternProperties", "dependentSchemas"})
"""The keywords whose values are schemas by names of any kind."""

DATA = frozenset({"const", "default", "enum", "example", "examples"})

LEGAL = "#/%:?&=+,;@!$'()*~"
"""Characters of a URI reference beside letters, digits and `-._`."""

BOUNDS = {"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"}

A_BOOLEAN = "{} is a boolean, as in draft 4 and OpenAPI 3.0"
A_LIST = "items is a list, as before 2020-12"
A_NAME = "$ref has a name that is not escaped"
UNKNOWN = "$schema names no known dialect, and 2020-12 stands in"


def modern(schema: Any, guesses: set[str]) -> Any:
    """Return a schema as 2020-12 writes it, and add to `guesses` how it had to be read; what is so already stays.

    References to names such as `List[Item]` are escaped. Of draft 4 and OpenAPI 3.0, `exclusiveMinimum: true` is read
    with its `minimum`, and of drafts before 2020-12 a list in `items`.
    """
    if isinstance(schema, list):
        return [modern(each, guesses) for each in schema]
    if not isinstance(schema, Mapping):
        return schema
    made = {key: _part(key, value, guesses) for key, value in schema.items()}
    for exclusive, bound in BOUNDS.items():
        if isinstance(made.get(exclusive), bool):
            guesses.add(A_BOOLEAN.format(exclusive))
            is_exclusive = made.pop(exclusive)
            if is_exclusive and bound in made:
                made[exclusive] = made.pop(bound)
    if isinstance(made.get("items"), list):
        guesses.add(A_LIST)
        made["prefixItems"] = made.pop("items")
        if "additionalItems" in made:
            made["items"] = made.pop("additionalItems")
    return made


def _part(key: str, value: Any, guesses: set[str]) -> Any:
    if key in DATA:
        return value
    if key in NAMED and isinstance(value, Mapping):
        return {name: modern(each, guesses) for name, each in value.items()}
    if key == "$ref" and isinstance(value, str):
        escaped = quote(value, safe=LEGAL)
        guesses |= {A_NAME} if escaped != value else set()
        return escaped
    return modern(value, guesses)
