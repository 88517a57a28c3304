"""What clients create besides files: agents, skills, feedback, datasets, trainings; by id, and bounded."""

from __future__ import annotations

from threading import Lock
from typing import Generic, TypeVar

ThingT = TypeVar("ThingT")

MOST = 10_000
"""Things of one kind that are kept for one key; the oldest make room."""


class Records(Generic[ThingT]):
    """Things by their ids, in the order in which they came."""

    def __init__(self, most: int = MOST) -> None:
        self._things: dict[str, ThingT] = {}
        self._most = most
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._things)

    def add(self, thing_id: str, thing: ThingT) -> ThingT:
        """Keep a thing, in the place of one with the same id if there is one."""
        with self._lock:
            self._things[thing_id] = thing
            if len(self._things) > self._most:
                del self._things[next(iter(self._things))]
        return thing

    def get(self, thing_id: str) -> ThingT | None:
        """Return a thing by its id."""
        return self._things.get(thing_id)

    def newest_first(self) -> list[ThingT]:
        """Return all things."""
        with self._lock:
            return list(reversed(self._things.values()))
