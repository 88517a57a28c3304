"""A server whose clients ask for everything at once answers each as if it were alone and nothing were quick.

Eight keys ask over sockets, while faults strike, a rate limit ends each round, and fixtures are written anew. Beside
each request an application without a server is asked in the spelling that nothing speeds up; it has the fixtures as
they were at first.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import re
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.mixed import FAULTS, FIXTURES, KEYS, Client, body, comparable, fixture, spellings, write_fixture
from tests.process import PATIENCE, ServeProcess, serving
from tests.serving import CHAT
from vlmrun_mock.mock.rate_limit import RateLimit

REQUESTS, REQUESTS_OF_A_CAMPAIGN = 1_000, 4_000
ROUND, ADMITTED = 125, 120
"""Requests of a key until its journal is compared and reset, and how many of them the rate limit lets through."""

CUTS = ({"kind": "disconnect"}, {"kind": "disconnect-midway", "times": 1}, {"kind": "error", "status": 500, "every": 2})
OF_THE_SERVER = {b"date", b"x-content-type-options", b"cross-origin-resource-policy", b"x-request-id"}
"""The headers that come from the server, or are another one each time."""

VERSION = re.compile(r"version (\d{3})")
PROBE_PAUSE = 0.02
"""Seconds between two looks whether a fixture that was written answers."""

CUT = ("cut",)
"""What stands for an answer whose connection was cut."""


class Wire:
    """A connection of a client, made anew where the server cut it."""

    def __init__(self, url: str) -> None:
        self._host, port = url.removeprefix("http://").split(":")
        self._port = int(port)
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, method: str, path: str, key: str, raw: bytes = b"") -> tuple[Any, ...]:
        """Return the status, the headers and the body of an answer, or CUT."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port)
        reader, writer = self._streams
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nContent-Length: {len(raw)}\r\n\r\n"
        )
        writer.write(head.encode() + raw)
        try:
            return await asyncio.wait_for(self._answer(reader), PATIENCE)
        except (asyncio.IncompleteReadError, ConnectionError):
            self.close()
            return CUT

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def _answer(self, reader: asyncio.StreamReader) -> tuple[Any, ...]:
        status, *lines = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")[:-2]
        headers = [(name, value) for name, _, value in (line.partition(b": ") for line in lines)]
        content = await reader.readexactly(int(dict(headers)[b"content-length"]))
        return int(status.split()[1]), sorted(headers), content


@dataclass
class Versions:
    """Which version of each fixture may answer: none older than one that was seen before, none that is not written."""

    written: Counter[int] = field(default_factory=Counter)
    seen: Counter[int] = field(default_factory=Counter)
    asked: deque[int] = field(default_factory=lambda: deque([1], maxlen=100))
    """The fixtures that were asked for of late. Of one with several answers, nobody could tell which is due."""

    def problem(self, number: int, content: str, oldest: int) -> str:
        """Return what is wrong with the version in an answer; `oldest` was known when the request was sent."""
        found = VERSION.search(content)
        if found is None:
            return ""
        version = int(found[1])
        self.seen[number] = max(self.seen[number], version)
        allowed = range(oldest, self.written[number] + 1)
        return "" if version in allowed else f"fixture {number}: version {version}, not one of {allowed}"


