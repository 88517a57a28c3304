"""Objects: the names of their properties, the schemas of each, and sums that add up."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from vlmrun_mock.schema.generate.budget import Exhausted
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
KEYS = ("standard", "express", "north", "south", "primary", "secondary", "spring", "autumn", "first", "second")


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
    plan = _plan(builder, shape, spot)
    scope, named = spot.scope, True
    if isinstance(spot.example, dict):
        scope = spot.example
    elif any(isinstance(key, int) for key in spot.path):  # an item of a list that the example lacks
        scope = {} if is_line(_declared(shape)) else scope  # what the document's fields hold is no line's
        named = False  # synonyms would give all items the same values
    alone = not spot.path and len(_declared(shape)) == 1
    inside = replace(spot, scope=scope, example=ABSENT, turn=0, alone=alone, named=named)
    value: dict[str, Any] = {}
    for index, name in enumerate(plan.required):
        value[name] = _property(builder, shape, replace(inside, turn=variation >> index), name)
    for index, name in enumerate(plan.optional, len(plan.required)):
        if plan.most is None or len(value) < plan.most:
            _try_property(builder, shape, replace(inside, turn=variation >> index), name, value)
    for name in _new_names(builder, shape, inside, plan, value):
        _try_property(builder, shape, inside, name, value)
    if len(value) < plan.least:
        raise SchemaProblem(shape.place_of("minProperties"), f"an object cannot get {plan.least} properties here")
    ordered = {name: value[name] for name in [*_declared(shape), *value] if name in value}
    lines = lines_of(ordered)
    are_new = lines is not None and not isinstance(_found(builder, shape, inside, lines), list)
    places = builder.world.locale.places
    balance(ordered, lambda name, number: _may_be(builder, shape, inside, name, number, are_new=are_new), places)
    _agree_on_age(builder, shape, inside, ordered)
    _agree_on_name(builder, shape, inside, ordered)
    return ordered


def _agree_on_name(builder: Builder, shape: Shape, spot: Spot, value: dict[str, Any]) -> None:
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
    if rest != name and rest.strip() and _may_be(builder, shape, spot, whole, rest.strip(), are_new=False):
        value[whole] = rest.strip()


def _agree_on_age(builder: Builder, shape: Shape, spot: Spot, value: dict[str, Any]) -> None:
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
        if _may_be(builder, shape, spot, name, years, are_new=False):
            value[name] = years


def _plan(builder: Builder, shape: Shape, spot: Spot) -> Plan:
    required = _required(shape)
    most = shape.least("maxProperties")
    if most is not None and len(required) > most:
        raise SchemaProblem(shape.place_of("maxProperties"), f"{len(required)} properties are required, {most} allowed")
    optional = [name for name in _declared(shape) if name not in set(required)]
    if isinstance(spot.example, dict):
        others = [name for name in spot.example if name not in {*optional, *required}]
        if not required and not optional:
            optional = list(spot.example)
        if any(shape.having("patternProperties")):
            optional += [name for name in others if any(any(_own_nodes(builder, node, name)) for node in shape.nodes)]
    if len(spot.path) >= builder.fill_depth:
        optional = []
    allowed = [name for name in optional if _forbidden(builder, shape, name, spot) is None]
    return Plan(required, allowed, shape.most("minProperties"), most)


def _declared(shape: Shape) -> list[str]:
    names = (name for _, properties in shape.having("properties") for name in properties)
    return list(dict.fromkeys(names))


def _required(shape: Shape) -> list[str]:
    """Return the required names, and those that these require in turn."""
    found = dict.fromkeys(name for _, names in shape.having("required") if isinstance(names, list) for name in names)
    needs = [*shape.having("dependentRequired"), *shape.having("dependencies")]
    waiting = [*found, *(name for name in _declared(shape) if any(name in table for _, table in needs))]
    known = set(waiting)
    while waiting:
        name = waiting.pop()
        new = [other for _, table in needs if isinstance(table.get(name), list) for other in table[name]]
        found.update(dict.fromkeys(new))
        waiting += [other for other in new if other not in known]
        known.update(new)
    return list(found)


def _nodes(builder: Builder, shape: Shape, name: str) -> list[Node]:
    """Return the schemas of the property with that name."""
    nodes: list[Node] = []
    evaluated = False
    for node in shape.nodes:
        own = list(_own_nodes(builder, node, name))
        if not own and "additionalProperties" in node.schema:
            own = [node.child("additionalProperties")]
        nodes += own
        evaluated = evaluated or bool(own)
    if not evaluated:
        nodes += [node.child("unevaluatedProperties") for node, _ in shape.having("unevaluatedProperties")]
    return nodes


def _own_nodes(builder: Builder, node: Node, name: str) -> Iterator[Node]:
    """Yield the schemas that one subschema declares for a property, by its name or by a pattern."""
    if name in node.schema.get("properties", {}):
        yield node.child("properties", name)
    for pattern in node.schema.get("patternProperties", {}):
        builder.budget.step(node.place)
        if builder.accepts(Shape(nodes=(node.made({"pattern": pattern}),)), name):
            yield node.child("patternProperties", pattern)


def _forbidden(builder: Builder, shape: Shape, name: str, spot: Spot) -> Place | None:
    """Return the place of the schema that forbids a property with that name, or None."""
    for node in _nodes(builder, shape, name):
        if node.schema is False:
            return node.place
    for node, _ in shape.having("propertyNames"):
        if not builder.could_be([node.child("propertyNames")], spot, name):
            return (*node.place, "propertyNames")
    return None


def _property(builder: Builder, shape: Shape, spot: Spot, name: str) -> object:
    place = _forbidden(builder, shape, name, spot)
    if place is not None:
        raise SchemaProblem(place, f"property {name!r:.80} is required, and forbidden")
    found = _found(builder, shape, spot, name)
    return builder.build(_nodes(builder, shape, name), replace(spot, path=(*spot.path, name), example=found))


def _found(builder: Builder, shape: Shape, spot: Spot, name: str) -> object:
    """Return the example's value for a property, by its name or by a synonym that fits its kind, or ABSENT."""
    found = find(spot.scope, name)
    if found is not ABSENT or not spot.named or not spot.scope:
        return found
    nodes = _nodes(builder, shape, name)
    return next((value for value in synonyms(spot.scope, name) if builder.could_hold(nodes, spot, value)), ABSENT)


