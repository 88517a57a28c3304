"""Numbers: the one within all bounds that is nearest to what the field's name suggests."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from typing import TYPE_CHECKING, Any

from vlmrun_mock.schema.generate import descriptions
from vlmrun_mock.schema.generate.names import suggested_number
from vlmrun_mock.schema.generate.node import Shape
from vlmrun_mock.schema.references import SchemaProblem

if TYPE_CHECKING:
    from vlmrun_mock.schema.generate.builder import Builder, Spot

MOST_TRIES = 24
FINEST = 18  # decimal places tried for a number between two bounds
CENT = Fraction(1, 100)
FINER = (CENT, *(Fraction(1, 10**places) for places in range(3, FINEST)), Fraction(1, 10**320))
"""Finer and finer steps between numbers."""


@dataclass(frozen=True, slots=True)
class Range:
    """The numbers that a shape allows: multiples of `step` from the first to the last."""

    first: int | None
    last: int | None
    step: Fraction

    @property
    def size(self) -> int | None:
        """The count of numbers, or None for an infinite range."""
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
    """Return a number; raises SchemaProblem, with the place of a bound, if no number meets the shape."""
    subject = builder.world.subject(spot.path)
    wanted, step = suggested_number(subject, whole=shape.kind == "integer")
    described = descriptions.number(descriptions.of(shape), subject)
    if described is not None:
        wanted, step = described
    is_met = builder.check(shape)
    for example in shape.examples() if variation == 0 else ():
        if isinstance(example, int | float) and not isinstance(example, bool) and is_met(example):
            return example
    numbers = _range(shape, step)
    if numbers.first is not None and numbers.last is not None:
        first, last = numbers.first, numbers.last
        if not first * numbers.step <= wanted <= last * numbers.step:
            share = Fraction(1, 4) + Fraction(subject.random().random()) / 2  # in the inner half of the range
            wanted = (first + int((last - first) * share)) * numbers.step
    divisors = [divisor for _, divisor in shape.having("multipleOf") if isinstance(divisor, float) and divisor]
    exact = None
    for number in numbers.around(wanted, variation):
        value = _written(number)
        if is_met(value):
            if all((value / divisor).is_integer() for divisor in divisors):
                return value  # a multiple also to a validator that divides in binary, such as jsonschema
            exact = value if exact is None else exact
    if exact is None:
        raise SchemaProblem(shape.place, "no number was found that meets every bound")
    return exact


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
    """Return the tightest bound and whether it is exclusive; draft 4's boolean holds in its own schema only."""
    bounds = [(Fraction(str(value)), node.schema.get(exclusive) is True) for node, value in shape.having(keyword)]
    bounds += [(Fraction(str(value)), True) for _, value in shape.having(exclusive) if not isinstance(value, bool)]
    if not bounds:
        return None, False
    best = tightest(value for value, _ in bounds)
    return best, any(is_open for value, is_open in bounds if value == best)


def _steps(shape: Shape, step: Fraction) -> list[Fraction]:
    """Return the steps to try: what `multipleOf` asks for, or finer and finer ones."""
    asked = [Fraction(str(value)) for _, value in shape.having("multipleOf")]
    asked += [Fraction(1)] if shape.kind == "integer" else []
    if asked:
        return [reduce(_common_multiple, asked)]
    return [step, *FINER]


def _common_multiple(one: Fraction, other: Fraction) -> Fraction:
    denominator = one.denominator * other.denominator
    return Fraction(math.lcm(int(one * denominator), int(other * denominator)), denominator)


def _written(number: Fraction) -> float:
    return int(number) if number.denominator == 1 else float(number)
