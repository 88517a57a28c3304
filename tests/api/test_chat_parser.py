"""A body becomes a request: every field, every older spelling, and what is wrong with it by its place."""

from __future__ import annotations

import base64
import json
from typing import Any

import msgspec
import pytest

from tests.effort import calls
from tests.serving import data_url, image_message, picture
from vlmrun_mock.api import chat_parser
from vlmrun_mock.api.bodies import MOST_BRACKETS
from vlmrun_mock.api.chat_request import ChatRequest
from vlmrun_mock.api.errors import InvalidRequest
from vlmrun_mock.api.request import Config, ExtractionRequest, Message
from vlmrun_mock.documents.identity import identity

SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}


def parse_chat(**body: Any) -> ChatRequest:
    """Parse a body with one empty message, unless it has messages of its own."""
    return chat_parser.parse(json.dumps({"messages": [{}], **body}).encode())


def parse(**body: Any) -> ExtractionRequest:
    """Return the extraction request in such a body."""
    return parse_chat(**body).extraction


def problems(**body: Any) -> list[dict[str, Any]]:
    """Return the `detail` of the 422 for a body."""
    with pytest.raises(InvalidRequest) as caught:
        parse(**body)
    return caught.value.detail


def part(kind: str, **fields: Any) -> list[dict[str, Any]]:
    """Return messages with one content part."""
    return [{"content": [{"type": kind, **fields}]}]


def test_the_smallest_request_has_the_documented_defaults() -> None:
    request = parse()

    assert request == ExtractionRequest(
        messages=(Message("user", ()),),
        metadata={"environment": "prod", "session_id": None, "allow_training": True},
    )
    assert request.model == "vlm-1"
    assert request.config == Config(prompt=None, detail="auto", gql_stmt=None, grounding=False, confidence=False)


def test_texts_are_kept_by_message_and_in_order() -> None:
    parts = [{"type": "text", "text": "one"}, {"type": "image_url", "image_url": {"url": data_url(picture())}}]
    messages = [
        {"role": "system", "content": "You read documents."},
        {"role": "user", "content": [*parts, {"type": "text", "text": "two"}]},
        {"role": "assistant", "content": None},
        {"content": []},
    ]

    request = parse(messages=messages)

    assert request.messages == (
        Message("system", ("You read documents.",)),
        Message("user", ("one", "two"), places=(1,)),
        Message("assistant", ()),
        Message("user", ()),
    )


@pytest.mark.parametrize("kind", ["image_url", "video_url", "audio_url", "file_url"])
def test_a_document_is_known_by_its_decoded_bytes_or_its_url(kind: str) -> None:
    data = picture()

    inline = parse(messages=part(kind, **{kind: {"url": data_url(data)}})).documents
    linked = parse(messages=part(kind, **{kind: {"url": "https://example.com/a?b=c#d"}})).documents

    assert [(each.identity, each.kind) for each in inline] == [(identity(data), kind)]
    assert [(each.identity, each.kind) for each in linked] == [("https://example.com/a?b=c#d", kind)]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"input_file": {"file_id": "file-1"}}, "file:file-1"),
        ({"input_file": {"file_url": "https://example.com/a.pdf"}}, "https://example.com/a.pdf"),
        ({"file_id": "file-1"}, "file:file-1"),
        ({"file_url": "https://example.com/a.pdf"}, "https://example.com/a.pdf"),
        ({"file_id": "file-1", "file_url": "https://example.com/a.pdf"}, "https://example.com/a.pdf"),
    ],
)
def test_an_input_file_is_named_by_id_or_url_in_either_spelling(fields: dict[str, Any], expected: str) -> None:
    assert [each.identity for each in parse(messages=part("input_file", **fields)).documents] == [expected]


def test_documents_of_all_messages_are_in_order() -> None:
    first, second, third = picture(1), picture(2), picture(3)

    request = parse(messages=[*image_message(first, second), *image_message(third)])

    assert [each.identity for each in request.documents] == [identity(first), identity(second), identity(third)]


