"""`POST /v1/openai/chat/completions`."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from starlette.types import Receive, Scope, Send

from vlmrun_mock.api import quirks
from vlmrun_mock.api.answer import Answer, ErrorAnswer, UpstreamResponse
from vlmrun_mock.api.chat_completion import (
    FIGURES,
    STATUS,
    SUCCESSFUL,
    chat_completion,
    is_completion,
    recorded_usage,
    split_content,
    usage,
    with_content,
)
from vlmrun_mock.api.chat_request import ChatRequest
from vlmrun_mock.api.errors import ApiError, InvalidRequest, RateLimitExceeded, ScriptedError
from vlmrun_mock.api.request import ExtractionRequest
from vlmrun_mock.display import printable
from vlmrun_mock.lazy import lazy
from vlmrun_mock.mock.faults import Fault
from vlmrun_mock.mock.journal import Entry, summarise
from vlmrun_mock.mock.mock import Mock
from vlmrun_mock.mock.scopes import Scopes
from vlmrun_mock.recording.upstream import UpstreamRequest
from vlmrun_mock.web import body, faults
from vlmrun_mock.web.faults import FaultHandler
from vlmrun_mock.web.keys import authenticate, key_of, raw_headers
from vlmrun_mock.web.memo import Memo
from vlmrun_mock.web.request_log import RequestLog, seconds_of
from vlmrun_mock.web.response import ChatResponse, declared_length, ignored_header, origin
from vlmrun_mock.web.response import raw_headers as encoded

if TYPE_CHECKING:
    from vlmrun_mock.api import chat_parser
else:
    chat_parser = lazy("vlmrun_mock.api.chat_parser")

LONGEST_NOTE = 400
"""Characters of a note on an answer of the upstream."""


class ChatEndpoint:
    """The endpoint, as an ASGI application."""

    def __init__(self, scopes: Scopes) -> None:
        self._scopes = scopes
        self._memo = Memo()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; raises ApiError for the handler in the middleware."""
        log: RequestLog = scope["state"]["log"]
        headers = raw_headers(scope)
        log.journal = self._scopes.everyone.journal
        key = authenticate(headers, self._scopes.api_keys)
        mock = self._scopes.of(key.decode("utf-8", "surrogateescape"))
        log.journal = mock.journal
        raw = await body.read(headers, receive, mock.settings.max_body)
        _limit(mock, raw, log)
        # Read before the answer is made: what changes meanwhile must not be remembered as new.
        revision = mock.revision
        response = self._memo.get(mock, revision, raw)
        if response is None:
            fault, response = await _response(mock, raw, scope, receive)
            if fault is None and response.repeatable:
                self._memo.put(mock, revision, raw, response)
        log.entry = response.entry
        if response.latency:
            await asyncio.sleep(response.latency)
        await response.send(send)


async def _response(mock: Mock, raw: bytes, scope: Scope, receive: Receive) -> tuple[Fault | None, ChatResponse]:
    """Return the response to a body, and the fault that strikes it; raises ApiError."""
    log: RequestLog = scope["state"]["log"]
    try:
        chat, request = _request(mock, raw, log)
    except InvalidRequest as problem:
        if not mock.records:
            raise
        answer = await mock.pass_on(_original(scope, raw, f"this mock cannot read the request: {problem.message}"))
        if answer.upstream is None:
            raise
        return None, _from_upstream(answer, answer.upstream, log.entry, faults.NO_FAULT)
    fault = mock.fault(request)
    if fault is not None:
        await faults.apply_before(fault, log, receive)
    if mock.settings.unsupported == "reject":
        quirks.refuse(chat)
    original = _original(scope, raw, "a stream" if chat.streams else "") if mock.records else None
    answer = await mock.answer(request, original)
    handler = faults.handler(fault)
    if answer.error:
        raise await _scripted_error(answer, answer.error, log)
    if answer.upstream:
        response = _from_upstream(answer, answer.upstream, log.entry, handler, _Read(chat, mock.schema(request)))
    else:
        response = _completion(mock, chat, answer, log.entry, handler)
    return fault, handler.wire(response) if handler.wire and response.end == "complete" else response


def _limit(mock: Mock, raw: bytes, log: RequestLog) -> None:
    """Raise RateLimitExceeded if the key sends too many requests."""
    seconds = mock.window.admit()
    if seconds:
        with contextlib.suppress(ApiError):  # the journal says what was asked, if that can be read
            _request(mock, raw, log)
        raise RateLimitExceeded(str(mock.settings.rate_limit), seconds)


