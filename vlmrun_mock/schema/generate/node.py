"""Subschemas with their places, and shapes: subschemas in which every choice is made."""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property, lru_cache
from typing import Any

import msgspec

from vlmrun_mock.schema import pattern_effort
from vlmrun_mock.schema.latest import Latest
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

TIGHTER: Mapping[str, Callable[[Any, Any], bool]] = {
    **dict.fromkeys(("minimum", "exclusiveMinimum", "minLength"), operator.gt),
    **dict.fromkeys(("maximum", "exclusiveMaximum", "maxLength"), operator.lt),
}
"""Which of two bounds is the tighter one."""

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


class Shape(msgspec.Struct, frozen=True, dict=True):
    """Subschemas that all hold and contain no more choices.

    `kinds` are the possible kinds of a value, `kind` is the one to make, `opened` are the references followed.
    """

    nodes: tuple[Node, ...] = ()
    denied: tuple[Node, ...] = ()
    opened: tuple[Place, ...] = ()
    kinds: frozenset[str] = EVERY_KIND
    kind: str = ""
    values: list[Any] = []  # those that a listed shape allows
    remembered: dict[object, Any] = {}  # what was found out about it, for the next value

    @property
    def place(self) -> Place:
        """The place to name in an error without a more exact one."""
        return self.nodes[0].place if self.nodes else self.denied[0].place if self.denied else ()

    def of_kind(self, kind: str) -> Shape:
        """Return the shape with its kind settled."""
        return Shape(self.nodes, self.denied, self.opened, self.kinds, kind, remembered={Node: self.keywords})

    def of_values(self, values: list[Any]) -> Shape:
        """Return the shape as one that lists the values it allows."""
        known: dict[object, Any] = {Node: self.keywords}
        return Shape(self.nodes, self.denied, self.opened, self.kinds, "listed", values, known)

    def having(self, keyword: str) -> Sequence[tuple[Node, Any]]:
        """Return each subschema that has a keyword, with the keyword's value."""
        known = self.remembered.get(Node)
        return (self.keywords if known is None else known).get(keyword, ())

    @property
    def keywords(self) -> Mapping[str, Sequence[tuple[Node, Any]]]:
        """The subschemas by the keywords that they have, each with the keyword's value."""
        known: dict[str, list[tuple[Node, Any]]] | None = self.remembered.get(Node)
        if known is None:
            known = self.remembered[Node] = {}
            for node in self.nodes:
                for keyword, value in node.schema.items():
                    known.setdefault(keyword, []).append((node, value))
        return known

    def most(self, keyword: str) -> int:
        """Return the largest value of a lower bound."""
        if keyword not in self.remembered:
            self.remembered[keyword] = max((int(value) for _, value in self.having(keyword)), default=0)
        most: int = self.remembered[keyword]
        return most

    def least(self, keyword: str) -> int | None:
        """Return the smallest value of an upper bound, or None without one."""
        if keyword not in self.remembered:
            self.remembered[keyword] = min((int(value) for _, value in self.having(keyword)), default=None)
        least: int | None = self.remembered[keyword]
        return least

    @cached_property
    def examples(self) -> list[Any]:
        """The values of `examples` and of OpenAPI's `example`, or else a `default` that says something."""
        found = [value for _, listed in self.having("examples") if isinstance(listed, list) for value in listed]
        found += [value for _, value in self.having("example")]
        return found or [value for _, value in self.having("default") if value not in (None, "", 0, False)]

    def place_of(self, *keywords: str) -> Place:
        """Return the place of the first of these keywords that a subschema has."""
        found = ((*node.place, keyword) for keyword in keywords for node, _ in self.having(keyword))
        return next(found, self.place)

    @cached_property
    def listed(self) -> frozenset[object] | None:
        """The values that `const` and `enum` allow, by their `identity`, or None if they allow all."""
        allowed = self.allowed()
        return None if allowed is None else frozenset(map(identity, allowed))

    def allowed(self) -> list[Any] | None:
        """Return the values that `const` and `enum` allow, or None if they allow all."""
        lists = [values for _, values in self.having("enum")] + [[value] for _, value in self.having("const")]
        if not lists:
            return None
        if len(lists) == 1:
            return list(lists[0])
        found: list[Any] = lists[0]
        for values in lists[1:]:
            others = set(map(identity, values))
            found = [value for value in found if identity(value) in others]
        return found


class Check:
    """Says whether values meet a shape's keywords for scalars, except `enum` and `const` of a listed shape."""

    def __init__(self, shape: Shape, draft: str) -> None:
        keywords = SCALAR_KEYWORDS if shape.kind != "listed" else SCALAR_KEYWORDS_OF_LISTED
        self._draft = draft
        self._plain: list[dict[str, Any]] = []
        self._others: list[dict[str, Any]] = []
        for node in shape.nodes:
            used = keywords & node.schema.keys()
            if not used <= PLAIN or "fraction" in _listed(node.schema.get("type")):
                self._others.append(_scalar_part(node.schema, used))
            elif used:
                self._plain.append({keyword: node.schema[keyword] for keyword in used})
        self._others += [{"not": node.schema} for node in shape.denied]
        self._tightest = PlainKeywords(self._plain) if self._plain else None
        self._compiled: Validator | None = None
        self._exact: Validator | None = None  # also for the plain keywords

    @property
    def compiles(self) -> bool:
        """Whether it needs a validator."""
        return bool(self._others)

    def __call__(self, value: object) -> bool:
        """Return whether a value meets the keywords."""
        met = self._tightest is None or self._tightest.are_met(value)
        if met is None:
            self._exact = self._exact or self._validator([*self._plain, *self._others])
            return self._exact.is_valid(value)
        if met and self._others:
            self._compiled = self._compiled or self._validator(self._others)
            return self._compiled.is_valid(value)
        return met

    def _validator(self, wanted: list[dict[str, Any]]) -> Validator:
        return _validator(json.dumps({"$schema": self._draft, "allOf": wanted}))


