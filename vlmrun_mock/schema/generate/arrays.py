"""Lists: the number of items, the schemas of each, and items that differ where they must."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from vlmrun_mock.schema.generate import numbers
from vlmrun_mock.schema.generate.budget import CONTAINER, ITEM, Exhausted
from vlmrun_mock.schema.generate.example import ABSENT
from vlmrun_mock.schema.generate.node import Node, Shape, identity
from vlmrun_mock.schema.references import SchemaProblem

if TYPE_CHECKING:
    from vlmrun_mock.schema.generate.builder import Builder, Spot

FIRST_TURNS = 4
MANY = 300  # different items from which on the first value is not tried again for each item
TOO_MANY = 2_500  # items that are no numbers, of which a list without repeats may have more values than an answer
MOST_TURNS = 24  # attempts at an item that differs from the others, and two more for each of these


@dataclass(frozen=True, slots=True)
class ContainsRule:
    """One `contains`: a list has at least `least` and at most `most` items that meet it."""

    node: Node
    least: int
    most: int | None


@dataclass(slots=True)
class Distinct:
    """The items of a list without repeats, by identity; once few are free, `next` is the first turn that none has."""

    most_first: int  # items from which on the first value is not tried again for each
    met: set[object] = field(default_factory=set)
    next: int = 0

    def turns(self) -> Iterator[int]:
        """Yield which of the possible values to try for an item: the first ones, and where these are taken new ones."""
        first = 0 if len(self.met) > self.most_first else 1 if self.next else FIRST_TURNS
        yield from range(first)
        self.next = max(self.next, first)
        for _ in range(MOST_TURNS + 2 * len(self.met)):
            self.next += 1
            yield self.next - 1

    def add(self, item: object) -> bool:
        """Add an item, and return whether it was not there."""
        before = len(self.met)
        self.met.add(item)
        return len(self.met) > before


def make(builder: Builder, shape: Shape, spot: Spot, variation: int) -> list[Any]:
    """Return a list; raises SchemaProblem if its counts contradict each other or a required item cannot be made."""
    builder.budget.spend(shape.place, CONTAINER)
    found = spot.example if isinstance(spot.example, list) and spot.turn == 0 else []
    contained = [_contained(node) for node, _ in shape.having("contains")]
    least, most = _counts(shape, contained)
    prefix = max((count for _, count in map(_prefix, shape.nodes)), default=0)
    is_nothing = not found and spot.turn == 0 and builder.world.subject(spot.path).is_nothing
    count = least if is_nothing else max(len(found) or _wanted_count(builder, shape, spot, prefix, least), least)
    count = count if most is None else min(count, most)
    assigned = _assigned(contained, count, prefix)
    items: list[Any] = []
    distinct = Distinct(MANY if count <= TOO_MANY else count)
    unique = any(flag is True for _, flag in shape.having("uniqueItems"))
    if unique and not found and not prefix and not assigned:
        listed = _listed(builder, _item_nodes(shape, 0), spot, count)
        if listed:
            return listed
    builder.budget.foresee(shape.place, count * ITEM)
    for index in range(count):
        nodes = [*_item_nodes(shape, index), *assigned.get(index, ())]
        below = replace(
            spot, path=(*spot.path, index), example=_example(spot, found, index), turn=variation >> index, in_list=True
        )
        try:
            items.append(_item(builder, nodes, below, distinct if unique else None))
        except Exhausted:
            raise
        except SchemaProblem:
            if index < least:
                raise
            break
    return items


def _listed(builder: Builder, nodes: list[Node], spot: Spot, count: int) -> list[Any]:
    """Return different items of a list that is too long to look for each of them anew, else nothing.

    They are values of an `enum`, each of which would take a step for 16 of these, and two more; or numbers.
    """
    if count * 2 <= MOST_TURNS:
        return []
    first = replace(spot, path=(*spot.path, 0), example=ABSENT, in_list=True)
    shapes = builder.shapes(nodes, first)
    if len(shapes) != 1:
        return []
    items: list[Any] = []
    values = list({identity(value): value for value in shapes[0].values}.values())
    if values and count * (len(values) // 16 + 2) > builder.budget.steps:
        start = builder.world.subject(spot.path).random().randrange(len(values))
        items = list(islice(filter(builder.check(shapes[0]), [*values[start:], *values[:start]]), count))
    elif shapes[0].kind in {"number", "integer"} and count > MANY:
        items = numbers.several(builder, shapes[0], first, count)
    for _ in items:
        builder.budget.value(shapes[0].place)
    return items if len(items) == count else []


def _item(builder: Builder, nodes: list[Node], spot: Spot, distinct: Distinct | None) -> object:
    """Build an item; with `distinct`, one that is not among those, to which it is added."""
    if distinct is None:
        return builder.build(nodes, spot)
    for turn in distinct.turns():
        item = builder.build(nodes, replace(spot, turn=spot.turn + turn))
        if distinct.add(identity(item)):
            return item
    raise SchemaProblem(
        nodes[0].place if nodes else (), "there are not enough different items for a list without repeats"
    )


def _example(spot: Spot, found: list[Any], index: int) -> object:
    """Return the example's item, or the whole example where the schema wraps it in a list."""
    if index < len(found):
        return found[index]
    return spot.scope if index == 0 and _wraps(spot) else ABSENT


