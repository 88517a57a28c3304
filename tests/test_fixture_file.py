"""A fixture file is read as it is meant, or refused in one clear line."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from scripts.export_fixture_format import TARGET, exported
from vlmrun_mock.fixture_error import FixtureError
from vlmrun_mock.fixture_file import contents, merge_patch, parse, read

FIXTURES = Path(__file__).parent.parent / "fixtures"
DIGEST = "0123456789abcdef" * 4
HELLO: dict[str, Any] = {"content": "hello"}


def error(**further: Any) -> dict[str, Any]:
    return {"answer": {"error": {"status": 429, **further}}}


GOOD: dict[str, Any] = {
    "the least": {"answer": HELLO},
    "everything": {
        "$schema": "fixture.schema.json",
        "description": "Acme's invoice",
        "match": {
            "domain": "document.invoice",
            "documents": ["acme.jpg", f"sha256:{DIGEST}", "https://example.com/a.png", "file:abc"],
            "text": {"contains": ["Extract", "all"], "equals": "Extract all"},
            "model": "vlm-1",
            "metadata": {"environment": "dev", "nested": {"list": [1, None]}},
        },
        "answer": {"content": {"a": None}, "usage": {"prompt_tokens": 0}, "latency_ms": 12.5},
    },
    "a list as content": {"answer": {"content": []}},
    "an empty text as content": {"answer": {"content": ""}},
    "an empty object as content": {"answer": {"content": {}}},
    "an empty patch": {"answer": {"merge": {}}},
    "several answers": {"answers": [HELLO, {"merge": {"a": None}}, {"error": {"status": 503}}]},
    "null where nothing is meant": {"match": {"domain": None}, "answer": {**HELLO, "merge": None}, "answers": None},
    "no document": {"match": {"documents": []}, "answer": HELLO},
    "everything of a recording": {
        "match": {
            "domain": "",
            "documents": [
                {
                    "identity": f"sha256:{DIGEST}",
                    "kind": "file_url",
                    "media_type": "application/pdf",
                    "size": 3,
                    "filename": "acme.pdf",
                },
                {"identity": "https://example.com/a.png"},
            ],
            "generation": "orion",
            "messages": [{"role": "system"}, {"content": "one"}, {"content": ["one", "two"]}],
            "schema": {"type": "object"},
            "config": {"grounding": True, "skills": ["x"]},
            "json_object": False,
        },
        "answer": {
            "status": 200,
            "content": {"total": 12.5},
            "layout": "spaced",
            "verbatim": '{"total": 12.50}',
            "completion": {"choices": [{"message": {"role": "assistant"}}], "usage": {"credits_used": 2}},
            "took_ms": 5312,
        },
    },
    "an error's own body": error(status=503, body="<html></html>", headers={"content-type": "text/html"}),
    "a success that is none": error(status=200, body={"oops": True}),
    "the lowest status": error(status=400),
    "the highest status": error(status=599),
    "headers": error(headers={"Retry-After": "1", "x-empty": "", "x-all": ' !"#%\t~'}),
    "a whole number of milliseconds": {"answer": {**HELLO, "latency_ms": 1}},
}

BAD: dict[str, tuple[Any, str]] = {
    "a list": ([], "it should be an object"),
    "a text": ("answer", "it should be an object"),
    "null": (None, "it should be an object"),
    "no answer": ({}, "exactly one of answer and answers is required"),
    "a null answer": ({"answer": None}, "exactly one of answer and answers is required"),
    "two kinds of answers": ({"answer": HELLO, "answers": [HELLO]}, "exactly one of answer and answers is required"),
    "no answers": ({"answers": []}, "answers: List should have at least 1 item"),
    "an unknown key": ({"answer": HELLO, "matches": {}}, "matches: this key is unknown"),
    "a misspelt key": ({"match": {"domian": "x"}, "answer": HELLO}, "match.domian: this key is unknown"),
    "the name of a field in Python": ({"schema_": "x", "answer": HELLO}, "schema_: this key is unknown"),
    "an answer of no kind": ({"answer": {}}, "answer: exactly one of content, merge and error is required, not none"),
    "an answer of two kinds": ({"answer": {**HELLO, "merge": {}}}, "answer: exactly one of content, merge and error"),
    "a second answer of no kind": ({"answers": [HELLO, {}]}, "answers.1: exactly one of content, merge and error"),
    "a number as content": (
        {"answer": {"content": 5}},
        "answer.content: it should be an object, or it should be a list, or it should be a string",
    ),
    "a list as patch": ({"answer": {"merge": []}}, "answer.merge: it should be an object"),
    "a generation that is none": ({"match": {"generation": "2"}, "answer": HELLO}, "match.generation: Input should be"),
    "a document that is nameless": (
        {"match": {"documents": [{"size": 3}]}, "answer": HELLO},
        "match.documents.0.identity: this key is required",
    ),
    "a path as identity": (
        {"match": {"documents": [{"identity": "a.png"}]}, "answer": HELLO},
        "match.documents.0.identity: String should match pattern",
    ),
    "a message from nobody": (
        {"match": {"messages": [{"role": "tool", "content": "x"}]}, "answer": HELLO},
        "match.messages.0.role: Input should be",
    ),
    "a message of numbers": (
        {"match": {"messages": [{"content": 5}]}, "answer": HELLO},
        "match.messages.0.content: it should be a string, or it should be a list",
    ),
    "a schema that is a text": ({"match": {"schema": "x"}, "answer": HELLO}, "match.schema: it should be an object"),
    "a success that failed": (
        {"answer": {**HELLO, "status": 404}},
        "answer.status: Input should be less than or equal",
    ),
    "a status beside an error": (
        {"answer": {"error": {"status": 429}, "status": 201}},
        "answer: status goes with content",
    ),
    "a layout that is none": ({"answer": {**HELLO, "layout": "wide"}}, "answer.layout: Input should be 'compact', "),
    "a completion without choices": (
        {"answer": {**HELLO, "completion": {"id": "x"}}},
        "answer.completion: it has choices, a list of which the first has a message",
    ),
    "a completion without a message": (
        {"answer": {**HELLO, "completion": {"choices": [{"index": 0}]}}},
        "answer.completion: it has choices, a list of which the first has a message",
    ),
    "an error that is none": (
        error(status=200, body=None),
        "answer.error: an error without a body has a status from 400",
    ),
    "a negative time": ({"answer": {**HELLO, "took_ms": -1}}, "answer.took_ms: Input should be greater than or equal"),
    "a domain of numbers": ({"match": {"domain": 5}, "answer": HELLO}, "match.domain: it should be a string"),
    "one document outside a list": ({"match": {"documents": "a.png"}, "answer": HELLO}, "match.documents: it should"),
    "a document without name": ({"match": {"documents": [None]}, "answer": HELLO}, "match.documents.0: it should"),
    "a text outside an object": ({"match": {"text": "x"}, "answer": HELLO}, "match.text: it should be an object"),
    "a number to contain": ({"match": {"text": {"contains": 5}}, "answer": HELLO}, "match.text.contains: it should"),
    "metadata in a list": ({"match": {"metadata": []}, "answer": HELLO}, "match.metadata: it should be an object"),
    "an error without status": ({"answer": {"error": {"message": "x"}}}, "answer.error.status: this key is required"),
    "a success as error": (error(status=200), "answer.error: an error without a body has a status from 400 to 599"),
    "a status that is none": (error(status=600), "answer.error.status: Input should be less than or equal to 599"),
    "a status in quotes": (error(status="429"), "answer.error.status: Input should be a valid integer"),
    "a header with a blank": (error(headers={"a b": "x"}), "answer.error.headers.a b: String should match pattern"),
    "a header without name": (error(headers={"": "x"}), "answer.error.headers"),
    "a header that splits": (error(headers={"a": "x\r\nb: y"}), "answer.error.headers.a: String should match pattern"),
    "a header that ends a line": (error(headers={"a": "x\n"}), "answer.error.headers.a: String should match pattern"),
    "a header beyond ASCII": (error(headers={"a": "é"}), "answer.error.headers.a: String should match pattern"),
    "a length of its own": (error(headers={"Content-Length": "3"}), "Content-Length is for the server alone to say"),
    "a framing of its own": (error(headers={"transfer-encoding": "chunked"}), "transfer-encoding is for the server"),
    "a negative usage": ({"answer": {**HELLO, "usage": {"total_tokens": -1}}}, "answer.usage.total_tokens: Input"),
    "a usage that is a truth": ({"answer": {**HELLO, "usage": {"total_tokens": True}}}, "answer.usage.total_tokens"),
    "a usage that is none": ({"answer": {**HELLO, "usage": {"tokens": 1}}}, "answer.usage.tokens: this key is unknown"),
    "a negative latency": ({"answer": {**HELLO, "latency_ms": -1}}, "answer.latency_ms: Input should be greater"),
    "an hour of latency": ({"answer": {**HELLO, "latency_ms": 3_600_000}}, "answer.latency_ms: Input should be less"),
}

NOT_JSON = {
    "nothing": b"",
    "an open object": b'{"answer":',
    "two values": b'{"answer": {"content": "x"}} {}',
    "a comment": b'{"answer": {"content": "x"}} // the end',
    "a trailing comma": b'{"answer": {"content": "x"},}',
    "Latin-1": b'{"answer": {"content": "\xe9"}}',
    "UTF-16": '{"answer": {"content": "x"}}'.encode("utf-16"),
    "half a surrogate pair": b'{"answer": {"content": "\\ud800"}}',
    "NaN": b'{"answer": {"content": [NaN]}}',
    "infinity": b'{"answer": {"content": [-Infinity]}}',
    "a number beyond a double": b'{"answer": {"content": [-1e999]}}',
    "a number of 5,000 digits": b'{"answer": {"content": [' + b"9" * 5000 + b"]}}",
    "absurd nesting": b"[" * 100_000,
    "one key twice": b'{"answer": {"content": {"total": 1, "tax": 2, "total": 3}}}',
}


@pytest.mark.parametrize("name", GOOD)
def test_loader_and_published_format_accept_a_good_fixture(name: str) -> None:
    validator = jsonschema_rs.validator_for(exported())

    parsed = parse(json.dumps(GOOD[name]).encode(), "good.json")

    assert bool(parsed.answer) != bool(parsed.answers)
    assert [problem.message for problem in validator.iter_errors(GOOD[name])] == []


@pytest.mark.parametrize("name", BAD)
def test_loader_and_published_format_refuse_a_bad_fixture(name: str) -> None:
    fixture, reason = BAD[name]
    validator = jsonschema_rs.validator_for(exported())

    with pytest.raises(FixtureError) as caught:
        parse(json.dumps(fixture).encode(), "bad.json")

    assert str(caught.value).startswith("bad.json: ")
    assert reason in str(caught.value)
    assert str(caught.value).isprintable()
    assert not validator.is_valid(fixture)


def test_the_published_format_knows_what_an_identity_looks_like() -> None:
    validator = jsonschema_rs.validator_for(exported())
    named = [f"sha256:{DIGEST[1:]}", f"sha256:{DIGEST.upper()}", f"sha256:{DIGEST}0"]

    accepted = [name for name in named if validator.is_valid({"match": {"documents": [name]}, "answer": HELLO})]

    assert accepted == []


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*/answer.json")), ids=lambda path: path.parent.name)
def test_the_published_format_accepts_a_packaged_fixture(path: Path) -> None:
    validator = jsonschema_rs.validator_for(exported())

    fixture = json.loads(path.read_text(encoding="utf-8"))

    assert [problem.message for problem in validator.iter_errors(fixture)] == []


def test_the_published_format_is_what_the_script_exports() -> None:
    published = json.loads(TARGET.read_text(encoding="utf-8"))

    assert published == exported()


@pytest.mark.parametrize("name", NOT_JSON)
def test_what_is_not_json_is_refused_in_one_line(name: str) -> None:
    with pytest.raises(FixtureError) as caught:
        parse(NOT_JSON[name], "broken.json")

    assert str(caught.value).startswith("broken.json: is not JSON: ")
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 120


def test_every_place_at_fault_is_named_once_the_first_in_the_message() -> None:
    with pytest.raises(FixtureError) as caught:
        parse(b'{"match": {"model": 1, "domain": []}, "answer": {"content": 5}, "more": 1}', "a.json")

    assert str(caught.value) == "a.json: match.domain: it should be a string"
    assert caught.value.further == (
        ("match.model", "it should be a string"),
        ("answer.content", "it should be an object, or it should be a list, or it should be a string"),
        ("more", "this key is unknown"),
    )


def test_the_key_that_stands_twice_is_named() -> None:
    with pytest.raises(FixtureError, match='the key "total" stands twice'):
        parse(NOT_JSON["one key twice"], "twice.json")


def test_a_byte_order_mark_is_no_harm() -> None:
    parsed = parse(b'\xef\xbb\xbf{"answer": {"content": "hello"}}', "bom.json")

    assert parsed.answer
    assert parsed.answer.content == "hello"


def test_a_file_is_read_as_utf_8_whatever_the_locale(write: Callable[[str, bytes], Path]) -> None:
    path = write("é.json", '{"answer": {"content": "Köln 東京"}}'.encode())

    parsed = read(path, "é.json")

    assert parsed.answer
    assert parsed.answer.content == "Köln 東京"


def test_a_file_that_is_missing_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(FixtureError, match=r"^gone\.json: cannot be read: No such file or directory$"):
        read(tmp_path / "gone.json", "gone.json")


def test_a_pipe_is_refused_rather_than_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(OSError, match="it is not a file"):
        contents(tmp_path / "pipe")


# The examples of RFC 7396, appendix A: https://www.rfc-editor.org/rfc/rfc7396#appendix-A
@pytest.mark.parametrize(
    ("original", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_a_merge_patch_does_what_rfc_7396_says(original: Any, patch: Any, result: Any) -> None:
    before = json.dumps([original, patch])

    merged = merge_patch(original, patch)

    assert merged == result
    assert json.dumps([original, patch]) == before
