"""Orion's envelope: a completion with its session and its credits, whole or as the chunks of a stream."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Raw

from vlmrun_mock.api import refs
from vlmrun_mock.api.chat_request import ChatRequest
from vlmrun_mock.api.prediction import CREDITS, GROUNDING_CREDITS, USUAL_CREDITS
from vlmrun_mock.seed import Stamp

SYSTEM_FINGERPRINT = "2025-12-21.0"
"""The release that the recorded answers name."""

CREDITS_BY_REF = {"vid": CREDITS["video"], "aud": CREDITS["audio"]}
"""What an input costs by the kind of its reference; all others cost USUAL_CREDITS."""

WORD = re.compile(r"\S{1,12}\s*|\s+")
"""About what a chunk of a stream is made of; longer words are cut."""

WORDS_IN_CHUNK = 3

SEPARATE = ("choices", "usage", "object")
"""The keys of a completion that its chunks have otherwise."""


def completion(chat: ChatRequest, text: str | Raw, figures: Mapping[str, int], stamp: Stamp) -> dict[str, Any]:
    """Return the body of a successful answer, as it was recorded; its text may be JSON already."""
    message = {"role": "assistant", "content": text, "tool_calls": None, "name": None, "tool_call_id": None}
    return {
        "id": chat.id or stamp.completion_id(chat.extraction.fingerprint),
        "object": "chat.completion",
        "created": stamp.created(),
        "model": chat.extraction.model,
        "system_fingerprint": SYSTEM_FINGERPRINT,
        "choices": [{"index": 0, "finish_reason": "stop", "logprobs": None, "message": message}],
        "usage": {**figures, "credits_used": credits_of(chat)},
        "session_id": session_id(chat, stamp),
    }


def session_id(chat: ChatRequest, stamp: Stamp) -> str:
    """Return the session that a client names, or one of its own for the request."""
    given = chat.parameters.get("session_id")
    return given if isinstance(given, str) and given else stamp.session_id(chat.extraction.fingerprint)


def credits_of(chat: ChatRequest) -> int:
    """Return what an answer costs: each input by its kind and the detail, and at least 1."""
    config = chat.extraction.config
    total = 0
    for document in chat.extraction.documents:
        special = CREDITS_BY_REF.get(refs.kind_of(document))
        total += (special or USUAL_CREDITS)[config.detail]
        total += GROUNDING_CREDITS if config.grounding and special is None else 0
    return max(1, math.ceil(total))


def chunks(
    completion: Mapping[str, Any], *, include_usage: bool | None, lengths: Sequence[int] = ()
) -> Iterator[dict[str, Any]]:
    """Yield the chunks of a completion, whose contents together are its content.

    They have the given lengths, or some words each.
    The usage is on the last one; with `include_usage` it comes in a further one that has no choice, and with false
    not at all.
    """
    common = {name: value for name, value in completion.items() if name not in SEPARATE}
    common["object"] = "chat.completion.chunk"
    beside = {"usage": None} if include_usage else {}
    usage = {"usage": completion["usage"]} if "usage" in completion and include_usage is not False else {}
    deltas = list(_deltas(completion, lengths))
    for delta, reason in deltas:
        is_last = reason is not None
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        yield {**common, "choices": [choice], **(usage if is_last and include_usage is None else beside)}
    if usage and (include_usage or not deltas):
        yield {**common, "choices": [], **usage}


def _deltas(completion: Mapping[str, Any], lengths: Sequence[int]) -> Iterator[tuple[dict[str, Any], str | None]]:
    """Yield what each chunk adds to the message, and why the last one ends it."""
    for choice in completion["choices"][:1]:
        message = choice["message"]
        calls, legacy = message.get("tool_calls") or (), message.get("function_call")
        yield {"role": "assistant", "content": None if calls or legacy else ""}, None
        text = message.get("content") or ""
        for piece in _cut(text, lengths) if lengths else _pieces(text):
            yield {"content": piece}, None
        for index, call in enumerate(calls):
            for function in _call(call["function"]):
                about = {"id": call.get("id"), "type": "function"} if "name" in function else {}
                yield {"tool_calls": [{"index": index, **about, "function": function}]}, None
        for function in _call(legacy) if legacy else ():
            yield {"function_call": function}, None
        yield {}, choice.get("finish_reason") or "stop"


def _call(function: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what the chunks of a call say of its function: its name first, then its arguments."""
    yield {"name": function["name"], "arguments": ""}
    for piece in _pieces(function["arguments"]):
        yield {"arguments": piece}


def _cut(text: str, lengths: Sequence[int]) -> Iterator[str]:
    start = 0
    for length in lengths:
        yield text[start : start + length]
        start += length


def _pieces(text: str) -> Iterator[str]:
    words = WORD.findall(text)
    for start in range(0, len(words), WORDS_IN_CHUNK):
        yield "".join(words[start : start + WORDS_IN_CHUNK])
