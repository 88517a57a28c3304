"""A coroutine that runs at once, and needs a task only if it has to wait."""

from __future__ import annotations

import asyncio

import pytest

from vlmrun_mock.web.eager import EagerCoroutine


async def answered(seconds: float | None, steps: list[str]) -> str:
    """Return an answer, at once where there are no seconds to wait."""
    steps.append("begun")
    try:
        if seconds is not None:
            await asyncio.sleep(seconds)
            await asyncio.sleep(0)
    except asyncio.CancelledError:
        steps.append("cancelled")
        raise
    finally:
        steps.append("ended")
    return "answer"


async def refused() -> str:
    """Raise an error."""
    raise ValueError("no")


def test_what_waits_for_nothing_is_done_at_once() -> None:
    steps: list[str] = []

    eager = EagerCoroutine(answered(None, steps))

    assert (eager.result, steps) == ("answer", ["begun", "ended"])


@pytest.mark.parametrize("seconds", [None, 0, 0.001])
def test_whoever_awaits_it_gets_its_result(seconds: float | None) -> None:
    steps: list[str] = []

    async def awaited() -> str:
        eager = EagerCoroutine(answered(seconds, steps))
        assert steps[0] == "begun"
        return await eager

    assert asyncio.run(awaited()) == "answer"
    assert steps == ["begun", "ended"]


def test_its_error_is_raised_where_it_is_awaited() -> None:
    async def awaited() -> str:
        eager = EagerCoroutine(refused())
        assert eager.result is None
        return await eager

    with pytest.raises(ValueError, match="no"):
        asyncio.run(awaited())


def test_a_task_that_is_cancelled_cancels_it() -> None:
    steps: list[str] = []

    async def cancelled() -> None:
        eager = EagerCoroutine(answered(10, steps))

        async def awaited() -> str:
            return await eager

        task = asyncio.create_task(awaited())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())

    assert steps == ["begun", "cancelled", "ended"]
