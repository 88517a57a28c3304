"""What was recorded answers what it was recorded for, and nothing else: other order, other process, another key."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import Serve
from tests.process import serving
from tests.real_api import KEY, RealApi, says, says_content
from tests.serving import CHAT, RunningMock, data_url, image_message, picture

ONE, OTHER = picture(1), picture(2)
SCHEMA = {"type": "object", "properties": {"total": {"type": "number"}}}


def _changed(data: bytes) -> bytes:
    """Return a picture with one byte changed, in its last chunk's checksum."""
    return data[:-1] + bytes([data[-1] ^ 1])


def _invoice(*pictures: bytes, text: str = "Extract", **further: Any) -> dict[str, Any]:
    """Return a request for an invoice."""
    return {
        "messages": image_message(*(pictures or (ONE,)), text=text),
        "vlmrun": {"domain": "document.invoice", **further},
    }


def _said(*contents: Any, **further: Any) -> dict[str, Any]:
    """Return a request for an invoice in other messages, the picture in the last."""
    messages = [{"role": "user", "content": content} for content in contents]
    return {"messages": [*messages, *_invoice()["messages"]], "vlmrun": {"domain": "document.invoice"}, **further}


def _text(*texts: str) -> list[dict[str, str]]:
    return [{"type": "text", "text": each} for each in texts]


def _as(role: str) -> dict[str, Any]:
    request = _invoice()
    request["messages"][0]["role"] = role
    return request


DIFFERING: dict[str, dict[str, Any]] = {
    "the base": _invoice(),
    "another domain": {**_invoice(), "vlmrun": {"domain": "document.receipt"}},
    "a domain of its own": {**_invoice(), "vlmrun": {"domain": "custom.delivery-note"}},
    "no domain": {"messages": image_message(ONE)},
    "another picture": _invoice(OTHER),
    "two pictures": _invoice(ONE, OTHER),
    "two pictures the other way round": _invoice(OTHER, ONE),
    "the same picture twice": _invoice(ONE, ONE),
    "another text": _invoice(text="Extract all"),
    "a text in another case": _invoice(text="extract"),
    "a system's message": _as("system"),
    "an assistant's message": _as("assistant"),
    "a message more": _said("Hello"),
    "the picture in the message before": {
        "messages": [*_invoice()["messages"], {"role": "user", "content": "Hello"}],
        "vlmrun": {"domain": "document.invoice"},
    },
    "the picture in the message after": {
        "messages": [
            {"role": "user", "content": "Extract"},
            {"role": "user", "content": [{"type": "text", "text": "Hello"}, *_invoice()["messages"][0]["content"][1:]]},
        ],
        "vlmrun": {"domain": "document.invoice"},
    },
    "an empty message more": _said([]),
    "two messages": _said("a", "b"),
    "two texts in a message": _said(_text("a", "b")),
    "one text of both": _said("a\nb"),
    "a schema": _invoice(json_schema=SCHEMA),
    "another schema": _invoice(json_schema={**SCHEMA, "required": ["total"]}),
    "a JSON object": {**_invoice(), "response_format": {"type": "json_object"}},
    "a selection": _invoice(config={"gql_stmt": "{ invoice_id }"}),
    "another selection": _invoice(config={"gql_stmt": "{ total_amount }"}),
    "grounding": _invoice(config={"grounding": True}),
    "confidence": _invoice(config={"confidence": True}),
    "a prompt": _invoice(config={"prompt": "Mind the tax"}),
    "more detail": _invoice(config={"detail": "hi"}),
    "some pages": _invoice(config={"page_indices": [0]}),
    "other pages": _invoice(config={"page_indices": [1]}),
    "an agent": {**_invoice(), "model": "vlm-agent-1:auto"},
    "Orion": {**_invoice(), "model": "vlmrun-orion-1:fast"},
}
"""Requests of which any two differ in what identifies a request, each from the base in one part."""


def _recorded(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.rglob("*.json"))]


def _message(answer: httpx.Response) -> str:
    text: str = answer.json()["choices"][0]["message"]["content"]
    return text


