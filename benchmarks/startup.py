"""From `vlmrun-mock serve` to healthy, against importing uvicorn, starlette, pydantic and click alone.

Run `python -m benchmarks.startup [ROUNDS]`. Both are whole processes, taken in turn; healthy means that
`GET /_mock/health` answers 200.
"""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import time
from http.client import HTTPConnection

IMPORTS = "import uvicorn, starlette, pydantic, click"
LISTENS = re.compile(rb"listens on http://127\.0\.0\.1:(\d+)")


def seconds_to_import() -> float:
    """Return how long a process takes that only imports the four packages, in seconds."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", IMPORTS], check=True)  # noqa: S603 - our own command
    return time.perf_counter() - started


def seconds_to_health() -> float:
    """Return how long `vlmrun-mock serve` takes until it is healthy, in seconds."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "vlmrun_mock", "serve", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)  # noqa: S603 - our own command
    try:
        if process.stdout is None:
            raise RuntimeError("the server's output is not piped")
        found = LISTENS.search(process.stdout.readline())
        if not found:
            raise RuntimeError("the server did not say where it listens")
        connection = HTTPConnection("127.0.0.1", int(found[1]), timeout=10)
        connection.request("GET", "/_mock/health")
        if connection.getresponse().status != 200:  # noqa: PLR2004 - HTTP's own number
            raise RuntimeError("the server is not healthy")
        return time.perf_counter() - started
    finally:
        process.terminate()
        process.communicate()


def main() -> None:
    """Print the medians, and the ratio pair by pair."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    seconds_to_import()
    seconds_to_health()
    pairs = [(seconds_to_health(), seconds_to_import()) for _ in range(rounds)]
    health, imports = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(mine / theirs for mine, theirs in pairs)
    print(f"serve until healthy {health * 1000:.0f} ms, the imports alone {imports * 1000:.0f} ms, ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
