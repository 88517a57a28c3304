"""The upstream's streams, put together into the completion that they are chunks of."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from vlmrun_mock.api.answer import UpstreamResponse

EVENTS = "text/event-stream"

OF_CHUNKS = ("choices", "usage", "object")


def whole(response: UpstreamResponse) -> UpstreamResponse:
    """Return a response whose body is a completion, if it was a stream that came to its end; else as it is."""
    if not response.headers.get("content-type", "").startswith(EVENTS) or not response.complete:
        return response
    try:
        completion = _completion(response.body.decode())
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return response
    if completion is None:
        return response
    body = json.dumps(completion, ensure_ascii=False).encode()
    return replace(response, headers={"content-type": "application/json"}, body=body)


def chunks_of(response: UpstreamResponse) -> list[list[int]]:
    """Return the chunks of a stream: the characters of each, and the milliseconds that it came after the one before."""
    if not response.headers.get("content-type", "").startswith(EVENTS):
        return []
    found: list[list[int]] = []
    end, last = 0, 0.0
    for event in response.body.split(b"\n\n"):
        end += len(event) + 2
        length = sum(len(_said(chunk)) for chunk in _chunks(event.decode("utf-8", "replace")))
        if length:
            came = next((seconds for size, seconds in response.arrivals if size >= end - 2), last)
            found.append([length, round((came - last) * 1000)])
            last = came
    return found


def _said(chunk: dict[str, Any]) -> str:
    return "".join(choice["delta"].get("content") or "" for choice in chunk["choices"][:1])


def _completion(text: str) -> dict[str, Any] | None:
    """Return the completion of chunks; None where they do not end as a stream does."""
    chunks = list(_chunks(text))
    if not chunks or text.rstrip().rsplit("\n", 1)[-1].strip() != "data: [DONE]":
        return None
    said: list[str] = []
    calls: dict[int, dict[str, Any]] = {}
    legacy: dict[str, Any] = {}
    message: dict[str, Any] = {"role": "assistant"}
    finish: str | None = None
    usage: Any = None
    for chunk in chunks:
        usage = chunk.get("usage") or usage
        said.append(_said(chunk))
        for choice in chunk["choices"][:1]:
            delta = choice["delta"]
            for call in delta.get("tool_calls") or ():
                _add(calls.setdefault(call["index"], {}), call)
            _add(legacy, delta.get("function_call") or {})
            message["role"] = delta.get("role") or message["role"]
            finish = choice.get("finish_reason") or finish
    if finish is None:
        return None
    common = {name: value for name, value in chunks[0].items() if name not in OF_CHUNKS}
    if calls:
        message["tool_calls"] = [{k: v for k, v in calls[index].items() if k != "index"} for index in sorted(calls)]
    if legacy:
        message["function_call"] = legacy
    content = "".join(said) or (None if calls or legacy else "")
    choice = {"index": 0, "message": {**message, "content": content}, "logprobs": None, "finish_reason": finish}
    return {**common, "object": "chat.completion", "choices": [choice], **({"usage": usage} if usage else {})}


def _add(call: dict[str, Any], delta: Mapping[str, Any]) -> None:
    """Add to a call what a chunk says of it: the pieces of its arguments follow each other."""
    for name, value in delta.items():
        if name == "arguments":
            call[name] = call.get(name, "") + value
        elif isinstance(value, dict):
            _add(call.setdefault(name, {}), value)
        else:
            call[name] = value


def _chunks(text: str) -> Iterator[dict[str, Any]]:
    for line in text.splitlines():
        data = line.removeprefix("data:").strip()
        if line.startswith("data:") and data != "[DONE]":
            yield json.loads(data)
