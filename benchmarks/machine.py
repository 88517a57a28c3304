"""The machine: which core serves and which asks, and what a reader of the numbers wants to know of it."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

TOOLS = {
    "wrk": "wrk is missing: apt-get install wrk (or brew install wrk)",
    "taskset": "taskset is missing: apt-get install util-linux",
}
"""The commands that are needed, and how to get them."""


@dataclass(frozen=True, slots=True)
class Cores:
    """The core of the servers and the core of the clients; the same one where there is no other."""

    server: int
    client: int
    all: Sequence[int]

    def pin_server(self) -> Sequence[str]:
        """Return the words that go before the command of a server."""
        return ["taskset", "--cpu-list", str(self.server)]

    def unpinned(self) -> Sequence[str]:
        """Return the words before a command that may use every core."""
        return ["taskset", "--cpu-list", ",".join(map(str, self.all))]

    def pin_client(self) -> None:
        """Put this process, and the wrk that it starts, on the core of the clients."""
        os.sched_setaffinity(0, {self.client})


def cores() -> Cores:
    """Return the first two cores that this process may use."""
    usable = sorted(os.sched_getaffinity(0))
    return Cores(usable[0], usable[min(1, len(usable) - 1)], usable)


def described() -> dict[str, str]:
    """Return the processor, the cores, the kernel and the Python."""
    found = re.search(r"^model name\s*:\s*(.*)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    return {
        "processor": found[1] if found else platform.machine(),
        "cores": str(len(os.sched_getaffinity(0))),
        "kernel": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "Node": _first_line(["node", "--version"]),
        "wrk": _first_line(["wrk", "--version"]),
    }


def _first_line(command: Sequence[str]) -> str:
    try:
        ended = subprocess.run(command, check=False, capture_output=True, text=True)
    except FileNotFoundError:
        return "missing"
    return ended.stdout.partition("\n")[0].partition(" [")[0].removeprefix(f"{command[0]} ")
