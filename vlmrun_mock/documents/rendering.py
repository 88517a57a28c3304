"""Pages of a PDF as pictures, by PDFium, which the extra `documents` installs."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import math
from collections.abc import Iterator
from threading import Lock
from typing import TYPE_CHECKING, Any

from vlmrun_mock.lazy import lazy

if TYPE_CHECKING:
    import pypdfium2
    from PIL import Image
else:
    pypdfium2 = lazy("pypdfium2")

PDF = "application/pdf"

SDK_SCALE = 150 / 72
"""Pixels a point, of the pages that the official SDK makes of a PDF."""

_ONE_AT_A_TIME = Lock()
"""PDFium is not made for several threads."""


class UnreadablePdf(ValueError):
    """Bytes that are no PDF, or a page that it does not have or that cannot be shown."""


def is_installed() -> bool:
    """Return whether pages can be shown: that takes pypdfium2 and Pillow."""
    return importlib.util.find_spec("pypdfium2") is not None and importlib.util.find_spec("PIL") is not None


def sizes(data: bytes, most: int) -> list[tuple[int, int]]:
    """Return how many pixels wide and high the official SDK makes the first `most` pages; raises UnreadablePdf."""
    with _opened(data) as pdf:
        points = [pdf.get_page_size(number) for number in range(min(len(pdf), most))]
    return [(math.ceil(width * SDK_SCALE), math.ceil(height * SDK_SCALE)) for width, height in points]


def page(data: bytes, number: int) -> Image.Image:
    """Return a page as the official SDK makes it, the first being 0; raises UnreadablePdf."""
    with _opened(data) as pdf:
        return _shown(pdf, number, SDK_SCALE).convert("RGB")


def thumbnail(data: bytes, number: int, width: int) -> bytes:
    """Return a page as PNG, at most `width` pixels wide and three times as high; raises UnreadablePdf."""
    with _opened(data) as pdf:
        wide, high = pdf.get_page_size(number) if number < len(pdf) else (1.0, 1.0)
        buffer = io.BytesIO()
        _shown(pdf, number, width / max(wide, high / 3, 1)).save(buffer, "PNG")
    return buffer.getvalue()


def _shown(pdf: pypdfium2.PdfDocument, number: int, scale: float) -> Image.Image:
    if number >= len(pdf):
        raise UnreadablePdf(f"it has no page {number}")
    picture: Image.Image = pdf[number].render(scale=scale).to_pil()
    return picture


@contextlib.contextmanager
def _opened(data: bytes) -> Iterator[Any]:
    with _ONE_AT_A_TIME:
        try:
            pdf = pypdfium2.PdfDocument(data)
        except pypdfium2.PdfiumError as error:
            raise UnreadablePdf(str(error)) from None
        try:
            yield pdf
        except (pypdfium2.PdfiumError, MemoryError, OSError) as error:
            raise UnreadablePdf(str(error)) from None
        finally:
            pdf.close()
