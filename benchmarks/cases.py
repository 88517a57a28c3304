"""The measurements: each prepares a peer once, and then measures it once a round."""

from __future__ import annotations

import itertools
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from benchmarks import bodies, sessions
from benchmarks.answers import numbered
from benchmarks.bodies import COUNTER, NOTE, Body
from benchmarks.load import Load, beside
from benchmarks.machine import Cores
from benchmarks.peers import SUBJECT, Peer
from benchmarks.results import Row
from benchmarks.server import Connection, Server, Unmeasured, content_of, serving
from vlmrun_mock.fixtures.domains import packaged
from vlmrun_mock.seed import Seed

Figures = Mapping[str, float]
"""What one round measured, by the keys of the rows."""

Measure = Callable[[], Figures]

SECONDS = 1
"""How long wrk sends in one round."""

BUSY_SECONDS = 2
"""How long it sends to a server that others keep busy: time for one that blocks to answer at all."""

SLOW_ROUNDS = 3
"""Rounds of what takes long."""

MEGABYTE = 1_000_000
WARM_REQUESTS = 4
WARM_UP = 500
"""Requests that are not counted: what is slow at first is over after them."""

REQUESTS_FOR_MEMORY = 5000


@dataclass(frozen=True, slots=True)
class Case:
    """Some rows that are measured together."""

    rows: Sequence[Row]
    prepared: Callable[[Peer, Path, Cores], AbstractContextManager[Measure]]
    """Makes a peer ready in a folder; raises Unmeasured, as the measure does, with the reason for its cell."""

    most_rounds: int = sys.maxsize


def cases() -> Sequence[Case]:
    """Return all measurements, in the order of the table."""
    return (
        _throughput("text", "the same text", lambda peer: bodies.text("Extract the invoice.", peer.extra)),
        _throughput("text-distinct", "distinct texts", lambda peer: bodies.text(f"Extract {COUNTER}.", peer.extra)),
        _throughput("picture", "the same 100 kB picture", lambda peer: bodies.picture(100_000, "", peer.extra)),
        _throughput(
            "picture-distinct", "distinct 100 kB pictures", lambda peer: bodies.picture(100_000, COUNTER, peer.extra)
        ),
        _with_fixtures(10),
        _with_fixtures(10_000),
        _large(8),
        _large(20),
        _latency("p99", "p99 of a text, alone", SECONDS, lambda _: nullcontext()),
        _latency("p99-large", "p99 of a text beside 4 clients with 20 MB pictures", BUSY_SECONDS, _beside_pictures),
        _latency("p99-schema", "p99 of a text beside a client with a hard schema", BUSY_SECONDS, _beside_a_schema),
        *map(_beside_the_worst, bodies.WORST),
        Case((Row("ready", "start until the first answer", "ms"),), _ready, most_rounds=SLOW_ROUNDS),
        Case(
            (
                Row("memory", "memory after the first answer", "MB"),
                Row("memory-loaded", f"memory after {REQUESTS_FOR_MEMORY:,} distinct texts", "MB"),
            ),
            _memory,
            most_rounds=1,
        ),
        _pytest(20),
        _pytest(500),
        Case((Row("varied", "processor time of a varied invoice, warm", "ms"),), _varied, most_rounds=SLOW_ROUNDS),
    )


def _throughput(key: str, title: str, body: Callable[[Peer], Body]) -> Case:
    @contextmanager
    def prepared(peer: Peer, folder: Path, cores: Cores) -> Iterator[Measure]:
        with serving(peer, folder, cores) as server:
            yield _rate(key, server, body(peer), folder)

    return Case((Row(key, title, "/s", more_is_better=True),), prepared)


def _with_fixtures(count: int) -> Case:
    key = f"fixtures-{count}"

    @contextmanager
    def prepared(peer: Peer, folder: Path, cores: Cores) -> Iterator[Measure]:
        if not peer.fixtures:
            raise Unmeasured("takes no fixtures when it starts")
        with serving(peer, folder, cores, count) as server:
            body = bodies.text(f"Extract {COUNTER}, {bodies.note(NOTE)}", peer.extra, notes=count)
            _expect_numbered(server, body, count - 1)
            yield _rate(key, server, body, folder)

    return Case(
        (Row(key, f"distinct texts, {count:,} fixtures", "/s", more_is_better=True),), prepared, most_rounds=SLOW_ROUNDS
    )


def _rate(key: str, server: Server, body: Body, folder: Path) -> Measure:
    load = Load(body, folder / "body")
    _asked(server, body, WARM_UP)
    return lambda: {key: load.run(server, SECONDS).per_second}


def _asked(server: Server, body: Body, requests: int) -> Sequence[float]:
    """Return how many seconds each of so many requests takes, one after the other."""
    with closing(Connection(server)) as connection:
        return [connection.seconds(body, number) for number in range(requests)]


