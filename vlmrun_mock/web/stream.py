"""Streams of server-sent events: a completion cut into chunks, sent at a pace, and spoilt by faults."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec.structs import replace
from starlette.types import Receive, Send

from vlmrun_mock.api import orion
from vlmrun_mock.api.answer import Answer
from vlmrun_mock.api.chat_request import ChatRequest
from vlmrun_mock.mock.faults import Fault, FaultKind
from vlmrun_mock.mock.journal import Entry
from vlmrun_mock.mock.mock import Mock
from vlmrun_mock.mock.settings import Settings
from vlmrun_mock.seed import Seed
from vlmrun_mock.web import transport
from vlmrun_mock.web.response import ChatResponse
from vlmrun_mock.web.transport import ConnectionCut, RawHeaders

DONE = b"data: [DONE]\n\n"

JITTER = 0.25
"""The share by which a pause between two chunks may be shorter or longer than the rate says."""

End: TypeAlias = Literal["complete", "unfinished", "close", "reset", "stall"]
"""How a stream ends: whole; orderly but too early; with its connection, closed or reset; or not at all."""

HALFWAY: Mapping[FaultKind, End] = {
    "disconnect-midway": "reset",
    "truncate": "unfinished",
    "truncate-undeclared": "close",
    "stall": "stall",
}
"""The faults that end a stream after half of its events."""


class StreamResponse(msgspec.Struct, frozen=True):
    """A stream, and all that is known of the request and its answer.

    `pauses` are in seconds, one before each event; what has none comes at once.
    """

    status: int
    headers: RawHeaders
    events: tuple[bytes, ...]
    entry: Entry
    latency: float = 0.0
    repeatable: bool = False
    pauses: tuple[float, ...] = ()
    end: End = "complete"

    @property
    def length(self) -> int:
        """Return how many bytes all events have."""
        return sum(map(len, self.events))

    async def send(self, send: Send, receive: Receive) -> None:
        """Send the events; raises ConnectionCut where the stream ends with its connection."""
        await send({"type": "http.response.start", "status": self.status, "headers": list(self.headers)})
        await send({"type": "http.response.body", "body": b"", "more_body": True})
        for number, event in enumerate(self.events):
            if number < len(self.pauses):
                await asyncio.sleep(self.pauses[number])
            await send({"type": "http.response.body", "body": event, "more_body": True})
        if self.end == "stall":
            await transport.closed(receive)
        if self.end in ("close", "reset", "stall"):
            raise ConnectionCut(reset=self.end == "reset")
        await send({"type": "http.response.body", "body": b""})


def decided(chat: ChatRequest, settings: Settings) -> ChatRequest:
    """Return a request that says whether it is answered by a stream."""
    may = chat.extraction.generation != "vlm-1" or settings.streams == "always"
    return msgspec.structs.replace(chat, streamed=may and bool(chat.parameters.get("stream")))


def streamed(
    response: ChatResponse, chat: ChatRequest, answer: Answer, mock: Mock, fault: Fault | None
) -> StreamResponse:
    """Return a whole completion as a stream, with the chunks of a recorded one, and as a fault leaves it."""
    completion, settings = json.loads(response.body), mock.settings
    recorded = answer.chunks if _fits(answer.chunks, completion) else ()
    events = _events(completion, chat, [length for length, _ in recorded])
    is_timed = bool(recorded) and settings.latency == "recorded"
    pauses = _pauses(len(events), settings, mock.seed, str(completion.get("id")))
    kept = ((name, value) for name, value in response.headers if name not in (b"content-type", b"content-length"))
    stream = StreamResponse(
        status=response.status,
        headers=((b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-cache"), *kept),
        events=events,
        entry=response.entry,
        latency=0.0 if is_timed else response.latency,
        repeatable=response.repeatable,
        # The first event has no text, so that its time is not known.
        pauses=(0.0, *(seconds for _, seconds in recorded)) if is_timed else pauses,
    )
    return spoilt(stream, fault) if fault else stream


def _fits(chunks: Sequence[tuple[int, float]], completion: Mapping[str, Any]) -> bool:
    """Return whether recorded chunks are together as long as the content, which a fault may have changed."""
    choice = next(iter(completion["choices"]), None)
    content = choice["message"].get("content") if choice else None
    return isinstance(content, str) and sum(length for length, _ in chunks) == len(content)


def _events(completion: Mapping[str, Any], chat: ChatRequest, lengths: Sequence[int]) -> tuple[bytes, ...]:
    options = chat.parameters.get("stream_options")
    wanted = options.get("include_usage") if isinstance(options, dict) else None
    chunks = orion.chunks(completion, include_usage=wanted if isinstance(wanted, bool) else None, lengths=lengths)
    return (*(b"data: %b\n\n" % msgspec.json.encode(chunk) for chunk in chunks), DONE)


def _pauses(count: int, settings: Settings, seed: Seed, name: str) -> tuple[float, ...]:
    """Return how long to wait before each event; what is drawn depends on the seed and the completion's id alone."""
    if not (settings.first_chunk_ms or settings.chunks_per_second):
        return ()
    drawn = seed.random("pace", name)
    each = 1 / settings.chunks_per_second if settings.chunks_per_second else 0.0
    first, *others = (drawn.uniform(1 - JITTER, 1 + JITTER) for _ in range(count))
    return (first * settings.first_chunk_ms / 1000, *(other * each for other in others))


def spoilt(stream: StreamResponse, fault: Fault) -> StreamResponse:
    """Return a stream as a fault leaves it."""
    half = stream.events[: len(stream.events) // 2]
    if fault.kind in HALFWAY:
        return replace(stream, events=half, end=HALFWAY[fault.kind])
    if fault.kind == "cut-at-start":
        return replace(stream, events=(), end="reset")
    if fault.kind == "cut-in-character":
        return replace(stream, events=_cut_in_character(stream.events), end="close")
    if fault.kind == "error-event":
        error = {"error": {"message": fault.message, "type": "server_error", "param": None, "code": "scripted_error"}}
        return replace(stream, events=(*half, b"data: %b\n\n" % msgspec.json.encode(error)), end="unfinished")
    return replace(stream, events=stream.events[:-1], end="unfinished") if fault.kind == "no-done" else stream


def _cut_in_character(events: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Return events up to the first byte of a character that has several; without one, up to the middle of an event."""
    for number, event in enumerate(events):
        place = next((index for index, byte in enumerate(event) if byte >= 0xC0), None)  # noqa: PLR2004 - UTF-8's own
        if place is not None:
            return (*events[:number], event[: place + 1])
    middle = len(events) // 2
    return (*events[:middle], events[middle][: len(events[middle]) // 2])
