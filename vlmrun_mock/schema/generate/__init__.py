"""Believable values that meet a JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from vlmrun_mock.schema.generate import locales
from vlmrun_mock.schema.generate.budget import ITEM, MOST_EFFORT, SUBSCHEMA, Budget, Exhausted
from vlmrun_mock.schema.generate.builder import AttemptMemory, Builder, KeptScalar
from vlmrun_mock.schema.generate.size import check_size
from vlmrun_mock.schema.generate.world import World
from vlmrun_mock.schema.references import Place, SchemaProblem
from vlmrun_mock.schema.validation import LoadedSchema, load

if TYPE_CHECKING:
    from vlmrun_mock.seed import Seed

__all__ = ["generate"]

MOST_ATTEMPTS = 40
MOST_TURNS = 12  # values tried at one place before another is tried for what encloses it
EVERYTHING = 1_000
FILLINGS = ((EVERYTHING, MOST_EFFORT), (3, 4_500))
"""Attempts, each smaller: levels with optional properties, and the effort that it may take."""

LAST = (1, 2_000)
"""The attempt that is sparing once it has taken its effort."""


def generate(
    schema: Mapping[str, Any] | LoadedSchema,
    *,
    seed: Seed,
    facts: Sequence[str] = (),
    base: object = None,
    locale: str = locales.USUAL,
) -> object:
    """Return a JSON value that meets `schema`, the same for the same seed, facts and base.

    `base` is an example answer for the same kind of document: a field takes its value from there, by its name, if that
    meets the field's schema. People, places and currency are of the locale. Raises SchemaProblem, with the place, if
    the schema is invalid or cannot be met.
    """
    loaded = schema if isinstance(schema, LoadedSchema) else load(schema)
    world = World(seed, tuple(facts), locale)
    try:
        least = check_size(loaded.references)
        deepest = EVERYTHING + 1
        kept: dict[Place, KeptScalar] = {}
        for fill_depth, effort in FILLINGS:
            loading = len(loaded.references.subschemas) * SUBSCHEMA if fill_depth == EVERYTHING else 0
            budget = Budget(effort - loading, fill_depth)
            with suppress(Exhausted):
                if fill_depth < deepest:  # else it would be the same again, with less effort
                    budget.foresee((), least * ITEM)
                    return _attempts(loaded, world, budget, AttemptMemory(kept), base)
            deepest = budget.deepest
        fill_depth, effort = LAST
        return _attempts(loaded, world, Budget(effort, fill_depth, sparing=True), AttemptMemory(kept), base)
    except SchemaProblem as problem:
        raise SchemaProblem(_written(loaded.root, problem.place), problem.message) from problem
    except RecursionError as error:
        raise SchemaProblem((), "its parts are nested too deeply in each other") from error


def _attempts(loaded: LoadedSchema, world: World, budget: Budget, tried: AttemptMemory, base: object) -> object:
    """Build and validate a value; where it is invalid, choose again while the budget lasts."""
    for _ in range(MOST_ATTEMPTS):
        builder = Builder(loaded, world, budget, tried)
        value = builder.root(base)
        wrong = loaded.violations(value)
        if not wrong:
            return value
        for path in dict.fromkeys(_built(builder, violation.place) for violation in wrong):
            _choose_another(tried.turns, path)
    place = builder.places[_built(builder, wrong[0].place)]
    raise SchemaProblem(place, f"no value was found that meets it: {wrong[0].message}")


def _built(builder: Builder, path: Place) -> Place:
    """Return the path, or the nearest enclosing one, of a value that the builder made."""
    while path not in builder.places:
        path = path[:-1]
    return path


def _choose_another(turns: dict[Place, int], path: Place) -> None:
    """Ask for the next value at a path or, when all were tried, for the next one of what encloses it."""
    while path and turns.get(path, 0) >= MOST_TURNS:
        turns[path] = 0
        path = path[:-1]
    turns[path] = turns.get(path, 0) + 1


def _written(root: Any, place: Place) -> Place:
    """Return the part of a place that exists in the schema: one derived from `not` has no place of its own."""
    for end, key in enumerate(place):
        keys: Any = root if isinstance(root, dict) else range(len(root)) if isinstance(root, list) else ()
        if key not in keys:
            return place[:end]
        root = root[key]
    return place
