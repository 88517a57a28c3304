"""Long runs of one character, whose tokens repeat: a run is counted by its period instead of to its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache

STRIDE = 20_000
"""Characters between the places that are looked at: a run of twice as many is always found."""

ENDS = 2_000
"""Characters of a run that are counted one by one: those near its ends may join what stands beside them."""

PERIOD = 384
"""After how many characters the tokens of a run repeat: digits go by threes, all else by a power of two."""

PROBES = range(0, PERIOD, 53)
"""How much longer the runs are with which a period is tested before a character is counted by it."""


class Runs:
    """Shortens runs; `count` returns the tokens of a short text."""

    def __init__(self, count: Callable[[str], int]) -> None:
        self._count = count
        self._tokens = lru_cache(maxsize=1_000)(self._tokens_of_period)

    def shortened(self, text: str) -> tuple[str, int]:
        """Return a text with its long runs shortened, and the tokens that it has less."""
        parts: list[str] = []
        fewer = end = 0
        for start, stop in _runs(text):
            tokens = self._tokens(text[start])
            periods = (stop - start - ENDS) // PERIOD if tokens else 0
            parts += (text[end:start], text[start] * (stop - start - periods * PERIOD))
            fewer, end = fewer + periods * tokens, stop
        return ("".join((*parts, text[end:])), fewer) if parts else (text, 0)

    def _tokens_of_period(self, character: str) -> int:
        """Return how many tokens a run gains by a period, or 0 where that depends on its length."""
        lengths = [ENDS // 2 + probe for probe in PROBES]
        gained = {self._count(character * (each + PERIOD)) - self._count(character * each) for each in lengths}
        return gained.pop() if len(gained) == 1 else 0


def _runs(text: str) -> Iterator[tuple[int, int]]:
    """Yield where each long run of one character begins and ends."""
    end = 0
    for place in range(0, len(text) - STRIDE, STRIDE):
        character = text[place]
        if place < end or text[place + STRIDE - 1] != character or not text.startswith(character * STRIDE, place):
            continue
        before = text[max(end, place - STRIDE) : place]
        start = place - len(before) + len(before.rstrip(character))
        end = _end(text, character, place + STRIDE)
        yield start, end


def _end(text: str, character: str, place: int) -> int:
    """Return where a run ends that reaches a place; between two strides, other threads get their turn."""
    stride = character * STRIDE
    while text.startswith(stride, place):
        place += STRIDE
    return place + STRIDE - len(text[place : place + STRIDE].lstrip(character)) - max(0, place + STRIDE - len(text))
