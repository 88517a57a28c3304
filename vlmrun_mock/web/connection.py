"""uvicorn's protocol as the server uses it: it bounds heads, can be cut, and has many a request answered at once.

This is the one module that reaches into what uvicorn does not document: its protocol, and the request cycle behind
`send`. uvicorn has no public way to the transport of a request. A test tells when its names change.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import sys
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from vlmrun_mock.web.known_head import KnownHead
from vlmrun_mock.web.large_body import LargeBody
from vlmrun_mock.web.transport import (
    CLOSING,
    CONNECTION,
    LOG,
    RAW_HEAD,
    EagerApplication,
    Pieces,
    RawHeaders,
    Receive,
    Scope,
    Whole,
)
from vlmrun_mock.web.turns import Turns

if TYPE_CHECKING:
    from vlmrun_mock.web.head import Head
    from vlmrun_mock.web.request_log import RequestLog

END_OF_HEAD = b"\r\n\r\n"
UPGRADE = b"\r\nupgrade:"
"""An offer of another protocol, as Java's client makes it: a parser that knows of it takes the body for that one."""

LARGEST_HEAD = 65_536
"""Bytes of a request's line and headers, of those that do not come at once."""

HEAD_SECONDS = 60.0
"""How long a client may take for them, and for the first byte of a connection."""

USUAL_HEADER = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*")
LARGEST_JOINED = 65_536
"""Bytes of a body that is copied to be written together with its head."""

TOO_LARGE = f"431 Request Header Fields Too Large: The headers of this request are larger than {LARGEST_HEAD} bytes"
TIMEOUT = "408 Request Timeout: The headers of this request were not complete in time"


