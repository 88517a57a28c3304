"""Plays cases against mocks in this process, and returns their answers as they are compared."""

from __future__ import annotations

import asyncio
import hashlib
import json
import socket
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from starlette.types import ASGIApp, Message, Scope

from tests.corpus.answer import FILES, Answer, Normalization
from tests.corpus.case import NO_UPSTREAM, SILENT_UPSTREAM, UPSTREAM, Case, Folder, Request, get
from tests.corpus.upstream import UPSTREAM_FAULTS, UPSTREAM_FIXTURES
from vlmrun_mock import MockServer

if TYPE_CHECKING:
    from typing_extensions import Self

PATIENCE = 10.0
"""Seconds after which something is wrong."""


@dataclass(slots=True)
class _Served:
    """A mock, where its files are, and how many requests it has numbered."""

    server: MockServer
    folder: Path
    numbered: int = 0


class Player:
    """Plays cases for the length of a `with` block; writes their files below a folder.

    What a case is answered with does not depend on the cases before it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = ExitStack()
        self._shared: dict[str, _Served] = {}
        self._addresses: dict[str, str] = {}
        self._servers = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()

    def play(self, name: str, case: Case) -> dict[str, Answer]:
        """Return the answers to a case's requests by name, which has a number where there are several."""
        served = self._served(case)
        before = served.numbered
        key = f"corpus-{hashlib.sha256(name.encode()).hexdigest()[:12]}"
        there = _files(served.folder / "1")
        if case.prepare:
            case.prepare(served.server)
        answers = _on_wire(served, case, key) if case.on_wire else asyncio.run(_in_process(served, case, key))
        paths = [request.path for request in case.requests]
        if case.lists_folder:
            answers.append(_listed(served.folder / "1", without=there))
            paths.append(FILES)
        normalization = Normalization(answers, before, str(served.folder), case.varying)
        compared = map(normalization.of, answers, paths)
        return dict(zip(names(name, case), compared, strict=True))

    def _served(self, case: Case) -> _Served:
        """Return the server of a case, which others with the same settings may have used before."""
        if case.alone or case.on_wire:
            return self._made(case)
        settings = repr((case.settings, case.folders))
        if settings not in self._shared:
            self._shared[settings] = self._made(case)
        return self._shared[settings]

    def _made(self, case: Case) -> _Served:
        self._servers += 1
        place = self._folder / f"server-{self._servers}"
        folders = [_written(place / str(number), files) for number, files in enumerate(case.folders, 1)]
        settings = {name: self._setting(value) for name, value in case.settings.items()}
        given = settings.pop("fixtures", [])
        return _Served(MockServer(fixtures=[*folders, *given], **settings), place)

    def _setting(self, value: Any) -> Any:
        """Return a setting, with the address of an upstream that is started when it is first asked for."""
        if value == UPSTREAM and UPSTREAM not in self._addresses:
            upstream = MockServer(fixtures=UPSTREAM_FIXTURES, faults=UPSTREAM_FAULTS)
            self._addresses[UPSTREAM] = self._stack.enter_context(upstream).url
        if value == SILENT_UPSTREAM and SILENT_UPSTREAM not in self._addresses:
            listener = self._stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            self._addresses[SILENT_UPSTREAM] = f"http://127.0.0.1:{listener.getsockname()[1]}"
        return self._addresses.get(value, value) if isinstance(value, str) and value != NO_UPSTREAM else value


def names(name: str, case: Case) -> Iterator[str]:
    """Yield the names of a case's answers."""
    several = len(case.requests) > 1
    yield from (f"{name} [{number}]" if several else name for number, _ in enumerate(case.requests, 1))
    if case.lists_folder:
        yield f"{name} [files]"


def _written(folder: Path, files: Folder) -> Path:
    """Return a folder with these files."""
    folder.mkdir(parents=True)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content, indent=1).encode())
    return folder


def _files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


def _listed(folder: Path, without: set[Path]) -> Answer:
    """Return the files of a folder that were not there before, as an answer without a status."""
    texts = (
        f"{path.relative_to(folder).as_posix()}\n{path.read_text(encoding='utf-8')}"
        for path in sorted(_files(folder) - without)
    )
    return Answer(0, (), "\n".join(texts).encode())


def _body(request: Request) -> bytes:
    return request.body if isinstance(request.body, bytes) else json.dumps(request.body).encode()


