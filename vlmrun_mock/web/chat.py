"""`POST /v1/openai/chat/completions`."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace
from starlette.types import Receive, Scope, Send

from vlmrun_mock.api import quirks
from vlmrun_mock.api.answer import Answer
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
from vlmrun_mock.api.errors import ApiError, InvalidRequest, RateLimitExceeded
from vlmrun_mock.api.request import ExtractionRequest, generation_of
from vlmrun_mock.aside import aside
from vlmrun_mock.display import printable
from vlmrun_mock.lazy import lazy
from vlmrun_mock.mock.journal import Entry
from vlmrun_mock.mock.mock import Mock
from vlmrun_mock.mock.request_summary import RequestSummary, summarise
from vlmrun_mock.mock.scopes import Scopes
from vlmrun_mock.web import body, faults
from vlmrun_mock.web.keys import admitted, key_of, raw_headers
from vlmrun_mock.web.memo import AnyResponse, Memo
from vlmrun_mock.web.request_log import RequestLog, seconds_of
from vlmrun_mock.web.response import ChatResponse, called_header, declared_length, json_headers, origin, remark_headers
from vlmrun_mock.web.response import raw_headers as encoded

if TYPE_CHECKING:
    from vlmrun_mock.api import chat_parser, orion, tools
    from vlmrun_mock.documents.embedded import EmbeddedDocuments
    from vlmrun_mock.mock.faults import Fault
    from vlmrun_mock.recording import upstream
    from vlmrun_mock.recording.upstream import UpstreamRequest
    from vlmrun_mock.web import artifacts, extraction, relay, stream
    from vlmrun_mock.web.faults import FaultHandler
    from vlmrun_mock.web.relay import Relay
else:
    chat_parser = lazy("vlmrun_mock.api.chat_parser")
    orion = lazy("vlmrun_mock.api.orion")
    tools = lazy("vlmrun_mock.api.tools")
    upstream = lazy("vlmrun_mock.recording.upstream")
    artifacts = lazy("vlmrun_mock.web.artifacts")
    extraction = lazy("vlmrun_mock.web.extraction")
    relay = lazy("vlmrun_mock.web.relay")
    stream = lazy("vlmrun_mock.web.stream")


PATH = "/v1/openai/chat/completions"

CREATED = 201

CALLS = frozenset({"tools", "functions"})
"""The parameters that offer functions."""

LONGEST_REMARK = 300
"""Characters of a remark that names a test."""


LONGEST_KEPT = 20_000
"""Characters of a content whose JSON is kept for the next answer."""


class ChatEndpoint:
    """The endpoint, as an ASGI application."""

    def __init__(self, scopes: Scopes) -> None:
        self._scopes = scopes
        self._memo = Memo()
        self._reads_documents = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; raises ApiError for the handler in the middleware."""
        log: RequestLog = scope["state"]["log"]
        headers: Mapping[bytes, bytes] = scope["state"]["headers"]
        log.journal = self._scopes.everyone.journal
        api_key = key_of(headers)
        log.key = api_key.decode("utf-8", "surrogateescape")
        admitted(api_key, self._scopes.api_keys)
        mock = self._scopes.of(log.key)
        log.journal = mock.journal
        if owner := self._scopes.past_owner(log.key):
            log.remark = printable(f"the client has the key of {owner}, which is over", LONGEST_REMARK)
        if not self._reads_documents and body.is_large(headers):
            # While the first large body arrives, what reads a document is loaded beside it.
            self._reads_documents = True
            asyncio.get_running_loop().run_in_executor(None, next, mock.warm())
        raw = await body.read(headers, receive, mock.settings.max_body)
        if mock.settings.rate_limit:
            await _limit(mock, raw, log)
        # Made before the answer is: what changes meanwhile must not be remembered as new.
        key = self._memo.key(mock, raw)
        response = self._memo.get(key) if key and not mock.faulty else None
        if response is None:
            passing = relay.Relay(send, log) if mock.records else None
            fault, response = await _response(mock, raw, scope, receive, passing)
            if key and fault is None and response.repeatable:
                self._memo.put(key, response)
            if passing and passing.is_begun and isinstance(response, ChatResponse):
                log.entry = response.entry
                return await passing.end(response)
        log.entry = response.entry
        if response.latency:
            await asyncio.sleep(response.latency)
        return await response.send(send, receive)


