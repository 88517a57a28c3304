"""`vlmrun-mock serve` as a process of its own, as its users run it."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx

from tests.serving import CHAT

ROOT = Path(__file__).parent.parent
COMMAND = (sys.executable, "-m", "vlmrun_mock")
PATIENCE = 30.0
"""Seconds that a process has to start or to end; a busy machine needs a few."""


def environment(**changes: str) -> dict[str, str]:
    """Return this process's environment with changes; the checkout is importable and no option of the mock is set."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("VLMRUN_MOCK_")}
    return {**kept, "PYTHONPATH": str(ROOT), **changes}


def run(*arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    """Run a command that ends by itself, such as `domains`, and return what it printed."""
    return subprocess.run(
        [*COMMAND, *arguments],
        env=environment(**changes),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=PATIENCE,
        check=False,
    )


class ServeProcess:
    """A server that has started; what it prints goes to files, so that no pipe can fill up."""

    def __init__(self, popen: subprocess.Popen[bytes], folder: Path) -> None:
        self.popen = popen
        self._folder = folder
        self.url = self._started()
        self.http = httpx.Client(base_url=self.url, headers={"Authorization": "Bearer test"}, timeout=PATIENCE)

    @property
    def output(self) -> str:
        """Return what it has printed to standard output."""
        return (self._folder / "output").read_text(encoding="utf-8", errors="surrogateescape")

    @property
    def errors(self) -> str:
        """Return what it has printed to standard error."""
        return (self._folder / "errors").read_text(encoding="utf-8", errors="surrogateescape")

    def line(self, pattern: str) -> str:
        """Wait for a line of output in which a regular expression is found, and return it."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            found = [line for line in self.output.splitlines() if re.search(pattern, line)]
            if found:
                return found[0]
            time.sleep(0.02)
        raise AssertionError(f"no line with {pattern!r} in:\n{self.output}\n{self.errors}")

    def stop(self, sent: signal.Signals = signal.SIGINT) -> tuple[int, float]:
        """Send a signal, and return the exit status and the seconds that the end took."""
        started = time.monotonic()
        self.popen.send_signal(sent)
        return self.popen.wait(PATIENCE), time.monotonic() - started

    def _started(self) -> str:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self.popen.poll() is None:
            found = re.search(r"^export VLMRUN_BASE_URL=(.*)\n(?=.*VLMRUN_API_KEY.*\n)", self.output, re.MULTILINE)
            if found:
                return found[1].strip("'").removesuffix("/v1")
            time.sleep(0.02)
        raise AssertionError(f"the server did not start:\n{self.output}\n{self.errors}")


@contextlib.contextmanager
def serving(
    folder: Path,
    *options: str,
    command: str = "serve",
    changes: Mapping[str, str] | None = None,
    within: Path | None = None,
) -> Iterator[ServeProcess]:
    """Serve, or record, for the length of a `with` block, with changes to the environment, `within` a directory.

    The port is a free one, unless an option or the environment names one.
    """
    changes = {"VLMRUN_MOCK_PORT": "0", **(changes or {})}
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "output").open("wb") as output, (folder / "errors").open("wb") as errors:
        popen = subprocess.Popen(
            [*COMMAND, command, *options],
            env=environment(**changes),
            cwd=within,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
        )
    try:
        process = ServeProcess(popen, folder)
        with process.http:
            yield process
    except Exception as error:
        if popen.poll():
            raise AssertionError(f"the server ended with exit status {popen.returncode}") from error
        raise
    finally:
        if popen.poll() is None:
            popen.terminate()
        popen.wait(PATIENCE)


def free_port() -> int:
    """Return a port on which nobody listens, outside the range that outgoing connections are given one from."""
    for port in range(20_000 + os.getpid() % 10_000, 32_000):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("every port is taken")


def patiently(url: str) -> httpx.Response:
    """Ask for a receipt as soon as a server that prints nothing is there."""
    deadline = time.monotonic() + PATIENCE
    body = {"messages": [{}], "domain": "document.receipt"}
    while True:
        try:
            return httpx.post(f"{url}{CHAT}", json=body, headers={"X-Api-Key": "k"}, timeout=PATIENCE)
        except httpx.ConnectError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