@pytest.mark.parametrize(
    ("body", "domain"),
    [
        ({"vlmrun": {"domain": "document.invoice"}}, "document.invoice"),
        ({"domain": "document.invoice"}, "document.invoice"),
        ({"vlmrun": {"domain": "document.invoice"}, "domain": "document.receipt"}, "document.invoice"),
        ({"vlmrun": {"domain": None}, "domain": "document.receipt"}, "document.receipt"),
        ({"vlmrun": {}, "domain": "document.receipt"}, "document.receipt"),
        ({"vlmrun": {"domain": ""}}, None),
        ({"vlmrun": None, "domain": None}, None),
    ],
)
def test_a_domain_is_found_in_both_spellings(body: dict[str, Any], domain: str | None) -> None:
    assert parse(**body).domain == domain


SPELLINGS: list[tuple[dict[str, Any], tuple[str, ...]]] = [
    ({"vlmrun": {"config": {"json_schema": SCHEMA}}}, ("body", "vlmrun", "config", "json_schema")),
    ({"vlmrun": {"json_schema": SCHEMA}}, ("body", "vlmrun", "json_schema")),
    ({"json_schema": SCHEMA}, ("body", "json_schema")),
    ({"schema": SCHEMA}, ("body", "schema")),
    (
        {"response_format": {"type": "json_schema", "json_schema": {"name": "A", "schema": SCHEMA, "strict": True}}},
        ("body", "response_format", "json_schema", "schema"),
    ),
    ({"response_format": {"type": "json_schema", "schema": SCHEMA}}, ("body", "response_format", "schema")),
]


@pytest.mark.parametrize(("body", "place"), SPELLINGS)
def test_a_schema_is_found_in_every_spelling_with_its_place(body: dict[str, Any], place: tuple[str, ...]) -> None:
    schema = parse(**body).schema

    assert schema is not None
    assert schema.schema == SCHEMA
    assert schema.place == place


def _own(number: int, value: Any) -> Any:
    """Return a spelling whose schema is told from the others by its title."""
    if value is SCHEMA:
        return {**SCHEMA, "title": str(number)}
    return {key: _own(number, child) for key, child in value.items()} if isinstance(value, dict) else value


def _merged(left: dict[str, Any], right: dict[str, Any]) -> dict[str, Any]:
    both = {key: _merged(left[key], right[key]) for key in left if isinstance(left[key], dict) and key in right}
    return {**right, **left, **both}


@pytest.mark.parametrize("first", range(4))
def test_of_several_schemas_the_one_nearest_to_config_wins(first: int) -> None:
    body: dict[str, Any] = {}
    for number, (spelling, _) in list(enumerate(SPELLINGS))[first:5]:
        body = _merged(body, _own(number, spelling))

    schema = parse(**body).schema

    assert schema is not None
    assert schema.schema["title"] == str(first)


@pytest.mark.parametrize(
    "body",
    [
        {"vlmrun": {"json_schema": {}, "config": {"json_schema": None}}},
        {"json_schema": None, "schema": {}},
        {"response_format": {"type": "json_object"}},
        {"response_format": {"type": "text", "schema": SCHEMA}},
        {"response_format": {"type": "json_schema"}},
        {"response_format": {"type": "json_schema", "json_schema": {"name": "A"}}},
        {"response_format": {}},
        {"response_format": None},
    ],
)
def test_an_empty_schema_is_no_schema(body: dict[str, Any]) -> None:
    assert parse(**body).schema is None


def test_an_empty_schema_lets_the_next_one_win() -> None:
    schema = parse(vlmrun={"config": {"json_schema": {}}, "json_schema": SCHEMA}).schema

    assert schema is not None
    assert schema.place == ("body", "vlmrun", "json_schema")


def test_metadata_is_found_in_both_spellings_and_keeps_further_keys() -> None:
    new = parse(vlmrun={"metadata": {"environment": "dev", "session_id": "s", "tenant": 4}}).metadata
    old = parse(metadata={"environment": "staging", "allow_training": False}).metadata

    assert new == {"environment": "dev", "session_id": "s", "allow_training": True, "tenant": 4}
    assert old == {"environment": "staging", "session_id": None, "allow_training": False}


def test_config_is_read_and_its_further_keys_are_accepted() -> None:
    config = {"prompt": "p", "detail": "hi", "gql_stmt": "{ a }", "grounding": True, "confidence": True}
    further = {"max_retries": 3, "keyframes": [], "page_indices": None, "service_tier": "auto", "skills": {}}

    request = parse(vlmrun={"config": {**config, **further}})

    assert request.config == Config(
        "p", "hi", "{ a }", grounding=True, confidence=True, further={"keyframes": [], "skills": {}}
    )