def _expect_numbered(server: Server, body: Body, number: int) -> None:
    with closing(Connection(server)) as connection:
        answer = connection.answer(body, number)
    if content_of(answer) != numbered(number):
        raise Unmeasured("answers something else than the fixture says")


def _large(megabytes: int) -> Case:
    first, warm = f"picture-{megabytes}mb-new", f"picture-{megabytes}mb"

    @contextmanager
    def prepared(peer: Peer, folder: Path, cores: Cores) -> Iterator[Measure]:
        body = bodies.picture(megabytes * MEGABYTE, COUNTER, peer.extra)
        folders = (folder / str(number) for number in itertools.count())

        def measure() -> Figures:
            with serving(peer, next(folders), cores) as server:
                taken = [1000 * seconds for seconds in _asked(server, body, 1 + WARM_REQUESTS)]
            return {first: taken[0], warm: statistics.median(taken[1:])}

        yield measure

    rows = (
        Row(first, f"{megabytes} MB picture, new process", "ms"),
        Row(warm, f"{megabytes} MB picture, warm", "ms"),
    )
    return Case(rows, prepared, most_rounds=SLOW_ROUNDS)


def _latency(key: str, title: str, seconds: int, busy: Callable[[Server], AbstractContextManager[None]]) -> Case:
    @contextmanager
    def prepared(peer: Peer, folder: Path, cores: Cores) -> Iterator[Measure]:
        with serving(peer, folder, cores) as server:
            body = bodies.text(f"Extract {COUNTER}.", peer.extra)
            load = Load(body, folder / "body")
            _asked(server, body, WARM_UP)
            time.sleep(SECONDS)  # what runs after the start has run

            def measure() -> Figures:
                with busy(server):
                    time.sleep(SECONDS)  # what its first requests start has started
                    return {key: load.run(server, seconds, connections=1).p99_milliseconds}

            yield measure

    return Case((Row(key, title, "ms"),), prepared, most_rounds=SLOW_ROUNDS)


def _beside_pictures(server: Server) -> AbstractContextManager[None]:
    body = bodies.picture(20 * MEGABYTE, COUNTER, server.peer.extra)
    return beside(server, body, 4, successful=True)


def _beside_a_schema(server: Server) -> AbstractContextManager[None]:
    return beside(server, bodies.hard_schema(server.peer.extra), 1, successful=False)


def _beside_the_worst(kind: str) -> Case:
    """Return the p99 of a text beside a client that sends the most costly request of a kind."""
    key = "p99-beside-" + re.sub(r"[^a-z0-9]+", "-", kind.lower())

    def busy(server: Server) -> AbstractContextManager[None]:
        if server.peer.name != SUBJECT:
            raise Unmeasured("is not asked what its own limits are for")
        return beside(server, bodies.WORST[kind](server.peer.extra), 1, successful=True)

    return _latency(key, f"p99 of a text beside a client with {kind}", BUSY_SECONDS, busy)


@contextmanager
def _ready(peer: Peer, folder: Path, cores: Cores) -> Iterator[Measure]:
    folders = (folder / str(number) for number in itertools.count())

    def measure() -> Figures:
        with serving(peer, next(folders), cores) as server:
            return {"ready": 1000 * server.ready_seconds}

    measure()  # fills the caches of compiled modules
    yield measure


@contextmanager
def _memory(peer: Peer, folder: Path, cores: Cores) -> Iterator[Measure]:
    with serving(peer, folder, cores) as server:
        body = bodies.text(f"Extract {COUNTER}.", peer.extra)

        def measure() -> Figures:
            time.sleep(SECONDS)  # what runs after the start has run
            started = server.resident_megabytes()
            _asked(server, body, REQUESTS_FOR_MEMORY)
            return {"memory": started, "memory-loaded": server.resident_megabytes()}

        yield measure


@contextmanager
def _varied(peer: Peer, _folder: Path, _cores: Cores) -> Iterator[Measure]:
    if peer.name != SUBJECT:
        raise Unmeasured("draws no answers that add up")
    domain = packaged().get("document.invoice")
    if domain is None:
        raise Unmeasured("has no invoice")
    seeds = itertools.count()

    def measure() -> Figures:
        started = time.process_time()
        for seed in itertools.islice(seeds, WARM_UP):
            domain.varied(Seed(seed))
        return {"varied": 1000 * (time.process_time() - started) / WARM_UP}

    measure()  # compiles the recipe
    yield measure


def _pytest(count: int) -> Case:
    key = f"pytest-{count}"

    @contextmanager
    def prepared(peer: Peer, folder: Path, cores: Cores) -> Iterator[Measure]:
        if not peer.pytest:
            raise Unmeasured("has no pytest fixture with a server")
        session = sessions.Session(peer.pytest, peer.extra, folder, count)
        session.seconds(cores)  # fills the caches of compiled modules
        yield lambda: {key: session.seconds(cores)}

    return Case((Row(key, f"{count} pytest tests", "s"),), prepared, most_rounds=SLOW_ROUNDS)
