"""The bytes of requests and answers, kept for the inspector: in memory, within a bound, as long as their entries."""

from __future__ import annotations

import time
import weakref
from collections import deque

import msgspec

from vlmrun_mock.web.transport import RawHeaders

PIECE_BYTES = 200
"""About what a piece of a body takes beside its bytes."""


class Exchange(msgspec.Struct, eq=False, weakref=True):
    """What went over the wire for one request.

    `received` and `sent` are the pieces of both bodies; `times` says when each of the latter went out, in seconds since
    1970. `is_kept`: the bytes are still here, and not too large nor gone to make room.
    """

    method: str
    path: str
    query: bytes
    headers: RawHeaders
    received: list[bytes] = []
    answer_headers: RawHeaders = ()
    sent: list[bytes] = []
    times: list[float] = []
    is_kept: bool = True

    @property
    def size(self) -> int:
        """Return about how many bytes it takes."""
        pieces = self.received + self.sent
        return sum(map(len, pieces)) + PIECE_BYTES * (1 + len(pieces))

    def begin(self, headers: RawHeaders) -> None:
        """Keep the headers of the answer."""
        self.answer_headers = headers

    def send(self, *pieces: bytes) -> None:
        """Keep pieces of the answer, which go out now."""
        now = time.time()
        for piece in pieces:
            if piece:
                self.sent.append(piece)
                self.times.append(now)

    def forget(self) -> None:
        """Drop the bytes."""
        self.is_kept = False
        self.received, self.sent, self.times = [], [], []


class Exchanges:
    """The latest exchanges of a server, within a bound in bytes.

    They belong to the entries of the journals, and go with them, at a reset too: here they are only counted, so that
    the oldest make room. What has gone is counted until it is the oldest, or somebody asks.
    """

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self._kept: deque[tuple[weakref.ref[Exchange], int]] = deque()
        self._bytes = 0

    def __len__(self) -> int:
        """Return how many are counted."""
        return len(self._kept)

    @property
    def bytes(self) -> int:
        """Return about how many bytes are kept."""
        self._kept = deque(each for each in self._kept if each[0]() is not None)
        self._bytes = sum(size for _, size in self._kept)
        return self._bytes

    def keep(self, exchange: Exchange) -> None:
        """Count an exchange that is over. The oldest make room for it; one too large by itself is dropped."""
        size = exchange.size
        self._kept.append((weakref.ref(exchange), size))
        self._bytes += size
        while self._kept and (self._bytes > self.most_bytes or self._kept[0][0]() is None):
            oldest, freed = self._kept.popleft()
            self._bytes -= freed
            found = oldest()
            if found is not None:
                found.forget()
