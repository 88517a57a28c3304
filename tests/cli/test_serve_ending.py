"""How a server ends: at once, quietly, with an answer for everyone; and what does not end it."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.process import COMMAND, PATIENCE, ServeProcess, environment, free_port, patiently, serving
from tests.serving import CHAT, image_message, picture

INVOICE = {"messages": image_message(picture()), "domain": "document.invoice"}
TEN_MINUTES = 600_000
"""Milliseconds: more than anything is waited for."""


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_at_once_and_quietly(sent: signal.Signals, tmp_path: Path) -> None:
    with serving(tmp_path) as process:
        process.http.post(CHAT, json=INVOICE)  # leaves a connection open
        status, _ = process.stop(sent)

    assert (status, process.errors) == (0, "")


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_quietly_before_anything_was_asked(sent: signal.Signals, tmp_path: Path) -> None:
    with serving(tmp_path) as process:
        status, _ = process.stop(sent)

    assert (status, process.errors) == (0, "")


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_at_once_while_a_slow_request_is_under_way(sent: signal.Signals, tmp_path: Path) -> None:
    with serving(tmp_path, f"--fault=latency,latency_ms={TEN_MINUTES}") as process, ThreadPoolExecutor(1) as pool:
        asked = pool.submit(_outcome, process.http, INVOICE)
        _wait_until_under_way(process)
        status, _ = process.stop(sent)
        answered = asked.result(PATIENCE)

    assert (status, process.errors) == (0, "")
    assert answered == 503


def _wait_until_under_way(process: ServeProcess) -> None:
    """Wait until the fault that makes a request slow has a request."""
    deadline = time.monotonic() + PATIENCE
    while not process.http.get("/_mock/faults").json()["faults"][0]["struck"]:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _outcome(http: httpx.Client, body: object) -> int | None:
    with contextlib.suppress(httpx.HTTPError):
        return http.post(CHAT, json=body).status_code
    return None


def test_a_signal_lets_a_request_of_half_a_second_finish(tmp_path: Path) -> None:
    with serving(tmp_path, "--fault=latency,latency_ms=500") as process, ThreadPoolExecutor(1) as pool:
        asked = pool.submit(_outcome, process.http, INVOICE)
        _wait_until_under_way(process)
        ended, _ = process.stop()

        assert (asked.result(PATIENCE), ended, process.errors) == (201, 0, "")


def test_latency_delays_no_other_request(tmp_path: Path) -> None:
    slow_fault = f"--fault=latency,latency_ms={TEN_MINUTES},domain=document.receipt"
    with serving(tmp_path, slow_fault) as process, ThreadPoolExecutor(1) as pool:
        slow = pool.submit(_outcome, process.http, {"messages": [{}], "domain": "document.receipt"})
        _wait_until_under_way(process)
        quick = httpx.post(f"{process.url}{CHAT}", json=INVOICE, headers={"X-Api-Key": "k"}, timeout=PATIENCE)
        held_up = slow.done()
        process.stop()
        slow.result(PATIENCE)

    assert quick.status_code == 201
    assert not held_up


def _wait_for_line(stream: Iterable[bytes], wanted: bytes) -> str:
    return next(line.decode().strip() for line in stream if wanted in line)


def test_a_closed_output_does_not_stop_the_server() -> None:
    with subprocess.Popen(
        [*COMMAND, "serve", "--port", "0"], env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as popen:
        assert popen.stdout is not None
        assert popen.stderr is not None
        url = _wait_for_line(popen.stdout, b"export OPENAI_BASE_URL=").partition("=")[2]
        _wait_for_line(popen.stdout, b"VLMRUN_API_KEY")
        popen.stdout.close()
        statuses = [
            httpx.post(f"{url}/chat/completions", json=INVOICE, headers={"X-Api-Key": "k"}).status_code
            for _ in range(3)
        ]
        popen.send_signal(signal.SIGINT)
        ended = popen.wait(PATIENCE)

        assert (statuses, ended, popen.stderr.read()) == ([201] * 3, 0, b"")


def test_an_output_that_was_never_open_does_not_stop_the_server(tmp_path: Path) -> None:
    port = free_port()
    command = f'exec "$@" serve --port {port} >&- 2>"{tmp_path}/errors"'
    with subprocess.Popen(["/bin/sh", "-c", command, "sh", *COMMAND], env=environment()) as popen:
        answer = patiently(f"http://127.0.0.1:{port}")
        popen.send_signal(signal.SIGINT)
        ended = popen.wait(PATIENCE)

    assert (answer.status_code, ended, (tmp_path / "errors").read_text()) == (201, 0, "")


@pytest.mark.parametrize(
    "delay", [0.0, 0.1, *(pytest.param(each, marks=pytest.mark.campaign) for each in (0.03, 0.2, 0.3))]
)
def test_a_signal_while_it_still_loads_ends_it_quietly(delay: float, tmp_path: Path) -> None:
    with serving(tmp_path) as process:
        time.sleep(delay)

        status, _ = process.stop()

        assert status == 0
        assert process.errors == ""
