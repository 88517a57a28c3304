"""Pictures of pages: read from what was printed, and encoded as files."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from vlmrun_mock.lazy import lazy

if TYPE_CHECKING:
    from PIL import Image
else:
    Image = lazy("PIL.Image")

QUALITY = 90
"""The quality of a JPEG, the same as the official SDK's."""


def decoded(files: Sequence[bytes]) -> list[Image.Image]:
    """Return the pictures in files, in true colours."""
    return [Image.open(io.BytesIO(file)).convert("RGB") for file in files]


def encoded(pages: Sequence[Image.Image], file_format: str, resolution: int) -> tuple[bytes, ...]:
    """Return a file for each page as png or jpg, or one pdf of all pages; `resolution` is in pixels an inch."""
    if file_format == "pdf":
        first, *others = pages
        return (_saved(first, "PDF", save_all=True, append_images=others, resolution=resolution),)
    kind = "PNG" if file_format == "png" else "JPEG"
    return tuple(_saved(page, kind, dpi=(resolution, resolution), quality=QUALITY) for page in pages)


def _saved(page: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    page.save(file, kind, **options)
    return file.getvalue()
