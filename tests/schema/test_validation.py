"""A caller's schema is checked before it is used, and a value against it, without ever fetching anything."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlmrun_mock.schema.references import SchemaProblem
from vlmrun_mock.schema.validation import Validator, Violation, load, violations

SCHEMAS = Path(__file__).parent.parent / "schemas"
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=8,
)


def problem(schema: object) -> SchemaProblem:
    with pytest.raises(SchemaProblem) as caught:
        load(schema)
    return caught.value


@pytest.mark.parametrize("file", sorted(SCHEMAS.glob("*.json")), ids=lambda file: file.stem)
def test_a_callers_schema_is_accepted(file: Path) -> None:
    schema = json.loads(file.read_text(encoding="utf-8"))

    load(schema)

    assert violations(schema, None) == violations(schema, None)


@pytest.mark.parametrize("schema", [None, True, [], "string", 3])
def test_only_an_object_is_a_schema_at_the_top(schema: object) -> None:
    found = problem(schema)

    assert found.place == ()
    assert "object" in found.message


def test_a_problem_reads_as_its_place_and_its_message() -> None:
    found = problem({"properties": {"a": {"type": "strin"}}})

    assert str(found).startswith("properties/a/type: ")
    assert found.message in str(found)


@pytest.mark.parametrize(
    ("schema", "place"),
    [
        ({"properties": {"a": {"minimum": float("inf")}}}, ("properties", "a", "minimum")),
        ({"properties": {"a": {"minimum": float("nan")}}}, ("properties", "a", "minimum")),
        ({"maximum": 10**400}, ("maximum",)),
        ({"const": "\ud800"}, ("const",)),
        ({"properties": {"\udfff": {}}}, ("properties",)),
        ({"const": {1: 2}}, ("const",)),
        ({"const": {1, 2}}, ("const",)),
        ({"items": {"pattern": "a" * 6000}}, ("items", "pattern")),
        ({"items": {"pattern": "(?<"}}, ("items", "pattern")),
        ({"items": {"$ref": "http://127.0.0.1:9/schema.json"}}, ("items", "$ref")),
        ({"items": {"$ref": "http://[/"}, "$id": "http://example.com"}, ("items",)),
        ({"items": {"$ref": "#nowhere"}}, ("items", "$ref")),
        ({"items": {"$ref": "#/items/type"}, "type": "array"}, ("items", "$ref")),
        ({"items": {"$dynamicRef": "#nowhere"}}, ("items", "$ref")),
        ({"$ref": "#/allOf/7", "allOf": [{}]}, ("$ref",)),
        ({"minProperties": 6000}, ("minProperties",)),
        ({"$schema": "http://json-schema.org/draft-04/schema#", "exclusiveMinimum": 3}, ()),
    ],
)
def test_what_is_wrong_with_a_schema_is_named_by_its_place(schema: object, place: tuple[str | int, ...]) -> None:
    assert problem(schema).place[: len(place)] == place


def test_a_schema_nested_beyond_reason_is_refused() -> None:
    schema: dict[str, Any] = {}
    for _ in range(5000):
        schema = {"not": schema}

    assert "nested" in problem(schema).message


def test_a_schema_of_too_many_parts_is_refused() -> None:
    assert "parts" in problem({"enum": list(range(60_000))}).message


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"anyOf": [{"$ref": "#"}, {"type": "null"}]},
        {"$defs": {"a": {"not": {"$ref": "#/$defs/b"}}, "b": {"if": {"$ref": "#/$defs/a"}}}},
        {"$defs": {f"a{index}": {"$ref": f"#/$defs/a{index + 1}"} for index in range(300)} | {"a300": {}}},
    ],
)
def test_references_that_never_go_into_the_value_are_refused(schema: object) -> None:
    assert "refers to itself" in problem(schema).message


def test_a_schema_that_recurses_into_the_value_is_accepted() -> None:
    schema = {"type": "object", "properties": {"next": {"$ref": "#"}}}

    found = violations(schema, {"next": {"next": 3}})

    assert [one.place for one in found] == [("next", "next")]


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"a": {"id": "other", "$ref": "#/$defs/a"}}, "$defs": {"a": {"type": "null"}}},
        {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "properties": {"a": {"$id": "other", "$ref": "#/definitions/a"}},
            "definitions": {"a": {"type": "null"}},
        },
        {
            "$schema": "http://json-schema.org/draft-04/schema#",
            "properties": {"a": {"$ref": "other.json"}},
            "definitions": {"a": {"id": "other.json", "type": "null"}},
        },
        {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "properties": {"a": {"$ref": "#here"}},
            "definitions": {"a": {"$id": "#here", "type": "null"}},
        },
    ],
)
def test_an_identifier_counts_where_its_draft_says_so(schema: dict[str, Any]) -> None:
    found = violations(schema, {"a": 1})

    assert [one.place for one in found] == [("a",)]


def test_an_unknown_dialect_counts_as_2020_12() -> None:
    schema = {"$schema": "http://127.0.0.1:9/dialect", "prefixItems": [{"type": "string"}]}

    found = violations(schema, [3])

    assert [one.place for one in found] == [(0,)]


@pytest.mark.parametrize(
    ("dialect", "value", "valid"),
    [
        ("http://json-schema.org/draft-04/schema#", 3, False),
        ("http://json-schema.org/draft-04/schema", 4, True),
    ],
)
def test_draft_4_bounds_may_be_exclusive_by_a_flag(dialect: str, value: int, valid: bool) -> None:
    schema = {"$schema": dialect, "minimum": 3, "exclusiveMinimum": True}

    assert (violations(schema, value) == []) is valid


def test_formats_are_checked() -> None:
    found = violations({"properties": {"day": {"format": "date"}}}, {"day": "2024-02-30"})

    assert len(found) == 1
    assert found[0].place == ("day",)
    assert "date" in found[0].message


def test_a_violation_is_plain_data() -> None:
    assert violations({"type": "string"}, 3) == [Violation((), '3 is not of type "string"')]


@pytest.mark.parametrize("value", ["\ud800", {1: 2}, {1, 2}, [[[[]]]] * 2])
def test_any_value_gets_an_answer(value: object) -> None:
    found = violations({"type": "null"}, value)

    assert [one.place for one in found] == [()]


def test_a_value_nested_beyond_reason_is_a_violation() -> None:
    value: list[Any] = []
    for _ in range(3000):
        value = [value]

    found = violations({"items": {"$ref": "#"}}, value)

    assert len(found) == 1
    assert "cannot be checked" not in found[0].message
    assert "can be checked" in found[0].message


def test_references_that_multiply_are_refused_before_checking_takes_for_ever() -> None:
    definitions: dict[str, Any] = {f"a{i}": {"allOf": [{"$ref": f"#/$defs/a{i + 1}"}] * 4} for i in range(20)}
    schema = {"$defs": {**definitions, "a20": {"type": "string"}}, "$ref": "#/$defs/a0"}
    load(schema)

    with pytest.raises(SchemaProblem, match="multiply"):
        violations(schema, "text")


@given(schema=json_values)
def test_any_json_value_is_accepted_or_refused_as_a_schema(schema: object) -> None:
    try:
        load(schema)
    except SchemaProblem as found:
        assert found.message  # noqa: PT017  # either outcome is right, nothing else is
    else:
        assert isinstance(schema, dict)


NULL = {"type": "null"}
STREET = {"type": "object", "properties": {"street": {"type": "string"}, "zip": {"type": "string"}}}
BOX = {"type": "object", "properties": {"box": {"type": "integer"}}, "required": ["box"]}
INSPECTED: dict[str, tuple[dict[str, Any], object, dict[tuple[str | int, ...], str]]] = {
    "nothing": ({"type": "object"}, {}, {}),
    "every field that is wrong": (
        {"properties": {"a": {"type": "string"}, "b": {"items": {"type": "number"}}}},
        {"a": 1, "b": [1, "x", None]},
        {
            ("a",): '1 is not of type "string"',
            ("b", 1): '"x" is not of type "number"',
            ("b", 2): 'null is not of type "number"',
        },
    ),
    "every field that is missing, at its own place": (
        {"items": {"required": ["a", "b"]}},
        [{"c": 1}],
        {(0, "a"): "this field is required", (0, "b"): "this field is required"},
    ),
    "every field too many, at its own place": (
        {"properties": {"c": {}}, "additionalProperties": False},
        {"a": 1, "b": 2},
        {("a",): "no such field is allowed", ("b",): "no such field is allowed"},
    ),
    "a place once, with all reasons": (
        {"minLength": 3, "pattern": "^x"},
        "ab",
        {(): '"ab" is shorter than 3 characters; "ab" does not match "^x"'},
    ),
    "all of the branch that is no null": (
        {"anyOf": [STREET | {"required": ["city"]}, NULL]},
        {"street": 1, "zip": 2},
        {
            ("city",): "this field is required",
            ("street",): '1 is not of type "string"',
            ("zip",): '2 is not of type "string"',
        },
    ),
    "the branch that fits best": (
        {"oneOf": [BOX, STREET | {"required": ["street"]}, NULL]},
        {"box": "x"},
        {("box",): '"x" is not of type "integer"'},
    ),
    "the branch with fewer mistakes, of those that fit as well": (
        {"anyOf": [STREET | {"required": ["city", "street"]}, STREET | {"required": ["number"]}]},
        {},
        {("number",): "this field is required"},
    ),
    "a union in a union": (
        {"anyOf": [NULL, {"anyOf": [{"type": "string"}, {"properties": {"a": {"anyOf": [BOX, NULL]}}}]}]},
        {"a": {"box": None}},
        {("a", "box"): 'null is not of type "integer"'},
    ),
    "what each branch says where none fits better": (
        {"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}, NULL]},
        "soon",
        {(): '"soon" is not a "date", or "soon" is not a "date-time"'},
    ),
    "what each branch says where all are of another type": (
        {"anyOf": [{"type": "string"}, {"type": "number"}, NULL]},
        [],
        {(): '[] is not of type "string", or [] is not of type "number"'},
    ),
    "more than one branch": (
        {"oneOf": [{"minimum": 1}, {"minimum": 2}, {"minimum": 4}]},
        3,
        {(): "3 is valid under more than one of the schemas listed in the 'oneOf' keyword"},
    ),
    "all of a long message": ({"type": "string"}, ["x" * 1_000], {(): f'["{"x" * 1_000}"] is not of type "string"'}),
}


@pytest.mark.parametrize("what", INSPECTED)
def test_an_inspection_says_all_that_is_wrong_field_by_field(what: str) -> None:
    root, value, expected = INSPECTED[what]

    assert {found.place: found.message for found in Validator(root).field_violations(value)} == expected
    assert load(root).field_violations(value) == Validator(root).field_violations(value)


@pytest.mark.parametrize(
    ("schema", "value", "wrong"),
    [
        ({"required": ["a"]}, {}, False),
        ({"items": {"required": ["a"], "properties": {"b": {"type": "string"}}}}, [{"b": 1}], True),
        ({"anyOf": [BOX, NULL]}, {}, False),
        ({"anyOf": [BOX, STREET | {"required": ["street"]}]}, {"street": 1}, False),
        ({"anyOf": [BOX, NULL]}, "box", True),
        ({"oneOf": [{"minimum": 1}, {"minimum": 2}, {"minimum": 4}]}, 3, True),
    ],
)
def test_a_selected_field_is_optional(schema: dict[str, Any], value: object, wrong: bool) -> None:
    assert bool(Validator(schema).field_violations(value, selected=True)) is wrong
    assert Validator(schema).field_violations(value) != []


@pytest.mark.parametrize(
    "value", [object(), {1: 2}, {"a": object()}], ids=["an object", "a number as key", "an object inside"]
)
def test_what_is_no_json_is_wrong_as_a_whole(value: object) -> None:
    (found,) = Validator({"properties": {"a": {"type": "string"}}}).field_violations(value)

    assert found.place == ()
    assert found.message.startswith("is no JSON value that can be checked: ")


def test_what_is_nested_too_deeply_is_wrong_as_a_whole() -> None:
    value: Any = []
    for _ in range(100_000):
        value = [value]

    found = load({"items": {"$ref": "#"}}).field_violations(value)

    assert [(each.place, each.message[:30]) for each in found] == [((), "is no JSON value that can be c")]


def test_an_inspection_by_references_that_multiply_is_refused() -> None:
    names = [f"t{number}" for number in range(30)]
    tangled = {
        "$ref": "#/$defs/t0",
        "$defs": {
            name: {"anyOf": [{"$ref": f"#/$defs/{after}"}, {"$ref": f"#/$defs/{after}", "maxProperties": 9}]}
            for name, after in pairwise(names)
        }
        | {names[-1]: {"items": {"$ref": "#/$defs/t0"}, "type": "array"}},
    }

    with pytest.raises(SchemaProblem, match="would not end soon"):
        load(tangled).field_violations([[]])


def test_a_schema_is_kept_unless_it_is_large() -> None:
    small, large = ({"enum": ["x" * 50] * 2, "description": "y" * size} for size in (10, 200_000))

    assert load(small) is load(dict(small))
    assert load(large) is not load(dict(large))


def test_many_patterns_of_unicode_say_the_same_as_a_few() -> None:
    many = {f"p{each}": {"pattern": f'^\\p{{Lu}}{each}"?\\d$'} for each in range(200)}
    values: list[object] = [{"p1": 'x"'}, {"p1": "A17"}, {"p1": 'É1"7', "p2": "é"}, {"p1": 3}]

    found = [violations({"properties": many}, value) for value in values]

    few = {name: many[name] for name in ("p1", "p2")}
    assert found == [violations({"properties": few}, value) for value in values]
    assert [len(each) for each in found] == [1, 0, 1, 0]


@pytest.mark.parametrize("pattern", ["((", "^\\p{Nothing}$", "\\p{L}" * 5_000])
def test_a_wrong_pattern_among_many_of_unicode_is_named(pattern: str) -> None:
    many = {f"p{each}": {"pattern": f"^\\p{{L}}{each}$"} for each in range(200)}

    with pytest.raises(SchemaProblem) as caught:
        violations({"properties": {**many, "wrong": {"pattern": pattern[:4_900]}}}, {})

    assert caught.value.place == ("properties", "wrong", "pattern")


@pytest.mark.parametrize(
    "schema",
    [
        {"patternProperties": {f"^\\p{{L}}{each}$": {} for each in range(2_600)}},
        {"properties": {f"p{each}": {"pattern": f"^\\p{{L}}{{150}}{each}$"} for each in range(5)}},
        {"properties": {f"p{each}": {"pattern": f"^(.{{20}}x){{300}}{each}$"} for each in range(5)}},
        {"patternProperties": {f"^[^a]{{300}}{each}$": {} for each in range(60)}},
        {"items": {"patternProperties": {"\\p{L}" * 900: {}, "\\P{N}{99}" * 17: {}}}},
    ],
    ids=["names", "repeated", "repeated groups", "names with sets", "long"],
)
def test_patterns_that_would_take_too_long_to_compile_are_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(SchemaProblem, match="more than 550 classes of Unicode") as caught:
        load(schema)

    assert {"pattern", "patternProperties"} & set(caught.value.place)


def test_usual_patterns_with_classes_of_unicode_are_not_too_many() -> None:
    schema = {"properties": {f"p{each}": {"pattern": "^[\\p{L} ]{1,200}$"} for each in range(10)}}

    assert load(schema).violations({"p0": "Jürgen", "p1": "7"}) != []
    assert load(schema).violations({"p0": "Jürgen"}) == []
