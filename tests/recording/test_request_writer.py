"""A request is made again from what identifies it, and gives nothing away that is not known to be given."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from msgspec.structs import replace

from tests.samples import SCHEMA
from vlmrun_mock.api import chat_parser
from vlmrun_mock.api.request import Message, RequestParts
from vlmrun_mock.fixtures.match import Match
from vlmrun_mock.recording.request_writer import body, data_url, document_part

DOCUMENT = document_part("image_url", "https://example.com/a.png")
PARTS: dict[str, Any] = {
    "generation": "vlm-1",
    "messages": [{"role": "user", "content": "Extract"}],
    "schema": {},
    "config": {},
    "json_object": False,
}


def written(*documents: dict[str, Any], domain: str = "", model: object = None, **parts: Any) -> Any:
    """Return a body as data, with parts that are not the usual ones."""
    match = Match(domain=domain, documents=(), parts=RequestParts(**{**PARTS, **parts}))
    return json.loads(body(match, documents, model))


def test_a_plain_request_holds_nothing_that_it_does_not_need() -> None:
    assert written() == {
        "model": "vlm-1",
        "messages": [{"role": "user", "content": "Extract"}],
        "vlmrun": {"metadata": {"environment": "dev", "allow_training": False}},
    }


def test_everything_that_identifies_a_request_is_in_its_body() -> None:
    data = written(domain="document.invoice", schema=SCHEMA, config={"grounding": True, "skills": []}, json_object=True)

    assert data["vlmrun"] == {
        "domain": "document.invoice",
        "json_schema": SCHEMA,
        "config": {"grounding": True, "skills": []},
        "metadata": {"environment": "dev", "allow_training": False},
    }
    assert data["response_format"] == {"type": "json_object"}


@pytest.mark.parametrize(
    ("generation", "model", "expected"),
    [
        ("vlm-1", "gpt-4o-mini", "gpt-4o-mini"),
        ("vlm-1", "vlmrun-orion-1:fast", "vlm-1"),
        ("vlm-1", "", "vlm-1"),
        ("vlm-1", 5, "vlm-1"),
        ("agents", "vlm-agent-1:pro", "vlm-agent-1:pro"),
        ("agents", "vlm-1", "vlm-agent-1:auto"),
        ("orion", "vlmrun-orion-2:lite", "vlmrun-orion-2:lite"),
        ("orion", None, "vlmrun-orion-1:auto"),
    ],
)
def test_the_model_is_the_one_that_answered_if_it_is_of_the_generation(
    generation: str, model: object, expected: str
) -> None:
    assert written(generation=generation, model=model)["model"] == expected


@pytest.mark.parametrize(
    ("messages", "holder"),
    [
        ([("user", "a")], 0),
        ([("system", "s"), ("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d")], 3),
        ([("user", []), ("assistant", "b"), ("user", "c")], 0),
        ([("user", ""), ("user", "c")], 1),
        ([("system", "s"), ("assistant", "b")], 1),
        ([("user", ["a", "b"])], 0),
    ],
)
def test_documents_stand_after_the_texts_of_one_message(messages: list[tuple[str, Any]], holder: int) -> None:
    data = written(DOCUMENT, messages=[{"role": role, "content": content} for role, content in messages])

    ends = [index for index, message in enumerate(data["messages"]) if message.get("content", "")[-1:] == [DOCUMENT]]
    assert ends == [holder]
    assert [message["role"] for message in data["messages"]] == [role for role, _ in messages]


def _sha256(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


@pytest.mark.parametrize(
    ("kind", "address", "identity"),
    [
        ("image_url", data_url(b"png", "image/png"), _sha256(b"png")),
        ("video_url", "https://example.com/a.mp4", "https://example.com/a.mp4"),
        ("audio_url", data_url(b"mp3", "audio/mpeg"), _sha256(b"mp3")),
        ("file_url", data_url(b"%PDF-1.7", None), _sha256(b"%PDF-1.7")),
        ("input_file", "https://example.com/a.pdf", "https://example.com/a.pdf"),
        ("input_file", data_url(b"%PDF-1.7", "application/pdf"), _sha256(b"%PDF-1.7")),
        ("input_file", "file:file-123", "file:file-123"),
    ],
)
def test_a_document_is_read_again_as_what_it_was(kind: str, address: str, identity: str) -> None:
    match = Match(domain="", parts=RequestParts(**PARTS))
    request = chat_parser.parse(body(match, [document_part(kind, address)])).extraction

    (document,) = request.documents
    assert (document.kind, document.identity) == (kind, identity)
    alone = replace(request, documents=(), messages=(Message(request.messages[0].role, request.messages[0].texts),))
    assert alone.fingerprint == chat_parser.parse(body(Match(parts=RequestParts(**PARTS)), [])).extraction.fingerprint