def test_each_of_many_requests_is_answered_as_it_was_recorded_and_with_another_picture_not_at_all(
    recorder: RunningMock, api: RealApi, tmp_path: Path
) -> None:
    folder, key = tmp_path / "recordings", {"Authorization": f"Bearer {KEY}"}
    heard = {name: recorder.http.post(CHAT, json=body, headers=key) for name, body in DIFFERING.items()}
    asked = api.asked

    with serving(tmp_path / "process", "--fixtures", str(folder), "--strict") as process:
        replayed = {name: process.http.post(CHAT, json=DIFFERING[name]) for name in reversed(DIFFERING)}
        missed = {
            name: process.http.post(CHAT, content=json.dumps(body).replace(_base64(ONE), _base64(_changed(ONE))))
            for name, body in DIFFERING.items()
            if _base64(ONE) in json.dumps(body)
        }

    assert (asked, api.asked) == (len(DIFFERING), len(DIFFERING))
    assert len({_message(answer) for answer in heard.values()}) == len(DIFFERING)
    for name, answer in replayed.items():
        assert _without_key(heard[name]) == answer.json(), name
        assert (heard[name].status_code, answer.headers["x-vlmrun-mock-source"]) == (answer.status_code, "fixture")
    assert len(missed) >= len(DIFFERING) - 1
    for name, answer in missed.items():
        error = answer.json()["error"]
        assert (answer.status_code, error["code"]) == (404, "no_fixture"), name
        changed = 2 if name == "two pictures the other way round" else 1
        assert f"document {changed} is another picture" in error["message"], name
        assert f"documents[{changed - 1}]" in [each["part"] for each in error["miss"]["differences"]], name


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _without_key(answer: httpx.Response) -> Any:
    """Return a body as it is replayed: without the key that was in it."""
    return json.loads(answer.text.replace(KEY, "<redacted>"))


def test_a_miss_says_what_agrees(recorder: RunningMock, tmp_path: Path) -> None:
    recorder.http.post(CHAT, json=_invoice())

    with serving(tmp_path / "process", "--fixtures", str(tmp_path / "recordings"), "--strict") as process:
        miss = process.http.post(CHAT, json=_invoice(OTHER)).json()["error"]["message"]

    assert "The nearest of 1 is document.invoice/extract-" in miss
    assert "document 1 is another picture (sha256:" in miss
    assert miss.endswith("); domain and text agree.")


