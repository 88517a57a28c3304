"""Ids of what clients create: files, predictions and the like."""

from __future__ import annotations

import uuid
from collections import Counter
from threading import Lock

from vlmrun_mock.seed import Stamp


class Ids:
    """Gives each thing an id that follows from what it is; the same thing again gets a further one."""

    def __init__(self, stamp: Stamp) -> None:
        self._stamp = stamp
        self._given: Counter[tuple[str, ...]] = Counter()
        self._lock = Lock()

    def next(self, *facts: str) -> str:
        """Return a UUID for a thing with these facts, of which the first is its kind."""
        if self._stamp.random_ids:
            return str(uuid.uuid4())
        with self._lock:
            number = self._given[facts]
            self._given[facts] += 1
        return self._stamp.seed.uuid(*facts, *([str(number)] if number else []))
