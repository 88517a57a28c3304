"""Measure which pictures are known again though re-encoded, and write the table in docs/re-encoded-pictures.md.

Each kind of document is drawn, encoded anew in several ways, and compared as a server does.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

from vlmrun_mock.documents import likeness

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

PAGE = Path(__file__).parent.parent / "docs" / "re-encoded-pictures.md"
BEGIN, END = "<!-- begin: measured -->\n", "<!-- end: measured -->\n"

VARIANTS = 20
"""Documents with another digit, of which the most alike counts."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of document: its size in pixels, that of its print, its paper and ink, and the form of its lines.

    `#` in a line is a digit. `grain` is how noisy it is, as a photo or scan.
    """

    size: tuple[int, int]
    print: int
    paper: tuple[int, int, int]
    ink: tuple[int, int, int]
    lines: Sequence[str]
    grain: int = 0


WHITE, BLACK = (255, 255, 255), (0, 0, 0)
ITEMS = [f"Article {letter}   Quantity ##   Price ###.##   Amount ####.##" for letter in "ABCDEFGHIJKL"]

KINDS: Mapping[str, Kind] = {
    "invoice, 150 dpi": Kind((1240, 1754), 22, WHITE, BLACK, ["INVOICE INV-#####", "Date 20##-0#-1#", *ITEMS]),
    "bank statement in small print, 200 dpi": Kind(
        (1654, 2339), 20, WHITE, (40, 40, 60), [f"0#.1#.20##  Transfer {n}  ###-###-###  ####.##" for n in range(40)]
    ),
    "receipt of a till": Kind((576, 1100), 24, (250, 250, 246), (60, 60, 60), [f"ITEM {n}   ##.##" for n in range(22)]),
    "identity card": Kind((1012, 638), 30, (225, 235, 245), (20, 30, 80), ["CARD ### ### ###", "BORN 19##-0#-1#"] * 4),
    "tax form, 100 dpi": Kind((827, 1169), 14, WHITE, (30, 30, 30), [f"Box {n}   ##,###.##" for n in range(30)]),
    "letter on grey paper": Kind((1240, 1754), 24, (224, 224, 228), (80, 80, 90), ["Your reference ######"] * 18),
    "nutrition label": Kind((600, 800), 26, WHITE, BLACK, [f"Nutrient {n}   ##.# g   ## %" for n in range(16)]),
    "business card": Kind((1050, 600), 34, (250, 245, 230), (120, 20, 20), ["Ada Example", "+1 ### ### ####"] * 4),
    "photo of an invoice": Kind((1200, 1600), 24, (214, 206, 190), (50, 46, 40), ["INVOICE #####", *ITEMS], grain=24),
}


def lines_of(kind: str, seed: int) -> list[str]:
    """Return the lines of a document with digits that are drawn."""
    random = Random(f"{kind} {seed}")
    return ["".join(str(random.randrange(10)) if each == "#" else each for each in line) for line in KINDS[kind].lines]


def with_another_digit(lines: Sequence[str], seed: int) -> list[str]:
    """Return lines of which one digit is another one."""
    random = Random(seed)
    number, index = random.choice(
        [(number, index) for number, line in enumerate(lines) for index, each in enumerate(line) if each.isdigit()]
    )
    line = lines[number]
    digit = random.choice([each for each in "0123456789" if each != line[index]])
    return [*lines[:number], f"{line[:index]}{digit}{line[index + 1 :]}", *lines[number + 1 :]]


def drawn(kind: str, lines: Sequence[str]) -> Picture:
    """Return the picture of a document with some lines."""
    form = KINDS[kind]
    picture = Image.new("RGB", form.size, form.paper)
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(form.print)
    draw.rectangle((0, 0, form.size[0], form.print), fill=form.ink)
    draw.ellipse((form.size[0] - 160, 60, form.size[0] - 40, 140), outline=(200, 30, 30), width=5)
    for number, line in enumerate(lines):
        draw.text((form.print * 2, form.print * (2.2 + 1.7 * number)), line, font=font, fill=form.ink)
    return _grainy(picture, form.grain) if form.grain else picture


def _grainy(picture: Picture, grain: int) -> Picture:
    """Return a picture as a camera sees it: soft and noisy, always in the same way."""
    width, height = picture.size
    noise = Image.frombytes("L", picture.size, Random(0).randbytes(width * height))
    soft = picture.filter(ImageFilter.GaussianBlur(0.8))
    dark = noise.point([value * grain // 255 for value in range(256)]).convert("RGB")
    return ImageChops.subtract(soft, dark)


def saved(picture: Picture, file_format: str, **options: object) -> bytes:
    """Return a picture as a file."""
    file = io.BytesIO()
    picture.save(file, file_format, **options)
    return file.getvalue()


def by_the_sdk(picture: Picture, **options: object) -> bytes:
    """Return a picture as VLM Run's Python SDK sends it."""
    from vlmrun.common.image import encode_image  # noqa: PLC0415 - it takes a second to import

    url = encode_image(picture.copy(), **options)
    return base64.b64decode(url.partition(",")[2]) if isinstance(url, str) else url


