"""The connection of a request, which the application knows so that a fault can cut it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

from vlmrun_mock.web.known_head import known_head

if TYPE_CHECKING:
    from vlmrun_mock.web.head import Head
    from vlmrun_mock.web.request_log import RequestLog

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
RawHeaders: TypeAlias = tuple[tuple[bytes, bytes], ...]
Pieces: TypeAlias = tuple[bytes, ...]
"""The parts of a body: what many bodies share is kept once."""

CONNECTION = "vlmrun_mock.connection"
"""Where a scope's `extensions` hold the connection."""

RAW_HEAD = "vlmrun_mock.head"
"""Where they hold the bytes of a request's head, if the whole request came in one piece."""

LOG = "vlmrun_mock.log"
"""Where they hold the log of a request that was begun as soon as it was read, and that a task has to go on with."""


RESET_ON_CLOSE = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
"""SO_LINGER for no time at all: closing the socket resets the connection."""


CLOSING = (b"connection", b"close")


class Whole(Protocol):
    """A response that is complete, with the length of its body among its headers."""

    @property
    def status(self) -> int:
        """Return the status."""

    @property
    def headers(self) -> RawHeaders:
        """Return the headers, in lower case."""

    @property
    def pieces(self) -> Pieces:
        """Return the whole body, in pieces that are sent together."""

    @property
    def length(self) -> int:
        """Return how many bytes they are."""


@runtime_checkable
class EagerApplication(Protocol):
    """An application that answers many a request as soon as it is read, without a task."""

    def begin(self, head: Head, body: bytes) -> tuple[RequestLog, Whole | None]:
        """Begin a request, and return its log, and its response if that is there at once."""

    def end(self, log: RequestLog, response: Whole) -> RawHeaders:
        """End a request whose response goes out now, and return the further headers of that."""


class ConnectionCut(Exception):
    """The end of a request whose connection is cut; `reset`: at once, instead of orderly."""

    def __init__(self, *, reset: bool) -> None:
        super().__init__("A fault cut the connection")
        self.reset = reset


def log_of(scope: Scope) -> RequestLog | None:
    """Return the log of a request that was begun as soon as it was read, or None."""
    log: RequestLog | None = scope.get("extensions", {}).get(LOG)
    return log


def keep_head(scope: Scope, head: Head) -> None:
    """Let the next request of a connection be answered at once, if its head is like this one."""
    extensions = scope.get("extensions", {})
    raw = extensions.get(RAW_HEAD)
    if raw is not None and scope["http_version"] == "1.1":
        extensions[CONNECTION].known = known_head(raw, head)


def is_known(scope: Scope) -> bool:
    """Return whether a request came by a connection that can be cut."""
    return CONNECTION in scope.get("extensions", {})


async def respond(scope: Scope, send: Send, response: Whole, further: RawHeaders) -> None:
    """Send a whole response with further headers: in one piece where the connection can."""
    connection = scope.get("extensions", {}).get(CONNECTION)
    if connection is None or not connection.respond(response, further):
        headers = [*response.headers, *further]
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"".join(response.pieces)})


async def cut(scope: Scope, receive: Receive, *, reset: bool) -> None:
    """Close a request's connection, or reset it, and wait until it is closed; what was sent before goes out first.

    uvicorn would report an application that ended without an answer on a connection that is still open.
    Raises ConnectionResetError where there is none: in-process clients have the application itself.
    """
    if not is_known(scope):
        raise ConnectionResetError("A fault cut the connection")
    transport: asyncio.Transport = scope["extensions"][CONNECTION].transport
    if reset:
        _reset(transport)
    else:
        transport.close()
    try:
        await closed(receive)
    except asyncio.CancelledError:  # the server stops, while the client does not read what is left
        transport.abort()
        await closed(receive)


def _reset(transport: asyncio.Transport) -> None:
    # The socket may be closed by now, or no TCP socket.
    with contextlib.suppress(OSError, ValueError):
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    transport.abort()


async def closed(receive: Receive) -> None:
    """Wait until the server knows that the connection is closed."""
    while (await receive())["type"] != "http.disconnect":
        pass
