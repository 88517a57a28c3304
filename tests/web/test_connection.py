"""What the server reaches for inside uvicorn."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import inspect
import json
import re
import socket
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from uvicorn.protocols.http import h11_impl, httptools_impl
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tests.serving import CHAT, listening
from vlmrun_mock.fixtures.fixture import Fixture, FixtureAnswer
from vlmrun_mock.fixtures.match import Match
from vlmrun_mock.mock.scopes import Scopes
from vlmrun_mock.web.app import application
from vlmrun_mock.web.connection import Outbox
from vlmrun_mock.web.server import running

BODY = b'{"messages": [{"role": "user", "content": "Extract"}], "vlmrun": {"domain": "document.invoice"}}'


@pytest.mark.parametrize("cycle", [h11_impl.RequestResponseCycle, httptools_impl.RequestResponseCycle])
def test_uvicorns_request_cycle_has_the_names_that_a_lost_connection_is_reported_with(cycle: type) -> None:
    names = {"response_complete", "disconnected", "message_event"}

    assert all(f"self.{name}" in inspect.getsource(cycle) for name in names)


@contextlib.contextmanager
def serving(scopes: Scopes, protocol: type[asyncio.Protocol], **changes: Any) -> Iterator[tuple[str, int]]:
    """Serve on one of uvicorn's protocols, with changes to what is made of it; gives the address."""
    with listening(application(scopes), protocol, **changes) as listener:
        yield listener.getsockname()[:2]


@pytest.fixture(scope="module", params=[HttpToolsProtocol, H11Protocol])
def address(request: pytest.FixtureRequest) -> Iterator[tuple[str, int]]:
    """Return the address of a server on each of uvicorn's protocols, which waits half a second for a head."""
    with serving(Scopes(), request.param, head_seconds=0.5) as found:
        yield found


def head(*lines: str, length: int = len(BODY), path: str = CHAT, method: str = "POST") -> bytes:
    """Return the head of a request with a key."""
    usual = (f"{method} {path} HTTP/1.1", "Host: localhost", "X-Api-Key: k", f"Content-Length: {length}")
    return "\r\n".join((*usual, *lines, "", "")).encode()


def exchanged(address: tuple[str, int], *pieces: bytes) -> tuple[int, bytes]:
    """Send pieces on one connection, and return the status and the body of the answer."""
    with socket.create_connection(address, timeout=10) as connection:
        for piece in pieces:
            connection.sendall(piece)
        return answer(connection)


def answer(connection: socket.socket) -> tuple[int, bytes]:
    """Return the status and the body of the next answer on a connection."""
    response = http.client.HTTPResponse(connection)
    response.begin()
    return response.status, response.read()


OFFERS = (
    ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAEAAEAAAAIAAAAA"),
    ("HTTP2-Settings: AAEAAEAAAAIAAAAA", "upgrade: h2c", "connection: Upgrade, HTTP2-Settings"),
    ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: dGhlIHNhbXBsZQ==", "Sec-WebSocket-Version: 13"),
    ("Connection: keep-alive, Upgrade", "UPGRADE: TLS/1.3, HTTP/2.0"),
    ("Upgrade: h2c",),
)


@pytest.mark.parametrize("lines", OFFERS, ids=lambda lines: lines[1] if len(lines) > 1 else lines[0])
def test_an_offer_of_another_protocol_is_not_taken_and_the_request_is_answered(
    address: tuple[str, int], lines: tuple[str, ...]
) -> None:
    assert exchanged(address, head(*lines) + BODY)[0] == 201
    assert exchanged(address, head(*lines), BODY[:10], BODY[10:])[0] == 201


def test_an_offer_in_a_later_request_of_a_connection_is_not_taken_either(address: tuple[str, int]) -> None:
    with socket.create_connection(address, timeout=10) as connection:
        for lines in ((), *OFFERS):
            connection.sendall(head(*lines) + BODY)

            assert answer(connection)[0] == 201


def test_a_body_that_reads_like_an_offer_stays_as_it_is(address: tuple[str, int]) -> None:
    body = BODY + b"\r\nUpgrade: h2c\r\n\r\n"

    together = exchanged(address, head("Upgrade: h2c", length=len(body)) + body)

    assert f"column {len(BODY)}".encode() in together[1] or b"line 2 column 1" in together[1]
    assert exchanged(address, head(length=len(body)), body) == together


def test_headers_without_end_are_refused(address: tuple[str, int]) -> None:
    with socket.create_connection(address, timeout=10) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: ")
        with contextlib.suppress(ConnectionError):  # the server closes the connection meanwhile
            for _ in range(400):
                connection.sendall(b"a" * 1_000)
        with contextlib.suppress(ConnectionError):
            found = answer(connection)

            assert found[0] in (400, 431)  # h11 has a limit of its own
            assert isinstance(json.loads(found[1])["detail"], str)


