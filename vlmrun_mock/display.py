"""Text of clients and users, made fit for a terminal, a log line and a sentence."""

from __future__ import annotations

from unicodedata import category

REPLACED = "�"
"""What stands for a character that a terminal might obey."""

UNSHOWN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""The Unicode categories that are escaped: controls, invisible formatting, halves of characters, and line breaks."""


def printable(text: str, most: int | None = None) -> str:
    """Return a text without control characters, and cut after `most` characters."""
    text = shortened(text, most)
    return text if text.isprintable() else "".join(each if each.isprintable() else REPLACED for each in text)


def shortened(text: str, most: int | None) -> str:
    """Return a text, or how it begins where it is longer than `most` characters."""
    return text if most is None or len(text) <= most else text[:most] + "…"


def escaped(text: str) -> str:
    r"""Return a text that fits on one line and holds nothing that a terminal obeys, such as `\x1b` for an escape."""
    return "".join(
        character.encode("unicode_escape").decode() if category(character) in UNSHOWN else character
        for character in text
    )


def count(number: int, noun: str, plural: str | None = None) -> str:
    """Return a number of things in words, such as `1 fixture` and `1,200 fixtures`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