def _try_property(builder: Builder, shape: Shape, spot: Spot, name: str, value: dict[str, Any]) -> None:
    try:
        value[name] = _property(builder, shape, spot, name)
    except Exhausted:
        raise
    except SchemaProblem:
        return  # such as one more level of a recursion


def _new_names(builder: Builder, shape: Shape, spot: Spot, plan: Plan, value: dict[str, Any]) -> Iterator[str]:
    """Yield names that the schema does not declare, until the object has enough properties."""
    wanted = plan.least
    if not plan.required and not plan.optional and not _is_empty(shape):
        wanted = max(plan.least, FREE_KEYS if len(spot.path) < builder.fill_depth else 0)
    wanted = wanted if plan.most is None else min(wanted, plan.most)
    tried = 0
    while len(value) < wanted and tried < wanted + MOST_KEYS_TRIED:
        name = _invented(builder, shape, spot, tried)
        tried += 1
        if name not in value and _forbidden(builder, shape, name, spot) is None:
            yield name


def _is_empty(shape: Shape) -> bool:
    """Return whether the schema asks for an empty object: `properties` is empty, and it declares no others."""
    others = [value for word in ("additionalProperties", "patternProperties") for _, value in shape.having(word)]
    return any(shape.having("properties")) and not any(others)


def _invented(builder: Builder, shape: Shape, spot: Spot, number: int) -> str:
    """Return a name that meets `propertyNames` or a pattern of `patternProperties`, or else a plain word."""
    rules = [node.child("propertyNames") for node, _ in shape.having("propertyNames")]
    patterns = [
        node.made({"pattern": pattern}) for node, table in shape.having("patternProperties") for pattern in table
    ]
    builder.budget.step(shape.place, len(patterns))
    if not rules and patterns:
        rules = [patterns[number % len(patterns)]]
    if rules:
        label = replace(spot, path=(*spot.path, "label"), example=ABSENT, turn=number)
        return str(builder.build([rules[0].made({"type": "string"}), *rules], label))
    start = builder.world.subject(spot.path).random("keys").randrange(len(KEYS))
    return KEYS[(start + number) % len(KEYS)] + (f"_{number // len(KEYS) + 1}" if number >= len(KEYS) else "")


def _may_be(builder: Builder, shape: Shape, spot: Spot, name: str, made: object, *, are_new: bool) -> bool:
    """Return whether a computed value may replace another; one of the example only if the lines are new."""
    is_taken = _found(builder, shape, spot, name) is not ABSENT
    if (is_taken and not are_new) or builder.is_settled((*spot.path, name)):
        return False
    return builder.could_be(_nodes(builder, shape, name), replace(spot, path=(*spot.path, name)), made)