def _headers(request: Request, key: str) -> list[tuple[str, str]]:
    return [*([("authorization", f"Bearer {key}")] if request.with_key else []), *request.headers]


async def _in_process(served: _Served, case: Case, key: str) -> list[Answer]:
    answers = []
    for request in case.requests:
        answers.append(await _asked(served.server.app, request, key))
        served.numbered += 1
    return answers


async def _asked(app: ASGIApp, request: Request, key: str) -> Answer:
    """Return what an ASGI application answers to a request."""
    incoming, sent = deque(_incoming(request)), list[Message]()

    async def receive() -> Message:
        message = incoming.popleft() if incoming else {"type": "http.disconnect"}
        if message["type"] == "broken":
            raise OSError("the request cannot be read")
        return message

    async def send(message: Message) -> None:
        sent.append(message)

    try:
        await app(_scope(request, key), receive, send)
    except ConnectionResetError:
        return _received(sent, cut=True)
    return _received(sent, cut=bool(sent) and sent[-1].get("more_body", False))


def _scope(request: Request, key: str) -> Scope:
    path, _, query = request.path.partition("?")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in _headers(request, key)],
        "client": ("127.0.0.1", 12345),
        "server": ("mock", 80),
    }


def _incoming(request: Request) -> Iterator[Message]:
    """Yield the messages that a request's body comes in."""
    body = _body(request)
    size = -(-len(body) // request.pieces) or 1
    pieces = [body[start : start + size] for start in range(0, len(body), size)] or [b""]
    if request.arrives == "breaks":
        yield {"type": "broken"}
    for number, piece in enumerate(pieces, 1):
        more = number < len(pieces) or request.arrives == "stops"
        yield {"type": "http.request", "body": piece, "more_body": more}


def _received(sent: Sequence[Message], *, cut: bool) -> Answer:
    """Return the answer that ASGI messages make, of which the first is its start."""
    if not sent:
        return Answer(0, (), b"", "cut" if cut else "whole")
    start = sent[0]
    headers = tuple(f"{name.decode('latin-1')}: {value.decode('latin-1')}" for name, value in start["headers"])
    body = b"".join(message.get("body", b"") for message in sent)
    return Answer(start["status"], headers, body, "cut" if cut else "whole")


def _on_wire(served: _Served, case: Case, key: str) -> list[Answer]:
    answers = []
    with served.server as server:
        for request in case.requests:
            with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])), PATIENCE) as wire:
                wire.sendall(_head(request, key) + _body(request))
                served.numbered += 1
                if case.stops and request is case.requests[-1]:
                    _wait_for_the_fault(served, key)
                    server.stop()
                answers.append(_read(wire))
    return answers


def _head(request: Request, key: str) -> bytes:
    """Return the head of a request, whose connection is closed after the answer."""
    length = [] if any(name.lower() == "transfer-encoding" for name, _ in request.headers) else [len(_body(request))]
    lines = [
        f"{request.method} {request.path} HTTP/1.1",
        "Host: mock",
        "Connection: close",
        *(f"Content-Length: {size}" for size in length),
        *(f"{name}: {value}" for name, value in _headers(request, key)),
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _wait_for_the_fault(served: _Served, key: str) -> None:
    """Wait until the first fault has struck, which tells that the request is under way."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        listed = asyncio.run(_asked(served.server.app, get("/_mock/faults"), key))
        if json.loads(listed.body)["faults"][0]["struck"]:
            return
        time.sleep(0.005)
    raise TimeoutError("the request did not reach the mock")


def _read(wire: socket.socket) -> Answer:
    """Return the answer that comes from a socket until it is closed."""
    received = b""
    try:
        while more := wire.recv(65536):
            received += more
    except ConnectionResetError:  # how much has come before is a matter of luck
        return Answer(0, (), b"", "cut")
    if not received:
        return Answer(0, (), b"", "cut")
    head, _, body = received.partition(b"\r\n\r\n")
    status, *headers = head.decode("latin-1").split("\r\n")
    dated = tuple("date: <date>" if line.startswith("date: ") else line for line in headers)
    length = next((int(line.split()[1]) for line in headers if line.startswith("content-length: ")), len(body))
    return Answer(int(status.split()[1]), (status, *dated), body, "cut" if 0 < len(body) < length else "whole")
