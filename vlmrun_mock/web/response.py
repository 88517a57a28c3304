"""Whole HTTP answers to chat requests, and the memory of the latest."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from vlmrun_mock.api import quirks
from vlmrun_mock.api.chat_completion import FIGURES, STATUS
from vlmrun_mock.api.request import ChatRequest
from vlmrun_mock.mock.journal import Asked
from vlmrun_mock.mock.mock import Answer, Mock
from vlmrun_mock.web.request_log import Exchange, describe_request, header_safe, seconds_of, shown

if TYPE_CHECKING:
    from vlmrun_mock.recording.recording import Said
    from vlmrun_mock.recording.upstream import Relay


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole HTTP answer to a chat request, and what the log says of it.

    One that is not `complete` ends with its connection, as the upstream's did.
    """

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    content: bytes
    latency: float
    repeatable: bool
    summary: str
    notes: tuple[str, ...]
    asked: Asked | None
    source: str
    fixture: str | None
    usage: Mapping[str, int]
    ignored: tuple[str, ...]
    complete: bool = True
    retry_after: float | None = None

    def note(self, exchange: Exchange) -> None:
        """Tell the exchange what it is answered with."""
        exchange.summary = self.summary
        exchange.notes.extend(self.notes)
        exchange.asked = self.asked
        exchange.source = self.source
        exchange.fixture = self.fixture
        exchange.usage = self.usage
        exchange.ignored = self.ignored
        exchange.retry_after = self.retry_after


def origin(answer: Answer) -> dict[str, str]:
    """Return the headers that say where an answer came from."""
    named = {"x-vlmrun-mock-fixture": header_safe(answer.fixture)} if answer.fixture else {}
    return {"x-vlmrun-mock-source": answer.source, **named}


def dressed(
    request: ChatRequest,
    answer: Answer,
    *,
    completion: Mapping[str, Any],
    figures: Mapping[str, int],
    asked: Asked,
    repeatable: bool,
) -> Reply:
    """Return a chat completion with the headers that say where it came from."""
    ignored = quirks.ignored(request, figures["completion_tokens"])
    content = json.dumps(completion, ensure_ascii=False, separators=(",", ":")).encode()
    headers = {"content-type": "application/json", "content-length": str(len(content)), **origin(answer)}
    if ignored:
        headers["x-vlmrun-mock-ignored"] = ", ".join(ignored)
    tokens = f"{figures['prompt_tokens']}+{figures['completion_tokens']} tokens"
    source = " ".join(filter(None, (answer.source, answer.fixture)))
    return Reply(
        status=answer.status or STATUS[request.generation],
        headers=tuple((name.encode(), value.encode()) for name, value in headers.items()),
        content=content,
        latency=answer.latency,
        repeatable=answer.repeatable and repeatable,
        summary=f"{describe_request(request)}  {source}  {tokens}",
        notes=(*answer.notes, *_notes(request, ignored)),
        asked=asked,
        source=answer.source,
        fixture=answer.fixture,
        usage=figures,
        ignored=ignored,
    )


def relayed(about: str, asked: Asked | None, relay: Relay) -> Reply:
    """Return what the upstream said as it said it; `about` describes the request."""
    said = relay.said
    named = {"x-vlmrun-mock-fixture": header_safe(relay.recording)} if relay.recording else {}
    headers = {**said.headers, **_length(said), "x-vlmrun-mock-source": "upstream", **named}
    figures = _figures(said)
    tokens = f"  {figures['prompt_tokens']}+{figures['completion_tokens']} tokens" if figures else ""
    return Reply(
        status=said.status,
        headers=tuple((name.encode(), value.encode("latin-1")) for name, value in headers.items()),
        content=said.body,
        latency=0.0,
        repeatable=False,
        summary=f"{about}  upstream{tokens}",
        notes=tuple(shown(note, LONGEST_NOTE) for note in relay.notes),
        asked=asked,
        source="upstream",
        fixture=relay.recording,
        usage=figures,
        ignored=(),
        complete=said.complete,
        retry_after=seconds_of(said.headers) if said.status not in SUCCESSFUL else None,
    )


def _length(said: Said) -> dict[str, str]:
    """Return the header for how long a body is, or of one that ended early, was to be."""
    if said.complete:
        return {"content-length": str(len(said.body))}
    return {"content-length": str(said.declared)} if said.declared and said.declared > len(said.body) else {}


def _figures(said: Said) -> dict[str, int]:
    """Return the token figures in what the upstream said, if there are such."""
    try:
        usage = json.loads(said.body)["usage"]
        return {name: int(usage[name]) for name in FIGURES}
    except (ArithmeticError, ValueError, LookupError, TypeError, RecursionError):
        return {}


def _notes(request: ChatRequest, ignored: tuple[str, ...]) -> list[str]:
    notes = [f"ignored: {', '.join(ignored)}"] if ignored else []
    if "stream" in ignored:
        notes.append("the answer is one JSON body; a client that iterates it as a stream sees no chunk")
    if (request.parameters.get("response_format") or {}).get("type") == "json_schema" and request.schema is None:
        notes.append("response_format asks for a JSON schema and has none: it belongs in json_schema.schema")
    return notes


SUCCESSFUL = range(200, 300)

LONGEST_NOTE = 400
"""Characters of a note on a relayed answer."""

Remembered: TypeAlias = tuple[Mock, tuple[int, ...], bytes]
"""What a reply is remembered by: whose it is, that mock's revision, and the digest of the body."""


class Memory:
    """The latest replies.

    An answer is a pure function of the request, so the same bytes need no second look. Bounded by count and by the
    size of what is kept; a large body costs more to digest than it saves, and is left out.
    """

    REPLIES = 512
    LARGEST_BODY = 1024 * 1024
    LARGEST_REPLY = 64 * 1024

    def __init__(self) -> None:
        self._replies: OrderedDict[Remembered, Reply] = OrderedDict()

    def get(self, mock: Mock, revision: tuple[int, ...], raw: bytes) -> Reply | None:
        """Return the reply to these bytes, if it is remembered."""
        if len(raw) > self.LARGEST_BODY or mock.faulty:
            return None
        key = (mock, revision, hashlib.sha256(raw).digest())
        reply = self._replies.get(key)
        if reply is not None:
            self._replies.move_to_end(key)
        return reply

    def put(self, mock: Mock, revision: tuple[int, ...], raw: bytes, reply: Reply) -> None:
        """Remember a reply, made from what the mock held at this revision or later."""
        if len(raw) <= self.LARGEST_BODY and len(reply.content) <= self.LARGEST_REPLY:
            self._replies[mock, revision, hashlib.sha256(raw).digest()] = reply
            if len(self._replies) > self.REPLIES:
                self._replies.popitem(last=False)