@dataclass
class Key:
    """What one key asks, over a connection and of the plain application."""

    name: str
    wire: Wire
    plain: Client
    versions: Versions
    source: random.Random
    wrong: list[str]
    ids: list[str] = field(default_factory=list)
    """The ids of the answers since the journal was reset; none where the connection was cut."""

    async def rounds(self, requests: int) -> None:
        """Ask so many times; after each round the journals are compared, and everything starts anew."""
        recent: list[dict[str, Any]] = []
        for number in range(requests):
            if number % ROUND == 0:
                await self._prepare("fixtures", self._own_fixture())
            if self.source.random() < 0.02:
                await self._prepare("faults", self.source.choice((*FAULTS, *CUTS)))
            asked = self.source.choice(recent) if recent and self.source.random() < 0.5 else body(self.source)
            recent = [*recent[-30:], asked]
            await self._ask(asked, number)
            if number % ROUND == ROUND - 1 or number == requests - 1:
                await self._compare_journals()
        self.wire.close()

    def _own_fixture(self) -> Mapping[str, Any]:
        match = {"domain": "document.receipt", "text": {"equals": "Extract"}}
        return {"match": match, "answer": {"content": f"This is for {self.name}"}}

    async def _prepare(self, what: str, given: Mapping[str, Any]) -> None:
        """Register a fixture, or arm a fault, for this key alone."""
        raw = json.dumps(given).encode()
        served = await self.wire.ask("POST", f"/_mock/{what}", self.name, raw)
        plain = await self.plain.ask(f"/_mock/{what}", self.name, raw)
        self._compare(served, plain, f"{what}: {given}")

    async def _ask(self, asked: dict[str, Any], number: int) -> None:
        quick, slow = spellings(asked, number)
        named = re.search(rb"<(\d+)>", quick)
        fixture = int(named[1]) if named else 0
        if fixture % 10:
            self.versions.asked.append(fixture)
        oldest = self.versions.seen[fixture]
        served = await self.wire.ask("POST", CHAT, self.name, quick)
        try:
            plain = await self.plain.ask(CHAT, self.name, slow)
        except ConnectionResetError:
            plain = CUT
        self.ids.append(self._id(served))
        if served is not CUT:
            self._add(self.versions.problem(fixture, served[2].decode(), oldest))
        self._compare(served, plain, f"request {asked}")

    async def _compare_journals(self) -> None:
        _, _, listed = await self.wire.ask("GET", "/_mock/requests?limit=1000", self.name)
        served = json.loads(listed)["requests"]
        plain = list(self.plain.journal(self.name))
        if len(served) != len(self.ids) or len(plain) != 2 * len(served):
            self._add(f"{len(served)} entries of {len(self.ids)} requests, and {len(plain) / 2} of the plain way")
        for entry, id_, facts, fingerprint in zip(served, self.ids, plain[::2], plain[1::2], strict=False):
            if id_ and entry["id"] != id_:
                self._add(f"the entry of {id_} is {entry['id']}")
            if fingerprint and entry["fingerprint"] != fingerprint:
                self._add(f"{entry['id']} has the fingerprint {entry['fingerprint']}, not {fingerprint}")
            kept = {name: entry[name] for name in facts if name != "id"}
            expected = {name: facts[name] for name in kept}
            if _at_any_time(json.dumps(kept)) != _at_any_time(json.dumps(expected)):
                self._add(f"entry {kept}\n  not {expected}")
        await self.wire.ask("POST", "/_mock/reset", self.name)
        await self.plain.ask("/_mock/reset", self.name, b"")
        self.ids = []

    def _compare(self, served: tuple[Any, ...], plain: tuple[Any, ...], about: str) -> None:
        if _facts(served) != _facts(plain):
            self._add(f"{about:.300}\n  {_facts(served)!s:.600}\n  {_facts(plain)!s:.600}")

    def _add(self, problem: str) -> None:
        self.wrong += [f"{self.name}: {problem}"] if problem else []

    @staticmethod
    def _id(served: tuple[Any, ...]) -> str:
        return "" if served is CUT else dict(served[1])[b"x-request-id"].decode()


