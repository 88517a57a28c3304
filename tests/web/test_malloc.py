"""What the C library is told when a server starts."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from tests.process import PATIENCE, environment

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
