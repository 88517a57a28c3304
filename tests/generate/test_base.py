"""Values come from an example answer where names and types agree."""

from __future__ import annotations

from typing import Any

import pytest

from vlmrun_mock.generate import generate
from vlmrun_mock.seed import Seed

TEXT = {"type": "string"}
BASE: dict[str, Any] = {
    "invoice_id": "INV-1",
    "issuer": {"name": "Acme Works", "city": "Lund"},
    "items": [{"description": "Bolt", "quantity": 2}, {"description": "Nut", "quantity": None}],
    "tags": ["red", 7, "blue"],
    "total": 12.0,
    "note": None,
    "paid": True,
    "email": "not an address",
}


def filled(properties: dict[str, Any], **keywords: Any) -> Any:
    return generate({"type": "object", "properties": properties, **keywords}, seed=Seed(1), base=BASE)


@pytest.mark.parametrize("name", ["invoice_id", "invoiceId", "Invoice ID", "INVOICE-ID"])
def test_names_agree_without_case_and_separators(name: str) -> None:
    assert filled({name: TEXT}) == {name: "INV-1"}


def test_an_object_is_filled_from_the_object_of_its_name() -> None:
    value = filled({"Issuer": {"type": "object", "properties": {"city": TEXT, "name": TEXT}}})

    assert value == {"Issuer": {"city": "Lund", "name": "Acme Works"}}


def test_a_wrapper_that_the_base_lacks_is_filled_from_what_encloses_it() -> None:
    header = {"type": "object", "properties": {"invoice_id": TEXT, "total": {"type": "number"}}}

    value = filled({"data": {"type": "object", "properties": {"header": header}}})

    assert value == {"data": {"header": {"invoice_id": "INV-1", "total": 12.0}}}


def test_a_list_has_as_many_items_as_the_bases() -> None:
    item = {"type": "object", "properties": {"description": TEXT, "quantity": {"type": "integer"}}}

    items = filled({"items": {"type": "array", "items": item}})["items"]

    assert [one["description"] for one in items] == ["Bolt", "Nut"]
    assert items[0]["quantity"] == 2
    assert isinstance(items[1]["quantity"], int)


def test_the_bounds_of_a_list_come_before_the_bases_items() -> None:
    item = {"type": "object", "properties": {"description": TEXT}}

    more = filled({"items": {"type": "array", "items": item, "minItems": 3}})["items"]
    fewer = filled({"items": {"type": "array", "items": item, "maxItems": 1}})["items"]

    assert [one["description"] for one in more[:2]] == ["Bolt", "Nut"]
    assert len(more) == 3
    assert fewer == [{"description": "Bolt"}]


def test_items_that_do_not_fit_are_generated() -> None:
    tags = filled({"tags": {"type": "array", "items": TEXT}})["tags"]

    assert (tags[0], tags[2]) == ("red", "blue")
    assert isinstance(tags[1], str)


@pytest.mark.parametrize("note", [TEXT, {"type": ["null", "string"]}, {"anyOf": [TEXT, {"type": "null"}]}])
def test_a_null_never_replaces_a_value(note: dict[str, Any]) -> None:
    assert isinstance(filled({"note": note})["note"], str)


def test_a_null_stays_where_nothing_else_is_allowed() -> None:
    assert filled({"note": {"type": "null"}}) == {"note": None}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "integer"}, 12),
        ({"type": "number"}, 12.0),
        ({"type": "string"}, "12.0"),
        ({"anyOf": [{"type": "boolean"}, {"type": "number"}]}, 12.0),
        ({"anyOf": [{"type": "integer", "minimum": 50}, {"type": "number"}]}, 12.0),
        ({"enum": [1, 12]}, 12),
    ],
)
def test_a_number_is_written_as_the_schema_asks(schema: dict[str, Any], expected: object) -> None:
    value = filled({"total": schema})["total"]

    assert value == expected
    assert isinstance(value, str) is isinstance(expected, str)


@pytest.mark.parametrize("schema", [{"type": "number", "minimum": 100}, {"type": "boolean"}, {"const": 4}])
def test_a_value_that_does_not_fit_is_generated(schema: dict[str, Any]) -> None:
    assert filled({"total": schema})["total"] != BASE["total"]


def test_a_list_of_the_base_is_taken_whole_where_it_is_one_of_the_listed_values() -> None:
    listed = [["x"], {"a": [1.0]}, ["red", 7, "blue"]]

    assert filled({"tags": {"enum": listed}}) == {"tags": ["red", 7, "blue"]}


def test_an_object_of_the_base_is_no_text() -> None:
    assert isinstance(filled({"issuer": TEXT})["issuer"], str)


def test_a_format_is_checked_before_a_value_is_taken() -> None:
    assert filled({"email": {"type": "string", "format": "email"}})["email"] != BASE["email"]


def test_a_boolean_is_no_number() -> None:
    value = filled({"paid": {"type": "integer"}})["paid"]

    assert value is not True


def test_an_open_object_takes_everything() -> None:
    assert generate({"type": "object"}, seed=Seed(1), base=BASE)["invoice_id"] == "INV-1"  # type: ignore[index]  # an object


def test_a_list_around_the_document_holds_it_once() -> None:
    document = {"type": "object", "properties": {"invoice_id": TEXT}}

    assert filled({"documents": {"type": "array", "items": document}}) == {"documents": [{"invoice_id": "INV-1"}]}


def test_other_fields_stay_as_they_are_without_a_base() -> None:
    alone = generate({"properties": {"city": TEXT}}, seed=Seed(1))

    assert filled({"city": TEXT, "invoice_id": TEXT}) == {**alone, "invoice_id": "INV-1"}  # type: ignore[dict-item]  # an object


def test_repeats_in_the_base_are_replaced_where_items_must_differ() -> None:
    schema = {"properties": {"tags": {"type": "array", "items": TEXT, "uniqueItems": True}}}

    value: Any = generate(schema, seed=Seed(1), base={"tags": ["a", "a", "b"]})

    assert value["tags"][0] == "a"
    assert len(set(value["tags"])) == 3
