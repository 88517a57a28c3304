"""The bodies of requests, with places for numbers that make each one different."""

from __future__ import annotations

import base64
import json
import random
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

COUNTER = "@" * 12
"""Stands for a number of twelve digits, in a text or, as they are letters of base64, in the bytes of a picture."""

NOTE = "@note@"
"""Stands for that number modulo the count of notes."""

SMALL = 65_536
"""Bytes that the kernel takes over in so short a time that nobody else who wants the core notices."""


def note(number: int | str) -> str:
    """Return the words that fixture and request share; none of them contains another."""
    return f"note {number}."


@dataclass(frozen=True, slots=True)
class Body:
    """A body whose places are filled with a number; without places it is the same for each number."""

    template: bytes
    notes: int = 1

    def pieces(self, number: int) -> Iterator[bytes]:
        """Yield the parts of the body with this number, without a copy of the long ones."""
        rest = memoryview(self.template)
        places = [(COUNTER.encode(), b"%012d" % number), (NOTE.encode(), b"%d" % (number % self.notes))]
        found = sorted((at, place, value) for place, value in places if (at := self.template.find(place)) >= 0)
        done = 0
        for at, place, value in found:
            yield from (rest[done:at], value)  # type: ignore[misc] # a view is as good as bytes
            done = at + len(place)
        yield rest[done:]  # type: ignore[misc] # likewise

    def small_pieces(self, number: int) -> Iterator[bytes]:
        """Yield the parts of the body with this number, each of at most SMALL bytes."""
        for piece in self.pieces(number):
            yield from (piece[start : start + SMALL] for start in range(0, len(piece), SMALL))

    def size(self, number: int) -> int:
        """Return how many bytes the body has with this number."""
        return sum(len(piece) for piece in self.pieces(number))


def text(words: str, extra: Mapping[str, Any], notes: int = 1) -> Body:
    """Return a request that consists of words."""
    return _body(words, extra, notes)


def picture(size: int, place: str, extra: Mapping[str, Any]) -> Body:
    """Return a request with a PNG of `size` bytes; `place`, which may be empty, goes into the middle of its bytes."""
    encoded = base64.b64encode(png(size)).decode()
    middle = len(encoded) // 8 * 4  # where three bytes begin
    url = "data:image/png;base64," + encoded[:middle] + place + encoded[middle + len(place) :]
    parts = [{"type": "text", "text": "Extract the invoice."}, {"type": "image_url", "image_url": {"url": url}}]
    return _body(parts, extra)


def hard_schema(extra: Mapping[str, Any]) -> Body:
    """Return a request whose schema wants 2,000 items that all differ; its title is another each time."""
    schema = {
        "title": f"Rows {COUNTER}",
        "type": "array",
        "minItems": 2000,
        "uniqueItems": True,
        "items": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]},
    }
    response_format = {"type": "json_schema", "json_schema": {"name": "rows", "schema": schema}}
    return _body("Extract the rows.", {**extra, "response_format": response_format})


def _schema(schema: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], Body]:
    return lambda extra: _body("Extract.", {**extra, "json_schema": {"title": COUNTER, **schema}})


def _definitions() -> Mapping[str, Any]:
    names = [f"d{each}" for each in range(8)]
    links = {name: {"anyOf": [{"$ref": f"#/$defs/{name}"}, {"type": "null"}]} for name in names}
    return {"$ref": "#/$defs/d0", "$defs": {name: {"type": "object", "properties": links} for name in names}}


def _pictures_by_url(extra: Mapping[str, Any]) -> Body:
    urls = [f"https://example.com/{COUNTER}.jpg", *["https://example.com/b.jpg"] * 9_998]
    return _body([{"type": "image_url", "image_url": {"url": url}} for url in urls], extra)


WORST: Mapping[str, Callable[[Mapping[str, Any]], Body]] = {
    "8 definitions of 8 references": _schema(_definitions()),
    "allOf of 16,000": _schema({"allOf": [{}] * 16_000}),
    "5,900 properties": _schema({"type": "object", "properties": {f"p{each}": {} for each in range(5_900)}}),
    "4,000 different values": _schema(
        {"type": "array", "uniqueItems": True, "minItems": 4_000, "items": {"enum": list(range(4_000))}}
    ),
    "60 MB of one letter": lambda extra: text(f"{COUNTER} {'a' * 60_000_000}", extra),
    "3,900,000 letters without a break": lambda extra: text(f"{COUNTER} {'qjzkx' * 780_000}", extra),
    "990,000 JSON values": lambda extra: _body(COUNTER, {**extra, "metadata": {"values": [0] * 990_000}}),
    "9,999 pictures by URL": _pictures_by_url,
}
"""What makes the requests that cost most of those that are accepted, one a kind, by what they hold."""


def png(size: int) -> bytes:
    """Return a PNG of about `size` bytes: noise, the same each time."""
    width = 1000
    rows = max(1, size // (3 * width + 1))
    noise = random.Random(size)
    lines = b"".join(b"\0" + noise.randbytes(3 * width) for _ in range(rows))
    header = struct.pack(">IIBBBBB", width, rows, 8, 2, 0, 0, 0)
    chunks = (_chunk(b"IHDR", header), _chunk(b"IDAT", zlib.compress(lines, 0)), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _body(content: Any, extra: Mapping[str, Any], notes: int = 1) -> Body:
    messages = [{"role": "user", "content": content}]
    return Body(json.dumps({"model": "vlm-1", "messages": messages, **extra}).encode(), notes)
