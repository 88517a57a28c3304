"""What the C library is told when a server starts."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from tests.process import PATIENCE, environment
from vlmrun_mock.web import malloc

MEGABYTES = 40
FREED = f"""
import resource
from vlmrun_mock.web import malloc
malloc.keep_freed_memory()
for _ in range(2):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    pieces = [bytes([1]) * 1_000_000 for _ in range({MEGABYTES})]
    del pieces
    print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
"""Prints how many pages were new when memory was used, and when it was used again."""


def run(script: str) -> str:
    """Run a script, and return what it prints."""
    command = [sys.executable, "-c", script]
    ended = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=PATIENCE, check=True)
    return ended.stdout


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs glibc")
def test_memory_that_was_freed_is_used_again_without_new_pages() -> None:
    first, again = map(int, run(FREED).split())

    assert first > MEGABYTES * 100
    assert again < first / 10


def test_nothing_happens_where_the_c_library_is_another_one() -> None:
    script = "import ctypes; ctypes.CDLL = lambda _: object(); from vlmrun_mock.web import malloc; "

    assert run(script + "malloc.keep_freed_memory()") == ""


@pytest.mark.parametrize("size", [0, 1, 100, 5_000_000])
def test_unwritten_bytes_are_as_many_as_were_asked_for(size: int) -> None:
    unwritten = malloc.unwritten(size)

    assert type(unwritten) is bytes
    assert len(unwritten) == size


def test_another_python_writes_zeros() -> None:
    script = "import ctypes; ctypes.pythonapi = object(); from vlmrun_mock.web import malloc; "

    assert run(script + "print(malloc.unwritten(3))") == f"{bytes(3)!r}\n"


@pytest.mark.skipif(sys.platform != "linux", reason="looks at Linux' own figures")
def test_unwritten_bytes_take_no_memory_before_they_are_written() -> None:
    script = """
import resource
from vlmrun_mock.web import malloc
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
kept = malloc.unwritten(1_000_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""

    assert int(run(script)) < 50_000
