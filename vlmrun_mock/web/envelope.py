"""An answer in the envelope of a chat completion, with its token figures, and as a fault leaves it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from vlmrun_mock.api.answer import Answer
from vlmrun_mock.api.chat_completion import (
    FIGURES,
    chat_completion,
    is_completion,
    recorded_usage,
    split_content,
    usage,
    with_content,
)
from vlmrun_mock.api.chat_request import ChatRequest
from vlmrun_mock.api.request import ExtractionRequest, generation_of
from vlmrun_mock.api.tokens import TakesLong, Tokenizer
from vlmrun_mock.aside import aside
from vlmrun_mock.lazy import lazy
from vlmrun_mock.mock.mock import Mock
from vlmrun_mock.web import body
from vlmrun_mock.web.transport import Pieces

if TYPE_CHECKING:
    from vlmrun_mock.api import orion, tools
    from vlmrun_mock.web.faults import FaultHandler
else:
    orion = lazy("vlmrun_mock.api.orion")
    tools = lazy("vlmrun_mock.api.tools")

PLACE = b"\0"
CONTENT = msgspec.Raw(PLACE)
"""Stands for the content in an envelope while that is written: a byte that no JSON has."""

LONGEST_KEPT = 20_000
"""Characters of a content whose JSON is kept for the next answer."""


async def completion(
    mock: Mock, chat: ChatRequest, answer: Answer, handler: FaultHandler
) -> tuple[Pieces, Mapping[str, int]]:
    """Return an answer as a chat completion, and its token figures; a fault spoils it before they are counted."""
    request = chat.extraction
    text = handler.content(answer.text, mock.schema(request)) if handler.content else answer.text
    given = {**recorded_usage(answer.completion), **answer.usage} if answer.completion else answer.usage
    figures = await _figures(request, text, given, mock.tokenizer)
    if answer.completion is None:
        envelope = chat_completion if generation_of(request.model) == "vlm-1" else orion.completion
        if handler.completion or chat.call:
            data = envelope(chat, text, figures, mock.stamp)
            data = tools.with_call(data, chat.call, mock.seed) if chat.call else data
            return (msgspec.json.encode(handler.completion(data) if handler.completion else data),), figures
        content = _as_json(text) if len(text) <= LONGEST_KEPT else msgspec.json.encode(text)
        before, _, after = msgspec.json.encode(envelope(chat, CONTENT, figures, mock.stamp)).partition(PLACE)
        return (before, content, after), figures
    return (_encoded(with_content(answer.completion, text, answer.usage), handler),), figures


async def _figures(
    request: ExtractionRequest, text: str, given: Mapping[str, Any], tokenizer: Tokenizer
) -> dict[str, int]:
    """Return the token figures of an answer, which are counted in a thread where that takes long."""
    if request.size <= body.QUICK:
        try:
            return usage(request, text, given, tokenizer, at_once=True)
        except TakesLong:
            pass
    return await aside(usage, None, request, text, given, tokenizer)


@lru_cache(maxsize=100)
def _as_json(text: str) -> bytes:
    """Return content as a JSON string, which most answers of a server share."""
    return msgspec.json.encode(text)


def passed_on(
    content: bytes, schema: Mapping[str, Any] | None, handler: FaultHandler
) -> tuple[bytes, Mapping[str, int]]:
    """Return what the upstream sent, as a fault leaves it, and the token figures that are in it, if any."""
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        return content, {}
    if (handler.content or handler.completion) and is_completion(data):
        rest, text = split_content(data)
        data = with_content(rest, handler.content(text or "", schema) if handler.content else text or "", {})
        content = _encoded(data, handler)
        data = json.loads(content)
    try:
        return content, {name: int(data["usage"][name]) for name in FIGURES}
    except (ArithmeticError, ValueError, LookupError, TypeError):
        return content, {}


def _encoded(data: dict[str, Any], handler: FaultHandler) -> bytes:
    """Return a body that was recorded or passed on as bytes; `json` writes numbers as most services do."""
    data = handler.completion(data) if handler.completion else data
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
