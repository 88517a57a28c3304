"""What a field's description says of its value: a format, a list of words, a range."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from vlmrun_mock.schema.generate import phrases
from vlmrun_mock.schema.generate.node import Shape

if TYPE_CHECKING:
    from vlmrun_mock.schema.generate.world import Subject

LONGEST = 400
CHOICES = re.compile(
    r"\b(?:one of|either|options|allowed values|possible values|values)\s*[:=]?\s+([^.;\n()]+)", re.IGNORECASE
)
BETWEEN = re.compile(r"(-?\d+(?:\.\d+)?)\s*(?:\.\.|to|and|-)\s*(-?\d+(?:\.\d+)?)", re.IGNORECASE)
RANGES = re.compile(r"\b(?:between|from|range|scale|normalized|fraction|score)\b|\.\.", re.IGNORECASE)
MOST_CHOICES = 20
LONGEST_CHOICE = 40


def of(shape: Shape) -> str:
    """Return what a shape's schemas say of the value."""
    return " ".join(str(text) for _, text in shape.having("description"))[:LONGEST]


def texts(description: str, subject: Subject) -> Iterator[str]:
    """Yield the texts that a description asks for, none if it asks for nothing in particular."""
    if not description:
        return
    choices = _choices(description)
    if choices:
        yield subject.random("choice").choice(choices)
    day = phrases.date(subject)
    for mark, text in (
        (r"\bYYYY-MM-DD\b", day),
        (r"\bDD/MM/YYYY\b", f"{day[8:]}/{day[5:7]}/{day[:4]}"),
        (r"\bMM/DD/YYYY\b", f"{day[5:7]}/{day[8:]}/{day[:4]}"),
        (r"\bDD\.MM\.YYYY\b", f"{day[8:]}.{day[5:7]}.{day[:4]}"),
        (r"\bYYYY-MM\b", day[:7]),
        (r"\bHH:MM:SS\b", f"{phrases.time(subject)}:00"),
        (r"\bHH:MM\b", phrases.time(subject)),
        (r"\bISO[ -]?8601\b", day),
        (r"\bISO[ -]?4217\b", subject.country.currency),
        (r"\bISO[ -]?3166|two-letter country", subject.country.code),
        (r"\bISO[ -]?639\b", subject.country.language),
        (r"\byes or no\b|\byes/no\b", subject.random("choice").choice(("Yes", "No"))),
    ):
        if re.search(mark, description, re.IGNORECASE if "yes" in mark or "country" in mark else 0):
            yield text


def number(description: str, subject: Subject) -> tuple[Fraction, Fraction] | None:
    """Return a number between the bounds that a description states, and the step beside it, or None."""
    found = BETWEEN.search(description) if description and RANGES.search(description) else None
    if found is None:
        return None
    low, high = sorted(map(Fraction, found.groups()))
    step = Fraction(1, 100) if high - low <= 1 else Fraction(1)
    share = Fraction(1, 4) + Fraction(subject.random("range").randrange(50), 100)
    return low + int((high - low) * share / step) * step, step


def _choices(description: str) -> list[str]:
    """Return the words that a value is one of, as a description lists them."""
    found = CHOICES.search(description)
    if found is None:
        return []
    words = [word.strip(" '\"`") for word in re.split(r",|\||/|\bor\b|\band\b", found[1])]
    words = [word for word in words if word]
    is_list = 1 < len(words) <= MOST_CHOICES and all(len(word) <= LONGEST_CHOICE for word in words)
    return words if is_list else []
