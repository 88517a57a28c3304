"""The size of a picture in pixels, by its header."""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING, Protocol, TypeAlias

from vlmrun_mock.lazy import lazy

if TYPE_CHECKING:
    import imagesize  # type: ignore[import-untyped]  # it has no types
else:
    imagesize = lazy("imagesize")

Size: TypeAlias = "tuple[int, int]"

LONGEST_HEADER = 65_536
"""Bytes that are read of a header; a normal one takes a few hundred."""

PNG = b"\x89PNG\r\n\x1a\n"
PNG_HEADER = struct.Struct(">8x4x4sLL2x")
"""The signature, the length of the first chunk, its name, and what it says: width, height, and two bytes more."""

JPEG = b"\xff\xd8\xff"
JPEG_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
"""The markers of the segments that hold a size."""

JPEG_FRAME = struct.Struct(">xHHx")
JPEG_ENDS = (0xD9, 0xDA)
"""The markers of the end and of the pixels, after which no size comes."""

JPEG_ALONE = {0x01, *range(0xD0, 0xD8)}
"""The markers that are no segments."""


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
    """Return the width and the height of a picture in pixels as stored, without the rotation in EXIF; None if unknown.

    The two most usual formats are read here: to load what reads them all takes as long as a small request.
    """
    header = _Header(file)
    start = header.read(PNG_HEADER.size)
    header.seek(0)
    try:
        if start.startswith(PNG):
            width, height = _of_png(start)
        elif start.startswith(JPEG):
            width, height = _of_jpeg(header)
        else:
            width, height = imagesize.get(header, exif_rotation=False)  # (-1, -1) for an unreadable header
    except (ValueError, struct.error):
        return None, None
    if 0 < width < 2**31 and 0 < height < 2**31:
        return width, height
    return None, None


def _of_png(start: bytes) -> Size:
    name, width, height = PNG_HEADER.unpack(start)
    if name != b"IHDR":
        raise ValueError("the first chunk is another one")
    return width, height


def _of_jpeg(file: Readable) -> Size:
    """Return the size in the first frame; raises ValueError or struct.error where there is none."""
    file.seek(2)
    while (marker := _next_marker(file)) not in JPEG_ENDS:
        if marker in JPEG_ALONE:
            continue
        (length,) = struct.unpack(">H", file.read(2))
        if length < 2:  # noqa: PLR2004 - the length counts its own two bytes
            raise ValueError("a segment is too short")
        if marker in JPEG_FRAMES:
            height, width = JPEG_FRAME.unpack(file.read(min(length - 2, JPEG_FRAME.size)))
            return width, height
        file.seek(length - 2, os.SEEK_CUR)
    raise ValueError("there is no frame")


def _next_marker(file: Readable) -> int:
    """Return the marker that comes next, whatever stands before it; raises ValueError at the end."""
    while (byte := file.read(1)) != b"\xff":
        if not byte:
            raise ValueError("the file ends in its header")
    while (byte := file.read(1)) == b"\xff":
        pass
    if not byte:
        raise ValueError("the file ends in its header")
    return byte[0]
