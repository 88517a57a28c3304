"""What the journal keeps of a request is short, whatever was sent, and says what it leaves out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.serving import image_message, picture
from vlmrun_mock.api import chat_parser
from vlmrun_mock.api.request import ExtractionRequest
from vlmrun_mock.json_text import compact
from vlmrun_mock.mock.request_summary import LARGEST_OBJECT, LONGEST_WRITTEN, summarise


def parsed(body: dict[str, Any]) -> ExtractionRequest:
    """Return the request in a body."""
    return chat_parser.parse(json.dumps(body).encode()).extraction


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("text", {"messages": [{"content": "x" * 1_000_000}]}),
        ("model", {"messages": [{}], "model": "m" * 1_000_000}),
        ("domain", {"messages": [{}], "domain": "d" * 1_000_000}),
        ("metadata", {"messages": [{}], "metadata": {"note": "n" * 1_000_000}}),
        ("metadata", {"messages": [{}], "metadata": {"notes": list(range(100_000))}}),
        ("schema", {"messages": [{}], "json_schema": {"type": "object", "title": "t" * 1_000_000}}),
        ("config", {"messages": [{}], "vlmrun": {"config": {"prompt": "p" * 1_000_000}}}),
        ("config", {"messages": [{}], "vlmrun": {"config": {"gql_stmt": "q" * 1_000_000}}}),
        (
            "documents",
            {"messages": [{"content": [{"type": "image_url", "image_url": {"url": "https://a/" + "u" * 1_000_000}}]}]},
        ),
        ("documents", {"messages": [{"content": image_message(*[picture(1, (1, 1))] * 500)[0]["content"]}]}),
    ],
)
def test_whatever_is_long_is_shortened_and_named(name: str, body: dict[str, Any]) -> None:
    request = parsed(body)

    about = summarise(request)

    assert about.truncated == (name,)
    assert about.size < 100_000
    assert len(json.dumps(about.as_json())) < 60_000


@pytest.mark.parametrize("text", ["Extract", "x" * (LONGEST_WRITTEN + 1)], ids=["short", "long"])
@pytest.mark.parametrize("note", [["x" * 100] * 170, [0, {"key": [1.5, None, "é"]}] * 500], ids=["texts", "values"])
def test_an_object_is_kept_up_to_the_same_size_whatever_is_beside_it(note: Any, text: str) -> None:
    metadata = {"note": note, "padding": ""}
    missing = LARGEST_OBJECT - len(compact(parsed({"messages": [{}], "metadata": metadata}).metadata))

    for more, truncated in ((0, False), (1, True)):
        metadata["padding"] = "x" * (missing + more)
        about = summarise(parsed({"messages": [{"content": text}], "metadata": metadata}))

        assert ("metadata" in about.truncated) == truncated


def test_nothing_of_an_ordinary_request_is_shortened() -> None:
    body = {
        "messages": image_message(picture(1), picture(2)),
        "vlmrun": {"domain": "document.invoice", "metadata": {"environment": "dev"}},
        "response_format": {"type": "json_schema", "schema": {"type": "object"}},
    }

    about = summarise(parsed(body))

    assert about.truncated == ()
    assert about.kept.text == "Extract"
    assert about.as_json()["schema"] == {"type": "object"}
    assert len(about.kept.documents) == 2
    assert about.kept.metadata["environment"] == "dev"
