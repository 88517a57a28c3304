"""Values that violate a schema, made from ones that fit."""

from __future__ import annotations

from typing import Any

import pytest

from vlmrun_mock.schema import validation
from vlmrun_mock.schema.counterexample import violating

OF_NUMBERS: dict[str, Any] = {"type": "object", "additionalProperties": {"type": "number"}}


def test_one_field_is_of_another_type_and_the_others_are_as_they_were() -> None:
    spoilt = violating({"a": 1, "b": 2}, OF_NUMBERS)

    assert spoilt == {"a": "not what was asked for", "b": 2}
    assert validation.violations(OF_NUMBERS, spoilt)


def test_a_field_is_missing_where_its_type_is_free() -> None:
    known = {"type": "object", "required": ["b"]}

    assert violating({"a": 1, "b": 2}, known) == {"a": 1}


@pytest.mark.parametrize(
    "known",
    [None, {}, {"title": "Anything"}, {"$ref": "#/$defs/missing"}],
    ids=["none", "empty", "of anything", "unusable"],
)
def test_where_no_schema_can_be_violated_an_object_becomes_a_list(known: dict[str, Any] | None) -> None:
    assert violating({"a": 1}, known) == [{"a": 1}]
    assert violating("a sentence", known) == {"unexpected": "a sentence"}


def test_a_thousand_fields_that_may_be_anything_are_not_all_tried() -> None:
    value = {f"field_{number}": number for number in range(1000)}

    assert violating(value, {"type": "object"}) == [value]
