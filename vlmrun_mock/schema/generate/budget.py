"""The limit on the cost of one generation: in steps, not in time, so that every machine gives the same answer."""

from __future__ import annotations

from vlmrun_mock.schema.references import Place, SchemaProblem

MOST_VALUES = 6_000
MOST_STEPS = 20_000
MOST_TEXT = 1_000_000  # characters
MOST_EFFORT = 12_000  # to fill everything

# Effort is counted in units of about 2 microseconds; to look at a subschema takes 1.
VALUE = 5
CONTAINER = 6  # for a value that holds others, beside VALUE
ITEM = 8  # the least that a required value takes in all
CHOICE = 3
OPTION = 2  # for each option of a choice that is tried
COMPILING = 12  # for the keywords of a value that a validator has to check
PATTERN = 60  # for a text that matches a pattern
DRAW = 3  # for a generator of random numbers; the first of a value is in VALUE
NAME = 4  # for what Faker makes
RECORD = 7  # for what a locale's pools have
SPELLING = 3  # for the letters of a name
SUBSCHEMA = 2  # for each part of the schema: to load it, and to send its answer


class Exhausted(SchemaProblem):
    """Ends the search: the answer would be too large, or finding it would take too much."""


class Budget:
    """What is left of one attempt's allowance.

    Optional properties are filled on the first `fill_depth` levels. `effort` is what the attempt may take, about
    2 microseconds each. One that is `sparing` goes on without: it leaves out what is optional and was not made by an
    earlier attempt, and gives equal subschemas the same value.
    """

    def __init__(self, effort: int, fill_depth: int, *, sparing: bool = False) -> None:
        self.values = MOST_VALUES
        self.steps = MOST_STEPS
        self.text = MOST_TEXT
        self.effort = effort
        self.fill_depth = fill_depth
        self.is_sparing = sparing
        self.deepest = 0  # levels of the answers that were tried

    @property
    def is_tight(self) -> bool:
        """Whether a sparing attempt has taken all its effort."""
        return self.effort < 0 and self.is_sparing

    def step(self, place: Place, count: int = 1) -> None:
        """Count the choices examined; raises Exhausted."""
        self.steps -= count
        self.spend(place, count)
        if self.steps < 0:
            raise Exhausted(place, "too many combinations to look for an answer")

    def spend(self, place: Place, effort: int) -> None:
        """Count effort; raises Exhausted."""
        self.effort -= effort
        if self.effort < 0 and not self.is_sparing:
            raise Exhausted(place, "too many combinations to look for an answer")

    def foresee(self, place: Place, effort: int) -> None:
        """Raise Exhausted if something is sure to take more effort than is left."""
        if effort > self.effort and not self.is_sparing:
            raise Exhausted(place, "too many combinations to look for an answer")

    def value(self, place: Place, count: int = 1) -> None:
        """Count values; raises Exhausted."""
        self.values -= count
        if self.values < 0:
            raise Exhausted(place, f"an answer would have more than {MOST_VALUES:,} values")
        self.spend(place, VALUE)

    def write(self, place: Place, length: int) -> None:
        """Count the characters of a text; raises Exhausted."""
        self.text -= length
        if self.text < 0:
            raise Exhausted(place, "an answer would be larger than about 1 MB")
