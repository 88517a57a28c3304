"""A selection of fields applied to an answer or to a JSON schema, and the statement that selects all of a schema."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from vlmrun_mock.schema.gql_statement import DEEPEST_SELECTION, Selection, SelectionProblem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

MOST_FIELDS = 1_000  # of a written statement, below its root: types that refer to each other multiply

FIELD_NAME = re.compile(r"[_A-Za-z][_0-9A-Za-z]{0,127}")
DEFINITION = re.compile(r"#/(\$defs|definitions)/([^/]+)")
KEPT = ("$schema", "title", "description", "type", "nullable", "minItems", "maxItems")
"""Keywords of an object or a list that hold for it with fewer fields as well."""

ANNOTATIONS = {"title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "$comment"}


def select(selection: Selection, content: object, schema: Mapping[str, Any] | None = None) -> object:
    """Return `content` with the selected fields only, in the selection's order; lists are mapped, nothing is modified.

    A field that an object lacks while the schema or a neighbour in the same list has it comes back as null, or not at
    all where the schema forbids null. Raises SelectionProblem for a field that neither schema nor content knows.
    """
    shape = _Shape.of(schema, schema) if schema is not None else NO_SHAPE
    _check(selection, [content], shape, ())
    return _selected(selection, content, shape)


def select_schema(selection: Selection, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a JSON schema reduced to the selected fields: what `select` returns for a valid content is valid by it.

    The way to a selected field is written out; a field that is wanted whole keeps its references, and the definitions
    behind them are kept. Raises SelectionProblem for a field that the schema does not have.
    """
    _check(selection, [], _Shape.of(schema, schema), ())
    reduced: dict[str, Any] = _reduced(selection, schema, schema, ())
    return {**reduced, **_definitions(reduced, schema)}


def statement(schema: Mapping[str, Any]) -> str:
    """Return the statement that selects every field of a JSON schema, or "" if it has no field that GraphQL can name.

    A type within itself ends the descent: the inner one is selected whole.
    """
    return _Writer().written(_Shape.of(schema, schema))


@dataclass(frozen=True, slots=True)
class _Shape:
    """What a schema says about the fields of a value: its nodes behind references, unions and lists."""

    nodes: tuple[Mapping[str, Any], ...]
    root: Mapping[str, Any]
    fields: Mapping[str, Sequence[object]] = field(default_factory=dict)

    @staticmethod
    def of(schema: object, root: Mapping[str, Any]) -> _Shape:
        nodes = tuple(_nodes([schema], root, lists=True))
        fields: dict[str, list[object]] = {}
        for node in nodes:
            for name, described in node.get("properties", {}).items():
                fields.setdefault(name, []).append(described)
        return _Shape(nodes, root, fields)

    @property
    def is_open(self) -> bool:
        """Whether there may be fields of any name: where the schema says so, or says nothing at all about fields."""
        if any(
            node.get("additionalProperties", False) is not False or "patternProperties" in node for node in self.nodes
        ):
            return True
        return not self.fields and any(_is_free(node) for node in self.nodes)

    def inner(self, name: str) -> _Shape:
        """Return the shape of a field's value."""
        described = list(self.fields.get(name, ())) or [
            further
            for node in self.nodes
            for further in (*node.get("patternProperties", {}).values(), node.get("additionalProperties", True))
        ]
        return _Shape.of({"anyOf": described}, self.root) if self.nodes else self

    def allows_null(self, name: str) -> bool:
        """Whether null is a value of a field, as far as it is known."""
        described = self.fields.get(name)
        return not described or any(_is_null(node) for node in _nodes(described, self.root, lists=False))


NO_SHAPE = _Shape((), {})


def _nodes(schemas: Sequence[object], root: Mapping[str, Any], *, lists: bool) -> Iterator[Mapping[str, Any]]:
    """Yield each schema that a value may have to meet, through references and unions and, if asked, into lists."""
    seen: set[int] = set()
    waiting = list(reversed(schemas))
    while waiting:
        schema = waiting.pop()
        node = {} if schema is True else schema
        if isinstance(node, Mapping) and id(node) not in seen:
            seen.add(id(node))
            yield node
            waiting.extend(reversed(list(_parts(node, root, lists=lists))))


def _parts(node: Mapping[str, Any], root: Mapping[str, Any], *, lists: bool) -> Iterator[object]:
    if "$ref" in node:
        yield _target(node["$ref"], root)
    for keyword in ("anyOf", "oneOf", "allOf") if lists else ("anyOf", "oneOf"):
        yield from node.get(keyword, ())
    if lists:
        yield from _items(node)


def _items(node: Mapping[str, Any]) -> Iterator[object]:
    yield from node.get("prefixItems", ())
    items = node.get("items", node.get("type") == "array")
    if isinstance(items, list):  # draft-07 spells prefixItems so
        yield from items
    else:
        yield items


def _target(reference: str, root: Mapping[str, Any]) -> object:
    """Return the schema behind a local reference; one to elsewhere says nothing about fields."""
    if reference != "#" and not reference.startswith("#/"):
        return True
    node: Any = root
    for step in reference.split("/")[1:]:
        key = _step(step)
        try:
            node = node[int(key)] if isinstance(node, list) else node[key]
        except (LookupError, TypeError, ValueError):
            return True
    return node


def _step(written: str) -> str:
    """Return a step of a JSON pointer as it stands in a URL: the name or index that it means."""
    return unquote(written).replace("~1", "/").replace("~0", "~")


