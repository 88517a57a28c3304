"""A coroutine that runs at once, and needs a task only if it has to wait."""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from typing import Any, Generic, TypeVar

ResultT = TypeVar("ResultT")


class EagerCoroutine(Generic[ResultT]):
    """A coroutine that runs until it has to wait for something; whoever awaits this goes on from there.

    Python 3.12 has tasks that do so; here there is no task at all where nothing is waited for. What the coroutine does
    until then must not ask for its task. `result` is None until it is done, and where it failed: then to await this
    raises its exception.
    """

    def __init__(self, coroutine: Coroutine[Any, None, ResultT]) -> None:
        self.result: ResultT | None = None
        self._coroutine = coroutine
        self._error: Exception | None = None
        self._awaited: Any = None
        self._is_over = True
        try:
            self._awaited = coroutine.send(None)
            self._is_over = False
        except StopIteration as end:
            self.result = end.value
        except Exception as error:  # noqa: BLE001 - it is raised where the coroutine is awaited
            self._error = error

    def __await__(self) -> Generator[Any, None, ResultT]:
        """Go on, as `await` and `yield from` do."""
        if self._error is not None:
            raise self._error
        if self._is_over:
            return self.result  # type: ignore[return-value]  # the coroutine has returned it
        awaited = self._awaited
        try:
            while True:
                try:
                    yield awaited
                except BaseException as error:  # noqa: BLE001 - such as that the task is cancelled, which the coroutine handles
                    awaited = self._coroutine.throw(error)
                else:
                    awaited = self._coroutine.send(None)
        except StopIteration as end:
            self.result = end.value
            return end.value  # type: ignore[no-any-return]  # that is how a coroutine returns
