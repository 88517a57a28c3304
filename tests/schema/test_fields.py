"""A field that a schema does not declare is found wherever it stands, and named with what it may be called now."""

from __future__ import annotations

from typing import Any

import pytest

from vlmrun_mock.fixtures.domains import packaged
from vlmrun_mock.schema.fields import Fields, UnknownField

DOMAINS = packaged()
TEXT: dict[str, Any] = {"type": "string"}
NULL: dict[str, Any] = {"type": "null"}


def having(**properties: Any) -> dict[str, Any]:
    """Return the schema of an object with properties, of which nothing else is said."""
    return {"type": "object", "properties": properties}


def unknown(schema: dict[str, Any], value: object) -> list[UnknownField]:
    return list(Fields(schema).unknown(value))


def places(schema: dict[str, Any], value: object) -> list[tuple[str | int, ...]]:
    return [found.place for found in unknown(schema, value)]


@pytest.mark.parametrize("name", DOMAINS.names())
def test_every_packaged_answer_has_only_declared_fields(name: str) -> None:
    domain = DOMAINS.get(name)

    assert domain is not None
    assert unknown(domain.schema, domain.content) == []


def test_a_renamed_field_is_found_with_the_name_that_is_closest() -> None:
    schema = having(invoice_id=TEXT, total_amount=TEXT)

    assert unknown(schema, {"invoice_id": "1", "total": "2"}) == [UnknownField(("total",), "total_amount")]


def test_a_name_that_the_value_has_already_is_not_what_another_field_is_called_now() -> None:
    schema = having(total_amount=TEXT, total=TEXT)

    assert unknown(schema, {"total": "1", "totals": "2", "total_amount": "3"}) == [UnknownField(("totals",), None)]


DEFINED = {"$defs": {"Line": having(quantity=TEXT), "Tree": having(children={"items": {"$ref": "#/$defs/Tree"}})}}
WHERE: dict[str, tuple[dict[str, Any], object, tuple[str | int, ...]]] = {
    "in an object": (having(a=having(b=TEXT)), {"a": {"c": "x"}}, ("a", "c")),
    "behind a reference": (having(a={"$ref": "#/$defs/Line"}) | DEFINED, {"a": {"c": 1}}, ("a", "c")),
    "in a type within itself": (
        {"$ref": "#/$defs/Tree"} | DEFINED,
        {"children": [{}, {"children": [{"child": 1}]}]},
        ("children", 1, "children", 0, "child"),
    ),
    "in an optional object": (having(a={"anyOf": [having(b=TEXT), NULL]}), {"a": {"c": 1}}, ("a", "c")),
    "in one of two objects": (having(a={"oneOf": [having(b=TEXT), having(c=TEXT)]}), {"a": {"d": 1}}, ("a", "d")),
    "in what is put together": ({"allOf": [having(a=TEXT), having(b=TEXT)]}, {"a": "", "b": "", "c": ""}, ("c",)),
    "in a list": (having(a={"type": "array", "items": having(b=TEXT)}), {"a": [{"b": ""}, {"c": 1}]}, ("a", 1, "c")),
    "in a tuple": ({"prefixItems": [TEXT, having(a=TEXT)], "items": TEXT}, ["", {"b": 1}, {"b": 1}], (1, "b")),
    "in a tuple of draft 7": ({"items": [having(a=TEXT)], "additionalItems": TEXT}, [{"b": 1}], (0, "b")),
    "in any other field": ({"additionalProperties": having(b=TEXT)}, {"x": {"c": 1}}, ("x", "c")),
    "in a field by its pattern": (
        {"properties": {"a": TEXT}, "patternProperties": {"^x_": having(b=TEXT)}},
        {"a": "", "x_1": {"c": 1}},
        ("x_1", "c"),
    ),
    "beside a pattern": ({"properties": {"a": TEXT}, "patternProperties": {"^x_": TEXT}}, {"x_1": "", "b": 1}, ("b",)),
    "where it is forbidden": (having(a=TEXT) | {"additionalProperties": False}, {"b": 1}, ("b",)),
    "beside a condition": (having(a=TEXT) | {"if": having(b=TEXT), "then": having(c=TEXT)}, {"c": "", "b": 1}, ("b",)),
}


@pytest.mark.parametrize("where", WHERE)
def test_an_undeclared_field_is_found(where: str) -> None:
    schema, value, place = WHERE[where]

    assert places(schema, value) == [place]


ALLOWED: dict[str, tuple[dict[str, Any], object]] = {
    "further fields of any kind": (having(a=TEXT) | {"additionalProperties": True}, {"b": 1}),
    "further fields of a kind": (having(a=TEXT) | {"additionalProperties": TEXT}, {"b": "x"}),
    "further fields that nothing else evaluates": (having(a=TEXT) | {"unevaluatedProperties": TEXT}, {"b": "x"}),
    "an object of which nothing is said": (having(a={"type": "object"}), {"a": {"b": 1}}),
    "a value of which nothing is said": (having(a={}), {"a": {"b": {"c": 1}}}),
    "a value of which all is true": (having(a=True), {"a": {"b": 1}}),
    "a field that either branch declares": ({"anyOf": [having(a=TEXT), having(b=TEXT)]}, {"a": "", "b": ""}),
    "anything in one of the branches": ({"anyOf": [having(a=TEXT), {"type": ["object", "null"]}]}, {"b": 1}),
    "a pattern that only ECMAScript knows": (
        {"properties": {"a": TEXT}, "patternProperties": {r"^\p{L}+$": TEXT}},
        {"b": ""},
    ),
    "an object where a text should be": (having(a=TEXT), {"a": {"b": 1}}),
    "no object at all": (having(a=TEXT), "text"),
}


@pytest.mark.parametrize("what", ALLOWED)
def test_what_is_left_free_is_free(what: str) -> None:
    schema, value = ALLOWED[what]

    assert places(schema, value) == []


def test_a_value_that_is_nested_without_end_is_looked_at_down_to_a_depth() -> None:
    value: dict[str, Any] = {"child": 1}
    for _ in range(5_000):
        value = {"children": [value]}

    assert places({"$ref": "#/$defs/Tree"} | DEFINED, value) == []


def test_a_reference_to_elsewhere_leaves_all_fields_free() -> None:
    schema = having(a={"$ref": "https://example.com/schema.json"})

    assert places(schema, {"a": {"b": 1}}) == []
