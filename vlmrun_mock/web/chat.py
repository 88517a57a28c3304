"""`POST /v1/openai/chat/completions`."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import OrderedDict
from dataclasses import dataclass

from starlette.types import Receive, Scope, Send

from vlmrun_mock import quirks
from vlmrun_mock.chat_completion import STATUS, chat_completion, usage
from vlmrun_mock.chat_request import ChatRequest
from vlmrun_mock.errors import ScriptedError
from vlmrun_mock.mock import Answer, Mock
from vlmrun_mock.web import body
from vlmrun_mock.web.exchange import Exchange, describe_request, header_safe
from vlmrun_mock.web.keys import authenticate, raw_headers


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole HTTP answer to a chat request, and what the log says of it."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    content: bytes
    latency: float
    summary: str
    notes: tuple[str, ...]


class Memory:
    """The latest replies by the digest of the body that they answer.

    An answer is a pure function of the request, so the same bytes need no second look. Bounded by count and by the
    size of what is kept; a large body costs more to digest than it saves, and is left out.
    """

    REPLIES = 512
    LARGEST_BODY = 1024 * 1024
    LARGEST_REPLY = 64 * 1024

    def __init__(self) -> None:
        self._replies: OrderedDict[bytes, Reply] = OrderedDict()

    def get(self, raw: bytes) -> Reply | None:
        """Return the reply to these bytes, if it is remembered."""
        if len(raw) > self.LARGEST_BODY:
            return None
        digest = hashlib.sha256(raw).digest()
        reply = self._replies.get(digest)
        if reply is not None:
            self._replies.move_to_end(digest)
        return reply

    def put(self, raw: bytes, reply: Reply) -> None:
        """Remember a reply."""
        if len(raw) <= self.LARGEST_BODY and len(reply.content) <= self.LARGEST_REPLY:
            self._replies[hashlib.sha256(raw).digest()] = reply
            if len(self._replies) > self.REPLIES:
                self._replies.popitem(last=False)


class ChatEndpoint:
    """The endpoint, as an ASGI application."""

    def __init__(self, mock: Mock) -> None:
        self._mock = mock
        self._memory = Memory()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; raises ApiError for the handler at the edge."""
        exchange: Exchange = scope["state"]["exchange"]
        authenticate(raw_headers(scope), self._mock.settings.api_keys)
        raw = await body.read(scope, receive, self._mock.settings.max_body)
        reply = self._memory.get(raw) or await self._reply(raw, exchange)
        exchange.summary = reply.summary
        exchange.notes.extend(reply.notes)
        if reply.latency:
            await asyncio.sleep(reply.latency)
        await send({"type": "http.response.start", "status": reply.status, "headers": list(reply.headers)})
        await send({"type": "http.response.body", "body": reply.content})

    async def _reply(self, raw: bytes, exchange: Exchange) -> Reply:
        from vlmrun_mock import chat_parser  # noqa: PLC0415 - heavy (pydantic): imported when first needed

        request = chat_parser.parse(raw)
        exchange.summary = describe_request(request)
        answer = self._mock.answer(request)
        if answer.error:
            exchange.summary += f"  {answer.source} {answer.fixture}"
            await asyncio.sleep(answer.latency)
            raise ScriptedError(answer.error.status, answer.error.message, answer.error.headers)
        reply = self._dressed(request, answer)
        if answer.repeatable and self._mock.stamp.repeatable:
            self._memory.put(raw, reply)
        return reply

    def _dressed(self, request: ChatRequest, answer: Answer) -> Reply:
        """Return an answer as a chat completion, with the headers that say where it came from."""
        figures = usage(request, answer.text, answer.usage, self._mock.tokenizer)
        ignored = quirks.ignored(request, figures["completion_tokens"])
        completion = chat_completion(request, answer.text, figures, self._mock.stamp)
        content = json.dumps(completion, ensure_ascii=False, separators=(",", ":")).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(content)).encode()),
            (b"x-vlmrun-mock-source", answer.source.encode()),
        ]
        if answer.fixture:
            headers.append((b"x-vlmrun-mock-fixture", header_safe(answer.fixture).encode()))
        if ignored:
            headers.append((b"x-vlmrun-mock-ignored", ", ".join(ignored).encode()))
        tokens = f"{figures['prompt_tokens']}+{figures['completion_tokens']} tokens"
        source = " ".join(filter(None, (answer.source, answer.fixture)))
        return Reply(
            status=STATUS[request.generation],
            headers=tuple(headers),
            content=content,
            latency=answer.latency,
            summary=f"{describe_request(request)}  {source}  {tokens}",
            notes=tuple(_notes(ignored)),
        )


def _notes(ignored: tuple[str, ...]) -> list[str]:
    notes = [f"ignored: {', '.join(ignored)}"] if ignored else []
    if "stream" in ignored:
        notes.append("the answer is one JSON body; a client that iterates it as a stream sees no chunk")
    return notes
