"""The words in a field's name."""

from __future__ import annotations

import re

WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def words_of(name: str) -> list[str]:
    """Return the lower-case words of a name in snake_case, camelCase or with spaces: `vendorName` has two."""
    return [word.lower() for word in WORD.findall(name[:200])]


def singular(word: str) -> str:
    """Return the word for one of what an English plural names."""
    if word.endswith("ies") and len(word) > 4:  # noqa: PLR2004  # not "ties"
        return f"{word[:-3]}y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) else word
