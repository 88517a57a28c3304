"""Documents in the bytes of a JSON text: decoded where they stand, so that the text is parsed without them."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from typing import TypeAlias

from vlmrun_mock.documents import identity
from vlmrun_mock.documents.base64_file import Base64File
from vlmrun_mock.documents.identity import Document

Buffer: TypeAlias = "bytes | memoryview[int]"

SMALLEST = 8_192
"""Bytes of base64 below which it costs nothing to parse them with the rest."""

OPENING = re.compile(rb'"data:')
LONGEST_OPENING = 6
WINDOW = 256 * 1024
"""Bytes that are searched at once: a search keeps the interpreter to itself."""

HEAD = re.compile(rb'"(data:[\w.+/=%-]{0,200}(?:;[\w.+/=%-]{1,200}){0,4};base64),', re.ASCII)
"""How a JSON string begins that is a data URL in base64."""


class EmbeddedDocuments:
    """The documents that were taken out of a JSON text, by the names that stand in their places.

    A name cannot be guessed, so no client can write one. Whoever parses the text asks for each name once, and then
    whether `all_found`: if not, one stood where no document belongs, and the original is the text to parse.
    """

    def __init__(self, raw: bytes) -> None:
        self._found: dict[str, Document] = {}
        self._asked: set[str] = set()
        pieces = list(self._taken_out(raw, secrets.token_hex())) if len(raw) > SMALLEST else ()
        self.rest = b"".join(pieces) if self._found else raw

    def _taken_out(self, raw: bytes, secret: str) -> Iterator[Buffer]:
        """Yield the pieces of a text with names in the places of documents."""
        view, kept = memoryview(raw), 0
        for start, head, end in _literals(raw):
            try:
                file = Base64File(view[start + len(head) + 2 : end])
            except ValueError:  # a looser spelling, or none: it is read, or refused, with the rest
                continue
            name = f"data:{secret},{len(self._found)}"
            document = identity.of_file(file.sha256, file.size, file, "image_url")
            self._found[name] = identity.as_declared(document, head.decode())
            yield view[kept : start + 1]
            yield name.encode()
            kept = end
        yield view[kept:]

    def get(self, url: str) -> Document | None:
        """Return the document that a name stands for, or None for what is no such name."""
        document = self._found.get(url)
        if document is not None:
            self._asked.add(url)
        return document

    @property
    def all_found(self) -> bool:
        """Return whether every document was asked for."""
        return len(self._asked) == len(self._found)


def _literals(raw: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Yield the JSON strings that are large data URLs: where one starts, its head, and where it ends.

    A quote after a backslash stands inside of another string.
    """
    start = _opening(raw, 0)
    while start >= 0:
        end = start + 1
        head = HEAD.match(raw, start)
        if head and raw[start - 1 : start] != b"\\":
            end = raw.find(b'"', head.end())
            if end - head.end() >= SMALLEST:
                yield start, head[1], end
        start = _opening(raw, end) if end > 0 else -1


def _opening(raw: bytes, start: int) -> int:
    """Return where the next data URL may start, or -1; between two windows, other threads get their turn."""
    for place in range(start, len(raw), WINDOW):
        # bytes.find takes twenty times as long where the letters of what it looks for are frequent.
        found = OPENING.search(raw, place, place + WINDOW + LONGEST_OPENING - 1)
        if found:
            return found.start()
    return -1
