"""A body is read whole up to the limit; one that is too large gets a complete answer, however it is sent."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import re
import socket
import time
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest

from tests.conftest import Serve
from tests.serving import CHAT, RunningMock, image_message
from vlmrun_mock.api import chat_parser, execution_parser
from vlmrun_mock.api.bodies import MOST_VALUES
from vlmrun_mock.documents.embedded import WINDOW
from vlmrun_mock.mock.journal import Journal
from vlmrun_mock.mock.options.option import MEBIBYTE
from vlmrun_mock.web.body import DRAIN_BYTES, ClientGone, Incoming, parsed, read
from vlmrun_mock.web.exchange import Exchange
from vlmrun_mock.web.head import Head
from vlmrun_mock.web.request_log import RequestLog

LIMIT = 300_000
HEAD = "POST {path} HTTP/1.1\r\nHost: mock\r\nContent-Type: application/json\r\n{key}{further}\r\n"
KEY = "Authorization: Bearer test\r\n"
CLOSE = "Connection: close\r\n"


def body_of(size: int) -> bytes:
    """Return a request of exactly this many bytes."""
    frame = json.dumps({"messages": [{"content": ""}], "domain": "document.invoice"})
    return frame.replace('""', '"' + "x" * (size - len(frame)) + '"').encode()


class Wire:
    """A connection on which a test decides what is sent when."""

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected

    def send(self, *further: str, body: bytes = b"", path: str = CHAT, key: str = KEY) -> None:
        """Send a request's head with further lines, and its whole body, before anything is read."""
        head = HEAD.format(path=path, key=key, further="".join(further))
        self.socket.sendall(head.encode() + body)

    def answer(self) -> tuple[int, bytes]:
        """Read one answer to its end; return its status and its body."""
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._more()
        head, _, body = received.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head)
        while length and len(body) < int(length[1]):
            body += self._more()
        return int(head.split()[1]), body

    def ended(self) -> bool:
        """Return whether the server closes its side at once: well before it would for want of a next request."""
        self.socket.settimeout(2)
        return self.socket.recv(1) == b""

    def _more(self) -> bytes:
        more = self.socket.recv(65536)
        assert more, "the server closed the connection before its answer was complete"
        return more


@contextlib.contextmanager
def connection(url: str) -> Iterator[Wire]:
    """Connect to a server for the length of a `with` block."""
    address = httpx.URL(url)
    with socket.create_connection((address.host, address.port or 80), timeout=30) as connected:
        yield Wire(connected)


def declared(body: bytes) -> str:
    """Return the header that says how long a body is."""
    return f"Content-Length: {len(body)}\r\n"


def chunked(body: bytes, size: int = 10_000) -> bytes:
    """Return a body in chunks."""
    chunks = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"


@pytest.fixture
def limited(serve: Serve) -> RunningMock:
    """Return a server with a small limit."""
    return serve(max_body=LIMIT)


@pytest.mark.parametrize("size", [LIMIT - 1, LIMIT])
def test_a_body_of_the_limit_is_accepted(size: int, limited: RunningMock) -> None:
    body = body_of(size)

    with connection(limited.url) as whole, connection(limited.url) as in_chunks:
        whole.send(declared(body), body=body)
        in_chunks.send("Transfer-Encoding: chunked\r\n", body=chunked(body))

        assert whole.answer()[0] == in_chunks.answer()[0] == 201


@pytest.mark.parametrize("further", ["", CLOSE], ids=["kept open", "closed"])
@pytest.mark.parametrize("size", [LIMIT + 1, 20 * LIMIT])
@pytest.mark.parametrize("in_chunks", [False, True], ids=["declared", "in chunks"])
def test_a_larger_body_gets_a_complete_413_though_nothing_is_read_before_all_is_sent(
    in_chunks: bool,
    size: int,
    further: str,
    limited: RunningMock,
) -> None:
    body = body_of(size)

    with connection(limited.url) as wire:
        if in_chunks:
            wire.send("Transfer-Encoding: chunked\r\n", further, body=chunked(body))
        else:
            wire.send(declared(body), further, body=body)
        status, answer = wire.answer()

    error = json.loads(answer)["error"]
    assert status == 413
    assert (error["code"], error["type"]) == ("body_too_large", "invalid_request_error")
    assert f"larger than {LIMIT} bytes" in error["message"]
    assert json.loads(answer)["detail"] == error["message"]


