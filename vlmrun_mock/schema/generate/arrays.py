"""Lists: how many items, which schema holds for each, and that they differ when they must."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from vlmrun_mock.schema.generate.budget import Exhausted
from vlmrun_mock.schema.generate.example import ABSENT
from vlmrun_mock.schema.generate.node import Node, Shape, canonical
from vlmrun_mock.schema.references import SchemaProblem

if TYPE_CHECKING:
    from vlmrun_mock.schema.generate.builder import Builder, Spot

MOST_TURNS = 24  # how often an item is made again because it was there already, and twice for each there


@dataclass(frozen=True, slots=True)
class Contained:
    """One `contains`: a list needs `least` items that meet it and takes no more than `most`."""

    node: Node
    least: int
    most: int | None


def make(builder: Builder, shape: Shape, spot: Spot, variation: int) -> list[Any]:
    """Return a list; raises SchemaProblem when its counts or its items cannot be met."""
    found = spot.example if isinstance(spot.example, list) and spot.turn == 0 else []
    contained = [_contained(node) for node, _ in shape.having("contains")]
    least, most = _counts(shape, contained)
    wanted = _wanted_count(builder, shape, spot, found, least)
    assigned = _assigned(shape, contained, max(wanted, least), most)
    items: list[Any] = []
    met: set[str] = set()
    unique = any(flag is True for _, flag in shape.having("uniqueItems"))
    for index in range(min(max(wanted, least), most) if most is not None else max(wanted, least)):
        nodes = [*_item_nodes(shape, index), *assigned.get(index, ())]
        below = replace(spot, path=(*spot.path, index), example=_example(spot, found, index), turn=variation >> index)
        try:
            items.append(_item(builder, nodes, below, met if unique else None))
        except Exhausted:
            raise
        except SchemaProblem:
            if index < least:
                raise
            break
    return items


def _item(builder: Builder, nodes: list[Node], spot: Spot, met: set[str] | None) -> object:
    """Build an item; with `met`, one that is not among those met, which it joins."""
    if met is None:
        return builder.build(nodes, spot)
    for turn in range(spot.turn, spot.turn + MOST_TURNS + 2 * len(met)):
        item = builder.build(nodes, replace(spot, turn=turn))
        if canonical(item) not in met:
            met.add(canonical(item))
            return item
    raise SchemaProblem(
        nodes[0].place if nodes else (), "there are not enough different items for a list without repeats"
    )


def _example(spot: Spot, found: list[Any], index: int) -> object:
    """Return the example's item, or at the top the whole example where the schema wraps it in a list."""
    if index < len(found):
        return found[index]
    return spot.scope if index == 0 and _wraps(spot) else ABSENT


def _wraps(spot: Spot) -> bool:
    """Say whether the list stands where the example answer itself would, alone in the answer."""
    return bool(spot.scope) and spot.alone and not isinstance(spot.example, list)


def _contained(node: Node) -> Contained:
    most = node.schema.get("maxContains")
    return Contained(
        node.child("contains"), int(node.schema.get("minContains", 1)), None if most is None else int(most)
    )


def _counts(shape: Shape, contained: list[Contained]) -> tuple[int, int | None]:
    least = max([shape.most("minItems"), *(one.least for one in contained)])
    most = shape.least("maxItems")
    if most is not None and least > most:
        raise SchemaProblem(
            shape.place_of("minItems", "contains", "maxItems"), f"no list has {least} and at most {most}"
        )
    for one in contained:
        if one.most is not None and one.least > one.most:
            raise SchemaProblem((*one.node.place[:-1], "minContains"), "minContains is above maxContains")
    return least, most


def _wanted_count(builder: Builder, shape: Shape, spot: Spot, found: list[Any], least: int) -> int:
    prefix = max((count for _, count in map(_prefix, shape.nodes)), default=0)
    if found:
        return len(found)
    if len(spot.path) > builder.fill_depth:
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
    """Say whether the list holds the numbers of one box, by its name."""
    words = builder.world.subject(spot.path).words
    named = words[-1:] in (("bbox",), ("xywh",)) or words[-2:] == ("bounding", "box")
    items = [items for _, items in shape.having("items") if isinstance(items, dict)]
    return named and any(one.get("type") in {"number", "integer"} for one in items)


def _assigned(shape: Shape, contained: list[Contained], count: int, most: int | None) -> dict[int, list[Node]]:
    """Say which items meet which `contains`, and which must not since enough of them do."""
    size = count if most is None else min(count, most)
    prefix = max((count for _, count in map(_prefix, shape.nodes)), default=0)
    order = [*range(prefix, size), *range(min(prefix, size))]
    assigned: dict[int, list[Node]] = {}
    for one in contained:
        for index in order[: one.least]:
            assigned.setdefault(index, []).append(one.node)
        for index in order[one.least :] if one.most is not None else ():
            assigned.setdefault(index, []).append(replace(one.node, denied=True))
    return assigned


def _prefix(node: Node) -> tuple[str, int]:
    """Return where the schemas of the first items are, and for how many items: before 2020-12 it was `items`."""
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
