"""Subschemas with their places, and shapes: subschemas in which every choice is made."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from vlmrun_mock.schema.references import Place
from vlmrun_mock.schema.validation import Validator

KINDS = ("object", "array", "string", "integer", "fraction", "boolean", "null")
EVERY_KIND = frozenset(KINDS)
NARROWING = frozenset({"type", "const", "enum"})
KINDS_OF_TYPE = {kind: frozenset({kind}) for kind in KINDS} | {"number": frozenset({"integer", "fraction"})}
SCALAR_KEYWORDS: tuple[str, ...] = ("type", "enum", "const", "minLength", "maxLength", "pattern", "format")
SCALAR_KEYWORDS += ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
SCALAR_KEYWORDS_OF_LISTED = tuple(keyword for keyword in SCALAR_KEYWORDS if keyword not in {"enum", "const"})


def kind_of(value: object) -> str:
    """Return the kind of a JSON value: one of KINDS."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else "boolean"
    if isinstance(value, int | float):
        return "integer" if float(value).is_integer() else "fraction"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


@dataclass(frozen=True, slots=True)
class Node:
    """A subschema at its place; a value must not meet it if it is `denied`."""

    place: Place
    schema: Any
    denied: bool = False

    def child(self, *keys: str | int) -> Node:
        """Return the subschema below these keys."""
        schema = self.schema
        for key in keys:
            schema = schema[key]
        return Node((*self.place, *keys), schema)

    def made(self, schema: Any) -> Node:
        """Return a schema that follows from this one and takes its place."""
        return Node(self.place, schema)

    def kinds(self) -> frozenset[str]:
        """Return the kinds of values that `type`, `const` and `enum` allow."""
        kinds = EVERY_KIND
        if NARROWING.isdisjoint(self.schema):
            return kinds
        if "type" in self.schema:
            named = (KINDS_OF_TYPE.get(name, frozenset()) for name in _listed(self.schema["type"]))
            kinds = frozenset[str]().union(*named)
        if "const" in self.schema:
            kinds &= {kind_of(self.schema["const"])}
        if isinstance(self.schema.get("enum"), list):
            kinds &= {kind_of(value) for value in self.schema["enum"]}
        return kinds


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@dataclass(frozen=True, slots=True)
class Shape:
    """Subschemas that all hold and contain no more choices.

    `kinds` are the possible kinds of a value, `kind` is the one to make, `opened` are the references followed.
    """

    nodes: tuple[Node, ...] = ()
    denied: tuple[Node, ...] = ()
    opened: tuple[Place, ...] = ()
    kinds: frozenset[str] = EVERY_KIND
    kind: str = ""

    @property
    def place(self) -> Place:
        """The place to name in an error without a more exact one."""
        return self.nodes[0].place if self.nodes else self.denied[0].place if self.denied else ()

    def of_kind(self, kind: str) -> Shape:
        """Return the shape with its kind settled."""
        return Shape(self.nodes, self.denied, self.opened, self.kinds, kind)

    def having(self, keyword: str) -> Iterator[tuple[Node, Any]]:
        """Yield each subschema that has a keyword, with the keyword's value."""
        for node in self.nodes:
            if keyword in node.schema:
                yield node, node.schema[keyword]

    def most(self, keyword: str, default: int = 0) -> int:
        """Return the largest value of a lower bound."""
        return max((int(value) for _, value in self.having(keyword)), default=default)

    def least(self, keyword: str) -> int | None:
        """Return the smallest value of an upper bound, or None without one."""
        return min((int(value) for _, value in self.having(keyword)), default=None)

    def examples(self) -> list[Any]:
        """Return the values of `examples` and of OpenAPI's `example`, or else a `default` that says something."""
        found = [value for _, listed in self.having("examples") if isinstance(listed, list) for value in listed]
        found += [value for _, value in self.having("example")]
        return found or [value for _, value in self.having("default") if value not in (None, "", 0, False)]

    def place_of(self, *keywords: str) -> Place:
        """Return the place of the first of these keywords that a subschema has."""
        found = ((*node.place, keyword) for keyword in keywords for node, _ in self.having(keyword))
        return next(found, self.place)

    def allowed(self) -> list[Any] | None:
        """Return the values that `const` and `enum` allow, or None if they allow all."""
        lists = [values for _, values in self.having("enum")] + [[value] for _, value in self.having("const")]
        if not lists:
            return None
        others = [{canonical(value) for value in values} for values in lists[1:]]
        return [value for value in lists[0] if all(canonical(value) in other for other in others)]

    def lists(self, value: object) -> bool:
        """Return whether `const` and `enum` allow a value."""
        allowed = self.allowed()
        return allowed is None or any(same(value, other) for other in allowed)

    def accepts(self, value: object, draft: str) -> bool:
        """Return whether a value meets the keywords for scalars, except `enum` and `const` of a listed shape."""
        keywords = SCALAR_KEYWORDS if self.kind != "listed" else SCALAR_KEYWORDS_OF_LISTED
        wanted: list[Any] = [part for node in self.nodes if (part := _scalar_part(node, keywords))]
        wanted += [{"not": node.schema} for node in self.denied]
        if not wanted:
            return True
        return _validator(json.dumps({"$schema": draft, "allOf": wanted})).is_valid(value)


def _scalar_part(node: Node, keywords: tuple[str, ...]) -> dict[str, Any]:
    part = {keyword: node.schema[keyword] for keyword in keywords if keyword in node.schema}
    if "fraction" in _listed(part.get("type")):  # no type of JSON Schema: a number when integers are denied
        part["type"] = [name for name in part["type"] if name != "fraction"] + ["number"]
        part = {"allOf": [part, {"not": {"type": "integer"}}]} if "integer" not in part["type"] else part
    return part


def same(one: object, other: object) -> bool:
    """Return whether two JSON values are equal: 1 is 1.0, and true is not 1."""
    return canonical(one) == canonical(other)


def canonical(value: object) -> str:
    """Return the same text for equal JSON values, and for no others."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, list):
        return f"[{','.join(canonical(item) for item in value)}]"
    if isinstance(value, dict):
        return f"{{{','.join(f'{json.dumps(key)}:{canonical(value[key])}' for key in sorted(value))}}}"
    return json.dumps(value)


@lru_cache(maxsize=1024)
def _validator(text: str) -> Validator:
    return Validator(json.loads(text))
