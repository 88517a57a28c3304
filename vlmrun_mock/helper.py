"""A process beside the server, for what would take the interpreter from its event loop for long."""

from __future__ import annotations

import contextlib
import os
import pickle
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import IO, Any, ParamSpec, TypeVar, cast

Arguments = ParamSpec("Arguments")
ResultT = TypeVar("ResultT")

CODE = "import sys; sys.path[:] = sys.argv[1:]; from vlmrun_mock.helper import work; work()"
"""What the process runs: it finds this package where this process did."""

NO_CTRL_C = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
"""On Windows, keeps the process from what ends the server."""

PATIENCE = 2.0
"""Seconds that an answer may take; most take a hundredth. On a machine that is so busy, the process is no help."""

ENDED = (OSError, EOFError, ValueError, pickle.PickleError)
"""What talking to a process raises that has ended."""


class Helper:
    """Calls functions in another process, or in this one where there is none.

    That process starts when it is first needed. Until it has answered its first call, which this process answers
    meanwhile, all calls are answered here. The functions are pure, of this package, and raise nothing.
    """

    def __init__(self) -> None:
        self._is_allowed = self._is_ready = False
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    @contextlib.contextmanager
    def allowed(self) -> Iterator[None]:
        """Let there be another process within a `with` block, at whose end it ends."""
        self._is_allowed = bool(sys.executable)
        try:
            yield
        finally:
            self._is_allowed = False
            if self._process:
                self._process.kill()
            with self._lock:
                self._end()

    def call(
        self, function: Callable[Arguments, ResultT], *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> ResultT:
        """Return what a function returns."""
        if self._is_allowed:
            with self._lock:
                if self._is_ready:
                    try:
                        return cast("ResultT", self._ask(function, args, kwargs))
                    except TimeoutError:
                        self._is_allowed = False
                        self._end()
                    except ENDED:
                        self._end()
                elif self._process is None:
                    self._begin(function, args, kwargs)
        return function(*args, **kwargs)

    def _begin(self, *call: object) -> None:
        """Start the process, and let it answer a call, after which it is ready."""
        try:
            with _without_ctrl_c():
                self._process = subprocess.Popen(  # noqa: S603 - this package's own code
                    [sys.executable, "-c", CODE, *sys.path],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    creationflags=NO_CTRL_C,
                )
        except OSError:
            self._is_allowed = False
        else:
            threading.Thread(target=self._get_ready, args=call, name="vlmrun-mock-helper", daemon=True).start()

    def _get_ready(self, *call: object) -> None:
        try:
            self._ask(*call)
        except ENDED:  # it cannot start, so it is not tried again
            self._is_allowed = False
            with self._lock:
                self._end()
        else:
            self._is_ready = self._is_allowed

    def _ask(self, *call: object) -> Any:
        if self._process is None:
            raise EOFError
        calls, results = cast("IO[bytes]", self._process.stdin), cast("IO[bytes]", self._process.stdout)
        calls.write(pickle.dumps(call, pickle.HIGHEST_PROTOCOL))
        calls.flush()
        if sys.platform != "win32":  # where the process does not give way
            poll = select.poll()
            poll.register(results, select.POLLIN)
            if not poll.poll(1000 * PATIENCE):
                raise TimeoutError
        return pickle.load(results)  # noqa: S301 - written by this package's own code

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
    _give_way()
    calls, results = sys.stdin.buffer, sys.stdout.buffer
    with contextlib.suppress(EOFError, BrokenPipeError):
        while True:
            function, args, kwargs = pickle.load(calls)  # noqa: S301 - written by this package's own code
            pickle.dump(function(*args, **kwargs), results, pickle.HIGHEST_PROTOCOL)
            results.flush()


def _give_way() -> None:
    """Let the server have the processor first where they share one."""
    with contextlib.suppress(OSError):
        if hasattr(os, "SCHED_IDLE"):
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        elif hasattr(os, "nice"):
            os.nice(19)
