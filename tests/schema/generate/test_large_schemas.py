"""Schemas of tens of kilobytes: the work grows with their size, and no faster."""

from __future__ import annotations

import gc
import json
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


LETTERS = "abcdefghijklmnop"


def web(count: int, link: Callable[[Schema], Schema]) -> Schema:
    """Return a schema of objects, each with a link to each of them."""
    names = [f"d{each}" for each in range(count)]
    links = {name: link({"$ref": f"#/$defs/{name}"}) for name in names}
    return {"$ref": "#/$defs/d0", "$defs": {name: {"type": "object", "properties": links} for name in names}}


def form(count: int, field: Callable[[int], Schema], name: str = "p") -> Schema:
    """Return a schema of an object with many properties."""
    return {"type": "object", "properties": {f"{name}{each}": field(each) for each in range(count)}}


def fork(name: str) -> Schema:
    """Return a schema of an object with three references to a definition."""
    return {"type": "object", "properties": {each: {"$ref": f"#/$defs/{name}"} for each in "abc"}}


def listing(count: int, items: Schema, **more: object) -> Schema:
    """Return a schema of a long list."""
    return {"type": "array", "minItems": count, "items": items, **more}


LINE: Schema = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}

AMOUNT: Schema = {"type": "number"}
BILLED: Schema = {
    "type": "object",
    "properties": {"quantity": {"type": "integer"}, "unit_price": AMOUNT, "total": AMOUNT},
    "required": ["quantity", "unit_price", "total"],
}


def named(name: str) -> Schema:
    """Return a schema of an object with one text."""
    return {"type": "object", "properties": {name: {"type": "string"}}, "required": [name]}


HARD: dict[str, Schema] = {
    "definitions that lead to each other, or nowhere": web(8, lambda link: {"anyOf": [link, {"type": "null"}]}),
    "more of these": web(30, lambda link: {"anyOf": [link, {"type": "null"}]}),
    "definitions that lead to each other": web(8, lambda link: link),
    "definitions that lead to lists of each other": web(20, lambda link: {"type": "array", "items": link}),
    "a schema that leads to itself many times": form(1_800, lambda _: {"$ref": "#"}),
    "a tree of definitions": {
        "$ref": "#/$defs/d0",
        "$defs": {**{f"d{each}": fork(f"d{each + 1}") for each in range(30)}, "d30": {"type": "string"}},
    },
    "allOf of properties": {"allOf": [form(1, lambda _: {"type": "string"}, f"p{each}") for each in range(1_000)]},
    "properties of numbers": form(2_400, lambda _: {"type": "number"}),
    "properties with bounds": form(2_500, lambda each: {"maximum": each}),
    "properties with patterns": form(1_800, lambda each: {"pattern": f"^x{each}$"}),
    "properties with patterns of Unicode": form(1_800, lambda each: {"pattern": f"^\\p{{L}}{each}$"}),
    "properties with long patterns": form(300, lambda each: {"type": "string", "pattern": f"^[a-z]{{{3000 + each}}}$"}),
    "properties with a long enum": {
        **form(1_300, lambda _: {"$ref": "#/$defs/e"}),
        "$defs": {"e": {"enum": [f"v{each}" for each in range(3_000)]}},
    },
    "properties of a large union": {
        **form(1_400, lambda _: {"$ref": "#/$defs/u"}),
        "$defs": {"u": {"oneOf": [{"required": ["t"], "properties": {"t": {"const": each}}} for each in range(30)]}},
    },
    "patternProperties": {"type": "object", "patternProperties": {f"^a{each}$": {} for each in range(4_000)}},
    "patternProperties in each property": form(
        400, lambda each: {"type": "object", "patternProperties": {f"^a{each}{other}": {} for other in LETTERS[:6]}}
    ),
    "properties of a new name each": {"type": "object", "minProperties": 5_000},
    "a list of numbers": listing(5_000, {"type": "number"}),
    "a list of dates": listing(5_000, {"type": "string", "format": "date-time"}),
    "a list of patterns": listing(5_000, {"type": "string", "pattern": "^[A-Z]{3}-[0-9]{5}$"}),
    "a list of objects": listing(2_900, LINE),
    "a list of objects that all differ": listing(1_000, LINE, uniqueItems=True),
    "a list of what two enums allow": listing(
        400,
        {"allOf": [{"enum": [f"v{each}" for each in range(start, start + 2_500)]} for start in (0, 1_200)]},
    ),
    "a list of what one of many schemas allows": listing(1_000, {"anyOf": [{"enum": [each]} for each in range(500)]}),
    "a list of addresses": listing(2_900, named("address")),
    "a list of companies": listing(2_900, named("company_name")),
    "a list of addresses that all differ": listing(1_500, named("address"), uniqueItems=True),
    "a list of numbers that all differ": listing(2_000, {**AMOUNT, "minimum": 0, "maximum": 100}, uniqueItems=True),
    "a list of more of these": listing(4_000, {**AMOUNT, "minimum": 0, "maximum": 100}, uniqueItems=True),
    "a list of patterns that all differ": listing(
        1_500, {"type": "string", "pattern": "^[A-Z]{3}-[0-9]{5}$"}, uniqueItems=True
    ),
    "a list of numbers with examples that are none of it": listing(
        3_000, {"type": "integer", "minimum": 20, "examples": [each % 10 for each in range(9_000)]}
    ),
    "a list of objects of an enum": listing(3_000, {"enum": [{"a": each, "b": [1, 2]} for each in range(2_500)]}),
    "a list of what many schemas allow": listing(2_000, {"type": "string", "allOf": [{"minLength": 3}] * 200}),
    "a list of what many references lead to": {
        **listing(3_000, {"$ref": "#/$defs/d0"}),
        "$defs": {**{f"d{each}": {"$ref": f"#/$defs/d{each + 1}"} for each in range(90)}, "d90": {"type": "string"}},
    },
    "a list of what one of many objects allows": {
        **listing(150, {"oneOf": [{"$ref": f"#/$defs/d{each}"} for each in range(400)]}),
        "$defs": {f"d{each}": {"required": ["t"], "properties": {"t": {"const": each}}} for each in range(400)},
    },
    "a list of first items": {"type": "array", "prefixItems": [{"const": each} for each in range(4_300)]},
    "a list of first items with addresses": {"type": "array", "prefixItems": [{"format": "email"}] * 3_100},
    "an invoice of many lines": {"type": "object", "properties": {"lines": listing(1_000, BILLED), "total": AMOUNT}},
    "invoices in many lists": {
        **form(280, lambda _: listing(4, {"$ref": "#/$defs/line"})),
        "$defs": {"line": BILLED},
    },
    "properties with e-mail addresses": form(2_000, lambda _: {"type": "string"}, "email_"),
    "properties of what two enums allow": {
        **form(800, lambda _: {"$ref": "#/$defs/e"}),
        "$defs": {
            "e": {"allOf": [{"enum": [f"v{each}" for each in range(start, start + 1_900)]} for start in (0, 1_200)]}
        },
    },
    "properties that are multiples": form(2_000, lambda each: {"multipleOf": (each + 1) / 100}),
    "properties with patterns of many sets": form(
        25, lambda each: {"type": "string", "pattern": f"^{each}{'[a-zA-Z0-9_]' * 180}$"}
    ),
}
"""Schemas of at most 64 kB that ask for much, by what they hold."""

