"""Pages as a scanner or a phone sees them: turned, on paper, unevenly lit, noisy, and with the boxes moved along."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, TypeAlias

from vlmrun_mock.documents.appearance import Strength
from vlmrun_mock.lazy import lazy

if TYPE_CHECKING:
    from PIL import Image, ImageChops, ImageDraw, ImageFilter
else:
    Image = lazy("PIL.Image")
    ImageChops = lazy("PIL.ImageChops")
    ImageDraw = lazy("PIL.ImageDraw")
    ImageFilter = lazy("PIL.ImageFilter")

Box: TypeAlias = tuple[float, float, float, float]
"""x, y, width and height, in fractions of the page."""

Point: TypeAlias = tuple[float, float]

MIDDLE = 128
"""The grey that changes nothing when it is added as noise."""

GRAIN = 24  # pixels of a patch of paper that is a little lighter or darker


@dataclass(frozen=True, slots=True)
class Manner:
    """How much of everything there is; lengths are in fractions of the page, colours in steps of 256."""

    turn: float
    """Degrees, either way."""
    shift: float
    """How far each corner is from where it is on a flat page."""
    margin: float
    """How wide the border around the page is."""
    around: tuple[int, int, int]
    ink: int
    """How light black is."""
    tint: int
    grain: int
    noise: int
    shadow: int
    folds: int
    """How many folds there are at most."""
    blur: float
    """The radius of the blur, in pixels at 150 an inch."""
    quality: int
    """The quality of the JPEG that leaves its marks in the picture."""


MANNERS: dict[Strength, Manner] = {
    "light": Manner(
        turn=0.8,
        shift=0.0,
        margin=0.0,
        around=(246, 246, 244),
        ink=18,
        tint=6,
        grain=3,
        noise=8,
        shadow=10,
        folds=0,
        blur=0.5,
        quality=80,
    ),
    "heavy": Manner(
        turn=2.5,
        shift=0.012,
        margin=0.035,
        around=(88, 76, 66),
        ink=34,
        tint=18,
        grain=8,
        noise=22,
        shadow=70,
        folds=2,
        blur=0.9,
        quality=45,
    ),
}


def scanned(
    page: Image.Image, boxes: Sequence[Box], strength: Strength, drawn: Random
) -> tuple[Image.Image, list[Box]]:
    """Return a page of the same size as a scan or a photo shows it, and where its boxes are there.

    A box becomes the smallest upright one that holds it. What differs between scans is `drawn`.
    """
    manner = MANNERS[strength]
    view = _View.drawn(page.size, manner, drawn)
    picture = _paper(page.convert("RGB"), manner, drawn)
    picture = _lit(view.shown(picture, manner.around), manner, drawn)
    picture = picture.filter(ImageFilter.GaussianBlur(manner.blur))
    picture = ImageChops.add(picture, _noise(picture.size, manner.noise, drawn), 1, -MIDDLE)
    return _compressed(picture, manner.quality), [view.box(box) for box in boxes]


@dataclass(frozen=True, slots=True)
class _View:
    """Where a camera sees the page: the projection of its points, and the way back, as 8 numbers each."""

    size: tuple[int, int]
    there: tuple[float, ...]
    back: tuple[float, ...]

    @classmethod
    def drawn(cls, size: tuple[int, int], manner: Manner, drawn: Random) -> _View:
        width, height = size
        corners = [(0.0, 0.0), (float(width), 0.0), (float(width), float(height)), (0.0, float(height))]
        angle = math.radians(drawn.uniform(-manner.turn, manner.turn))
        # A turned page fits into the picture if it is this much smaller.
        scale = (1 - 2 * manner.margin) / (math.cos(angle) + abs(math.sin(angle)) * max(width / height, height / width))
        seen = []
        for x, y in corners:
            left, up = (x - width / 2) * scale, (y - height / 2) * scale
            moved = [drawn.uniform(-manner.shift, manner.shift) * side for side in size]
            seen.append(
                (
                    width / 2 + left * math.cos(angle) - up * math.sin(angle) + moved[0],
                    height / 2 + left * math.sin(angle) + up * math.cos(angle) + moved[1],
                )
            )
        return cls(size, _projection(corners, seen), _projection(seen, corners))

    def shown(self, page: Image.Image, around: tuple[int, int, int]) -> Image.Image:
        """Return what the camera sees of a page."""
        transform, resampling = Image.Transform.PERSPECTIVE, Image.Resampling.BICUBIC
        return page.transform(self.size, transform, self.back, resampling, fillcolor=around)

    def box(self, box: Box) -> Box:
        """Return the upright box that holds a box of the page."""
        (width, height), (x, y, w, h) = self.size, box
        corners = [(x, y), (x + w, y), (x + w, y + h), (x, y + h)]
        points = [_projected(self.there, (left * width, top * height)) for left, top in corners]
        across = [min(1.0, max(0.0, point[0] / width)) for point in points]
        down = [min(1.0, max(0.0, point[1] / height)) for point in points]
        return (min(across), min(down), max(across) - min(across), max(down) - min(down))


def _projected(projection: Sequence[float], point: Point) -> Point:
    a, b, c, d, e, f, g, h = projection
    x, y = point
    depth = g * x + h * y + 1
    return (a * x + b * y + c) / depth, (d * x + e * y + f) / depth


def _projection(points: Sequence[Point], images: Sequence[Point]) -> tuple[float, ...]:
    """Return the 8 numbers of the projection that takes four points to their images."""
    rows: list[list[float]] = []
    for (x, y), (u, v) in zip(points, images, strict=True):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y, u])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y, v])
    for step in range(8):
        pivot = max(range(step, 8), key=lambda row: abs(rows[row][step]))
        rows[step], rows[pivot] = rows[pivot], rows[step]
        rows[step] = [value / rows[step][step] for value in rows[step]]
        for other in range(8):
            if other != step and rows[other][step]:
                factor = rows[other][step]
                rows[other] = [value - factor * own for value, own in zip(rows[other], rows[step], strict=True)]
    return tuple(row[8] for row in rows)


def _paper(page: Image.Image, manner: Manner, drawn: Random) -> Image.Image:
    """Return a page with ink that is not black, on paper that is not white, with the marks of folds."""
    tint = drawn.randint(0, manner.tint)
    # Aged paper is yellowish: it loses more blue than red.
    black, white = (manner.ink,) * 3, (255 - tint // 3, 255 - tint // 2, 255 - tint)
    bands = [
        band.point([dark + (light - dark) * step // 255 for step in range(256)])
        for band, dark, light in zip(page.split(), black, white, strict=True)
    ]
    picture = Image.merge("RGB", bands)
    small = (max(2, page.width // GRAIN), max(2, page.height // GRAIN))
    grain = _noise(small, manner.grain, drawn).resize(page.size, Image.Resampling.BICUBIC)
    picture = ImageChops.add(picture, grain, 1, -MIDDLE)
    for _ in range(drawn.randint(min(1, manner.folds), manner.folds)):
        picture = _folded(picture, drawn)
    return picture


def _folded(page: Image.Image, drawn: Random) -> Image.Image:
    """Return a page that was folded once: a dark line, and beside it a light one."""
    width, height = page.size
    marks = Image.new("L", page.size, MIDDLE)
    pen = ImageDraw.Draw(marks)
    is_across, place = drawn.random() < 2 / 3, drawn.uniform(0.3, 0.7)
    slope = drawn.uniform(-0.004, 0.004)
    for offset, shade in ((0.0, MIDDLE - 60), (0.0022, MIDDLE + 40)):
        near, far = place + offset - slope, place + offset + slope
        if is_across:
            line = (0.0, near * height, float(width), far * height)
        else:
            line = (near * width, 0.0, far * width, float(height))
        pen.line(line, fill=shade, width=max(2, width // 500))
    marks = marks.filter(ImageFilter.GaussianBlur(max(1.0, width / 900)))
    return ImageChops.add(page, Image.merge("RGB", (marks, marks, marks)), 1, -MIDDLE)


def _lit(picture: Image.Image, manner: Manner, drawn: Random) -> Image.Image:
    """Return a picture that is darker towards one side."""
    gradient = Image.linear_gradient("L").rotate(drawn.uniform(0, 360), Image.Resampling.BILINEAR, fillcolor=MIDDLE)
    # Without its corners, which the turning left empty.
    gradient = gradient.crop((40, 40, 216, 216)).resize(picture.size, Image.Resampling.BICUBIC)
    depth = drawn.randint(manner.shadow // 2, manner.shadow)
    shade = gradient.point([255 - depth * step // 255 for step in range(256)])
    return ImageChops.multiply(picture, Image.merge("RGB", (shade, shade, shade)))


def _noise(size: tuple[int, int], amount: int, drawn: Random) -> Image.Image:
    """Return noise to be added: greys around MIDDLE, up to `amount` away from it."""
    grey = Image.frombytes("L", size, drawn.randbytes(size[0] * size[1]))
    grey = grey.point([MIDDLE + (step - MIDDLE) * amount // MIDDLE for step in range(256)])
    return Image.merge("RGB", (grey, grey, grey))


def _compressed(picture: Image.Image, quality: int) -> Image.Image:
    """Return a picture as JPEG leaves it."""
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")
