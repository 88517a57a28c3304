"""What runs in the helper's process is what would run here, and no server depends on it."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.process import PATIENCE, ServeProcess, serving
from tests.serving import CHAT
from vlmrun_mock import helper
from vlmrun_mock.helper import TURN, Helper

SCHEMA: Mapping[str, Any] = {
    "type": "array",
    "minItems": 10,
    "items": {"type": "object", "properties": {"total": {"type": "number"}}},
}

posix = pytest.mark.skipif(sys.platform == "win32", reason="processes are looked at as POSIX has them")


@pytest.fixture
def allowed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Helper]:
    """Yield a helper that may have a process, waits for it, and tries again at once."""
    monkeypatch.setattr(helper, "PATIENCE", PATIENCE)
    monkeypatch.setattr(helper, "REST", 0)
    made = Helper()
    with made.allowed():
        yield made


def process_of(used: Helper, but: int = 0) -> int:
    """Return the process that answers once it is another one than this, and than one before."""
    deadline = time.monotonic() + PATIENCE
    while (found := used.call(os.getpid)) in (os.getpid(), but):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return found


def has_ended(process: int) -> bool:
    """Wait until a process is gone, and return whether it is."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.01)
    return False


def test_without_leave_there_is_no_process() -> None:
    used = Helper()

    assert {used.call(os.getpid) for _ in range(20)} == {os.getpid()}


def test_calls_are_answered_here_until_a_process_is_ready_and_then_there(allowed: Helper) -> None:
    assert allowed.call(os.getpid) == os.getpid()
    there = process_of(allowed)

    assert {allowed.call(os.getpid) for _ in range(20)} == {there}
    assert allowed.call(divmod, 7, 2) == (3, 1)
    assert allowed.call(bytes, b"x" * 10_000_000) == b"x" * 10_000_000


@posix
def test_a_process_gives_way_after_each_turn_but_not_while_it_waits(allowed: Helper) -> None:
    process_of(allowed)

    _, between = allowed.call(signal.getitimer, signal.ITIMER_REAL)
    time.sleep(20 * TURN)

    assert between == pytest.approx(TURN)
    assert allowed.call(_turns_until, 20) >= 20  # one more may pass before it is looked at


def _turns_until(wanted: int) -> int:
    """Count how often this process gives way."""
    turns = 0
    give_way = signal.getsignal(signal.SIGALRM)

    def counted(number: int, frame: Any) -> None:
        nonlocal turns
        turns += 1
        give_way(number, frame)  # type: ignore[operator, misc]  # it is a function

    signal.signal(signal.SIGALRM, counted)
    while turns < wanted:
        sum(range(1_000))
    signal.signal(signal.SIGALRM, give_way)
    return turns


@posix
def test_a_process_that_is_killed_is_replaced_and_no_call_is_lost(allowed: Helper) -> None:
    there = process_of(allowed)
    os.kill(there, signal.SIGKILL)

    assert allowed.call(divmod, 7, 2) == (3, 1)
    assert process_of(allowed, but=there)