async def _response(
    mock: Mock, raw: bytes, scope: Scope, receive: Receive, passing: Relay | None
) -> tuple[Fault | None, AnyResponse]:
    """Return the response to a body, and the fault that strikes it; raises ApiError."""
    log: RequestLog = scope["state"]["log"]
    try:
        chat, request = await _request(mock, raw, log)
    except InvalidRequest as problem:
        if not passing:
            raise
        return None, await _unread(mock, raw, scope, problem)
    request = await extraction.recognised(mock, log, request, raw)
    fault = mock.fault(request)
    if fault is not None:
        await faults.apply_before(fault, log, receive)
    if mock.settings.unsupported == "reject":
        quirks.refuse(chat)
    listener = passing if chat.streamed and fault is None else None
    original = _original(scope, raw, "", listener, mock) if passing else None
    answer = await mock.answer(request, original)
    if answer.error:
        log.entry = replace(log.entry, source=answer.source, fixture=answer.fixture)
        await asyncio.sleep(answer.latency)
        raise extraction.scripted(answer)
    handler = faults.handler(fault) if fault else faults.NO_FAULT
    if answer.upstream:
        content, figures = _passed_on(answer.upstream.body, mock.schema(request), handler)
    else:
        content, figures = await _completion(mock, chat, answer, handler)
        if generation_of(request.model) != "vlm-1":
            artifacts.note(mock, chat, raw, content)
    repeatable = answer.repeatable and mock.stamp.repeatable
    response = _chat_response(answer, content, figures, chat, log.entry, repeatable=repeatable)
    if mock.settings.success == "200" and response.status == CREATED:
        response = replace(response, status=200)
    if chat.streamed and not answer.upstream:
        return fault, stream.streamed(response, chat, answer, mock, fault)
    return fault, handler.wire(response) if handler.wire and response.end == "complete" else response


async def _unread(mock: Mock, raw: bytes, scope: Scope, problem: InvalidRequest) -> ChatResponse:
    """Return what the upstream answers to a body that cannot be read; raises the problem with it if that is nothing."""
    answer = await mock.pass_on(_original(scope, raw, f"this mock cannot read the request: {problem.message}"))
    if answer.upstream is None:
        raise problem
    log: RequestLog = scope["state"]["log"]
    return _chat_response(answer, answer.upstream.body, {}, None, log.entry)


async def _limit(mock: Mock, raw: bytes, log: RequestLog) -> None:
    """Raise RateLimitExceeded if the key sends too many requests."""
    try:
        extraction.limit(mock)
    except RateLimitExceeded:
        with contextlib.suppress(ApiError):  # the journal says what was asked, if that can be read
            await _request(mock, raw, log)
        raise


async def _request(mock: Mock, raw: bytes, log: RequestLog) -> tuple[ChatRequest, ExtractionRequest]:
    """Return the request in a body, and the extraction request with its domain in the present spelling."""
    try:
        embedded = None if len(raw) <= body.QUICK else await body.documents_in(raw)
        chat, request, summary = _read(mock, raw) if embedded is None else await aside(_read, None, mock, raw, embedded)
    except InvalidRequest:
        digest = hashlib.sha256(raw) if len(raw) <= body.QUICK else await aside(hashlib.sha256, None, raw)
        log.entry = replace(log.entry, digest=digest.hexdigest())
        raise
    log.entry = replace(log.entry, request=summary)
    return chat, request


def _read(
    mock: Mock, raw: bytes, embedded: EmbeddedDocuments | None = None
) -> tuple[ChatRequest, ExtractionRequest, RequestSummary]:
    chat = chat_parser.parse(raw, embedded)
    asked = mock.with_files(chat.extraction) if chat.extraction.documents else chat.extraction
    if "skills" in chat.parameters or asked.config.further:
        asked = mock.with_skills(asked, chat.parameters.get("skills"))
    chat = chat if asked is chat.extraction else replace(chat, extraction=asked)
    if not CALLS.isdisjoint(chat.parameters) and mock.settings.tools == "call":
        chat = tools.called(chat)
    if chat.parameters.get("stream"):
        chat = stream.decided(chat, mock.settings)
    request = mock.present(chat.extraction)
    return chat, request, summarise(request, chat.extraction.fingerprint)


def _original(
    scope: Scope, raw: bytes, unrecordable: str, listener: Relay | None = None, mock: Mock | None = None
) -> UpstreamRequest:
    """Return a request as the client sent it, for the upstream, of which a stream has a listener.

    The files of the `mock` that a readable request names go with it.
    """
    key = key_of(raw_headers(scope)).decode("utf-8", "surrogateescape")
    headers, query = tuple(scope["headers"]), scope["query_string"]
    uploads = extraction.uploads(mock, chat_parser.parse(raw).extraction) if mock and mock.has_files else {}
    return upstream.UpstreamRequest(
        raw, headers, key, query, unrecordable, streams=bool(listener), uploads=uploads, listener=listener
    )


