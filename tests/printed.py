"""Documents of our own, read back by PDFium: what stands in each box, and whether that is what the answer says."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from math import inf
from typing import Any

import pypdfium2

from vlmrun_mock.documents.appearance import Style
from vlmrun_mock.documents.printer import Printer
from vlmrun_mock.fixtures.domains import packaged
from vlmrun_mock.fixtures.printed import Press, PrintedDocument

END_OF_LINE_HYPHEN = "\x02"
"""What PDFium calls a hyphen at the end of a line, after which it takes the word to go on."""

SLACK = 0.35
"""Of a box's height: by how much it may be wider than its text on either side, where letters have room around them."""

DECIMAL_COMMA = frozenset(
    {"de_DE", "es_ES", "fr_FR", "it_IT", "nl_NL", "pt_BR", "cs_CZ", "fi_FI", "pl_PL", "ru_RU", "sv_SE"}
)
DAYS = {
    "de_DE": "%d.%m.%Y", "es_ES": "%d/%m/%Y", "fr_FR": "%d/%m/%Y", "it_IT": "%d/%m/%Y", "nl_NL": "%d-%m-%Y",
    "pt_BR": "%d/%m/%Y", "pl_PL": "%d.%m.%Y", "ru_RU": "%d.%m.%Y", "sv_SE": "%Y-%m-%d",
}  # fmt: skip  # several a line
"""How a date is printed, without white space; elsewhere, in English, the month is a word."""


AT_HOME = {
    **dict.fromkeys(("accounting.form-payslip", "document.in-aadhaar-card", "document.in-pan-card"), "en_IN"),
    **dict.fromkeys(
        ("accounting.form-1040-tax-statement", "accounting.form-w2", "document.us-drivers-license",
         "document.us-passport", "healthcare.hipaa-release", "healthcare.medical-insurance-card",
         "media.nba-game-state", "media.nfl-game-state"),
        "en_US",
    ),
}  # fmt: skip  # several a line
"""The locale of documents that there are in one country alone."""


@dataclass(frozen=True)
class Character:
    """A character in a PDF's text layer, and its box in points from the page's upper left corner."""

    text: str
    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True)
class Page:
    """A page's size in points, and its characters."""

    width: float
    height: float
    characters: list[Character]

    @cached_property
    def _by_height(self) -> list[tuple[float, int]]:
        """Return how high the middle of each character is, with its place in the text, in order of height."""
        return sorted(((each.top + each.bottom) / 2, index) for index, each in enumerate(self.characters))

    def inside(self, xywh: Any) -> list[Character]:
        """Return the characters whose middle is in a box."""
        left, top = xywh[0] * self.width, xywh[1] * self.height
        right, bottom = left + xywh[2] * self.width, top + xywh[3] * self.height
        near = self._by_height[bisect_left(self._by_height, (top,)) : bisect_right(self._by_height, (bottom, inf))]
        found = [self.characters[index] for index in sorted(index for _, index in near)]
        return [each for each in found if left <= (each.left + each.right) / 2 <= right]


@lru_cache(maxsize=8)
def pages(pdf: bytes) -> list[Page]:
    """Return the pages of a PDF, as PDFium reads their text."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        return [_page(page) for page in document]
    finally:
        document.close()


def _page(page: pypdfium2.PdfPage) -> Page:
    width, height = page.get_size()
    layer = page.get_textpage()
    characters = []
    for index in range(layer.count_chars()):
        text = chr(pypdfium2.raw.FPDFText_GetUnicode(layer, index)).replace(END_OF_LINE_HYPHEN, "-")
        if not text.isspace():
            left, bottom, right, top = layer.get_charbox(index)
            characters.append(Character(text, left, height - top, right, height - bottom))
    return Page(width, height, characters)


def squashed(text: str) -> str:
    """Return a text without white space and what paper does not show, in one form of Unicode."""
    bare = "".join(each for each in text if each.isspace() or unicodedata.category(each) not in ("Cc", "Cf", "Cs"))
    return "".join(unicodedata.normalize("NFKC", bare).split())


@cache
def printed(domain: str, seed: int, style: Style | None = None, locale: str = "en_US") -> PrintedDocument:
    """Return a document as PDF; tests share it."""
    found = packaged().get(domain)
    assert found is not None
    return Press(Printer(), "pdf", locale, style).of_domain(found, seed)


def texts(document: PrintedDocument) -> dict[str, str]:
    """Return what stands in the boxes of each value, by its JSON Pointer, without white space."""
    layers = pages(document.data)
    return {
        pointer: "".join(each.text for box in boxes for each in layers[box["page"]].inside(box["xywh"]))
        for pointer, boxes in document.boxes.items()
    }


def wrong_boxes(document: PrintedDocument) -> list[str]:
    """Return what is wrong with the boxes of a document: each holds all of its text, nothing else, and little room."""
    layers = pages(document.data)
    return [f"{document.name}: {problem}" for line in document.lines for problem in _problems(line, layers[line.page])]


def _problems(line: Any, page: Page) -> Iterator[str]:
    found = page.inside(line.xywh)
    text = "".join(each.text for each in found)
    if squashed(text) != squashed(line.text):
        yield f"{line.pointer}: the box of {line.text!r} holds {text!r}"
    else:
        left, width = line.xywh[0] * page.width, line.xywh[2] * page.width
        room = max(min(each.left for each in found) - left, left + width - max(each.right for each in found))
        if room > SLACK * line.xywh[3] * page.height:
            yield f"{line.pointer}: the box of {line.text!r} is {room:.1f} points too wide"


def values(value: Any, pointer: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the JSON Pointer and the value of each leaf that shows something."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from values(inner, f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from values(inner, f"{pointer}/{index}")
    elif value is not None and not (isinstance(value, str) and not squashed(value)):
        yield pointer, value


def means(text: str, value: Any, locale: str = "en_US") -> bool:
    """Return whether a printed text, without its white space, says what an answer does, to the cent."""
    if isinstance(value, bool):
        return text == ("Yes" if value else "No")
    if isinstance(value, str):
        said = {squashed(value)}
        if locale != "en_US" and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
            day = dt.date.fromisoformat(value)
            said |= {squashed(f"{day:{DAYS.get(locale, f'{day.day}%B%Y')}}"), squashed(f"{day:%B}{day.day},{day.year}")}
        return squashed(text) in said
    return any(number == value for number in _numbers(text, locale))


def _numbers(text: str, locale: str) -> Iterator[float]:
    """Yield what a number may mean: as the answer has it, and as an amount of the locale."""
    bare = (
        re.sub(r"[^\d.,eE+-]", "", text.replace("R$", "")) if not re.fullmatch(r"-?[\d.]+(e[+-]?\d+)?", text) else text
    )
    if re.fullmatch(r"-?\d+(\.\d+)?(e[+-]?\d+)?", bare):
        yield float(bare)
    group, point = (".", ",") if locale in DECIMAL_COMMA else (",", ".")
    amount = bare.replace(group, "").replace(point, ".")
    if re.fullmatch(r"-?\d+(\.\d+)?", amount):
        yield float(amount)


def unsaid(document: PrintedDocument, locale: str = "en_US") -> list[str]:
    """Return the values of a document's answer that are not what stands in their boxes."""
    found = texts(document)
    locale = AT_HOME.get(document.domain or "", locale)
    return [
        f"{document.name}: {pointer}: {found.get(pointer, 'nothing')!r} is not {value!r}"
        for pointer, value in values(document.answer)
        if not means(found.get(pointer, ""), value, locale)
    ]