@posix
@pytest.mark.parametrize("size", [0, 1_000_000], ids=["a small call", "a call that fills the pipe"])
def test_a_process_that_is_stopped_is_waited_for_shortly_and_used_again_once_it_goes_on(
    size: int, allowed: Helper, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = process_of(allowed)
    monkeypatch.setattr(helper, "PATIENCE", 0.5)
    os.kill(there, signal.SIGSTOP)
    started = time.monotonic()

    assert [allowed.call(bytes, b"x" * size) for _ in range(20)] == [b"x" * size] * 20
    assert time.monotonic() - started < 8  # one is waited for, as the others find it busy
    os.kill(there, signal.SIGCONT)
    assert process_of(allowed) == there


@posix
def test_after_an_answer_that_came_too_late_nothing_is_asked_for_a_while(
    allowed: Helper, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = process_of(allowed)
    monkeypatch.setattr(helper, "PATIENCE", 0.1)
    monkeypatch.setattr(helper, "REST", PATIENCE)
    os.kill(there, signal.SIGSTOP)
    allowed.call(os.getpid)
    os.kill(there, signal.SIGCONT)
    time.sleep(0.2)

    assert {allowed.call(os.getpid) for _ in range(20)} == {os.getpid()}


def test_what_cannot_be_sent_or_fails_there_is_done_here(allowed: Helper) -> None:
    process_of(allowed)

    assert allowed.call(lambda: "of a function without a name") == "of a function without a name"
    with pytest.raises(ZeroDivisionError):
        allowed.call(divmod, 1, 0)
    assert process_of(allowed)


@pytest.mark.parametrize("executable", ["", "/nowhere/python", "/bin/false", "/bin/cat", "/bin/echo", "/usr/bin/yes"])
def test_where_no_process_answers_all_is_done_here(
    executable: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "executable", executable)
    used = Helper()

    with used.allowed():
        for _ in range(20):
            assert used.call(os.getpid) == os.getpid()
            time.sleep(0.02)
    assert capfd.readouterr() == ("", "")


@posix
def test_what_python_prints_when_it_starts_is_no_answer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\necho cov\nprintf loaded\nexec '{sys.executable}' \"$@\"\n", encoding="utf-8")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    used = Helper()

    with used.allowed():
        assert process_of(used)


@posix
def test_the_process_ends_with_the_block_even_while_it_starts() -> None:
    used = Helper()
    with used.allowed():
        there = process_of(used)
    assert has_ended(there)
    with used.allowed():
        used.call(os.getpid)
    assert used.call(os.getpid) == os.getpid()


@posix
def test_ctrl_c_in_the_terminal_is_for_the_server_alone(allowed: Helper) -> None:
    there = process_of(allowed)
    os.kill(there, signal.SIGINT)

    assert {allowed.call(os.getpid) for _ in range(20)} == {there}


def children(process: ServeProcess) -> list[int]:
    """Return the processes that a server has started."""
    task = Path(f"/proc/{process.popen.pid}/task")
    return [int(each) for file in task.glob("*/children") for each in file.read_text(encoding="ascii").split()]


def answer(process: ServeProcess, text: str, schema: Mapping[str, Any] = SCHEMA) -> str:
    body = {"messages": [{"content": text}], "json_schema": schema}
    response = process.http.post(CHAT, json=body)
    assert response.status_code == 201, response.text
    content: str = response.json()["choices"][0]["message"]["content"]
    return content


def helper_of(process: ServeProcess) -> int:
    deadline = time.monotonic() + PATIENCE
    while not (found := children(process)):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    (only,) = found
    return only


@pytest.mark.skipif(sys.platform != "linux", reason="/proc says what a server has started")
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_server_answers_alike_with_and_without_its_helper_which_ends_with_it(
    sent: signal.Signals, tmp_path: Path
) -> None:
    with serving(tmp_path / "first") as process:
        answer(process, "a small schema", SCHEMA["items"])
        time.sleep(1)
        assert children(process) == []
        answers = {text: answer(process, text) for text in "abc"}
        there = helper_of(process)
        time.sleep(1)
        answers |= {text: answer(process, text) for text in "def"}
        os.kill(there, signal.SIGKILL)
        answers["g"] = answer(process, "g")
        process.popen.send_signal(sent)
        process.popen.wait(PATIENCE)
    with serving(tmp_path / "second") as other:
        last = {"g": answer(other, "g")}
        used = helper_of(other)
        time.sleep(1)
        again = {text: answer(other, text) for text in "fedcba"} | last
        other.popen.send_signal(sent)
        other.popen.wait(PATIENCE)

    assert answers == again
    assert len(set(answers.values())) == 7
    assert has_ended(there)
    assert has_ended(used)
    assert process.errors == other.errors == ""
