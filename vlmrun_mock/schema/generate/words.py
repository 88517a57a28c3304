"""The words in a field's name."""

from __future__ import annotations

import re
from functools import lru_cache

from vlmrun_mock.schema.generate.terms import TERMS

WORD = re.compile(r"[A-ZÀ-ÖØ-Þ]+(?![a-zß-öø-ÿ])|[A-ZÀ-ÖØ-Þ]?[a-zß-öø-ÿ]+|\d+|[\u3005\u3040-\u30ff\u4e00-\u9fff]+")


def words_of(name: str) -> list[str]:
    """Return the lower-case words of a name in snake_case, camelCase or with spaces: `vendorName` has two.

    Words of the languages that TERMS knows are as their English ones, and so are names of several words.
    """
    return list(_words(name[:200]))


@lru_cache(maxsize=10_000)
def _words(name: str) -> tuple[str, ...]:
    words = [word.lower() for word in WORD.findall(name)]
    if len(words) > 1 and (known := TERMS.get("_".join(words))):
        return tuple(known.split())
    return tuple([meant for word in words for meant in TERMS.get(word, word).split()])


@lru_cache(maxsize=10_000)
def singular_words(name: str) -> tuple[str, ...]:
    """Return the words of a name, each in the singular."""
    return tuple(map(singular, words_of(name)))


def singular(word: str) -> str:
    """Return the singular of an English plural."""
    if word.endswith("ies") and len(word) > 4:  # noqa: PLR2004  # not "ties"
        return f"{word[:-3]}y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) else word
