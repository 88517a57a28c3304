"""The bytes that a text in base64 stands for, as a file: they are never all in memory at once."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from vlmrun_mock.lazy import lazy

if TYPE_CHECKING:
    import pybase64
else:
    pybase64 = lazy("pybase64")

WINDOW = 512 * 1024
"""Characters that are decoded at once: what they stand for is still in the processor's cache when it is hashed."""


class Base64File:
    """A file that is decoded where it is read. `sha256` and `size` are those of the whole."""

    def __init__(self, text: memoryview) -> None:
        """Raise ValueError for a text that is not in strict base64: padded, and without white space."""
        self._text = text
        self._place = 0
        self.size = 0
        digest = hashlib.sha256()
        for start in range(0, len(text), WINDOW):
            data = pybase64.b64decode(text[start : start + WINDOW], validate=True)
            digest.update(data)
            self.size += len(data)
            if start + WINDOW < len(text) and len(data) < WINDOW // 4 * 3:
                raise ValueError("there is padding before the end")
        self.sha256 = digest.hexdigest()

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes; fewer at the end."""
        start = min(self._place, self.size)
        end = self.size if size < 0 else min(start + size, self.size)
        first, behind = start // 3, -(-end // 3)
        data = pybase64.b64decode(self._text[4 * first : 4 * behind])[start - 3 * first : end - 3 * first]
        self._place += len(data)
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place, and return it; raises ValueError for one before the start."""
        place = offset + (0, self._place, self.size)[whence]
        if place < 0:
            raise ValueError("there is nothing before the start of a file")
        self._place = place
        return place
