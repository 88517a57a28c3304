"""The size of a picture in pixels, by its header."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from vlmrun_mock.lazy import lazy

if TYPE_CHECKING:
    import imagesize  # type: ignore[import-untyped]  # it has no types
else:
    imagesize = lazy("imagesize")

LONGEST_HEADER = 65_536
"""Bytes that are read of a header; a normal one takes a few hundred."""


class Readable(Protocol):
    """A file that is open for reading."""

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes; fewer at the end."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go to a place, and return it."""


class _Header:
    """A file that raises ValueError when a hostile header makes its reader go on for too long."""

    def __init__(self, file: Readable) -> None:
        self._file = file
        self._left = LONGEST_HEADER

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(min(size, self._left + 1) if size >= 0 else self._left + 1)
        self._left -= len(data)
        if self._left < 0:
            raise ValueError("the header goes on for too long")
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)


def size_of(file: Readable) -> tuple[int, int] | tuple[None, None]:
    """Return the width and the height of a picture in pixels as stored, the rotation in EXIF aside; None if unknown."""
    try:
        width, height = imagesize.get(_Header(file), exif_rotation=False)  # (-1, -1) for an unreadable header
    except ValueError:
        return None, None
    if 0 < width < 2**31 and 0 < height < 2**31:
        return width, height
    return None, None
