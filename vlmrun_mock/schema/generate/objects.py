"""Objects: the names of their properties, the schemas of each, and sums that add up."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from vlmrun_mock.schema.generate.budget import CONTAINER, ITEM, VALUE, Exhausted
from vlmrun_mock.schema.generate.example import ABSENT, find, synonyms
from vlmrun_mock.schema.generate.node import Node, Shape
from vlmrun_mock.schema.generate.sums import balance, is_line, lines_of
from vlmrun_mock.schema.generate.words import words_of
from vlmrun_mock.schema.references import Place, SchemaProblem

if TYPE_CHECKING:
    from vlmrun_mock.schema.generate.builder import Builder, Spot

BIRTH = {"birth", "dob", "birthday", "birthdate", "born"}
MOST_KEYS_TRIED = 8
FREE_KEYS = 2
NAMES_A_STEP = 32  # properties that are listed in less than the time of a step
PATTERNS_A_STEP = 16  # patterns that are matched in about the time of a step
TEXT = {"type": "string"}
KEYS = ("standard", "express", "north", "south", "primary", "secondary", "spring", "autumn", "first", "second")


class Properties:
    """The schemas that a shape has for the properties of an object, each looked up once."""

    def __init__(self, builder: Builder, shape: Shape, spot: Spot) -> None:
        self._builder = builder
        self._spot = spot
        self.shape = shape
        self._nodes = shape.nodes
        self._known: dict[str, list[Node]] = {}
        self._declaring: dict[str, list[int]] = {}  # the positions of the subschemas that declare a name
        self._others: list[int] = []  # of those that have something to say about any name
        self._patterns: dict[int, Patterns] = {}  # by the position of their subschema
        self._unevaluated = [node.child("unevaluatedProperties") for node, _ in shape.having("unevaluatedProperties")]
        self.names = [node.child("propertyNames") for node, _ in shape.having("propertyNames")]
        self._allowing: list[list[Callable[[object], bool]]] | None = None
        for position, node in enumerate(shape.nodes):
            names = node.schema.get("properties", ())
            builder.budget.spend(node.place, len(names) // NAMES_A_STEP)
            if names and not self._declaring:
                self._declaring = {name: [position] for name in names}
            elif names:
                for name in names:
                    self._declaring.setdefault(name, []).append(position)
            if node.schema.get("patternProperties"):
                self._patterns[position] = Patterns(builder, node)
            if position in self._patterns or "additionalProperties" in node.schema:
                self._others.append(position)
        self.declared = list(self._declaring)

    @cached_property
    def first_key(self) -> int:
        """The number of the first of KEYS that the object gets, if its names are free."""
        return self._builder.world.subject(self._spot.path).random("keys").randrange(len(KEYS))

    @cached_property
    def patterns(self) -> list[Node]:
        """The schemas of names that `patternProperties` declares."""
        tables = self.shape.having("patternProperties")
        return [node.made({"pattern": pattern}) for node, table in tables for pattern in table]

    def of(self, name: str) -> list[Node]:
        """Return the schemas of the property with that name."""
        found = self._known.get(name)
        if found is None:
            found = self._known[name] = self._found(name)
        return found

    def _found(self, name: str) -> list[Node]:
        positions = self._declaring.get(name, [])
        if self._others:
            self._builder.budget.spend(self._nodes[0].place, len(self._others) // 4)
            positions = sorted({*positions, *self._others})
        nodes: list[Node] = []
        for position in positions:
            node, own = self._nodes[position], self._own(position, name)
            nodes += own
            if not own and "additionalProperties" in node.schema:
                nodes.append(node.child("additionalProperties"))
        return nodes or self._unevaluated

    def _own(self, position: int, name: str) -> list[Node]:
        """Return the schemas that one subschema declares for a property, by its name or by a pattern."""
        node = self._nodes[position]
        own = [node.child("properties", name)] if name in node.schema.get("properties", ()) else []
        return [*own, *self._patterns[position].of(name)] if position in self._patterns else own

    def has(self, name: str) -> bool:
        """Return whether a subschema declares a name, by itself or by a pattern."""
        return name in self._declaring or any(patterns.of(name) for patterns in self._patterns.values())

    def forbidding(self, name: str) -> Place | None:
        """Return the place of the schema that forbids a property with that name, or None."""
        for node in self.of(name):
            if node.schema is False:
                return node.place
        if self.names and self._allowing is None:
            self._allowing = [list(self._builder.scalars([node], self._spot)) for node in self.names]
        for node, allowing in zip(self.names, self._allowing or (), strict=True):
            self._builder.budget.step(node.place)
            if not any(may_be(name) for may_be in allowing):
                return node.place
        return None


class Patterns:
    """The `patternProperties` of a subschema."""

    def __init__(self, builder: Builder, node: Node) -> None:
        self._builder = builder
        self._node = node
        self._patterns = tuple(node.schema["patternProperties"])

    def of(self, name: str) -> list[Node]:
        """Return the schemas of the patterns that match a name."""
        self._builder.budget.step(self._node.place, 1 + len(self._patterns) // PATTERNS_A_STEP)
        try:
            matching = self._builder.loaded.name_patterns(self._patterns).matching(name)
        except ValueError as error:  # where the keyword is none of its draft, which has checked nothing
            raise SchemaProblem((*self._node.place, "patternProperties"), "one of its names is no pattern") from error
        return [self._node.child("patternProperties", pattern) for pattern in matching]


@dataclass(frozen=True, slots=True)
class Plan:
    """The names of an object's properties, and how many it has; an `optional` one that cannot be made is left out."""

    required: list[str]
    optional: list[str]
    least: int
    most: int | None


