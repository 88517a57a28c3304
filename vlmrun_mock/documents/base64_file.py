"""The bytes that a text in base64 stands for, as a file: they are never all in memory at once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from vlmrun_mock.lazy import lazy

if TYPE_CHECKING:
    import pybase64
else:
    pybase64 = lazy("pybase64")

WINDOW = 256 * 1024
"""Characters that are decoded at once: what they stand for is still in the processor's cache when it is hashed."""


class Base64File:
    """A file that is decoded where it is read. Once it is hashed, `sha256` and `size` are those of the whole."""

    def __init__(self, text: memoryview) -> None:
        self._text = text
        self._place = 0
        self._digest = hashlib.sha256()
        self.size = 0

    @property
    def sha256(self) -> str:
        """Return the SHA-256 in hexadecimal digits."""
        return self._digest.hexdigest()

    def hashed(self) -> Iterator[None]:
        """Hash all of it, with a pause after each window.

        Raises ValueError for a text that is not in strict base64: padded, and without white space.
        """
        for start in range(0, len(self._text), WINDOW):
            data = pybase64.b64decode(self._text[start : start + WINDOW], validate=True)
            if len(data) < WINDOW // 4 * 3 and start + WINDOW < len(self._text):
                raise ValueError("there is padding before the end")
            self._digest.update(data)
            self.size += len(data)
            yield

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
