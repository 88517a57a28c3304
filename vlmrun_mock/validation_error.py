"""What pydantic finds wrong with a value, for whoever wrote it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vlmrun_mock.json_text import dotted

if TYPE_CHECKING:
    from pydantic import ValidationError


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that is wrong: the keys and indices that lead to it, why, and pydantic's name for the kind."""

    place: tuple[str | int, ...]
    message: str
    kind: str


def mistakes(error: ValidationError, words: Mapping[str, str]) -> Iterator[Mistake]:
    """Yield what is wrong with a value; `words` say it for the kinds for which pydantic's message does not do."""
    for item in error.errors(include_url=False, include_context=False, include_input=False):
        place = tuple(step for step in item["loc"] if not _is_branch(step))
        yield Mistake(place, words.get(item["type"], item["msg"].removeprefix("Value error, ")), item["type"])


def reasons(error: ValidationError, words: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return each place at fault with the reasons of all branches of a union that were tried there."""
    found: dict[str, list[str]] = {}
    for mistake in mistakes(error, words):
        found.setdefault(dotted(mistake.place), []).append(mistake.message)
    return [(place, ", or ".join(each)) for place, each in found.items()]


def _is_branch(step: str | int) -> bool:
    """Return whether a step names a branch of a union, by its type or by a tag such as `<text>`, and no key."""
    return step in ("str", "[key]", "constrained-float") or str(step).startswith(("dict[", "list[", "<"))
