"""Two JSON values compared: where their shapes differ, which is keys and types, and where only their values do."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

PLAIN = re.compile(r"\w[\w-]*")
"""A key that needs no quotes in a place."""

LONGEST_KEY = 100
EXCERPT = 100
"""Characters of a key in a place, and of a value in a sentence."""

Place: TypeAlias = tuple[str | int | None, ...]
"""A path in a JSON value; None stands for every item of a list."""


@dataclass(frozen=True, slots=True)
class Change:
    """A place at which something was recorded and something else is there now; None where there is nothing.

    Of a shape it says the types, of a value the value itself.
    """

    place: Place
    recorded: Any
    now: Any
    message: str

    def as_json(self) -> dict[str, Any]:
        """Return the change as data."""
        place = dotted(self.place)
        return {"place": place, "recorded": self.recorded, "now": self.now, "message": self.message}


def dotted(place: Place) -> str:
    """Return a place as it is written, such as `content.items[].quantity`."""
    text = ""
    for step in place:
        if isinstance(step, str) and PLAIN.fullmatch(step):
            text += f".{step[:LONGEST_KEY]}" if text else step[:LONGEST_KEY]
        else:
            text += f"[{'' if step is None else json.dumps(step[:LONGEST_KEY] if isinstance(step, str) else step)}]"
    return text


def excerpt(value: Any) -> str:
    """Return how a JSON value begins, as JSON."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= EXCERPT else text[:EXCERPT] + "…"


def type_of(value: Any) -> str | None:
    """Return the type of a JSON value: whole numbers are numbers, and null, which says that one is missing, is None."""
    if value is None or isinstance(value, bool):
        return None if value is None else "boolean"
    if isinstance(value, dict):
        return "object"
    if isinstance(value, list):
        return "list"
    return "string" if isinstance(value, str) else "number"


def shape_changes(recorded: Sequence[Any], now: Sequence[Any], place: Place = ()) -> Iterator[Change]:
    """Yield where the shape of values differs from that of those recorded.

    They are all that stands at a place: the items of lists are taken together, and an empty list has no shape. What
    was in some items may be in any number of them now.
    """
    before, after = _types(recorded), _types(now)
    if not before or not after:
        return
    if not after <= before:
        message = f"{dotted(place)} is {_in_words(after)}, and was {_in_words(before)}"
        yield Change(place, _either(before), _either(after), message)
    yield from _key_changes(_objects(recorded), _objects(now), place)
    yield from shape_changes(_items(recorded), _items(now), (*place, None))


def _types(values: Sequence[Any]) -> set[str]:
    return {found for found in map(type_of, values) if found}


def _either(types: Collection[str]) -> str:
    return " or ".join(sorted(types)) or "null"


def _in_words(types: Collection[str]) -> str:
    return " or ".join(f"{'an' if name == 'object' else 'a'} {name}" for name in sorted(types)) or "null"


def _objects(values: Sequence[Any]) -> list[Mapping[str, Any]]:
    return [each for each in values if isinstance(each, dict)]


def _items(values: Sequence[Any]) -> list[Any]:
    return [item for each in values if isinstance(each, list) for item in each]


def _key_changes(
    recorded: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]], place: Place
) -> Iterator[Change]:
    if not recorded or not now:
        return
    for key in dict.fromkeys(key for each in (*recorded, *now) for key in each):
        before, after = ([each[key] for each in side if key in each] for side in (recorded, now))
        at = (*place, key)
        if not before:
            types = _types(after)
            yield Change(at, None, _either(types), f"{dotted(at)} is new: {_in_words(types)}")
        elif len(before) == len(recorded) and len(after) < len(now):
            where = f" in {len(now) - len(after)} of {len(now)}" if after else ""
            yield Change(at, _either(_types(before)), None, f"{dotted(at)} is missing{where}")
        if before and after:
            yield from shape_changes(before, after, at)


def value_changes(recorded: Any, now: Any, shaped: Collection[Place], place: Place = ()) -> Iterator[Change]:
    """Yield where two values differ, pair by pair, apart from what is `shaped`: the places where their shapes do."""
    if isinstance(recorded, dict) and isinstance(now, dict):
        yield from _member_changes(recorded, now, shaped, place)
    elif isinstance(recorded, list) and isinstance(now, list):
        if len(recorded) != len(now):
            message = f"the length of {dotted(place)} is {len(now)}, and was {len(recorded)}"
            yield Change(place, len(recorded), len(now), message)
        for index, pair in enumerate(zip(recorded, now, strict=False)):
            yield from value_changes(*pair, shaped, (*place, index))
    elif not _is_same(recorded, now) and not _is_of_shape(recorded, now, shaped, place):
        message = f"{dotted(place)} is {excerpt(now)}, and was {excerpt(recorded)}"
        yield Change(place, recorded, now, message)


def _member_changes(
    recorded: Mapping[str, Any], now: Mapping[str, Any], shaped: Collection[Place], place: Place
) -> Iterator[Change]:
    for key in {**recorded, **now}:
        at = (*place, key)
        if key in recorded and key in now:
            yield from value_changes(recorded[key], now[key], shaped, at)
        elif _general(at) not in shaped:
            message = f"{dotted(at)} is {'missing' if key in recorded else 'new'}"
            yield Change(at, recorded.get(key), now.get(key), message)


def _is_same(recorded: Any, now: Any) -> bool:
    return type_of(recorded) == type_of(now) and recorded == now


def _is_of_shape(recorded: Any, now: Any, shaped: Collection[Place], place: Place) -> bool:
    """Return whether a difference is one of shape that has been found at a place."""
    types = (type_of(recorded), type_of(now))
    return None not in types and types[0] != types[1] and _general(place) in shaped


def _general(place: Place) -> Place:
    """Return a place with every item of a list in the place of each."""
    return tuple(None if isinstance(step, int) else step for step in place)
