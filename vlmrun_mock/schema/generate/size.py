"""The least size of an answer, computed before anything is built, so that hopeless schemas fail at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vlmrun_mock.schema.generate.budget import MOST_VALUES
from vlmrun_mock.schema.references import REFERENCES, Place, References, SchemaProblem

UNDER_WAY = 0


def check_size(references: References) -> None:
    """Raise SchemaProblem if each value that meets the schema would be too large to build."""
    least = Least(references)
    if least.of((), references.root) > MOST_VALUES:
        raise SchemaProblem(least.largest, f"an answer would have more than {MOST_VALUES:,} values")


class Least:
    """Counts the values that a value of each subschema holds at the least; an uncertain one counts as none."""

    def __init__(self, references: References) -> None:
        self._references = references
        self._known: dict[Place, int] = {}
        self.largest: Place = ()  # the innermost place that is too large already

    def of(self, place: Place, schema: Any) -> int:
        """Return how many values there are at the least, the value itself included."""
        if not isinstance(schema, dict):
            return 1
        if place not in self._known:
            self._known[place] = UNDER_WAY  # a recursion adds nothing that is sure
            self._known[place] = max(self._branches(place, schema), default=1)
            if self._known[place] > MOST_VALUES and not self.largest:
                self.largest = place
        return self._known[place]

    def _branches(self, place: Place, schema: dict[str, Any]) -> Iterator[int]:
        """Yield lower bounds, each of which holds on its own."""
        yield 1
        for keyword in REFERENCES:
            if isinstance(schema.get(keyword), str):
                yield self.of(*self._references.resolve(place, schema[keyword]))
        for index, branch in enumerate(schema.get("allOf", [])):
            yield self.of((*place, "allOf", index), branch)
        for keyword in ("anyOf", "oneOf"):
            branches = enumerate(schema.get(keyword, []))
            yield min((self.of((*place, keyword, index), branch) for index, branch in branches), default=1)
        if schema.get("type") == "object":
            yield 1 + sum(self._required(place, schema))
            yield 1 + self._free(place, schema)
        if schema.get("type") == "array":
            yield 1 + self._items(place, schema)
            if isinstance(schema.get("contains"), dict):
                yield 1 + int(schema.get("minContains", 1)) * self.of((*place, "contains"), schema["contains"])

    def _required(self, place: Place, schema: dict[str, Any]) -> Iterator[int]:
        properties = schema.get("properties", {})
        for name in schema.get("required", []) if isinstance(schema.get("required"), list) else []:
            yield self.of((*place, "properties", name), properties.get(name, True))

    def _free(self, place: Place, schema: dict[str, Any]) -> int:
        """Return how many values the properties that the schema does not name hold."""
        named = "properties" in schema or "patternProperties" in schema
        each = schema.get("additionalProperties", True)
        count = int(schema.get("minProperties", 0))
        return count * (self.of((*place, "additionalProperties"), each) if count and not named else 1)

    def _items(self, place: Place, schema: dict[str, Any]) -> int:
        least = int(schema.get("minItems", 0))
        first = schema.get("prefixItems", [])
        counted = sum(self.of((*place, "prefixItems", index), item) for index, item in enumerate(first[:least]))
        rest = max(least - len(first), 0)
        items = schema.get("items", True)
        return counted + (rest * self.of((*place, "items"), items) if rest and isinstance(items, dict) else rest)
