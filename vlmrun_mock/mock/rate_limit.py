"""Rate limits: how many requests a key may send in some time, as the plans of the API limit them."""

from __future__ import annotations

import math
import re
import time
from collections import deque
from collections.abc import Callable
from threading import Lock

import msgspec

SECONDS = {"s": 1, "min": 60, "hour": 3600, "sec": 1, "second": 1, "minute": 60, "h": 3600}
"""The length of each unit; the first name of a length is the one to display."""


class RateLimitError(ValueError):
    """A text is no rate limit; the message is for the user."""


class RateLimit(msgspec.Struct, frozen=True):
    """The most requests in any period of `seconds`; the documented plans allow 10 and 100 a minute."""

    requests: int
    seconds: int = 60

    def __str__(self) -> str:
        unit = next((unit for unit, seconds in SECONDS.items() if seconds == self.seconds), f"{self.seconds} s")
        return f"{self.requests}/{unit}"


def parse(text: str) -> RateLimit:
    """Parse a text such as `10/min`, `2/s` or `1000/hour`; raises RateLimitError."""
    found = re.fullmatch(r"\s*(\d{1,6})\s*/\s*([a-z]+)\s*", text, re.IGNORECASE | re.ASCII)
    if not found or found[2].lower() not in SECONDS or not int(found[1]):
        raise RateLimitError(f"{text[:40]!r} is not a rate limit such as 10/min, 2/s or 1000/hour")
    return RateLimit(int(found[1]), SECONDS[found[2].lower()])


class Window:
    """A sliding window of one key's requests; refused ones do not count."""

    def __init__(self, limit: RateLimit | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._clock = clock
        self._admitted: deque[float] = deque()
        self._lock = Lock()

    def admit(self) -> int:
        """Count a request and return 0, or refuse it and return the whole seconds until the limit allows one."""
        if self._limit is None:
            return 0
        with self._lock:
            now = self._clock()
            while self._admitted and now - self._admitted[0] >= self._limit.seconds:
                self._admitted.popleft()
            if len(self._admitted) < self._limit.requests:
                self._admitted.append(now)
                return 0
            return max(1, math.ceil(self._admitted[0] + self._limit.seconds - now))
