"""Text that others wrote made fit for a terminal, a log line and a sentence."""

from __future__ import annotations

REPLACED = "�"
"""What stands for a character that a terminal might obey."""


def printable(text: str, most: int | None = None) -> str:
    """Return a text without control characters, and cut after `most` characters."""
    return "".join(character if character.isprintable() else REPLACED for character in shortened(text, most))


def shortened(text: str, most: int | None) -> str:
    """Return a text, or how it begins where it is longer than `most` characters."""
    return text if most is None or len(text) <= most else text[:most] + "…"


def count(number: int, noun: str, plural: str | None = None) -> str:
    """Return a number of things in words, such as `1 fixture` and `1,200 fixtures`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
