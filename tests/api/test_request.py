"""A request knows its generation, its text, what its values are drawn from, and its fingerprint."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from msgspec.structs import replace

from tests.serving import image_message, picture
from vlmrun_mock.api import chat_parser
from vlmrun_mock.api.request import LONGEST_AT_ONCE, CallerSchema, Config, ExtractionRequest, Message
from vlmrun_mock.documents.identity import Document

SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}
MESSAGES = (Message("system", ("one", "two")), Message("user", ()), Message("user", ("three",)))
PICTURE = Document("sha256:1", "image_url")


def parse(**body: Any) -> ExtractionRequest:
    """Parse a body with one empty message, unless it has messages of its own."""
    return chat_parser.parse(json.dumps({"messages": [{}], **body}).encode()).extraction


def test_the_text_is_that_of_all_messages_each_text_on_a_line() -> None:
    assert ExtractionRequest(messages=MESSAGES).text == "one\ntwo\nthree"
    assert ExtractionRequest().text == ""


def test_values_are_drawn_from_what_is_asked_and_not_from_how() -> None:
    request = ExtractionRequest(messages=MESSAGES, documents=(PICTURE,), domain="document.invoice")

    otherwise = ExtractionRequest(
        messages=MESSAGES,
        documents=(PICTURE,),
        domain="document.invoice",
        config=Config(grounding=True),
        model="vlmrun-orion-1",
    )

    assert request.subject == ("document.invoice", "sha256:1", "one\ntwo\nthree")
    assert otherwise.subject == request.subject


@pytest.mark.parametrize(
    ("model", "generation"),
    [
        ("vlm-1", "vlm-1"),
        ("gpt-4o-mini", "vlm-1"),
        ("vlm-agent", "vlm-1"),
        ("vlm-agent-1", "agents"),
        ("vlm-agent-1:pro", "agents"),
        ("vlmrun-orion-1", "orion"),
        ("vlmrun-orion-2:auto", "orion"),
    ],
)
def test_the_name_of_the_model_decides_the_generation(model: str, generation: str) -> None:
    assert ExtractionRequest(model=model).generation == generation


FINGERPRINTED: list[dict[str, Any]] = [
    {},
    {"model": "vlm-agent-1"},
    {"model": "vlmrun-orion-1"},
    {"domain": "document.invoice"},
    {"json_schema": SCHEMA},
    {"response_format": {"type": "json_object"}},
    {"messages": image_message(picture(1), picture(2))},
    {"messages": image_message(picture(2), picture(1))},
    {"messages": [{"content": "Extract"}]},
    {"messages": [{"role": "system", "content": "Extract"}]},
    {"messages": [{"content": "Ext"}, {"content": "ract"}]},
    {"messages": [{}, {}]},
    {"vlmrun": {"config": {"prompt": "p"}}},
    {"vlmrun": {"config": {"detail": "lo"}}},
    {"vlmrun": {"config": {"gql_stmt": "{ a }"}}},
    {"vlmrun": {"config": {"grounding": True}}},
    {"vlmrun": {"config": {"confidence": True}}},
]
NOT_FINGERPRINTED: list[dict[str, Any]] = [
    {"model": "gpt-4o-mini"},
    {"id": "mine"},
    {"metadata": {"environment": "dev"}},
    {"max_tokens": 4, "n": 2, "stream": True, "stop": "x", "logprobs": True, "temperature": 0.1, "seed": 3},
    {"vlmrun": {"config": {"detail": "auto", "grounding": False, "max_retries": 3}}},
    {"user": "me", "tools": []},
]


def test_the_fingerprint_covers_what_the_service_would_look_at() -> None:
    fingerprints = [parse(**body).fingerprint for body in FINGERPRINTED]

    assert len(set(fingerprints)) == len(FINGERPRINTED)
    assert {len(fingerprint) for fingerprint in fingerprints} == {64}


@pytest.mark.parametrize("body", NOT_FINGERPRINTED)
def test_the_fingerprint_leaves_out_quirks_and_how_a_request_is_labelled(body: dict[str, Any]) -> None:
    assert parse(**body).fingerprint == parse().fingerprint


def test_the_fingerprint_is_the_same_for_old_and_new_spellings() -> None:
    new = parse(vlmrun={"domain": "document.invoice", "config": {"json_schema": SCHEMA}})
    old = parse(domain="document.invoice", schema=dict(reversed(SCHEMA.items())))

    assert new.fingerprint == old.fingerprint


@pytest.mark.parametrize("letters", ["a", "aé", '\\"\n', "😀b", "\x7f", "/"], ids=repr)
@pytest.mark.parametrize("schema", [None, CallerSchema(SCHEMA, ())], ids=["without a schema", "with one"])
def test_the_fingerprint_is_the_same_whether_long_texts_are_written_at_once_or_in_pieces(
    letters: str, schema: CallerSchema | None
) -> None:
    long = letters * (LONGEST_AT_ONCE // len(letters) + 100)
    texts = ("short", long, "short", "x" + long)
    asked = ExtractionRequest((Message("system", (long,)), Message("user", texts, (1,))), (PICTURE,), schema=schema)

    in_pieces = replace(asked, size=len(long))

    assert in_pieces.fingerprint == asked.fingerprint
    assert replace(in_pieces, domain="document.invoice").fingerprint != asked.fingerprint


NUMBERS = [0, -1, 2**70, 0.5, 1e-5, 1e-7, 0.0001, 1e15, 1e16, 1.5e300, 123456789012345680.0, -0.0, 2.0, 1e22, 0.1]
TEXTS = ["", "a", "é", "\u2028", "\x00\x1f\b\f\n", "\x7f", "😀", "\ud800", "type1", "1.5", "1e5", "a.b", '"\\/']


@pytest.mark.parametrize("key", ["a", "e1", "x.5", "é"])
@pytest.mark.parametrize(
    "value", [*NUMBERS, *TEXTS, None, True, [1, [2, {}]], {"b": 1, "a": {"é": 2, "😀": 3}}], ids=repr
)
def test_the_facts_of_a_schema_are_written_as_they_always_were(key: str, value: Any) -> None:
    plain = int(value) if isinstance(value, float) and value.is_integer() else value
    schema = {"z": 1, "type": "object", key: {"const": value}}
    asked = ExtractionRequest(schema=CallerSchema(schema, ()))
    given = {**asked.parts.given(), "schema": {**schema, key: {"const": plain}}}

    facts = json.dumps([None, [], given], sort_keys=True, separators=(",", ":"))

    assert asked.fingerprint == hashlib.sha256(facts.encode()).hexdigest()
