"""Large documents are taken out of a body before it is parsed, and the request is the same as if they were not."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.corpus.documents import png
from vlmrun_mock.api import chat_parser, execution_parser, prediction_parser
from vlmrun_mock.api.chat_request import ChatRequest
from vlmrun_mock.api.errors import InvalidRequest
from vlmrun_mock.documents.embedded import FURTHEST, MOST_AT_ONCE, SMALLEST, WINDOW, EmbeddedDocuments

PICTURE = png(40, 30) + bytes(range(256)) * 100
OTHER = png(50, 60) + bytes(range(255, -1, -1)) * 100


def url(data: bytes, head: str = "data:image/png;base64") -> str:
    """Return bytes as a data URL."""
    return f"{head},{base64.b64encode(data).decode()}"


def picture(address: str, **further: Any) -> dict[str, Any]:
    """Return a part with a picture."""
    return {"type": "image_url", "image_url": {"url": address, **further}}


def asked(*parts: Mapping[str, Any], **further: Any) -> dict[str, Any]:
    """Return a body with one message."""
    return {"messages": [{"role": "user", "content": list(parts)}], **further}


BODIES = {
    "one": asked(picture(url(PICTURE))),
    "two, and a text": asked(picture(url(PICTURE)), {"type": "text", "text": "Extract"}, picture(url(OTHER))),
    "the same one twice": asked(picture(url(PICTURE)), picture(url(PICTURE))),
    "a small one beside it": asked(picture(url(png(1, 1))), picture(url(PICTURE))),
    "a file name in the URL": asked(picture(url(PICTURE, "data:image/png;name=a%20b.png;base64"))),
    "a file name beside the URL": asked(picture(url(PICTURE), filename="a.png")),
    "without a media type": asked(picture(url(PICTURE, "data:;base64"))),
    "a media type that is not so": asked(picture(url(PICTURE, "data:application/pdf;base64"))),
    "other kinds": asked(
        {"type": "file_url", "file_url": {"url": url(PICTURE)}},
        {"type": "input_file", "input_file": {"file_url": url(OTHER)}},
        {"type": "audio_url", "audio_url": {"url": url(b"RIFF" + bytes(SMALLEST * 2), "data:audio/wav;base64")}},
    ),
    "in a text": asked({"type": "text", "text": url(PICTURE)}),
    "in a text, quoted": asked({"type": "text", "text": f'the URL "{url(PICTURE)}" is long'}),
    "in the text of a message": {"messages": [{"role": "user", "content": url(PICTURE)}]},
    "in the metadata": asked(picture(url(PICTURE)), vlmrun={"metadata": {"session_id": url(OTHER)}}),
    "in a further key": asked(picture(url(PICTURE)), note=url(OTHER)),
    "as a key": asked(picture(url(PICTURE)), note={url(OTHER): 1}),
    "in a schema": asked(picture(url(PICTURE)), vlmrun={"json_schema": {"const": url(OTHER)}}),
    "in the alphabet of URLs": asked(picture(url(PICTURE).replace("+", "-").replace("/", "_"))),
    "without padding": asked(picture(url(PICTURE + b"1").rstrip("="))),
    "with line breaks": asked(picture(url(PICTURE).replace("A", "\nA"))),
    "as percent escapes": asked(picture("data:image/png," + "".join(f"%{byte:02x}" for byte in PICTURE[:9000]))),
    "no base64": asked(picture(url(PICTURE) + "!")),
    "no data": asked(picture("data:image/png;base64,")),
    "half a body": asked(picture(url(PICTURE)), vlmrun={"domain": 5}),
}


def outcome(raw: bytes) -> ChatRequest | list[dict[str, Any]]:
    """Return the request in a body, or what is wrong with it."""
    try:
        return chat_parser.parse(raw)
    except InvalidRequest as problem:
        return problem.detail


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_body_is_read_the_same_with_its_data_urls_taken_out(body: Mapping[str, Any]) -> None:
    raw = json.dumps(body).encode()
    escaped = raw.replace(b"data:", b"\\u0064ata:")  # the same JSON, in which no data URL is recognised

    assert EmbeddedDocuments.of(escaped).rest is escaped
    assert outcome(raw) == outcome(escaped)


IMAGE, FILE, AGENT = "/v1/image/generate", "/v1/document/execute", "/v1/agent/execute"
NATIVE: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "pictures": (IMAGE, {"images": [url(PICTURE), url(OTHER), url(PICTURE)], "domain": "document.invoice"}),
    "a picture in bare base64 beside it": (IMAGE, {"images": [url(PICTURE).partition(",")[2], url(OTHER)]}),
    "the field of 2024": (IMAGE, {"image": url(PICTURE)}),
    "videos": (IMAGE, {"videos": [url(PICTURE)]}),
    "a picture, and one in its metadata": (IMAGE, {"images": [url(PICTURE)], "metadata": {"session_id": url(OTHER)}}),
    "a picture, and one in a schema": (
        IMAGE,
        {"images": [url(PICTURE)], "config": {"json_schema": {"const": url(OTHER)}}},
    ),
    "a picture that is none": (IMAGE, {"images": [url(PICTURE), url(OTHER) + "!"]}),
    "a file": (FILE, {"url": url(PICTURE, "data:application/pdf;base64"), "name": "document.invoice"}),
    "a file without a name": (FILE, {"url": url(PICTURE)}),
    "inputs": (
        AGENT,
        {"name": "a", "inputs": {"one": url(PICTURE), "more": [{"two": url(OTHER)}, picture(url(PICTURE))]}},
    ),
    "a part of an input file": (AGENT, {"inputs": [{"type": "input_file", "file_url": url(PICTURE)}]}),
    "URLs": (AGENT, {"urls": [url(PICTURE), url(OTHER)]}),
    "a text in an input": (AGENT, {"inputs": [{"type": "text", "text": url(PICTURE)}, url(OTHER)]}),
    "a key of the inputs": (AGENT, {"inputs": {url(PICTURE): url(OTHER)}}),
}


def native_outcome(path: str, raw: bytes) -> object:
    """Return the request in a body for a path, or what is wrong with it."""
    try:
        if path == AGENT:
            return execution_parser.parse(raw)
        kind, parse = prediction_parser.ROUTES[path]
        return parse(raw, kind, None)
    except InvalidRequest as problem:
        return problem.detail


@pytest.mark.parametrize(("path", "body"), NATIVE.values(), ids=NATIVE)
def test_a_native_body_is_read_the_same_with_its_data_urls_taken_out(path: str, body: Mapping[str, Any]) -> None:
    raw = json.dumps(body).encode()
    escaped = raw.replace(b"data:", b"\\u0064ata:")

    assert EmbeddedDocuments.of(raw).rest is not raw
    assert native_outcome(path, raw) == native_outcome(path, escaped)


@pytest.mark.parametrize("path", [IMAGE, AGENT])
def test_pictures_for_a_prediction_and_an_execution_are_no_part_of_what_is_parsed(path: str) -> None:
    body = {"images": [url(PICTURE)] * 3} if path == IMAGE else {"inputs": {"pictures": [url(PICTURE)] * 3}}
    raw = json.dumps(body).encode()
    embedded = EmbeddedDocuments.of(raw)

    if path == IMAGE:
        asked = prediction_parser.parse(raw, "image", embedded).extraction
    else:
        asked = execution_parser.parse(raw, embedded).extraction

    assert embedded.all_found
    assert asked.size == len(embedded.rest) < 1_000
    assert [each.size for each in asked.documents] == [len(PICTURE)] * 3


def test_a_repeated_key_is_read_as_its_last_value() -> None:
    pictures = (json.dumps(url(each)) for each in (PICTURE, OTHER))
    raw = f'{{"messages": [{{"content": [{{"type": "image_url", "image_url": {{"url": {next(pictures)}, "url": '
    raw += f"{next(pictures)}}}}}]}}]}}"

    assert outcome(raw.encode()) == outcome(json.dumps({"messages": [{"content": [picture(url(OTHER))]}]}).encode())


def test_a_large_picture_is_no_part_of_the_text_that_is_parsed() -> None:
    raw = json.dumps(BODIES["two, and a text"]).encode()

    rest = EmbeddedDocuments.of(raw).rest

    assert len(rest) < 1_000 < len(raw)
    assert [part["type"] for part in json.loads(rest)["messages"][0]["content"]] == ["image_url", "text", "image_url"]


def test_the_names_in_the_places_of_documents_are_new_for_each_body() -> None:
    raw = json.dumps(BODIES["one"]).encode()

    first = EmbeddedDocuments.of(raw).rest

    assert EmbeddedDocuments.of(raw).rest != first
    assert EmbeddedDocuments.of(first * 100).rest == first * 100


@pytest.mark.parametrize("cut", [1, 5, 30, 5_000, 30_000])
def test_a_body_that_ends_early_is_malformed_json(cut: int) -> None:
    raw = json.dumps(BODIES["one"]).encode()[:-cut]

    problems = outcome(raw)

    assert isinstance(problems, list)
    assert problems[0]["type"] == "json_invalid"
    assert f"column {len(raw)}" in problems[0]["msg"]


@pytest.mark.parametrize("offset", range(-7, 3))
def test_a_document_is_found_wherever_the_search_is_interrupted(offset: int) -> None:
    before = '["' + "a" * (WINDOW + offset) + '",'

    found = EmbeddedDocuments.of(f'{before}"{url(bytes(SMALLEST))}"]'.encode())

    assert len(found.rest) < len(before) + 200


def test_there_is_a_pause_after_each_part_of_a_large_text() -> None:
    steps = [
        sum(1 for _ in EmbeddedDocuments(f'["{url(bytes(3 * each * WINDOW))}"]'.encode()).taken_out())
        for each in (1, 2)
    ]
    searched = sum(1 for _ in EmbeddedDocuments(b"a" * 10 * WINDOW).taken_out())

    assert steps == [6, 10]
    assert searched == 10


def test_there_is_a_pause_after_many_small_documents() -> None:
    small = f'"{url(bytes(100))}",'.encode()

    steps = sum(1 for _ in EmbeddedDocuments(small * 10 * MOST_AT_ONCE).taken_out())

    assert steps == 10 + -(-len(small) * 10 * MOST_AT_ONCE // WINDOW)


def test_there_is_a_pause_while_the_end_of_a_document_is_looked_for() -> None:
    steps = [
        sum(1 for _ in EmbeddedDocuments(b'["data:image/png;base64,' + b"A" * each * FURTHEST).taken_out())
        for each in (1, 5, 9)
    ]

    assert steps[1] - steps[0] == steps[2] - steps[1] == 4


@pytest.mark.parametrize("before", range(-3, 3))
def test_the_end_of_a_document_is_found_wherever_the_search_is_interrupted(before: int) -> None:
    text = b'["data:image/png;base64,' + b"A" * (FURTHEST + 4 * before) + b'","rest"]'

    rest = EmbeddedDocuments.of(text).rest

    assert len(rest) < 200
    assert rest.endswith(b'","rest"]')