@pytest.mark.parametrize("start", [b"", b"POST /v1", b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A:"])
def test_half_a_head_does_not_keep_a_connection_open(address: tuple[str, int], start: bytes) -> None:
    with socket.create_connection(address, timeout=10) as connection:
        connection.sendall(start)
        found = answer(connection)

    assert found[0] == 408


def test_a_connection_that_was_used_may_wait_for_its_next_request(address: tuple[str, int]) -> None:
    with socket.create_connection(address, timeout=10) as connection:
        for pause in (0.7, 0):
            connection.sendall(head() + BODY)
            status, _ = answer(connection)
            time.sleep(pause)

            assert status == 201


@pytest.mark.parametrize(
    "raw", [b"nonsense\r\n\r\n", b"GET\r\n\r\n", b"GET / HTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00\x01"]
)
def test_bytes_that_are_not_http_get_an_error_in_json(address: tuple[str, int], raw: bytes) -> None:
    found = exchanged(address, raw)

    assert found[0] in (400, 408)  # h11 waits for the end of a line
    assert isinstance(json.loads(found[1])["detail"], str)


LARGE = b'{"messages": [{"role": "user", "content": "x"}], "vlmrun": {"domain": "my.large"}}'
REQUESTS = {
    "one": head() + BODY,
    "the same again": head() + BODY + head() + BODY,
    "in pieces": head() + BODY[:20],
    "from a page": head("Origin: http://localhost:3000") + BODY,
    "the last of its connection": head("Connection: close") + BODY,
    "in an old version": head().replace(b"HTTP/1.1", b"HTTP/1.0") + BODY,
    "that expects to continue": head("Expect: 100-continue") + BODY,
    "without a body": head(method="HEAD", length=0),
    "that is refused": head(length=2) + b"{}",
    "with a large answer": head(length=len(LARGE)) + LARGE,
    "pipelined with others": b"".join((head() + BODY, head(length=2) + b"{}", head(method="HEAD", length=0), head()))
    + BODY,
}


def large() -> Scopes:
    """Return scopes that answer 200 kB for a domain."""
    scopes = Scopes()
    scopes.everyone.register(Fixture("large", Match("my.large"), (FixtureAnswer("x" * 200_000),)))
    return scopes


def conversation(address: tuple[str, int], data: bytes) -> bytes:
    """Send data and all that is missing of it, and return all that comes back, without the time of day."""
    last = b"HTTP/1.0" in data or b"Connection: close" in data
    with socket.create_connection(address, timeout=30) as connection:
        connection.sendall(data)
        connection.sendall(BODY[20:] if data.endswith(BODY[:20]) else b"")
        connection.sendall(b"" if last else head("Connection: close") + BODY)
        received = b"".join(iter(lambda: connection.recv(65_536), b""))
    return re.sub(rb"date: [^\r]+", b"date: now", received)


@pytest.mark.parametrize("data", REQUESTS.values(), ids=REQUESTS)
def test_a_response_in_one_piece_is_byte_for_byte_what_uvicorn_writes(data: bytes) -> None:
    with serving(large(), HttpToolsProtocol) as quick, serving(large(), HttpToolsProtocol, outbox=None) as plain:
        expected = conversation(plain, data)

        assert conversation(quick, data) == expected
        assert expected.startswith((b"HTTP/1.1 ", b"HTTP/1.0 "))


def test_what_waits_to_be_written_is_written_before_the_server_stops() -> None:
    outbox, written = Outbox(), WritingTransport()

    async def put_and_stop() -> None:
        outbox.put(written, b"first")
        outbox.put(written, b"second")
        outbox.flush()

    asyncio.run(put_and_stop())

    assert written.data == [b"first", b"second"]


class WritingTransport(asyncio.Transport):
    """A transport that keeps what is written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.data: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Keep data."""
        self.data.append(bytes(data))

    def is_closing(self) -> bool:
        """Return that it is open."""
        return False


def test_uvicorns_request_cycle_has_the_names_that_a_response_in_one_piece_sets() -> None:
    cycle = inspect.getsource(httptools_impl.RequestResponseCycle)
    names = ("response_started", "response_complete", "waiting_for_100_continue", "keep_alive", "disconnected")

    assert all(f"self.{name} = " in cycle for name in names)
    assert all(f"self.{name}" in cycle for name in ("message_event.set()", "on_response()", "flow.write_paused"))
    assert "default_headers" in cycle


def test_uvicorns_protocol_has_the_names_by_which_a_request_is_answered_at_once() -> None:
    protocol, cycle = inspect.getsource(HttpToolsProtocol), inspect.getsource(httptools_impl.RequestResponseCycle)
    set_by_the_protocol = ("cycle", "scope", "flow", "transport", "loop", "server_state", "timeout_keep_alive")

    assert all(re.search(rf"self\.{name}\b[^=\n]* = ", protocol) for name in set_by_the_protocol)
    assert "self.server_state.total_requests += 1" in protocol
    assert "self.timeout_keep_alive, self.timeout_keep_alive_handler" in protocol
    assert all(f"self.{name} = " in cycle for name in ("more_body", "scope", "response_complete"))


@pytest.mark.campaign
def test_a_connection_is_kept_for_longer_than_the_official_clients_keep_it() -> None:
    seconds = httpx.Limits().keepalive_expiry or 0.0

    with running(application(Scopes())) as url:
        connection = http.client.HTTPConnection("127.0.0.1", int(url.rpartition(":")[2]))
        statuses, sockets = [], []
        for pause in (0, seconds + 1):
            time.sleep(pause)
            connection.request("GET", "/v1/health")
            sockets.append(connection.sock)
            response = connection.getresponse()
            response.read()
            statuses.append(response.status)
        connection.close()

    assert statuses == [200, 200]
    assert sockets[0] is sockets[1]  # it would have connected anew
