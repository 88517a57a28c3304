"""The fields that a JSON Schema declares at each place of a value, and the undeclared fields of a value."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from vlmrun_mock.schema.references import Place, References, SchemaProblem, children, references_in

Located: TypeAlias = tuple[Place, Any]
"""A subschema with its place in the schema."""

UNIONS = ("anyOf", "oneOf")
BRANCHES = (*UNIONS, "allOf", "then", "else", "dependentSchemas")
"""Keywords whose subschemas may declare fields of the same value; `not` and `if` only test it."""

UNIONS_AND_ITEMS = (*UNIONS, "allOf", "prefixItems", "items")
ITEMS = ("prefixItems", "items", "additionalItems")
OTHERS = ("additionalProperties", "unevaluatedProperties")
"""Keywords for the fields without a declaration of their own."""

ANNOTATIONS = {"title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "$comment"}
RESTRICTIONS = {"$ref", "anyOf", "oneOf", "allOf", "enum", "const", "properties"}

DEEPEST = 100
"""The deepest level of nesting at which fields are checked."""

LONGEST_NAME = 100
"""The number of characters of a name to compare."""

ANYTHING: Located = (("*",), True)
"""A schema that allows everything and stands at no place of the schema."""

LEAST_SIMILARITY = 0.6
"""The least similarity, between 0 and 1, of a name to suggest for an undeclared field."""


@dataclass(frozen=True, slots=True)
class UnknownField:
    """An undeclared field: its place in the value, and the closest declared name if one is similar."""

    place: Place
    closest: str | None


class Fields:
    """The fields that a schema declares, at any depth; a reference out of the schema allows everything.

    With `through_lists` the fields of a list's items count as fields of the list. Raises SchemaProblem for a schema
    with an identifier that is not a URI.
    """

    def __init__(self, root: Mapping[str, Any], *, through_lists: bool = False) -> None:
        self._references = References(root)
        self._through_lists = through_lists
        self._declarations: dict[tuple[Place, ...], Declaration] = {}
        self.root = self.declaration([((), root)])

    def unknown(self, value: object) -> Iterator[UnknownField]:
        """Yield the undeclared fields of a value.

        Where the schema declares no field, or allows further ones, no field is unknown.
        """
        return _unknown(value, self.root, ())

    def declaration(self, schemas: Sequence[Located]) -> Declaration:
        """Return what the schemas of one value declare together; without a schema everything is allowed."""
        key = tuple(place for place, _ in schemas)
        if key not in self._declarations:
            keywords = UNIONS_AND_ITEMS if self._through_lists else BRANCHES
            self._declarations[key] = Declaration(self, list(self.nodes(schemas or [ANYTHING], keywords)))
        return self._declarations[key]

    def nodes(self, schemas: Sequence[Located], keywords: tuple[str, ...]) -> Iterator[Located]:
        """Yield the schemas and, each once, those that their references and the `keywords` lead to."""
        waiting, met = list(reversed(schemas)), set[Place]()
        while waiting:
            place, schema = waiting.pop()
            if place not in met:
                met.add(place)
                yield place, schema
                waiting += reversed([*self._targets(place, schema), *_below(place, schema, keywords)])

    def _targets(self, place: Place, schema: Any) -> Iterator[Located]:
        for keyword, reference in references_in(schema):
            try:
                yield self._references.resolve(place, reference)
            except SchemaProblem:
                yield (*place, keyword), True


class Declaration:
    """What the schemas of one value, `nodes`, declare together; `named` holds the schemas of its fields by name."""

    def __init__(self, fields: Fields, nodes: Sequence[Located]) -> None:
        self.nodes = nodes
        self.named: dict[str, list[Located]] = {}
        self._patterns: list[tuple[re.Pattern[str], Located]] = []
        self._others: list[Located] = []
        self._first_items: dict[int, list[Located]] = {}
        self._items: list[Located] = []
        self._fields = fields
        for place, schema in nodes:
            self._add_subschemas(place, schema)

    def _add_subschemas(self, place: Place, schema: Any) -> None:
        for below, child in children(schema):
            keyword, located = below[0], ((*place, *below), child)
            if keyword == "properties":
                self.named.setdefault(str(below[1]), []).append(located)
            elif keyword == "patternProperties":
                self._patterns.append((_pattern(str(below[1])), located))
            elif keyword in OTHERS and child is not False:
                self._others.append(located)
            elif keyword in ITEMS and len(below) == 1:
                self._items.append(located)
            elif keyword in ITEMS:
                self._first_items.setdefault(int(below[1]), []).append(located)

    @property
    def is_open(self) -> bool:
        """Whether the value may have further fields: a schema allows them, or none declares any field."""
        is_free = not self.named and any(_allows_objects(schema) for _, schema in self.nodes)
        return bool(self._others or self._patterns) or is_free

    @property
    def lists_all(self) -> bool:
        """Whether the declared fields are meant to be complete: no schema leaves fields free."""
        return bool(self.named) and not self._others and not any(_says_nothing(schema) for _, schema in self.nodes)

    def declares(self, name: str) -> bool:
        """Return whether a name, or a pattern that matches it, is declared."""
        return name in self.named or any(pattern.search(name) for pattern, _ in self._patterns)

    def field(self, name: str) -> Declaration:
        """Return the declaration of a field's value."""
        matched = [located for pattern, located in self._patterns if pattern.search(name)]
        return self._fields.declaration([*self.named.get(name, ()), *matched] or self._others)

    def possible_field(self, name: str) -> Declaration:
        """Return the declaration of a field's value; for an undeclared name, that of any further field.

        Only the root can rule out further fields: below it they may hold anything.
        """
        further = [*(located for _, located in self._patterns), *self._others]
        objects = [{} if schema is True else schema for _, schema in self.nodes if schema is not False]
        is_strict = self is self._fields.root and all("additionalProperties" in schema for schema in objects)
        rest: Located = (("additionalProperties",), False) if is_strict else ANYTHING
        return self._fields.declaration(self.named.get(name) or [*further, rest])

    def item(self, index: int) -> Declaration:
        """Return the declaration of a list's item."""
        return self._fields.declaration(self._first_items.get(index) or self._items)

    def allows_null(self, name: str) -> bool:
        """Return whether the type and the unions of a field allow null."""
        schemas = self.named.get(name)
        return not schemas or any(_is_null(schema) for _, schema in self._fields.nodes(schemas, UNIONS))


def _below(place: Place, schema: Any, keywords: tuple[str, ...]) -> list[Located]:
    """Return the subschemas below some keywords, in the keywords' order."""
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
    """Return a compiled pattern; one that Python cannot read matches every name."""
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
    """Return the declared name that is most similar to an undeclared one, or None.

    A name that shares all of its words with the other comes before one of similar spelling.
    """
    words = set(name.split("_"))
    similar: dict[str, tuple[bool, float]] = {}
    for other in sorted(declared):
        others = set(other.split("_"))
        shares_words = words <= others or others <= words
        ratio = difflib.SequenceMatcher(None, name[:LONGEST_NAME], other[:LONGEST_NAME]).ratio()
        if shares_words or ratio >= LEAST_SIMILARITY:
            similar[other] = (shares_words, ratio)
    return max(similar, key=similar.__getitem__, default=None)
