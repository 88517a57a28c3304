"""Print a document of each template in each style, draw its boxes on it, and write the page that shows them.

Run it after a change to a template: python -m scripts.document_gallery.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

from PIL import Image, ImageDraw

from scripts.reference import DOCS
from vlmrun_mock.documents import pictures
from vlmrun_mock.documents.appearance import STYLES
from vlmrun_mock.documents.printer import Line, Printer, crafted
from vlmrun_mock.fixtures.domains import packaged
from vlmrun_mock.fixtures.printed import Press

PAGE = DOCS / "document-gallery.md"
FOLDER = DOCS / "document-gallery"
SEED = 3
GENERAL = ("healthcare.pathology-report", "media.nba-game-state")
"""Domains that the general template lays out, which stand for all of them."""

WIDTH = 1600  # of a picture, in pixels
TALLEST = 800
GAP = 8
COLOURS = 48
BACKGROUND = (232, 232, 236)
BOX = (235, 94, 20)

BEFORE = """# Document gallery

You want to see what [`vlmrun-mock documents`](documents.md) prints. Each picture shows the first page of a document in
the styles `classic`, `modern` and `compact`, with the boxes that its fixture tells drawn on it. Their seed is 3.

`python -m scripts.document_gallery` makes this page.
"""


def shown() -> list[str]:
    """Return the domains in the gallery."""
    return [*crafted(), *GENERAL]


def page() -> str:
    """Return the page."""
    return BEFORE + "".join(f"\n## {domain}\n\n![{domain}](document-gallery/{domain}.png)\n" for domain in shown())


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    printer = Printer()
    for domain in shown():
        row = _side_by_side(list(_pages(printer, domain)))
        file = io.BytesIO()
        row.quantize(COLOURS).save(file, "PNG", optimize=True)
        (FOLDER / f"{domain}.png").write_bytes(file.getvalue())
        print(f"{domain}: {len(file.getvalue()) // 1000} kB")
    PAGE.write_text(page(), encoding="utf-8")


def _pages(printer: Printer, name: str) -> Iterator[tuple[Image.Image, list[Line]]]:
    """Yield the first page of a document in each style, and the lines that stand on it."""
    domain = packaged().get(name)
    if domain is None:
        raise SystemExit(f"there is no domain {name}")
    for style in STYLES:
        document = Press(printer, "png", style=style).of_domain(domain, SEED)
        (picture,) = pictures.decoded(document.files[:1])
        yield picture, [line for line in document.lines if line.page == 0]


def _side_by_side(pages: list[tuple[Image.Image, list[Line]]]) -> Image.Image:
    """Return pages beside each other, equally high, with a box around each line."""
    room = WIDTH - GAP * (len(pages) + 1)
    height = min(TALLEST, round(room / sum(picture.width / picture.height for picture, _ in pages)))
    scaled = [
        (picture.resize((round(picture.width * height / picture.height), height), Image.Resampling.LANCZOS), lines)
        for picture, lines in pages
    ]
    row = Image.new("RGB", (sum(each.width + GAP for each, _ in scaled) + GAP, height + 2 * GAP), BACKGROUND)
    left = GAP
    for picture, lines in scaled:
        draw = ImageDraw.Draw(picture)
        for line in lines:
            x, y, w, h = line.xywh
            draw.rectangle(
                (x * picture.width - 1, y * height, (x + w) * picture.width + 1, (y + h) * height), outline=BOX
            )
        row.paste(picture, (left, GAP))
        left += picture.width + GAP
    return row


if __name__ == "__main__":
    main()
