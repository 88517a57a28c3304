"""Building one value: choosing the shape of each part, and calling the maker of its kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from vlmrun_mock.schema.generate import arrays, example, numbers, objects, texts
from vlmrun_mock.schema.generate.alternatives import Alternatives
from vlmrun_mock.schema.generate.budget import Budget, Exhausted
from vlmrun_mock.schema.generate.example import ABSENT
from vlmrun_mock.schema.generate.node import Node, Shape, kind_of, same
from vlmrun_mock.schema.generate.world import World
from vlmrun_mock.schema.references import Place, SchemaProblem, draft
from vlmrun_mock.schema.validation import LoadedSchema

MOST_SHAPES = 48
DEEPEST_ANSWER = 90


@dataclass(frozen=True, slots=True)
class Spot:
    """A place of the answer that needs a value.

    `example` is the example answer's value for it, and `scope` the object of the example that encloses it. `entered`
    counts the references that lead to it. `turn` asks for another value than the first.
    """

    path: Place = ()
    example: object = ABSENT
    scope: Mapping[str, Any] = field(default_factory=dict)
    entered: Mapping[Place, int] = field(default_factory=dict)
    turn: int = 0
    alone: bool = True  # whether the answer has no other value beside it
    named: bool = True  # whether a field may take a value of the example by a synonym

    def entering(self, opened: Sequence[Place]) -> Spot:
        """Return the spot after following references."""
        if not opened:
            return self
        return replace(self, entered={**self.entered, **{place: self.entered.get(place, 0) + 1 for place in opened}})


class Builder:
    """Builds a value of a schema; `turns` holds, by path, which of the possible values to take."""

    def __init__(
        self, loaded: LoadedSchema, world: World, budget: Budget, turns: Mapping[Place, int], fill_depth: int
    ) -> None:
        self.world = world
        self.budget = budget
        self.fill_depth = fill_depth  # levels with optional properties
        self.schema_uri = str(loaded.root.get("$schema", ""))
        self.places: dict[Place, Place] = {}  # in the schema, by path in the answer
        self._loaded = loaded
        self._siblings = draft(loaded.root) in {"2019-09", "2020-12"}
        self._turns = turns

    def root(self, base: object) -> object:
        """Build the whole answer."""
        scope = base if isinstance(base, dict) else {}
        found = ABSENT if base is None else base
        return self.build([Node((), self._loaded.root)], Spot(example=found, scope=scope, entered={(): 1}))

    def build(self, nodes: Sequence[Node], spot: Spot) -> object:
        """Build a value that meets all of `nodes`; raises SchemaProblem if none is found."""
        place = nodes[0].place if nodes else ()
        self.budget.value(place)
        if len(spot.path) > DEEPEST_ANSWER:
            raise SchemaProblem(place, f"an answer would be nested more than {DEEPEST_ANSWER} levels deep")
        self.places[spot.path] = place
        turn = self._turns.get(spot.path, 0) + spot.turn
        spot = replace(spot, turn=turn) if turn != spot.turn else spot
        problems: list[SchemaProblem] = []
        for shape, variation in self._in_turn(nodes, spot, problems):
            try:
                return self._make(shape, spot, variation)
            except Exhausted:
                raise
            except SchemaProblem as problem:
                problems.append(problem)
        raise problems[0] if problems else SchemaProblem(place, "its parts contradict each other")

    def _in_turn(self, nodes: Sequence[Node], spot: Spot, problems: list[SchemaProblem]) -> Iterator[tuple[Shape, int]]:
        """Yield the shapes from the spot's turn on, each with the number of its variation."""
        shapes = self._shapes(nodes, spot, problems)
        if spot.turn == 0 and spot.example is ABSENT and self.world.subject(spot.path).is_nothing:
            # What is wrong is nothing in a good answer: null, where that is allowed, or an empty list.
            shapes = iter(sorted(shapes, key=lambda shape: shape.kind != "null"))
        if spot.turn == 0 and spot.example is ABSENT:
            yield from ((shape, 0) for shape in shapes)
            return
        listed = list(shapes)
        if spot.example is not ABSENT:
            listed.sort(key=lambda shape: self._distance(shape, spot.example))
        for offset in range(len(listed)):
            variation, index = divmod(spot.turn + offset, len(listed))
            yield listed[index], variation

    def _shapes(self, nodes: Sequence[Node], spot: Spot, problems: list[SchemaProblem]) -> Iterator[Shape]:
        alternatives = Alternatives(
            self._loaded.references, problems, siblings=self._siblings, entered=spot.entered, budget=self.budget
        )
        return islice(alternatives.shapes(nodes), MOST_SHAPES)

    def shapes(self, nodes: Sequence[Node], spot: Spot) -> list[Shape]:
        """Return the shapes that a value may take at a spot, the best first."""
        return list(self._shapes(nodes, spot, []))

    def _distance(self, shape: Shape, value: object) -> int:
        """Return 0 if a shape takes the example's value unchanged, 1 if in another type, 2 if not at all."""
        if isinstance(value, dict | list):
            return 0 if shape.kind == kind_of(value) else 2
        found = example.converted(shape, value, self.schema_uri)
        if found is ABSENT:
            return 2
        return 0 if kind_of(found) == kind_of(value) else 1

    def _make(self, shape: Shape, spot: Spot, variation: int) -> object:
        if spot.turn == 0 and spot.example is not ABSENT and not isinstance(spot.example, dict | list):
            value = example.converted(shape, spot.example, self.schema_uri)
            if value is not ABSENT and (value is not None or shape.kind == "null"):
                return value
        return MAKERS[shape.kind](self, shape, spot.entering(shape.opened), variation)

    def is_settled(self, path: Place) -> bool:
        """Return whether another value than the first was chosen at a path, as the first was invalid."""
        return bool(self._turns.get(path))

    def could_be(self, nodes: Sequence[Node], spot: Spot, value: object) -> bool:
        """Return whether a scalar is valid at a spot."""
        shapes = (shape for shape in self._shapes(nodes, spot, []) if kind_of(value) in shape.kinds)
        return any(self.accepts(shape, value) and shape.lists(value) for shape in shapes)

    def could_hold(self, nodes: Sequence[Node], spot: Spot, value: object) -> bool:
        """Return whether a value of the same kind may be valid at a spot."""
        return any(kind_of(value) in shape.kinds for shape in self._shapes(nodes, spot, []))

    def accepts(self, shape: Shape, value: object) -> bool:
        """Return whether a scalar meets a shape."""
        return shape.accepts(value, self.schema_uri)