@pytest.mark.parametrize("model", [None, ""])
def test_no_model_is_the_default_one(model: str | None) -> None:
    assert parse(model=model).model == "vlm-1"


def test_a_missing_field_reads_as_fastapi_writes_it() -> None:
    with pytest.raises(InvalidRequest) as caught:
        chat_parser.parse(b"{}")

    assert caught.value.detail == [{"type": "missing", "loc": ["body", "messages"], "msg": "Field required"}]
    assert caught.value.message == "body.messages: Field required"
    assert caught.value.param == "messages"


LOCATIONS: list[tuple[dict[str, Any], list[str | int]]] = [
    ({"messages": "x"}, ["body", "messages"]),
    ({"messages": None}, ["body", "messages"]),
    ({"messages": ["x"]}, ["body", "messages", 0]),
    ({"messages": [{}, {"role": "robot"}]}, ["body", "messages", 1, "role"]),
    ({"messages": [{"content": 5}]}, ["body", "messages", 0, "content"]),
    ({"messages": [{"content": ["x"]}]}, ["body", "messages", 0, "content", 0]),
    ({"messages": [{"content": [{"text": "x"}]}]}, ["body", "messages", 0, "content", 0]),
    ({"messages": part("nonsense")}, ["body", "messages", 0, "content", 0]),
    ({"messages": part("text")}, ["body", "messages", 0, "content", 0, "text"]),
    ({"messages": part("image_url")}, ["body", "messages", 0, "content", 0, "image_url"]),
    ({"messages": part("image_url", image_url="https://a.b/c")}, ["body", "messages", 0, "content", 0, "image_url"]),
    ({"messages": part("image_url", image_url={})}, ["body", "messages", 0, "content", 0, "image_url", "url"]),
    (
        {"messages": part("image_url", image_url={"url": "file:///etc/passwd"})},
        ["body", "messages", 0, "content", 0, "image_url", "url"],
    ),
    (
        {"messages": part("image_url", image_url={"url": "data:image/png;base64,!!!!"})},
        ["body", "messages", 0, "content", 0, "image_url", "url"],
    ),
    ({"messages": part("file", file={"filename": "a.pdf"})}, ["body", "messages", 0, "content", 0, "file"]),
    (
        {"messages": part("file", file={"file_data": "~"})},
        ["body", "messages", 0, "content", 0, "file", "file_data"],
    ),
    ({"messages": part("input_file")}, ["body", "messages", 0, "content", 0, "input_file"]),
    ({"messages": part("input_file", file_id="\n")}, ["body", "messages", 0, "content", 0, "input_file", "file_id"]),
    ({"model": 5}, ["body", "model"]),
    ({"max_tokens": "many"}, ["body", "max_tokens"]),
    ({"n": 1.5}, ["body", "n"]),
    ({"temperature": "hot"}, ["body", "temperature"]),
    ({"stream": "perhaps"}, ["body", "stream"]),
    ({"response_format": "json"}, ["body", "response_format"]),
    ({"vlmrun": "x"}, ["body", "vlmrun"]),
    ({"vlmrun": {"domain": 5}}, ["body", "vlmrun", "domain"]),
    ({"vlmrun": {"metadata": {"environment": "test"}}}, ["body", "vlmrun", "metadata", "environment"]),
    ({"metadata": {"environment": "test"}}, ["body", "metadata", "environment"]),
    ({"vlmrun": {"config": {"detail": "high"}}}, ["body", "vlmrun", "config", "detail"]),
    ({"vlmrun": {"config": {"json_schema": []}}}, ["body", "vlmrun", "config", "json_schema"]),
    ({"vlmrun": {"config": {"gql_stmt": {}}}}, ["body", "vlmrun", "config", "gql_stmt"]),
    ({"schema": "x"}, ["body", "schema"]),
]


@pytest.mark.parametrize(("body", "place"), LOCATIONS)
def test_a_problem_names_its_place_in_the_body(body: dict[str, Any], place: list[str | int]) -> None:
    found = problems(**body)

    assert [problem["loc"] for problem in found] == [place]
    assert found[0]["msg"]
    assert set(found[0]) == {"type", "loc", "msg"}


