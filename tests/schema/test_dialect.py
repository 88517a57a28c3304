"""Schemas without `$schema` are read as the dialect that they must be, as code generators write them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it has no types
import pytest

from vlmrun_mock.schema.dialect import modern
from vlmrun_mock.schema.generate import generate
from vlmrun_mock.schema.references import SchemaProblem
from vlmrun_mock.schema.validation import load, violations
from vlmrun_mock.seed import Seed

DRAFT_4 = "http://json-schema.org/draft-04/schema#"
NAMES = ("Binary object", "List[Item]", "Page<User>", 'a"b', "Größe", "a^b|c`d{e}", "a\\b", "100 %25")


def number(**bounds: Any) -> dict[str, Any]:
    """Return a schema of an object with one number."""
    return {"type": "object", "properties": {"a": {"type": "number", **bounds}}, "required": ["a"]}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("place", ["$defs", "definitions"])
def test_a_reference_may_name_what_a_uri_would_escape(name: str, place: str) -> None:
    reference = f"#/{place}/{name.replace('%25', '%2525')}"
    schema = {"properties": {"a": {"$ref": reference}}, "required": ["a"], place: {name: {"const": "found"}}}

    assert generate(schema, seed=Seed()) == {"a": "found"}
    assert violations(schema, {"a": "other"})


@pytest.mark.parametrize(
    ("bounds", "good", "bad"),
    [
        ({"minimum": 0, "exclusiveMinimum": True}, 1, 0),
        ({"minimum": 0, "exclusiveMinimum": False}, 0, -1),
        ({"maximum": 5, "exclusiveMaximum": True}, 4, 5),
        ({"minimum": 4, "maximum": 6, "exclusiveMinimum": True, "exclusiveMaximum": True}, 5, 6),
        ({"exclusiveMinimum": True, "minimum": -1.5}, -1, -1.5),
    ],
)
def test_a_bound_of_draft_4_is_as_exclusive_as_there(bounds: Mapping[str, Any], good: float, bad: float) -> None:
    schema = number(**bounds)
    validator = jsonschema.Draft4Validator(schema)

    made = generate(schema, seed=Seed())

    assert validator.is_valid(made)
    assert validator.is_valid({"a": good})
    assert violations(schema, {"a": good}) == []
    assert not validator.is_valid({"a": bad})
    assert violations(schema, {"a": bad})


def test_a_list_of_items_is_one_schema_for_each() -> None:
    schema = {"type": "array", "items": [{"type": "string"}, {"type": "integer"}], "additionalItems": False}

    made = generate(schema, seed=Seed())

    assert isinstance(made, list)
    assert [type(item) for item in made] == [str, int]
    assert violations(schema, ["a", 1, 2])


def test_a_schema_that_names_its_dialect_is_read_as_that_one() -> None:
    exclusive = number(minimum=0, exclusiveMinimum=True)

    assert violations({"$schema": DRAFT_4, **exclusive}, {"a": 0})
    with pytest.raises(SchemaProblem, match="exclusiveMinimum"):
        generate({"$schema": "https://json-schema.org/draft/2020-12/schema", **exclusive}, seed=Seed())


def test_data_and_names_in_a_schema_stay_as_they_are() -> None:
    schema = {
        "properties": {"exclusiveMinimum": True, "items": {"enum": [{"items": [1], "$ref": "a b"}]}},
        "const": {"exclusiveMaximum": True},
    }

    guesses = set[str]()

    assert modern(schema, guesses) == schema
    assert guesses == set()


@pytest.mark.parametrize(
    ("schema", "guesses"),
    [
        (number(minimum=0, exclusiveMinimum=True), ["exclusiveMinimum is a boolean, as in draft 4 and OpenAPI 3.0"]),
        (number(maximum=0, exclusiveMaximum=False), ["exclusiveMaximum is a boolean, as in draft 4 and OpenAPI 3.0"]),
        ({"items": [{"type": "string"}]}, ["items is a list, as before 2020-12"]),
        ({"$ref": "#/$defs/List[A]", "$defs": {"List[A]": {}}}, ["$ref has a name that is not escaped"]),
        (
            {"properties": {"a": {"items": [{}], "$defs": {"b": number(exclusiveMinimum=True)}}}},
            ["exclusiveMinimum is a boolean, as in draft 4 and OpenAPI 3.0", "items is a list, as before 2020-12"],
        ),
        ({"$schema": "https://a.example/s"}, ["$schema names no known dialect, and 2020-12 stands in"]),
        ({"$schema": "http://json-schema.org/schema#"}, ["$schema names no known dialect, and 2020-12 stands in"]),
        (number(minimum=0, exclusiveMinimum=1), []),
        ({"$schema": DRAFT_4, **number(minimum=0, exclusiveMinimum=True)}, []),
        ({"$schema": "https://json-schema.org/draft/2020-12/schema"}, []),
        ({"$schema": "https://json-schema.org/draft/2019-09/schema#"}, []),
        ({"$ref": "#/$defs/List%5BA%5D", "$defs": {"List[A]": {}}}, []),
    ],
)
def test_a_dialect_that_is_guessed_is_named(schema: Mapping[str, Any], guesses: list[str]) -> None:
    assert list(load(schema).guesses) == guesses
