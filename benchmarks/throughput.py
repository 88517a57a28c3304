"""A repeated request, and an 8 MB picture, against a bare ASGI application on the same uvicorn.

Run `python -m benchmarks.throughput [ROUNDS]`. Two processes serve side by side and are asked in turn by the same
client, on eight keep-alive connections; the bare application receives the body and answers as many bytes as the mock.
"""

from __future__ import annotations

import base64
import json
import random
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

CONNECTIONS = 8
REQUESTS = 2000
PICTURE = 8_000_000
LISTENS = re.compile(rb"listens on http://127\.0\.0\.1:(\d+)")

BARE = """
import sys
from vlmrun_mock.web import server
ANSWER = b"x" * int(sys.argv[1])
HEADERS = [(b"content-type", b"application/json"), (b"content-length", sys.argv[1].encode())]
async def bare(scope, receive, send):
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 201, "headers": HEADERS})
    await send({"type": "http.response.body", "body": ANSWER})
listener = server.bind()
server.run(bare, listener, lambda: print("listens on " + server.url_of(listener), flush=True))
"""


class Subject:
    """A server process and connections to it."""

    def __init__(self, *command: str) -> None:
        # The log goes to a file: reading it through a pipe would cost a third process its share of the machine.
        self._log = tempfile.NamedTemporaryFile()  # noqa: SIM115 - open for as long as the process
        self._process = subprocess.Popen([sys.executable, *command], stdout=self._log)  # noqa: S603 - our own command
        while not (found := LISTENS.search(Path(self._log.name).read_bytes())):
            time.sleep(0.01)
        self._connections = [socket.create_connection(("127.0.0.1", int(found[1]))) for _ in range(CONNECTIONS)]

    def stop(self) -> None:
        """End the process."""
        for connection in self._connections:
            connection.close()
        self._process.terminate()
        self._process.wait()
        self._log.close()

    def ask(self, request: bytes) -> int:
        """Send one request and return the size of the answer's body."""
        self._connections[0].sendall(request)
        return _receive(self._connections[0])

    def rate(self, request: bytes) -> float:
        """Return the requests a second that are answered when every connection always has one under way."""
        started = time.perf_counter()
        for connection in self._connections:
            connection.sendall(request)
        for _ in range(REQUESTS // CONNECTIONS):
            for connection in self._connections:
                _receive(connection)
                connection.sendall(request)
        for connection in self._connections:
            _receive(connection)
        return (REQUESTS + CONNECTIONS) / (time.perf_counter() - started)

    def seconds(self, request: Callable[[], bytes]) -> float:
        """Return how long one new request takes."""
        prepared = request()
        started = time.perf_counter()
        self.ask(prepared)
        return time.perf_counter() - started


def _receive(connection: socket.socket) -> int:
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(65536)
    head, _, rest = received.partition(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    size = len(rest)
    while size < length:
        size += len(connection.recv(65536))
    return length


def _request(picture: bytes) -> bytes:
    url = "data:image/png;base64," + base64.b64encode(picture).decode()
    parts = [{"type": "text", "text": "Extract"}, {"type": "image_url", "image_url": {"url": url}}]
    body = {"messages": [{"role": "user", "content": parts}], "vlmrun": {"domain": "document.invoice"}}
    raw = json.dumps(body).encode()
    head = (
        "POST /v1/openai/chat/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer key\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(raw)}\r\n\r\n"
    )
    return head.encode() + raw


def main() -> None:
    """Print both ratios, the median of pairs taken in turn."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    numbers = random.Random(0)  # noqa: S311 - not for secrets
    small = _request(numbers.randbytes(2_000))
    mock = Subject("-m", "vlmrun_mock", "serve", "--port", "0")
    bare = Subject("-c", BARE, str(mock.ask(small)))
    try:
        pairs = [(mock.rate(small), bare.rate(small)) for _ in range(rounds)]
        mine, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
        ratio = statistics.median(mock_rate / bare_rate for mock_rate, bare_rate in pairs)
        print(f"a repeated request: {mine:.0f}/s, the bare application {theirs:.0f}/s, ratio {ratio:.2f}")

        def large() -> bytes:
            return _request(numbers.randbytes(PICTURE))

        pairs = [(mock.seconds(large), bare.seconds(large)) for _ in range(rounds)]
        mine, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
        ratio = statistics.median(mock_time / bare_time for mock_time, bare_time in pairs)
        print(f"an 8 MB picture: {mine * 1000:.0f} ms, the bare application {theirs * 1000:.0f} ms, ratio {ratio:.2f}")
    finally:
        mock.stop()
        bare.stop()


if __name__ == "__main__":
    main()