def test_an_unknown_part_names_the_known_ones() -> None:
    assert "image_url, video_url" in problems(messages=part("picture"))[0]["msg"]


def test_every_problem_is_listed_and_the_message_counts_them() -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse(model=5, n="x", vlmrun={"domain": []})

    assert [problem["loc"][-1] for problem in caught.value.detail] == ["model", "n", "domain"]
    assert caught.value.message.endswith("(and 2 more)")


@pytest.mark.parametrize("raw", [b"", b" ", b"{", b"[", b"nul", b'{"messages": [{}],}', b"{'messages': []}", b"\xff"])
def test_what_is_no_json_is_one_problem_of_the_body(raw: bytes) -> None:
    with pytest.raises(InvalidRequest) as caught:
        chat_parser.parse(raw)

    assert [(problem["loc"], problem["type"]) for problem in caught.value.detail] == [(["body"], "json_invalid")]


@pytest.mark.parametrize("raw", [b"[]", b"null", b"5", b'"text"', b"true"])
def test_json_that_is_no_object_is_a_problem_of_the_body(raw: bytes) -> None:
    with pytest.raises(InvalidRequest) as caught:
        chat_parser.parse(raw)

    assert [problem["loc"] for problem in caught.value.detail] == [["body"]]


@pytest.mark.parametrize("messages", [[{}] * 10_001, [{"content": [{"type": "text", "text": ""}] * 10_001}]])
def test_more_items_than_the_limit_are_refused(messages: list[object]) -> None:
    with pytest.raises(InvalidRequest) as refused:
        chat_parser.parse(json.dumps({"messages": messages}).encode())

    assert refused.value.problems[0].type == "too_long"


@pytest.mark.parametrize(
    ("role", "read_as"), [("developer", "system"), ("tool", "tool"), ("function", "function"), (None, "user")]
)
def test_the_roles_of_openais_newer_clients_are_read(role: str | None, read_as: str) -> None:
    request = parse(messages=[{"role": role, "content": "Extract", "tool_call_id": "call_1"}])

    assert [message.role for message in request.messages] == [read_as]


def test_openais_part_with_a_file_is_the_same_document_as_a_data_url() -> None:
    pdf = b"%PDF-1.4 a document"
    url, bare = data_url(pdf, "application/pdf"), base64.b64encode(pdf).decode()

    as_url, as_base64, as_picture = (
        parse(messages=part(kind, **{kind: content})).documents[0]
        for kind, content in (
            ("file", {"file_data": url, "filename": "a.pdf"}),
            ("file", {"file_data": bare}),
            ("image_url", {"url": url}),
        )
    )
    by_id = parse(messages=part("file", file={"file_id": "an-id"})).documents[0]

    assert as_url.identity == as_base64.identity == as_picture.identity
    assert (as_url.filename, as_url.media_type, as_base64.media_type) == ("a.pdf", "application/pdf", "application/pdf")
    assert by_id.identity == "file:an-id"


SMALL = {"type": "object", "properties": {"total": {"type": "number"}}}


@pytest.mark.parametrize(
    ("response_format", "place"),
    [
        ({"type": "json_schema", "json_schema": SMALL}, ("json_schema",)),
        ({"type": "json_schema", "json_schema": {**SMALL, "schema": {"type": "string"}}}, ("json_schema",)),
        ({"type": "json_schema", "json_schema": {"name": "Bill", "schema": SMALL}}, ("json_schema", "schema")),
        ({"type": "json_schema", "schema": SMALL, "name": "Bill", "strict": True}, ("schema",)),
        ({"type": "json_object", "schema": SMALL}, ("schema",)),
    ],
)
def test_a_schema_in_the_response_format_is_found_where_clients_put_it(
    response_format: dict[str, Any], place: tuple[str, ...]
) -> None:
    schema = parse(response_format=response_format).schema

    assert schema is not None
    assert schema.place == ("body", "response_format", *place)
    assert schema.schema["properties"] == SMALL["properties"]


