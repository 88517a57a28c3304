"""The latest values that took long to make: as many as may take memory together."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Generic, TypeVar

ValueT = TypeVar("ValueT")


class Latest(Generic[ValueT]):
    """Values by a text, each with a weight: those that were asked for last, as many as weigh `most` together."""

    def __init__(self, most: float) -> None:
        self._most = most
        self._lock = Lock()
        self._values: OrderedDict[str, tuple[ValueT, float]] = OrderedDict()
        self.weight = 0.0

    @property
    def values(self) -> dict[str, ValueT]:
        """Return all that are kept."""
        with self._lock:
            return {text: value for text, (value, _) in self._values.items()}

    def get(self, text: str) -> ValueT | None:
        """Return the value of a text, or None."""
        with self._lock:
            found = self._values.get(text)
            if found is None:
                return None
            self._values.move_to_end(text)
            return found[0]

    def put(self, text: str, value: ValueT, weight: float) -> None:
        """Keep the value of a text, and drop those that were not asked for longest."""
        with self._lock:
            _, before = self._values.pop(text, (None, 0.0))
            self._values[text] = value, weight
            self.weight += weight - before
            while self.weight > self._most:
                _, (_, oldest) = self._values.popitem(last=False)
                self.weight -= oldest
            if not self._values:
                self.weight = 0.0
