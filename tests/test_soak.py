"""A server that is used for long, by clients of every kind, grows in nothing."""

from __future__ import annotations

import json
import random
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.process import ServeProcess, serving
from tests.serving import CHAT, data_url, image_message, picture

SECONDS = 20
CLIENTS = 4
ORDINARY = {200, 201, 204, 404, 413, 422, 429, 503}
SCHEMA = {"type": "object", "properties": {"total": {"type": "number"}, "vendor": {"type": "string"}}}


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process holds: its memory in MB, its open files and its threads."""

    megabytes: float
    files: int
    threads: int


def usage(process: ServeProcess) -> Usage:
    """Return what a server holds now."""
    folder = Path("/proc", str(process.popen.pid))
    pages = int((folder / "statm").read_text(encoding="ascii").split()[1])
    return Usage(pages * 4096 / 1e6, len(list((folder / "fd").iterdir())), len(list((folder / "task").iterdir())))


def write(folder: Path, version: int) -> None:
    """Write a fixture anew, now and then a broken one."""
    content = {"match": {"text": {"contains": "fixture"}}, "answer": {"content": f"version {version}"}}
    text = json.dumps(content) if version % 5 else "{"
    (folder / "fixture.json").write_text(text, encoding="utf-8")


def invoice(http: httpx.Client, source: random.Random) -> int:
    body = {"messages": [{"content": f"number {source.randrange(10**9)}"}], "domain": "document.invoice"}
    return http.post(CHAT, json=body).status_code


def a_picture(http: httpx.Client, source: random.Random) -> int:
    large = data_url(picture() + source.randbytes(source.choice((100, 300_000, 3_000_000))))
    part = {"type": "image_url", "image_url": {"url": large}}
    return http.post(CHAT, json={"messages": [{"content": [part]}], "domain": "document.receipt"}).status_code


def a_schema(http: httpx.Client, source: random.Random) -> int:
    schema = {**SCHEMA, "title": str(source.randrange(10**9))}
    return http.post(CHAT, json={"messages": image_message(picture()), "json_schema": schema}).status_code


def nonsense(http: httpx.Client, source: random.Random) -> int:
    return http.post(CHAT, content=source.randbytes(2_000)).status_code


def a_fault(http: httpx.Client, source: random.Random) -> int:
    fault = source.choice(
        ({"status": 503}, {"kind": "truncate-undeclared"}, {"kind": "disconnect"}, {"kind": "no-usage"})
    )
    key = {"Authorization": f"Bearer key-{source.randrange(400)}"}
    http.post("/_mock/faults", json=fault, headers=key)
    try:
        return http.post(CHAT, json={"messages": [{}], "domain": "document.invoice"}, headers=key).status_code
    except httpx.HTTPError:
        return 200  # what the fault is for


def a_registration(http: httpx.Client, source: random.Random) -> int:
    key = {"Authorization": f"Bearer key-{source.randrange(400)}"}
    fixture = {"match": {"domain": "document.invoice"}, "answer": {"content": "x" * source.randrange(2_000)}}
    http.post("/_mock/fixtures", json=fixture, headers=key)
    return http.post("/_mock/reset", headers=key).status_code


def a_client_that_leaves(http: httpx.Client, source: random.Random) -> int:
    with socket.create_connection((http.base_url.host, http.base_url.port or 80), timeout=5) as connection:
        head = f"POST {CHAT} HTTP/1.1\r\nHost: localhost\r\nX-Api-Key: k\r\nContent-Length: 50000\r\n\r\n"
        connection.sendall(
            head[: source.randrange(1, len(head))].encode() + source.randbytes(source.choice((0, 40_000)))
        )
    return 200


KINDS: tuple[Callable[[httpx.Client, random.Random], int], ...] = (
    *[invoice] * 6, a_picture, a_schema, nonsense, a_fault, a_registration, a_client_that_leaves,
)  # fmt: skip  # several a line


def use(url: str, seed: int, seconds: float, statuses: Counter[int]) -> None:
    """Use a server for some seconds."""
    source, end = random.Random(seed), time.monotonic() + seconds
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer client-{seed}"}, timeout=30) as http:
        while time.monotonic() < end:
            statuses[source.choice(KINDS)(http, source)] += 1


def used(process: ServeProcess, folder: Path, seconds: float) -> Counter[int]:
    """Use a server by several clients for some seconds while its fixtures change; return how often each status came."""
    statuses: Counter[int] = Counter()
    clients = [threading.Thread(target=use, args=(process.url, seed, seconds, statuses)) for seed in range(CLIENTS)]
    for client in clients:
        client.start()
    version = 0
    while any(client.is_alive() for client in clients):
        version += 1
        write(folder, version)
        time.sleep(0.2)
    return statuses


@pytest.mark.campaign
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what another process holds")
def test_a_server_that_is_used_for_long_grows_in_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "fixtures"
    folder.mkdir()
    write(folder, 1)

    with serving(tmp_path / "log", "--fixtures", str(folder), "--watch") as process:
        used(process, folder, SECONDS / 2)
        time.sleep(1)
        before = usage(process)
        statuses = used(process, folder, SECONDS)
        time.sleep(1)
        after = usage(process)

    assert statuses.keys() <= ORDINARY
    assert statuses[201] > 100
    assert process.errors == ""
    assert after.megabytes < before.megabytes + 60
    assert after.files <= before.files + 2
    assert after.threads <= before.threads + 2
