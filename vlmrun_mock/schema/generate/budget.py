"""The limit on the cost of one generation: in steps, not in time, so that every machine gives the same answer."""

from __future__ import annotations

from vlmrun_mock.schema.references import Place, SchemaProblem

MOST_VALUES = 6_000
MOST_STEPS = 20_000
MOST_TEXT = 1_000_000  # characters


class Exhausted(SchemaProblem):
    """Ends the search: the answer would be too large, or finding it would take too many steps."""


class Budget:
    """What is left of one generation's allowance."""

    def __init__(self, share: float) -> None:
        self.values = int(MOST_VALUES * share)
        self.steps = int(MOST_STEPS * share)
        self.text = MOST_TEXT

    def step(self, place: Place, count: int = 1) -> None:
        """Count the choices examined; raises Exhausted."""
        self.steps -= count
        if self.steps < 0:
            raise Exhausted(place, "too many combinations to look for an answer")

    def value(self, place: Place) -> None:
        """Count a value; raises Exhausted."""
        self.values -= 1
        if self.values < 0:
            raise Exhausted(place, f"an answer would have more than {MOST_VALUES:,} values")

    def write(self, place: Place, text: str) -> str:
        """Count the characters of a text and return it; raises Exhausted."""
        self.text -= len(text)
        if self.text < 0:
            raise Exhausted(place, "an answer would be larger than about 1 MB")
        return text
