"""`POST /v1/openai/chat/completions`."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace
from starlette.types import Receive, Scope, Send

from vlmrun_mock.api import quirks
from vlmrun_mock.api.answer import Answer
from vlmrun_mock.api.chat_completion import (
    STATUS,
    SUCCESSFUL,
)
from vlmrun_mock.api.chat_request import ChatRequest
from vlmrun_mock.api.errors import ApiError, InvalidRequest, RateLimitExceeded
from vlmrun_mock.api.request import ExtractionRequest, generation_of
from vlmrun_mock.display import printable
from vlmrun_mock.lazy import lazy
from vlmrun_mock.mock.journal import Entry
from vlmrun_mock.mock.mock import Mock
from vlmrun_mock.mock.request_summary import RequestSummary, summarise
from vlmrun_mock.mock.scopes import Scopes
from vlmrun_mock.web import body, envelope, faults
from vlmrun_mock.web.eager import EagerCoroutine
from vlmrun_mock.web.head import Head
from vlmrun_mock.web.keys import admitted
from vlmrun_mock.web.memo import AnyResponse, Memo, MemoKey
from vlmrun_mock.web.request_log import RequestLog, seconds_of
from vlmrun_mock.web.response import ChatResponse, called_header, declared_length, json_headers, origin, remark_headers
from vlmrun_mock.web.response import raw_headers as encoded
from vlmrun_mock.web.transport import Pieces

if TYPE_CHECKING:
    from vlmrun_mock.api import chat_parser, tools
    from vlmrun_mock.documents.embedded import EmbeddedDocuments
    from vlmrun_mock.mock.faults import Fault
    from vlmrun_mock.recording import upstream
    from vlmrun_mock.recording.upstream import UpstreamRequest
    from vlmrun_mock.web import artifacts, extraction, relay, stream
    from vlmrun_mock.web.relay import Relay
else:
    chat_parser = lazy("vlmrun_mock.api.chat_parser")
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


class Client(msgspec.Struct, frozen=True):
    """The client of a request that a task answers: what it sends, and what passes on to it a stream of the upstream."""

    receive: Receive
    passing: Relay | None


class ChatEndpoint:
    """The endpoint, as an ASGI application."""

    def __init__(self, scopes: Scopes) -> None:
        self._scopes = scopes
        self._memo = Memo()
        self._reads_documents = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; raises ApiError for the handler in the middleware."""
        log: RequestLog = scope["state"]["log"]
        mock = self._mock_of(log)
        headers = log.head.by_name
        if not self._reads_documents and body.is_large(headers):
            # While the first large body arrives, what reads a document is loaded beside it.
            self._reads_documents = True
            asyncio.get_running_loop().run_in_executor(None, next, mock.warm())
        raw = await body.read(headers, receive, mock.settings.max_body)
        passing = relay.Relay(send, log) if mock.records else None
        response = await (log.answering or self._answer(mock, raw, log, receive, passing))
        log.entry, log.answering = response.entry, None
        if passing and passing.is_begun and isinstance(response, ChatResponse):
            return await passing.end(response)
        if response.latency:
            await asyncio.sleep(response.latency)
        return await response.send(send, receive)

    def at_once(self, log: RequestLog, raw: bytes) -> ChatResponse | None:
        """Return the response to a request if it waits for nothing.

        What was begun is left in the log, where `__call__` goes on with it.
        """
        try:
            mock = self._mock_of(log)
        except ApiError:  # which is raised again where it is answered
            return None
        if (
            mock.faulty
            or mock.records
            or mock.settings.rate_limit
            or len(raw) > min(mock.settings.max_body, body.QUICK)
        ):
            return None
        key = self._memo.key(mock, raw)
        response = self._memo.get(key) if key else None
        if response is None:
            log.answering = EagerCoroutine(self._make(mock, raw, log, key))
            response = log.answering.result
        if not isinstance(response, ChatResponse) or response.latency or response.end != "complete":
            return None
        log.received(raw)
        log.entry, log.answering = response.entry, None
        return response

    def _mock_of(self, log: RequestLog) -> Mock:
        """Return the mock that answers a request, in whose journal it belongs; raises ApiError."""
        log.journal = self._scopes.everyone.journal
        log.key = log.head.key.decode("utf-8", "surrogateescape")
        admitted(log.head.key, self._scopes.api_keys)
        mock = self._scopes.of(log.key)
        log.journal = mock.journal
        if owner := self._scopes.past_owner(log.key):
            log.remark = printable(f"the client has the key of {owner}, which is over", LONGEST_REMARK)
        return mock

    async def _answer(
        self, mock: Mock, raw: bytes, log: RequestLog, receive: Receive, passing: Relay | None
    ) -> AnyResponse:
        """Return the response to a body, made or remembered; raises ApiError."""
        if mock.settings.rate_limit:
            await _limit(mock, raw, log, receive)
        # Made before the answer is: what changes meanwhile must not be remembered as new.
        key = self._memo.key(mock, raw)
        response = self._memo.get(key) if key and not mock.faulty else None
        return response or await self._make(mock, raw, log, key, Client(receive, passing))

    async def _make(
        self, mock: Mock, raw: bytes, log: RequestLog, key: MemoKey | None, client: Client | None = None
    ) -> AnyResponse:
        """Return the response to a body, and remember it by a key, if it may be."""
        fault, response = await _response(mock, raw, log, client)
        if key and fault is None and response.repeatable:
            self._memo.put(key, response)
        return response


