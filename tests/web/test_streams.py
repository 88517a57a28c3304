"""Orion's streams: chunks that are together the plain answer to the byte, at a pace, and spoilt by faults."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import openai
import pytest
from openai.types.chat import ChatCompletionChunk

from scripts.reference import STREAM_FAULTS
from tests.conftest import Put, Serve
from tests.serving import CHAT, RunningMock, image_message, picture
from vlmrun_mock.mock.faults import KINDS

ORION = "vlmrun-orion-1:auto"
ASK: dict[str, Any] = {"model": ORION, "messages": image_message(picture(1)), "vlmrun": {"domain": "document.invoice"}}


def events(answer: httpx.Response) -> list[Any]:
    """Return the chunks of a stream, which has to end as one does."""
    assert answer.headers["content-type"].startswith("text/event-stream")
    *found, done, rest = answer.text.split("\n\n")
    assert (done, rest) == ("data: [DONE]", "")
    return [json.loads(event.removeprefix("data: ")) for event in found]


def content_of(chunks: list[Any]) -> str:
    """Return what the chunks say together."""
    return "".join(choice["delta"].get("content") or "" for chunk in chunks for choice in chunk["choices"])


def ask(served: RunningMock, **body: Any) -> httpx.Response:
    """Ask Orion."""
    return served.http.post(CHAT, json={**ASK, **body})


@pytest.mark.parametrize(
    "further",
    [
        {},
        {"vlmrun": None},
        {"vlmrun": None, "messages": image_message(picture(1), text="Answer as JSON")},
        {"vlmrun": None, "messages": [{"content": "Größe? 漢字 🙂"}]},
        {"response_format": {"type": "json_object"}},
        {"vlmrun": None, "response_format": {"type": "json_schema", "schema": {"type": "string", "maxLength": 0}}},
    ],
    ids=["a domain", "prose", "prose with JSON", "no document", "an object", "nothing"],
)
def test_the_chunks_are_together_the_plain_answer(further: dict[str, Any], served: RunningMock) -> None:
    plain = ask(served, **further).json()

    chunks = events(ask(served, stream=True, **further))

    assert content_of(chunks) == plain["choices"][0]["message"]["content"]
    for name in ("id", "created", "model", "system_fingerprint", "session_id"):
        assert {chunk[name] for chunk in chunks} == {plain[name]}
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert chunks[-1]["choices"][0]["delta"] == {}
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks] == [None] * (len(chunks) - 1) + ["stop"]
    assert chunks[-1]["usage"] == plain["usage"]
    assert all("usage" not in chunk for chunk in chunks[:-1])


def test_a_stream_has_many_chunks_and_is_the_same_twice(served: RunningMock) -> None:
    first, second = (ask(served, stream=True) for _ in range(2))

    assert first.status_code == 200
    assert first.content == second.content
    assert len(events(first)) > 20
    assert "x-vlmrun-mock-ignored" not in first.headers
    assert first.headers["x-vlmrun-mock-fixture"] == "document.invoice/answer.json"


def test_the_usage_is_in_a_chunk_of_its_own_where_the_client_asks_for_it(served: RunningMock) -> None:
    with_usage = events(ask(served, stream=True, stream_options={"include_usage": True}))
    without = events(ask(served, stream=True, stream_options={"include_usage": False}))

    assert with_usage[-1]["choices"] == []
    assert with_usage[-1]["usage"]["credits_used"] == 2
    assert all(chunk["usage"] is None and chunk["choices"] for chunk in with_usage[:-1])
    assert not any("usage" in chunk for chunk in without)


def test_a_recorded_completion_streams_as_it_was_recorded(serve: Serve, put: Put) -> None:
    completion = {"id": "chatcmpl-1", "model": "m", "choices": [{"message": {"role": "assistant"}}], "usage": {"a": 1}}
    folder = put("a.json", {"content": "Für Sie", "completion": completion, "status": 200}, model=ORION)

    chunks = events(ask(serve(fixtures=(folder,)), stream=True))

    assert content_of(chunks) == "Für Sie"
    assert (chunks[-1]["id"], chunks[-1]["usage"]) == ("chatcmpl-1", {"a": 1})


def test_vlm_1_streams_only_where_an_option_says_so(serve: Serve) -> None:
    documented, always = (
        ask(serve(streams=streams), stream=True, model="vlm-1") for streams in ("documented", "always")
    )

    assert documented.headers["content-type"] == "application/json"
    assert documented.headers["x-vlmrun-mock-ignored"] == "stream"
    assert content_of(events(always)) == documented.json()["choices"][0]["message"]["content"]


def test_a_stream_is_not_refused_where_the_api_has_one(serve: Serve) -> None:
    served = serve(unsupported="reject")

    assert ask(served, stream=True).status_code == 200
    assert ask(served, stream=True, model="vlm-1").status_code == 400


def test_the_pace_of_a_stream_follows_the_options(serve: Serve) -> None:
    served = serve(first_chunk_ms=200, chunks_per_second=100)
    began = time.monotonic()

    with served.http.stream("POST", CHAT, json={**ASK, "stream": True}) as answer:
        times = [time.monotonic() - began for line in answer.iter_lines() if line]

    assert times[0] >= 0.15
    assert times[-1] - times[0] >= (len(times) - 1) * 0.01 * 0.75


def stream_of(served: RunningMock, **options: Any) -> Iterator[ChatCompletionChunk]:
    """Yield the chunks of a stream by the official SDK, whose connection is closed at the end, however that comes."""
    vlmrun = {"vlmrun": {"domain": "custom.streets"}}
    messages: Any = [{"role": "user", "content": "Größe"}]
    with openai.OpenAI(base_url=served.openai_url, api_key="test", max_retries=0, **options) as client:
        yield from client.chat.completions.create(model=ORION, messages=messages, stream=True, extra_body=vlmrun)


def seen(read: Callable[[], Iterator[ChatCompletionChunk]]) -> tuple[str, list[ChatCompletionChunk]]:
    """Return the name of what reading a stream raises, or "nothing", and the chunks that came before."""
    chunks: list[ChatCompletionChunk] = []
    try:
        chunks.extend(read())
    except Exception as error:  # noqa: BLE001 - whatever it is, the table must say so
        return type(error).__name__, chunks
    return "nothing", chunks


def test_the_table_of_streams_has_a_row_for_each_kind() -> None:
    assert list(STREAM_FAULTS) == list(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_the_sdk_sees_on_a_stream_what_the_table_says(kind: str, serve: Serve, put: Put) -> None:
    content = {"size": "fünf", "streets": ["straße " * 3] * 20}
    served = serve(fixtures=(put("a.json", {"content": content}, domain="custom.streets"),))
    needed = {"latency": {"latency_ms": 20}, "error": {"status": 429}}.get(kind, {})
    served.http.post("/_mock/faults", json={"kind": kind, **needed})

    raised, chunks = seen(lambda: stream_of(served, timeout=1 if kind in ("hang", "stall") else 30))
    after, whole = seen(lambda: stream_of(served))

    _, said, whole_text = STREAM_FAULTS[kind]
    assert f"`{raised}`" in said if raised != "nothing" else said.startswith("nothing")
    text, full = ("".join(c.choices[0].delta.content or "" for c in each if c.choices) for each in (chunks, whole))
    assert after == "nothing"
    assert json.loads(full) == content
    assert (text == full) is (whole_text == "yes")
    if kind == "no-usage":
        assert chunks[-1].usage is None