def make(builder: Builder, shape: Shape, spot: Spot, variation: int) -> dict[str, Any]:
    """Return an object; raises SchemaProblem if a required property cannot be made.

    The bits of the variation select the variations of the properties, so that each combination occurs.
    """
    builder.budget.spend(shape.place, CONTAINER)
    properties = Properties(builder, shape, spot)
    plan = _plan(builder, shape, properties, spot)
    scope, named = spot.scope, True
    if isinstance(spot.example, dict):
        scope = spot.example
    elif spot.in_list:  # an item of a list that the example lacks
        scope = {} if is_line(properties.declared) else scope  # what the document's fields hold is no line's
        named = False  # synonyms would give all items the same values
    alone = not spot.path and len(properties.declared) == 1
    inside = replace(spot, scope=scope, example=ABSENT, turn=0, alone=alone, named=named)
    value: dict[str, Any] = {}
    for index, name in enumerate(plan.required):
        place = properties.forbidding(name)
        if place is not None:
            raise SchemaProblem(place, f"property {name!r:.80} is required, and forbidden")
        value[name] = _property(builder, properties, _turned(inside, variation >> index), name)
    has_own = _add_optional(builder, properties, inside, plan, value, variation) or bool(plan.required)
    wanted = plan.least if has_own else max(plan.least, _free_count(builder, shape, spot))
    for name in _new_names(builder, properties, inside, wanted if plan.most is None else min(wanted, plan.most), value):
        _try_property(builder, properties, inside, name, value)
    if len(value) < plan.least:
        raise SchemaProblem(shape.place_of("minProperties"), f"an object cannot get {plan.least} properties here")
    ordered = {name: value[name] for name in [*properties.declared, *value] if name in value}
    lines = lines_of(ordered)
    are_new = lines is not None and not isinstance(_found(builder, properties, inside, lines), list)
    places = builder.world.locale.places
    balance(ordered, lambda name, number: _may_be(builder, properties, inside, name, number, are_new=are_new), places)
    _agree_on_age(builder, properties, inside, ordered)
    _agree_on_name(builder, properties, inside, ordered)
    return ordered


def _agree_on_name(builder: Builder, properties: Properties, spot: Spot, value: dict[str, Any]) -> None:
    """Leave the first name in a `name` beside a last name, and the last name in one beside a first name.

    `nombre` stands beside `apellidos`, and `nom` beside `prénom`; English has words for both, and `name` is all of it.
    """
    named = {tuple(words_of(name)): name for name, text in value.items() if isinstance(text, str)}
    whole, first, last = (named.get(words) for words in (("name",), ("first", "name"), ("last", "name")))
    part = last if first is None else first
    if whole in {None, "name"} or part is None or (first is not None and last is not None):
        return
    name, known = value[whole], value[part]
    rest = name.removeprefix(known) if name.startswith(known) else name.removesuffix(known)
    if rest != name and rest.strip() and _may_be(builder, properties, spot, whole, rest.strip(), are_new=False):
        value[whole] = rest.strip()


def _agree_on_age(builder: Builder, properties: Properties, spot: Spot, value: dict[str, Any]) -> None:
    """Make an age that of the birth date beside it, on the day of the document."""
    born = next((value[name] for name in value if set(words_of(name)) & BIRTH and isinstance(value[name], str)), "")
    named = [name for name, number in value.items() if words_of(name) == ["age"] and isinstance(number, int | float)]
    try:
        birth = dt.date.fromisoformat(born[:10])
    except ValueError:
        return
    day = builder.world.subject(spot.path).day(0)
    years = day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))
    for name in named:
        if _may_be(builder, properties, spot, name, years, are_new=False):
            value[name] = years


def _turned(spot: Spot, turn: int) -> Spot:
    return replace(spot, turn=turn) if turn else spot


def _plan(builder: Builder, shape: Shape, properties: Properties, spot: Spot) -> Plan:
    required = _required(shape, properties.declared)
    most = shape.least("maxProperties")
    if most is not None and len(required) > most:
        raise SchemaProblem(shape.place_of("maxProperties"), f"{len(required)} properties are required, {most} allowed")
    are_required = set(required)
    optional = [name for name in properties.declared if name not in are_required]
    if isinstance(spot.example, dict):
        others = [name for name in spot.example if name not in {*optional, *required}]
        if not required and not optional:
            optional = list(spot.example)
        if any(shape.having("patternProperties")):
            optional += [name for name in others if properties.has(name)]
    if len(spot.path) >= builder.fill_depth:
        optional = []
    least = max(shape.most("minProperties"), len(required))
    wanted = len(optional) if most is None else min(len(optional), most)
    builder.budget.foresee(shape.place, max(least * ITEM, wanted * VALUE))
    return Plan(required, optional, least, most)


