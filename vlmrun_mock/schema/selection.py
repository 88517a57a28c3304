"""Selecting fields of an answer or of a JSON schema, and writing the statement that selects all fields."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from itertools import islice
from typing import Any

from vlmrun_mock.schema.fields import Declaration, Fields
from vlmrun_mock.schema.gql_statement import DEEPEST_SELECTION, Selection, SelectionProblem
from vlmrun_mock.schema.references import Place, References, SchemaProblem, pointer_step

MOST_FIELDS = 1_000  # of a written statement, below its root: types that refer to each other multiply

FIELD_NAME = re.compile(r"[_A-Za-z][_0-9A-Za-z]{0,127}")
DEFINITION = re.compile(r"#/(\$defs|definitions)/([^/]+)")
KEPT = ("$schema", "title", "description", "type", "nullable", "minItems", "maxItems")
"""Keywords that still hold for an object or a list with fewer fields."""


def select(selection: Selection, content: object, schema: Mapping[str, Any] | None = None) -> object:
    """Return a copy of `content` with the selected fields only, in the selection's order, also within lists.

    A field that an object lacks, but that the schema or a neighbour in the same list has, is null, or left out where
    the schema forbids null. Raises SelectionProblem for a field that neither schema nor content knows.
    """
    declaration = _declared(schema) if schema is not None else None
    _check(selection, [content], declaration, ())
    return _selected(selection, content, declaration)


def select_schema(selection: Selection, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a JSON schema reduced to the selected fields, by which the result of `select` is valid.

    References on the way to a selected field are resolved. A field that is selected whole keeps its references to
    definitions, and the schema keeps these. Raises SelectionProblem for a field that the schema does not have.
    """
    _check(selection, [], _declared(schema), ())
    return _Reduction(schema).reduced(selection)


def statement(schema: Mapping[str, Any]) -> str:
    """Return the statement that selects every field of a JSON schema, or "" if GraphQL can name none.

    Where a type contains itself, the inner one is selected whole.
    """
    return _Writer().written(_declared(schema))


def _declared(schema: Mapping[str, Any]) -> Declaration:
    """Return the fields that a schema declares: none if its identifiers are unusable."""
    try:
        return Fields(schema, through_lists=True).root
    except SchemaProblem:
        return Fields({}, through_lists=True).root


def _check(
    selection: Selection, values: Iterable[object], declaration: Declaration | None, place: tuple[str, ...]
) -> None:
    """Raise SelectionProblem unless the schema or a value has each selected field."""
    present = list(_flat(values))
    objects = [value for value in present if isinstance(value, Mapping)]
    named = declaration.named if declaration else {}
    known = dict.fromkeys((*named, *(name for value in objects for name in value)))
    is_open = declaration is not None and declaration.is_open
    if not known and not is_open:
        if declaration is None and all(value is None or value == {} for value in present):
            return  # neither a schema nor a value tells the fields
        raise SelectionProblem(f"{_spoken(place)} has no fields to select from")
    for name, inner in selection.fields.items():
        if name not in known and not is_open:
            raise _unknown(name, known, place)
        if inner is not None:
            within = [value[name] for value in objects if name in value]
            _check(inner, within, declaration and declaration.possible_field(name), (*place, name))


def _flat(values: Iterable[object]) -> Iterator[object]:
    for value in values:
        if isinstance(value, list):
            yield from _flat(value)
        else:
            yield value


def _spoken(place: tuple[str, ...]) -> str:
    return ".".join(place) or "the answer"


def _unknown(name: str, known: Mapping[str, object], place: tuple[str, ...]) -> SelectionProblem:
    candidates = [other[:100] for other in islice(known, 1_000)]
    closest = get_close_matches(name[:100], candidates, n=3)
    hint = f"closest: {', '.join(map(repr, closest))}" if closest else f"it has {', '.join(map(repr, candidates[:10]))}"
    return SelectionProblem(f"{name[:100]!r} is not a field of {_spoken(place)}; {hint}")


def _selected(selection: Selection, value: object, declaration: Declaration | None) -> object:
    if isinstance(value, list):
        return [_selected(selection, item, declaration) for item in value]
    if not isinstance(value, Mapping):
        return value
    found: dict[str, object] = {}
    for name, inner in selection.fields.items():
        if name in value:
            below = declaration and declaration.possible_field(name)
            found[name] = value[name] if inner is None else _selected(inner, value[name], below)
        elif declaration is None or declaration.allows_null(name):
            found[name] = None
    return found


