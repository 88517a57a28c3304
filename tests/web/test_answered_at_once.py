"""What is answered as soon as it is read is answered as by the plain way."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from starlette.types import ASGIApp

from tests.serving import CHAT, listening
from vlmrun_mock.api.answer import ErrorAnswer
from vlmrun_mock.fixtures.fixture import Fixture, FixtureAnswer
from vlmrun_mock.fixtures.match import Match, TextMatch
from vlmrun_mock.mock.faults import Fault
from vlmrun_mock.mock.rate_limit import RateLimit
from vlmrun_mock.mock.scopes import Scopes
from vlmrun_mock.mock.settings import Settings
from vlmrun_mock.web.app import application
from vlmrun_mock.web.inspector.inspection import Inspection
from vlmrun_mock.web.middleware import Middleware
from vlmrun_mock.web.request_log import RequestLog
from vlmrun_mock.web.transport import RawHeaders, Whole

KEPT_BYTES = 10_000_000


def request(text: str = "Extract", key: str = "k", lines: Sequence[str] = (), **more: Any) -> bytes:
    """Return a request, with a domain unless there is another."""
    body = {"messages": [{"role": "user", "content": text}], "vlmrun": {"domain": "document.invoice"}, **more}
    return raw_request(json.dumps(body).encode(), key, lines)


def raw_request(body: bytes, key: str = "k", lines: Sequence[str] = ()) -> bytes:
    """Return a request with a body."""
    head = (f"POST {CHAT} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {key}", f"Content-Length: {len(body)}")
    return "\r\n".join((*head, *lines, "", "")).encode() + body


class Served:
    """A server: its address, its mocks, its log, and what it keeps for the inspector."""

    def __init__(self, settings: Settings) -> None:
        self.scopes = Scopes(settings)
        self.lines: list[str] = []
        self.inspection = Inspection(KEPT_BYTES)
        self.application = application(self.scopes, self.lines.append, self.inspection)
        self.at_once = 0
        if isinstance(self.application, Middleware):
            self._count(self.application)

    def _count(self, application: Middleware) -> None:
        end = application.end

        def counted(log: RequestLog, response: Whole) -> RawHeaders:
            self.at_once += 1
            return end(log, response)

        application.end = counted  # type: ignore[method-assign]  # counts, and then does the same

    def records(self) -> list[dict[str, Any]]:
        """Return what the journals hold, but for the time, and the bytes that are kept of each request."""
        entries = [entry for mock in self.scopes.all() for entry in mock.journal]
        shown = [entry.as_json() for entry in sorted(entries, key=lambda entry: entry.id)]
        for entry in shown:
            entry.pop("time")
            entry.pop("seconds")
        return shown

    def kept(self) -> list[tuple[Any, ...]]:
        """Return what the inspector keeps of each request."""
        items = [item for mock in self.scopes.all() for item in mock.journal.items()]
        found = [item.exchange for item in items if item.exchange is not None]  # type: ignore[attr-defined]
        return sorted(
            (each.path, each.headers, tuple(each.received), undated(each.answer_headers), b"".join(each.sent))
            for each in found
        )


def undated(headers: Sequence[tuple[bytes, bytes]]) -> tuple[tuple[bytes, bytes], ...]:
    """Return headers without the time of day."""
    return tuple(header for header in headers if header[0] != b"date")


@contextlib.contextmanager
def serving(app: ASGIApp, **changes: Any) -> Iterator[tuple[str, int]]:
    """Serve an application, with changes to its protocol; gives the address."""
    with listening(app, **changes) as listener:
        yield listener.getsockname()[:2]


def answer(connection: socket.socket) -> bytes:
    """Return the next answer on a connection, without the time of day; nothing where it is closed."""
    received = b""
    while (body := whole_body(received)) is None:
        piece = b""
        with contextlib.suppress(ConnectionResetError):
            piece = connection.recv(65_536)
        if not piece:
            break
        received += piece
    return re.sub(rb"date: [^\r]+", b"date: now", received if body is None else body)


def whole_body(received: bytes) -> bytes | None:
    """Return what was received if it is a whole answer."""
    head, blank, body = received.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head)
    ends = len(body) >= int(length[1]) if length else body.endswith(b"0\r\n\r\n")
    return received if blank and ends else None


Step = bytes | Callable[[Scopes], object]
"""What is sent, or what happens meanwhile."""


def conversation(served: Served, steps: Sequence[Step], **changes: Any) -> list[bytes]:
    """Return the answer to each thing that is sent, one after the other on one connection, made anew where it ends."""
    answers: list[bytes] = []
    with serving(served.application, **changes) as address, contextlib.ExitStack() as stack:
        connection = stack.enter_context(socket.create_connection(address, timeout=30))
        for step in steps:
            if not isinstance(step, bytes):
                step(served.scopes)
                continue
            connection.sendall(step)
            answers.append(answer(connection))
            if whole_body(answers[-1]) is None or b"connection: close" in answers[-1]:
                connection = stack.enter_context(socket.create_connection(address, timeout=30))
        deadline = time.monotonic() + 30
        while len(served.lines) < len(answers) and time.monotonic() < deadline:
            time.sleep(0.001)
    return answers


def register(*answers: FixtureAnswer, text: str = "Extract") -> Callable[[Scopes], object]:
    """Return what registers a fixture for a text."""
    return lambda scopes: scopes.everyone.register(Fixture("own", Match(text=TextMatch((text,))), answers))


def arm(**fault: Any) -> Callable[[Scopes], object]:
    """Return what arms a fault."""
    return lambda scopes: scopes.everyone.arm(Fault(**fault))


SCHEMA = {"type": "object", "properties": {"total": {"type": "number"}}, "required": ["total"]}
FIRST = request("The first.")
USUAL = (request(), request("Another text."), request())
CONVERSATIONS: dict[str, tuple[dict[str, Any], Sequence[Step]]] = {
    "the same and other texts": ({}, USUAL),
    "other lengths": ({}, [request("x" * length) for length in (1, 900, 20_000, 100_000, 3)]),
    "letters of all kinds": ({}, [request("Straße"), request("請求書"), request("\ud83e\uddfe")]),
    "unreadable bodies": ({}, [raw_request(body) for body in (b"", b"{", b"[]", b"\xff", b"{}", b'{"messages": 1}')]),
    "unknown domains": ({}, [request(vlmrun={"domain": "document.invioce"}), request(vlmrun={"domain": None})]),
    "a strict server": ({"strict": True}, USUAL),
    "a schema, made in a thread": ({}, [request(json_schema=SCHEMA), *USUAL, request("2", json_schema=SCHEMA)]),
    "a stream": ({"streams": "always"}, [request(stream=True), *USUAL, request(stream=True)]),
    "parameters without effect": ({}, [request(max_tokens=1, stop="x"), request(stream=True), *USUAL]),
    "tools": ({"tools": "call"}, [request(tools=[{"type": "function", "function": {"name": "f"}}]), *USUAL]),
    "rejected parameters": ({"unsupported": "reject"}, [request(n=2), *USUAL, request(n=3)]),
    "a fixture registered meanwhile": ({}, [*USUAL, register(FixtureAnswer("own")), *USUAL]),
    "a sequence": ({}, [register(FixtureAnswer("1"), FixtureAnswer("2"), FixtureAnswer("3")), *USUAL, *USUAL]),
    "errors in a sequence": (
        {},
        [register(FixtureAnswer(error=ErrorAnswer(429, "Later")), FixtureAnswer("2")), *USUAL, *USUAL],
    ),
    "a fixture that takes its time": ({}, [register(FixtureAnswer("slow", latency=0.05)), *USUAL]),
    "a large answer": ({}, [register(FixtureAnswer("x" * 200_000)), *USUAL]),
    "varied answers": ({"vary": True}, USUAL),
    "faults": ({}, [*USUAL, arm(status=503), *USUAL, arm(kind="malformed-json", times=2), *USUAL]),
    "cut connections": ({}, [*USUAL, arm(kind="disconnect"), *USUAL, arm(kind="disconnect-midway"), *USUAL]),
    "a rate limit": ({"rate_limit": RateLimit(4, 3_600)}, [*USUAL, *USUAL]),
    "accepted keys": (
        {"api_keys": frozenset({"k"})},
        [*USUAL, request(key="other"), *USUAL, request(key="other"), request(key="other")],
    ),
    "other keys": ({}, [request(key=key) for key in ("a", "b", "b", "a")]),
    "a key of a test that is over": ({}, [*USUAL, lambda scopes: scopes.close("k", "test_one"), *USUAL]),
    "bodies over the limit": ({"max_body": 200}, [*USUAL, request("x" * 300), *USUAL]),
    "a client's own request id": ({}, [request(lines=["X-Request-Id: mine"])] * 3),
    "a page": ({}, [request(lines=["Origin: http://localhost:3000"])] * 3),
    "a page from elsewhere": ({}, [request(lines=["Origin: http://example.com"])] * 3),
    "another host": ({}, [request().replace(b"localhost", b"example.com")] * 3),
    "other spellings of the path": ({}, [request().replace(b"/v1/openai", b"/v1//openai")] * 3),
    "a client's own completion id": ({}, [request(id="mine"), request(id="mine"), request(id="other")]),
    "other endpoints between": ({}, [FIRST, b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n", *USUAL]),
    "a reset between": ({}, [*USUAL, lambda scopes: scopes.reset(), *USUAL]),
}


@pytest.mark.parametrize(("options", "steps"), CONVERSATIONS.values(), ids=CONVERSATIONS)
def test_a_conversation_is_the_same_as_by_the_plain_way(options: dict[str, Any], steps: Sequence[Step]) -> None:
    settings = Settings(**options)
    quick, plain = Served(settings), Served(settings)

    expected = conversation(plain, [FIRST, *steps], outbox=None)

    assert conversation(quick, [FIRST, *steps]) == expected
    assert quick.records() == plain.records()
    assert quick.kept() == plain.kept()
    assert [unhurried(line) for line in quick.lines] == [unhurried(line) for line in plain.lines]
    assert plain.at_once == 0


def unhurried(line: str) -> str:
    """Return a line of the log without the times."""
    return re.sub(r"\d\d:\d\d:\d\d|\b\d+ ms", "", line)


def test_all_but_the_first_request_of_a_connection_are_answered_at_once() -> None:
    served = Served(Settings())

    conversation(served, [FIRST, *USUAL, request("Extract. " * 30)])

    assert served.at_once == 4


HALF = b"POST /v1/openai/chat/completions HTTP/1.1\r\nHost: localhost\r\nX-Half: "


@pytest.mark.parametrize(
    "pieces",
    [
        [request() * 3],
        [request() + request("2")[:-5], request("2")[-5:]],
        [request()[:-5], request()[-5:]],
        [request()[:40], request()[40:]],
        [HALF, request()],
        [HALF[:7], request()],
        [b"\r\n", request()],
        [request().replace(b"Content-Length", b"Content-length")],
        [request().replace(b"Content-Length: ", b"Content-Length: 0")],
        [request() + b"\r\n\r\n"],
        [request()[:-3], b"}" * 3 + request()],
    ],
)
def test_several_requests_and_parts_of_some_are_taken_as_by_the_plain_way(pieces: Sequence[bytes]) -> None:
    def talk(**changes: Any) -> bytes:
        with (
            serving(Served(Settings()).application, **changes) as address,
            socket.create_connection(address, timeout=30) as connection,
        ):
            connection.sendall(FIRST)
            received = answer(connection)
            for piece in pieces:
                connection.sendall(piece)
                time.sleep(0.05)  # it is read before the next
            connection.sendall(request("The last.", lines=["Connection: close"]))
            received += b"".join(iter(lambda: connection.recv(65_536), b""))
        return re.sub(rb"date: [^\r]+", b"date: now", received)

    assert talk() == talk(outbox=None)


def test_a_connection_that_is_used_at_once_is_not_closed_as_idle() -> None:
    served = Served(Settings())
    with (
        serving(served.application, idle_seconds=1) as address,
        socket.create_connection(address, timeout=30) as connection,
    ):
        for _ in range(8):
            connection.sendall(request())
            assert answer(connection).startswith(b"HTTP/1.1 201")
            time.sleep(0.25)
        assert served.at_once == 7
        assert connection.recv(10) == b""  # and is closed once it is


def test_a_server_that_stops_closes_a_connection_that_was_answered_at_once() -> None:
    served = Served(Settings())

    with serving(served.application) as address:
        connection = socket.create_connection(address, timeout=30)
        for data in (FIRST, *USUAL):
            connection.sendall(data)
            answer(connection)
    with connection:
        assert connection.recv(10) == b""
        assert served.at_once == 3


@pytest.mark.parametrize("changes", [{}, {"outbox": None}], ids=["at once", "by the plain way"])
def test_what_the_journal_keeps_of_a_request_has_none_of_its_headers(changes: dict[str, Any]) -> None:
    served = Served(Settings())

    conversation(served, [FIRST, *USUAL], **changes)

    items = [item for mock in served.scopes.all() for item in mock.journal.items()]
    assert [item.head.headers for item in items] == [()] * 4  # type: ignore[attr-defined]
