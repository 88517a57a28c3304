"""The parts of a JSON Schema: which keywords hold subschemas, and where references lead, within the schema alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias
from urllib.parse import unquote, urldefrag, urljoin

Place: TypeAlias = tuple[str | int, ...]
"""The keys and indices that lead to a part of a JSON value, be it a schema or an answer."""

SUBSCHEMA: tuple[str, ...] = ("additionalProperties", "unevaluatedProperties", "propertyNames", "items")
SUBSCHEMA += ("additionalItems", "unevaluatedItems", "contains", "not", "if", "then", "else")
SUBSCHEMA_LIST = ("allOf", "anyOf", "oneOf", "prefixItems", "items")
SUBSCHEMA_MAP = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies")
SAME_VALUE = ("allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas", "dependencies")
REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")


class SchemaProblem(ValueError):
    """A schema that cannot be used: `place` is the part that is at fault, `message` says why."""

    def __init__(self, place: Place, message: str) -> None:
        self.place = place
        self.message = message
        super().__init__(f"{'/'.join(map(str, place)) or 'the schema'}: {message}")


class References:
    """The identifiers that a schema declares (`$id`, `$anchor`), and the target of each reference in it."""

    def __init__(self, root: Any) -> None:
        self.root = root
        self._draft = draft(root)
        self.bases: dict[Place, str] = {}
        self._resources: dict[str, Place] = {"": ()}
        self._anchors: dict[tuple[str, str], Place] = {}
        for place, schema in subtree((), root):
            self._identify(place, schema)

    def _identify(self, place: Place, schema: Any) -> None:
        base = next((self.bases[place[:end]] for end in range(len(place), -1, -1) if place[:end] in self.bases), "")
        identifier = self._identifier(schema)
        if isinstance(identifier, str) and identifier.startswith("#"):
            self._anchors.setdefault((base, identifier[1:]), place)
        elif isinstance(identifier, str):
            base = urldefrag(_joined(base, identifier, place)).url
            self._resources.setdefault(base, place)
        self.bases[place] = base
        for keyword in ("$anchor", "$dynamicAnchor") if isinstance(schema, dict) else ():
            if isinstance(schema.get(keyword), str):
                self._anchors.setdefault((base, schema[keyword]), place)

    def _identifier(self, schema: Any) -> object:
        """Return the `$id` of a subschema; up to draft 7 a `$ref` makes all keywords beside it void."""
        if not isinstance(schema, dict) or ("$ref" in schema and self._draft in {"04", "06", "07"}):
            return None
        return schema.get("id" if self._draft == "04" else "$id")

    def resolve(self, place: Place, reference: str) -> tuple[Place, Any]:
        """Return the place and the subschema that `reference`, met at `place`, leads to."""
        base = next(self.bases[place[:end]] for end in range(len(place), -1, -1) if place[:end] in self.bases)
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
        schema, actual = self.root, []
        for part in target:
            key: Any = int(part) if isinstance(schema, list) and str(part).isdecimal() else part
            if isinstance(schema, dict) and key not in schema:
                break
            if not isinstance(schema, dict) and not (isinstance(schema, list) and key in range(len(schema))):
                break
            schema = schema[key]
            actual.append(key)
        else:
            if isinstance(schema, dict | bool):
                return tuple(actual), schema
        raise SchemaProblem((*place, "$ref"), f"{reference!r:.200} leads to no schema")

    def same_value(self, place: Place, schema: Any) -> Iterator[tuple[Place, Any]]:
        """Yield the subschemas that apply to the very value that `schema` applies to."""
        for child_place, child in children(schema, SAME_VALUE):
            yield (*place, *child_place), child
        for keyword in REFERENCES if isinstance(schema, dict) else ():
            if isinstance(schema.get(keyword), str):
                yield self.resolve(place, schema[keyword])


def draft(root: Mapping[str, Any]) -> str:
    """Return the draft that `$schema` names, such as `07` or `2020-12`, which also stands for an unknown one."""
    name = str(root.get("$schema", "")).replace("https://", "http://", 1).rstrip("#")
    drafts = {f"http://json-schema.org/draft-{number}/schema": number for number in ("04", "06", "07")}
    return drafts.get(name, "2019-09" if name == "http://json-schema.org/draft/2019-09/schema" else "2020-12")


def children(schema: Any, keywords: tuple[str, ...] | None = None) -> Iterator[tuple[Place, Any]]:
    """Yield the subschemas directly below `schema` with their places in it, of some keywords or of all."""
    for keyword, value in schema.items() if isinstance(schema, dict) else ():
        if keywords is not None and keyword not in keywords:
            continue
        if keyword in SUBSCHEMA and isinstance(value, dict | bool):
            yield (keyword,), value
        elif keyword in SUBSCHEMA_LIST and isinstance(value, list):
            yield from (((keyword, index), child) for index, child in enumerate(value))
        elif keyword in SUBSCHEMA_MAP and isinstance(value, dict):
            yield from (((keyword, name), child) for name, child in value.items() if isinstance(child, dict | bool))


def subtree(place: Place, schema: Any) -> Iterator[tuple[Place, Any]]:
    """Yield a schema and all that is below it, parents first."""
    waiting = [(place, schema)]
    while waiting:
        place, schema = waiting.pop()
        yield place, schema
        waiting += [((*place, *below), child) for below, child in children(schema)]


def pointer_step(written: str) -> str:
    """Return the name or index that a step of a JSON pointer in a URL means."""
    return unquote(written).replace("~1", "/").replace("~0", "~")


def _joined(base: str, reference: str, place: Place) -> str:
    try:
        return urljoin(base, reference) if base else reference
    except ValueError as error:  # such as a broken IPv6 host
        raise SchemaProblem(place, f"{reference!r:.200} is not a URI") from error