@pytest.mark.parametrize("wrapper", [{"name": "Bill"}, {"name": "Bill", "description": "A bill", "schema": None}])
def test_a_wrapper_without_a_schema_is_none(wrapper: dict[str, Any]) -> None:
    assert parse(response_format={"type": "json_schema", "json_schema": wrapper}).schema is None


AROUND = b'{"model": "vlm-1", "vlmrun": {"domain": "document.invoice"}, "messages": %b, "temperature": 0.5}'
TWICE = b'[{"content": "Extract"}]'


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(AROUND % b'[{"role": "user", "content": "Extract"}]', id="usual"),
        pytest.param(AROUND % b"[]", id="no messages"),
        pytest.param(AROUND % '[{"content": "ä€😀", "name": "é"}]'.encode(), id="not ASCII"),
        pytest.param(AROUND % b'[{"content": "]} \\"messages\\": [{\\"content\\": 1}]"}]', id="JSON in a text"),
        pytest.param(b'{"messages": %b, "stop": %b}' % (TWICE, TWICE), id="the same list after"),
        pytest.param(b'{"stop": %b, "messages": %b}' % (TWICE, TWICE), id="the same list before"),
        pytest.param(b'{"messages": [{"content": "one"}], "messages": %b}' % TWICE, id="two keys"),
        pytest.param(b'{"messages": %b, "messages": [{"content": "one"}]}' % TWICE, id="two keys, another order"),
        pytest.param(b'{"m\\u0065ssages": %b, "model": "a"}' % TWICE, id="an escaped key"),
        pytest.param(b'\xef\xbb\xbf{"messages": %b}' % TWICE, id="a byte order mark"),
        pytest.param(b'{"n": 2, "messages": %b, "max_tokens": "7"}' % TWICE, id="a number in a text"),
    ],
)
def test_a_body_whose_messages_are_read_apart_is_read_as_a_whole_one_is(raw: bytes) -> None:
    padding = b', "padding": %b}' % (b"[" * MOST_BRACKETS + b"]" * MOST_BRACKETS)

    apart, again, whole = chat_parser.parse(raw), chat_parser.parse(raw), chat_parser.parse(raw[:-1] + padding)

    known = {name: value for name, value in whole.parameters.items() if name != "padding"}
    assert apart == again
    assert apart == msgspec.structs.replace(whole, parameters=known)


@pytest.mark.parametrize(
    "messages",
    [
        pytest.param(b'[{"content": "\xff"}]', id="no UTF-8"),
        pytest.param(b'[{"name": "\xff"}]', id="no UTF-8 in what is not known"),
        pytest.param(b'[{"weight": 1e999}]', id="too large a number in what is not known"),
        pytest.param(b'[{"role": "narrator"}]', id="an unknown role"),
        pytest.param(b'[{"content": "a",}]', id="no JSON"),
        pytest.param(b"null", id="no list"),
        pytest.param(b'[{"content": [{"type": "image_url", "image_url": {"url": "ftp://a"}}]}]', id="no document"),
    ],
)
def test_messages_that_cannot_be_read_are_refused_by_their_place_in_the_body(messages: bytes) -> None:
    chat_parser.parse(AROUND % b"[]")
    padding = b', "padding": %b}' % (b"[" * MOST_BRACKETS + b"]" * MOST_BRACKETS)

    with pytest.raises(InvalidRequest) as apart:
        chat_parser.parse(AROUND % messages)
    with pytest.raises(InvalidRequest) as whole:
        chat_parser.parse((AROUND % messages)[:-1] + padding)

    assert apart.value.detail == whole.value.detail
    assert apart.value.problems


def test_two_requests_that_differ_in_their_messages_alone_share_nothing_that_was_worked_out() -> None:
    first, second = (chat_parser.parse(AROUND % b'[{"content": "%b"}]' % text).extraction for text in (b"one", b"two"))

    assert (first.text, second.text) == ("one", "two")
    assert first.fingerprint != second.fingerprint
    assert second.domain == "document.invoice"


def test_what_stands_around_the_messages_is_read_once() -> None:
    bodies = [b'{"model": "once", "messages": [{"content": "%d"}], "domain": "document.invoice"}' % n for n in range(3)]
    chat_parser.parse(bodies[0])

    read_again = calls(lambda: [chat_parser.parse(body) for body in bodies[1:]], of=chat_parser._whole)

    assert read_again == 0
