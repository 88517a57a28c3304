"""What the C library is told when a server starts."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from tests.process import PATIENCE, environment

HUGE_PAGES = Path("/sys/kernel/mm/transparent_hugepage/enabled")

HEAP_FLAGS = """
from vlmrun_mock.web import malloc
malloc.keep_freed_memory()
heap = False
for line in open("/proc/self/smaps"):
    heap = line.rstrip().endswith("[heap]") if "-" in line.split()[0] else heap
    if heap and line.startswith("VmFlags:"):
        print(line)
"""


@pytest.mark.skipif(not HUGE_PAGES.exists() or platform.libc_ver()[0] != "glibc", reason="needs Linux and glibc")
def test_the_heap_grows_in_huge_pages_where_there_are_some() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", HEAP_FLAGS],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )

    assert "hg" in ended.stdout.split()


def test_nothing_happens_where_the_c_library_is_another_one() -> None:
    script = "import ctypes; ctypes.CDLL = lambda _: object(); from vlmrun_mock.web import malloc; "
    command = [sys.executable, "-c", script + "malloc.keep_freed_memory()"]

    ended = subprocess.run(command, env=environment(), timeout=PATIENCE, check=False)

    assert ended.returncode == 0
