"""The connection of a request, which the application knows so that a fault can cut it.

This is the one module that reaches into what uvicorn does not document: the request cycle behind `send`. uvicorn has no
public way to the transport of a request. A test tells when its names change.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]

TRANSPORT = "vlmrun_mock.transport"
"""Where a scope's `extensions` hold the asyncio transport."""

RESET_ON_CLOSE = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
"""SO_LINGER for no time at all: closing the socket resets the connection."""


class ConnectionCut(Exception):
    """The end of a request whose connection is cut; `reset`: at once, instead of orderly."""

    def __init__(self, *, reset: bool) -> None:
        super().__init__("A fault cut the connection")
        self.reset = reset


class _KnowsTransport(asyncio.Protocol):
    """Added to one of uvicorn's protocols: each request's scope holds the transport that the request came by.

    uvicorn reports a lost connection only to the request that it read last; where a client pipelines, that is not the
    one that is being answered.
    """

    app: Any
    answering: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        application = self.app

        async def with_transport(scope: Scope, receive: Receive, send: object) -> None:
            scope.setdefault("extensions", {})[TRANSPORT] = transport
            self.answering = getattr(send, "__self__", None)
            await application(scope, receive, send)

        self.app = with_transport

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self.answering is not None and not self.answering.response_complete:
            self.answering.disconnected = True
            self.answering.message_event.set()


def knowing_transport(protocol: type[asyncio.Protocol]) -> type[asyncio.Protocol]:
    """Return one of uvicorn's HTTP protocols, which puts the transport of a request into its scope."""
    return type(protocol.__name__, (_KnowsTransport, protocol), {})


def is_known(scope: Scope) -> bool:
    """Return whether a request came by a connection that can be cut."""
    return TRANSPORT in scope.get("extensions", {})


async def cut(scope: Scope, receive: Receive, *, reset: bool) -> None:
    """Close a request's connection, or reset it, and wait until it is closed; what was sent before goes out first.

    uvicorn would report an application that ended without an answer on a connection that is still open.
    Raises ConnectionResetError where there is none: in-process clients have the application itself.
    """
    if not is_known(scope):
        raise ConnectionResetError("A fault cut the connection")
    transport: asyncio.Transport = scope["extensions"][TRANSPORT]
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
