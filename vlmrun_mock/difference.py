"""Why a fixture does not match a request: in words and as data, part by part."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

EXCERPT = 200
"""How many characters of a request's text a difference shows."""

IN_ANOTHER_CASE, ORDINARY, ANOTHER_DOCUMENT, ANOTHER_NUMBER = 2, 4, 6, 7
"""What differences weigh: a wrong document more than a wrong text, and less than two; a text in another case least.

Another number of documents is worse than another document."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One reason why a fixture does not match a request: which part, wanted what, got what, and a sentence.

    `weight` says how far it keeps them apart.
    """

    part: str
    expected: Any
    actual: Any
    message: str
    weight: int = ORDINARY

    def as_json(self) -> dict[str, Any]:
        """Return the difference as data, for an error's body."""
        return {"part": self.part, "expected": self.expected, "actual": self.actual, "message": self.message}


def frozen(value: Any) -> Hashable:
    """Return a JSON value that can be hashed and compared as JSON: `true` is not 1, `1.0` is 1."""
    if isinstance(value, dict):
        return frozenset((key, frozen(child)) for key, child in value.items())
    if isinstance(value, list):
        return tuple(map(frozen, value))
    return (bool, value) if isinstance(value, bool) else value


def same(left: Any, right: Any) -> bool:
    """Return whether two JSON values are equal as JSON: `true` is not 1, `1.0` is 1."""
    return frozen(left) == frozen(right)


def quoted(value: object) -> str:
    """Return a JSON value as a sentence shows it."""
    return json.dumps(value, ensure_ascii=False)


def excerpt(value: Any) -> Any:
    """Return what a client sent fit for an answer: as it is, or where that is long or no JSON, how it begins."""
    text = value if isinstance(value, str) else quoted(value)
    # 1e999 is JSON on its way in, and infinity, which is none, from then on.
    return value if len(text) <= EXCERPT and (text is value or "Infinity" not in text) else text[:EXCERPT] + "…"


def count_of(number: int, what: str = "document") -> str:
    """Return so many things in words, such as `no documents`."""
    return f"{number or 'no'} {what}{'' if number == 1 else 's'}"


def _generation_differences(wanted: Any, actual: Any) -> list[Difference]:
    return [Difference("generation", wanted, actual, f"the generation is {actual}, not {wanted}")]


def _message_differences(wanted: Any, actual: Any) -> list[Difference]:
    found = []
    if len(wanted) != len(actual):
        message = f"the request has {count_of(len(actual), 'message')}, not {len(wanted)}"
        found.append(Difference("messages", len(wanted), len(actual), message))
    for index, (one, other) in enumerate(zip(wanted, actual, strict=False)):
        part, place = f"messages[{index}]", f"message {index + 1}"
        if one["role"] != other["role"]:
            said = f"{place} is from {other['role']}, not {one['role']}"
            found.append(Difference(f"{part}.role", one["role"], other["role"], said))
        if one["content"] != other["content"]:
            said, got = _spoken(one["content"]), _spoken(other["content"])
            in_another_case = said.casefold() == got.casefold()
            message = f"{place} says {_shown(got)}{' in another case' if in_another_case else f', not {_shown(said)}'}"
            weight = IN_ANOTHER_CASE if in_another_case else ORDINARY
            found.append(
                Difference(f"{part}.content", excerpt(one["content"]), excerpt(other["content"]), message, weight)
            )
    return found


def _place_differences(wanted: Any, actual: Any) -> list[Difference]:
    return [
        Difference(
            f"places[{index}]", one, other, f"document {index + 1} stands in message {other}, not in message {one}"
        )
        for index, (one, other) in enumerate(zip(wanted, actual, strict=False))
        if one != other
    ] or [Difference("places", wanted, actual, f"the request has {count_of(len(actual))}, not {len(wanted)}")]


def _spoken(content: Any) -> str:
    return content if isinstance(content, str) else quoted(content)


def _shown(text: str) -> str:
    return quoted(excerpt(text))


def _schema_differences(wanted: Any, actual: Any) -> list[Difference]:
    if not wanted or not actual:
        message = "the request has no schema of its own" if wanted else "the request has a schema of its own, not none"
        return [Difference("schema", excerpt(wanted), excerpt(actual), message)]
    place, one, other = _first_difference(wanted, actual)
    where = ".".join(("schema", *place))
    return [Difference(where, excerpt(one), excerpt(other), _compared(where, one, other))]


def _config_differences(wanted: Any, actual: Any) -> list[Difference]:
    found = []
    for name in {**wanted, **actual}:
        one, other = wanted.get(name), actual.get(name)
        if not same(one, other):
            where = f"config.{name}"
            found.append(Difference(where, excerpt(one), excerpt(other), _compared(where, one, other)))
    return found


def _json_object_differences(wanted: Any, actual: Any) -> list[Difference]:
    message = f"the request {'does not ask' if wanted else 'asks'} for a JSON object"
    return [Difference("json_object", wanted, actual, message)]


def _first_difference(wanted: Any, actual: Any) -> tuple[tuple[str, ...], Any, Any]:
    """Return the first place at which two JSON values differ, and what each has there; None where it has nothing."""
    if isinstance(wanted, dict) and isinstance(actual, dict):
        pairs = ((key, wanted.get(key), actual.get(key)) for key in {**wanted, **actual})
    elif isinstance(wanted, list) and isinstance(actual, list) and len(wanted) == len(actual):
        pairs = ((str(index), *pair) for index, pair in enumerate(zip(wanted, actual, strict=True)))
    else:
        return (), wanted, actual
    for key, one, other in pairs:
        if not same(one, other):
            place, at_one, at_other = _first_difference(one, other)
            return (key, *place), at_one, at_other
    return (), wanted, actual


def _compared(where: str, wanted: Any, actual: Any) -> str:
    if actual is None:
        return f"{where} is not given, and should be {_value(wanted)}"
    return f"{where} is {_value(actual)}, {'and should not be given' if wanted is None else f'not {_value(wanted)}'}"


def _value(value: Any) -> str:
    return _shown(value) if isinstance(value, str) else _spoken(excerpt(value))


PARTICULARS: Mapping[str, Callable[[Any, Any], list[Difference]]] = {
    "generation": _generation_differences,
    "messages": _message_differences,
    "places": _place_differences,
    "schema": _schema_differences,
    "config": _config_differences,
    "json_object": _json_object_differences,
}
"""What identifies a request beside its domain and documents, and what explains how two values of it differ."""
