"""`POST /v1/openai/chat/completions`."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib

from starlette.types import Receive, Scope, Send

from vlmrun_mock.chat_completion import chat_completion, usage
from vlmrun_mock.chat_request import ChatRequest
from vlmrun_mock.errors import ApiError, InvalidRequest, RateLimitExceeded, ScriptedError
from vlmrun_mock.faults import Fault
from vlmrun_mock.journal import asked
from vlmrun_mock.mock import Mock
from vlmrun_mock.scopes import Scopes
from vlmrun_mock.web import body, strike
from vlmrun_mock.web.exchange import Exchange, describe_request
from vlmrun_mock.web.keys import authenticate, raw_headers
from vlmrun_mock.web.reply import Memory, Reply, dressed, origin


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
            request = self._request(mock, raw, exchange)
            fault = mock.fault(request)
            if fault is not None:
                await strike.before(fault, exchange, receive)
            reply = await self._reply(mock, request, fault, exchange)
            if fault is None and reply.repeatable:
                self._memory.put(mock, revision, raw, reply)
        reply.note(exchange)
        if reply.latency:
            await asyncio.sleep(reply.latency)
        await strike.transmit(fault, reply, send)

    def _limit(self, mock: Mock, raw: bytes, exchange: Exchange) -> None:
        """Raise RateLimitExceeded if the key sends too many requests."""
        seconds = mock.window.admit()
        if seconds:
            with contextlib.suppress(ApiError):  # the journal says what was asked, if that can be read
                self._request(mock, raw, exchange)
            raise RateLimitExceeded(str(mock.settings.rate_limit), seconds)

    def _request(self, mock: Mock, raw: bytes, exchange: Exchange) -> ChatRequest:
        from vlmrun_mock import chat_parser  # noqa: PLC0415 - heavy (pydantic): imported when first needed

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
            raise ScriptedError(answer.error.status, answer.error.message, {**answer.error.headers, **origin(answer)})
        text = strike.content(fault, answer.text, mock.schema(request))
        figures = usage(request, text, answer.usage, mock.tokenizer)
        completion = strike.spoilt(fault, chat_completion(request, text, figures, mock.stamp))
        return dressed(
            request,
            answer,
            completion=completion,
            figures=figures,
            asked=exchange.asked or asked(request, request.domain),
            repeatable=mock.stamp.repeatable,
        )
