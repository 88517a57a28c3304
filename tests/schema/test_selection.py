"""A selection returns the fields that a statement names, in its order, and says where a field does not exist."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any, cast

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlmrun_mock.schema.gql_statement import DEEPEST_SELECTION, LONGEST_STATEMENT, Selection, SelectionProblem, parse
from vlmrun_mock.schema.selection import select, select_schema, statement

FIXTURES = Path(__file__).parent.parent.parent / "fixtures"
DOMAINS = sorted(path.parent.name for path in FIXTURES.glob("*/schema.json"))

ADDRESS = {"type": "object", "properties": {"street": {"type": "string"}, "city": {"type": ["string", "null"]}}}
INVOICE: dict[str, Any] = {
    "title": "Invoice",
    "type": "object",
    "required": ["invoice_id", "total"],
    "additionalProperties": False,
    "properties": {
        "invoice_id": {"type": "string"},
        "address": {"anyOf": [{"$ref": "#/$defs/Address"}, {"type": "null"}], "default": None},
        "items": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "quantity": {"type": "number"},
                    "price": {"anyOf": [{"type": "number"}, {"type": "null"}]},
                },
            },
        },
        "total": {"type": "number"},
    },
    "$defs": {"Address": ADDRESS, "Unused": {"type": "string"}},
}
CONTENT: dict[str, Any] = {
    "invoice_id": "INV-1",
    "address": {"street": "1 Main St", "city": "Salem"},
    "items": [{"quantity": 1, "price": 2.5}, {"quantity": 3}],
    "total": 10,
}


VALUES = st.recursive(
    st.sampled_from([None, True, 1, 2.5, "x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, min_size=1),
)
KINDS = {type(None): "null", bool: "boolean", int: "integer", float: "number", str: "string"}


def described(value: Any) -> dict[str, Any]:
    """Return a strict schema that a value meets."""
    if isinstance(value, dict):
        properties = {name: described(inner) for name, inner in value.items()}
        return {"type": "object", "properties": properties, "required": list(value), "additionalProperties": False}
    if isinstance(value, list):
        return {"type": "array", "items": {"anyOf": [described(item) for item in value]} if value else False}
    return {"type": KINDS[type(value)]}


@st.composite
def parts(draw: st.DrawFn, selection: Selection) -> Selection:
    """Return some of a selection's fields, in any order, each of them whole or in part."""
    names = draw(st.lists(st.sampled_from(sorted(selection.fields)), min_size=1, unique=True))
    inner = {name: selection.fields[name] for name in names}
    return Selection(
        {name: draw(parts(wanted)) if wanted and draw(st.booleans()) else None for name, wanted in inner.items()}
    )


def read(domain: str, name: str) -> Any:
    return json.loads((FIXTURES / domain / name).read_text(encoding="utf-8"))


def whole(*names: str) -> Selection:
    return Selection(dict.fromkeys(names))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{ a b }", whole("a", "b")),
        ("query { a }", whole("a")),
        ("query Invoice { a }", whole("a")),
        ("{ a, b # why\n\n c }", whole("a", "b", "c")),
        ("\ufeff{a{b{c}}d}", Selection({"a": Selection({"b": whole("c")}), "d": None})),
        ("{ a a }", whole("a")),
        ("{ a { b } a { c b } }", Selection({"a": whole("b", "c")})),
        ("{ a { b { c } } a { b { d } } }", Selection({"a": Selection({"b": whole("c", "d")})})),
        ("{ query mutation fragment on true null }", whole("query", "mutation", "fragment", "on", "true", "null")),
    ],
)
def test_a_statement_is_read(text: str, expected: Selection) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{ a: b }", "line 1, column 3: aliases"),
        ("{\n  a(x: 1)\n}", "line 2, column 5: arguments"),
        ("{ a @skip(if: true) }", "line 1, column 5: directives"),
        ("query @live { a }", "line 1, column 7: directives"),
        ("query ($x: Int) { a }", "line 1, column 8: variables"),
        ("{ ...F } fragment F on X { a }", "line 1, column 10: fragment definitions are"),
        ("{ ...F }", "line 1, column 3: fragments"),
        ("{ ... on X { a } }", "line 1, column 3: fragments"),
        ("mutation { a }", "line 1, column 1: mutations are"),
        ("subscription { a }", "line 1, column 1: subscriptions are"),
        ("{ a } { b }", "line 1, column 7: several operations"),
        ("query A { a } query B { b }", "line 1, column 15: several operations"),
        ("type X { a: Int }", "line 1, column 1: object type definitions are"),
        ("{ a a { b } }", "line 1, column 5: a is selected once whole and once in part"),
        ("{ a { b } a }", "line 1, column 11: a is selected once whole and once in part"),
        ("{ }", "line 1, column 1: there is no field|line 1, column 3: Expected Name"),
        ("{ a { } }", "line 1, column 5: there is no field|line 1, column 7: Expected Name"),
        ("a b { c }", "line 1, column 1: Unexpected Name 'a'.* A statement looks like { invoice_id"),
        ("", "line 1, column 1: Unexpected <EOF>"),
        ("{ a", "line 1, column 4: Expected Name"),
        ("{ a\0 }", "line 1, column 4: Unexpected character"),
        ("{ \ud800 }", "line 1, column 3: Invalid character"),
        pytest.param("{" + "a " * LONGEST_STATEMENT + "}", "longer than 65,536 characters", id="long"),
        pytest.param("{a" * 51 + "}" * 51, "nested deeper than 50 levels", id="deep"),
        pytest.param("{a" * 20_000 + "}" * 20_000, "nested too deeply", id="very deep"),
        pytest.param("{a(x:" + "[" * 60_000 + ")}", "nested too deeply", id="deep argument"),
    ],
)
def test_a_statement_that_is_more_or_less_than_a_selection_is_refused(text: str, message: str) -> None:
    with pytest.raises(SelectionProblem, match=message):
        parse(text)


