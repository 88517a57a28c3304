"""Schemas of tens of kilobytes: the work grows with their size, and no faster."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from vlmrun_mock.schema.generate import generate
from vlmrun_mock.schema.references import SchemaProblem
from vlmrun_mock.schema.validation import violations
from vlmrun_mock.seed import Seed

Schema = dict[str, Any]

GROWING: dict[str, Callable[[int], Schema]] = {
    "allOf of empty schemas": lambda size: {"allOf": [{}] * size},
    "allOf of objects": lambda size: {"allOf": [{"type": "object", "minProperties": 0}] * size},
    "properties": lambda size: {"type": "object", "properties": {f"p{each}": {} for each in range(size)}},
    "required properties": lambda size: {
        "properties": {f"p{each}": {"type": "integer"} for each in range(size)},
        "required": [f"p{each}" for each in range(size)],
    },
    "definitions": lambda size: {
        "$defs": {f"d{each}": {"type": "string"} for each in range(size)},
        "properties": {f"p{each}": {"$ref": f"#/$defs/d{each}"} for each in range(size)},
    },
    "an enum": lambda size: {"enum": list(range(size))},
    "anyOf": lambda size: {"anyOf": [{"const": each} for each in range(size)]},
    "a union of references": lambda size: {
        "$defs": {f"d{each}": {"const": each} for each in range(size)},
        "anyOf": [{"$ref": f"#/$defs/d{each}"} for each in range(size)],
    },
}
"""Schemas by their size."""


def calls(schema: Schema) -> int:
    """Return how many functions of the interpreter are called to answer a schema: its work, whatever the machine."""
    count = 0

    def counted(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event == "call"

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        generate(schema, seed=Seed())
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize("kind", GROWING)
def test_twice_the_schema_is_twice_the_work(kind: str) -> None:
    generate(GROWING[kind](10), seed=Seed())  # what is loaded at first use is loaded now

    once, twice = calls(GROWING[kind](400)), calls(GROWING[kind](800))

    assert twice <= 2.3 * once


def test_definitions_that_lead_to_each_other_many_times_are_answered() -> None:
    names = [f"d{each}" for each in range(8)]
    links = {name: {"anyOf": [{"$ref": f"#/$defs/{name}"}, {"type": "null"}]} for name in names}
    schema = {"$ref": "#/$defs/d0", "$defs": {key: {"type": "object", "properties": links} for key in names}}

    made = generate(schema, seed=Seed())

    assert violations(schema, made) == []
    assert isinstance(made, dict)
    assert list(made) == names


@pytest.mark.parametrize(
    ("items", "count"),
    [
        ({"enum": list(range(2_000))}, 2_000),
        ({"enum": [f"value {each}" for each in range(2_000)]}, 1_500),
        ({"type": "integer", "enum": [*range(1_500), *map(str, range(500))]}, 1_500),
        ({"enum": list(range(3_000)), "multipleOf": 2}, 1_500),
        ({"allOf": [{"enum": list(range(2_000))}, {"enum": list(range(500, 2_500))}]}, 1_500),
        ({"$ref": "#/$defs/one"}, 2_000),
    ],
    ids=["all", "texts", "of a type", "even ones", "of two lists", "by reference"],
)
def test_a_long_list_of_different_values_of_an_enum_is_answered(items: Schema, count: int) -> None:
    schema = {"type": "array", "uniqueItems": True, "minItems": count, "items": items}
    schema["$defs"] = {"one": {"enum": list(range(2_000))}}

    made = generate(schema, seed=Seed())

    assert isinstance(made, list)
    assert len(made) == count
    assert violations(schema, made) == []
    assert generate(schema, seed=Seed()) == made
    assert generate(schema, seed=Seed(1)) != made


def test_more_different_values_than_an_enum_has_are_refused() -> None:
    schema = {"type": "array", "uniqueItems": True, "minItems": 4_001, "items": {"enum": list(range(4_000))}}

    with pytest.raises(SchemaProblem):
        generate(schema, seed=Seed())