def test_a_connection_goes_on_after_a_413(limited: RunningMock) -> None:
    large, small = body_of(2 * LIMIT), body_of(1000)

    with connection(limited.url) as wire:
        wire.send(declared(large), body=large)
        refused = wire.answer()[0]
        wire.send(declared(small), body=small)
        answered = wire.answer()[0]

    assert (refused, answered) == (413, 201)


def test_a_client_that_never_ends_gets_its_answer_and_is_not_listened_to_for_ever(limited: RunningMock) -> None:
    chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"

    with connection(limited.url) as wire:
        wire.send("Transfer-Encoding: chunked\r\n")
        sent = 0
        with contextlib.suppress(ConnectionError):
            while sent < 1_000:
                wire.socket.sendall(chunk)
                sent += 1

    assert DRAIN_BYTES // 0x100000 <= sent < 1_000


def test_a_body_of_too_many_values_is_a_413_that_says_so(serve: Serve) -> None:
    values = b"[" + b"[]," * MOST_VALUES + b"[]]"

    with connection(serve().url) as wire:
        body = b'{"messages": [{}], "further": ' + values + b"}"
        wire.send(declared(body), body=body)
        status, answer = wire.answer()

    assert status == 413
    assert "JSON values" in json.loads(answer)["error"]["message"]


def test_a_client_that_asks_first_is_refused_before_it_sends(limited: RunningMock) -> None:
    with connection(limited.url) as wire:
        wire.send(f"Content-Length: {LIMIT + 1}\r\n", "Expect: 100-continue\r\n")

        assert wire.answer()[0] == 413
        assert wire.ended()


def test_a_client_that_asks_first_is_let_through_with_a_body_of_the_limit(limited: RunningMock) -> None:
    body = body_of(LIMIT)

    with connection(limited.url) as wire:
        wire.send(declared(body), "Expect: 100-continue\r\n")
        interim = wire.answer()[0]
        wire.socket.sendall(body)
        final = wire.answer()[0]

    assert (interim, final) == (100, 201)


def test_a_client_that_asks_first_without_a_key_is_refused_before_it_sends(limited: RunningMock) -> None:
    with connection(limited.url) as wire:
        wire.send(f"Content-Length: {LIMIT}\r\n", "Expect: 100-continue\r\n", key="")

        assert wire.answer()[0] == 401
        assert wire.ended()


@pytest.mark.parametrize(
    ("path", "key", "status"),
    [(CHAT, "", 401), ("/v1/nowhere", KEY, 404), ("/v1/openai/models", KEY, 405), ("/v1/schema", "", 401)],
)
@pytest.mark.parametrize("further", ["", CLOSE], ids=["kept open", "closed"])
def test_an_answer_that_needs_no_body_is_complete_though_a_large_body_is_sent(
    further: str, path: str, key: str, status: int, limited: RunningMock
) -> None:
    body = body_of(20 * LIMIT)

    with connection(limited.url) as wire:
        wire.send(declared(body), further, body=body, path=path, key=key)
        found, answer = wire.answer()

    assert found == status
    assert json.loads(answer)["detail"]