class _Connection(asyncio.Protocol):
    """Added to one of uvicorn's protocols: each request's scope holds the connection that the request came by.

    uvicorn reports a lost connection only to the request that it read last; where a client pipelines, that is not the
    one that is being answered. It limits the head of a request neither in bytes nor in time, and drops the body of one
    that offers another protocol.
    """

    app: Any
    loop: asyncio.AbstractEventLoop
    transport: Any
    flow: Any
    server_state: Any
    timeout_keep_alive: float
    timeout_keep_alive_task: Any
    parser: Any
    scope: Any = None
    cycle: Any = None
    answering: Any = None
    outbox: Outbox | None = None
    """Where whole responses wait to be written; None where the protocol has to write them itself."""

    usual_headers: Any = None
    usual_lines = b""
    """The headers that every answer has, and as they go out."""

    turns: Turns
    """In which large bodies are read, and what they hold is decoded."""

    eager: EagerApplication | None = None
    """The application, if it answers at once."""

    known: KnownHead | None = None
    """The head of the last chat request, if the next may be known by it."""

    answered_at_once = 0.0
    """When a request was last answered at once, in seconds of the event loop's clock."""

    head_bytes = 0
    head_seconds = HEAD_SECONDS
    deadline: asyncio.TimerHandle | None = None
    """When the head of a request has to be complete; None while nothing of one is missing."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.deadline = self.loop.call_later(self.head_seconds, self._refuse, TIMEOUT)
        application = self.app
        if self.outbox is not None and isinstance(application, EagerApplication):
            self.eager = application

        async def with_connection(scope: Scope, receive: Receive, send: object) -> None:
            scope.setdefault("extensions", {})[CONNECTION] = self
            self.answering = getattr(send, "__self__", None)
            await application(scope, receive, send)

        self.app = with_connection

    def data_received(self, data: bytes) -> None:
        log = None
        if self.known is not None and self._is_idle():
            body = self.known.body_of(data)
            if body is not None:
                self.known = self.known.announcing(body)
                log = self._answer_at_once(self.known.head, body)
                if log is None:
                    return
        begins = self.eager is not None and (self.scope is None or self._is_idle())
        self._parse(data)
        if begins and self.cycle is not None and self.cycle.scope is self.scope and not self.cycle.more_body:
            extensions = self.scope.setdefault("extensions", {})
            extensions[RAW_HEAD], extensions[LOG] = data[: data.find(END_OF_HEAD)], log

    def _is_idle(self) -> bool:
        """Return whether all that came is answered, and nothing of another request is here."""
        cycle = self.cycle
        if cycle is None or cycle.more_body or not cycle.response_complete or cycle.scope is not self.scope:
            return False
        return not (self.flow.write_paused or self.transport.is_closing())

    def _answer_at_once(self, head: Head, body: bytes) -> RequestLog | None:
        """Answer a request, or return its log for the task that goes on with it."""
        eager: EagerApplication = self.eager  # type: ignore[assignment]  # without it, no head is known
        log, response = eager.begin(head, body)
        lines = _head(response.status, response.headers, response.length) if response is not None else None
        if response is None or lines is None:
            return log
        self._put(*lines, eager.end(log, response), response.pieces)
        self.server_state.total_requests += 1
        self.answered_at_once = self.loop.time()
        return None

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection that was idle for long; uvicorn knows nothing of what was answered at once."""
        left = self.answered_at_once + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self.timeout_keep_alive_task = self.loop.call_later(left, self.timeout_keep_alive_handler)
        else:
            super().timeout_keep_alive_handler()  # type: ignore[misc] # both of uvicorn's protocols have it

    def _parse(self, data: bytes) -> None:
        if self.cycle is None or not self.cycle.more_body:
            end = data.find(END_OF_HEAD)
            head = data if end < 0 else data[:end]
            if UPGRADE in head.lower():
                data = re.sub(UPGRADE, b"\r\nx-offered-upgrade:", head, flags=re.IGNORECASE) + data[len(head) :]
        self.head_bytes += len(data) if self.deadline else 0
        super().data_received(data)
        if self.scope is not None and "path" in self.scope:
            self._head_is_complete()
        elif self.head_bytes > LARGEST_HEAD:
            self._refuse(TOO_LARGE)
        elif self.deadline is None:
            self.deadline = self.loop.call_later(self.head_seconds, self._refuse, TIMEOUT)

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP; uvicorn's own answer is a plain text."""
        self._refuse(f"400 Bad Request: {msg}")

    def _refuse(self, status: str) -> None:
        """Answer a request that the application does not get to see, and close its connection."""
        code, _, words = status.partition(": ")
        detail = json.dumps({"detail": words}).encode()
        headers = ("content-type: application/json", f"content-length: {len(detail)}", "connection: close", "", "")
        self.transport.write("\r\n".join((f"HTTP/1.1 {code}", *headers)).encode() + detail)
        self.transport.close()

    def _head_is_complete(self) -> None:
        self.head_bytes = 0
        if self.deadline is not None:
            self.deadline.cancel()
            self.deadline = None

    async def read_large(self, begun: bytes, size: int) -> bytes | None:
        """Return a body of a size, of which some bytes were received; None where it has to be received in pieces.

        It is shorter if the client left.
        """
        cycle = self.answering
        is_read_last = cycle is self.cycle and cycle.more_body  # else it is whole, and others come behind it
        if self.outbox is None or not is_read_last or sys.platform == "win32":  # where asyncio reads more than is asked
            return None
        try:
            body = LargeBody(self, self.transport, self.turns, begun + cycle.body, size)
        except MemoryError:  # what is announced need not come
            return None
        # What uvicorn has received meanwhile is in the body now.
        cycle.body = bytearray()
        cycle.message_event.clear()
        self.transport.set_protocol(body)
        self.flow.resume_reading()
        try:
            await body.wait()
        finally:
            if body.is_complete:
                cycle.more_body = False
                if cycle.keep_alive and self.parser is not None:  # else the connection is over
                    self.parser = self._new_parser()
            self.transport.set_protocol(self)
            self.transport.resume_reading()
        return body.take()

    def _new_parser(self) -> Any:
        """Return a parser as uvicorn makes it: one cannot be told that the body it waits for has come another way."""
        parser = type(self.parser)(self)
        with contextlib.suppress(AttributeError):  # httptools before 0.6.3
            parser.set_dangerous_leniencies(lenient_data_after_close=True)
        return parser

    def respond(self, response: Whole, further: RawHeaders) -> bool:
        """Send a response in one piece, and return whether that was possible.

        uvicorn looks at each header by two regular expressions, and writes head and body apart.
        """
        cycle = self.answering
        if self.outbox is None or CLOSING in further or not _is_usual(cycle):
            return False
        head = _head(response.status, response.headers, response.length)
        if head is None:
            return False
        self._put(*head, further, response.pieces)
        cycle.response_started = cycle.response_complete = True
        cycle.waiting_for_100_continue = False
        cycle.message_event.set()
        cycle.on_response()
        return True

    def _put(self, status: bytes, lines: bytes, further: RawHeaders, pieces: Pieces) -> None:
        """Put a response into the outbox, with the headers that every answer has."""
        usual = self.server_state.default_headers
        if usual is not self.usual_headers:  # uvicorn makes another list for each second
            self.usual_headers, self.usual_lines = usual, _lines(tuple(usual))
        own = b"".join([b"%b: %b\r\n" % header for header in further])
        outbox: Outbox = self.outbox  # type: ignore[assignment]  # without one, this is not called
        outbox.put(self.transport, b"".join((status, self.usual_lines, lines, own, b"\r\n", *pieces)))

    def shutdown(self) -> None:
        """Close the connection, after what waits to be written."""
        if self.outbox is not None:
            self.outbox.flush()
        super().shutdown()  # type: ignore[misc] # both of uvicorn's protocols have it

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_is_complete()
        super().connection_lost(exc)
        if self.answering is not None and not self.answering.response_complete:
            self.answering.disconnected = True
            self.answering.message_event.set()


