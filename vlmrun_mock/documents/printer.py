"""Prints an answer as a document, by a template, and says where on its pages each value stands.

Templates are files in `templates/`: `lib.typ` for all, `general.typ` for any answer, and one by the name of each domain
that has its own. typst lays them out, with the fonts that it carries and those in `fonts/`; no font of the machine is
used, and nothing is fetched.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from vlmrun_mock.documents.appearance import Style
from vlmrun_mock.documents.layout import Layout
from vlmrun_mock.documents.leaves import reader
from vlmrun_mock.documents.scan import Box
from vlmrun_mock.lazy import lazy
from vlmrun_mock.seed import FROZEN_INSTANT, Seed

if TYPE_CHECKING:
    import typst
else:
    typst = lazy("typst")

TEMPLATES = Path(__file__).parent / "templates"
FONTS = Path(__file__).parent / "fonts"
GENERAL = "general"

EXTRA = "documents are printed by an extra: pip install 'vlmrun-mock[documents]'"

STANDARD: Literal["a-2b"] = "a-2b"
"""The kind of PDF/A: it embeds all fonts, and refuses a character that none of them shows."""

RESOLUTION = 150  # pixels an inch
DIGITS = 5  # of a box's sides, in fractions of the page
SAME_LINE = 0.5  # of a line's height: words whose tops differ less stand on one line
MOST_NAMED = 12

WORDS = """(
  words: query(<word>).zip(query(<word-end>)).map(((start, end)) => {
    let (from, to) = (start.location().position(), end.location().position())
    (start.value, from.page, from.x.pt(), from.y.pt(), to.x.pt(), to.y.pt())
  }),
  corners: query(<corner>).map(corner => {
    let place = corner.location().position()
    (place.x.pt(), place.y.pt())
  }),
)"""
"""What typst is asked for: each word of a leaf with its place, in points, and the size of each page."""

NO_GLYPH = re.compile(r'the text `"(.+?)"` could not be displayed')


class PrintingError(ValueError):
    """A document that cannot be printed; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a value's text: its page, of which the first is 0, and x, y, width and height in fractions of it."""

    pointer: str
    text: str
    page: int
    xywh: Box


@dataclass(frozen=True, slots=True)
class PrintedPages:
    """A document: its files, a PDF or a picture of each page, the lines of its values, and the number of pages."""

    files: tuple[bytes, ...]
    lines: tuple[Line, ...]
    page_count: int


def rounded(box: Box) -> Box:
    """Return a box with as many digits as a fixture has."""
    x, y, w, h = (round(side, DIGITS) for side in box)
    return x, y, w, h


@dataclass(frozen=True, slots=True)
class Print:
    """What is to be printed: an answer, by a template, in a style; `number` draws colours and the like.

    `specimen`: the page is marked as one, also by the general template.
    """

    content: Any
    title: str
    template: str = GENERAL
    style: Style = "classic"
    locale: str = "en_US"
    number: int = 0
    specimen: bool = False

    @property
    def variant(self) -> int:
        """Return the number that decides what differs between documents of a style."""
        return int.from_bytes(Seed(self.number).digest("variant", self.template)[:3], "big")


def crafted() -> list[str]:
    """Return the domains that have a template of their own."""
    return sorted(path.stem for path in TEMPLATES.glob("*.typ") if "." in path.stem)


def template_of(domain: str) -> str:
    """Return the template of a domain: its own, or the general one."""
    return domain if domain in crafted() else GENERAL


class Printer:
    """Prints documents; `fonts` are folders of further fonts, for characters that those at hand do not show.

    Raises PrintingError where the extra is not installed.
    """

    def __init__(self, fonts: Sequence[Path] = ()) -> None:
        folders = [str(folder) for folder in (FONTS, *fonts)]
        self._compilers: dict[str, typst.Compiler] = {}
        try:
            self._fonts = typst.Fonts(include_system_fonts=False, font_paths=folders)
        except ModuleNotFoundError:
            raise PrintingError(EXTRA) from None

    def print(self, job: Print, file_format: Literal["pdf", "png"] = "pdf") -> PrintedPages:
        """Return the document; raises PrintingError if no font shows one of its characters."""
        compiler = self._compiler(job.template)
        try:
            pdf, lines, page_count = _laid_out(compiler, job)
            pages = [pdf] if file_format == "pdf" else compiler.compile(format="png", ppi=RESOLUTION)
        except typst.TypstError as error:
            raise PrintingError(_explained(error, job)) from None
        except RecursionError:
            raise PrintingError("its parts are nested too deeply in each other to be laid out") from None
        files = tuple(pages) if isinstance(pages, list) else (pages or b"",)
        return PrintedPages(files, lines, page_count)

    def _compiler(self, template: str) -> typst.Compiler:
        if template not in self._compilers:
            self._compilers[template] = typst.Compiler(
                str(TEMPLATES / f"{template}.typ"),
                root=str(TEMPLATES),
                font_paths=self._fonts,
                ignore_system_fonts=True,
            )
        return self._compilers[template]


