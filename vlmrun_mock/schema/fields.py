"""The fields that a JSON Schema declares at each place of a value, and those of a value that it does not declare."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from vlmrun_mock.schema.references import REFERENCES, Place, References, SchemaProblem, children

Located: TypeAlias = tuple[Place, Any]
"""A subschema, and where it stands in the schema."""

UNIONS = ("anyOf", "oneOf")
BRANCHES = (*UNIONS, "allOf", "then", "else", "dependentSchemas")
"""Keywords whose subschemas may declare fields of the same value; `not` and `if` only test it."""

UNIONS_AND_ITEMS = (*UNIONS, "allOf", "prefixItems", "items")
ITEMS = ("prefixItems", "items", "additionalItems")
OTHERS = ("additionalProperties", "unevaluatedProperties")
"""Keywords for the fields that are not declared by name."""

ANNOTATIONS = {"title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "$comment"}
RESTRICTIONS = {"$ref", "anyOf", "oneOf", "allOf", "enum", "const", "properties"}

DEEPEST = 100
"""Levels of nesting down to which fields are looked at."""

LONGEST_NAME = 100
"""Characters of a name that are compared."""

ANYTHING: Located = (("*",), True)
"""A schema that stands nowhere, and allows everything."""

LIKE = 0.6
"""The least likeness, of 1, at which a declared name may be the new name of an undeclared field."""


@dataclass(frozen=True, slots=True)
class UnknownField:
    """A field that is not declared: its place in the value, and the declared name that is closest, if one is."""

    place: Place
    closest: str | None


class Fields:
    """The fields that a schema declares, in any depth; a reference that leads nowhere in the schema allows all.

    With `through_lists` the fields of a list's items count as fields of the list. Raises SchemaProblem for a schema
    with an identifier that is not a URI.
    """

    def __init__(self, root: Mapping[str, Any], *, through_lists: bool = False) -> None:
        self._references = References(root)
        self._through_lists = through_lists
        self._declarations: dict[tuple[Place, ...], Declaration] = {}
        self.root = self.declaration([((), root)])

    def unknown(self, value: object) -> Iterator[UnknownField]:
        """Yield the fields of a value that are not declared at their place.

        Where the schema declares no field, or allows further ones, every field is known.
        """
        return _unknown(value, self.root, ())

    def declaration(self, schemas: Sequence[Located]) -> Declaration:
        """Return what is declared by schemas that all apply to one value; without any, everything is allowed."""
        key = tuple(place for place, _ in schemas)
        if key not in self._declarations:
            keywords = UNIONS_AND_ITEMS if self._through_lists else BRANCHES
            self._declarations[key] = Declaration(self, list(self.nodes(schemas or [ANYTHING], keywords)))
        return self._declarations[key]

    def nodes(self, schemas: Sequence[Located], keywords: tuple[str, ...]) -> Iterator[Located]:
        """Yield the schemas, and those behind references and below some keywords, each once."""
        waiting, met = list(reversed(schemas)), set[Place]()
        while waiting:
            place, schema = waiting.pop()
            if place not in met:
                met.add(place)
                yield place, schema
                waiting += reversed([*self._targets(place, schema), *_below(place, schema, keywords)])

    def _targets(self, place: Place, schema: Any) -> Iterator[Located]:
        for keyword in REFERENCES if isinstance(schema, dict) else ():
            if isinstance(schema.get(keyword), str):
                try:
                    yield self._references.resolve(place, schema[keyword])
                except SchemaProblem:
                    yield (*place, keyword), True


class Declaration:
    """What all schemas of one value declare of it: `nodes` are the schemas, `named` those of its fields by name."""

    def __init__(self, fields: Fields, nodes: Sequence[Located]) -> None:
        self.nodes = nodes
        self.named: dict[str, list[Located]] = {}
        self.patterns: list[tuple[re.Pattern[str], Located]] = []
        self._others: list[Located] = []
        self._first_items: dict[int, list[Located]] = {}
        self._items: list[Located] = []
        self._fields = fields
        for place, schema in nodes:
            self._add(place, schema)

    def _add(self, place: Place, schema: Any) -> None:
        for below, child in children(schema):
            keyword, located = below[0], ((*place, *below), child)
            if keyword == "properties":
                self.named.setdefault(str(below[1]), []).append(located)
            elif keyword == "patternProperties":
                self.patterns.append((_pattern(str(below[1])), located))
            elif keyword in OTHERS and child is not False:
                self._others.append(located)
            elif keyword in ITEMS and len(below) == 1:
                self._items.append(located)
            elif keyword in ITEMS:
                self._first_items.setdefault(int(below[1]), []).append(located)

    @property
    def is_open(self) -> bool:
        """Whether a schema says that there are further fields, or no schema says anything of fields."""
        is_free = not self.named and any(_allows_objects(schema) for _, schema in self.nodes)
        return bool(self._others or self.patterns) or is_free

    @property
    def lists_all(self) -> bool:
        """Whether the declared fields are all that there are, as far as no schema leaves fields free."""
        return bool(self.named) and not self._others and not any(_says_nothing(schema) for _, schema in self.nodes)

    def declares(self, name: str) -> bool:
        """Return whether a name is declared, itself or by a pattern."""
        return name in self.named or any(pattern.search(name) for pattern, _ in self.patterns)

    def field(self, name: str) -> Declaration:
        """Return what is declared of a field's value."""
        matched = [located for pattern, located in self.patterns if pattern.search(name)]
        return self._fields.declaration([*self.named.get(name, ()), *matched] or self._others)

    def possible_field(self, name: str) -> Declaration:
        """Return what is declared of a field's value; for an undeclared name, what any further field may be.

        Only the root can rule out further fields: below it they may hold anything.
        """
        further = [*(located for _, located in self.patterns), *self._others]
        is_strict = self is self._fields.root and all("additionalProperties" in node for node in self._objects())
        rest: Located = (("additionalProperties",), False) if is_strict else ANYTHING
        return self._fields.declaration(self.named.get(name) or [*further, rest])

    def _objects(self) -> list[dict[str, Any]]:
        return [{} if schema is True else schema for _, schema in self.nodes if schema is not False]

    def item(self, index: int) -> Declaration:
        """Return what is declared of a list's item."""
        return self._fields.declaration(self._first_items.get(index) or self._items)

    def allows_null(self, name: str) -> bool:
        """Return whether null is a value of a field, as far as its type and its unions tell."""
        schemas = self.named.get(name)
        return not schemas or any(_is_null(schema) for _, schema in self._fields.nodes(schemas, UNIONS))


