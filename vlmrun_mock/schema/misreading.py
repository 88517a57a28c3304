"""Misreading: a share of an answer's values is spoilt as by a vision model, and stays valid by the schema."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING, Any

from vlmrun_mock.schema.grounding import Box, Boxes
from vlmrun_mock.schema.references import Place
from vlmrun_mock.schema.validation import Validator

if TYPE_CHECKING:
    from vlmrun_mock.seed import Seed

LOOKALIKES: Mapping[str, str] = dict(zip("0O1lI5S8B2ZmnuvceaogqCG", "O0lIlS5B8Z2nmvuecoaqgGC", strict=True))
"""The character that each is mistaken for."""

UNREAD = 0.15
"""The share of spoilt values that are not read at all."""

MISTAKEN = 0.8
"""The share of spoilt texts in which a character is taken for another, where one has a lookalike; others lose one."""

EVEN = 0.5
"""The share where of two ways to misread each is as likely."""

TRIES = 6
LEAST_ROWS = 2
"""Rows that a list has at least, to lose one or to have two of them swapped."""


@dataclass(frozen=True, slots=True)
class Misreading:
    """A value that was misread: its place, what it was, and what it is now; of a list, how many items it had and has.

    `order` holds the former position of each item of a list.
    """

    place: Place
    truth: Any
    read: Any
    order: Sequence[int] = ()


def misread(
    content: Any, share: float, *, schema: Mapping[str, Any] | None, seed: Seed, facts: Sequence[str]
) -> tuple[Any, tuple[Misreading, ...]]:
    """Return a copy of content with that share of its values spoilt, and what was spoilt; the same for the same facts.

    A value whose spoiling would not meet the schema is left as it is.
    """
    random = seed.random("misread", *facts)
    places = [place for place, _ in _leaves(content, ())]
    lists = [place for place, value in _lists(content, ()) if len(value) >= LEAST_ROWS]
    chosen = [place for place in places if random.random() < share]
    rows = [place for place in lists if random.random() < share]
    is_valid = Validator(schema).is_valid if schema is not None else lambda _: True
    spoilt = copy.deepcopy(content)
    found = [each for place in chosen if (each := _spoil(spoilt, place, _value, random, is_valid))]
    for place in reversed(rows):
        if each := _spoil(spoilt, place, _rows, random, is_valid):
            found = [*_moved(found, place, each.order), each]
    return spoilt, tuple(found)


def _moved(found: Sequence[Misreading], rows: Place, kept: Sequence[int]) -> Iterator[Misreading]:
    """Yield what was spoilt, each where it is now that a list has only the rows `kept`, in that order."""
    depth = len(rows)
    for each in found:
        if each.place[:depth] != rows or len(each.place) == depth:
            yield each
        elif (index := each.place[depth]) in kept:
            yield replace(each, place=(*rows, kept.index(int(index)), *each.place[depth + 1 :]))


def moved(boxes: Boxes, spoilt: Sequence[Misreading]) -> Boxes:
    """Return the boxes of what was spoilt: each goes with its value, also in a row that is in another's place."""
    for each in reversed(spoilt):  # the place of a list within a list is that of today
        if each.order:
            boxes = _reordered(boxes, tuple(map(str, each.place)), each.order)
    return boxes


def _reordered(boxes: Boxes, place: tuple[str, ...], order: Sequence[int]) -> Boxes:
    """Return boxes after the items of a list at a place were brought into an order."""
    now = {str(was): str(index) for index, was in enumerate(order)}
    found: dict[tuple[str, ...], Sequence[Box]] = {}
    for where, values in boxes.items():
        if where[: len(place)] != place:
            found[where] = values
        elif where[len(place)] in now:
            moved_to = (*place, now[where[len(place)]], *where[len(place) + 1 :])
            found[moved_to] = values
    return found


def _spoil(
    content: Any,
    place: Place,
    change: Callable[[Any, Random], tuple[Any, Sequence[int]]],
    random: Random,
    is_valid: Callable[[Any], bool],
) -> Misreading | None:
    """Change a value in place, unless no change of it is valid."""
    around = content
    for key in place[:-1]:
        around = around[key]
    truth = around[place[-1]]
    for _ in range(TRIES):
        read, order = change(truth, random)
        if read == truth:
            continue
        around[place[-1]] = read
        if is_valid(content):
            return Misreading(place, len(truth), len(read), order) if order else Misreading(place, truth, read)
    around[place[-1]] = truth
    return None


def _value(value: Any, random: Random) -> tuple[Any, Sequence[int]]:
    """Return a value as it may be read; it has no order."""
    return _read(value, random), ()


def _read(value: Any, random: Random) -> Any:
    """Return a value as it may be read: a character mistaken, a decimal point shifted, or nothing at all."""
    if random.random() < UNREAD:
        return None
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return _number(value, random)
    mistakable = [index for index, letter in enumerate(value) if letter in LOOKALIKES]
    if mistakable and random.random() < MISTAKEN:
        at = random.choice(mistakable)
        return value[:at] + LOOKALIKES[value[at]] + value[at + 1 :]
    at = random.randrange(len(value)) if value else 0
    return value[:at] + value[at + 1 :]


def _number(value: float, random: Random) -> float:
    if isinstance(value, float) and random.random() < EVEN:
        return round(value * random.choice((10, 0.1)), 4)
    digits = str(value)
    at = random.choice([index for index, digit in enumerate(digits) if digit.isdigit()])
    read = digits[:at] + str((int(digits[at]) + random.choice((3, 5, 7))) % 10) + digits[at + 1 :]
    return type(value)(read)


def _rows(rows: list[Any], random: Random) -> tuple[list[Any], Sequence[int]]:
    """Return rows of which one is lost or two have changed places, and the former position of each."""
    at = random.randrange(len(rows) - 1)
    order = list(range(len(rows)))
    order[at : at + 2] = [at + 1] if random.random() < EVEN else [at + 1, at]
    return [rows[index] for index in order], order


def _leaves(value: Any, place: Place) -> Iterator[tuple[Place, Any]]:
    """Yield the values that are neither null nor contain others."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _leaves(inner, (*place, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _leaves(inner, (*place, index))
    elif value is not None and place:
        yield place, value


def _lists(value: Any, place: Place) -> Iterator[tuple[Place, list[Any]]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _lists(inner, (*place, name))
    elif isinstance(value, list):
        if place:
            yield place, value
        for index, inner in enumerate(value):
            yield from _lists(inner, (*place, index))
