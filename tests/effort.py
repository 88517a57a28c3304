"""What work costs, in measures that other work on the same machine does not change."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

LEAST = 0.000_2
"""Seconds below which a clock tells nothing."""


def calls(work: Callable[[], object], of: Callable[..., object] | None = None) -> int:
    """Return how many functions are called, those of Python's own included; or how often one of ours is."""
    counted = 0
    code = getattr(of, "__code__", None)

    def count(frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal counted
        if code is None:
            counted += event in ("call", "c_call")
        else:
            counted += event == "call" and frame.f_code is code

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    return counted


def seconds(work: Callable[[], object], tries: int = 3) -> float:
    """Return how many seconds of the processor this thread needs at best."""
    found = []
    for _ in range(tries):
        started = time.thread_time()
        work()
        found.append(time.thread_time() - started)
    return max(min(found), LEAST)


def is_linear(work: Callable[[int], object], size: int) -> bool:
    """Return whether work on sixteen times as much takes far less than its square: 256 times as long.

    For work within one call, such as a regular expression's; `calls` is exact where functions are called.
    """
    return seconds(lambda: work(size)) < 64 * seconds(lambda: work(size // 16))