async def _response(mock: Mock, raw: bytes, log: RequestLog, client: Client | None) -> tuple[Fault | None, AnyResponse]:
    """Return the response to a body, and the fault that strikes it; raises ApiError.

    Without a client no fault strikes: none was armed when the request was begun.
    """
    passing, receive = (client.passing, client.receive) if client else (None, None)
    try:
        chat, request = await _request(mock, raw, log, receive)
    except InvalidRequest as problem:
        if not passing:
            raise
        return None, await _unread(mock, raw, log, problem)
    request = await extraction.recognised(mock, log, request, raw)
    fault = await _struck(mock, request, log, client) if client else None
    if mock.settings.unsupported == "reject":
        quirks.refuse(chat)
    listener = passing if chat.streamed and fault is None else None
    original = _original(log.head, raw, "", listener, mock) if passing else None
    answer = await mock.answer(request, original)
    if answer.error:
        log.entry = replace(log.entry, source=answer.source, fixture=answer.fixture)
        await asyncio.sleep(answer.latency)
        raise extraction.scripted(answer)
    handler = faults.handler(fault) if fault else faults.NO_FAULT
    if answer.upstream:
        passed_on, figures = envelope.passed_on(answer.upstream.body, mock.schema(request), handler)
        pieces: Pieces = (passed_on,)
    else:
        pieces, figures = await envelope.completion(mock, chat, answer, handler)
        if generation_of(request.model) != "vlm-1":
            artifacts.note(mock, chat, raw, b"".join(pieces))
    repeatable = answer.repeatable and mock.stamp.repeatable
    response = _chat_response(answer, pieces, figures, chat, log.entry, repeatable=repeatable)
    if mock.settings.success == "200" and response.status == CREATED:
        response = replace(response, status=200)
    if chat.streamed and not answer.upstream:
        return fault, stream.streamed(response, chat, answer, mock, fault)
    return fault, handler.wire(response) if handler.wire and response.end == "complete" else response


async def _struck(mock: Mock, request: ExtractionRequest, log: RequestLog, client: Client) -> Fault | None:
    """Return the fault that strikes a request; raises what ends the request, if the fault ends it."""
    fault = mock.fault(request)
    if fault is not None:
        await faults.apply_before(fault, log, client.receive)
    return fault


async def _unread(mock: Mock, raw: bytes, log: RequestLog, problem: InvalidRequest) -> ChatResponse:
    """Return what the upstream answers to a body that cannot be read; raises the problem with it if that is nothing."""
    answer = await mock.pass_on(_original(log.head, raw, f"this mock cannot read the request: {problem.message}"))
    if answer.upstream is None:
        raise problem
    return _chat_response(answer, (answer.upstream.body,), {}, None, log.entry)


async def _limit(mock: Mock, raw: bytes, log: RequestLog, receive: Receive) -> None:
    """Raise RateLimitExceeded if the key sends too many requests."""
    try:
        extraction.limit(mock)
    except RateLimitExceeded:
        with contextlib.suppress(ApiError):  # the journal says what was asked, if that can be read
            await _request(mock, raw, log, receive)
        raise


async def _request(
    mock: Mock, raw: bytes, log: RequestLog, receive: Receive | None
) -> tuple[ChatRequest, ExtractionRequest]:
    """Return the request in a body, and the extraction request with its domain in the present spelling."""
    try:
        if len(raw) <= body.QUICK:
            chat, request, summary = _read(raw, None, mock)
        else:
            chat, request, summary = await body.parsed(partial(_read, mock=mock), raw, receive)
    except InvalidRequest:
        log.entry = replace(log.entry, digest=await body.digest(raw))
        raise
    log.entry = replace(log.entry, request=summary)
    return chat, request


def _read(
    raw: bytes, embedded: EmbeddedDocuments | None, mock: Mock
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
    head: Head, raw: bytes, unrecordable: str, listener: Relay | None = None, mock: Mock | None = None
) -> UpstreamRequest:
    """Return a request as the client sent it, for the upstream, of which a stream has a listener.

    The files of the `mock` that a readable request names go with it.
    """
    key = head.key.decode("utf-8", "surrogateescape")
    uploads = extraction.uploads(mock, chat_parser.parse(raw).extraction) if mock and mock.has_files else {}
    return upstream.UpstreamRequest(
        raw, head.headers, key, head.query, unrecordable, streams=bool(listener), uploads=uploads, listener=listener
    )


def _chat_response(
    answer: Answer,
    pieces: Pieces,
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
    passed_on, retry_after, length = answer.upstream, None, sum(map(len, pieces))
    if passed_on:
        status, headers = passed_on.status, {**passed_on.headers, **declared_length(passed_on, length)}
        retry_after = seconds_of(headers) if status not in SUCCESSFUL else None
        sent = encoded({**headers, **origin(answer.source, answer.fixture), **remark_headers(ignored, answer.guesses)})
    else:
        status = answer.status or STATUS[generation_of(chat.extraction.model) if chat else "vlm-1"]
        sent = json_headers(
            answer.source, answer.fixture, length, ignored, answer.guesses, re_encoded=answer.re_encoded
        )
        sent += called_header(chat.call.name) if chat and chat.call else ()
    return ChatResponse(
        status=status,
        headers=sent,
        pieces=pieces,
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