class Outbox:
    """What is written at the end of a round of the event loop.

    A client that sleeps is woken by the first of several writes; those that follow at once cost half as much.
    """

    def __init__(self) -> None:
        self._waiting: list[tuple[asyncio.Transport, bytes]] = []

    def put(self, transport: asyncio.Transport, data: bytes) -> None:
        """Write later in this round, before any task that is begun from now on."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self.flush)
        self._waiting.append((transport, data))

    def flush(self) -> None:
        """Write what waits."""
        waiting, self._waiting = self._waiting, []
        for transport, data in waiting:
            if not transport.is_closing():  # its client left meanwhile
                transport.write(data)


def knowing_transport(protocol: type[asyncio.Protocol]) -> type[asyncio.Protocol]:
    """Return one of uvicorn's HTTP protocols, which puts the connection of a request into its scope."""
    outbox = Outbox() if protocol.__module__ == "uvicorn.protocols.http.httptools_impl" else None
    return type(protocol.__name__, (_Connection, protocol), {"outbox": outbox, "turns": Turns()})


def _is_usual(cycle: Any) -> bool:
    """Return whether uvicorn would write a response to this request as it is, and at once."""
    if not cycle.keep_alive or cycle.scope["method"] == "HEAD":
        return False
    return not (cycle.disconnected or cycle.response_started or cycle.flow.write_paused)


@lru_cache(maxsize=1_000)
def _head(status: int, headers: RawHeaders, length: int) -> tuple[bytes, bytes] | None:
    """Return the status line, and the headers as they go out; None where uvicorn has to see to one of them."""
    if length > LARGEST_JOINED or not all(USUAL_HEADER.fullmatch(b"%b:%b" % header) for header in headers):
        return None
    named = {name.lower(): value for name, value in headers}
    if named.get(b"content-length") != str(length).encode() or named.keys() & {b"connection", b"transfer-encoding"}:
        return None
    return f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n".encode(), _lines(headers)


@lru_cache(maxsize=1_000)
def _lines(headers: RawHeaders) -> bytes:
    return b"".join(b"%b: %b\r\n" % (name.lower(), value) for name, value in headers)
