"""Limits on callers' schemas: size, depth, numbers, chains of references, and the cost of checking a value."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from vlmrun_mock.schema.references import (
    CHAINING,
    SAME_VALUE,
    WITH_PATTERNS,
    Place,
    References,
    SchemaProblem,
    children,
    subtree,
)

DEEPEST = 100  # levels of nesting; a validator recurses on each
MOST_NODES = 50_000  # JSON values in a schema, data such as enum included
LARGEST_NUMBER = 1e300  # beyond it a double overflows in arithmetic
LONGEST_PATTERN = 5_000  # characters
LONGEST_CHAIN = 100  # subschemas that apply to one value, each from the one before
MOST_VISITS = 4_000_000  # subschemas applied to parts of one value: about a tenth of a second
LARGEST_MINIMUM = {"minLength": 500_000, "minItems": 5_000, "minContains": 5_000, "minProperties": 5_000}
"""Lower bounds above these ask for an answer of more than about 1 MB."""
MINIMA = frozenset(LARGEST_MINIMUM)


def check_json(schema: object) -> None:
    """Raise SchemaProblem unless the schema is finite JSON within the limits, at any depth.

    Short texts in ASCII, which most values of a schema are, have nothing to be checked.
    """
    waiting: list[tuple[Place, Any]] = [((), schema)]
    met = 0
    while waiting:
        place, value = waiting.pop()
        if len(place) > DEEPEST:
            raise SchemaProblem(place[:5], f"it is nested more than {DEEPEST} levels deep")
        met += len(value)
        if met > MOST_NODES:
            raise SchemaProblem((), f"it has more than {MOST_NODES:,} parts")
        is_object = isinstance(value, Mapping)
        for key, child in value.items() if is_object else enumerate(value):
            if is_object and not (isinstance(key, str) and key.isascii()):
                _check_text(place, key)
            if isinstance(child, Mapping | list | tuple):
                waiting.append(((*place, key), child))
            elif not isinstance(child, str) or len(child) > LONGEST_PATTERN or not child.isascii():
                _check_scalar((*place, key), child)


def _check_scalar(place: Place, value: object) -> None:
    if isinstance(value, str):
        _check_text(place, value)
        if place[-1] == "pattern" and len(value) > LONGEST_PATTERN:
            raise SchemaProblem(place, f"a pattern of more than {LONGEST_PATTERN:,} characters")
    elif isinstance(value, int | float):
        if (isinstance(value, float) and not math.isfinite(value)) or abs(value) > LARGEST_NUMBER:
            raise SchemaProblem(place, "a number must be finite and below 1e300")
    elif value is not None:
        raise SchemaProblem(place, f"a {type(value).__name__} is not a JSON value")


def _check_text(place: Place, text: object) -> None:
    if not isinstance(text, str):
        raise SchemaProblem(place, "a key of a JSON object is text")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise SchemaProblem(place, "it holds half of a surrogate pair, which no JSON text can carry")


def check_chains(references: References) -> bool:
    """Check each subschema, including the targets of references; return whether there are references.

    Raises SchemaProblem if a reference has no target, if references form a circle without descending into the value,
    or if every answer would be larger than about 1 MB.
    """
    waiting, targets, checked = list(references.subschemas), set[Place](), set[Place]()
    uses_references = False
    while waiting:
        place, schema = waiting.pop()
        if not isinstance(schema, dict):
            continue
        if not MINIMA.isdisjoint(schema):
            _check_minima(place, schema)
        if not WITH_PATTERNS.isdisjoint(schema):
            references.note(place, schema)
        if CHAINING.isdisjoint(schema):
            continue
        for target, found in references.targets(place, schema):
            uses_references = True
            waiting += subtree(target, found) if target not in targets else ()
            targets.add(target)
        _check_chain(references, place, schema, (), checked)
    return uses_references


def _check_minima(place: Place, schema: Mapping[str, Any]) -> None:
    for keyword, most in LARGEST_MINIMUM.items():
        if isinstance(schema.get(keyword), int | float) and schema[keyword] > most:
            raise SchemaProblem((*place, keyword), f"{keyword} above {most:,} asks for too large an answer")


def _check_chain(refs: References, place: Place, schema: Any, chain: tuple[Place, ...], checked: set[Place]) -> None:
    if place in checked:
        return
    if place in chain or len(chain) > LONGEST_CHAIN:
        raise SchemaProblem(place, "it refers to itself, or on and on, without going into the value")
    for target, found in refs.same_value(place, schema):
        # A subschema that refers to nothing cannot close a circle: it counts only where the chain is too long with it.
        if len(chain) == LONGEST_CHAIN or (isinstance(found, dict) and not CHAINING.isdisjoint(found)):
            _check_chain(refs, target, found, (*chain, place), checked)
    checked.add(place)


def check_cost(references: References, value: object) -> None:
    """Raise SchemaProblem if a validator would apply more than MOST_VISITS subschemas to `value`."""
    if Visits(references).of((), references.root, value) > MOST_VISITS:
        raise SchemaProblem((), "its references multiply: checking a value against it would not end soon")


class Visits:
    """How many subschemas a validator without a cache applies to a value.

    That depends on the structure of the value alone, the names and counts in it, so values of one are counted once.
    """

    def __init__(self, references: References) -> None:
        self._references = references
        self._known: dict[tuple[Place, int], int] = {}
        self._structures: dict[tuple[Any, ...], int] = {}
        self._found: dict[int, int] = {}  # the structures by the identity of the value

    def of(self, place: Place, schema: Any, value: Any) -> int:
        """Return how many are applied to `value`, `schema` included."""
        key = (place, self._structure(value))
        found = self._known.get(key)
        if found is None:
            found = 1 + sum(self.of(*target, value) for target in self._references.same_value(place, schema))
            found += sum(self.of((*place, *at), child, part) for at, child, part in _parts(schema, value))
            self._known[key] = found
        return found

    def _structure(self, value: Any) -> int:
        """Return the number of a value's structure; 0 is that of a scalar."""
        if not isinstance(value, dict | list):
            return 0
        found = self._found.get(id(value))
        if found is None:
            parts = value.values() if isinstance(value, dict) else value
            names = tuple(value) if isinstance(value, dict) else None
            structure = (names, *map(self._structure, parts))
            found = self._found[id(value)] = self._structures.setdefault(structure, len(self._structures) + 1)
        return found


def _parts(schema: Any, value: Any) -> Iterator[tuple[Place, Any, Any]]:
    """Yield each subschema that may apply to an item or a field of `value`, with that item or field."""
    for at, child in children(schema) if isinstance(value, dict | list) and value else ():
        if at[0] in SAME_VALUE or at[0] in ("$defs", "definitions", "propertyNames"):
            continue
        if at[0] == "properties":
            parts = [value[at[1]]] if isinstance(value, dict) and at[1] in value else []
        elif at[0] == "prefixItems":
            parts = value[int(at[1]) : int(at[1]) + 1] if isinstance(value, list) else []
        else:
            parts = list(value.values() if isinstance(value, dict) else value)
        yield from ((at, child, part) for part in parts)