WAYS: Mapping[str, Callable[[Picture], bytes]] = {
    "`vlmrun`, `image.generate` and `image.execute` (JPEG 90)": lambda picture: by_the_sdk(picture, format="JPEG"),
    "`vlmrun`, `encode_image` (PNG)": by_the_sdk,
    '`vlmrun`, `encode_image(format="binary")` (PNG)': lambda picture: by_the_sdk(picture, format="binary"),
    "Pillow, PNG, optimized": lambda picture: saved(picture, "PNG", optimize=True),
    "Pillow, JPEG 95": lambda picture: saved(picture, "JPEG", quality=95),
    "Pillow, JPEG 90": lambda picture: saved(picture, "JPEG", quality=90),
    "Pillow, JPEG 85": lambda picture: saved(picture, "JPEG", quality=85),
    "Pillow, JPEG 75, its default": lambda picture: saved(picture, "JPEG"),
    "Pillow, JPEG 50": lambda picture: saved(picture, "JPEG", quality=50),
    "Pillow, WebP 80": lambda picture: saved(picture, "WEBP", quality=80),
    "Pillow, WebP without loss": lambda picture: saved(picture, "WEBP", lossless=True),
    "half the size": lambda picture: saved(picture.reduce(2), "PNG"),
    "turned by 90°": lambda picture: saved(picture.transpose(Image.Transpose.ROTATE_90), "PNG"),
    "turned by 180°": lambda picture: saved(picture.transpose(Image.Transpose.ROTATE_180), "PNG"),
    "turned by 1°": lambda picture: saved(picture.rotate(1, fillcolor=WHITE), "PNG"),
    "shifted by one pixel": lambda picture: saved(ImageChops.offset(picture, 1), "PNG"),
}
"""How a picture is encoded anew, or changed."""


def compared(original: Picture, sent: bytes) -> str:
    """Return whether a file is taken for a picture, and how much the two differ."""
    opened = likeness.opened(sent)
    if opened.size != original.size:
        return "no"
    number = likeness.difference(original, opened)
    near = likeness.look(original).is_near(likeness.look(opened))
    return f"**yes** {number}" if near and likeness.is_same(original, opened) else f"no {number}"


def row(name: str, cells: Sequence[str]) -> str:
    return f"| {name} | {' | '.join(cells)} |\n"


def table() -> str:
    """Return the table."""
    pictures = {kind: drawn(kind, lines_of(kind, 0)) for kind in KINDS}
    text = row("", list(KINDS)) + row("---", ["---"] * len(KINDS))
    for way, encode in WAYS.items():
        text += row(way, [compared(picture, encode(picture)) for picture in pictures.values()])
    digits = []
    for kind, picture in pictures.items():
        others = [drawn(kind, with_another_digit(lines_of(kind, 0), seed)) for seed in range(VARIANTS)]
        found = [compared(picture, WAYS[next(iter(WAYS))](other)) for other in others]
        digits.append(min(found, key=lambda each: (each.startswith("no"), int(each.split()[-1]))))
    return text + row(f"one digit is another one, JPEG 90: the most alike of {VARIANTS}", digits)


def main() -> None:
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n{table()}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
