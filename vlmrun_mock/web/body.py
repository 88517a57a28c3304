"""Reading a request's body: whole, up to a limit, and without ever cutting the connection."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import zlib
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING

from starlette.types import Message, Receive, Scope

from vlmrun_mock.api.errors import BodyTooLarge, InvalidRequest, Problem
from vlmrun_mock.aside import aside
from vlmrun_mock.documents.embedded import EmbeddedDocuments
from vlmrun_mock.web.keys import raw_headers
from vlmrun_mock.web.request_log import RequestLog
from vlmrun_mock.web.transport import CONNECTION

if TYPE_CHECKING:
    from vlmrun_mock.api.chat_parser import Parse, RequestT

QUICK = 200_000
"""How many bytes of a body, or characters to count, are handled in the event loop: longer ones go to a thread."""

JOINED_AT_ONCE = 1024 * 1024
"""How many bytes of a body are joined in the event loop: to join more leaves the interpreter free.

A body that is declared as larger is read straight to where it stays, where that is possible.
"""

DRAIN_BYTES = 64 * 1024 * 1024
DRAIN_SECONDS = 10.0
"""How long, and how much of, a refused body is received all the same, so that its client sees the answer."""


class ClientGone(Exception):
    """The client closed its side before its request was complete."""


class Incoming:
    """What a client sends, on its way in: `receive` for the routes, which notices where the body ends."""

    def __init__(self, scope: Scope, receive: Receive, log: RequestLog) -> None:
        self._scope = scope
        self._receive = receive
        self._log = log
        self._begun = False
        self.is_complete = False
        self._connection = scope.get("extensions", {}).get(CONNECTION)

    async def __call__(self) -> Message:
        """Return the next message."""
        self._begun = True
        message = await self._receive()
        self.is_complete = not message.get("more_body", False)
        return message

    async def read_large(self, begun: bytes, size: int) -> bytes | None:
        """Return a body of a size, of which this was the first message; None where it comes in further ones.

        Raises ClientGone.
        """
        whole: bytes | None = await self._connection.read_large(begun, size) if self._connection else None
        if whole is not None:
            self.is_complete = len(whole) == size
            self.keep(whole)
            if not self.is_complete:
                raise ClientGone
        return whole

    async def turn(self) -> None:
        """Wait for a turn to do a part of what takes long, so that others have theirs."""
        await (self._connection.turns.turn() if self._connection else asyncio.sleep(0))

    def keep(self, body: bytes) -> None:
        """Keep a body, or what came of it, if it is to be shown."""
        if self._log.exchange is not None:
            self._log.received(body)

    def give_up(self) -> None:
        """Expect no more of the body."""
        self._begun = self.is_complete = True

    async def settle(self) -> bool:
        """Receive what is left of the body, and drop it; return whether the connection can go on after the answer.

        A connection that is closed with data unread is reset, and a client that is still sending never sees the
        answer. A client that waits for `100 Continue` is not made to send, and one that sends without end is not
        waited for.
        """
        if not self._begun and raw_headers(self._scope).get(b"expect", b"").lower() == b"100-continue":
            return False
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._drain(), DRAIN_SECONDS)
        return self.is_complete

    async def _drain(self) -> None:
        dropped = 0
        while not self.is_complete and dropped <= DRAIN_BYTES:
            dropped += len((await self()).get("body", b""))


GZIP = zlib.MAX_WBITS | 16
"""The size of the window by which zlib reads gzip."""


def is_large(headers: Mapping[bytes, bytes]) -> bool:
    """Return whether a body is announced that is not read at once."""
    return _declared(headers) > QUICK


def _declared(headers: Mapping[bytes, bytes]) -> int:
    """Return how many bytes a body is said to have; 0 where nothing is said, or it comes in chunks."""
    length = headers.get(b"content-length", b"")
    return int(length[:20]) if length.isdigit() and b"transfer-encoding" not in headers else 0


async def read(headers: Mapping[bytes, bytes], receive: Receive, limit: int) -> bytes:
    """Return the body, unpacked if it is in gzip.

    Raises BodyTooLarge over `limit` bytes, ClientGone if the client left, InvalidRequest for another encoding.
    """
    declared = _declared(headers)
    if declared > limit:
        raise _too_large(limit)
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientGone
    raw: bytes = message.get("body", b"")
    if message.get("more_body", False) or len(raw) > limit:
        raw = await _received(raw, receive, limit, declared)
    elif isinstance(receive, Incoming):
        receive.keep(raw)
    if b"content-encoding" not in headers:
        return raw
    return await aside(_unpacked, None, raw, headers[b"content-encoding"], limit)


async def parsed(parse: Parse[RequestT], raw: bytes, receive: Receive | None) -> RequestT:
    """Return what is parsed of a body: in a thread if it is long, after its documents were taken out.

    They are taken out in the event loop: threads would have the same work to do, and compete with it for the
    interpreter.
    """
    if len(raw) <= QUICK:
        return parse(raw, None)
    embedded = EmbeddedDocuments(raw)
    for _ in embedded.taken_out():
        await (receive.turn() if isinstance(receive, Incoming) else asyncio.sleep(0))
    return await aside(parse, None, raw, embedded)


async def digest(raw: bytes) -> str:
    """Return the SHA-256 of a body, in hexadecimal digits."""
    digested = hashlib.sha256(raw) if len(raw) <= QUICK else await aside(hashlib.sha256, None, raw)
    return digested.hexdigest()


def inflated(raw: bytes, most: int) -> bytes:
    """Return the first `most` bytes of what a gzip holds; nothing for what is no gzip."""
    try:
        return zlib.decompressobj(GZIP).decompress(raw, most)
    except zlib.error:
        return b""


def _unpacked(raw: bytes, encoding: bytes, limit: int) -> bytes:
    if encoding.lower() in (b"", b"identity"):
        return raw
    if encoding.lower() != b"gzip":
        message = f"{encoding.decode('latin-1')[:40]!r} is not understood: send gzip, or none"
        raise InvalidRequest([Problem(("header", "content-encoding"), message)])
    unpacking = zlib.decompressobj(GZIP)
    try:
        whole = unpacking.decompress(raw, limit + 1)
    except zlib.error:
        raise InvalidRequest([Problem(("body",), "The body is declared as gzip and is none", "json_invalid")]) from None
    if len(whole) > limit:
        raise _too_large(limit)
    if not unpacking.eof:
        raise InvalidRequest([Problem(("body",), "The gzip of the body ends too early", "json_invalid")])
    return whole


async def pieces(headers: Mapping[bytes, bytes], receive: Receive, limit: int) -> AsyncIterator[bytes]:
    """Yield the body piece by piece, as it comes; raises BodyTooLarge over `limit` bytes, ClientGone."""
    if _declared(headers) > limit:
        raise _too_large(limit)
    received, more = 0, True
    while more:
        message = await _next(receive)
        piece, more = message.get("body", b""), message.get("more_body", False)
        received += len(piece)
        if received > limit:
            raise _too_large(limit)
        yield piece


async def _received(first: bytes, receive: Receive, limit: int, declared: int) -> bytes:
    """Return the whole of a body, of which this was the first piece."""
    if declared > JOINED_AT_ONCE and isinstance(receive, Incoming):
        whole = await receive.read_large(first, declared)
        if whole is not None:
            return whole
    pieces, size, more = [first], len(first), True
    try:
        while more and size <= limit:
            message = await _next(receive)
            pieces.append(message.get("body", b""))
            size += len(pieces[-1])
            more = message.get("more_body", False)
    finally:
        whole = b"".join(pieces) if size <= JOINED_AT_ONCE else await aside(b"".join, None, pieces)
        if isinstance(receive, Incoming):
            receive.keep(whole)
    if size > limit:
        raise _too_large(limit)
    return whole


async def _next(receive: Receive) -> Message:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientGone
    return message


def _too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(f"The body is larger than {limit} bytes, the limit of this server; --max-body raises it")
