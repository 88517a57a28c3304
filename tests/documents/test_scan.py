"""A scanned page looks like one, and its boxes lie where their texts are now."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Sequence

import pytest
from PIL import Image, ImageChops, ImageDraw, ImageStat

from vlmrun_mock.documents.appearance import STRENGTHS, Strength
from vlmrun_mock.documents.scan import Box, scanned
from vlmrun_mock.seed import Seed

SIZE = (850, 1100)
SIDE, STEP = 0.05, 0.15
BOXES: tuple[Box, ...] = tuple(
    (0.1 + STEP * column, 0.1 + STEP * row, SIDE, SIDE) for column in range(6) for row in range(6)
)
"""Black squares all over a page, with white around each."""


def page(boxes: Sequence[Box] = BOXES) -> Image.Image:
    """Return a white page with black boxes."""
    picture = Image.new("RGB", SIZE, "white")
    pen = ImageDraw.Draw(picture)
    for x, y, w, h in boxes:
        pen.rectangle((x * SIZE[0], y * SIZE[1], (x + w) * SIZE[0], (y + h) * SIZE[1]), fill="black")
    return picture


def scan(strength: Strength, number: int = 0) -> tuple[Image.Image, list[Box]]:
    """Return a scan of the page of black boxes."""
    return scanned(page(), BOXES, strength, Seed(number).random("page"))


def greyness(picture: Image.Image, box: Box, grown: float) -> float:
    """Return how light the picture is within a box, grown on each side by a part of its side; 0 is black."""
    x, y, w, h = box
    sides = (x - w * grown, y - h * grown, x + w * (1 + grown), y + h * (1 + grown))
    left, top, right, bottom = (side * length for side, length in zip(sides, SIZE * 2, strict=True))
    return float(
        ImageStat.Stat(picture.convert("L").crop((round(left), round(top), round(right), round(bottom)))).mean[0]
    )


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("strength", STRENGTHS)
def test_each_box_lies_on_what_it_lay_on_before(strength: Strength, number: int) -> None:
    picture, boxes = scan(strength, number)

    for box in boxes:
        inside, around = greyness(picture, box, 0.0), greyness(picture, box, 0.5)
        assert inside < 90, "what is in the box is black, but for its corners"
        assert around > 2 * inside, "and what is beside it is white"
        assert box[2] < SIDE * 1.25
        assert box[3] < SIDE * 1.25


@pytest.mark.parametrize("strength", STRENGTHS)
def test_a_scan_is_a_picture_of_the_same_size_that_differs_from_the_page_and_from_the_next(strength: Strength) -> None:
    first, second = scan(strength)[0], scan(strength, 1)[0]

    assert first.size == SIZE
    assert ImageChops.difference(first, page()).getbbox() is not None
    assert ImageChops.difference(first, second).getbbox() is not None


def test_a_heavy_scan_differs_more_from_the_page_than_a_light_one() -> None:
    light, heavy = (
        ImageStat.Stat(ImageChops.difference(scan(strength)[0].convert("L"), page().convert("L"))).mean[0]
        for strength in STRENGTHS
    )

    assert 0 < light < heavy


def test_a_box_at_the_edge_stays_on_the_page() -> None:
    edges: tuple[Box, ...] = ((0.0, 0.0, 0.1, 0.1), (0.9, 0.9, 0.1, 0.1))
    for number in range(20):
        _, boxes = scanned(page(edges), edges, "light", Seed(number).random("page"))

        for x, y, w, h in boxes:
            assert 0 <= x <= x + w <= 1.000001
            assert 0 <= y <= y + h <= 1.000001


def test_another_process_makes_the_same_scan() -> None:
    script = (
        "import hashlib\nfrom tests.documents.test_scan import scan\n"
        "picture, boxes = scan('heavy')\n"
        "print(hashlib.sha256(picture.tobytes() + repr(boxes).encode()).hexdigest())"
    )

    other = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    picture, boxes = scan("heavy")
    assert other.stdout.strip() == hashlib.sha256(picture.tobytes() + repr(boxes).encode()).hexdigest()