@given(st.text() | st.text(alphabet='{}ab #\n".:@()$!', max_size=30))
def test_any_text_is_a_selection_or_a_short_refusal(text: str) -> None:
    try:
        outcome = ", ".join(parse(text).fields)
    except SelectionProblem as problem:
        outcome = str(problem)

    assert 0 < len(outcome) < 400
    assert outcome.encode()


def test_the_deepest_statement_is_read() -> None:
    selection = parse("{a" * DEEPEST_SELECTION + "}" * DEEPEST_SELECTION)

    assert list(selection.fields) == ["a"]


def test_only_selected_fields_come_back_in_the_selections_order() -> None:
    before = copy.deepcopy(CONTENT)

    found = select(parse("{ total address { city } items { quantity } }"), CONTENT)

    expected = {"total": 10, "address": {"city": "Salem"}, "items": [{"quantity": 1}, {"quantity": 3}]}
    assert json.dumps(found) == json.dumps(expected)
    assert before == CONTENT


def test_an_object_without_a_selection_of_its_own_comes_back_whole() -> None:
    found = select(parse("{ address items }"), CONTENT)

    assert found == {"address": CONTENT["address"], "items": CONTENT["items"]}


def test_a_list_at_the_root_and_lists_in_lists_are_mapped() -> None:
    found = select(parse("{ a { b } }"), [{"a": [[{"b": 1, "c": 2}], []]}, {"a": None}])

    assert found == [{"a": [[{"b": 1}], []]}, {"a": None}]


def test_a_field_that_a_neighbour_has_comes_back_as_null() -> None:
    found = select(parse("{ items { price } }"), CONTENT)

    assert found == {"items": [{"price": 2.5}, {"price": None}]}


def test_a_field_that_only_the_schema_knows_comes_back_as_null_where_null_is_allowed() -> None:
    found = select(parse("{ invoice_id address { street city } items { price quantity } }"), {"address": {}}, INVOICE)

    assert found == {"address": {"city": None}}


def test_what_is_null_or_empty_stays_so() -> None:
    assert select(parse("{ a { b } }"), {"a": None}) == {"a": None}
    assert select(parse("{ a { b } }"), {"a": []}) == {"a": []}
    assert select(parse("{ a { b } }"), {"a": [{}]}) == {"a": [{"b": None}]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{ invoce_id }", "'invoce_id' is not a field of the answer; closest: 'invoice_id'"),
        ("{ items { quantty } }", "'quantty' is not a field of items; closest: 'quantity'"),
        ("{ zzz }", "'zzz' is not a field of the answer; it has 'invoice_id', 'address', 'items', 'total'"),
        ("{ total { x } }", "total has no fields to select from"),
        ("{ invoice_id { x { y } } }", "invoice_id has no fields to select from"),
    ],
)
def test_a_field_that_nobody_knows_is_named_with_its_place_and_the_closest(text: str, message: str) -> None:
    selection = parse(text)

    with pytest.raises(SelectionProblem, match=message):
        select(selection, CONTENT)
    with pytest.raises(SelectionProblem, match=message):
        select(selection, CONTENT, INVOICE)
    with pytest.raises(SelectionProblem, match=message):
        select_schema(selection, INVOICE)