def _wraps(spot: Spot) -> bool:
    """Return whether the list is alone in the answer, so that its item corresponds to the whole example."""
    return bool(spot.scope) and spot.alone and not isinstance(spot.example, list)


def _contained(node: Node) -> ContainsRule:
    least, most = node.schema.get("minContains", 1), node.schema.get("maxContains")
    return ContainsRule(node.child("contains"), int(least), None if most is None else int(most))


def _counts(shape: Shape, contained: list[ContainsRule]) -> tuple[int, int | None]:
    least = max([shape.most("minItems"), *(one.least for one in contained)])
    most = shape.least("maxItems")
    if most is not None and least > most:
        place = shape.place_of("minItems", "contains", "maxItems")
        raise SchemaProblem(place, f"no list has {least} and at most {most}")
    for one in contained:
        if one.most is not None and one.least > one.most:
            raise SchemaProblem((*one.node.place[:-1], "minContains"), "minContains is above maxContains")
    return least, most


def _wanted_count(builder: Builder, shape: Shape, spot: Spot, prefix: int, least: int) -> int:
    """Return the number of items, bounds aside, of a list for which the example has none."""
    if len(spot.path) > builder.fill_depth or builder.budget.is_tight:
        return least
    if prefix:
        return prefix
    if _wraps(spot):
        return 1
    if _is_box(builder, shape, spot):
        return len("xywh")
    recursing = any(count > 1 for count in spot.entered.values())
    return 2 if recursing else builder.world.subject(spot.path).random("count").choice([2, 3])


def _is_box(builder: Builder, shape: Shape, spot: Spot) -> bool:
    """Return whether the list holds the numbers of one box, by its name."""
    words = builder.world.subject(spot.path).words
    named = words[-1:] in (("bbox",), ("xywh",)) or words[-2:] == ("bounding", "box")
    items = [items for _, items in shape.having("items") if isinstance(items, dict)]
    return named and any(one.get("type") in {"number", "integer"} for one in items)


def _assigned(contained: list[ContainsRule], count: int, prefix: int) -> dict[int, list[Node]]:
    """Return, by index, which `contains` an item must meet, and which it must not because enough others do."""
    order = [*range(prefix, count), *range(min(prefix, count))]
    assigned: dict[int, list[Node]] = {}
    for one in contained:
        for index in order[: one.least]:
            assigned.setdefault(index, []).append(one.node)
        for index in order[one.least :] if one.most is not None else ():
            assigned.setdefault(index, []).append(replace(one.node, denied=True))
    return assigned


def _prefix(node: Node) -> tuple[str, int]:
    """Return the keyword for the schemas of the first items, `items` before 2020-12, and their number."""
    for keyword in ("prefixItems", "items"):
        if isinstance(node.schema.get(keyword), list):
            return keyword, len(node.schema[keyword])
    return "prefixItems", 0


def _item_nodes(shape: Shape, index: int) -> list[Node]:
    nodes: list[Node] = []
    evaluated = False
    for node in shape.nodes:
        keyword, first = _prefix(node)
        rest = "additionalItems" if isinstance(node.schema.get("items"), list) else "items"
        if index < first:
            nodes.append(node.child(keyword, index))
        elif rest in node.schema:
            nodes.append(node.child(rest))
        evaluated = evaluated or index < first or rest in node.schema
    if not evaluated:
        nodes += [node.child("unevaluatedItems") for node, _ in shape.having("unevaluatedItems")]
    return nodes
