"""Standard output as the server's log."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import sys
from collections.abc import Callable
from pathlib import Path

TOGETHER = 0.01
"""Seconds: what is logged within them goes out together, which nobody sees and which spares a write a request."""


class Console:
    """A log, whose lines go out shortly after they were written; `flush` is for the end."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        if isinstance(sys.stdout, io.TextIOWrapper):  # it is None where standard output was closed from the start
            # A character that the terminal cannot show must not end the log.
            sys.stdout.reconfigure(errors="backslashreplace")

    def log(self, line: str) -> None:
        """Write a line, from within the event loop."""
        if not self._lines:
            asyncio.get_running_loop().call_later(TOGETHER, self.flush)
        self._lines.append(line)

    def from_other_threads(self) -> Callable[[str], None]:
        """Return `log` for other threads, from within the event loop; when that has ended nothing is written."""
        loop = asyncio.get_running_loop()

        def log(line: str) -> None:
            with contextlib.suppress(RuntimeError):  # what a loop that was closed raises
                loop.call_soon_threadsafe(self.log, line)

        return log

    def flush(self) -> None:
        """Write what has been gathered."""
        if not self._lines:
            return
        lines, self._lines = self._lines, []
        try:
            print("\n".join(lines), flush=True)  # noqa: T201 - the log of a command line tool
        except (OSError, ValueError):
            # A reader that has gone away must not stop the server.
            sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - open as long as the process