def test_a_schema_is_checked_where_the_content_cannot_tell() -> None:
    with pytest.raises(SelectionProblem, match="'sity' is not a field of address; closest: 'city'"):
        select(parse("{ address { sity } }"), {"address": None}, INVOICE)


def test_an_undeclared_field_of_a_strict_schema_has_no_further_fields() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False}

    with pytest.raises(SelectionProblem, match="'d' is not a field of b; it has 'c'"):
        select(parse("{ b { d } }"), {"b": {"c": 1}}, schema)


@pytest.mark.parametrize("content", ["text", 12, True])
def test_an_answer_that_is_no_object_has_no_fields(content: object) -> None:
    with pytest.raises(SelectionProblem, match="the answer has no fields"):
        select(parse("{ a }"), content)


@pytest.mark.parametrize(
    "schema",
    [
        pytest.param({}, id="anything"),
        pytest.param({"type": "object"}, id="any object"),
        pytest.param({"type": "object", "additionalProperties": {"$ref": "#/x"}, "x": {"type": "number"}}, id="map"),
        pytest.param({"type": "object", "properties": {"b": {}}, "patternProperties": {"^a": {}}}, id="pattern"),
        pytest.param({"type": "array"}, id="any list"),
        pytest.param({"type": "array", "items": True}, id="list of anything"),
        pytest.param({"anyOf": [{"type": "null"}, {"type": "object"}]}, id="optional object"),
        pytest.param({"$ref": "https://example.com/elsewhere.json"}, id="remote"),
        pytest.param({"$ref": "#/$defs/missing"}, id="missing"),
    ],
)
def test_a_schema_that_leaves_the_names_open_knows_every_field(schema: dict[str, Any]) -> None:
    reduced = select_schema(parse("{ anything }"), schema)

    assert isinstance(reduced, dict)
    assert select(parse("{ anything }"), {"anything": 1, "b": 2}, schema) == {"anything": 1}


def test_a_schema_is_reduced_to_the_selected_fields() -> None:
    reduced = select_schema(parse("{ total address { city } }"), INVOICE)

    city = {"type": "object", "properties": {"city": {"type": ["string", "null"]}}}
    assert reduced == {
        "title": "Invoice",
        "type": "object",
        "properties": {"total": {"type": "number"}, "address": {"anyOf": [city, {"type": "null"}]}},
        "required": ["total"],
    }


def test_a_field_that_is_wanted_whole_keeps_the_definitions_behind_it() -> None:
    reduced = select_schema(parse("{ address }"), INVOICE)

    assert reduced["properties"] == {"address": INVOICE["properties"]["address"]}
    assert reduced["$defs"] == {"Address": ADDRESS}


def test_definitions_that_refer_to_each_other_are_kept_under_their_escaped_names() -> None:
    node = {"type": "object", "properties": {"next": {"$ref": "#/definitions/a~1b%20c"}}}
    schema = {
        "properties": {"x": {"$ref": "#/definitions/first"}, "y": {}},
        "definitions": {"first": node, "a/b c": node},
    }

    reduced = select_schema(parse("{ x }"), schema)

    assert reduced["definitions"] == {"first": node, "a/b c": node}


def test_a_reference_to_the_root_still_means_the_whole_root() -> None:
    tree = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "children": {"type": "array", "items": {"$ref": "#"}}},
        "required": ["name"],
        "additionalProperties": False,
    }

    reduced = select_schema(parse("{ children }"), tree)

    validator = jsonschema_rs.validator_for(reduced)
    assert validator.is_valid({"children": [{"name": "a", "children": []}]})
    assert not validator.is_valid({"children": [{"children": []}]})


def test_a_type_within_itself_can_be_selected_to_any_depth() -> None:
    schema = {
        "$ref": "#/$defs/Node",
        "$defs": {"Node": {"type": "object", "properties": {"v": {}, "next": {"$ref": "#/$defs/Node"}}}},
    }

    reduced = select_schema(parse("{ next { next { v } } }"), schema)

    deepest = reduced["properties"]["next"]["properties"]["next"]
    assert deepest == {"type": "object", "properties": {"v": {}}}