def _request(mock: Mock, raw: bytes, log: RequestLog) -> tuple[ChatRequest, ExtractionRequest]:
    """Return the request in a body, and the extraction request with its domain in the present spelling."""
    try:
        chat = chat_parser.parse(raw)
    except InvalidRequest:
        log.entry = replace(log.entry, digest=hashlib.sha256(raw).hexdigest())
        raise
    request = mock.present(chat.extraction)
    log.entry = replace(log.entry, request=summarise(request, chat.extraction.fingerprint))
    return chat, request


def _original(scope: Scope, raw: bytes, unrecordable: str) -> UpstreamRequest:
    """Return a request as the client sent it, for the upstream."""
    key = key_of(raw_headers(scope)).decode("utf-8", "surrogateescape")
    return UpstreamRequest(raw, tuple(scope["headers"]), key, scope["query_string"], unrecordable)


async def _scripted_error(answer: Answer, error: ErrorAnswer, log: RequestLog) -> ScriptedError:
    """Return the error that a fixture answers, after its latency."""
    log.entry = replace(log.entry, source=answer.source, fixture=answer.fixture)
    await asyncio.sleep(answer.latency)
    return ScriptedError(error.status, error.message, {**error.headers, **origin(answer)}, error.body)


def _completion(mock: Mock, chat: ChatRequest, answer: Answer, entry: Entry, handler: FaultHandler) -> ChatResponse:
    """Return an answer as a chat completion, which a fault may spoil before its usage is counted."""
    request = chat.extraction
    text = handler.content(answer.text, mock.schema(request)) if handler.content else answer.text
    given = {**recorded_usage(answer.completion or {}), **answer.usage}
    figures = usage(request, text, given, mock.tokenizer)
    if answer.completion is None:
        completion = chat_completion(chat, text, figures, mock.stamp)
    else:
        completion = with_content(answer.completion, text, answer.usage)
    if handler.completion:
        completion = handler.completion(completion)
    content = json.dumps(completion, ensure_ascii=False, separators=(",", ":")).encode()
    ignored = quirks.ignored(chat, figures["completion_tokens"])
    headers = {"content-type": "application/json", "content-length": str(len(content)), **origin(answer)}
    return ChatResponse(
        status=answer.status or STATUS[request.generation],
        headers=encoded(headers | ignored_header(ignored)),
        body=content,
        entry=replace(
            entry,
            source=answer.source,
            fixture=answer.fixture,
            usage=figures,
            ignored=ignored,
            notes=(*entry.notes, *answer.notes, *quirks.remarks(chat, ignored)),
        ),
        latency=answer.latency,
        repeatable=answer.repeatable and mock.stamp.repeatable,
    )


@dataclass(frozen=True, slots=True)
class _Read:
    """A request that could be read, and the schema that its answer follows, if one is known."""

    chat: ChatRequest
    schema: Mapping[str, Any] | None


def _from_upstream(
    answer: Answer, response: UpstreamResponse, entry: Entry, handler: FaultHandler, read: _Read | None = None
) -> ChatResponse:
    """Return what the upstream sent as it sent it, but for what a fault spoils."""
    content = response.body
    if read and handler.changes_completion:
        content = _spoilt(content, handler, read.schema)
    figures = _figures(content)
    ignored = quirks.ignored(read.chat, figures["completion_tokens"]) if read and figures else ()
    remarks = quirks.remarks(read.chat, ignored) if read and figures else ()
    headers = {**response.headers, **declared_length(response, content), **origin(answer), **ignored_header(ignored)}
    return ChatResponse(
        status=response.status,
        headers=encoded(headers),
        body=content,
        entry=replace(
            entry,
            source=answer.source,
            fixture=answer.fixture,
            usage=figures,
            ignored=ignored,
            retry_after=seconds_of(response.headers) if response.status not in SUCCESSFUL else None,
            notes=(*entry.notes, *(printable(note, LONGEST_NOTE) for note in answer.notes), *remarks),
        ),
        end="complete" if response.complete else "close",
    )


def _spoilt(content: bytes, handler: FaultHandler, schema: Mapping[str, Any] | None) -> bytes:
    """Return a body as a fault leaves it; what is no chat completion stays as it is."""
    try:
        completion = json.loads(content)
    except (ValueError, RecursionError):
        return content
    if not is_completion(completion):
        return content
    rest, text = split_content(completion)
    content_text = handler.content(text or "", schema) if handler.content else text or ""
    spoilt = with_content(rest, content_text, {})
    if handler.completion:
        spoilt = handler.completion(spoilt)
    return json.dumps(spoilt, ensure_ascii=False, separators=(",", ":")).encode()


def _figures(content: bytes) -> dict[str, int]:
    """Return the token figures in a body, if there are such."""
    try:
        found = json.loads(content)["usage"]
        return {name: int(found[name]) for name in FIGURES}
    except (ArithmeticError, ValueError, LookupError, TypeError, RecursionError):
        return {}