class PlainKeywords:
    """The keywords of PLAIN that some schemas have, each as the tightest of them has it."""

    def __init__(self, schemas: Iterable[Mapping[str, Any]]) -> None:
        self._types: list[frozenset[str]] = []
        self._bounds: dict[str, Any] = {}
        self._is_sure = True  # of bounds, which draft 4 also has as booleans, and which may be too large for doubles
        for schema in schemas:
            for keyword, value in schema.items():
                if keyword == "type":
                    self._types.append(_kinds_of_types(value if isinstance(value, str) else tuple(value)))
                elif isinstance(value, bool) or (keyword in BOUNDS and abs(value) > LARGEST_EXACT):
                    self._is_sure = False
                elif keyword not in self._bounds or TIGHTER[keyword](value, self._bounds[keyword]):
                    self._bounds[keyword] = value
        self._types = list(dict.fromkeys(self._types))
        self._bounds_numbers = not self._is_sure or not BOUNDS.isdisjoint(self._bounds)

    def are_met(self, value: object) -> bool | None:
        """Return whether a value meets them all, or None if that is for a validator to say."""
        kind = kind_of(value)
        if kind == "integer" and isinstance(value, float):  # whether 1.0 is an integer depends on the draft
            return None
        if any(kind not in kinds for kinds in self._types):
            return False
        if kind == "string" and isinstance(value, str):
            return bool(self._bounds.get("minLength", 0) <= len(value) <= self._bounds.get("maxLength", len(value)))
        if kind in NUMBER and isinstance(value, int | float) and self._bounds_numbers:
            return self._is_within(value)
        return True

    def _is_within(self, number: float) -> bool | None:
        """Return whether a number is within the bounds, or None where doubles or draft 4 would read them otherwise."""
        if not self._is_sure or abs(number) > LARGEST_EXACT:
            return None
        bounds = self._bounds
        return bool(
            number >= bounds.get("minimum", number)
            and number <= bounds.get("maximum", number)
            and ("exclusiveMinimum" not in bounds or number > bounds["exclusiveMinimum"])
            and ("exclusiveMaximum" not in bounds or number < bounds["exclusiveMaximum"])
        )


@lru_cache(maxsize=256)
def _kinds_of_types(types: str | tuple[str, ...]) -> frozenset[str]:
    """Return the kinds of the values that `type` allows."""
    named = [types] if isinstance(types, str) else types
    return frozenset[str]().union(*(KINDS_OF_TYPE.get(name, ()) for name in named))


def _scalar_part(schema: Any, used: AbstractSet[str]) -> dict[str, Any]:
    part = {keyword: value for keyword, value in schema.items() if keyword in used}
    if "fraction" in _listed(part.get("type")):  # no type of JSON Schema: a number when integers are denied
        part["type"] = [name for name in part["type"] if name != "fraction"] + ["number"]
        part = {"allOf": [part, {"not": {"type": "integer"}}]} if "integer" not in part["type"] else part
    return part


def same(one: object, other: object) -> bool:
    """Return whether two JSON values are equal: 1 is 1.0, and true is not 1."""
    return identity(one) == identity(other)


def identity(value: object) -> object:
    """Return what is the same for equal JSON values, and for no others; most are the cheapest there is."""
    kind = type(value)
    if kind is str or kind is int:
        return value
    return int(value) if isinstance(value, float) and value.is_integer() else (canonical(value),)


def canonical(value: object) -> str:
    """Return the same text for equal JSON values, and for no others."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, list):
        return f"[{','.join(canonical(item) for item in value)}]"
    if isinstance(value, dict):
        return f"{{{','.join(f'{json.dumps(key)}:{canonical(value[key])}' for key in sorted(value))}}}"
    return json.dumps(value)


VALIDATOR_WEIGHT = 0.1
"""What a validator of keywords weighs, beside its patterns, in classes of Unicode."""

MOST_VALIDATORS = 100.0
"""What all that are kept may weigh: a thousand without patterns."""

VALIDATORS: Latest[Validator] = Latest(MOST_VALIDATORS)


def _validator(text: str) -> Validator:
    found = VALIDATORS.get(text)
    if found is None:
        # The validator of the whole schema shares a pattern that takes long.
        keywords, compiling = pattern_effort.in_json(text)
        found = Validator(json.loads(text), keywords)
        VALIDATORS.put(text, found, VALIDATOR_WEIGHT + compiling)
    return found
