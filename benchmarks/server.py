"""One server process: started on its core, ready, watched, stopped."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.bodies import Body, text
from benchmarks.machine import Cores
from benchmarks.peers import Peer

READY_SECONDS = 120
STOP_SECONDS = 10
ANSWER_SECONDS = 60
SUCCESS = range(200, 300)
HEADERS: Mapping[str, str] = {"Authorization": "Bearer key", "Content-Type": "application/json"}


class Unmeasured(Exception):
    """A peer cannot do what a row measures; the message is the reason that the table gives, after the peer's name."""

    def __init__(self, reason: str) -> None:
        super().__init__(" ".join(reason.split()))


@dataclass(frozen=True, slots=True)
class Server:
    """A running server, which has answered a first request."""

    peer: Peer
    port: int
    process: subprocess.Popen[bytes]
    ready_seconds: float
    """From the start of the process to the end of its first successful answer."""

    @property
    def url(self) -> str:
        """Return where it answers chat completions."""
        return f"http://127.0.0.1:{self.port}{self.peer.path}"

    def resident_megabytes(self) -> float:
        """Return the resident memory of all its processes, in MB of 10^6 bytes."""
        return sum(_resident_bytes(process) for process in _session(self.process.pid)) / 1e6


class Connection:
    """A connection for one request after another."""

    def __init__(self, server: Server) -> None:
        self._path = server.peer.path
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=ANSWER_SECONDS)

    def ask(self, body: Body, number: int = 0, *, gently: bool = False) -> tuple[int, bytes]:
        """Return status and body of an answer; raises OSError or HTTPException when there is none.

        What is sent `gently` goes out in small pieces.
        """
        headers = {**HEADERS, "Content-Length": str(body.size(number))}
        pieces = body.small_pieces(number) if gently else body.pieces(number)
        self._connection.request("POST", self._path, pieces, headers)
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def answer(self, body: Body, number: int) -> bytes:
        """Return the body of a successful answer; raises Unmeasured when there is none."""
        try:
            status, answer = self.ask(body, number)
        except (OSError, http.client.HTTPException) as error:
            raise Unmeasured(f"closes the connection ({type(error).__name__})") from error
        if status not in SUCCESS:
            raise Unmeasured(f"answers {status}")
        return answer

    def seconds(self, body: Body, number: int) -> float:
        """Return how long a successful answer takes; raises Unmeasured when there is none."""
        started = time.perf_counter()
        self.answer(body, number)
        return time.perf_counter() - started

    def close(self) -> None:
        """Close it."""
        self._connection.close()


@contextmanager
def serving(peer: Peer, folder: Path, cores: Cores, fixtures: int = 0) -> Iterator[Server]:
    """Start a peer with that many fixtures, in an empty folder; stop it afterwards, whatever happens."""
    folder.mkdir(parents=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [*cores.pin_server(), *peer.start(folder, port, fixtures)]
    log = folder / "log.txt"
    with log.open("wb") as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=peer.environment.variables(),
            start_new_session=True,
        )
    try:
        server = Server(peer, port, process, 0)
        _wait_for_answer(server, log, started + READY_SECONDS)
        yield Server(peer, port, process, time.perf_counter() - started)
    finally:
        _stop(process)


def content_of(answer: bytes) -> Any:
    """Return the content of a chat completion; raises Unmeasured if it is none."""
    try:
        return json.loads(answer)["choices"][0]["message"]["content"]
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise Unmeasured(f"answers no chat completion: {answer[:200]!r}") from error


def _wait_for_answer(server: Server, log: Path, deadline: float) -> None:
    body = text("Extract the invoice.", server.peer.extra)
    while True:
        connection = Connection(server)
        try:
            status, answer = connection.ask(body)
            if status in SUCCESS and content_of(answer):
                return
            raise Unmeasured(f"answers {status} to a first request: {answer[:200]!r}")
        except (OSError, http.client.HTTPException):
            if server.process.poll() is not None or time.perf_counter() > deadline:
                end = log.read_text(encoding="utf-8", errors="replace")[-1000:]
                raise Unmeasured(f"does not start: {end}") from None
            time.sleep(0.002)
        finally:
            connection.close()


def _stop(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(STOP_SECONDS)
    except (ProcessLookupError, subprocess.TimeoutExpired):
        pass
    finally:
        for left in _session(process.pid):
            os.kill(left, signal.SIGKILL)
        process.wait()


def _session(leader: int) -> list[int]:
    return [
        int(folder.name)
        for folder in Path("/proc").iterdir()
        if folder.name.isdigit() and _session_of(folder) == leader
    ]


def _session_of(folder: Path) -> int | None:
    try:
        status = (folder / "stat").read_text(encoding="utf-8")
    except OSError:  # it has ended
        return None
    state, _, _, session = status.rpartition(")")[2].split()[:4]
    return None if state == "Z" else int(session)


def _resident_bytes(process: int) -> int:
    pages = Path("/proc", str(process), "statm").read_text(encoding="utf-8").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
