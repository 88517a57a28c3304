"""Values come from an example answer where names and types agree."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from vlmrun.hub.registry import registry

from vlmrun_mock.schema.generate import generate
from vlmrun_mock.seed import Seed

FIXTURES = Path(__file__).parent.parent.parent.parent / "fixtures"
TEXT = {"type": "string"}
NUMBER = {"type": "number"}
LINE = {"type": "object", "properties": {"description": TEXT, "qty": NUMBER, "price": NUMBER, "amount": NUMBER}}
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


def read(domain: str, name: str) -> Any:
    return json.loads((FIXTURES / domain / name).read_text(encoding="utf-8"))


def packaged(domain: str) -> Any:
    return read(domain, "answer.json")["answer"]["content"]


def objects(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def filled(properties: dict[str, Any], **keywords: Any) -> Any:
    return generate({"type": "object", "properties": properties, **keywords}, seed=Seed(1), base=BASE)


@pytest.mark.parametrize("name", ["invoice_id", "invoiceId", "Invoice ID", "INVOICE-ID"])
def test_names_agree_without_case_and_separators(name: str) -> None:
    assert filled({name: TEXT}) == {name: "INV-1"}


def test_an_object_is_filled_from_the_object_of_its_name() -> None:
    value = filled({"Issuer": {"type": "object", "properties": {"city": TEXT, "name": TEXT}}})

    assert value == {"Issuer": {"city": "Lund", "name": "Acme Works"}}


def test_a_wrapper_that_is_missing_in_the_base_is_filled_from_the_object_around_it() -> None:
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


@pytest.mark.parametrize("domain", sorted(file.parent.name for file in FIXTURES.glob("*/schema.json")))
def test_a_domains_own_schema_keeps_its_packaged_answer(domain: str) -> None:
    content = packaged(domain)

    value = generate(read(domain, "schema.json"), seed=Seed(1), base=content)

    assert json.dumps(value, sort_keys=True) == json.dumps(content, sort_keys=True)


@pytest.mark.parametrize("domain", registry.list_schemas())
def test_a_domains_hub_model_keeps_its_packaged_answer(domain: str) -> None:
    content = packaged(domain)

    value = generate(registry[domain].model_json_schema(), seed=Seed(1), base=content)

    assert json.dumps(value, sort_keys=True) == json.dumps(content, sort_keys=True)


@pytest.mark.parametrize("note", [{}, {"type": ["null", "string"]}, {"anyOf": [TEXT, {"type": "null"}]}])
def test_a_null_of_the_base_is_kept_where_null_is_allowed(note: dict[str, Any]) -> None:
    assert filled({"note": note}) == {"note": None}


def test_a_null_of_the_base_is_replaced_where_a_value_must_be() -> None:
    assert isinstance(filled({"note": TEXT})["note"], str)


def test_a_field_that_is_missing_in_the_base_is_filled() -> None:
    assert isinstance(filled({"remark": {"anyOf": [TEXT, {"type": "null"}]}})["remark"], str)


def test_open_items_are_the_bases_own() -> None:
    assert filled({"items": {"type": "array", "items": {}}}) == {"items": BASE["items"]}


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
        ({"anyOf": [TEXT, {"type": "number"}]}, 12.0),
        ({}, 12.0),
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


@pytest.mark.parametrize(
    ("name", "domain", "known"),
    [
        ("invoice_number", "document.invoice", "invoice_id"),
        ("invoiceNo", "document.invoice", "invoice_id"),
        ("vendor_name", "document.invoice", "issuer_name"),
        ("supplier", "document.invoice", "issuer_name"),
        ("issue_date", "document.invoice", "invoice_issue_date"),
        ("due_date", "document.invoice", "invoice_due_date"),
        ("customer", "document.invoice", "customer_name"),
        ("merchant", "document.receipt", "merchant_name"),
        ("vendor_name", "document.receipt", "merchant_name"),
        ("receipt_number", "document.receipt", "receipt_id"),
    ],
)
def test_a_field_takes_the_bases_value_of_another_name_for_the_same(name: str, domain: str, known: str) -> None:
    value: Any = generate(objects(**{name: TEXT}), seed=Seed(1), base=packaged(domain))

    assert value == {name: packaged(domain)[known]}


def test_a_party_of_the_base_fills_an_object_of_its_name() -> None:
    schema = objects(vendor=objects(name=TEXT, email=TEXT), client=objects(name=TEXT))

    value: Any = generate(schema, seed=Seed(1), base=packaged("document.invoice"))

    assert value["vendor"]["name"] == "Hollis & Birch Workshop Supply, Inc."
    assert value["vendor"]["email"] == "billing@hollisbirch.example"
    assert value["client"]["name"] == "Tidemark Makerspace LLC"


def test_lines_of_another_name_are_the_bases() -> None:
    base = packaged("document.invoice")

    value: Any = generate(objects(line_items={"items": LINE}, tax=NUMBER, total=NUMBER), seed=Seed(1), base=base)

    assert [line["amount"] for line in value["line_items"]] == [item["total_price"] for item in base["items"]]
    assert [line["price"] for line in value["line_items"]] == [item["unit_price"] for item in base["items"]]
    assert (value["tax"], value["total"]) == (base["tax_amount"], base["total_amount"])


def test_the_exact_name_comes_before_another_for_the_same() -> None:
    value = generate(objects(due_date=TEXT), seed=Seed(1), base={"invoice_due_date": "later", "due_date": "now"})

    assert value == {"due_date": "now"}


def test_a_value_of_another_name_must_meet_the_schema_too() -> None:
    value: Any = generate(objects(due_date={**TEXT, "format": "date"}), seed=Seed(1), base={"invoice_due_date": "soon"})

    assert value["due_date"] != "soon"


def test_lines_that_are_missing_in_the_base_add_up_to_the_amounts_around_them() -> None:
    base = {"subtotal": 9.0, "total": 11.0, "tax": 2.0, "description": "All of it"}
    schema = objects(lines={"type": "array", "items": LINE}, subtotal=NUMBER, tax=NUMBER, total=NUMBER)

    value: Any = generate(schema, seed=Seed(1), base=base)

    assert value["subtotal"] == round(sum(line["amount"] for line in value["lines"]), 2)
    assert value["total"] == round(value["subtotal"] + 2.0, 2)
    assert "All of it" not in [line["description"] for line in value["lines"]]


def test_properties_that_a_pattern_declares_are_the_bases() -> None:
    schema = {"type": "object", "patternProperties": {"^n_": TEXT}, "properties": {"a": TEXT}}

    value = generate(schema, seed=Seed(1), base={"a": "x", "n_1": "y", "other": "z"})

    assert value == {"a": "x", "n_1": "y"}


def test_names_that_are_not_allowed_are_not_taken_from_the_base() -> None:
    schema = {"type": "object", "propertyNames": {"enum": ["tags", "note"]}}

    assert generate(schema, seed=Seed(1), base=BASE) == {"tags": BASE["tags"], "note": None}


def test_a_value_that_is_not_listed_is_taken_where_another_branch_allows_it() -> None:
    assert filled({"total": {"anyOf": [{"enum": [1, 2]}, NUMBER]}}) == {"total": 12.0}
