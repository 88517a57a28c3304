"""The ways to violate a schema, each as a schema to meet instead."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from vlmrun_mock.schema.generate.node import KINDS, KINDS_OF_TYPE, Node

WITHOUT: dict[str, Callable[[Any], dict[str, Any]]] = {
    "minimum": lambda bound: {"type": "number", "exclusiveMaximum": bound},
    "maximum": lambda bound: {"type": "number", "exclusiveMinimum": bound},
    "exclusiveMinimum": lambda bound: {"type": "number", "maximum": bound},
    "exclusiveMaximum": lambda bound: {"type": "number", "minimum": bound},
    "minLength": lambda bound: {"type": "string", "maxLength": bound - 1},
    "maxLength": lambda bound: {"type": "string", "minLength": bound + 1},
    "minItems": lambda bound: {"type": "array", "maxItems": bound - 1},
    "maxItems": lambda bound: {"type": "array", "minItems": bound + 1},
    "minProperties": lambda bound: {"type": "object", "maxProperties": bound - 1},
    "maxProperties": lambda bound: {"type": "object", "minProperties": bound + 1},
    "contains": lambda child: {"type": "array", "items": {"not": child}},
    "propertyNames": lambda child: {"type": "object", "minProperties": 1, "propertyNames": {"not": child}},
    "allOf": lambda branches: {"anyOf": [{"not": branch} for branch in branches]},
    "anyOf": lambda branches: {"allOf": [{"not": branch} for branch in branches]},
    "oneOf": lambda branches: {"allOf": [{"not": branch} for branch in branches]},
    "not": lambda child: child if isinstance(child, dict) else {"allOf": [child]},
    "type": lambda types: {"type": _other_kinds(types)},
    "const": lambda value: {"$denied": {"const": value}},
    "enum": lambda values: {"$denied": {"enum": values}},
    "pattern": lambda pattern: {"type": "string", "$denied": {"pattern": pattern}},
    "format": lambda name: {"type": "string", "$denied": {"format": name}},
    "multipleOf": lambda step: {"type": "number", "$denied": {"multipleOf": step}},
    "uniqueItems": lambda unique: {"type": "array", "minItems": 2, "items": {"const": 1}} if unique else {"enum": []},
}


def denials(node: Node) -> list[tuple[Node, ...]]:
    """Return the ways to violate a denied schema; `$denied` holds a part that can only be tried and checked."""
    return [(node.made(way),) for way in _ways(node.schema)]


def _ways(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name, child in schema.get("properties", {}).items():
        if child is not True and child != {}:
            yield {"type": "object", "required": [name], "properties": {name: {"not": child}}}
    if isinstance(schema.get("items"), dict | bool):
        yield {"type": "array", "contains": {"not": schema["items"]}}
    for keyword, value in schema.items():
        is_flag = keyword.startswith("exclusive") and isinstance(value, bool)  # as draft 4 marks an exclusive bound
        if keyword in WITHOUT and not is_flag:
            yield WITHOUT[keyword](value)
    for name in schema.get("required", []):
        yield {"type": "object", "properties": {name: False}}


def _other_kinds(types: Any) -> list[str]:
    named = types if isinstance(types, list) else [types]
    excluded = set[str]().union(*(KINDS_OF_TYPE.get(name, ()) for name in named))
    return [kind for kind in KINDS if kind not in excluded]
