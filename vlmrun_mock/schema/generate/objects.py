"""Objects: which properties they have, which schemas hold for each, and that their sums add up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from vlmrun_mock.schema.generate.budget import Exhausted
from vlmrun_mock.schema.generate.example import ABSENT, find, synonyms
from vlmrun_mock.schema.generate.node import Node, Shape
from vlmrun_mock.schema.generate.sums import balance, is_line, lines_of
from vlmrun_mock.schema.references import Place, SchemaProblem

if TYPE_CHECKING:
    from vlmrun_mock.schema.generate.builder import Builder, Spot

MOST_KEYS_TRIED = 8
FREE_KEYS = 2
KEYS = ("standard", "express", "north", "south", "primary", "secondary", "spring", "autumn", "first", "second")


@dataclass(frozen=True, slots=True)
class Plan:
    """The names of an object's properties: `required` must be there, `optional` are left out one by one."""

    required: list[str]
    optional: list[str]
    least: int
    most: int | None


def make(builder: Builder, shape: Shape, spot: Spot, variation: int) -> dict[str, Any]:
    """Return an object; raises SchemaProblem when a property that must be there cannot be made.

    Another variation varies the properties like the digits of a binary number, so that each mix is met.
    """
    plan = _plan(builder, shape, spot)
    scope = _scope(shape, spot)
    alone = not spot.path and len(_declared(shape)) == 1
    inside = replace(spot, scope=scope, example=ABSENT, turn=0, alone=alone, named=_is_named(spot))
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
    balance(ordered, lambda name, number: _may_be(builder, shape, inside, name, number, are_new=are_new))
    return ordered


def _scope(shape: Shape, spot: Spot) -> Mapping[str, Any]:
    """Return the example's object: what it says of the whole document does not hold for a line that it lacks."""
    if isinstance(spot.example, dict):
        return spot.example
    return {} if _is_listed(spot) and is_line(_declared(shape)) else spot.scope


def _is_named(spot: Spot) -> bool:
    """Say whether other names for the same are looked for: each item of a list that the example lacks would agree."""
    return isinstance(spot.example, dict) or not _is_listed(spot)


def _is_listed(spot: Spot) -> bool:
    return any(isinstance(key, int) for key in spot.path)


def _plan(builder: Builder, shape: Shape, spot: Spot) -> Plan:
    required = _required(shape)
    most = shape.least("maxProperties")
    if most is not None and len(required) > most:
        raise SchemaProblem(shape.place_of("maxProperties"), f"{len(required)} properties are required, {most} allowed")
    optional = [name for name in _declared(shape) if name not in set(required)]
    if isinstance(spot.example, dict) and not required and not optional:
        optional = [name for name in spot.example if isinstance(name, str)]
    optional += _patterned(builder, shape, spot)
    if len(spot.path) >= builder.fill_depth:
        optional = []
    return Plan(
        required, [name for name in optional if _is_free(builder, shape, name, spot)], shape.most("minProperties"), most
    )


def _patterned(builder: Builder, shape: Shape, spot: Spot) -> list[str]:
    """Return the names of the example's properties that only a pattern declares."""
    if not isinstance(spot.example, dict) or not any(True for _ in shape.having("patternProperties")):
        return []
    names = set(spot.example) - {*_declared(shape), *_required(shape)}
    return [
        name
        for name in spot.example
        if name in names and any(True for node in shape.nodes for _ in _own_nodes(builder, node, name))
    ]


def _declared(shape: Shape) -> list[str]:
    names = (name for _, properties in shape.having("properties") for name in properties)
    return list(dict.fromkeys(names))


def _required(shape: Shape) -> list[str]:
    """Return the required names, and those that they require in turn."""
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
    """Return the schemas that hold for the property of that name."""
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
    if name in node.schema.get("properties", {}):
        yield node.child("properties", name)
    for pattern in node.schema.get("patternProperties", {}):
        builder.budget.step(node.place)
        if builder.accepts(Shape(nodes=(node.made({"pattern": pattern}),)), name):
            yield node.child("patternProperties", pattern)


def _is_free(builder: Builder, shape: Shape, name: str, spot: Spot) -> bool:
    return _forbidden(builder, shape, name, spot) is None


def _forbidden(builder: Builder, shape: Shape, name: str, spot: Spot) -> Place | None:
    """Return the place of what forbids a property of that name, or None."""
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
    """Return what the example has for the property of that name, or a value of a kind that it may have; else ABSENT."""
    found = find(spot.scope, name)
    if found is not ABSENT or not spot.named:
        return found
    nodes = _nodes(builder, shape, name)
    return next((value for value in synonyms(spot.scope, name) if builder.could_hold(nodes, spot, value)), ABSENT)


def _try_property(builder: Builder, shape: Shape, spot: Spot, name: str, value: dict[str, Any]) -> None:
    try:
        value[name] = _property(builder, shape, spot, name)
    except Exhausted:
        raise
    except SchemaProblem:
        return  # what cannot be made, such as one more level of a recursion, is left out


def _new_names(builder: Builder, shape: Shape, spot: Spot, plan: Plan, value: dict[str, Any]) -> Iterator[str]:
    """Yield names that the schema does not give, until enough of them have been used."""
    wanted = plan.least
    if not plan.required and not plan.optional and not _closed(shape):
        wanted = max(plan.least, FREE_KEYS if len(spot.path) < builder.fill_depth else 0)
    wanted = wanted if plan.most is None else min(wanted, plan.most)
    tried = 0
    while len(value) < wanted and tried < wanted + MOST_KEYS_TRIED:
        name = _invented(builder, shape, spot, tried)
        tried += 1
        if name not in value and _is_free(builder, shape, name, spot):
            yield name


def _closed(shape: Shape) -> bool:
    """Say whether the object is declared to have no property: an empty one is what is asked for."""
    declares_none = any(True for _ in shape.having("properties"))
    opens = [value for word in ("additionalProperties", "patternProperties") for _, value in shape.having(word)]
    return declares_none and not any(value is True or (isinstance(value, dict) and value) for value in opens)


def _invented(builder: Builder, shape: Shape, spot: Spot, number: int) -> str:
    """Return a name by `propertyNames`, by a pattern of `patternProperties`, or a plain word."""
    rules = [node.child("propertyNames") for node, _ in shape.having("propertyNames")]
    patterns = [
        node.made({"pattern": pattern}) for node, table in shape.having("patternProperties") for pattern in table
    ]
    builder.budget.step(shape.place, len(patterns))
    if not rules and patterns:
        rules = [patterns[number % len(patterns)]]
    if rules:
        path = (*spot.path, "label")
        name = builder.build(
            [Node(rules[0].place, {"type": "string"}), *rules],
            replace(spot, path=path, example=ABSENT, turn=number),
        )
        return str(name)
    start = builder.world.subject(spot.path).random("keys").randrange(len(KEYS))
    return KEYS[(start + number) % len(KEYS)] + (f"_{number // len(KEYS) + 1}" if number >= len(KEYS) else "")


def _may_be(builder: Builder, shape: Shape, spot: Spot, name: str, number: float, *, are_new: bool) -> bool:
    """Say whether a number that adds up may take the place of another: of the example's only where lines are new."""
    is_taken = _found(builder, shape, spot, name) is not ABSENT
    if (is_taken and not are_new) or builder.is_settled((*spot.path, name)):
        return False
    return builder.could_be(_nodes(builder, shape, name), replace(spot, path=(*spot.path, name)), number)
