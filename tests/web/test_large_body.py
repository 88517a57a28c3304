"""A large body is read straight to where it stays, and is the same as one that comes in pieces, however it is sent."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import itertools
import json
import os
import random
import re
import socket
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tests.conftest import Serve
from tests.corpus.documents import data_url, png
from tests.process import PATIENCE, serving
from tests.serving import CHAT, RunningMock, listening
from tests.web.test_body import CLOSE, KEY, Wire, body_of, chunked, connection, declared
from vlmrun_mock.mock.journal import Journal
from vlmrun_mock.web.body import JOINED_AT_ONCE, ClientGone, Incoming, read
from vlmrun_mock.web.exchange import Exchange
from vlmrun_mock.web.head import Head, head_of
from vlmrun_mock.web.request_log import RequestLog

LARGE = 3 * JOINED_AT_ONCE
LIMIT = 100 * JOINED_AT_ONCE


def filled(size: int, number: int = 0) -> bytes:
    """Return bytes without an order, which are others for another number."""
    return random.Random(number).randbytes(size)


class Reader:
    """An application that reads bodies as the routes do, and answers their digest; it counts the messages."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self.messages = 0
        self.kept: list[bytes] = []
        self.left = threading.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Read a body, and answer it."""
        exchange = Exchange("POST", CHAT, b"", ())
        log = RequestLog("req_1", Head("POST", CHAT), 0, journal=Journal(), exchange=exchange)

        async def counted() -> Any:
            self.messages += 1
            return await receive()

        incoming = Incoming(scope, counted, log)
        try:
            body = await read(head_of(scope).by_name, incoming, self._limit)
        except ClientGone:
            self.kept = exchange.received
            self.left.set()
            return
        assert incoming.is_complete
        answer = hashlib.sha256(body).hexdigest().encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"64")]})
        await send({"type": "http.response.body", "body": answer})


@pytest.fixture(params=[HttpToolsProtocol, H11Protocol], ids=["httptools", "h11"])
def served_reader(request: pytest.FixtureRequest) -> Iterator[tuple[Reader, str]]:
    """Yield an application that reads bodies, and its URL."""
    reader = Reader()
    with listening(reader, request.param) as listener:
        yield reader, "http://{}:{}".format(*listener.getsockname())


def digest_of(wire: Wire) -> str:
    """Read an answer; return its digest."""
    status, body = wire.answer()
    assert status == 200
    return body.decode()


@pytest.mark.parametrize("cuts", [(), (1,), (100_000,), (LARGE - 1,), (5_000, 200_000, 200_001, LARGE // 2)], ids=str)
@pytest.mark.parametrize("further", ["", "Expect: 100-continue\r\n"], ids=["at once", "when asked"])
def test_a_large_body_is_read_as_it_was_sent_and_so_is_the_next(
    cuts: tuple[int, ...], further: str, served_reader: tuple[Reader, str]
) -> None:
    _, url = served_reader
    first, second = filled(LARGE), filled(LARGE + 1, 7)

    with connection(url) as wire:
        wire.send(declared(first), further)
        if further:
            assert wire.socket.recv(100).startswith(b"HTTP/1.1 100 ")
        for start, end in itertools.pairwise((0, *cuts, LARGE)):
            time.sleep(0.01)
            wire.socket.sendall(first[start:end])
        digests = [digest_of(wire)]
        wire.send(declared(second), body=second)
        digests.append(digest_of(wire))
        wire.send(declared(b"{}"), body=b"{}")
        digests.append(digest_of(wire))

    assert digests == [hashlib.sha256(each).hexdigest() for each in (first, second, b"{}")]


def test_requests_that_are_sent_behind_a_large_body_are_answered(served_reader: tuple[Reader, str]) -> None:
    _, url = served_reader
    bodies = [filled(LARGE), b"small", filled(LARGE, 5), filled(LARGE, 9), b"{}"]
    sent = b"".join(
        f"POST {CHAT} HTTP/1.1\r\nHost: mock\r\n{KEY}{declared(body)}\r\n".encode() + body for body in bodies
    )

    with connection(url) as wire:
        sender = threading.Thread(target=wire.socket.sendall, args=(sent,))
        sender.start()
        received = b""
        while received.count(b"HTTP/1.1 200") < len(bodies) or not re.search(rb"\r\n\r\n[0-9a-f]{64}$", received):
            received += wire.socket.recv(65_536)
        sender.join()

    assert re.findall(rb"[0-9a-f]{64}", received) == [hashlib.sha256(body).hexdigest().encode() for body in bodies]


@pytest.mark.parametrize(
    ("framing", "direct"), [("declared", True), ("in chunks", False)], ids=["declared", "in chunks"]
)
def test_a_body_of_known_size_comes_as_one_piece(framing: str, *, direct: bool) -> None:
    reader, body = Reader(), filled(10 * LARGE)
    with (
        listening(reader, HttpToolsProtocol) as listener,
        connection("http://{}:{}".format(*listener.getsockname())) as wire,
    ):
        if framing == "declared":
            wire.send(declared(body), body=body)
        else:
            wire.send("Transfer-Encoding: chunked\r\n", body=chunked(body, 100_000))

        assert digest_of(wire) == hashlib.sha256(body).hexdigest()
    assert (reader.messages == 1) == direct


@pytest.mark.parametrize("last", [b"{}", filled(LARGE, 3)], ids=["small", "large"])
@pytest.mark.parametrize("behind", [b"GET /further HTTP/1.1\r\n\r\n", b"no HTTP at all\r\n\r\n", b"\r\n"], ids=repr)
def test_what_a_client_sends_after_its_last_request_is_no_request(
    behind: bytes, last: bytes, served_reader: tuple[Reader, str]
) -> None:
    _, url = served_reader
    body = filled(LARGE)

    with connection(url) as wire:
        wire.send(declared(body), body=body)
        digests = [digest_of(wire)]
        wire.send(declared(last), CLOSE, body=last + behind)
        digests.append(digest_of(wire))

    assert digests == [hashlib.sha256(each).hexdigest() for each in (body, last)]


def test_a_body_that_there_is_no_memory_for_is_waited_for_as_any_other(capfd: pytest.CaptureFixture[str]) -> None:
    reader = Reader(limit=10**15)
    with listening(reader) as listener, connection("http://{}:{}".format(*listener.getsockname())) as wire:
        wire.send(f"Content-Length: {10**14}\r\n", body=filled(70_000))
        wire.socket.shutdown(socket.SHUT_WR)

        assert wire.socket.recv(1) == b""
    assert reader.left.wait(PATIENCE)
    assert capfd.readouterr().err == ""


@pytest.mark.skipif(sys.platform != "linux", reason="looks at Linux' own figures")
def test_a_connection_that_stays_open_keeps_nothing_of_its_body(tmp_path: Path) -> None:
    with serving(tmp_path) as process, contextlib.ExitStack() as stack:
        resident = []
        for _ in range(12):
            wire = stack.enter_context(connection(process.url))
            wire.send(declared(body_of(5 * LARGE)), body=body_of(5 * LARGE))
            assert wire.answer()[0] == 201
            pages = Path(f"/proc/{process.popen.pid}/statm").read_text(encoding="ascii").split()[1]
            resident.append(int(pages) * os.sysconf("SC_PAGE_SIZE"))

    assert resident[-1] - resident[3] < 3 * 5 * LARGE


def test_many_large_bodies_at_once_stay_apart(served_reader: tuple[Reader, str]) -> None:
    _, url = served_reader
    bodies = [filled(LARGE + each, each) for each in range(8)]
    digests: dict[int, str] = {}

    def send(number: int) -> None:
        digests[number] = httpx.post(url, content=bodies[number], timeout=PATIENCE).text

    threads = [threading.Thread(target=send, args=(number,)) for number in range(len(bodies))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert digests == {number: hashlib.sha256(body).hexdigest() for number, body in enumerate(bodies)}


@pytest.mark.parametrize("sent", [1, 70_000, LARGE // 2, LARGE - 1])
def test_of_a_client_that_leaves_is_kept_what_came(sent: int, served_reader: tuple[Reader, str]) -> None:
    reader, url = served_reader
    body = filled(LARGE)

    with connection(url) as wire:
        wire.send(declared(body), body=body[:sent])
        wire.socket.shutdown(socket.SHUT_WR)
        assert wire.socket.recv(1) == b""

    assert reader.left.wait(PATIENCE)
    assert b"".join(reader.kept) == body[: len(b"".join(reader.kept))]
    assert httpx.post(url, content=body).text == hashlib.sha256(body).hexdigest()


@pytest.mark.parametrize("further", ["", CLOSE], ids=["kept open", "closed"])
def test_a_picture_is_the_same_document_in_a_body_of_any_size(further: str, serve: Serve) -> None:
    mock = serve()
    small = png(40, 30)
    large = small + filled(LARGE)
    asked = [
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": data_url(each)}}]}
        for each in (small, large)
    ]
    body = json.dumps({"domain": "document.invoice", "messages": asked}).encode()

    with connection(mock.url) as wire:
        wire.send(declared(body), further, body=body)
        status, _ = wire.answer()

    [entry] = mock.http.get("/_mock/requests").json()["requests"]
    assert status == 201
    assert [each["identity"] for each in entry["documents"]] == [
        f"sha256:{hashlib.sha256(each).hexdigest()}" for each in (small, large)
    ]


def test_a_server_that_stops_answers_a_client_that_is_still_sending(tmp_path: Path) -> None:
    body = body_of(LARGE)
    with serving(tmp_path) as process, connection(process.url) as wire, ThreadPoolExecutor(1) as pool:
        wire.send(declared(body), body=body[: LARGE // 2])
        time.sleep(0.2)  # it is being received
        stopped = pool.submit(process.stop)
        status, answer = wire.answer()
        ended, _ = stopped.result()

    assert (status, ended, process.errors) == (503, 0, "")
    assert json.loads(answer)["error"]


def test_a_small_request_is_answered_while_large_ones_come(served: RunningMock) -> None:
    with connection(served.url) as slow:
        body = body_of(LARGE)
        slow.send(declared(body), body=body[: LARGE // 2])

        assert served.chat(domain="document.invoice").status_code == 201
        slow.socket.sendall(body[LARGE // 2 :])
        assert slow.answer()[0] == 201


def test_a_body_is_received_in_pieces_where_nothing_is_known_of_its_connection() -> None:
    pieces = [filled(LARGE)[start : start + 100_000] for start in range(0, LARGE, 100_000)]
    coming = iter([{"type": "http.request", "body": each, "more_body": each is not pieces[-1]} for each in pieces])
    log = RequestLog("req_1", Head("POST", CHAT), 0, journal=Journal())

    async def receive() -> Any:
        return next(coming)

    whole = asyncio.run(read({b"content-length": b"%d" % LARGE}, Incoming({}, receive, log), LIMIT))

    assert whole == filled(LARGE)
