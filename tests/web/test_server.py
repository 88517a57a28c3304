"""The server beside which work is done."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event

from tests.process import PATIENCE
from vlmrun_mock.web.server import beside


def steps(taken: list[str], done: Event) -> Iterator[None]:
    taken.append("first")
    yield
    taken.append("second")
    done.set()


def test_steps_are_taken_beside_the_block() -> None:
    taken: list[str] = []
    done = Event()

    with beside(steps(taken, done)):
        assert done.wait(PATIENCE)

    assert taken == ["first", "second"]


def test_steps_that_wait_for_quiet_are_never_begun_where_the_block_ends_before() -> None:
    taken: list[str] = []

    with beside(steps(taken, Event()), after=PATIENCE):
        pass

    assert taken == []
