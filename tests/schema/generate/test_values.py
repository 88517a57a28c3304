"""Generated values are believable: they follow names and formats, and those of one document belong together."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from vlmrun_mock.schema.generate import generate
from vlmrun_mock.schema.generate.phrases import VEHICLES
from vlmrun_mock.schema.references import SchemaProblem
from vlmrun_mock.schema.validation import violations
from vlmrun_mock.seed import Seed

TEXT = {"type": "string"}
NUMBER = {"type": "number"}
INTEGER = {"type": "integer"}


def of(properties: dict[str, Any], **keywords: Any) -> Any:
    """Return the value generated for an object with these properties."""
    return generate({"type": "object", "properties": properties, **keywords}, seed=Seed(7))


def iban_remainder(iban: str) -> int:
    return int("".join(str(int(letter, 36)) for letter in iban[4:] + iban[:4])) % 97


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("email", r"[a-z.']+@example\.com"),
        ("contactEmail", r"[a-z.']+@example\.com"),
        ("vendor_email", r"office@[a-z]+\.example\.com"),
        ("phone", r"\(\d{3}\) 555-01\d\d"),
        ("faxNumber", r"\(\d{3}\) 555-01\d\d"),
        ("website", r"https://www\.[a-z]+\.example\.com"),
        ("swift", r"[A-Z]{4}US33"),
        ("currency", "USD"),
        ("country", "United States"),
        ("country_code", "US"),
        ("state", "[A-Z]{2}"),
        ("zip", r"\d{5}"),
        ("postalCode", r"\d{5}"),
        ("street", r"\d+ .+"),
        ("address", r"\d+ .+, .+, [A-Z]{2} \d{5}"),
        ("invoice_id", r"INV-202[345]-\d{4}"),
        ("invoiceNumber", r"INV-202[345]-\d{4}"),
        ("po_number", r"PO-202[345]-\d{4}"),
        ("issue_date", r"202[345]-\d\d-\d\d"),
        ("created_at", r"202[345]-\d\d-\d\dT\d\d:\d\d:00Z"),
        ("start_time", r"\d\d:\d\d"),
        ("date_of_birth", r"(19|20)\d\d-\d\d-\d\d"),
        ("ssn", r"9\d\d-\d\d-\d{4}"),
        ("vat_id", r"00-\d{7}"),
        ("language", "en"),
        ("gender", "male|female"),
        ("sku", r"[A-Z]{2}-\d{4}"),
        ("total", r"\d+\.\d\d"),
        ("year", "202[345]"),
        ("description", ".{20,}"),
        ("uuid", r"[0-9a-f-]{36}"),
        ("file_name", r".+\.pdf"),
        ("user_name", r"[a-z]+"),
        ("middle_name", "[A-Z]"),
        ("ein", r"00-\d{7}"),
        ("bank_name", ".* (Bank|Credit Union)"),
        ("place_of_birth", "[A-Z][a-z]+"),
        ("ip_address", r"203\.0\.113\.\d+"),
        ("dimensions_unit", "cm"),
        ("medication", "[A-Z][a-z]+"),
        ("given_names", "[A-Z][a-z]+"),
        ("vin", "[A-HJ-NPR-Z0-9]{17}"),
        ("license_plate", r"[A-Z]{3}-\d{4}"),
        ("provider_npi", r"\d{10}"),
        ("mrn", r"MRN-\d{4}-\d{4}"),
        ("diagnosis", "[A-Z].{10,}"),
        ("dosage", ".*(daily|hours)"),
        ("blood_pressure", r"\d{3}/\d\d\d?"),
        ("insurance_provider", ".*(Health Plan|Insurance.*)"),
        ("governing_law", "[A-Z][A-Za-z ]+"),
        ("cashier", r"[A-Z]\w+ [A-Z][\w']+"),
        ("github_url", r"https://github\.example\.com/[a-z]+"),
        ("linkedin", r"https://linkedin\.example\.com/[a-z]+"),
        ("fuel_type", "gasoline|diesel|electric"),
        ("icd10_code", r"J45\.909"),
        ("unheard_of", ".{3,}"),
    ],
)
def test_a_text_follows_its_name(name: str, pattern: str) -> None:
    value = of({name: TEXT})

    assert re.fullmatch(pattern, value[name])


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("confidence", 0, 1),
        ("match_score", 0, 1),
        ("tax_rate", 0, 1),
        ("percentage", 0, 100),
        ("quantity", 1, 10),
        ("age", 18, 90),
        ("month", 1, 12),
        ("year", 2023, 2025),
        ("latitude", 24, 49),
        ("longitude", -125, -66),
        ("page_number", 1, 1),
        ("unit_price", 1, 1000),
        ("weight", 0, 100),
        ("gpa", 2, 4),
        ("years_of_experience", 1, 40),
        ("heart_rate", 55, 100),
        ("temperature_f", 97, 100),
        ("mileage", 10_000, 150_000),
        ("unheard_of", 0, 1000),
    ],
)
def test_a_number_follows_its_name(name: str, low: float, high: float) -> None:
    value = of({name: NUMBER})[name]

    assert low <= value <= high
    assert round(value, 3) == value


def test_an_iban_has_the_right_check_digits() -> None:
    assert iban_remainder(of({"iban": TEXT})["iban"]) == 1


def test_a_box_has_four_numbers_inside_the_picture() -> None:
    numbers = {"type": "array", "items": NUMBER, "minItems": 4, "maxItems": 4}

    box = of({"xywh": numbers})["xywh"]

    assert len(box) == 4
    assert all(0 <= number <= 1 for number in box)


@pytest.mark.parametrize("name", ["bbox", "bounding_box", "xywh"])
def test_a_box_of_any_length_has_four_numbers_too(name: str) -> None:
    box = of({name: {"type": "array", "items": NUMBER}})[name]

    assert len(box) == 4
    assert all(0 <= number <= 1 for number in box)


def test_a_vehicles_make_and_model_belong_together() -> None:
    value = of({"vehicle_make": TEXT, "vehicle_model": TEXT, "vehicle": {"properties": {"make": TEXT, "model": TEXT}}})

    assert (value["vehicle_make"], value["vehicle_model"]) in VEHICLES
    assert (value["vehicle"]["make"], value["vehicle"]["model"]) in VEHICLES


def test_what_encloses_a_name_says_whose_name_it_is() -> None:
    named = {"type": "object", "properties": {"name": TEXT}}

    value = of({"vendor": named, "employee": named, "bank": named, "items": {"type": "array", "items": named}})

    assert re.search(r"(Co\.|Logistics|Industries|Partners|LLC|Group|Works)$", value["vendor"]["name"])
    assert re.fullmatch(r"[A-Z]\w+ [A-Z][\w']+", value["employee"]["name"])
    assert re.search("(Bank|Credit Union)$", value["bank"]["name"])
    assert all(" " in item["name"] for item in value["items"])
    assert value["vendor"]["name"] != value["employee"]["name"]


def test_the_names_and_the_address_of_one_person_agree() -> None:
    value = of({"first_name": TEXT, "last_name": TEXT, "name": TEXT, "email": TEXT})

    assert value["name"] == f"{value['first_name']} {value['last_name']}"
    assert value["email"] == f"{value['first_name']}.{value['last_name']}@example.com".lower()


def test_a_city_its_state_and_its_zip_code_agree() -> None:
    value = of({"billing_city": TEXT, "billing_state": TEXT, "billing_zip": TEXT})

    city, state, code = value["billing_city"], value["billing_state"], value["billing_zip"]
    places = {("Portland", "OR", "97205"), ("Austin", "TX", "78701"), ("Denver", "CO", "80202")}
    places |= {("Columbus", "OH", "43215"), ("Madison", "WI", "53703"), ("Raleigh", "NC", "27601")}
    places |= {("Tucson", "AZ", "85701"), ("Boise", "ID", "83702"), ("Omaha", "NE", "68102")}
    places |= {("Richmond", "VA", "23219")}
    assert (city, state, code) in places


@pytest.mark.parametrize("number", range(10))
def test_dates_are_in_order_and_never_relative_to_today(number: int) -> None:
    names = ["issue_date", "due_date", "period_start", "period_end", "expiry_date"]
    schema = {"properties": {name: {"type": "string", "format": "date"} for name in names}}

    value = generate(schema, seed=Seed(number))

    days = {name: dt.date.fromisoformat(day) for name, day in value.items()}  # type: ignore[attr-defined]  # an object
    assert days["issue_date"] < days["due_date"] < days["expiry_date"]
    assert days["period_start"] < days["period_end"]
    assert all(2023 <= day.year <= 2025 for day in days.values())


def test_a_documents_amounts_add_up() -> None:
    line = {"type": "object", "properties": {"quantity": INTEGER, "unit_price": NUMBER, "total": NUMBER}}

    value = of({"items": {"type": "array", "items": line}, "subtotal": NUMBER, "tax": NUMBER, "total": NUMBER})

    assert all(item["total"] == round(item["quantity"] * item["unit_price"], 2) for item in value["items"])
    assert value["subtotal"] == round(sum(item["total"] for item in value["items"]), 2)
    assert value["total"] == round(value["subtotal"] + value["tax"], 2)


def test_lines_without_a_total_add_up_by_price_and_quantity() -> None:
    line = {"type": "object", "properties": {"quantity": INTEGER, "unit_price": NUMBER}}

    value = of({"items": {"type": "array", "items": line}, "subtotal": NUMBER})

    assert value["subtotal"] == round(sum(item["quantity"] * item["unit_price"] for item in value["items"]), 2)


@pytest.mark.parametrize(("rate", "share"), [(0.07, 0.07), (7, 0.07)])
def test_a_tax_is_its_rate_of_the_subtotal(rate: float, share: float) -> None:
    value = of({"subtotal": NUMBER, "tax_rate": {"const": rate}, "tax": NUMBER, "total": NUMBER})

    assert value["tax"] == round(value["subtotal"] * share, 2)
    assert value["total"] == round(value["subtotal"] + value["tax"], 2)


@pytest.mark.parametrize("name", ["balance", "balance_due", "amount_due"])
def test_what_is_left_to_pay_is_the_total_without_what_is_paid(name: str) -> None:
    value = of({name: NUMBER, "subtotal": NUMBER, "tax": NUMBER, "total": NUMBER, "amount_paid": NUMBER})

    assert value["total"] == round(value["subtotal"] + value["tax"], 2)
    assert value[name] == round(value["total"] - value["amount_paid"], 2)


def test_a_total_that_the_schema_bounds_keeps_its_bounds() -> None:
    value = of({"quantity": INTEGER, "unit_price": NUMBER, "total": {"type": "number", "maximum": 1}})

    assert value["total"] <= 1


def test_a_value_does_not_change_when_a_field_is_added_beside_it() -> None:
    few = of({"vendor_name": TEXT, "city": TEXT, "amount": NUMBER})

    more = of({"notes": TEXT, "vendor_name": TEXT, "other": NUMBER, "city": TEXT, "amount": NUMBER})

    assert {name: more[name] for name in few} == few


def test_other_seeds_and_other_facts_give_other_values() -> None:
    schema = {"properties": {"name": TEXT, "amount": NUMBER, "street": TEXT}}

    values = [generate(schema, seed=Seed(number), facts=[fact]) for number in range(3) for fact in ("a", "b")]

    assert len({json.dumps(value) for value in values}) == 6


def test_properties_come_in_declared_order() -> None:
    value = of({"b": TEXT, "a": TEXT, "c": TEXT}, required=["c", "z"])

    assert list(value) == ["b", "a", "c", "z"]


def test_a_recursion_ends_after_a_few_levels() -> None:
    value = of({"name": TEXT, "next": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}}, required=["next"])

    assert value["next"]["next"] is None


def test_a_huge_optional_schema_loses_its_lower_levels() -> None:
    definitions: dict[str, Any] = {f"a{level}": of_two({"$ref": f"#/$defs/a{level + 1}"}) for level in range(30)}
    schema = {"$defs": {**definitions, "a30": TEXT}, "$ref": "#/$defs/a0"}

    value: Any = generate(schema, seed=Seed(1))

    assert list(value) == ["left", "right"]
    assert len(json.dumps(value)) < 1000


def of_two(child: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": {"left": child, "right": child}}


def test_more_choices_than_can_be_nested_are_a_problem() -> None:
    schema = {"allOf": [{"anyOf": [{"minLength": 1}, {"maxLength": 9}]} for _ in range(2000)], "type": "string"}

    with pytest.raises(SchemaProblem, match="too deeply"):
        generate(schema, seed=Seed(1))


def test_threads_do_not_disturb_each_other() -> None:
    schema = {"properties": {"items": {"type": "array", "minItems": 20, "items": {"properties": {"name": TEXT}}}}}
    alone = generate(schema, seed=Seed(3))
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(generate(schema, seed=Seed(3)))) for _ in range(8)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [alone] * 8


def test_another_process_with_another_hash_seed_and_locale_gives_the_same_bytes() -> None:
    schema = {"properties": {"name": TEXT, "code": {"pattern": "^[^a-z]\\W{3}\\D$", "type": "string"}, "n": NUMBER}}
    program = "import json, sys; from vlmrun_mock.schema.generate import generate; from vlmrun_mock.seed import Seed;"
    program += "print(json.dumps(generate(json.loads(sys.argv[1]), seed=Seed(4))))"

    outputs = {
        subprocess.run(
            [sys.executable, "-c", program, json.dumps(schema)],
            env={**os.environ, "PYTHONHASHSEED": number, "TZ": zone, "LC_ALL": "C", "PYTHONPATH": str(Path.cwd())},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for number, zone in (("1", "UTC"), ("99", "Asia/Tokyo"))
    }

    assert outputs == {json.dumps(generate(schema, seed=Seed(4))) + "\n"}


@pytest.mark.parametrize("items", [{}, {"type": "string"}, {"type": "number"}, {"type": "string", "format": "email"}])
def test_a_long_list_without_repeats_is_made(items: dict[str, Any]) -> None:
    found = generate({"type": "array", "minItems": 1_500, "uniqueItems": True, "items": items}, seed=Seed())

    assert isinstance(found, list)
    assert len({json.dumps(item) for item in found}) == len(found) == 1_500


PAYMENTS: dict[str, Any] = {
    "oneOf": [{"$ref": "#/$defs/Card"}, {"$ref": "#/$defs/Bank"}],
    "discriminator": {"propertyName": "kind", "mapping": {"card": "#/$defs/Card"}},
    "$defs": {
        "Card": {
            "type": "object",
            "properties": {"kind": {"type": "string"}, "last4": {"type": "string"}},
            "required": ["kind", "last4"],
            "additionalProperties": False,
        },
        "Bank": {
            "type": "object",
            "properties": {"kind": {"type": "string"}, "iban": {"type": "string"}},
            "required": ["kind", "iban"],
            "additionalProperties": False,
        },
    },
}


@pytest.mark.parametrize(("kept", "kind"), [(0, "card"), (1, "Bank")])
def test_a_discriminator_has_the_value_that_its_mapping_has_or_else_the_name_of_the_schema(
    kept: int, kind: str
) -> None:
    schema = {**PAYMENTS, "oneOf": [PAYMENTS["oneOf"][kept]]}

    made: Any = generate(schema, seed=Seed())
    either: Any = generate(PAYMENTS, seed=Seed())

    assert made["kind"] == kind
    assert violations(schema, made) == []
    assert either["kind"] in {"card", "Bank"}


def test_a_discriminator_that_states_its_value_keeps_it() -> None:
    schema = json.loads(json.dumps(PAYMENTS))
    schema["$defs"]["Card"]["properties"]["kind"] = {"const": "credit-card"}

    made: Any = generate(schema, seed=Seed())

    assert made["kind"] == "credit-card"