@pytest.mark.parametrize(
    "schema",
    [
        pytest.param({"$ref": "#/$defs/A", "$defs": {"A": {"$ref": "#/$defs/A"}}}, id="itself"),
        pytest.param({"anyOf": [{"$ref": "#"}, {"properties": {"a": {}}}]}, id="union"),
        pytest.param({"type": "array", "items": {"$ref": "#"}, "properties": {"a": {}}}, id="list"),
        pytest.param({"properties": {"a": {"$ref": "#/properties/a"}}}, id="field"),
    ],
)
def test_references_in_a_circle_end(schema: dict[str, Any]) -> None:
    written = statement(schema)

    assert written in {"", "{ a }"}
    if written:
        assert select_schema(parse(written), schema)


def test_every_alternative_of_a_union_may_be_selected_from() -> None:
    schema = {
        "oneOf": [
            {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
            {"type": "object", "properties": {"b": {"type": "integer"}}, "required": ["b"]},
        ],
        "allOf": [{"properties": {"c": {"const": 1}}}],
    }
    selection = parse("{ c b a }")

    found = select(selection, {"b": 2, "c": 1}, schema)

    assert found == {"c": 1, "b": 2}
    assert statement(schema) == "{ a b c }"
    assert jsonschema_rs.is_valid(select_schema(selection, schema), found)


def test_tuples_and_draft_07_lists_are_followed() -> None:
    item = {"type": "object", "properties": {"a": {}, "b": {}}}

    schemas: list[dict[str, Any]] = [
        {"prefixItems": [item]},
        {"items": [item]},
        {"type": "array", "prefixItems": [item], "items": False},
    ]

    for schema in schemas:
        assert statement(schema) == "{ a b }"
        assert select(parse("{ a }"), [{"a": 1, "b": 2}], schema) == [{"a": 1}]
        assert '"b"' not in json.dumps(select_schema(parse("{ a }"), schema))


def test_a_statement_names_what_graphql_can_name() -> None:
    schema: dict[str, Any] = {
        "properties": {"ok": {}, "first name": {}, "2nd": {}, "größe": {}, "a": {"properties": {"-": {}}}}
    }

    assert statement(schema) == "{ ok a }"
    assert statement({"type": "string"}) == ""


def test_a_recursive_type_ends_the_statement() -> None:
    node = {"properties": {"name": {}, "left": {"$ref": "#/$defs/N"}, "right": {"anyOf": [{"$ref": "#/$defs/N"}]}}}

    written = statement({"properties": {"tree": {"$ref": "#/$defs/N"}}, "$defs": {"N": node}})

    assert written == "{ tree { name left right } }"


def test_types_that_all_refer_to_each_other_make_a_statement_that_can_be_read() -> None:
    names = [f"t{number}" for number in range(12)]
    node = {"properties": {name: {"$ref": f"#/$defs/{name}"} for name in names}}
    schema: dict[str, Any] = {"$ref": "#/$defs/t0", "$defs": {name: copy.deepcopy(node) for name in names}}

    selection = parse(statement(schema))

    assert list(selection.fields) == names


@given(st.dictionaries(st.sampled_from("abc"), VALUES, min_size=1), st.data())
def test_what_is_selected_from_a_valid_content_is_valid_by_the_reduced_schema(
    content: dict[str, Any], data: st.DataObject
) -> None:
    schema = described(content)
    selection = data.draw(parts(parse(statement(schema))))

    found = select(selection, content, schema)

    assert jsonschema_rs.is_valid(schema, content)
    assert jsonschema_rs.is_valid(select_schema(selection, schema), found)
    assert list(selection.fields) == list(cast("dict[str, Any]", found))


@pytest.mark.parametrize("domain", DOMAINS)
def test_the_full_statement_of_a_domain_returns_its_whole_answer(domain: str) -> None:
    schema = read(domain, "schema.json")
    content = read(domain, "answer.json")["answer"]["content"]
    declared = {name: value for name, value in content.items() if name in schema["properties"]}
    selection = parse(statement(schema))

    found = select(selection, content, schema)

    assert found == declared
    assert jsonschema_rs.is_valid(select_schema(selection, schema), found)


@pytest.mark.parametrize("domain", DOMAINS)
def test_every_single_field_of_a_domain_is_valid_by_the_reduced_schema(domain: str) -> None:
    schema = read(domain, "schema.json")
    content = read(domain, "answer.json")["answer"]["content"]

    for name in schema["properties"]:
        selection = whole(name)
        reduced = select_schema(selection, schema)

        jsonschema_rs.meta.validate(reduced)
        assert list(reduced["properties"]) == [name]
        assert jsonschema_rs.is_valid(reduced, select(selection, content, schema))
