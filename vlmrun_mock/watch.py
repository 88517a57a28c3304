"""Hot reload: a library follows its folders while the server runs."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

from vlmrun_mock.fixture_error import FixtureFolderError
from vlmrun_mock.library import Library

QUIET_MILLISECONDS = 50
"""How long nothing may happen before what did happen is looked at: several events in a burst are one reload."""

BURST_MILLISECONDS = 1_000
"""How long a burst may go on."""

PATIENCE = 0.3
"""Seconds that a file has to become whole before it is called broken."""

AGAIN = 1.0
"""Seconds in which the same complaint is not repeated: one save may send several bursts of events."""

TICK = 0.5
"""Seconds after which is looked whether the folders are still the same ones; a folder made anew sends no event."""

VAGUE = 2.0
"""Seconds after an event in which is looked again at each tick: where events come from polling, files are told apart
by whole seconds, and a second change within one sends no event."""

Roots: TypeAlias = list[tuple[Path, int, int]]
"""Where the folders really are, and what the file system knows them by."""


class _Stopped(Exception):
    """The watcher was told to end in the middle of a reload."""


@contextlib.contextmanager
def watching(library: Library, log: Callable[[str], None]) -> Iterator[None]:
    """Reload what changes in a library's folders, for the length of a `with` block.

    `log` gets one line for each reload that changed something, and for each file that is broken; it is called from a
    thread of the watcher's own, which ends with the block.
    """
    watcher = _Watcher(library, log)
    thread = threading.Thread(target=watcher.run, name="vlmrun-mock-watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        watcher.stopped.set()
        thread.join()


class _Watcher:
    """What the thread does. Events only tell when to look: what has changed is found by looking."""

    def __init__(self, library: Library, log: Callable[[str], None]) -> None:
        self._library = library
        self._log = log
        self._told = ""
        self._told_at = 0.0
        self._polls = False
        self.stopped = threading.Event()

    def run(self) -> None:
        """Follow the folders until told to stop, also where they go away and come back."""
        with contextlib.suppress(_Stopped):
            while not self.stopped.is_set():
                roots = self._roots()
                try:
                    if roots:
                        self._follow(roots)
                    else:
                        self._look()
                        self.stopped.wait(TICK)
                except FileNotFoundError:  # gone since
                    self.stopped.wait(TICK)
                except (OSError, RuntimeError) as error:  # watchfiles raises both for what a platform cannot do
                    self._poll_from_now_on(error)

    def _roots(self) -> Roots | None:
        """Return the folders as they are now; None if one is gone."""
        with contextlib.suppress(OSError):
            resolved = [Path(os.path.realpath(folder, strict=True)) for folder in self._library.folders]
            return [(path, found.st_dev, found.st_ino) for path in resolved for found in [path.stat()]]
        return None

    def _follow(self, roots: Roots) -> None:
        """Look whenever something happens in the folders, until they are no longer the same ones."""
        import watchfiles  # noqa: PLC0415 - heavy: only with --watch

        folders = [path for path, _, _ in roots]
        vague_until = time.monotonic() + VAGUE  # what happened before the watch began is looked for, too
        for changes in watchfiles.watch(
            *folders,
            watch_filter=None,
            debounce=BURST_MILLISECONDS,
            step=QUIET_MILLISECONDS,
            rust_timeout=int(TICK * 1000),
            yield_on_timeout=True,
            stop_event=self.stopped,
            raise_interrupt=False,
            force_polling=True if self._polls else None,
            ignore_permission_denied=True,
        ):
            paths = [Path(path) for _, path in changes]
            if paths:
                vague_until = time.monotonic() + VAGUE
            if time.monotonic() < vague_until:
                self._look(paths)
            if self._roots() != roots or not set(folders).isdisjoint(paths):
                return

    def _look(self, paths: Sequence[Path] = ()) -> None:
        """Reload, and say what came of it; a file that is half written is given the time to become whole."""
        try:
            self._reload()
        except FixtureFolderError:
            self.stopped.wait(PATIENCE)
            try:
                self._reload()
            except FixtureFolderError as error:
                self._complain(error, again=any(path.suffix == ".json" for path in paths))

    def _reload(self) -> None:
        swap = self._library.reload(self._go_on)
        if swap or self._told:
            self._told = ""
            self._say(f"fixtures reloaded: {swap}")

    def _go_on(self) -> None:
        if self.stopped.is_set():
            raise _Stopped

    def _complain(self, error: FixtureFolderError, *, again: bool) -> None:
        """Say what is wrong, once, or `again` where somebody has tried to repair it."""
        first, more = error.problems[0], len(error.problems) - 1
        line = f"fixtures not reloaded: {first}" + (f" (and {more} more)" if more else "")
        if line != self._told or (again and time.monotonic() > self._told_at + AGAIN):
            self._told, self._told_at = line, time.monotonic()
            self._say(f"{line}; the last good ones go on answering")

    def _poll_from_now_on(self, error: Exception) -> None:
        if not self._polls:
            self._say(f"the file system sends no events, so the folders are polled: {error}")
        self._polls = True
        self.stopped.wait(TICK)

    def _say(self, line: str) -> None:
        # A file may be called anything; what it is called must not reach a terminal's controls.
        printable = "".join(character if character.isprintable() else "�" for character in line)
        self._log(f"{time.strftime('%H:%M:%S')}  {printable}")