async def _completion(
    mock: Mock, chat: ChatRequest, answer: Answer, handler: FaultHandler
) -> tuple[bytes, Mapping[str, int]]:
    """Return an answer as a chat completion, and its token figures; a fault spoils it before they are counted."""
    request = chat.extraction
    text = handler.content(answer.text, mock.schema(request)) if handler.content else answer.text
    given = {**recorded_usage(answer.completion), **answer.usage} if answer.completion else answer.usage
    texts = [text]
    for message in request.messages:
        texts += message.texts
    if mock.tokenizer.is_ready_for(texts) and sum(map(len, texts)) <= body.QUICK:
        figures = usage(request, text, given, mock.tokenizer)
    else:
        figures = await aside(usage, None, request, text, given, mock.tokenizer)
    if answer.completion is None:
        envelope = chat_completion if generation_of(request.model) == "vlm-1" else orion.completion
        if handler.completion or chat.call:
            completion = envelope(chat, text, figures, mock.stamp)
            completion = tools.with_call(completion, chat.call, mock.seed) if chat.call else completion
            return msgspec.json.encode(handler.completion(completion) if handler.completion else completion), figures
        content = _as_json(text) if len(text) <= LONGEST_KEPT else text
        return msgspec.json.encode(envelope(chat, content, figures, mock.stamp)), figures
    return _encoded(with_content(answer.completion, text, answer.usage), handler), figures


@lru_cache(maxsize=100)
def _as_json(text: str) -> msgspec.Raw:
    """Return content as a JSON string, which most answers of a server share."""
    return msgspec.Raw(msgspec.json.encode(text))


def _passed_on(
    content: bytes, schema: Mapping[str, Any] | None, handler: FaultHandler
) -> tuple[bytes, Mapping[str, int]]:
    """Return what the upstream sent, as a fault leaves it, and the token figures that are in it, if any."""
    try:
        completion = json.loads(content)
    except (ValueError, RecursionError):
        return content, {}
    if (handler.content or handler.completion) and is_completion(completion):
        rest, text = split_content(completion)
        completion = with_content(rest, handler.content(text or "", schema) if handler.content else text or "", {})
        content = _encoded(completion, handler)
        completion = json.loads(content)
    try:
        return content, {name: int(completion["usage"][name]) for name in FIGURES}
    except (ArithmeticError, ValueError, LookupError, TypeError):
        return content, {}


def _encoded(completion: dict[str, Any], handler: FaultHandler) -> bytes:
    """Return a body that was recorded or passed on as bytes; `json` writes numbers as most services do."""
    completion = handler.completion(completion) if handler.completion else completion
    return json.dumps(completion, ensure_ascii=False, separators=(",", ":")).encode()


def _chat_response(
    answer: Answer,
    content: bytes,
    figures: Mapping[str, int],
    chat: ChatRequest | None,
    entry: Entry,
    *,
    repeatable: bool = False,
) -> ChatResponse:
    """Return a body as a response, with all that is known of it; `chat` is None for a request that cannot be read."""
    ignored = quirks.ignored(chat, figures["completion_tokens"]) if chat and figures else ()
    remarks = quirks.remarks(chat, ignored) if chat and figures else []
    if answer.guesses:
        remarks.append(f"the schema's dialect is guessed: {'; '.join(answer.guesses)}")
    passed_on, retry_after = answer.upstream, None
    if passed_on:
        status, headers = passed_on.status, {**passed_on.headers, **declared_length(passed_on, content)}
        retry_after = seconds_of(headers) if status not in SUCCESSFUL else None
        sent = encoded({**headers, **origin(answer.source, answer.fixture), **remark_headers(ignored, answer.guesses)})
    else:
        status = answer.status or STATUS[generation_of(chat.extraction.model) if chat else "vlm-1"]
        sent = json_headers(
            answer.source, answer.fixture, len(content), ignored, answer.guesses, re_encoded=answer.re_encoded
        )
        sent += called_header(chat.call.name) if chat and chat.call else ()
    return ChatResponse(
        status=status,
        headers=sent,
        body=content,
        entry=replace(
            entry,
            source=answer.source,
            fixture=answer.fixture,
            usage=figures,
            ignored=ignored,
            retry_after=retry_after,
            notes=(*entry.notes, *answer.notes, *remarks),
        ),
        latency=answer.latency,
        repeatable=repeatable,
        end="complete" if passed_on is None or passed_on.complete else "close",
    )
