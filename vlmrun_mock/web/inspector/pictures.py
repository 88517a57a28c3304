"""The pictures of a request for the page: only types that a browser shows without running anything, and PDF pages."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING

from vlmrun_mock.documents import rendering
from vlmrun_mock.documents.identity import Document
from vlmrun_mock.documents.pages import count
from vlmrun_mock.documents.rendering import PDF
from vlmrun_mock.fixtures.domains import Domain
from vlmrun_mock.lazy import lazy
from vlmrun_mock.mock.mock import Mock
from vlmrun_mock.web.inspector.wire import SentBody

if TYPE_CHECKING:
    from vlmrun_mock.documents import printer
    from vlmrun_mock.fixtures import printed
else:
    printed = lazy("vlmrun_mock.fixtures.printed")
    printer = lazy("vlmrun_mock.documents.printer")

SAFE = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp", "image/avif"})
"""The types that are sent as they came; a picture that can hold scripts, as SVG can, is not among them."""

MOST_PAGES = 50
"""Pages of a PDF that can be looked at."""

PAGE_WIDTH = 1_200
"""Pixels that the picture of a page is wide, at most."""


def bytes_of(document: Document, sent: SentBody | None, mock: Mock) -> bytes | None:
    """Return the bytes of a document: those that were sent, or that a file has which was uploaded."""
    found = sent.documents.get(document.identity) if sent else None
    if found is not None:
        return found.data
    content = mock.content_of(document.identity)
    return content.read() if content is not None else None


def is_shown(document: Document) -> bool:
    """Return whether a document is of a type that can be shown, and was sent with its bytes."""
    kind = document.media_type
    return document.identity.startswith("sha256:") and (kind in SAFE or (kind == PDF and has_pdf_reader()))


def pages(data: bytes, media_type: str | None) -> int:
    """Return how many pages can be shown: 1 for a picture, 0 for what cannot be shown."""
    if media_type in SAFE:
        return 1
    if media_type == PDF and has_pdf_reader():
        return min(count(data), MOST_PAGES)
    return 0


@cache
def has_pdf_reader() -> bool:
    """Return whether the extra is installed that turns a page of a PDF into a picture."""
    return rendering.is_installed()


def page_of(data: bytes, number: int) -> bytes | None:
    """Return a page of a PDF as PNG, the first being 0; None for what has no such page or cannot be read."""
    if number >= MOST_PAGES:
        return None
    try:
        return rendering.thumbnail(data, number, PAGE_WIDTH)
    except rendering.UnreadablePdf:
        return None


@cache
def has_printer() -> bool:
    """Return whether the extra is installed that prints documents."""
    return find_spec("typst") is not None


def printed_page(domain: Domain) -> bytes | None:
    """Return the first page of a document of a domain as PNG; None without the extra."""
    try:
        return printed.Press(printer.Printer(), "png").of_domain(domain, 0).files[0]
    except printer.PrintingError:
        return None