def test_a_client_that_leaves_in_the_middle_of_a_body_does_no_harm(
    limited: RunningMock, capfd: pytest.CaptureFixture[str]
) -> None:
    body = body_of(LIMIT)
    for sent in (0, 1, LIMIT // 2, LIMIT - 1):
        with connection(limited.url) as wire:
            wire.send(declared(body), body=body[:sent])
    with connection(limited.url) as wire:
        wire.send("Transfer-Encoding: chunked\r\n", body=b"5\r\n{")

    answer = limited.chat(domain="document.invoice")

    assert answer.status_code == 201
    assert capfd.readouterr().err == ""


def test_the_log_tells_of_a_client_that_left(limited: RunningMock) -> None:
    with connection(limited.url) as wire:
        wire.send("Content-Length: 100\r\n", body=b"{")
    deadline = time.monotonic() + 10
    while not limited.lines and time.monotonic() < deadline:
        time.sleep(0.01)

    assert "[the client closed the connection]" in limited.lines[0]


def test_the_default_limit_is_64_mebibytes(served: RunningMock) -> None:
    picture = b"data:image/png;base64,"
    frame = json.dumps({"domain": "document.invoice", "messages": image_message(b"")}).encode()
    body = frame.replace(picture, picture + b"A" * ((64 * MEBIBYTE - len(frame)) // 4 * 4))
    padding = b" " * (64 * MEBIBYTE - len(body))

    accepted = served.http.post(CHAT, content=body + padding)
    refused = served.http.post(CHAT, content=body + padding + b" ")

    assert (len(body + padding), accepted.status_code) == (64 * MEBIBYTE, 201)
    assert (refused.status_code, refused.json()["error"]["code"]) == (413, "body_too_large")


@pytest.mark.parametrize("path", ["/v1/schema", "/v1/hub/schema"])
def test_the_limit_holds_for_every_endpoint_that_reads_a_body(path: str, limited: RunningMock) -> None:
    answer = limited.http.post(path, content=b'{"domain":"' + b"x" * LIMIT + b'"}')

    assert answer.status_code == 413
    assert set(answer.json()) == {"detail"}


@pytest.mark.parametrize("size", [1_000, LIMIT])
def test_a_body_in_gzip_is_read_as_it_was_before(size: int, limited: RunningMock) -> None:
    packed, plain = (
        limited.http.post(CHAT, content=content, headers=headers)
        for content, headers in (
            (gzip.compress(body_of(size)), {"Content-Encoding": "gzip"}),
            (body_of(size), {}),
        )
    )

    assert packed.status_code == 201
    assert packed.content == plain.content


def test_a_body_that_unpacks_to_more_than_the_limit_is_a_413(limited: RunningMock) -> None:
    bomb = gzip.compress(b" " * 50_000_000)

    answer = limited.http.post(CHAT, content=bomb, headers={"Content-Encoding": "gzip"})

    assert len(bomb) < LIMIT
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("encoding", "content", "reason"),
    [
        ("gzip", b"{}", "is none"),
        ("gzip", gzip.compress(body_of(1_000), mtime=0)[:-20], "too early"),
        ("br", b"{}", "'br' is not understood"),
    ],
    ids=["no gzip", "cut short", "another encoding"],
)
def test_an_encoding_that_cannot_be_undone_is_a_422(
    encoding: str, content: bytes, reason: str, limited: RunningMock
) -> None:
    answer = limited.http.post(CHAT, content=content, headers={"Content-Encoding": encoding})

    assert answer.status_code == 422
    assert reason in answer.json()["detail"][0]["msg"]


def kept_of(*messages: Mapping[str, Any]) -> list[bytes]:
    """Return what an inspector keeps of a body that comes in these messages."""
    coming = iter(messages)
    exchange = Exchange("POST", CHAT, b"", ())
    log = RequestLog("req_1", Head("POST", CHAT), 0, journal=Journal(), exchange=exchange)

    async def receive() -> Any:
        return next(coming)

    with contextlib.suppress(ClientGone):
        asyncio.run(read({}, Incoming({}, receive, log), LIMIT))
    return exchange.received


def test_a_body_that_came_in_pieces_is_kept_as_the_one_that_was_read() -> None:
    pieces = [{"type": "http.request", "body": body, "more_body": body != b"c"} for body in (b"a", b"b", b"c")]

    assert kept_of(*pieces) == [b"abc"]
    assert kept_of({"type": "http.request", "body": b"whole"}) == [b"whole"]


def test_of_a_body_that_ended_too_early_is_kept_what_came() -> None:
    piece = {"type": "http.request", "body": b"half", "more_body": True}

    assert kept_of(piece, {"type": "http.disconnect"}) == [b"half"]


@pytest.mark.parametrize("parse", [chat_parser.parse, execution_parser.parse], ids=["a chat", "an execution"])
def test_others_have_their_turn_while_the_documents_of_a_large_body_are_decoded(parse: Any) -> None:
    url = "data:image/png;base64," + "A" * 40 * WINDOW
    raw = json.dumps({"messages": [{"content": "Extract"}], "inputs": {"a": url}, "urls": [url]}).encode()
    rounds = before = 0

    def counted(text: bytes, embedded: Any) -> Any:
        nonlocal before
        before = rounds
        return parse(text, embedded)

    async def run() -> None:
        nonlocal rounds
        work = asyncio.ensure_future(parsed(counted, raw, None))
        while not work.done():
            rounds += 1
            await asyncio.sleep(0)
        assert work.result()

    asyncio.run(run())

    assert before >= 80