MOST_CALLS = 700_000
"""Calls of the interpreter's functions in about a tenth of a second."""


@pytest.mark.parametrize("kind", HARD)
def test_no_schema_of_64_kilobytes_is_much_work(kind: str) -> None:
    schema = HARD[kind]
    generate(GROWING["properties"](10), seed=Seed())  # what is loaded at first use is loaded now

    assert len(json.dumps(schema, separators=(",", ":"))) <= 64_000
    assert calls(schema) <= MOST_CALLS


@pytest.mark.parametrize("kind", HARD)
def test_a_schema_that_asks_for_much_is_answered(kind: str) -> None:
    schema = HARD[kind]

    made = generate(schema, seed=Seed())

    assert violations(schema, made) == []
    assert len(json.dumps(made)) > 2
    assert generate(json.loads(json.dumps(schema)), seed=Seed()) == made


def test_a_long_list_repeats_values_rather_than_fields() -> None:
    made = generate(listing(1_900, {**LINE, "required": ["name", "email"]}), seed=Seed())

    assert isinstance(made, list)
    assert {tuple(row) for row in made} == {("name", "email")}
    assert len({row["name"] for row in made}) > 20


def test_a_large_form_has_a_value_of_its_kind_in_each_field() -> None:
    fields = {f"c{each}_{name}": {"type": "string"} for each in range(500) for name in ("email", "city", "due_date")}

    made = generate({"type": "object", "properties": fields, "required": list(fields)}, seed=Seed())

    assert isinstance(made, dict)
    assert list(made) == list(fields)
    assert all("@" in value for name, value in made.items() if name.endswith("email"))


def test_a_large_form_has_all_that_the_example_has() -> None:
    fields = {**{f"p{each}": "number" for each in range(2_400)}, "invoice_id": "string", "city": "string"}
    schema = {"type": "object", "properties": {name: {"type": kind} for name, kind in fields.items()}}

    made = generate(schema, seed=Seed(), base={"city": "Oslo", "invoice_id": "A-1"})

    assert isinstance(made, dict)
    assert (made["city"], made["invoice_id"]) == ("Oslo", "A-1")
    assert len(made) == len(fields)


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


def test_an_answer_leaves_no_garbage_in_cycles_which_only_a_round_of_the_collector_finds() -> None:
    schema = web(8, lambda target: {"anyOf": [target, {"type": "null"}]})
    generate(schema, seed=Seed())
    gc.collect()
    gc.disable()
    try:
        generate(schema, seed=Seed(1))
        found = gc.collect()
    finally:
        gc.enable()

    assert found < 100
