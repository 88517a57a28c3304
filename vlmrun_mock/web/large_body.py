"""A large body on its way in: the rest of it is read from the socket to where it stays."""

from __future__ import annotations

import asyncio
import io

from vlmrun_mock.lazy import lazy
from vlmrun_mock.web.turns import Turns

malloc = lazy("vlmrun_mock.web.malloc")

AT_ONCE = 256 * 1024
"""Bytes that are read in one turn."""


class LargeBody(asyncio.BufferedProtocol):
    """The protocol of a connection while the rest of a body of known size comes.

    A body that an application receives in pieces is copied four times on its way, to memory that is new each time.
    """

    def __init__(
        self, connection: asyncio.Protocol, transport: asyncio.Transport, turns: Turns, begun: bytes, size: int
    ) -> None:
        self._connection = connection
        self._transport = transport
        self._turns = turns
        # The file takes these bytes over and gives them back at the end, without a copy.
        self._file = io.BytesIO(malloc.unwritten(size))
        self._memory = self._file.getbuffer()
        self._memory[: len(begun)] = begun
        self._received = len(begun)
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def is_complete(self) -> bool:
        """Return whether all of it is here."""
        return self._received == len(self._memory)

    async def received(self) -> None:
        """Wait until all of it is here, or the client has left."""
        await self._ended

    def whole(self) -> bytes:
        """Return all that is here, and be of no further use."""
        self._memory.release()
        self._file.truncate(self._received)
        return self._file.getvalue()

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - asyncio gives it
        """Return where the next bytes belong."""
        return self._memory[self._received : self._received + AT_ONCE]

    def buffer_updated(self, nbytes: int) -> None:
        """Count bytes that came, and read no further until it is the turn of this body."""
        self._received += nbytes
        self._transport.pause_reading()
        if self.is_complete:
            self._end()
        else:
            self._turns.put(self._transport.resume_reading)

    def _end(self) -> None:
        if not self._ended.done():
            self._ended.set_result(None)

    def pause_writing(self) -> None:
        """Tell the connection."""
        self._connection.pause_writing()

    def resume_writing(self) -> None:
        """Tell the connection."""
        self._connection.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the connection, and wait for no more."""
        self._connection.connection_lost(exc)
        self._end()
