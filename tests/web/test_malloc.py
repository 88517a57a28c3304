"""What the C library is told when a server starts."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from tests.process import PATIENCE, environment
from vlmrun_mock.mock.options.option import MEBIBYTE
from vlmrun_mock.web.malloc import BLOCK, KEPT

HUGE_PAGES = Path("/sys/kernel/mm/transparent_hugepage/enabled")

HEAP = """
from vlmrun_mock.web import malloc
malloc.keep_freed_memory({most_held})
size, heap = 0, False
for line in open("/proc/self/smaps"):
    heap = line.rstrip().endswith("[heap]") if "-" in line.split()[0] else heap
    if heap and line.startswith("Size:"):
        size = int(line.split()[1])
    if heap and line.startswith("VmFlags:"):
        print(size if "hg" in line.split() else 0)
"""
"""Prints how large each part of the heap is, in KiB, that has huge pages."""


@pytest.mark.skipif(not HUGE_PAGES.exists() or platform.libc_ver()[0] != "glibc", reason="needs Linux and glibc")
@pytest.mark.parametrize("most_held", [0, 64 * MEBIBYTE])
def test_the_heap_grows_in_huge_pages_where_there_are_some(most_held: int) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", HEAP.format(most_held=most_held)],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )

    assert sum(map(int, ended.stdout.split())) * 1024 > KEPT + most_held - BLOCK


def test_nothing_happens_where_the_c_library_is_another_one() -> None:
    script = "import ctypes; ctypes.CDLL = lambda _: object(); from vlmrun_mock.web import malloc; "
    command = [sys.executable, "-c", script + "malloc.keep_freed_memory()"]

    ended = subprocess.run(command, env=environment(), timeout=PATIENCE, check=False)

    assert ended.returncode == 0
