"""Standard output as the server's log."""

from __future__ import annotations

import asyncio
import contextlib
import os
import queue
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from vlmrun_mock.display import count

TOGETHER = 0.05
"""Seconds within which lines are gathered and written together: too few to be seen, and they save a write a request."""

MOST_WAITING = 1_000
"""How many of these writes wait for a slow reader. Lines beyond them are counted and lost."""

PATIENCE = 1.0
"""How many seconds the end waits for a slow reader."""


class Console:
    """A log, whose lines go out shortly after they were written; `flush` is for the end.

    A thread writes them, so that a reader who has stopped reading stops no request.
    """

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._lost = 0
        self._writes: queue.Queue[Sequence[str]] = queue.Queue(MOST_WAITING)
        threading.Thread(target=self._write, name="vlmrun-mock-log", daemon=True).start()

    def log(self, line: str) -> None:
        """Write a line, from within the event loop."""
        if not self._lines:
            asyncio.get_running_loop().call_later(TOGETHER, self._hand_over)
        self._lines.append(line)

    def flush(self) -> None:
        """Write what has been gathered, as far as it is read in time."""
        self._wait()
        self._hand_over()
        self._wait()

    def _wait(self) -> None:
        """Wait until nothing is to be written, or the reader has been given its time."""
        with self._writes.all_tasks_done:
            self._writes.all_tasks_done.wait_for(lambda: not self._writes.unfinished_tasks, PATIENCE)

    def _hand_over(self) -> None:
        lines, self._lines = self._lines, []
        if self._lost and not self._writes.full():
            lines.insert(0, f"[{count(self._lost, 'line')} of this log are lost, as nobody read them in time]")
            self._lost = 0
        if not lines:
            return
        try:
            self._writes.put_nowait(lines)
        except queue.Full:
            self._lost += len(lines)

    def _write(self) -> None:
        while True:
            lines = self._writes.get()
            try:
                print("\n".join(lines), flush=True)  # noqa: T201 - the log of a command line tool
            except (OSError, ValueError):
                # A reader that has gone away must not stop the server.
                sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - open as long as the process
            finally:
                self._writes.task_done()


def from_other_threads(log: Callable[[str], None]) -> Callable[[str], None]:
    """Return a function for other threads that calls `log` in this event loop, and does nothing once that has ended."""
    loop = asyncio.get_running_loop()

    def call(line: str) -> None:
        with contextlib.suppress(RuntimeError):  # what a loop that was closed raises
            loop.call_soon_threadsafe(log, line)

    return call