def _below(place: Place, schema: Any, keywords: tuple[str, ...]) -> list[Located]:
    """Return the subschemas below some keywords, in the order of the keywords."""
    found = sorted(children(schema, keywords), key=lambda child: keywords.index(str(child[0][0])))
    is_any_list = isinstance(schema, dict) and schema.get("type") == "array" and "items" not in schema
    items = [((*place, "items"), True)] if is_any_list and "items" in keywords else []
    return [*(((*place, *below), child) for below, child in found), *items]


def _unknown(value: object, declaration: Declaration, place: Place) -> Iterator[UnknownField]:
    if len(place) > DEEPEST:
        return
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _unknown(item, declaration.item(index), (*place, index))
    elif isinstance(value, Mapping):
        unknown = [name for name in value if not declaration.declares(name)] if declaration.lists_all else []
        missing = declaration.named.keys() - value.keys()
        yield from (UnknownField((*place, name), _closest(name, missing)) for name in unknown)
        for name, child in value.items():
            if name not in unknown:
                yield from _unknown(child, declaration.field(name), (*place, name))


def _pattern(text: str) -> re.Pattern[str]:
    """Return a pattern; one that only ECMAScript understands matches every name."""
    try:
        return re.compile(text)
    except re.error:
        return re.compile("")


def _says_nothing(schema: Any) -> bool:
    """Return whether a subschema allows every object."""
    return _allows_objects(schema) and (schema is True or not schema.keys() - ANNOTATIONS - {"type"})


def _allows_objects(schema: Any) -> bool:
    """Return whether a subschema allows objects and declares no field."""
    if not isinstance(schema, dict):
        return schema is True
    types = schema.get("type", "object")
    return not RESTRICTIONS & schema.keys() and (types == "object" or "object" in types)


def _is_null(schema: Any) -> bool:
    if not isinstance(schema, dict):
        return schema is True
    types = schema.get("type", ())
    is_of_type = types == "null" or "null" in types or schema.get("nullable") is True
    is_listed = None in schema.get("enum", ()) or schema.get("const", "") is None
    return is_of_type or is_listed or not schema.keys() - ANNOTATIONS


def _closest(name: str, declared: Iterable[str]) -> str | None:
    """Return the declared name that is most like an undeclared one, or None if none is like it.

    Names of which one has all the words of the other are more alike than names that are spelt alike.
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
