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
from vlmrun_mock.schema.generate.node import Check, Shape
from vlmrun_mock.schema.references import SchemaProblem

if TYPE_CHECKING:
    from vlmrun_mock.schema.generate.builder import Builder, Spot

MOST_TRIES = 24
TRY = 5  # the effort of a number that is no multiple
FINEST = 18  # decimal places tried for a number between two bounds
BOUNDS = ("minimum", "exclusiveMinimum", "multipleOf", "maximum", "exclusiveMaximum")
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

    def around(self, wanted: Fraction, shift: int, most: int = MOST_TRIES) -> Iterator[Fraction]:
        """Yield `most` numbers of the range, the one `shift` places after the nearest to `wanted` first."""
        near = round(wanted / self.step)
        near = near if self.first is None else max(near, self.first)
        near = near if self.last is None else min(near, self.last)
        for more in range(shift, shift + most):
            index = near + more
            if self.size is not None and self.first is not None:
                index = self.first + (index - self.first) % self.size
            elif self.last is not None:
                index = near - more
            yield index * self.step


def make(builder: Builder, shape: Shape, spot: Spot, variation: int) -> float:
    """Return a number; raises SchemaProblem, with the place of a bound, if no number meets the shape."""
    is_met = builder.check(shape)
    example = _example(shape, is_met) if variation == 0 else None
    if example is not None:
        return example
    wanted, numbers = _wanted(builder, shape, spot)
    divisors = [divisor for _, divisor in shape.having("multipleOf") if isinstance(divisor, float) and divisor]
    exact = None
    for number in numbers.around(wanted, variation):
        value = _written(number)
        if is_met(value):
            if all((value / divisor).is_integer() for divisor in divisors):
                return value  # a multiple also to a validator that divides in binary, such as jsonschema
            exact = value if exact is None else exact
        builder.budget.spend(shape.place, TRY)
    if exact is None:
        raise SchemaProblem(shape.place, "no number was found that meets every bound")
    return exact


def several(builder: Builder, shape: Shape, spot: Spot, count: int) -> list[float]:
    """Return different numbers, one after the other; fewer than `count` if the shape has no more."""
    wanted, numbers = _wanted(builder, shape, spot)
    most = count if numbers.size is None else min(count, numbers.size)
    return list(filter(builder.check(shape), map(_written, numbers.around(wanted, 0, most))))


def _wanted(builder: Builder, shape: Shape, spot: Spot) -> tuple[Fraction, Range]:
    """Return the number that the field's name suggests, and those that the shape allows."""
    subject = builder.world.subject(spot.path)
    wanted, step = suggested_number(subject, whole=shape.kind == "integer")
    described = descriptions.number(descriptions.of(shape), subject)
    if described is not None:
        wanted, step = described
    numbers: Range | None = shape.remembered.get(step)
    if numbers is None:
        numbers = shape.remembered[step] = _range(shape, step)
    if numbers.first is not None and numbers.last is not None:
        first, last = numbers.first, numbers.last
        if not first * numbers.step <= wanted <= last * numbers.step:
            share = Fraction(1, 4) + Fraction(subject.random().random()) / 2  # in the inner half of the range
            wanted = (first + int((last - first) * share)) * numbers.step
    return wanted, numbers


def _example(shape: Shape, is_met: Check) -> float | None:
    """Return the first of the schema's examples that is a number and meets it, or None."""
    if "example" not in shape.remembered:
        numbers = (each for each in shape.examples if isinstance(each, int | float) and not isinstance(each, bool))
        shape.remembered["example"] = next(filter(is_met, numbers), None)
    found: float | None = shape.remembered["example"]
    return found


def _range(shape: Shape, step: Fraction) -> Range:
    if shape.keywords.keys().isdisjoint(BOUNDS):
        return Range(None, None, Fraction(1) if shape.kind == "integer" else step)
    low, low_open = _bound(shape, "minimum", "exclusiveMinimum", max)
    high, high_open = _bound(shape, "maximum", "exclusiveMaximum", min)
    bounds = shape.place_of(*BOUNDS)
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
