"""The fields that a JSON Schema declares, and those of a value that it does not: what a new release has renamed."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from vlmrun_mock.schema.references import REFERENCES, Place, References, children

Located: TypeAlias = tuple[Place, Any]
"""A subschema, and where it stands in the schema."""

BRANCHES = ("allOf", "anyOf", "oneOf", "then", "else", "dependentSchemas")
"""Keywords whose subschemas may declare fields of the very value; `not` and `if` only ask."""

OTHERS = ("additionalProperties", "unevaluatedProperties")
"""Keywords that say something of all fields that are not declared by name."""

SAYING_NOTHING = {"title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "$comment"}

DEEPEST = 100
"""Levels of nesting down to which fields are looked at."""

LONGEST_NAME = 100
"""Characters of a name that are compared."""

LIKE = 0.6
"""From which likeness on, of 1, a declared name may be what an undeclared one is called now."""


@dataclass(frozen=True, slots=True)
class UnknownField:
    """A field that is not declared: its place in the value, and the declared name that is closest, if one is."""

    place: Place
    closest: str | None


@dataclass(slots=True)
class _Shape:
    """What the schemas of one value declare of it."""

    named: dict[str, list[Located]] = field(default_factory=dict)
    patterns: list[tuple[re.Pattern[str], Located]] = field(default_factory=list)
    others: list[Located] = field(default_factory=list)
    first_items: dict[int, list[Located]] = field(default_factory=dict)
    items: list[Located] = field(default_factory=list)
    is_open: bool = False

    def field(self, name: str) -> list[Located]:
        """Return the schemas of a field's value: those for its name, else those for all others."""
        matched = [located for pattern, located in self.patterns if pattern.search(name)]
        return [*self.named.get(name, ()), *matched] or self.others

    def item(self, index: int) -> list[Located]:
        """Return the schemas of a list's item."""
        return self.first_items.get(index) or self.items

    def unknown(self, value: Mapping[str, Any]) -> list[str]:
        """Return the names of an object's fields that are not declared, where some are and no others are allowed."""
        if self.is_open or not self.named:
            return []
        return [name for name in value if name not in self.named and not self.field(name)]


class Fields:
    """The fields of a schema, in whatever depth."""

    def __init__(self, root: dict[str, Any]) -> None:
        self._references = References(root)
        self._root: list[Located] = [((), root)]
        self._shapes: dict[tuple[Place, ...], _Shape] = {}

    def unknown(self, value: object) -> Iterator[UnknownField]:
        """Yield the fields of a value that are not declared at their place, where the schema lists what there is.

        A schema that says which others there may be, or nothing at all of fields, leaves them free. Raises
        SchemaProblem where it refers to something outside of itself.
        """
        return self._below(value, self._root, ())

    def _below(self, value: object, schemas: Sequence[Located], place: Place) -> Iterator[UnknownField]:
        if not schemas or not isinstance(value, (Mapping, list)) or len(place) > DEEPEST:
            return
        shape = self._shape(schemas)
        if isinstance(value, list):
            for index, item in enumerate(value):
                yield from self._below(item, shape.item(index), (*place, index))
            return
        unknown = shape.unknown(value)
        yield from (UnknownField((*place, name), _closest(name, shape.named.keys() - value.keys())) for name in unknown)
        for name, child in value.items():
            if name not in unknown:
                yield from self._below(child, shape.field(name), (*place, name))

    def _shape(self, schemas: Sequence[Located]) -> _Shape:
        """Return what schemas that apply to the same value declare, through references and branches."""
        key = tuple(place for place, _ in schemas)
        if key not in self._shapes:
            self._shapes[key] = shape = _Shape()
            for place, schema in self._nodes(schemas):
                _declare(shape, place, schema)
        return self._shapes[key]

    def _nodes(self, schemas: Iterable[Located]) -> Iterator[Located]:
        """Yield the schemas that a value has to meet, or may, each once."""
        waiting, met = list(schemas), set[Place]()
        while waiting:
            place, schema = waiting.pop()
            if place in met:
                continue
            met.add(place)
            yield place, schema
            waiting += [((*place, *below), child) for below, child in children(schema, BRANCHES)]
            for keyword in REFERENCES if isinstance(schema, dict) else ():
                if isinstance(schema.get(keyword), str):
                    waiting.append(self._references.resolve(place, schema[keyword]))


def _declare(shape: _Shape, place: Place, schema: Any) -> None:
    """Add to a shape what one subschema says by itself."""
    shape.is_open |= _is_free(schema)
    for below, child in children(schema):
        keyword, located = below[0], ((*place, *below), child)
        if keyword == "properties":
            shape.named.setdefault(str(below[1]), []).append(located)
        elif keyword == "patternProperties":
            shape.patterns.append((_pattern(str(below[1])), located))
        elif keyword in OTHERS and child is not False:
            shape.is_open = True
            shape.others.append(located)
        elif keyword in ("items", "additionalItems") and len(below) == 1:
            shape.items.append(located)
        elif keyword in ("items", "prefixItems"):
            shape.first_items.setdefault(int(below[1]), []).append(located)


def _pattern(text: str) -> re.Pattern[str]:
    """Return a pattern; one that only ECMAScript understands lets every name pass."""
    try:
        return re.compile(text)
    except re.error:
        return re.compile("")


def _is_free(schema: Any) -> bool:
    """Return whether a subschema lets an object be as it likes."""
    if not isinstance(schema, dict):
        return schema is True
    types = schema.get("type", "object")
    return not schema.keys() - SAYING_NOTHING - {"type"} and (types == "object" or "object" in types)


def _closest(name: str, declared: Iterable[str]) -> str | None:
    """Return the declared name, of those that the value has not, that is most like an undeclared one.

    One with all of its words, or with none but its words, is more like it than one that is spelt alike.
    """
    words = set(name.split("_"))
    likeness = {
        other: (words <= (others := set(other.split("_"))) or others <= words, _ratio(name, other))
        for other in sorted(declared)
    }
    like = [other for other, (has_its_words, ratio) in likeness.items() if has_its_words or ratio >= LIKE]
    return max(like, key=likeness.__getitem__, default=None)


def _ratio(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one[:LONGEST_NAME], other[:LONGEST_NAME]).ratio()