def _facts(answer: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return what two answers must have in common: all but the version, and how long is to be waited."""
    if answer is CUT:
        return answer
    status, headers, content = answer
    kept = [(name, value) for name, value in headers if name not in OF_THE_SERVER]
    return status, _at_any_time(str(kept)), _at_any_time(content.decode())


def _at_any_time(text: str) -> str:
    text = VERSION.sub("version", text)
    text = re.sub(r"registered-\d+", "registered", text)
    return re.sub(r"""\d+ s\b|"retry_after": [\d.]+|b'retry-after', b'\d+'|validation_error: [^"]*""", "", text)


@dataclass
class Writer:
    """Writes one fixture after another, some over the file and some beside it, and waits until each one answers."""

    wire: Wire
    plain: Client
    folder: Path
    versions: Versions
    wrong: list[str]
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Write until all else has ended."""
        source = random.Random(5)
        probes = itertools.count()
        for turn in itertools.count():
            number = source.choice(self.versions.asked)
            self.versions.written[number] += 1
            self._write(number, beside=bool(turn % 2))
            await self._expect(number, probes)
            if self.ended.is_set():
                return

    def _write(self, number: int, *, beside: bool) -> None:
        if not beside:
            write_fixture(self.folder, number, self.versions.written[number])
            return
        file = self.folder / f"{number:04}.new"
        file.write_text(fixture(number, self.versions.written[number]), encoding="utf-8")
        file.replace(file.with_suffix(".json"))

    async def _expect(self, number: int, probes: Iterator[int]) -> None:
        """Ask until a fixture answers as it was written; none of these requests is like another."""
        version, deadline = self.versions.written[number], time.monotonic() + PATIENCE
        domain = json.loads(fixture(number, version))["match"]["domain"]
        while self.versions.seen[number] < version:
            probe = next(probes)
            key = f"probe-{probe // ADMITTED}"
            raw = json.dumps({"messages": [{"content": f"{probe} <{number}>"}], "domain": domain}).encode()
            _, _, content = await self.wire.ask("POST", CHAT, key, raw)
            await self.plain.ask(CHAT, key, raw)
            self.wrong += filter(None, [self.versions.problem(number, content.decode(), 0)])
            if time.monotonic() > deadline:
                self.wrong.append(f"fixture {number} does not become version {version}: {content!r:.300}")
                return
            await asyncio.sleep(PROBE_PAUSE)


async def _mixed(process: ServeProcess, plain: Client, folder: Path, requests: int) -> list[str]:
    """Return what is wrong with the answers to so many requests, and with their journal."""
    wrong: list[str] = []
    versions = Versions()
    keys = [Key(name, Wire(process.url), plain, versions, random.Random(name), wrong) for name in KEYS]
    writer = Writer(Wire(process.url), plain, folder, versions, wrong)
    writing = asyncio.ensure_future(writer.run())
    await asyncio.gather(*(key.rounds(requests // len(KEYS)) for key in keys))
    writer.ended.set()
    await writing
    writer.wire.close()
    return wrong


def _of_requests(lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines of a log that are about requests which both ways were asked."""
    for line in map(comparable, lines):
        if re.match(r"  \d+  ", line) and "GET /_mock/requests" not in line:
            yield _at_any_time(line)


def test_each_of_many_requests_at_once_is_answered_noted_and_logged_as_if_it_were_alone(
    tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    usual = REQUESTS_OF_A_CAMPAIGN if pytestconfig.getoption("campaign") else REQUESTS
    requests = pytestconfig.getoption("mixed_requests") or usual
    folder, first = tmp_path / "fixtures", tmp_path / "first"
    for each in (folder, first):
        each.mkdir()
        for number in range(FIXTURES):
            write_fixture(each, number, 0)
    plain = Client(first, rate_limit=RateLimit(ADMITTED, 3600))

    with serving(
        tmp_path / "process", "--fixtures", str(folder), "--watch", "--rate-limit", f"{ADMITTED}/hour"
    ) as process:
        wrong = asyncio.run(_mixed(process, plain, folder, requests))
        process.stop()

    assert not wrong, f"{len(wrong)} wrong:\n" + "\n".join(wrong[:20])
    assert process.errors == ""
    assert Counter(_of_requests(process.output.splitlines())) == Counter(_of_requests(plain.lines))
