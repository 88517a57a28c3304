"""Memory for large bodies: not given back after each, only to be taken again for the next, and not written twice."""

from __future__ import annotations

import contextlib
import ctypes
from typing import cast

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
"""The numbers of these parameters in glibc's malloc.h."""

LARGEST_FROM_HEAP = 32 * 1024 * 1024
"""What glibc allows at most; larger blocks are mapped, and unmapped when they are freed."""

KEPT = 64 * 1024 * 1024
"""Bytes that may stay free at the end of the heap."""


def keep_freed_memory() -> None:
    """Set glibc's thresholds to where they end up by themselves after some large bodies; do nothing without glibc.

    To be called while the process has one thread: mallopt is not safe beside others that allocate. New memory costs
    a page fault for each 4 KiB: a body of 8 MB takes twice as long in a process that is new. Pages of 2 MiB would cost
    fewer, but a virtual machine that has not used them yet takes longer to get them.
    """
    with contextlib.suppress(AttributeError, OSError, TypeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(M_MMAP_THRESHOLD, LARGEST_FROM_HEAP)
        mallopt(M_TRIM_THRESHOLD, KEPT)
        mallopt(M_ARENA_MAX, 1)  # for all threads: what one of them has freed, the next can use


def unwritten(size: int) -> bytes:
    """Return bytes with whatever is in memory, for a caller that writes all of them before anybody else reads them.

    `bytes(size)` writes zeros to all of them in one go, in which nobody is answered. Raises MemoryError.
    """
    try:
        new = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_char_p, ctypes.c_ssize_t)(
            ("PyBytes_FromStringAndSize", ctypes.pythonapi)
        )
    except AttributeError:  # another Python than CPython
        return bytes(size)
    return cast("bytes", new(None, size))
