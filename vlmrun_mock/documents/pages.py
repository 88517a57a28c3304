"""How many pages a PDF has: by what it says, or where that is not plain, by a process that opens it."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import zlib
from collections import OrderedDict
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vlmrun_mock.documents.identity import Document

PAGE = re.compile(rb"/Type\s{0,20}/Page(?![a-zA-Z])")
COUNT = re.compile(rb"/Count\s{1,20}(\d{1,6})(?!\d)")
OBJECTS = re.compile(rb"/ObjStm(?![a-zA-Z])")
END = re.compile(rb"%%EOF")

WINDOW = 1_000_000
"""Bytes that are searched at once: a search keeps the interpreter to itself."""

OVERLAP = 64
"""Bytes by which windows overlap: what is looked for is shorter."""

MOST_SEARCHED = 64_000_000
"""Bytes of a PDF that are searched, from its beginning on."""

MOST_INFLATED = 32_000_000
"""Bytes that streams of compressed objects have before and after they are inflated, all together."""

LARGEST_STREAM = 4_000_000
"""Bytes of one stream of compressed objects, before and after."""

MOST_STREAMS = 2_000
HEAD = 2_000
"""Bytes from where a stream says that it holds objects to where they begin."""

MOST_PAGES = 100_000

PROCESS = Path(__file__).with_name("pdf_process.py")
PATIENCE = 20
"""Seconds for which the process is waited for."""

MOST_COUNTS = 4_096


class PageCounts:
    """How many pages the PDFs have that were counted last, by their identities."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, int] = OrderedDict()
        self._lock = Lock()

    def get(self, document: Document) -> int | None:
        """Return a number that is kept."""
        return self._kept.get(document.identity)

    def of(self, document: Document, data: bytes) -> int:
        """Return how many pages a PDF has, which may take a while."""
        found = self.get(document)
        if found is None:
            found = count(data)
            with self._lock:
                self._kept[document.identity] = found
                if len(self._kept) > MOST_COUNTS:
                    self._kept.popitem(last=False)
        return found


def count(data: bytes) -> int:
    """Return how many pages a PDF has, at least 1: in bounded time and memory, whatever it is.

    A PDF that was written once and says plainly what it holds is not opened. Any other is, by pypdfium2 if that is
    installed, in a process of its own; without it, and for what pypdfium2 cannot open, compressed objects are inflated.
    """
    pages, said = _number(PAGE, data, MOST_PAGES), _said(data)
    is_plain = pages == said and not _number(OBJECTS, data, 1) and _number(END, data, 2) == 1
    if is_plain and pages:
        return min(pages, MOST_PAGES)
    opened = _opened(data) if b"startxref" in data[-HEAD:] else None
    return min(opened or _inflated(data, pages, said) or 1, MOST_PAGES)


def _said(data: bytes) -> int:
    """Return the largest number of pages that a PDF says a part of it has; 0 if it says none."""
    return max((int(found[1]) for found in islice(_found(COUNT, data), MOST_PAGES)), default=0)


def _found(pattern: re.Pattern[bytes], data: bytes) -> Iterator[re.Match[bytes]]:
    """Yield what is found in a PDF, once each; between two windows, other threads get their turn."""
    end = 0
    for start in range(0, min(len(data), MOST_SEARCHED), WINDOW):
        for found in pattern.finditer(data, max(start - OVERLAP, end), start + WINDOW):
            # What may go on beyond the window is found with the next one.
            if found.end() < start + WINDOW or start + WINDOW >= len(data):
                end = found.end()
                yield found


def _number(pattern: re.Pattern[bytes], data: bytes, most: int) -> int:
    """Return how often something is found, at most so often."""
    return sum(1 for _ in islice(_found(pattern, data), most))


def _inflated(data: bytes, pages: int, said: int) -> int:
    """Return how many pages a PDF has of which objects are compressed, by what was found in the rest of it."""
    left = MOST_INFLATED
    for found in islice(_found(OBJECTS, data), MOST_STREAMS):
        packed = _packed(data, found.end())
        objects = _objects(packed)
        left -= len(packed) + len(objects)
        pages += _number(PAGE, objects, MOST_PAGES)
        said = max(said, _said(objects))
        if left <= 0:
            break
    return pages or said


def _packed(data: bytes, place: int) -> bytes:
    """Return the stream that begins after a place, as it is compressed."""
    start = data.find(b"stream", place, place + HEAD)
    if start < 0:
        return b""
    end = data.find(b"endstream", start, start + LARGEST_STREAM)
    return data[start + len(b"stream") : end if end > 0 else start + LARGEST_STREAM].lstrip(b"\r\n")


def _objects(packed: bytes) -> bytes:
    """Return the objects of a compressed stream; nothing if they cannot be read."""
    try:
        return zlib.decompressobj().decompress(packed, LARGEST_STREAM)
    except zlib.error:
        return b""


def is_installed() -> bool:
    """Return whether PDFs can be opened: that takes pypdfium2, of the extra `documents`."""
    return importlib.util.find_spec("pypdfium2") is not None


def _opened(data: bytes) -> int | None:
    """Return how many pages a PDF has by pypdfium2; None if that is not installed, or cannot open it."""
    if not (is_installed() and sys.executable):
        return None
    try:
        ended = subprocess.run(  # noqa: S603 - this package's own script
            [sys.executable, str(PROCESS)],
            input=data,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
            env={**os.environ, "PYTHONSAFEPATH": "1"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return int(ended.stdout) if ended.returncode == 0 and ended.stdout.strip().isdigit() else None
