"""The formats and styles in which documents are printed, and how scanned they look."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

Format: TypeAlias = Literal["pdf", "png", "jpg"]
Style: TypeAlias = Literal["classic", "modern", "compact"]
Strength: TypeAlias = Literal["light", "heavy"]

STYLES: tuple[Style, ...] = ("classic", "modern", "compact")
STRENGTHS: tuple[Strength, ...] = ("light", "heavy")

MEDIA_TYPES: Mapping[Format, str] = {"pdf": "application/pdf", "png": "image/png", "jpg": "image/jpeg"}
"""The media type of each format."""
