"""Believable values that meet a JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from vlmrun_mock.schema.generate.budget import Budget, Exhausted
from vlmrun_mock.schema.generate.builder import Builder
from vlmrun_mock.schema.generate.size import check_size
from vlmrun_mock.schema.generate.world import World
from vlmrun_mock.schema.references import Place, SchemaProblem
from vlmrun_mock.schema.validation import LoadedSchema, Violation, load

if TYPE_CHECKING:
    from vlmrun_mock.seed import Seed

__all__ = ["generate"]

MOST_ATTEMPTS = 40
MOST_TURNS = 12  # values tried at one place before the choice above it is blamed
EVERYTHING = 1_000
FILL_DEPTHS = ((EVERYTHING, 1.0), (3, 0.3), (1, 0.3))  # levels on which optional properties are filled, and budget


def generate(schema: Mapping[str, Any], *, seed: Seed, facts: Sequence[str] = (), base: object = None) -> object:
    """Return a JSON value that meets `schema`, the same for the same seed, facts and base.

    `base` is an example answer of the same kind of document: a field takes the value that has its name there, if
    that meets the field's schema. Raises SchemaProblem, naming the place, when the schema is none or cannot be met.
    """
    loaded = load(schema)
    world = World(seed, tuple(facts))
    try:
        check_size(loaded.references)
        return _filled(loaded, world, base)
    except SchemaProblem as problem:
        raise SchemaProblem(_written(loaded.root, problem.place), problem.message) from problem
    except RecursionError as error:
        raise SchemaProblem((), "its parts are nested too deeply in each other") from error


def _filled(loaded: LoadedSchema, world: World, base: object) -> object:
    """Return a value with all optional properties or, where that is too large, with some levels of them."""
    for fill_depth, share in FILL_DEPTHS[:-1]:
        try:
            return _attempts(loaded, world, Budget(share), fill_depth, base)
        except Exhausted:
            continue
    return _attempts(loaded, world, Budget(FILL_DEPTHS[-1][1]), FILL_DEPTHS[-1][0], base)


def _attempts(loaded: LoadedSchema, world: World, budget: Budget, fill_depth: int, base: object) -> object:
    """Build and validate; where the result is invalid, choose anew as long as the budget lasts."""
    turns: dict[Place, int] = {}
    for _ in range(MOST_ATTEMPTS):
        builder = Builder(loaded, world, budget, turns, fill_depth)
        value = builder.root(base)
        wrong = loaded.violations(value)
        if not wrong:
            return value
        for path in {_built(builder, violation.place) for violation in wrong}:
            _turn(turns, path)
    raise SchemaProblem(builder.places[_built(builder, wrong[0].place)], _reason(wrong[0]))


def _built(builder: Builder, path: Place) -> Place:
    """Return the path, or the nearest around it where a choice was made."""
    while path not in builder.places:
        path = path[:-1]
    return path


def _turn(turns: dict[Place, int], path: Place) -> None:
    while path and turns.get(path, 0) >= MOST_TURNS:
        turns[path] = 0
        path = path[:-1]
    turns[path] = turns.get(path, 0) + 1


def _reason(violation: Violation) -> str:
    return f"no value was found that meets it: {violation.message}"


def _written(root: Any, place: Place) -> Place:
    """Return the part of a place that the schema spells out; a schema derived from `not` has no place of its own."""
    for end, key in enumerate(place):
        keys: Any = root if isinstance(root, dict) else range(len(root)) if isinstance(root, list) else ()
        if key not in keys:
            return place[:end]
        root = root[key]
    return place
