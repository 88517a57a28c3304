"""Reading a request's body: whole, up to a limit, and without ever cutting the connection."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.types import Message, Receive, Scope

from vlmrun_mock.api.errors import BodyTooLarge
from vlmrun_mock.web.keys import raw_headers


class ClientGone(Exception):
    """The client closed its side before its request was complete."""


class Incoming:
    """What a client sends, on its way in: `receive` for the routes, which notices where the body ends."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._scope = scope
        self._receive = receive
        self._begun = False
        self.is_complete = False

    async def __call__(self) -> Message:
        """Return the next message."""
        self._begun = True
        message = await self._receive()
        self.is_complete = not message.get("more_body", False)
        return message

    def give_up(self) -> None:
        """Expect no more of the body."""
        self._begun = self.is_complete = True

    async def settle(self) -> bool:
        """Receive what is left of the body, and drop it; return whether the connection can go on after the answer.

        A connection that is closed with data unread is reset, and a client that is still sending never sees the
        answer. A client that waits for `100 Continue` is not made to send.
        """
        if not self._begun and raw_headers(self._scope).get(b"expect", b"").lower() == b"100-continue":
            return False
        while not self.is_complete:
            await self()
        return True


async def read(headers: Mapping[bytes, bytes], receive: Receive, limit: int) -> bytes:
    """Return the body; raises BodyTooLarge over `limit` bytes, ClientGone if the client left."""
    declared = headers.get(b"content-length", b"")
    if declared.isdigit() and int(declared[:20]) > limit:
        raise _too_large(limit)
    chunks: list[bytes] = []
    size = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        chunks.append(chunk)
        more = message.get("more_body", False)
    return b"".join(chunks) if len(chunks) != 1 else chunks[0]


def _too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(f"The body is larger than {limit} bytes, the limit of this server; --max-body raises it")
