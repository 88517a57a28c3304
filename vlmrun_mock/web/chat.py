"""`POST /v1/openai/chat/completions`."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from dataclasses import replace

from starlette.types import Receive, Scope, Send

from vlmrun_mock.api.chat_completion import chat_completion, recorded_usage, replayed, usage
from vlmrun_mock.api.errors import ApiError, InvalidRequest, RateLimitExceeded, ScriptedError
from vlmrun_mock.api.request import ChatRequest
from vlmrun_mock.mock.faults import Fault
from vlmrun_mock.mock.journal import asked
from vlmrun_mock.mock.mock import Lacking, Mock
from vlmrun_mock.mock.scopes import Scopes
from vlmrun_mock.web import body, faults
from vlmrun_mock.web.keys import authenticate, key_of, raw_headers
from vlmrun_mock.web.request_log import Exchange, describe_request
from vlmrun_mock.web.response import Memory, Reply, dressed, origin, relayed


class ChatEndpoint:
    """The endpoint, as an ASGI application."""

    def __init__(self, scopes: Scopes) -> None:
        self._scopes = scopes
        self._memory = Memory()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; raises ApiError for the handler at the edge."""
        exchange: Exchange = scope["state"]["exchange"]
        headers = raw_headers(scope)
        exchange.journal = self._scopes.everyone.journal
        key = authenticate(headers, self._scopes.api_keys)
        mock = self._scopes.of(key.decode("utf-8", "surrogateescape"))
        exchange.journal = mock.journal
        raw = await body.read(headers, receive, mock.settings.max_body)
        self._limit(mock, raw, exchange)
        # Read before the answer is made: what changes meanwhile must not be remembered as new.
        revision = mock.revision
        fault, reply = None, self._memory.get(mock, revision, raw)
        if reply is None:
            fault, reply = await self._replied(mock, raw, scope, receive)
            if fault is None and reply.repeatable:
                self._memory.put(mock, revision, raw, reply)
        reply.note(exchange)
        if reply.latency:
            await asyncio.sleep(reply.latency)
        await faults.transmit(fault, reply, send)

    async def _replied(self, mock: Mock, raw: bytes, scope: Scope, receive: Receive) -> tuple[Fault | None, Reply]:
        """Return the reply to a body, and the fault that strikes it; raises ApiError."""
        exchange: Exchange = scope["state"]["exchange"]
        try:
            request = self._request(mock, raw, exchange)
        except InvalidRequest as problem:
            if not mock.records:
                raise
            unreadable = f"this mock cannot read the request: {problem.message}"
            reply = None
            while reply is None:
                reply = await self._relayed(mock, raw, scope, unreadable=unreadable)
            return None, reply
        fault = mock.fault(request)
        if fault is not None:
            await faults.before(fault, exchange, receive)
        while (lacking := mock.lacking(request)) is not None:
            reply = await self._relayed(mock, raw, scope, lacking, fault)
            if reply is not None:
                return fault, reply
        return fault, await self._reply(mock, request, fault, exchange)

    async def _relayed(
        self,
        mock: Mock,
        raw: bytes,
        scope: Scope,
        lacking: Lacking | None = None,
        fault: Fault | None = None,
        *,
        unreadable: str = "",
    ) -> Reply | None:
        """Return what the upstream says to a body, as a fault leaves it; None if there may be a recording after all.

        Raises ApiError.
        """
        from vlmrun_mock.recording.upstream import Question  # noqa: PLC0415 - heavy: imported when first needed

        exchange: Exchange = scope["state"]["exchange"]
        key = key_of(raw_headers(scope)).decode("utf-8", "surrogateescape")
        question = Question(raw, tuple(scope["headers"]), key, lacking, unreadable, scope["query_string"])
        relay = await self._scopes.upstream.relay(question, mock.settings, mock.library)
        if relay is not None and relay.error:
            raise relay.error
        if relay is None:
            return None
        known = mock.schema(lacking.request) if lacking else None
        said = replace(relay.said, body=faults.relayed(fault, relay.said.body, known))
        return relayed(exchange.summary or "unread", exchange.asked, replace(relay, said=said))

    def _limit(self, mock: Mock, raw: bytes, exchange: Exchange) -> None:
        """Raise RateLimitExceeded if the key sends too many requests."""
        seconds = mock.window.admit()
        if seconds:
            with contextlib.suppress(ApiError):  # the journal says what was asked, if that can be read
                self._request(mock, raw, exchange)
            raise RateLimitExceeded(str(mock.settings.rate_limit), seconds)

    def _request(self, mock: Mock, raw: bytes, exchange: Exchange) -> ChatRequest:
        from vlmrun_mock.api import chat_parser  # noqa: PLC0415 - heavy (pydantic): imported when first needed

        try:
            request = chat_parser.parse(raw)
        except InvalidRequest:
            exchange.digest = hashlib.sha256(raw).hexdigest()
            raise
        exchange.summary = describe_request(request)
        exchange.asked = asked(request, mock.domains.canonical(request.domain))
        return request

    async def _reply(self, mock: Mock, request: ChatRequest, fault: Fault | None, exchange: Exchange) -> Reply:
        """Return the answer as a chat completion, which a fault may spoil; raises ApiError."""
        answer = mock.answer(request)
        if answer.error:
            exchange.summary += f"  {answer.source} {answer.fixture}"
            exchange.source, exchange.fixture = answer.source, answer.fixture
            await asyncio.sleep(answer.latency)
            headers = {**answer.error.headers, **origin(answer)}
            raise ScriptedError(answer.error.status, answer.error.message, headers, answer.error.body)
        text = faults.content(fault, answer.text, mock.schema(request))
        given = {**recorded_usage(answer.completion or {}), **answer.usage}
        figures = usage(request, text, given, mock.tokenizer)
        if answer.completion is None:
            completion = chat_completion(request, text, figures, mock.stamp)
        else:
            completion = replayed(answer.completion, text, answer.usage)
        return dressed(
            request,
            answer,
            completion=faults.spoilt(fault, completion),
            figures=figures,
            asked=exchange.asked or asked(request, request.domain),
            repeatable=mock.stamp.repeatable,
        )
