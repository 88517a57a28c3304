"""Numbers: the one nearest to what the field's name suggests that keeps all the bounds."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from typing import TYPE_CHECKING, Any

from vlmrun_mock.schema.generate.names import suggested_number
from vlmrun_mock.schema.generate.node import Shape
from vlmrun_mock.schema.references import SchemaProblem

if TYPE_CHECKING:
    from vlmrun_mock.schema.generate.builder import Builder, Spot

MOST_TRIES = 24
FINEST = 18  # decimal places looked at for a number between two bounds
CENT = Fraction(1, 100)


@dataclass(frozen=True, slots=True)
class Range:
    """The numbers that a shape allows: multiples of `step` from the first to the last."""

    first: int | None
    last: int | None
    step: Fraction

    @property
    def size(self) -> int | None:
        """How many numbers there are, or None for an endless range."""
        return None if self.first is None or self.last is None else max(self.last - self.first + 1, 0)

    def around(self, wanted: Fraction, shift: int) -> Iterator[Fraction]:
        """Yield numbers of the range, the one `shift` places after the nearest to `wanted` first."""
        near = round(wanted / self.step)
        near = near if self.first is None else max(near, self.first)
        near = near if self.last is None else min(near, self.last)
        for more in range(shift, shift + MOST_TRIES):
            index = near + more
            if self.size is not None and self.first is not None:
                index = self.first + (index - self.first) % self.size
            elif self.last is not None:
                index = near - more
            yield index * self.step


def make(builder: Builder, shape: Shape, spot: Spot, variation: int) -> float:
    """Return a number; raises SchemaProblem naming the bounds when none is left."""
    subject = builder.world.subject(spot.path)
    wanted, step = suggested_number(subject, whole=shape.kind == "integer")
    for example in _examples(shape) if variation == 0 else ():
        if builder.accepts(shape, example):
            return example
    numbers = _range(shape, step)
    if numbers.size is not None and not _is_inside(numbers, wanted):
        wanted = _anywhere(numbers, subject.random().random())
    for number in numbers.around(wanted, variation):
        value = _written(number)
        if builder.accepts(shape, value) and _divides_as_floats(shape, value):
            return value
    exact = next((v for n in numbers.around(wanted, variation) if builder.accepts(shape, v := _written(n))), None)
    if exact is None:
        raise SchemaProblem(shape.place, "no number was found that meets every bound")
    return exact


def _examples(shape: Shape) -> list[float]:
    values = [value for _, listed in shape.having("examples") if isinstance(listed, list) for value in listed]
    return [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]


def _divides_as_floats(shape: Shape, value: float) -> bool:
    """Say whether a validator that divides in binary agrees too, as jsonschema's does."""
    steps = [step for _, step in shape.having("multipleOf") if isinstance(step, float) and step]
    return all((value / step).is_integer() for step in steps)


def _range(shape: Shape, step: Fraction) -> Range:
    low, low_open = _bound(shape, "minimum", "exclusiveMinimum", max)
    high, high_open = _bound(shape, "maximum", "exclusiveMaximum", min)
    bounds = shape.place_of("minimum", "exclusiveMinimum", "multipleOf", "maximum", "exclusiveMaximum")
    if low is not None and high is not None and (low > high or (low == high and (low_open or high_open))):
        raise SchemaProblem(bounds, f"no number is at least {_written(low)} and at most {_written(high)}")
    for finer in _steps(shape, step):
        first = None if low is None else math.floor(low / finer) + 1 if low_open else math.ceil(low / finer)
        last = None if high is None else math.ceil(high / finer) - 1 if high_open else math.floor(high / finer)
        found = Range(first, last, finer)
        if found.size != 0:
            return found
    raise SchemaProblem(bounds, "no number between the bounds is a multiple of what is asked for")


def _bound(shape: Shape, keyword: str, exclusive: str, tightest: Any) -> tuple[Fraction | None, bool]:
    """Return the tightest bound and whether it is left out itself; draft 4's boolean counts in its own schema."""
    bounds: list[tuple[Fraction, bool]] = []
    for node, value in shape.having(keyword):
        bounds.append((Fraction(str(value)), node.schema.get(exclusive) is True))
    for _, value in shape.having(exclusive):
        if not isinstance(value, bool):
            bounds.append((Fraction(str(value)), True))
    if not bounds:
        return None, False
    best = tightest(value for value, _ in bounds)
    return best, any(is_open for value, is_open in bounds if value == best)


def _steps(shape: Shape, step: Fraction) -> list[Fraction]:
    """Return the steps to try: what `multipleOf` asks for, or ever finer ones."""
    asked = [Fraction(str(value)) for _, value in shape.having("multipleOf")]
    asked += [Fraction(1)] if shape.kind == "integer" else []
    if asked:
        return [reduce(_common_multiple, asked)]
    return [step, CENT, *(Fraction(1, 10**places) for places in range(3, FINEST)), Fraction(1, 10**320)]


def _common_multiple(one: Fraction, other: Fraction) -> Fraction:
    denominator = one.denominator * other.denominator
    return Fraction(math.lcm(int(one * denominator), int(other * denominator)), denominator)


def _is_inside(numbers: Range, wanted: Fraction) -> bool:
    return (numbers.first or 0) * numbers.step <= wanted <= (numbers.last or 0) * numbers.step


def _anywhere(numbers: Range, share: float) -> Fraction:
    """Return a number in the inner half of a range that has two ends."""
    first, last = numbers.first or 0, numbers.last or 0
    return (first + int((last - first) * (Fraction(1, 4) + Fraction(share) / 2))) * numbers.step


def _written(number: Fraction) -> float:
    return int(number) if number.denominator == 1 else float(number)