def _is_free(node: Mapping[str, Any]) -> bool:
    """Whether a schema allows objects and says nothing about their fields."""
    kinds = node.get("type", "object")
    bound = {"$ref", "anyOf", "oneOf", "allOf", "enum", "const", "properties"}
    return not bound & node.keys() and (kinds == "object" or "object" in kinds)


def _is_null(node: Mapping[str, Any]) -> bool:
    kinds = node.get("type", ())
    stated = kinds == "null" or "null" in kinds or node.get("nullable") is True
    listed = None in node.get("enum", ()) or node.get("const", "") is None
    return stated or listed or not node.keys() - ANNOTATIONS


def _check(selection: Selection, values: Iterable[object], shape: _Shape, place: tuple[str, ...]) -> None:
    """Raise SelectionProblem unless each selected field is known by the schema or by a value."""
    present = list(_flat(values))
    objects = [value for value in present if isinstance(value, Mapping)]
    known = dict.fromkeys((*shape.fields, *(name for value in objects for name in value)))
    if not known and not shape.is_open:
        if not shape.nodes and not any(value is not None and value != {} for value in present):
            return  # nothing is here that could tell
        raise SelectionProblem(f"{_spoken(place)} has no fields to select from")
    for name, inner in selection.fields.items():
        if name not in known and not shape.is_open:
            raise _unknown(name, known, place)
        if inner is not None:
            within = [value[name] for value in objects if name in value]
            _check(inner, within, shape.inner(name), (*place, name))


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


def _selected(selection: Selection, value: object, shape: _Shape) -> object:
    if isinstance(value, list):
        return [_selected(selection, item, shape) for item in value]
    if not isinstance(value, Mapping):
        return value
    found: dict[str, object] = {}
    for name, inner in selection.fields.items():
        if name in value:
            found[name] = value[name] if inner is None else _selected(inner, value[name], shape.inner(name))
        elif shape.allows_null(name):
            found[name] = None
    return found


def _reduced(selection: Selection, schema: object, root: Mapping[str, Any], path: tuple[int, ...]) -> Any:
    """Return a schema with the selected fields only; `path` holds the nodes on the way, for references in a circle."""
    if not isinstance(schema, Mapping) or id(schema) in path:
        return True

    def reduced_parts(parts: Sequence[object]) -> list[Any]:
        return [_reduced(selection, part, root, (*path, id(schema))) for part in parts]

    reduced: dict[str, Any] = {keyword: schema[keyword] for keyword in KEPT if keyword in schema}
    for keyword in ("allOf", "prefixItems"):
        if keyword in schema:
            reduced[keyword] = reduced_parts(schema[keyword])
    alternatives = schema.get("anyOf") or schema.get("oneOf")
    if alternatives:  # with fewer fields, several of oneOf may hold
        reduced["anyOf"] = reduced_parts(alternatives)
    items = schema.get("items")
    if items is not None:
        reduced["items"] = reduced_parts(items) if isinstance(items, list) else reduced_parts([items])[0]
    reduced.update(_reduced_fields(selection, schema, root))
    target = reduced_parts([_target(schema["$ref"], root)])[0] if "$ref" in schema else {}
    return reduced if target is True else {**target, **reduced}


def _reduced_fields(
    selection: Selection, schema: Mapping[str, Any], root: Mapping[str, Any]
) -> Iterator[tuple[str, Any]]:
    described = schema.get("properties", {})
    properties = {
        name: _whole(described[name], root, ()) if inner is None else _reduced(inner, described[name], root, ())
        for name, inner in selection.fields.items()
        if name in described
    }
    if properties:
        yield "properties", properties
    required = [name for name in schema.get("required", ()) if name in selection.fields]
    if required:
        yield "required", required


def _whole(schema: Any, root: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    """Return a schema that means the same below a reduced root: only references to definitions stay."""
    if isinstance(schema, list):
        return [_whole(part, root, path) for part in schema]
    if not isinstance(schema, Mapping):
        return schema
    reference = schema.get("$ref")
    if not isinstance(reference, str) or DEFINITION.match(reference):
        return {keyword: _whole(part, root, path) for keyword, part in schema.items()}
    return True if reference in path else _whole(_target(reference, root), root, (*path, reference))


def _definitions(reduced: Mapping[str, Any], root: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the definitions that a reduced schema refers to, directly or through each other, by keyword and name."""
    kept: dict[str, dict[str, Any]] = {}
    waiting: list[Any] = [reduced]
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting.extend(part)
        elif isinstance(part, Mapping):
            waiting.extend(part.values())
            found = DEFINITION.match(str(part.get("$ref")))
            if found and _step(found[2]) not in kept.setdefault(found[1], {}):
                definition = kept[found[1]][_step(found[2])] = _whole(_target(found[0], root), root, ())
                waiting.append(definition)
    return kept


class _Writer:
    """Writes a statement, and stops to descend when types that refer to each other have made it long."""

    def __init__(self) -> None:
        self.fields_left = MOST_FIELDS

    def written(self, shape: _Shape, path: tuple[frozenset[int], ...] = ()) -> str:
        """Return the fields of a shape in braces; "" if there are none or the shape is within itself."""
        names = [name for name in shape.fields if FIELD_NAME.fullmatch(name)]
        here = frozenset(id(node) for node in shape.nodes if "properties" in node)
        is_circle = any(here & outer for outer in path)
        if not names or is_circle or (path and len(names) > self.fields_left) or len(path) == DEEPEST_SELECTION:
            return ""
        self.fields_left -= len(names)
        fields = (f"{name} {self.written(shape.inner(name), (*path, here))}".rstrip() for name in names)
        return f"{{ {' '.join(fields)} }}"
