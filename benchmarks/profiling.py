"""Where the time of a request goes: this project's server under Python's own profiler, by module and by function."""

from __future__ import annotations

import ast
import http.client
import pstats
import socket
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TypeAlias

from benchmarks import bodies
from benchmarks.bodies import COUNTER, Body
from benchmarks.environments import ROOT
from benchmarks.machine import Cores
from benchmarks.peers import SUBJECT, Peer, peers
from benchmarks.server import HEADERS, SUCCESS, Server, serving

REQUESTS = 5_000
OFTEN = 0.9
"""How often a function is called for each request at least, to be listed."""

FUNCTIONS = 12
"""How many functions are listed, those first that take most."""

BUILT_IN = "~"
"""The file of a function that is written in C, which counts as its caller's."""

LEAST = 0.005
"""The share below which a module is left out."""

PACKAGE = ROOT / "vlmrun_mock"
OTHERS = "uvicorn and Python's own"

Function: TypeAlias = tuple[str, int, str]
"""A function as the profiler knows it: its file, its line, and its name."""

Timings: TypeAlias = tuple[int, int, float, float, Mapping[Function, tuple[int, int, float, float]]]
"""Calls, with and without those of itself; seconds, own and with all that it calls; and the like by caller."""


@dataclass(frozen=True, slots=True)
class Share:
    """What a function takes of a request, from 0 to 1: itself, with the built-in functions it calls; and altogether."""

    module: str
    function: str
    own: float
    altogether: float


def markdown(cores: Cores, folder: Path) -> str:
    """Return two tables: modules, and functions, each for the same text and for distinct texts."""
    subject = next(peer for peer in peers() if peer.name == SUBJECT)
    asked = {
        "the same text": bodies.text("Extract the invoice.", subject.extra),
        "distinct texts": bodies.text(f"Extract {COUNTER}.", subject.extra),
    }
    found = {title: _profiled(subject, body, folder / title, cores) for title, body in asked.items()}
    return "\n".join([*_of_modules(found), "", *_of_functions(found)])


def shares(timings: Mapping[Function, Timings], requests: int) -> list[Share]:
    """Return what the functions of this project take of so many requests, and last the share of all others.

    What was called less often belongs to the start.
    """
    least = requests * OFTEN
    own: dict[Function, float] = defaultdict(float)
    for function, (calls, _, seconds, _, callers) in timings.items():
        if function[0] != BUILT_IN:
            own[function] += seconds if calls >= least else 0
            continue
        for caller, (count, _, part, _) in callers.items():
            own[caller] += part if count >= least else 0
    total = sum(own.values())
    ours = {function: seconds for function, seconds in own.items() if function[0].startswith(str(PACKAGE))}
    listed = [
        Share(_module(function), _qualified(function), seconds / total, timings[function][3] / total)
        for function, seconds in ours.items()
        if seconds
    ]
    rest = 1 - sum(ours.values()) / total
    return [*sorted(listed, key=lambda each: -each.own), Share(OTHERS, "", rest, rest)]


def _profiled(subject: Peer, body: Body, folder: Path, cores: Cores) -> list[Share]:
    file = folder.with_suffix(".profile")
    command = [sys.executable, "-m", "cProfile", "-o", str(file), "-m", "vlmrun_mock", "serve"]
    with (
        serving(replace(subject, command=command), folder, cores) as server,
        socket.create_connection(("127.0.0.1", server.port)) as wire,
    ):
        for number in range(REQUESTS):
            _ask_at_once(wire, server, b"".join(body.pieces(number)))
    timings: Mapping[Function, Timings] = pstats.Stats(str(file)).stats  # type: ignore[attr-defined] # it is documented
    return shares(timings, REQUESTS)


def _ask_at_once(wire: socket.socket, server: Server, content: bytes) -> None:
    """Send head and body together, as wrk does, and read the answer; raises HTTPException."""
    head = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
    line = f"POST {server.peer.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{head}Content-Length: {len(content)}\r\n\r\n"
    wire.sendall(line.encode() + content)
    answer = http.client.HTTPResponse(wire)
    answer.begin()
    answer.read()
    if answer.status not in SUCCESS:
        raise http.client.HTTPException(f"it answers {answer.status}")


def _of_modules(found: Mapping[str, Sequence[Share]]) -> Iterator[str]:
    yield f"| module | {' | '.join(found)} |"
    yield "| --- |" + " ---: |" * len(found)
    sums: dict[str, dict[str, float]] = defaultdict(lambda: dict.fromkeys(found, 0.0))
    for title, listed in found.items():
        for each in listed:
            sums[each.module][title] += each.own
    for module, taken in sorted(sums.items(), key=lambda item: -max(item[1].values())):
        if max(taken.values()) >= LEAST:
            yield f"| {module} | {' | '.join(f'{100 * share:.1f} %' for share in taken.values())} |"


def _of_functions(found: Mapping[str, Sequence[Share]]) -> Iterator[str]:
    yield f"| function | {' | '.join(f'{title}: itself | with what it calls' for title in found)} |"
    yield "| --- |" + " ---: | ---: |" * len(found)
    taken: dict[str, dict[str, Share]] = defaultdict(dict)
    for title, listed in found.items():
        for each in listed:
            if each.function:
                taken[f"`{each.function}` in {each.module}"][title] = each
    largest = sorted(taken.items(), key=lambda item: -max(each.own for each in item[1].values()))
    for name, by_title in largest[:FUNCTIONS]:
        yield f"| {name} | {' | '.join(_cells(by_title.get(title)) for title in found)} |"


def _cells(share: Share | None) -> str:
    return f"{100 * share.own:.1f} % | {100 * share.altogether:.1f} %" if share else "none | none"


def _module(function: Function) -> str:
    return f"`{Path(function[0]).relative_to(PACKAGE).as_posix()}`"


def _qualified(function: Function) -> str:
    """Return the name of a function with that of its class."""
    return _names(function[0]).get(function[1], function[2])


@cache
def _names(file: str) -> Mapping[int, str]:
    """Return the full names of the functions in a file, by the line where the profiler sees them."""
    return dict(_named(ast.parse(Path(file).read_text(encoding="utf-8")), ""))


def _named(node: ast.AST, within: str) -> Iterator[tuple[int, str]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            first = min([child.lineno, *(each.lineno for each in child.decorator_list)])
            yield first, within + child.name
            yield from _named(child, f"{within}{child.name}.")
        else:
            yield from _named(child, within)
