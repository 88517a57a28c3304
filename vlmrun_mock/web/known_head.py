"""The head of a connection's last request, by which the next is understood without parsing its own.

A client's requests on a connection have the same head, all but the length of the body.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from vlmrun_mock.web.head import Head

LENGTH = b"content-length"
LENGTH_LINE = re.compile(rb"\r\ncontent-length:[\t ]*([0-9]{1,7})(?=\r\n)", re.IGNORECASE)
MOST_DIGITS = 7

LARGEST = 8_000
"""Bytes of a head that is kept."""

FRAMING = frozenset({b"connection", b"content-encoding", b"expect", b"transfer-encoding", b"upgrade"})
"""The headers that say how the body comes, or what becomes of the connection: a request with one is parsed."""


class KnownHead(msgspec.Struct, frozen=True, eq=False):
    """A head without the number that says how long the body is: what stands `before` it, and `after` it to the end.

    `length` is that number in the head as it was last sent.
    """

    before: bytes
    after: bytes
    length: bytes
    head: Head

    def body_of(self, data: bytes) -> bytes | None:
        """Return the body of a request with this head, if data is that request and nothing else."""
        start = len(self.before)
        end = data.find(b"\r", start, start + MOST_DIGITS + 1)
        if end < 0 or not data.startswith(self.before) or not data.startswith(self.after, end):
            return None
        body = data[end + len(self.after) :]
        return body if data[start:end] == b"%d" % len(body) else None

    def announcing(self, body: bytes) -> KnownHead:
        """Return the same head with the length of a body."""
        length = b"%d" % len(body)
        if length == self.length:
            return self
        headers = tuple([(name, length if name == LENGTH else value) for name, value in self.head.headers])
        head = msgspec.structs.replace(self.head, headers=headers, by_name={**self.head.by_name, LENGTH: length})
        return KnownHead(self.before, self.after, length, head)


def known_head(raw: bytes, head: Head) -> KnownHead | None:
    """Return what is kept of the bytes of a head, up to the blank line; None where the next could mean something else.

    It is the head of a request in HTTP/1.1 that was parsed, so that nothing in it is malformed.
    """
    if len(raw) > LARGEST or not FRAMING.isdisjoint(head.by_name):
        return None
    lines = list(LENGTH_LINE.finditer(raw + b"\r\n"))
    if len(lines) != 1 or sum(name == LENGTH for name, _ in head.headers) != 1:
        return None
    start, end = lines[0].span(1)
    return KnownHead(raw[:start], raw[end:] + b"\r\n\r\n", lines[0][1], head)
