"""Orion's completions: the recorded envelope, credits, sessions, prose that names the documents, and references."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.conftest import Serve
from tests.serving import RunningMock, image_message, picture
from vlmrun_mock.mock.prose import fields

ORION = "vlmrun-orion-1:auto"
MODELS = ("vlmrun-orion-1", "vlmrun-orion-1:lite", "vlmrun-orion-2", "vlmrun-orion-2:pro", "vlm-agent-1:auto")


def ask(served: RunningMock, text: str = "What is this?", pictures: int = 1, **body: Any) -> Any:
    """Ask Orion about pictures."""
    messages = image_message(*map(picture, range(pictures)), text=text)
    answer = served.chat(**{"model": ORION, "messages": messages, **body})
    assert answer.status_code == 200, answer.text
    return answer.json()


def said(completion: Any) -> str:
    """Return the content of a completion."""
    content: str = completion["choices"][0]["message"]["content"]
    return content


@pytest.mark.parametrize("model", MODELS)
def test_the_envelope_is_the_recorded_one(model: str, served: RunningMock) -> None:
    completion = ask(served, model=model, vlmrun={"domain": "document.invoice"})

    message = completion["choices"][0]["message"]
    assert list(completion) == [
        "id", "object", "created", "model", "system_fingerprint", "choices", "usage", "session_id",
    ]  # fmt: skip
    assert list(message) == ["role", "content", "tool_calls", "name", "tool_call_id"]
    assert (completion["model"], completion["system_fingerprint"]) == (model, "2025-12-21.0")
    assert completion["usage"]["credits_used"] == 2
    assert json.loads(said(completion))["invoice_id"]


@pytest.mark.parametrize(
    ("pictures", "config", "cost"),
    [(0, {}, 1), (1, {}, 2), (3, {}, 6), (1, {"detail": "hi"}, 4), (1, {"detail": "hi", "grounding": True}, 6)],
)
def test_credits_follow_the_documents_and_the_detail(
    pictures: int, config: dict[str, Any], cost: int, served: RunningMock
) -> None:
    completion = ask(served, pictures=pictures, vlmrun={"domain": "document.invoice", "config": config})

    assert completion["usage"]["credits_used"] == cost


def test_a_session_is_echoed_or_the_same_for_the_same_request(served: RunningMock) -> None:
    given = ask(served, session_id="my-session")["session_id"]
    first, again = ask(served)["session_id"], ask(served)["session_id"]
    other = ask(served, text="And this?")["session_id"]

    assert given == "my-session"
    assert first == again != other


def test_prose_names_each_document_by_a_reference(served: RunningMock) -> None:
    once, twice = said(ask(served)), said(ask(served, pictures=2))

    found = re.findall(r"image `(img_[0-9a-f]{6})`", twice)
    assert len(set(found)) == 2
    assert found[0] in once
    assert not once.startswith("{")


def test_a_text_that_asks_for_json_gets_a_fence_after_the_prose(served: RunningMock) -> None:
    text = said(ask(served, text="Return JSON with the fields vendor_name, invoice_date and total_amount."))

    prose, _, rest = text.partition("```json\n")
    found = json.loads(rest.removesuffix("\n```"))
    assert "`img_" in prose
    assert list(found) == ["vendor_name", "invoice_date", "total_amount"]
    assert isinstance(found["total_amount"], (int, float))


def test_an_object_is_one_of_the_fields_that_the_text_names_or_a_generic_one(served: RunningMock) -> None:
    anything: dict[str, Any] = {"response_format": {"type": "json_object"}}

    named = json.loads(said(ask(served, text='Give me "vendor" and "iban"', **anything)))
    generic = json.loads(said(ask(served, text="Read this", **anything)))

    assert list(named) == ["vendor", "iban"]
    assert {"title", "summary"} <= set(generic)


def test_without_a_document_it_asks_for_one(served: RunningMock) -> None:
    answer = served.chat(model=ORION, messages=[{"role": "user", "content": "Hello"}])

    assert said(answer.json()).startswith("I see no document. Send one")


def test_vlm_1_keeps_its_sentence(served: RunningMock) -> None:
    answer = served.chat(messages=image_message(picture(1)), response_format={"type": "json_object"}).json()

    assert "No domain was given" in json.loads(said(answer))["message"]


def test_a_string_in_the_shape_of_a_reference_is_that_of_an_input_or_of_an_artifact(served: RunningMock) -> None:
    schema = {
        "type": "object",
        "properties": {
            "page": {"type": "string", "pattern": r"^img_\w{6}$"},
            "clip": {"type": "string", "pattern": r"^vid_\w{6}$"},
        },
        "required": ["page", "clip"],
    }

    found = json.loads(said(ask(served, response_format={"type": "json_schema", "schema": schema})))

    assert f"`{found['page']}`" in said(ask(served))
    assert re.fullmatch(r"vid_[0-9a-f]{6}", found["clip"])


def test_a_miss_is_a_miss_for_orion_too(serve: Serve) -> None:
    answer = serve(strict=True).chat(model=ORION)

    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Extract `a_b` and 'total'", ["total", "a_b"]),
        ("the keys: name, date of birth and city", ["name", "date_of_birth", "city"]),
        ("Return JSON", []),
        ('a "json" object with invoice_id', ["invoice_id"]),
    ],
)
def test_the_fields_that_a_text_names_are_found(text: str, found: list[str]) -> None:
    assert sorted(fields(text)) == sorted(found)