def _required(shape: Shape, declared: list[str]) -> list[str]:
    """Return the required names, and those that these require in turn."""
    found = dict.fromkeys(name for _, names in shape.having("required") if isinstance(names, list) for name in names)
    needs = [*shape.having("dependentRequired"), *shape.having("dependencies")]
    if not needs:
        return list(found)
    needed: dict[str, list[str]] = {}
    for _, table in needs:
        for name, others in table.items():
            needed.setdefault(name, []).extend(others if isinstance(others, list) else ())
    waiting = [*found, *(name for name in declared if name in needed)]
    known = set(waiting)
    while waiting:
        name = waiting.pop()
        new = needed.get(name, [])
        found.update(dict.fromkeys(new))
        waiting += [other for other in new if other not in known]
        known.update(new)
    return list(found)


def _property(builder: Builder, properties: Properties, spot: Spot, name: str) -> object:
    found = _found(builder, properties, spot, name)
    return builder.build(properties.of(name), replace(spot, path=(*spot.path, name), example=found))


def _found(builder: Builder, properties: Properties, spot: Spot, name: str) -> object:
    """Return the example's value for a property, by its name or by a synonym that fits its kind, or ABSENT."""
    found = find(spot.scope, name) if spot.scope else ABSENT
    if found is not ABSENT or not spot.named or not spot.scope:
        return found
    nodes = properties.of(name)
    return next((value for value in synonyms(spot.scope, name) if builder.could_hold(nodes, spot, value)), ABSENT)


def _try_property(builder: Builder, properties: Properties, spot: Spot, name: str, value: dict[str, Any]) -> None:
    try:
        value[name] = _property(builder, properties, spot, name)
    except Exhausted:
        raise
    except SchemaProblem:
        return  # such as one more level of a recursion


def _add_optional(  # noqa: PLR0917 - the parts of one object
    builder: Builder, properties: Properties, spot: Spot, plan: Plan, value: dict[str, Any], variation: int
) -> bool:
    """Add the optional properties that are allowed, and return whether there are any.

    With a tight budget, only those for which a value is known, or which the example has.
    """
    index = len(plan.required)
    for name in plan.optional:
        if plan.most is not None and len(value) >= plan.most:
            return True
        is_told = bool(spot.scope) and find(spot.scope, name) is not ABSENT
        if builder.budget.is_tight and not is_told and not builder.is_known(properties.of(name), (*spot.path, name)):
            continue
        if properties.forbidding(name) is None:
            _try_property(builder, properties, _turned(spot, variation >> index), name, value)
            index += 1
    return index > len(plan.required)


def _free_count(builder: Builder, shape: Shape, spot: Spot) -> int:
    """Return the number of properties of an object that declares none."""
    return FREE_KEYS if len(spot.path) < builder.fill_depth and not _is_empty(shape) else 0


def _new_names(
    builder: Builder, properties: Properties, spot: Spot, wanted: int, value: dict[str, Any]
) -> Iterator[str]:
    """Yield names that the schema does not declare, until the object has as many properties as are wanted."""
    tried = 0
    while len(value) < wanted and tried < wanted + MOST_KEYS_TRIED:
        name = _invented(builder, properties, spot, tried)
        tried += 1
        if name not in value and properties.forbidding(name) is None:
            yield name


def _is_empty(shape: Shape) -> bool:
    """Return whether the schema asks for an empty object: `properties` is empty, and it declares no others."""
    others = [value for word in ("additionalProperties", "patternProperties") for _, value in shape.having(word)]
    return any(shape.having("properties")) and not any(others)


def _invented(builder: Builder, properties: Properties, spot: Spot, number: int) -> str:
    """Return a name that meets `propertyNames` or a pattern of `patternProperties`, or else a plain word."""
    rules, patterns = properties.names, properties.patterns
    builder.budget.step(properties.shape.place)
    if not rules and patterns:
        rules = [patterns[number % len(patterns)]]
    if rules:
        label = replace(spot, path=(*spot.path, "label"), example=ABSENT, turn=number, in_list=True)
        return str(builder.build([rules[0].made(TEXT), *rules], label))
    start = properties.first_key
    return KEYS[(start + number) % len(KEYS)] + (f"_{number // len(KEYS) + 1}" if number >= len(KEYS) else "")


def _may_be(builder: Builder, properties: Properties, spot: Spot, name: str, made: object, *, are_new: bool) -> bool:
    """Return whether a computed value may replace another; one of the example only if the lines are new."""
    is_taken = _found(builder, properties, spot, name) is not ABSENT
    if (is_taken and not are_new) or builder.is_settled((*spot.path, name)):
        return False
    return builder.could_be(properties.of(name), replace(spot, path=(*spot.path, name)), made)
