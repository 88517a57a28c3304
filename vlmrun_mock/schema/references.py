"""The subschemas of a JSON Schema, and the targets of its references; nothing outside the schema is fetched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias
from urllib.parse import unquote, urldefrag, urljoin

Place: TypeAlias = tuple[str | int, ...]
"""The keys and indices of the path to a part of a JSON value."""

SUBSCHEMA: tuple[str, ...] = ("additionalProperties", "unevaluatedProperties", "propertyNames", "items")
SUBSCHEMA += ("additionalItems", "unevaluatedItems", "contains", "not", "if", "then", "else")
SUBSCHEMA_LIST = ("allOf", "anyOf", "oneOf", "prefixItems", "items")
SUBSCHEMA_MAP = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies")
APPLYING = frozenset({*SUBSCHEMA, *SUBSCHEMA_LIST, *SUBSCHEMA_MAP})
SAME_VALUE = ("allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas", "dependencies")
REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
REFERRING = frozenset(REFERENCES)
CHAINING = REFERRING.union(SAME_VALUE)
IDENTIFYING = frozenset({"$id", "id", "$anchor", "$dynamicAnchor"})
WITH_PATTERNS = frozenset({"pattern", "patternProperties"})


class SchemaProblem(ValueError):
    """A schema that cannot be used: `place` is the faulty part, `message` the reason."""

    def __init__(self, place: Place, message: str) -> None:
        self.place = place
        self.message = message
        super().__init__(f"{'/'.join(map(str, place)) or 'the schema'}: {message}")


class References:
    """The identifiers that a schema declares (`$id`, `$anchor`), and the target of each reference in it."""

    def __init__(self, root: Any) -> None:
        self.root = root
        self._draft = draft(root)
        self._bases: dict[Place, str] = {}
        self._resources: dict[str, Place] = {"": ()}
        self._anchors: dict[tuple[str, str], Place] = {}
        self._resolved: dict[tuple[Place, str], tuple[Place, Any]] = {}
        self.subschemas = tuple(subtree((), root))  # parents first, the root included
        self.patterns: dict[str, Place] = {}  # with a place of each; of the subschemas that `note` was told
        self.name_patterns: dict[str, Place] = {}
        for place, schema in self.subschemas:
            if isinstance(schema, dict) and not IDENTIFYING.isdisjoint(schema):
                self._identify(place, schema)

    def note(self, place: Place, schema: Mapping[str, Any]) -> None:
        """Keep the patterns of a subschema."""
        if isinstance(schema.get("pattern"), str):
            self.patterns.setdefault(schema["pattern"], (*place, "pattern"))
        if isinstance(schema.get("patternProperties"), dict):
            for pattern in schema["patternProperties"]:
                self.name_patterns.setdefault(pattern, (*place, "patternProperties"))

    @property
    def has_resources(self) -> bool:
        """Whether parts of the schema have an address of their own, so that a reference depends on where it stands."""
        return len(self._bases) > 1

    def _identify(self, place: Place, schema: Mapping[str, Any]) -> None:
        base = self._base(place)
        identifier = self._identifier(schema)
        if isinstance(identifier, str) and identifier.startswith("#"):
            self._anchors.setdefault((base, identifier[1:]), place)
        elif isinstance(identifier, str):
            base = urldefrag(_joined(base, identifier, place)).url
            self._resources.setdefault(base, place)
            self._bases[place] = base
        for keyword in ("$anchor", "$dynamicAnchor"):
            if isinstance(schema.get(keyword), str):
                self._anchors.setdefault((base, schema[keyword]), place)

    def _base(self, place: Place) -> str:
        """Return the base URI of the nearest enclosing subschema that has one."""
        if not self._bases:
            return ""
        enclosing = (place[:end] for end in range(len(place), -1, -1))
        return next((self._bases[outer] for outer in enclosing if outer in self._bases), "")

    def _identifier(self, schema: Mapping[str, Any]) -> object:
        """Return the `$id` of a subschema; up to draft 7 a `$ref` voids all keywords beside it."""
        if "$ref" in schema and self._draft in {"04", "06", "07"}:
            return None
        return schema.get("id" if self._draft == "04" else "$id")

    def resolve(self, place: Place, reference: str) -> tuple[Place, Any]:
        """Return the place and the subschema that a `reference` at `place` leads to; raises SchemaProblem."""
        found = self._resolved.get((place, reference))
        if found is None:
            found = self._resolved[place, reference] = self._found(place, reference)
        return found

    def _found(self, place: Place, reference: str) -> tuple[Place, Any]:
        base = self._base(place)
        uri, fragment = (base, reference[1:]) if reference[:1] == "#" else urldefrag(_joined(base, reference, place))
        if uri not in self._resources:
            raise SchemaProblem((*place, "$ref"), f"{reference!r:.200} is outside the schema, and nothing is fetched")
        target = self._resources[uri]
        if fragment and not unquote(fragment).startswith("/"):
            target = self._anchors.get((uri, unquote(fragment)), ("",))
        elif fragment:
            target += tuple(map(pointer_step, fragment[1:].split("/")))
        return self._at(target, place, reference)

    def _at(self, target: Place, place: Place, reference: str) -> tuple[Place, Any]:
        schema: Any = self.root
        actual: Place = ()
        try:
            for part in target:
                key = int(part) if isinstance(schema, list) and str(part).isdecimal() else part
                schema = schema[key]
                actual = (*actual, key)
        except (KeyError, IndexError, TypeError):
            schema = None
        if not isinstance(schema, dict | bool):
            raise SchemaProblem((*place, "$ref"), f"{reference!r:.200} leads to no schema")
        return actual, schema

    def targets(self, place: Place, schema: Any) -> Iterator[tuple[Place, Any]]:
        """Return the place and the subschema that each reference of `schema` leads to; raises SchemaProblem."""
        return (self.resolve(place, reference) for _, reference in references_in(schema))

    def same_value(self, place: Place, schema: Any) -> Iterator[tuple[Place, Any]]:
        """Yield the subschemas that apply to the same value as `schema`."""
        if not isinstance(schema, dict) or CHAINING.isdisjoint(schema):
            return
        for child_place, child in children(schema, SAME_VALUE):
            yield (*place, *child_place), child
        yield from self.targets(place, schema)


def references_in(schema: Any) -> Iterator[tuple[str, str]]:
    """Yield the keyword and the text of each reference of `schema` itself."""
    if isinstance(schema, dict) and not REFERRING.isdisjoint(schema):
        for keyword in REFERENCES:
            reference = schema.get(keyword)
            if isinstance(reference, str):
                yield keyword, reference


DRAFTS: Mapping[str, str] = {
    **{f"http://json-schema.org/draft-{number}/schema": number for number in ("04", "06", "07")},
    **{f"http://json-schema.org/draft/{number}/schema": number for number in ("2019-09", "2020-12")},
}
"""The drafts by what `$schema` says."""


def named_draft(root: Mapping[str, Any]) -> str | None:
    """Return the draft that `$schema` names, such as `07`, or None if it names none that is known."""
    return DRAFTS.get(str(root.get("$schema", "")).replace("https://", "http://", 1).rstrip("#"))


def draft(root: Mapping[str, Any]) -> str:
    """Return the draft of a schema; without one that is known it is `2020-12`."""
    return named_draft(root) or "2020-12"


def children(schema: Any, keywords: tuple[str, ...] | None = None) -> Iterator[tuple[Place, Any]]:
    """Yield the subschemas directly below `schema`, of some keywords or of all, with their places in it."""
    for keyword, value in schema.items() if isinstance(schema, dict) and not APPLYING.isdisjoint(schema) else ():
        if keywords is not None and keyword not in keywords:
            continue
        if keyword in SUBSCHEMA and isinstance(value, dict | bool):
            yield (keyword,), value
        elif keyword in SUBSCHEMA_LIST and isinstance(value, list):
            yield from (((keyword, index), child) for index, child in enumerate(value))
        elif keyword in SUBSCHEMA_MAP and isinstance(value, dict):
            yield from (((keyword, name), child) for name, child in value.items() if isinstance(child, dict | bool))


def subtree(place: Place, schema: Any) -> Iterator[tuple[Place, Any]]:
    """Yield a schema and all subschemas below it, parents first."""
    waiting = [(place, schema)]
    while waiting:
        place, schema = waiting.pop()
        yield place, schema
        waiting += [((*place, *below), child) for below, child in children(schema)]


def pointer_step(written: str) -> str:
    """Return the unescaped name or index of one step of a JSON pointer in a URL."""
    return unquote(written).replace("~1", "/").replace("~0", "~")


def _joined(base: str, reference: str, place: Place) -> str:
    try:
        return urljoin(base, reference) if base else reference
    except ValueError as error:  # such as a broken IPv6 host
        raise SchemaProblem(place, f"{reference!r:.200} is not a URI") from error
