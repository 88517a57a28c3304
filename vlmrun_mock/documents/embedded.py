"""Documents in the bytes of a JSON text: decoded where they stand, so that the text is parsed without them."""

from __future__ import annotations

import re
import secrets
from collections.abc import Generator, Iterator
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

FURTHEST = 4 * 1024 * 1024
"""Bytes that are searched at once for a quote, which goes faster than all other searches."""

MOST_AT_ONCE = 200
"""What may be documents, and is none, between two pauses."""

HEAD = re.compile(rb'"(data:[\w.+/=%-]{0,200}(?:;[\w.+/=%-]{1,200}){0,4};base64),', re.ASCII)
"""How a JSON string begins that is a data URL in base64."""


class EmbeddedDocuments:
    """The documents that are taken out of a JSON text, by the names that stand in their places: `rest` is what is left.

    A name cannot be guessed, so no client can write one. Whoever parses the text asks for each name once, and then
    whether `all_found`: if not, one stood where no document belongs, and the original is the text to parse.
    """

    def __init__(self, raw: bytes) -> None:
        self.rest = self._raw = raw
        self._found: dict[str, tuple[Base64File, str]] = {}
        self._asked: set[str] = set()
        self._secret = secrets.token_hex()
        self._pieces: list[Buffer] = []
        self._kept = 0

    @classmethod
    def of(cls, raw: bytes) -> EmbeddedDocuments:
        """Return the documents of a text, all taken out."""
        embedded = cls(raw)
        for _ in embedded.taken_out():
            pass
        return embedded

    def taken_out(self) -> Iterator[None]:
        """Take the documents out, with pauses, in which other requests may have their turn."""
        raw, place, looked_at = self._raw, 0, 0
        for border in range(WINDOW, len(raw) + WINDOW, WINDOW) if len(raw) > SMALLEST else ():
            if place < border:
                # bytes.find takes twenty times as long where the letters of what it looks for are frequent.
                while place < border and (opening := OPENING.search(raw, place, border + LONGEST_OPENING - 1)):
                    place = yield from self._opened(opening.start())
                    looked_at += 1
                    if looked_at % MOST_AT_ONCE == 0:
                        yield
                place = max(place, border)
                yield
        if self._found:
            self.rest = b"".join([*self._pieces, memoryview(raw)[self._kept :]])

    def _opened(self, start: int) -> Generator[None, None, int]:
        """Take out the document that begins at a quote, if one does; return the place from which on to look further.

        A quote after a backslash stands inside of another string.
        """
        raw = self._raw
        head = HEAD.match(raw, start)
        if head is None or raw[start - 1 : start] == b"\\":
            return start + 1
        border = head.end()
        while (end := raw.find(b'"', border, border + FURTHEST)) < 0:
            border += FURTHEST
            if border >= len(raw):
                return len(raw)
            yield
        if end - head.end() < SMALLEST:
            return end
        view = memoryview(raw)
        file = Base64File(view[head.end() : end])
        try:
            yield from file.hashed()
        except ValueError:  # a looser spelling, or none: it is read, or refused, with the rest
            return end
        name = f"data:{self._secret},{len(self._found)}"
        self._found[name] = file, head[1].decode()
        self._pieces += (view[self._kept : start + 1], name.encode())
        self._kept = end
        return end

    def get(self, url: str) -> Document | None:
        """Return the document that a name stands for, or None for what is no such name."""
        if url not in self._found:
            return None
        self._asked.add(url)
        file, head = self._found[url]
        return identity.as_declared(identity.of_file(file.sha256, file.size, file, "image_url"), head)

    @property
    def all_found(self) -> bool:
        """Return whether every document was asked for."""
        return len(self._asked) == len(self._found)
