"""Steps of long work have their turns one a round of the event loop, in the order in which they came."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from vlmrun_mock.web.turns import Turns


class Rounds:
    """Counts the rounds of an event loop while coroutines run in it."""

    def __init__(self) -> None:
        self.count = 0

    def run(self, *coroutines: Coroutine[Any, Any, None]) -> int:
        """Run them all, and return how many rounds that took."""
        return asyncio.run(self._run(*coroutines))

    async def _run(self, *coroutines: Coroutine[Any, Any, None]) -> int:
        work = asyncio.gather(*coroutines)
        while not work.done():
            self.count += 1
            await asyncio.sleep(0)
        return self.count


def test_there_is_one_step_a_round_however_many_want_one() -> None:
    turns, rounds = Turns(), Rounds()
    at: list[int] = []

    async def work() -> None:
        for _ in range(10):
            await turns.turn()
            at.append(rounds.count)

    rounds.run(*(work() for _ in range(5)))

    assert len(at) == 50
    assert len(set(at)) == 50


def test_each_has_its_turn_in_order() -> None:
    turns = Turns()
    had: list[str] = []

    async def work(name: str) -> None:
        for _ in range(3):
            await turns.turn()
            had.append(name)

    Rounds().run(*map(work, "abc"))

    assert "".join(had) == "abcabcabc"


def test_a_step_may_ask_for_the_next_one() -> None:
    turns = Turns()
    taken: list[int] = []

    def step() -> None:
        taken.append(len(taken))
        if len(taken) < 5:
            turns.put(step)

    async def begin() -> None:
        turns.put(step)
        await asyncio.sleep(0.01)

    asyncio.run(begin())

    assert taken == [0, 1, 2, 3, 4]


def test_one_that_no_longer_waits_holds_up_nobody() -> None:
    turns = Turns()

    async def run() -> None:
        leaving = asyncio.ensure_future(turns.turn())
        await asyncio.sleep(0)
        leaving.cancel()
        await asyncio.wait_for(turns.turn(), 10)

    asyncio.run(run())
