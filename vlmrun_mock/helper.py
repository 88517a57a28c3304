"""A process beside the server, for what would take the interpreter from its event loop for long."""

from __future__ import annotations

import contextlib
import gc
import itertools
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from typing import IO, Any, ParamSpec, TypeVar, cast

Arguments = ParamSpec("Arguments")
ResultT = TypeVar("ResultT")

CODE = "import sys; sys.path[:] = sys.argv[1:]; from vlmrun_mock.helper import work; work()"
"""What the process runs: it finds this package where this process did."""

HERE_ON = b"vlmrun-mock answers from here on\n"
"""What comes before the first answer, after whatever starting Python may have printed."""

NO_CTRL_C = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
"""On Windows, keeps the process from what ends the server."""

PATIENCE = 2.0
"""Seconds that an answer is waited for: what the most costly take beside a server that is kept busy."""

TURN = 0.0005
"""Seconds after which others have the processor: on a single one, a small request waits for so long."""

CALLS = 50
"""How many calls there are until all that they left is looked through; after each, it is what that one left."""

REST = 10.0
"""Seconds after an answer that came too late, or a process that ended, in which nothing is asked."""


class Helper:
    """Calls functions in another process, or in this one where that takes too long.

    That process starts when it is first needed. It gives way to all others, so on a busy machine it is no help. The
    functions are pure and of this package: nobody can tell where they ran.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._talking = ThreadPoolExecutor(1, "vlmrun-mock-helper")
        self._is_allowed = self._is_ready = False
        self._process: subprocess.Popen[bytes] | None = None
        self._asked: Future[Any] | None = None
        self._rests_until = 0.0

    @contextlib.contextmanager
    def allowed(self) -> Iterator[None]:
        """Let there be another process within a `with` block, at whose end it ends."""
        self._is_allowed = bool(sys.executable)
        try:
            yield
        finally:
            with self._lock:
                self._is_allowed = False
                process, asked = self._process, self._asked
            if process:
                process.kill()
            if asked:
                with contextlib.suppress(Exception):  # of a call that nobody waits for
                    asked.result()
            self._end()

    def call(
        self, function: Callable[Arguments, ResultT], *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> ResultT:
        """Return what a function returns, or raise what it raises here."""
        with self._lock:
            asked = self._ask(function, args, kwargs)
            is_waited_for = self._is_ready
        if asked is not None and is_waited_for:
            try:
                return cast("ResultT", asked.result(PATIENCE))
            except TooLate:
                self._rests_until = time.monotonic() + REST
            except Exception:  # noqa: BLE001, S110 - whatever is wrong with another process, this one can answer
                pass
        return function(*args, **kwargs)

    def _ask(self, *call: object) -> Future[Any] | None:
        """Return the answer to come; None where none is asked for, as the last one is still to come."""
        is_busy = self._asked is not None and not self._asked.done()
        if not self._is_allowed or is_busy or time.monotonic() < self._rests_until:
            return None
        self._asked = self._talking.submit(self._answer, *call)
        return self._asked

    def _answer(self, *call: object) -> Any:
        try:
            if self._process is None:
                self._start()
            process = cast("subprocess.Popen[bytes]", self._process)
            calls, results = cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)
            calls.write(pickle.dumps(call, pickle.HIGHEST_PROTOCOL))
            calls.flush()
            answer = pickle.load(results)  # noqa: S301 - written by this package's own code
        except Exception:
            self._rests_until = time.monotonic() + REST
            self._end()
            raise
        self._is_ready = True
        return answer

    def _start(self) -> None:
        path = [each for each in sys.path if isinstance(each, str)]
        with self._lock, _without_ctrl_c():
            if not self._is_allowed:
                raise EOFError
            self._process = subprocess.Popen(  # noqa: S603 - this package's own code
                [sys.executable, "-I", "-c", CODE, *path],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # what fails there is done here, where it is seen
                creationflags=NO_CTRL_C,
            )
        results = cast("IO[bytes]", self._process.stdout)
        while not (line := results.readline()).endswith(HERE_ON):
            if not line:
                raise EOFError

    def _end(self) -> None:
        self._is_ready = False
        process, self._process = self._process, None
        if process:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                with contextlib.suppress(OSError):  # what it was not sent yet
                    cast("IO[bytes]", pipe).close()


HELPER = Helper()


@contextlib.contextmanager
def _without_ctrl_c() -> Iterator[None]:
    """Let the terminal not interrupt what this thread starts within a `with` block: the server ends it."""
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def work() -> None:
    """Answer the calls on standard input until it ends, on standard output."""
    calls, results = sys.stdin.buffer, sys.stdout.buffer
    gc.disable()
    with contextlib.suppress(EOFError, OSError, pickle.UnpicklingError):
        results.write(HERE_ON)
        for number in itertools.count():
            results.flush()
            _collect(number)
            function, args, kwargs = pickle.load(calls)  # noqa: S301 - written by this package's own code
            # The thread that does the same as the first call would have the processor for all of it.
            with _giving_way() if number else contextlib.nullcontext():
                result = pickle.dumps(function(*args, **kwargs), pickle.HIGHEST_PROTOCOL)
            results.write(result)


def _collect(calls: int) -> None:
    """Look for garbage between two calls: within one, Python would look through all that it is made from."""
    gc.collect(2 if calls == 1 or calls % CALLS == 0 else 0)
    if calls == 1:
        gc.freeze()  # what was loaded stays


@contextlib.contextmanager
def _giving_way() -> Iterator[None]:
    """Let others have the processor after each turn within a `with` block; on Windows, its scheduler sees to it."""
    if sys.platform == "win32":
        yield
        return
    signal.signal(signal.SIGALRM, lambda *_: os.sched_yield())
    signal.setitimer(signal.ITIMER_REAL, TURN, TURN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