def _laid_out(compiler: typst.Compiler, job: Print) -> tuple[bytes, tuple[Line, ...], int]:
    """Return a document as PDF, the lines of its values, and the number of its pages.

    What a template leaves out it is given again, as blocks to print at its end.
    """
    reads = reader(job.content)
    wanted = {leaf.pointer for leaf in reads.leaves(job.content)}
    inputs = {
        "answer": json.dumps(reads.tree(job.content, job.locale)),
        "locale": job.locale,
        "style": job.style,
        "title": job.title,
        "variant": str(job.variant),
        "specimen": "yes" if job.specimen else "",
    }
    missing = wanted
    if job.template != GENERAL:
        pdf, lines, page_count = _compiled(compiler, inputs)
        missing = wanted - {line.pointer for line in lines}
        if not missing:
            return pdf, lines, page_count
    inputs["remaining"] = json.dumps(Layout(reads, job.locale, missing).blocks(job.content))
    pdf, lines, page_count = _compiled(compiler, inputs)
    missing = wanted - {line.pointer for line in lines}
    if missing:
        shown = ", ".join(sorted(missing)[:MOST_NAMED])
        raise PrintingError(f"the template {job.template} leaves out {shown}: rest() at its end prints what is left")
    return pdf, lines, page_count


def _compiled(compiler: typst.Compiler, inputs: dict[str, str]) -> tuple[bytes, tuple[Line, ...], int]:
    """Return what a template makes of inputs: the PDF, the lines of values, and the number of pages."""
    pdf = compiler.compile(
        format="pdf", sys_inputs=inputs, pdf_standards=STANDARD, timestamp=FROZEN_INSTANT, pdf_tags=False
    )
    found = json.loads(compiler.eval(WORDS))
    lines = tuple(_lines(found["words"], found["corners"]))
    return pdf if isinstance(pdf, bytes) else b"", lines, len(found["corners"])


def _lines(words: Sequence[Any], corners: Sequence[Sequence[float]]) -> Iterator[Line]:
    """Yield the lines that words make: those of one value that stand side by side."""
    open_line: _OpenLine | None = None
    for (pointer, text, gap), page, left, top, right, bottom in words:
        if open_line is not None and open_line.takes(pointer, page, left, top):
            open_line.add(gap + text, top, right, bottom)
            continue
        if open_line is not None:
            yield open_line.closed(corners)
        open_line = _OpenLine(pointer, text, page, left, top, right, bottom)
    if open_line is not None:
        yield open_line.closed(corners)


@dataclass(slots=True)
class _OpenLine:
    """A line that the next word may belong to; lengths are in points, and the first page is 1."""

    pointer: str
    text: str
    page: int
    left: float
    top: float
    right: float
    bottom: float

    def takes(self, pointer: str, page: int, left: float, top: float) -> bool:
        near = abs(top - self.top) < SAME_LINE * (self.bottom - self.top)
        return (pointer, page) == (self.pointer, self.page) and near and left > self.left

    def add(self, text: str, top: float, right: float, bottom: float) -> None:
        self.text += text
        self.top, self.right, self.bottom = min(top, self.top), right, max(bottom, self.bottom)

    def closed(self, corners: Sequence[Sequence[float]]) -> Line:
        """Return the line; what reaches beyond the page is not shown, and its box ends there."""
        width, height = corners[self.page - 1]
        left, right = (_fraction(side / width) for side in (self.left, self.right))
        top, bottom = (_fraction(side / height) for side in (self.top, self.bottom))
        xywh = (left, top, round(right - left, DIGITS), round(bottom - top, DIGITS))
        return Line(self.pointer, self.text, self.page - 1, xywh)


def _fraction(side: float) -> float:
    return round(min(max(side, 0), 1), DIGITS)


def _explained(error: typst.TypstError, job: Print) -> str:
    """Return what is wrong with a document, in words for who asked for it."""
    missing = "".join(dict.fromkeys(NO_GLYPH.findall(error.diagnostic or "")))
    if not missing:
        return f"the template {job.template} cannot print this: {error.message}"
    shown = missing[:MOST_NAMED]
    return (
        f"no font at hand shows {shown}{'…' if shown != missing else ''}: name a folder of fonts that do, with --fonts "
        "DIR or the keyword fonts; for Japanese that of Noto Sans JP will do"
    )
