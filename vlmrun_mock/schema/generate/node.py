"""Subschemas with their places, and shapes: subschemas in which every choice is made."""

from __future__ import annotations

import json
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import Any

import msgspec

from vlmrun_mock.schema.references import Place
from vlmrun_mock.schema.validation import Validator

KINDS = ("object", "array", "string", "integer", "fraction", "boolean", "null")
EVERY_KIND = frozenset(KINDS)
NARROWING = frozenset({"type", "const", "enum"})
NUMBER = frozenset({"integer", "fraction"})
KINDS_OF_TYPE = {kind: frozenset({kind}) for kind in KINDS} | {"number": NUMBER}
BOUNDS = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"})
PLAIN = BOUNDS | {"type", "minLength", "maxLength"}
"""Keywords whose meaning is the same in each draft and costs less to compare than to compile."""

SCALAR_KEYWORDS = PLAIN | {"enum", "const", "pattern", "format", "multipleOf"}
SCALAR_KEYWORDS_OF_LISTED = SCALAR_KEYWORDS - {"enum", "const"}
LARGEST_EXACT = 2**53  # whole numbers up to it are the same as doubles


def kind_of(value: object) -> str:
    """Return the kind of a JSON value: one of KINDS."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else "boolean"
    if isinstance(value, int | float):
        return "integer" if float(value).is_integer() else "fraction"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


def _kinds_of(values: list[Any]) -> set[str]:
    """Return the kinds of values, most of which are often of one type."""
    one_each = {type(value): value for value in values}
    fractions = values if float in one_each else ()
    return {*map(kind_of, one_each.values()), *(kind_of(value) for value in fractions)}


class Node(msgspec.Struct, frozen=True):
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
        if isinstance(self.schema.get("type"), str):
            kinds = KINDS_OF_TYPE.get(self.schema["type"], frozenset())
        elif "type" in self.schema:
            named = (KINDS_OF_TYPE.get(name, frozenset()) for name in _listed(self.schema["type"]))
            kinds = frozenset[str]().union(*named)
        if "const" in self.schema:
            kinds &= {kind_of(self.schema["const"])}
        if isinstance(self.schema.get("enum"), list):
            kinds &= _kinds_of(self.schema["enum"])
        return kinds


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


class Shape(msgspec.Struct, frozen=True):
    """Subschemas that all hold and contain no more choices.

    `kinds` are the possible kinds of a value, `kind` is the one to make, `opened` are the references followed.
    """

    nodes: tuple[Node, ...] = ()
    denied: tuple[Node, ...] = ()
    opened: tuple[Place, ...] = ()
    kinds: frozenset[str] = EVERY_KIND
    kind: str = ""
    values: list[Any] = []  # those that a listed shape allows

    @property
    def place(self) -> Place:
        """The place to name in an error without a more exact one."""
        return self.nodes[0].place if self.nodes else self.denied[0].place if self.denied else ()

    def of_kind(self, kind: str) -> Shape:
        """Return the shape with its kind settled."""
        return Shape(self.nodes, self.denied, self.opened, self.kinds, kind)

    def of_values(self, values: list[Any]) -> Shape:
        """Return the shape as one that lists the values it allows."""
        return Shape(self.nodes, self.denied, self.opened, self.kinds, "listed", values)

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

    def listed(self) -> frozenset[str] | None:
        """Return the values that `const` and `enum` allow, as `canonical` writes them, or None if they allow all."""
        allowed = self.allowed()
        return None if allowed is None else frozenset(map(canonical, allowed))

    def allowed(self) -> list[Any] | None:
        """Return the values that `const` and `enum` allow, or None if they allow all."""
        lists = [values for _, values in self.having("enum")] + [[value] for _, value in self.having("const")]
        if not lists:
            return None
        if len(lists) == 1:
            return list(lists[0])
        others = [{canonical(value) for value in values} for values in lists[1:]]
        return [value for value in lists[0] if all(canonical(value) in other for other in others)]


class Check:
    """Says whether values meet a shape's keywords for scalars, except `enum` and `const` of a listed shape."""

    def __init__(self, shape: Shape, draft: str) -> None:
        keywords = SCALAR_KEYWORDS if shape.kind != "listed" else SCALAR_KEYWORDS_OF_LISTED
        self._draft = draft
        self._plain: list[tuple[Any, AbstractSet[str]]] = []
        self._others: list[dict[str, Any]] = []
        for node in shape.nodes:
            used = keywords & node.schema.keys()
            if used <= PLAIN and "fraction" not in _listed(node.schema.get("type")):
                self._plain += [(node.schema, used)] if used else []
            else:
                self._others.append(_scalar_part(node.schema, used))
        self._others += [{"not": node.schema} for node in shape.denied]
        self._compiled: Validator | None = None

    def __call__(self, value: object) -> bool:
        """Return whether a value meets the keywords."""
        unsure: list[dict[str, Any]] = []
        for schema, used in self._plain:
            met = _meets_plain(schema, used, value)
            if met is False:
                return False
            if met is None:
                unsure.append(_scalar_part(schema, used))
        if unsure:
            return self._validator([*unsure, *self._others]).is_valid(value)
        if self._compiled is None and self._others:
            self._compiled = self._validator(self._others)
        return self._compiled is None or self._compiled.is_valid(value)

    def _validator(self, wanted: list[dict[str, Any]]) -> Validator:
        return _validator(json.dumps({"$schema": self._draft, "allOf": wanted}))


def _meets_plain(schema: Any, used: AbstractSet[str], value: object) -> bool | None:
    """Return whether a value meets the keywords that a schema uses, or None if that is for a validator to say."""
    kind = kind_of(value)
    if kind == "integer" and isinstance(value, float):  # whether 1.0 is an integer depends on the draft
        return None
    if "type" in used:
        names = _listed(schema["type"])
        if kind not in names and not (kind in NUMBER and "number" in names):
            return False
    if kind == "string" and isinstance(value, str):
        return schema.get("minLength", 0) <= len(value) and (
            "maxLength" not in used or len(value) <= schema["maxLength"]
        )
    if isinstance(value, int | float) and kind in NUMBER and not used.isdisjoint(BOUNDS):
        return _is_within(schema, used & BOUNDS, value)
    return True


def _is_within(schema: Any, bounds: AbstractSet[str], number: float) -> bool | None:
    """Return whether a number is within bounds, or None where doubles or draft 4 would read them otherwise."""
    for keyword in bounds:
        bound = schema[keyword]
        if isinstance(bound, bool) or max(abs(number), abs(bound)) > LARGEST_EXACT:
            return None
    return (
        number >= schema.get("minimum", number)
        and number <= schema.get("maximum", number)
        and ("exclusiveMinimum" not in bounds or number > schema["exclusiveMinimum"])
        and ("exclusiveMaximum" not in bounds or number < schema["exclusiveMaximum"])
    )


def _scalar_part(schema: Any, used: AbstractSet[str]) -> dict[str, Any]:
    part = {keyword: value for keyword, value in schema.items() if keyword in used}
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