def _make_boolean(builder: Builder, shape: Shape, spot: Spot, variation: int) -> bool:
    first = builder.world.subject(spot.path).boolean() is (variation % 2 == 0)
    for value in (first, not first):
        if builder.accepts(shape, value):
            return value
    raise SchemaProblem(shape.place, "neither true nor false is allowed")


def _make_null(_builder: Builder, shape: Shape, _spot: Spot, _variation: int) -> None:
    if shape.denied:
        raise SchemaProblem(shape.place, "null is the only value left, and it is forbidden")


def _make_listed(builder: Builder, shape: Shape, spot: Spot, variation: int) -> object:
    """Return one of the values of `enum` and `const`: drawn from the seed, null last."""
    listed = shape.allowed() or []
    builder.budget.step(shape.place, len(listed) // 16)
    has_example = spot.turn == 0 and spot.example is not ABSENT and any(same(spot.example, value) for value in listed)
    if has_example and builder.accepts(shape, spot.example):
        return spot.example
    wanted = [value for value in listed if value is not None]
    start = builder.world.subject(spot.path).random().randrange(len(wanted)) if wanted else 0
    values = [*wanted[start:], *wanted[:start], *(value for value in listed if value is None)]
    first = variation % len(values) if values else 0
    for value in [*values[first:], *values[:first]]:
        builder.budget.step(shape.place)
        if builder.accepts(shape, value):
            return value
    raise SchemaProblem(shape.place_of("enum", "const"), "no value of this list is allowed by the rest")


MAKERS: dict[str, Callable[[Builder, Shape, Spot, int], object]] = {
    "listed": _make_listed,
    "object": objects.make,
    "array": arrays.make,
    "string": texts.make,
    "number": numbers.make,
    "integer": numbers.make,
    "boolean": _make_boolean,
    "null": _make_null,
}