def test_requests_of_the_same_identity_share_an_answer(recorder: RunningMock, api: RealApi) -> None:
    base = _invoice(config={"gql_stmt": "{ a b }", "page_indices": [1]})
    part = {"type": "image_url", "image_url": {"url": data_url(ONE)}}
    lines = base64.encodebytes(ONE).decode()
    broken = {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{lines}", "detail": "low"}}
    same: list[dict[str, Any]] = [
        {**base, "max_tokens": 5, "n": 2, "temperature": 0.1, "stop": ["x"], "seed": 3, "user": "me", "id": "mine"},
        {**base, "model": "gpt-4o-mini"},
        {**base, "messages": [{"content": [{"text": "Extract", "type": "text"}, broken]}]},
        {**base, "messages": [{"content": [part, {"type": "text", "text": "Extract"}]}]},
        {"domain": "document.invoice", **base, "vlmrun": {**base["vlmrun"], "metadata": {"environment": "staging"}}},
        {
            **base,
            "vlmrun": {**base["vlmrun"], "config": {"page_indices": [1.0], "grounding": None, "gql_stmt": "{ a b }"}},
        },
    ]

    first = recorder.http.post(CHAT, json=base)
    spaced = recorder.http.post(CHAT, content=json.dumps(base, indent=3, sort_keys=True))
    others = [recorder.http.post(CHAT, json=body, headers={"X-Api-Key": "another"}) for body in same]

    assert first.headers["x-vlmrun-mock-source"] == "upstream"
    assert [answer.headers["x-vlmrun-mock-source"] for answer in (spaced, *others)] == ["fixture"] * 7
    assert api.asked == 1


def test_a_miss_for_a_picture_in_another_message_says_so(recorder: RunningMock, serve: Serve, tmp_path: Path) -> None:
    recorder.http.post(CHAT, json=DIFFERING["the picture in the message before"])
    replaying = serve(fixtures=(tmp_path / "recordings",), strict=True)

    miss = replaying.http.post(CHAT, json=DIFFERING["the picture in the message after"]).json()["error"]

    assert "document 1 stands in message 2, not in message 1; " in miss["message"]
    assert [each["part"] for each in miss["miss"]["differences"]] == ["places[0]"]


def test_a_file_says_where_the_documents_stand_and_what_model_was_asked(recorder: RunningMock, tmp_path: Path) -> None:
    parts = [{"type": "text", "text": "front"}, ONE, {"type": "text", "text": "back"}, OTHER]
    content = [
        {"type": "image_url", "image_url": {"url": data_url(part)}} if isinstance(part, bytes) else part
        for part in parts
    ]
    recorder.chat(model="vlm-agent-1:pro", messages=[{"content": "Mind"}, {"content": content}])

    (fixture,) = _recorded(tmp_path / "recordings")
    assert fixture["match"]["messages"] == [
        {"role": "user", "content": "Mind"},
        {"role": "user", "content": ["front", {"document": 1}, "back", {"document": 2}]},
    ]
    assert fixture["asked"] == {"model": "vlm-agent-1:pro"}


def test_an_old_spelling_of_a_domain_is_the_domain(recorder: RunningMock, api: RealApi) -> None:
    old = recorder.chat(domain="document.w2-form")
    new = recorder.chat(domain="accounting.form-w2")

    assert api.asked == 1
    assert json.loads(api.bodies[0])["domain"] == "document.w2-form"
    assert [answer.headers["x-vlmrun-mock-source"] for answer in (old, new)] == ["upstream", "fixture"]


TEXTS = {
    "compact": '{"total":12.5,"name":"Müller"}',
    "spaced": '{"total": 12.5, "name": "Müller"}',
    "spaced and ASCII": '{"total": 12.5, "name": "M\\u00fcller"}',
    "indented": '{\n  "total": 12.5,\n  "name": "Müller"\n}',
    "indented by four": '{\n    "total": 12.5\n}',
    "a list": "[1, 2]",
    "a number as people write it": '{"total": 12.50}',
    "an exponent": '{"total": 1.25e1}',
    "a large number": '{"total": 123456789012345678901234567890}',
    "odd blanks": ' {"total":12.5 }\n',
    "an escaped slash": '{"date":"01\\/02"}',
    "a key twice": '{"total": 1, "total": 2}',
    "NaN": '{"total": NaN}',
    "a fence": '```json\n{"total": 12.5}\n```',
    "prose": "No invoice, sorry.",
    "nothing": "",
    "a word of JSON": "true",
    "half a character": '{"a":"\\ud800"}',
    "deep nesting": "[" * 400 + "]" * 400,
    "a number without an end": '{"a": 1e999}',
    "two values": '{"a": 1}], [{"b": 2}',
    "a broken object": '{"total": ',
    "an emoji": '{"mood":"🙂"}',
    "a line separator": '{"a":"\\u2028"}',
}
VERBATIM = {
    *("a key twice", "NaN", "a fence", "prose", "nothing", "a word of JSON", "a broken object"),
    *("half a character", "deep nesting", "a number without an end", "two values"),
}
"""What is no JSON that a file can hold; all else is there to be read."""


@pytest.mark.parametrize("name", TEXTS)
def test_content_comes_back_to_the_byte_and_stands_in_the_file_as_json_where_it_is_some(
    name: str, recorder: RunningMock, api: RealApi, serve: Serve, tmp_path: Path
) -> None:
    api.say = says_content(TEXTS[name])
    folder = tmp_path / "recordings"

    heard = recorder.http.post(CHAT, json=_invoice(config={"grounding": True}))
    replayed = serve(fixtures=(folder,), strict=True).http.post(CHAT, json=_invoice(config={"grounding": True}))

    (fixture,) = _recorded(folder)
    assert _message(heard) == _message(replayed) == TEXTS[name]
    assert isinstance(fixture["answer"]["content"], str) == (name in VERBATIM)


def test_content_that_was_changed_by_hand_is_answered(
    recorder: RunningMock, api: RealApi, serve: Serve, tmp_path: Path
) -> None:
    api.say = says_content('{"total": 12.50}')
    recorder.http.post(CHAT, json=_invoice())
    (path,) = (tmp_path / "recordings").rglob("*.json")
    fixture = json.loads(path.read_text(encoding="utf-8"))
    fixture["answer"]["content"]["total"] = 13
    path.write_text(json.dumps(fixture), encoding="utf-8")

    replayed = serve(fixtures=(tmp_path / "recordings",), strict=True).http.post(CHAT, json=_invoice())

    assert _message(replayed) == '{"total":13}'


BODIES: Mapping[str, dict[str, Any]] = {
    "no usage": {"model": "m"},
    "keys of a vendor": {"usage": {"credits_used": 2, "total_tokens": 9}, "session_id": "s-1", "warnings": [None]},
    "a usage that is null": {"usage": None},
    "a usage that is a word": {"usage": "free"},
}


@pytest.mark.parametrize("name", BODIES)
def test_all_else_in_a_body_comes_back_as_it_was(
    name: str, recorder: RunningMock, api: RealApi, serve: Serve, tmp_path: Path
) -> None:
    api.say = says_content('{"a": 1}', **BODIES[name])

    heard = recorder.http.post(CHAT, json=_invoice())
    replayed = serve(fixtures=(tmp_path / "recordings",), strict=True).http.post(CHAT, json=_invoice())

    assert heard.json() == replayed.json()
    assert replayed.json().keys() == {"id", "object", "choices", *BODIES[name]}


def test_a_message_without_content_and_a_second_choice_come_back(
    recorder: RunningMock, api: RealApi, serve: Serve, tmp_path: Path
) -> None:
    call = {"role": "assistant", "content": None, "tool_calls": [{"id": "c", "type": "function"}]}
    choices = [{"index": 0, "message": call}, {"index": 1, "message": {"role": "assistant", "content": "two"}}]
    api.say = says(json.dumps({"choices": choices}), status=200)

    heard = recorder.http.post(CHAT, json=_invoice())
    replayed = serve(fixtures=(tmp_path / "recordings",), strict=True).http.post(CHAT, json=_invoice())

    assert heard.json() == replayed.json() == {"choices": choices}
    assert heard.status_code == replayed.status_code == 200


def test_an_answer_that_its_domain_does_not_allow_is_recorded_and_loads(
    recorder: RunningMock, api: RealApi, serve: Serve, tmp_path: Path
) -> None:
    api.say = says_content('{"total_amount":"a lot"}')
    recorder.http.post(CHAT, json=_invoice())

    replayed = serve(fixtures=(tmp_path / "recordings",), strict=True).http.post(CHAT, json=_invoice())

    assert _message(replayed) == '{"total_amount":"a lot"}'


def test_the_recorded_latency_is_waited_for_only_if_that_is_asked_for(
    recorder: RunningMock, api: RealApi, serve: Serve, tmp_path: Path
) -> None:
    api.wait = 0.2
    recorder.http.post(CHAT, json=_invoice())
    (file,) = (tmp_path / "recordings").rglob("*.json")
    fixture = json.loads(file.read_bytes())
    as_recorded = serve(fixtures=(tmp_path / "recordings",), strict=True, latency="recorded")

    slow = as_recorded.http.post(CHAT, json=_invoice()).elapsed.total_seconds()
    file.write_text(json.dumps({**fixture, "answer": {**fixture["answer"], "took_ms": 3_600_000}}), encoding="utf-8")
    at_once = serve(fixtures=(tmp_path / "recordings",), strict=True).http.post(CHAT, json=_invoice())

    assert fixture["answer"]["took_ms"] >= 200
    assert slow >= 0.2
    assert at_once.status_code == 201


def test_a_file_is_small_and_has_no_picture_in_it(recorder: RunningMock, tmp_path: Path) -> None:
    for seed in range(5):
        url = data_url(picture(seed) + bytes([seed]) * 5_000_000)
        name = {"type": "image_url", "image_url": {"url": url, "filename": "C:\\scans\\acme.png"}}
        recorder.chat(messages=[{"content": [name]}], domain="document.invoice")

    paths = sorted((tmp_path / "recordings").rglob("*.json"))
    documents = [fixture["match"]["documents"][0] for fixture in _recorded(tmp_path / "recordings")]
    assert len(paths) == 5
    assert {path.parent.name for path in paths} == {"document.invoice"}
    assert all(path.name.startswith("acme-png-") for path in paths)
    assert sum(path.stat().st_size for path in paths) < 10_000
    for document in documents:
        assert document.keys() == {"identity", "media_type", "size", "filename"}
        assert (document["media_type"], document["size"] > 5_000_000, document["filename"]) == (
            "image/png",
            True,
            "acme.png",
        )
