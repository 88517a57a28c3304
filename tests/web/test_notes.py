"""What the log says beside an answer: what a user may not have meant."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Serve
from tests.serving import RunningMock, data_url, image_message, picture
from vlmrun_mock.documents.identity import identity

Write = Callable[[str, str | bytes], Path]
MERGED = {"merge": {"total_amount": 1}}
SCHEMA = {"type": "object", "properties": {"total": {"type": "number"}}, "required": ["total"]}


@pytest.fixture
def with_own(serve: Serve, write: Write) -> RunningMock:
    """Return a server with a fixture for one picture of an invoice, and a text that is asked for."""
    match = {"domain": "document.invoice", "documents": [identity(picture(1))], "text": {"contains": "Extract"}}
    path = write("own/acme.json", json.dumps({"match": match, "answer": {"content": {"invoice_id": "INV-1"}}}))
    return serve(fixtures=(path.parent,))


def test_a_packaged_answer_says_which_own_fixture_was_nearly_meant(with_own: RunningMock) -> None:
    with_own.chat(messages=image_message(picture(1), text="extract"), domain="document.invoice")

    assert "document.invoice/answer.json" in with_own.lines[-1]
    assert "acme.json" in with_own.lines[-1]
    assert "Extract" in with_own.lines[-1]


def test_a_request_for_something_else_is_not_remarked_on(with_own: RunningMock) -> None:
    with_own.chat(messages=image_message(picture(2)), domain="document.receipt")

    assert "acme.json" not in with_own.lines[-1]


def test_content_that_does_not_meet_the_callers_schema_goes_out_and_is_remarked_on(with_own: RunningMock) -> None:
    answer = with_own.chat(messages=image_message(picture(1)), domain="document.invoice", json_schema=SCHEMA)

    assert json.loads(answer.json()["choices"][0]["message"]["content"]) == {"invoice_id": "INV-1"}
    assert "acme.json does not meet the schema in the request" in with_own.lines[-1]
    assert "total" in with_own.lines[-1]


def test_content_that_meets_the_callers_schema_is_not_remarked_on(with_own: RunningMock) -> None:
    schema = {"type": "object", "required": ["invoice_id"]}

    with_own.chat(messages=image_message(picture(1)), domain="document.invoice", json_schema=schema)

    assert "does not meet" not in with_own.lines[-1]


@pytest.mark.parametrize("broken", [{}, {"json_schema": {"name": "x"}}, {"json_schema": {"description": "x"}}])
def test_a_response_format_without_its_schema_is_remarked_on(served: RunningMock, broken: dict[str, object]) -> None:
    answer = served.chat(response_format={"type": "json_schema", **broken}, domain="document.invoice")

    assert answer.status_code == 201
    assert "json_schema.schema" in served.lines[-1]


def test_an_error_says_to_its_end_what_to_do(served: RunningMock) -> None:
    served.chat(domain="document.invoise")

    assert "document.invoice" in served.lines[-1]
    assert "vlmrun-mock domains" in served.lines[-1]


def test_a_scripted_error_names_its_fixture(serve: Serve, write: Write) -> None:
    error = {"status": 429, "message": "slow", "headers": {"Retry-After": "7"}}
    path = write("own/limit.json", json.dumps({"answer": {"error": error}}))

    answer = serve(fixtures=(path.parent,)).chat()

    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "7"
    assert answer.headers["x-vlmrun-mock-source"] == "fixture"
    assert answer.headers["x-vlmrun-mock-fixture"] == "limit.json"


def test_a_byte_order_mark_does_no_harm(served: RunningMock) -> None:
    answer = served.http.post("/v1/openai/chat/completions", content=b'\xef\xbb\xbf{"messages": [{}]}')

    assert answer.status_code == 201


@pytest.mark.parametrize("url", ["https://example.com/a.png", data_url(picture())])
def test_a_picture_that_is_a_plain_string_is_told_how_to_be_written(served: RunningMock, url: str) -> None:
    answer = served.chat(messages=[{"content": [{"type": "image_url", "image_url": url}]}])

    message = answer.json()["detail"][0]["msg"]
    assert answer.status_code == 422
    assert '{"url": "…"}' in message
    assert "Body" not in message


GUESSED = {"type": "object", "properties": {"total": {"type": "number", "minimum": 0, "exclusiveMinimum": True}}}
GUESS = "exclusiveMinimum is a boolean, as in draft 4 and OpenAPI 3.0"


@pytest.mark.parametrize(
    "asked",
    [
        {"json_schema": GUESSED},
        {"response_format": {"type": "json_schema", "json_schema": {"schema": GUESSED}}},
        {"json_schema": GUESSED, "domain": "document.invoice"},
        {"json_schema": GUESSED, "domain": "document.invoice", "messages": image_message(picture(1))},
        {"json_schema": GUESSED, "domain": "document.receipt"},
    ],
)
def test_a_guessed_dialect_is_in_the_log_the_journal_and_a_header(
    asked: dict[str, object], with_own: RunningMock
) -> None:
    control = with_own.http.post("/_mock/fixtures", json={"match": {"domain": "document.receipt"}, "answer": MERGED})

    first, again = with_own.chat(**asked), with_own.chat(**asked)

    assert control.status_code == 201
    assert [answer.headers["x-vlmrun-mock-dialect"] for answer in (first, again)] == [GUESS, GUESS]
    assert f"[the schema's dialect is guessed: {GUESS}]" in with_own.lines[-1]
    entries = with_own.http.get("/_mock/requests").json()["requests"]
    assert [note for entry in entries for note in entry["notes"] if GUESS in note] == 2 * [
        f"the schema's dialect is guessed: {GUESS}"
    ]


def test_a_dialect_that_a_schema_names_is_not_remarked_on(served: RunningMock) -> None:
    schema = {"$schema": "http://json-schema.org/draft-04/schema#", **GUESSED}

    answer = served.chat(json_schema=schema)

    assert "x-vlmrun-mock-dialect" not in answer.headers
    assert "dialect" not in served.lines[-1]
