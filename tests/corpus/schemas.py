"""Schemas of the caller: where they stand, what they ask for, which of them nobody can meet, and selections of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.corpus.case import Cases, case, chat, extract, show
from tests.corpus.documents import JPEG, data_url
from tests.corpus.domains import SCHEMA

SMALL: dict[str, Any] = {"type": "object", "properties": {"shop": {"type": "string"}}, "required": ["shop"]}
OTHER: dict[str, Any] = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
NESTED = {"type": "json_schema", "json_schema": {"name": "Shop", "schema": SMALL, "strict": True}}
FLAT = {"type": "json_schema", "schema": SMALL}

PLACES: Mapping[str, dict[str, Any]] = {
    "response_format, nested": {"response_format": NESTED},
    "response_format, flat": {"response_format": FLAT},
    "response_format, nested and flat": {"response_format": {**NESTED, "schema": OTHER}},
    "response_format without a schema": {"response_format": {"type": "json_schema"}},
    "response_format with an empty schema": {"response_format": {"type": "json_schema", "json_schema": {"schema": {}}}},
    "response_format with the schema itself": {"response_format": {"type": "json_schema", "json_schema": SMALL}},
    "response_format with a text for a schema": {"response_format": {"type": "json_schema", "schema": "x"}},
    "response_format with a list for a schema": {
        "response_format": {"type": "json_schema", "json_schema": {"schema": [1]}}
    },
    "json_object": {"response_format": {"type": "json_object"}},
    "json_object with a schema": {"response_format": {"type": "json_object", "schema": SMALL}},
    "text": {"response_format": {"type": "text"}},
    "an unknown type": {"response_format": {"type": "xml"}},
    "an empty response_format": {"response_format": {}},
    "no response_format": {"response_format": None},
    "json_schema at the top": {"json_schema": SMALL},
    "schema at the top": {"schema": SMALL},
    "both at the top": {"json_schema": SMALL, "schema": OTHER},
    "vlmrun": {"vlmrun": {"json_schema": SMALL}},
    "vlmrun.config": {"vlmrun": {"config": {"json_schema": SMALL}}},
    "vlmrun and its config": {"vlmrun": {"json_schema": OTHER, "config": {"json_schema": SMALL}}},
    "vlmrun and the top": {"vlmrun": {"json_schema": SMALL}, "json_schema": OTHER, "response_format": FLAT},
    "vlmrun, empty, and response_format": {"vlmrun": {"json_schema": {}}, "response_format": FLAT},
}

MET: Mapping[str, Any] = {
    "a text": {"type": "string"},
    "a short text": {"type": "string", "minLength": 3, "maxLength": 5},
    "a long text": {"type": "string", "minLength": 200},
    "a number": {"type": "number"},
    "a number in a range": {"type": "number", "exclusiveMinimum": 1, "maximum": 1.5},
    "an integer": {"type": "integer", "minimum": 10, "maximum": 20, "multipleOf": 7},
    "a multiple": {"type": "number", "multipleOf": 0.25, "minimum": 3},
    "truth": {"type": "boolean"},
    "null": {"type": "null"},
    "anything": {"title": "Anything"},
    "several types": {"type": ["null", "integer", "string"]},
    "a list": {"type": "array", "items": {"type": "integer"}},
    "a list of many": {"type": "array", "items": {"type": "string"}, "minItems": 6, "maxItems": 8},
    "an empty list": {"type": "array", "maxItems": 0},
    "a list of different ones": {
        "type": "array",
        "items": {"type": "integer", "minimum": 0, "maximum": 4},
        "minItems": 5,
        "uniqueItems": True,
    },
    "a tuple": {
        "type": "array",
        "prefixItems": [{"type": "string"}, {"type": "integer"}],
        "items": False,
        "minItems": 2,
    },
    "a tuple of draft 7": {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "array",
        "items": [{"type": "boolean"}, {"const": "b"}],
        "additionalItems": False,
        "minItems": 2,
    },
    "a list that contains": {"type": "array", "contains": {"const": 7}, "minContains": 2, "items": {"type": "integer"}},
    "a constant": {"const": {"a": [1, None]}},
    "one of several values": {"enum": ["red", "green", 3, None]},
    "a default": {"type": "string", "default": "as usual"},
    "an example": {"type": "integer", "examples": [41, 42]},
    "patterns": {
        "type": "object",
        "properties": {
            "code": {"type": "string", "pattern": "^[A-Z]{3}-[0-9]{4}$"},
            "plate": {"type": "string", "pattern": "^(?:[A-Z]{1,2}) ?\\d{3,5}[a-f]*$"},
            "open": {"type": "string", "pattern": "x+"},
            "limited": {"type": "string", "pattern": "^[a-z]+$", "minLength": 12, "maxLength": 14},
        },
        "required": ["code", "plate", "open", "limited"],
    },
    "formats": {
        "type": "object",
        "properties": {
            name: {"type": "string", "format": name}
            for name in (
                "date",
                "time",
                "date-time",
                "duration",
                "email",
                "hostname",
                "ipv4",
                "ipv6",
                "uri",
                "uri-reference",
                "uuid",
                "regex",
                "json-pointer",
                "idn-email",
                "iri",
                "unheard-of",
            )
        },
    },
    "fields of usual names": {
        "type": "object",
        "properties": {
            name: {"type": kind}
            for name, kind in (
                ("first_name", "string"),
                ("companyName", "string"),
                ("street", "string"),
                ("zip_code", "string"),
                ("country", "string"),
                ("phone", "string"),
                ("iban", "string"),
                ("url", "string"),
                ("email", "string"),
                ("birth_date", "string"),
                ("description", "string"),
                ("currency", "string"),
                ("quantity", "integer"),
                ("unit_price", "number"),
                ("tax_rate", "number"),
                ("total", "number"),
                ("subtotal", "number"),
                ("tax", "number"),
                ("year", "integer"),
                ("page_count", "integer"),
                ("has_logo", "boolean"),
                ("confidence", "number"),
                ("latitude", "number"),
            )
        },
    },
    "required fields alone": {
        "type": "object",
        "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
        "required": ["b", "c"],
    },
    "some of many fields": {"type": "object", "minProperties": 3, "additionalProperties": {"type": "integer"}},
    "names of fields": {
        "type": "object",
        "propertyNames": {"pattern": "^[a-z]{4}$"},
        "minProperties": 2,
        "additionalProperties": {"type": "boolean"},
    },
    "fields by pattern": {
        "type": "object",
        "patternProperties": {"^x-": {"type": "integer"}},
        "required": ["x-a", "b"],
        "additionalProperties": {"type": "string"},
    },
    "fields that need others": {
        "type": "object",
        "properties": {"card": {"type": "string"}},
        "required": ["card"],
        "dependentRequired": {"card": ["address"]},
        "dependentSchemas": {"address": {"properties": {"address": {"type": "integer"}}}},
    },
    "any of": {"anyOf": [{"type": "integer", "minimum": 100}, {"type": "string"}]},
    "one of": {"oneOf": [{"type": "object", "required": ["a"]}, {"type": "object", "required": ["b"]}]},
    "all of": {"allOf": [{"type": "integer"}, {"minimum": 5}, {"maximum": 6}]},
    "not": {"type": "string", "not": {"enum": ["", "a"]}},
    "if and then": {
        "type": "object",
        "properties": {"kind": {"enum": ["a", "b"]}},
        "required": ["kind"],
        "if": {"properties": {"kind": {"const": "a"}}},
        "then": {"required": ["of_a"], "properties": {"of_a": {"type": "integer"}}},
        "else": {"required": ["of_b"]},
    },
    "references": {
        "$defs": {"money": {"type": "object", "properties": {"amount": {"type": "number"}}, "required": ["amount"]}},
        "type": "object",
        "properties": {"net": {"$ref": "#/$defs/money"}, "gross": {"$ref": "#/$defs/money"}},
    },
    "definitions of draft 7": {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "definitions": {"line": {"type": "object", "properties": {"text": {"type": "string"}}}},
        "type": "array",
        "items": {"$ref": "#/definitions/line"},
    },
    "a tree": {
        "$defs": {
            "node": {
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "children": {"type": "array", "items": {"$ref": "#/$defs/node"}},
                },
                "required": ["name"],
            }
        },
        "$ref": "#/$defs/node",
    },
    "itself": {"type": "object", "properties": {"next": {"$ref": "#"}, "value": {"type": "integer"}}},
    "a pydantic model": {
        "$defs": {
            "Line": {
                "properties": {
                    "sku": {"title": "Sku", "type": "string"},
                    "price": {"anyOf": [{"type": "number"}, {"type": "null"}], "default": None, "title": "Price"},
                },
                "required": ["sku"],
                "title": "Line",
                "type": "object",
            }
        },
        "properties": {
            "lines": {"items": {"$ref": "#/$defs/Line"}, "title": "Lines", "type": "array"},
            "when": {"format": "date-time", "title": "When", "type": "string"},
        },
        "required": ["lines", "when"],
        "title": "Order",
        "type": "object",
    },
    "a discriminated union": {
        "oneOf": [
            {"type": "object", "properties": {"kind": {"const": kind}, "value": {"type": value}}, "required": ["kind"]}
            for kind, value in (("text", "string"), ("count", "integer"))
        ]
    },
    "an unknown draft": {"$schema": "https://example.com/schema", "type": "integer", "maximum": 1, "minimum": 1},
    "unknown keywords": {"type": "string", "x-order": 1, "maxLength": 4},
    "unevaluated fields": {
        "allOf": [{"properties": {"a": {"type": "integer"}}}],
        "properties": {"b": {"type": "integer"}},
        "required": ["a", "b"],
        "unevaluatedProperties": False,
    },
}

UNMEETABLE: Mapping[str, Any] = {
    "lengths": {"type": "string", "minLength": 5, "maxLength": 2},
    "a range": {"type": "integer", "minimum": 5, "maximum": 4},
    "two types": {"allOf": [{"type": "string"}, {"type": "integer"}]},
    "no value": {"enum": []},
    "not anything": {"not": {}},
    "a field that may not be": {"type": "object", "properties": {"a": False}, "required": ["a"]},
    "more different ones than there are": {
        "type": "array",
        "items": {"enum": [1, 2]},
        "minItems": 3,
        "uniqueItems": True,
    },
    "a pattern and a length": {"type": "string", "pattern": "^a{3}$", "maxLength": 2},
    "a tree without an end": {"type": "object", "properties": {"next": {"$ref": "#"}}, "required": ["next"]},
    "a type that is none": {"type": "strin"},
    "a type in a field": {"properties": {"a": {"properties": {"b": {"type": "text"}}}}},
    "a broken pattern": {"type": "string", "pattern": "("},
    "fields that are a list": {"properties": ["a"]},
    "a minimum that is a text": {"minimum": "1"},
    "another host": {"$ref": "https://example.com/schema.json"},
    "another file": {"properties": {"a": {"$ref": "other.json#/a"}}},
    "nowhere": {"$ref": "#/$defs/nothing"},
    "a circle": {"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"},
    "a list of a million": {"type": "array", "minItems": 1_000_000},
    "a text of a million": {"type": "string", "minLength": 1_000_000},
    "a huge number": {"type": "number", "minimum": 1e301},
    "half of a pair": {"properties": {"\ud800": {}}},
}

SELECTIONS: Mapping[str, str] = {
    "a field that is not there": "{ invoice_nr }",
    "a field in a field that is not there": "{ items { quantitty } }",
    "a field in a text": "{ invoice_id { a } }",
    "an alias": "{ id: invoice_id }",
    "an argument": "{ items(first: 1) }",
    "a directive": "{ items @skip(if: true) }",
    "a variable": "query ($a: Int) { items }",
    "a fragment": "{ ...All } fragment All on Invoice { items }",
    "an inline fragment": "{ ... on Invoice { items } }",
    "a mutation": "mutation { items }",
    "two operations": "query A { items } query B { items }",
    "a type": "type A { b: Int }",
    "whole and in part": "{ items items { quantity } }",
    "twice in part": "{ items { quantity } items { description quantity } }",
    "no field": "{ }",
    "no braces": "invoice_id",
    "blanks": "   ",
    "cut off": "{ items {",
    "a character": "{ invoice_id ? }",
    "a comment": "# all\n{ invoice_id, # the number\n total_amount }",
    "too long": "{" + "a " * 40_000 + "}",
    "too deep": "{ a" * 60 + "}" * 60,
}

OF_A_SCHEMA: Mapping[str, dict[str, Any]] = {
    "a selection": {"gql_stmt": "{ total_amount items { description } }"},
    "a selection of what it has not": {"gql_stmt": "{ invoice_id }"},
    "grounding": {"grounding": True},
    "confidence and a selection": {"confidence": True, "gql_stmt": "{ name is_valid }"},
}


def cases() -> Cases:
    """Return the cases by name."""
    invoice = "document.invoice"
    picture = show(data_url(JPEG, "image/jpeg"))
    own = {"vlmrun": {"domain": "custom.note"}}
    return {
        **{f"a schema in {place}": case(chat(**body)) for place, body in PLACES.items()},
        **{
            f"a schema in {place}, with a domain": case(chat(domain=invoice, **body))
            for place, body in PLACES.items()
            if "vlmrun" not in body
        },
        **{f"a schema: {name}": case(chat(json_schema=schema, messages=picture)) for name, schema in MET.items()},
        **{
            f"a schema, seed 1: {name}": case(chat(json_schema=MET[name]), settings={"seed": 1})
            for name in list(MET)[::4]
        },
        **{f"an unmeetable schema: {name}": case(chat(schema=schema)) for name, schema in UNMEETABLE.items()},
        **{
            f"an unmeetable schema in {place}": case(chat(**body))
            for place, body in {
                "vlmrun": {"vlmrun": {"json_schema": UNMEETABLE["a range"]}},
                "vlmrun.config": {"vlmrun": {"config": {"json_schema": UNMEETABLE["a type in a field"]}}},
                "json_schema": {"json_schema": UNMEETABLE["nowhere"]},
                "response_format": {"response_format": {**FLAT, "schema": UNMEETABLE["no value"]}},
                "a nested response_format": {
                    "response_format": {
                        "type": "json_schema",
                        "json_schema": {"schema": UNMEETABLE["a field that may not be"]},
                    }
                },
            }.items()
        },
        **{
            f"a schema with {name}": case(extract("custom.note", json_schema=dict(SCHEMA), config=config))
            for name, config in OF_A_SCHEMA.items()
        },
        **{f"selecting {name}": case(extract(invoice, config={"gql_stmt": text})) for name, text in SELECTIONS.items()},
        "a schema and other texts": case(
            *(
                chat(json_schema=dict(SCHEMA), messages=show(text=text), **own)
                for text in ("Extract", "extract", "Read")
            )
        ),
    }