class _Reduction:
    """Reduces one schema to selected fields."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        try:
            self._references: References | None = References(root)
        except SchemaProblem:
            self._references = None

    def _target(self, reference: str) -> object:
        """Return the schema that a reference leads to, or True, which allows any field, for one out of the schema."""
        try:
            return self._references.resolve((), reference)[1] if self._references else True
        except SchemaProblem:
            return True

    def reduced(self, selection: Selection) -> dict[str, Any]:
        """Return the schema with the selected fields only, and the definitions that it refers to."""
        reduced = self._part(selection, self._root, ())
        return {**reduced, **self._definitions(reduced)}

    def _part(self, selection: Selection, schema: object, path: tuple[int, ...]) -> Any:
        """Return a subschema with the selected fields only; `path` holds the nodes above it, to end circles."""
        if not isinstance(schema, Mapping) or id(schema) in path:
            return True

        def parts(schemas: Sequence[object]) -> list[Any]:
            return [self._part(selection, part, (*path, id(schema))) for part in schemas]

        reduced: dict[str, Any] = {keyword: schema[keyword] for keyword in KEPT if keyword in schema}
        for keyword in ("allOf", "prefixItems"):
            if keyword in schema:
                reduced[keyword] = parts(schema[keyword])
        alternatives = schema.get("anyOf") or schema.get("oneOf")
        if alternatives:  # with fewer fields, several of oneOf may hold
            reduced["anyOf"] = parts(alternatives)
        items = schema.get("items")
        if items is not None:
            reduced["items"] = parts(items) if isinstance(items, list) else parts([items])[0]
        described = schema.get("properties", {})
        properties = {
            name: self._whole(described[name], ()) if inner is None else self._part(inner, described[name], ())
            for name, inner in selection.fields.items()
            if name in described
        }
        if properties:
            reduced["properties"] = properties
        required = [name for name in schema.get("required", ()) if name in selection.fields]
        if required:
            reduced["required"] = required
        target = parts([self._target(schema["$ref"])])[0] if "$ref" in schema else {}
        return reduced if target is True else {**target, **reduced}

    def _whole(self, schema: Any, path: tuple[str, ...]) -> Any:
        """Return a subschema with its references resolved, except those to definitions, which are kept."""
        if isinstance(schema, list):
            return [self._whole(part, path) for part in schema]
        if not isinstance(schema, Mapping):
            return schema
        reference = schema.get("$ref")
        if not isinstance(reference, str) or DEFINITION.match(reference):
            return {keyword: self._whole(part, path) for keyword, part in schema.items()}
        return True if reference in path else self._whole(self._target(reference), (*path, reference))

    def _definitions(self, reduced: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """Return the definitions that a reduced schema refers to, directly or not, by keyword and name."""
        kept: dict[str, dict[str, Any]] = {}
        waiting: list[Any] = [reduced]
        while waiting:
            part = waiting.pop()
            if isinstance(part, list):
                waiting.extend(part)
            elif isinstance(part, Mapping):
                waiting.extend(part.values())
                found = DEFINITION.match(str(part.get("$ref")))
                if found and (name := pointer_step(found[2])) not in kept.setdefault(found[1], {}):
                    definition = kept[found[1]][name] = self._whole(self._target(found[0]), ())
                    waiting.append(definition)
        return kept


class _Writer:
    """Writes a statement of at most about MOST_FIELDS fields."""

    def __init__(self) -> None:
        self.fields_left = MOST_FIELDS

    def written(self, declaration: Declaration, path: tuple[frozenset[Place], ...] = ()) -> str:
        """Return the declared fields in braces, or "" for none, for a type within itself and beyond the limits."""
        names = [name for name in declaration.named if FIELD_NAME.fullmatch(name)]
        here = frozenset(place for place, node in declaration.nodes if isinstance(node, dict) and "properties" in node)
        is_circle = any(here & outer for outer in path)
        if not names or is_circle or (path and len(names) > self.fields_left) or len(path) == DEEPEST_SELECTION:
            return ""
        self.fields_left -= len(names)
        fields = (f"{name} {self.written(declaration.possible_field(name), (*path, here))}".rstrip() for name in names)
        return f"{{ {' '.join(fields)} }}"
