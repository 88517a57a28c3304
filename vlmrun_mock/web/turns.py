"""Work in steps within the event loop: one step a round, however many large bodies there are."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable


class Turns:
    """The steps that wait for their turn: a small request waits for one of them, and not for one of each large body.

    Each server has turns of its own, as they are those of one event loop.
    """

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque()

    def put(self, step: Callable[[], None]) -> None:
        """Let a step have its turn after those that wait."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._next)
        self._waiting.append(step)

    async def turn(self) -> None:
        """Wait for a turn."""
        arrived = asyncio.Event()
        self.put(arrived.set)
        await arrived.wait()

    def _next(self) -> None:
        step = self._waiting.popleft()
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._next)
        step()
