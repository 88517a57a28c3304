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
    """The protocol of a connection while the rest of a body of known size comes: it fills one buffer of that size.

    A body that an application receives in pieces is copied four times on its way, to memory that is new each time.
    Raises MemoryError if there is none for so large a body.
    """

    def __init__(
        self, connection: asyncio.Protocol, transport: asyncio.Transport, turns: Turns, begun: bytes, size: int
    ) -> None:
        self._connection = connection
        self._transport = transport
        self._turns = turns
        # The file takes these bytes over and gives them back at the end, without a copy.
        self._file = io.BytesIO(malloc.unwritten(size))
        self._buffer = self._file.getbuffer()
        self._buffer[: len(begun)] = begun
        self._filled = len(begun)
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def is_complete(self) -> bool:
        """Return whether all of it is here."""
        return self._filled == len(self._buffer)

    async def wait(self) -> None:
        """Wait until all of it is here, or the client has left."""
        await self._ended

    def take(self) -> bytes:
        """Return all that is here, and free the buffer; to be called once."""
        self._buffer.release()
        self._file.truncate(self._filled)
        with self._file as file:  # uvloop keeps this protocol for as long as the connection is open
            return file.getvalue()

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - asyncio gives it
        """Return where the next bytes belong."""
        return self._buffer[self._filled : self._filled + AT_ONCE]

    def buffer_updated(self, nbytes: int) -> None:
        """Count bytes that came, and read no further until it is the turn of this body."""
        self._filled += nbytes
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
