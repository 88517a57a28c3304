"""The minimum size of an answer, computed in advance so that a schema of oversized answers fails at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vlmrun_mock.schema.generate.budget import MOST_VALUES
from vlmrun_mock.schema.references import REFERENCES, Place, References, SchemaProblem

UNDER_WAY = 0
SIZING = frozenset({"allOf", "anyOf", "oneOf", "type", *REFERENCES})
"""Without any of these keywords, a value may be a single one."""


def check_size(references: References) -> int:
    """Return a lower bound of the number of values in an answer; raises SchemaProblem if that is too large to build."""
    minimum = MinimumSize(references)
    least = minimum.of((), references.root)
    if least > MOST_VALUES:
        raise SchemaProblem(minimum.largest, f"an answer would have more than {MOST_VALUES:,} values")
    return least


class MinimumSize:
    """A lower bound of the number of values in a value of each subschema."""

    def __init__(self, references: References) -> None:
        self._references = references
        self._known: dict[Place, int] = {}
        self.largest: Place = ()  # the innermost place with a value that is too large

    def of(self, place: Place, schema: Any) -> int:
        """Return the least number of values, the value itself included."""
        if not isinstance(schema, dict) or SIZING.isdisjoint(schema):
            return 1
        if place not in self._known:
            self._known[place] = UNDER_WAY  # a recursion adds nothing certain
            self._known[place] = max(self._branches(place, schema), default=1)
            if self._known[place] > MOST_VALUES and not self.largest:
                self.largest = place
        return self._known[place]

    def _branches(self, place: Place, schema: dict[str, Any]) -> Iterator[int]:
        """Yield lower bounds, each of which holds by itself."""
        yield 1
        for target in self._references.targets(place, schema):
            yield self.of(*target)
        for index, branch in enumerate(schema.get("allOf", [])):
            yield self.of((*place, "allOf", index), branch)
        for keyword in ("anyOf", "oneOf"):
            branches = enumerate(schema.get(keyword, []))
            yield min((self.of((*place, keyword, index), branch) for index, branch in branches), default=1)
        if schema.get("type") == "object":
            names = schema.get("required")
            properties = schema.get("properties", {})
            required = names if isinstance(names, list) else []
            yield 1 + sum(self.of((*place, "properties", name), properties.get(name, True)) for name in required)
            yield 1 + self._free(place, schema)
        if schema.get("type") == "array":
            yield 1 + self._items(place, schema)
            if isinstance(schema.get("contains"), dict):
                yield 1 + int(schema.get("minContains", 1)) * self.of((*place, "contains"), schema["contains"])

    def _free(self, place: Place, schema: dict[str, Any]) -> int:
        """Return the least number of values in the properties that the schema does not name."""
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
