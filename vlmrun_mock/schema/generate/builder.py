"""Building one value: choosing the shape of each part, and calling the maker of its kind."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count, islice
from typing import Any, TypeAlias

import msgspec
from msgspec.structs import replace

from vlmrun_mock.schema.generate import arrays, example, numbers, objects, texts
from vlmrun_mock.schema.generate.alternatives import Alternatives, Unions
from vlmrun_mock.schema.generate.budget import COMPILING, DRAW, Budget, Exhausted
from vlmrun_mock.schema.generate.example import ABSENT
from vlmrun_mock.schema.generate.node import Check, Node, Shape, identity, kind_of, same
from vlmrun_mock.schema.generate.words import words_of
from vlmrun_mock.schema.generate.world import World
from vlmrun_mock.schema.references import Place, SchemaProblem, draft
from vlmrun_mock.schema.validation import LoadedSchema

MOST_SHAPES = 48
DEEPEST_ANSWER = 90
MOST_COMPARED = 100  # lists and objects of an `enum` that are drawn from: a validator compares one after the other
LEVELS_A_STEP = 4  # names around a value that are looked at in about the time of a step


class Spot(msgspec.Struct, frozen=True):
    """A place of the answer that needs a value.

    `example` is the example answer's value for it, and `scope` the object of the example that encloses it. `entered`
    counts the references that lead to it. `turn` asks for another value than the first.
    """

    path: Place = ()
    example: object = ABSENT
    scope: Mapping[str, Any] = {}
    entered: Mapping[Place, int] = {}
    turn: int = 0
    alone: bool = True  # whether the answer has no other value beside it
    in_list: bool = False  # whether it is an item of a list, or within one
    named: bool = True  # whether a field may take a value of the example by a synonym


class Choices:
    """The shapes that one list of subschemas may take, found when they are first asked for."""

    def __init__(self, owners: tuple[object, ...], shapes: Iterator[Shape], problems: list[SchemaProblem]) -> None:
        self.owners = owners  # kept, as these choices are known by their identity
        self._shapes = shapes
        self._problems = problems
        self._found: list[tuple[Shape | None, int]] = []  # each with the count of problems met before it

    def shapes(self, problems: list[SchemaProblem]) -> Iterator[Shape]:
        """Yield the shapes, the best first; why others are impossible goes to `problems`."""
        told = 0
        for number in count():
            if number == len(self._found):
                self._found.append((next(self._shapes, None), len(self._problems)))
            shape, met = self._found[number]
            problems += self._problems[told:met]
            told = met
            if shape is None:
                return
            yield shape


class KeptScalar(msgspec.Struct, frozen=True):
    """A scalar that was made at a path, and for what."""

    value: object
    nodes: tuple[Node, ...]
    spot: Spot
    turn: int

    def is_for(self, nodes: Sequence[Node], spot: Spot, turn: int) -> bool:
        """Return whether the value is made for the same again."""
        return (
            self.turn == turn
            and self.spot.example is spot.example
            and self.spot.entered == spot.entered
            and len(self.nodes) == len(nodes)
            and all(
                one.schema is other.schema and one.denied == other.denied
                for one, other in zip(self.nodes, nodes, strict=True)
            )
        )


@dataclass(frozen=True, slots=True)
class AttemptMemory:
    """What the builders of one attempt leave to the next of them.

    `kept` are the scalars that were made, also in earlier attempts, which are made again where nothing else is asked
    for. `turns` says, by path, which of the possible values to take.
    """

    kept: dict[Place, KeptScalar]
    turns: dict[Place, int] = field(default_factory=dict)


class BuiltValue(msgspec.Struct, frozen=True):
    """A value that was made, with the values and the characters in it."""

    value: object
    values: int
    text: int


ChoicesKey: TypeAlias = tuple[int, tuple[tuple[Place, bool, int], ...]]
Key: TypeAlias = tuple[str, tuple[tuple[str, bool], ...]]


class Builder:
    """Builds a value of a schema, unlike those that were `tried` before."""

    def __init__(
        self,
        loaded: LoadedSchema,
        world: World,
        budget: Budget,
        tried: AttemptMemory,
    ) -> None:
        self.world = world
        self.budget = budget
        self.fill_depth = budget.fill_depth  # levels with optional properties
        self.schema_uri = str(loaded.root.get("$schema", ""))
        self.places: dict[Place, Place] = {}  # in the schema, by path in the answer
        self.loaded = loaded
        self._siblings = draft(loaded.root) in {"2019-09", "2020-12"}
        self._turns = tried.turns
        self._kept = tried.kept
        self._made: dict[Key, BuiltValue] = {}
        self._choices: dict[ChoicesKey, Choices] = {}
        self._unions: Unions = {}
        self._entered: dict[tuple[int, tuple[Place, ...]], tuple[Mapping[Place, int], Mapping[Place, int]]] = {}
        self._texts: dict[Place, tuple[Any, str]] = {}

    def is_known(self, nodes: Sequence[Node], path: Place) -> bool:
        """Return whether a value was made before, here or of equal subschemas, which a tight budget gives again."""
        return path in self._kept or self._key(nodes, path) in self._made

    def _key(self, nodes: Sequence[Node], path: Place) -> Key:
        """Return what values have in common that one may stand for the other: the subschemas, and the last word."""
        words = words_of(str(path[-1])) if path and isinstance(path[-1], str) else ()
        word = next((word for word in reversed(words) if not word.isdecimal()), "")
        return word, tuple((self._text(node), node.denied) for node in nodes)

    def _text(self, node: Node) -> str:
        """Return a subschema as text; one with references is known by its place as well."""
        found = self._texts.get(node.place)
        if found is None or found[0] is not node.schema:
            text = json.dumps(node.schema)
            text = f"{node.place} {text}" if '"$' in text and self.loaded.references.has_resources else text
            found = self._texts[node.place] = (node.schema, text)
        return found[1]

    def root(self, base: object) -> object:
        """Build the whole answer."""
        scope = base if isinstance(base, dict) else {}
        found = ABSENT if base is None else base
        return self.build([Node((), self.loaded.root)], Spot(example=found, scope=scope, entered={(): 1}))

    def build(self, nodes: Sequence[Node], spot: Spot) -> object:
        """Build a value that meets all of `nodes`; raises SchemaProblem if none is found."""
        place = nodes[0].place if nodes else ()
        self.budget.value(place)
        self.budget.spend(place, len(spot.path) // LEVELS_A_STEP)
        if len(spot.path) > DEEPEST_ANSWER:
            raise SchemaProblem(place, f"an answer would be nested more than {DEEPEST_ANSWER} levels deep")
        self.places[spot.path] = place
        self.budget.deepest = max(self.budget.deepest, len(spot.path))
        turn = self._turns.get(spot.path, 0) + spot.turn
        kept = self._kept.get(spot.path)
        if kept is not None and kept.is_for(nodes, spot, turn):
            self.budget.write(place, len(kept.value) if isinstance(kept.value, str) else 0)
            return kept.value
        may_repeat = self.budget.is_tight and not turn and spot.example is ABSENT
        if may_repeat and (known := self._made.get(self._key(nodes, spot.path))):
            self.budget.value(place, known.values)
            self.budget.write(place, known.text)
            return known.value
        values, text, drawn = self.budget.values, self.budget.text, self.world.effort + DRAW
        spot = replace(spot, turn=turn) if turn != spot.turn else spot
        problems: list[SchemaProblem] = []
        for shape, variation in self._in_turn(nodes, spot, problems):
            try:
                value = self._make(shape, spot, variation)
            except Exhausted:
                raise
            except SchemaProblem as problem:
                problems.append(problem.with_traceback(None))  # as in Alternatives
            else:
                if self.budget.is_sparing and not turn and spot.example is ABSENT:
                    known = BuiltValue(value, values - self.budget.values, text - self.budget.text)
                    self._made.setdefault(self._key(nodes, spot.path), known)
                if not isinstance(value, dict | list):
                    self.budget.spend(place, max(self.world.effort - drawn, 0))
                    self._kept[spot.path] = KeptScalar(value, tuple(nodes), spot, turn)
                return value
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
        """Yield the shapes; those of a list's items are the same for each item."""
        if not spot.in_list:
            return self._found(nodes, spot.entered, problems)
        key = (id(spot.entered), tuple((node.place, node.denied, id(node.schema)) for node in nodes))
        if key not in self._choices:
            met: list[SchemaProblem] = []
            owners = (spot.entered, *(node.schema for node in nodes))
            self._choices[key] = Choices(owners, self._found(nodes, spot.entered, met), met)
        return self._choices[key].shapes(problems)

    def _found(
        self, nodes: Sequence[Node], entered: Mapping[Place, int], problems: list[SchemaProblem]
    ) -> Iterator[Shape]:
        alternatives = Alternatives(
            self.loaded.references,
            problems,
            siblings=self._siblings,
            entered=entered,
            budget=self.budget,
            unions=self._unions,
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
        return MAKERS[shape.kind](self, shape, self._entering(spot, shape.opened), variation)

    def _entering(self, spot: Spot, opened: tuple[Place, ...]) -> Spot:
        """Return the spot after following references."""
        if not opened:
            return spot
        key = (id(spot.entered), opened)
        if key not in self._entered:
            more = {place: spot.entered.get(place, 0) + 1 for place in opened}
            self._entered[key] = (spot.entered, {**spot.entered, **more})
        return replace(spot, entered=self._entered[key][1])

    def is_settled(self, path: Place) -> bool:
        """Return whether another value than the first was chosen at a path, as the first was invalid."""
        return bool(self._turns.get(path))

    def could_be(self, nodes: Sequence[Node], spot: Spot, value: object) -> bool:
        """Return whether a scalar is valid at a spot."""
        return any(may_be(value) for may_be in self.scalars(nodes, spot))

    def scalars(self, nodes: Sequence[Node], spot: Spot) -> Iterator[Callable[[object], bool]]:
        """Yield, for each shape that a value may take at a spot, what says whether a scalar has that shape."""
        for shape in self._shapes(nodes, spot, []):
            yield partial(_has_shape, shape, self.check(shape), shape.listed)

    def could_hold(self, nodes: Sequence[Node], spot: Spot, value: object) -> bool:
        """Return whether a value of the same kind may be valid at a spot."""
        return any(kind_of(value) in shape.kinds for shape in self._shapes(nodes, spot, []))

    def check(self, shape: Shape) -> Check:
        """Return what says whether a scalar meets the keywords of a shape."""
        found: Check | None = shape.remembered.get(Check)
        if found is None:
            found = shape.remembered[Check] = Check(shape, self.schema_uri)
            self.budget.spend(shape.place, COMPILING if found.compiles else 0)
        return found


def _has_shape(shape: Shape, is_met: Check, listed: frozenset[object] | None, value: object) -> bool:
    is_listed = listed is None or identity(value) in listed
    return kind_of(value) in shape.kinds and is_listed and is_met(value)


def _make_boolean(builder: Builder, shape: Shape, spot: Spot, variation: int) -> bool:
    first = builder.world.subject(spot.path).boolean() is (variation % 2 == 0)
    is_met = builder.check(shape)
    for value in (first, not first):
        if is_met(value):
            return value
    raise SchemaProblem(shape.place, "neither true nor false is allowed")


def _make_null(_builder: Builder, shape: Shape, _spot: Spot, _variation: int) -> None:
    if shape.denied:
        raise SchemaProblem(shape.place, "null is the only value left, and it is forbidden")


def _make_listed(builder: Builder, shape: Shape, spot: Spot, variation: int) -> object:
    """Return one of the values of `enum` and `const`: drawn from the seed, null last."""
    listed = shape.values
    builder.budget.step(shape.place, len(listed) // 16)
    is_met = builder.check(shape)
    has_example = spot.turn == 0 and spot.example is not ABSENT and any(same(spot.example, value) for value in listed)
    if has_example and is_met(spot.example):
        return spot.example
    wanted, drawn = _wanted(shape)
    start = builder.world.subject(spot.path).random().randrange(drawn) if len(wanted) > 1 else 0
    values = [*wanted[start:], *wanted[:start], *(value for value in listed if value is None)]
    first = variation % len(values) if values else 0
    for value in [*values[first:], *values[:first]]:
        builder.budget.step(shape.place)
        if is_met(value):
            return value
    raise SchemaProblem(shape.place_of("enum", "const"), "no value of this list is allowed by the rest")


def _wanted(shape: Shape) -> tuple[list[Any], int]:
    """Return the listed values without null, and how many of them are drawn from."""
    found: tuple[list[Any], int] | None = shape.remembered.get("wanted")
    if found is None:
        wanted = [value for value in shape.values if value is not None]
        is_plain = not any(isinstance(value, dict | list) for value in wanted)
        found = shape.remembered["wanted"] = (wanted, len(wanted) if is_plain else min(len(wanted), MOST_COMPARED))
    return found


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
