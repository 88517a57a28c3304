"""Whatever stands where a recording is to be written, nothing hangs, and nothing outside its folder is touched."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.conftest import Serve
from tests.process import PATIENCE, run, serving
from tests.real_api import RealApi
from tests.serving import CHAT, RunningMock
from vlmrun_mock.api import chat_parser
from vlmrun_mock.api.request import ExtractionRequest
from vlmrun_mock.recording import store

BODY = {"messages": [{"content": "Extract"}], "domain": "document.invoice"}

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pipes, devices and links are made by their Unix names")


@pytest.fixture
def folder(folder: Path) -> Path:
    """Return the folder that is recorded into, which is there."""
    folder.mkdir()
    return folder


IN_THE_WAY: dict[str, Callable[[Path], None]] = {
    "a pipe": os.mkfifo,
    "a folder": Path.mkdir,
    "a link to a device": lambda path: path.symlink_to("/dev/zero"),
    "a link to a terminal": lambda path: path.symlink_to("/dev/tty"),
    "a link to itself": lambda path: path.symlink_to(path.name),
}


@pytest.mark.parametrize("kind", IN_THE_WAY)
def test_a_pipe_or_folder_in_place_of_a_recording_does_not_block_the_request(
    kind: str, recorder: RunningMock, folder: Path
) -> None:
    name = store.name_of(_request())
    (folder / name).parent.mkdir()
    IN_THE_WAY[kind](folder / name)

    answer = recorder.http.post(CHAT, json=BODY, timeout=PATIENCE)

    assert answer.status_code == 201
    assert f"[recorded {name.removesuffix('.json')}-2.json]" in recorder.lines[-1]


def _request(domain: str = "document.invoice") -> ExtractionRequest:
    return chat_parser.parse(json.dumps({**BODY, "domain": domain}).encode()).extraction


def test_a_pipe_where_a_domains_folder_is_to_stand_is_an_error_of_the_operator(
    recorder: RunningMock, folder: Path
) -> None:
    os.mkfifo(folder / "document.invoice")

    answer = recorder.http.post(CHAT, json=BODY, timeout=PATIENCE)

    assert answer.status_code == 201
    assert "[NOT RECORDED: cannot write into " in recorder.lines[-1]


@pytest.mark.parametrize("asked_before", [False, True])
def test_a_link_that_takes_the_folders_place_is_not_followed(
    recorder: RunningMock, folder: Path, tmp_path: Path, *, asked_before: bool
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    if asked_before:
        recorder.http.post(CHAT, json={**BODY, "domain": "document.receipt"})
    folder.rename(tmp_path / "moved")
    folder.symlink_to(outside)

    answer = recorder.http.post(CHAT, json=BODY)

    assert answer.status_code == 201
    assert "[NOT RECORDED: cannot write into " in recorder.lines[-1]
    assert "it leads out of the fixture folders]" in recorder.lines[-1]
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize("domain", ["con", "NUL", "aux", "prn", "com1", "lpt9", "con.invoice", "aux."])
def test_a_domain_that_is_a_device_on_windows_gets_a_folder_of_another_name(domain: str) -> None:
    folder, _, _ = store.name_of(_request(domain)).partition("/")

    assert folder == f"domain.{domain.lower().rstrip('.')}"


@pytest.mark.parametrize("domain", ["console", "auxiliary", "null", "com10", "document.con"])
def test_a_domain_that_only_begins_like_a_device_keeps_its_name(domain: str) -> None:
    assert store.name_of(_request(domain)).startswith(f"{domain}/")


def test_what_a_killed_recorder_left_unfinished_is_removed_at_the_next_start(
    tmp_path: Path, folder: Path, api: RealApi
) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    domain = folder / "document.invoice"
    domain.mkdir()
    gone = domain / f".a.json.{store.HOST}-{ended.pid}-1.tmp"
    old = domain / ".b.json.1-1.tmp"
    kept = [
        domain / f".c.json.{store.HOST}-{os.getpid()}-1.tmp",
        domain / f".d.json.00000000-{ended.pid}-1.tmp",
        domain / ".mine.tmp",
    ]
    for path in (gone, old, *kept):
        path.write_text("{")
    os.utime(old, (0, 0))

    with serving(tmp_path / "run", "--upstream", api.url, "--out", str(folder), command="record") as process:
        errors = process.errors

    assert errors == "Removed 2 unfinished files of a recorder that was killed.\n"
    assert sorted(path for path in domain.iterdir()) == sorted(kept)


def test_a_terminal_that_closes_loses_no_answer_that_is_paid_for(tmp_path: Path, folder: Path, api: RealApi) -> None:
    api.wait = 3_600
    options = ("--upstream", api.url, "--out", str(folder))
    with serving(tmp_path / "run", *options, command="record") as process:
        client = threading.Thread(target=lambda: process.http.post(CHAT, json=BODY))
        client.start()
        api.wait_until_asked(1)
        process.popen.send_signal(signal.SIGHUP)
        process.line("Waiting for an answer of the upstream")
        api.wait = 0
        code = process.popen.wait(PATIENCE)
        client.join()

    assert code == 0
    assert f"Recorded 1 fixture into {folder}.\n" in process.output


@pytest.mark.parametrize("kind", ["a pipe", "a device", "a link to a device"])
def test_the_hash_of_what_may_never_end_is_a_clear_error(kind: str, tmp_path: Path) -> None:
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to("/dev/zero")
    path = {"a pipe": str(pipe), "a device": "/dev/zero", "a link to a device": str(link)}[kind]

    ended = run("hash", path)

    assert ended.returncode == 1
    assert ended.stderr.startswith(f"Error: cannot read {path}: it is not a file")


def test_a_key_with_a_byte_that_is_no_utf8_is_a_key(serve: Serve) -> None:
    served = serve(api_keys=frozenset({b"k\xff-1".decode("utf-8", "surrogateescape"), "plain"}))

    statuses = [
        httpx.post(f"{served.url}{CHAT}", json=BODY, headers={b"X-Api-Key": key}).status_code
        for key in (b"k\xff-1", b"plain", b"k\xfe-1", b"k")
    ]

    assert statuses == [201, 201, 401, 401]
