"""Tokens of short texts in ASCII, counted by the ranks alone: ready in a fifth of the time tiktoken takes to load.

Most prompts are such texts, and a command or a test session that sees no others never loads the rest. Most of those are
sentences of common words, which are counted before there is a table of the ranks. The count is exactly tiktoken's, as a
property test proves.
"""

from __future__ import annotations

import base64
import itertools
import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache

LONGEST = 20_000
"""Characters up to which a text is short."""

LONGEST_SENTENCE = 400
"""Characters of a text whose words are looked for in the file of the ranks: beyond them, a table of all costs less."""

LONGEST_PIECE = 100
"""Characters up to which a piece of one is: merging takes more than its length."""

MOST_KEPT = 4_000
"""How many pieces are kept with their tokens: texts share most of their words."""

NO_TOKEN = 1_000_000
"""More than any rank."""

PIECES = re.compile(
    r"'(?:[sdmtSDMT]|[lL][lL]|[vV][eE]|[rR][eE])|[^\r\nA-Za-z0-9]?[A-Za-z]+|[0-9]{1,3}| ?[^\sA-Za-z0-9]+[\r\n]*"
    r"|\s+\Z|\s*[\r\n]|\s+(?!\S)|\s",
    re.ASCII,
)
"""How cl100k_base cuts a text in ASCII into pieces: as the pattern for tiktoken, whose letters are A to Z here."""

Ranks = Mapping[bytes, int]
"""The rank of each token, by its base64: it is written so in the file, and decoding all takes longest."""


def are_short(texts: Iterable[str]) -> bool:
    """Return whether all texts are short and in ASCII."""
    for text in texts:  # noqa: SIM110 - `all` would call a function for each
        if len(text) > LONGEST or not text.isascii():
            return False
    return True


class CommonWords:
    """Counts the tokens of short sentences in ASCII whose pieces are a token each, by looking these up in the file.

    `file` returns that of the ranks. What was looked up of a word, it need not look up again.
    """

    def __init__(self, file: Callable[[], bytes]) -> None:
        self._file = file
        self._is_token = lru_cache(maxsize=MOST_KEPT)(self._is_in_file)

    def count(self, text: str) -> int | None:
        """Return the number of tokens of a text, or None for one that is not for this way."""
        if len(text) > LONGEST_SENTENCE or not text.isascii():
            return None
        pieces = PIECES.findall(text)
        return len(pieces) if all(map(self._is_token, pieces)) else None

    def _is_in_file(self, piece: str) -> bool:
        file, token = self._file(), base64.b64encode(piece.encode())
        return b"\n%b " % token in file or file.startswith(b"%b " % token)


class Counter:
    """Counts the tokens of short texts by the ranks; what it counted of a word, it need not count again."""

    def __init__(self, ranks: Ranks) -> None:
        self._ranks = ranks
        self._tokens = lru_cache(maxsize=MOST_KEPT)(self._of_piece)

    def count(self, text: str) -> int | None:
        """Return the number of tokens of a text, or None for one that is not for this way."""
        if len(text) > LONGEST or not text.isascii():
            return None
        pieces = PIECES.findall(text)
        if len(text) > LONGEST_PIECE and max(map(len, pieces)) > LONGEST_PIECE:
            return None
        return sum(map(self._tokens, pieces))

    def _of_piece(self, piece: str) -> int:
        raw = piece.encode()
        return 1 if base64.b64encode(raw) in self._ranks else _merged(raw, self._ranks)


def _merged(piece: bytes, ranks: Ranks) -> int:
    """Return how many tokens are left of a piece after all merges, the lowest rank first."""
    parts = [piece[index : index + 1] for index in range(len(piece))]
    joined = [_rank(left + right, ranks) for left, right in itertools.pairwise(parts)]
    while joined and (lowest := min(joined)) < NO_TOKEN:
        index = joined.index(lowest)
        parts[index : index + 2] = [parts[index] + parts[index + 1]]
        del joined[index]
        if index:
            joined[index - 1] = _rank(parts[index - 1] + parts[index], ranks)
        if index < len(joined):
            joined[index] = _rank(parts[index] + parts[index + 1], ranks)
    return len(parts)


def _rank(token: bytes, ranks: Ranks) -> int:
    return ranks.get(base64.b64encode(token), NO_TOKEN)
