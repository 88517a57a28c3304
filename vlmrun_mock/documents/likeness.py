"""Whether two pictures are the same one, encoded twice.

Re-encoding a picture changes each of its pixels by a little, and nowhere by much. A digit that is another one changes
few pixels, and these by much. So the measure is the largest difference anywhere, at full size: on a smaller picture,
the digits of small print are lost.
"""

from __future__ import annotations

import importlib.util
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vlmrun_mock.lazy import lazy

if TYPE_CHECKING:
    from PIL import Image, ImageChops, ImageOps
else:
    Image = lazy("PIL.Image")
    ImageChops = lazy("PIL.ImageChops")
    ImageOps = lazy("PIL.ImageOps")

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")

MOST_PIXELS = 40_000_000
"""How many pixels a picture may have to be compared: a page of A4 at 600 dots an inch has 35 million."""

BLOCK = 4
"""Pixels, in either direction, over which a difference is averaged: less than the digits of legible print take."""

BOUND = 8
"""The largest average difference of a block in grey, of 255, of a picture that is the same one.

JPEG in the quality 90 of the official SDK changes up to 7; a digit, where it can be read, 10 and more.
"""

PATCH, COLOUR_BOUND = 16, 24
"""Likewise for each colour, which most writers of JPEG keep at half the size: up to 18 differ."""

CONTRAST = 64
"""How far apart the lightest and the darkest pixel are at least: what is all of one colour shows nothing."""

SIDE = 96
"""How many pixels the longer side has of the small picture that is kept."""

NEAR = BOUND + 1
"""How far these small pictures may differ: an average is never more than its largest part, but for rounding."""


class UnreadablePicture(ValueError):
    """Bytes that are no picture, or one that is too large to be looked at."""


@dataclass(frozen=True, slots=True)
class Look:
    """What is kept of a picture: its size in pixels as it is displayed, and its greys in small."""

    size: tuple[int, int]
    small: bytes

    def is_near(self, other: Look) -> bool:
        """Return whether the other one may be the same picture."""
        if self.size != other.size:
            return False
        one, two = (Image.frombytes("L", _small(self.size), each.small) for each in (self, other))
        return _largest(ImageChops.difference(one, two)) <= NEAR


def is_installed() -> bool:
    """Return whether pictures can be compared: that takes Pillow, of the extra `documents`."""
    return importlib.util.find_spec("PIL") is not None


def opened(data: bytes) -> Image.Image:
    """Return a picture as the official SDK reads one, upright and in true colours; raises UnreadablePicture."""
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise UnreadablePicture(f"it has more than {MOST_PIXELS:,} pixels")
            return (ImageOps.exif_transpose(picture) or picture).convert("RGB")
    except UnreadablePicture:
        raise
    except Exception as error:  # noqa: BLE001 - what Pillow's readers raise for a broken file is of many kinds
        raise UnreadablePicture(f"it cannot be read: {error}") from None


def look(picture: Image.Image) -> Look:
    """Return what is kept of a picture; raises UnreadablePicture for one that shows nothing."""
    greys = picture.convert("L")
    darkest, lightest = greys.getextrema()
    if lightest - darkest < CONTRAST:  # type: ignore[operator]  # of a picture in greys they are numbers
        raise UnreadablePicture("it shows nothing to know it by")
    return Look(picture.size, greys.resize(_small(picture.size), Image.Resampling.BOX).tobytes())


def is_same(one: Image.Image, other: Image.Image) -> bool:
    """Return whether two pictures of the same size are the same one, encoded twice."""
    return difference(one, other) <= BOUND and colour_difference(one, other) <= COLOUR_BOUND


def difference(one: Image.Image, other: Image.Image) -> int:
    """Return how much two pictures of the same size differ in grey, in the block where they do most, of 255."""
    return _largest(ImageChops.difference(one.convert("L"), other.convert("L")).reduce(BLOCK))


def colour_difference(one: Image.Image, other: Image.Image) -> int:
    """Return how much two pictures of the same size differ in any colour, in the patch where they do most, of 255."""
    bands = zip(one.reduce(PATCH).split(), other.reduce(PATCH).split(), strict=True)
    return max(_largest(ImageChops.difference(*pair)) for pair in bands)


def _small(size: tuple[int, int]) -> tuple[int, int]:
    width, height = size
    scale = SIDE / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _largest(picture: Image.Image) -> int:
    _, most = picture.getextrema()
    return int(most)  # type: ignore[arg-type]  # of a picture in greys it is a number
