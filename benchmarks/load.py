"""Many requests at once with wrk, and clients beside it that keep a server busy."""

from __future__ import annotations

import http.client
import itertools
import json
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.bodies import Body
from benchmarks.server import SUCCESS, Connection, Server, Unmeasured

CONNECTIONS = 16
SCRIPT = Path(__file__).with_name("load.lua")
MARK = "RESULT "


@dataclass(frozen=True, slots=True)
class Measurement:
    """What wrk counted: all of it successful."""

    per_second: float
    p99_milliseconds: float


class Load:
    """A body that wrk sends again and again; no number is sent twice."""

    def __init__(self, body: Body, file: Path) -> None:
        file.write_bytes(body.template)
        self._file = file
        self._notes = body.notes
        self._first = itertools.count(1_000_000, 1_000_000)

    def run(self, server: Server, seconds: int, connections: int = CONNECTIONS) -> Measurement:
        """Send for so long; raises Unmeasured unless each request succeeds."""
        command = ["wrk", "--threads=1", f"--connections={connections}", f"--duration={seconds}s", "--timeout=30s"]
        arguments = [str(self._file), str(next(self._first)), str(self._notes)]
        ended = subprocess.run(
            [*command, f"--script={SCRIPT}", server.url, "--", *arguments],
            check=False,
            capture_output=True,
            text=True,
        )
        line = next((line for line in ended.stdout.splitlines() if line.startswith(MARK)), None)
        if line is None:
            raise Unmeasured(f"makes wrk say: {ended.stdout}{ended.stderr}")
        return measured(json.loads(line.removeprefix(MARK)))


def measured(counted: dict[str, int]) -> Measurement:
    """Return the figures of the script's summary; raises Unmeasured when an answer was no success."""
    if counted["refused"]:
        raise Unmeasured(f"refuses {counted['refused']:,} of {counted['requests']:,} requests")
    if counted["broken"]:
        raise Unmeasured(f"breaks {counted['broken']:,} connections")
    if not counted["requests"]:
        raise Unmeasured("answers nothing in time")
    return Measurement(counted["requests"] / counted["microseconds"] * 1e6, counted["p99"] / 1000)


@contextmanager
def beside(server: Server, body: Body, clients: int, *, successful: bool) -> Iterator[None]:
    """Let clients send a body again and again meanwhile; raises Unmeasured if one gets no answer.

    Where `successful` is asked for, an answer that is no success is a reason too.

    They are threads of this process: what they send is made beforehand, and sending it leaves the interpreter free.
    wrk has the core of the clients before them: it measures how long the server lets it wait, not how long they do.
    """
    stopped = threading.Event()
    first_answers = [threading.Event() for _ in range(clients)]
    failures: list[str] = []
    numbers = itertools.count(1)

    def send_again(answered: threading.Event) -> None:
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))  # of this thread alone
        connection = Connection(server)
        try:
            while not stopped.is_set():
                status, _ = connection.ask(body, next(numbers), gently=True)
                if successful and status not in SUCCESS:
                    failures.append(f"answers {status} to a client beside it")
                    return
                answered.set()
        except (OSError, http.client.HTTPException) as error:
            failures.append(f"closes the connection of a client beside it ({type(error).__name__})")
        finally:
            answered.set()
            connection.close()

    threads = [threading.Thread(target=send_again, args=(event,), daemon=True) for event in first_answers]
    try:
        for thread in threads:
            thread.start()
        for event in first_answers:
            event.wait()
        yield
    finally:
        stopped.set()
        for thread in threads:
            thread.join()
    if failures:
        raise Unmeasured(failures[0])
