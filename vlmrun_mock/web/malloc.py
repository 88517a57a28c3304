"""How the C library gives memory back: not after each large body, only to take it again for the next."""

from __future__ import annotations

import contextlib
import ctypes
import os

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
"""The numbers of these parameters in glibc's malloc.h."""

MADV_HUGEPAGE = 14
"""Of Linux's mman.h."""

LARGEST_PARAMETER = 2**31 - 1

LARGEST_FROM_HEAP = 32 * 1024 * 1024
"""What glibc allows at most; larger blocks are mapped, and unmapped when they are freed."""

KEPT = 64 * 1024 * 1024
"""Bytes that may stay free at the end of the heap, beside those that are kept for longer than a request."""

BLOCK = 30 * 1024 * 1024
"""What is taken from the heap at a time, and given back, so that it has grown."""


def keep_freed_memory(most_held: int = 0) -> None:
    """Set glibc's thresholds to where they end up by themselves after some large bodies; do nothing without glibc.

    To be called while the process has one thread: mallopt is not safe beside others that allocate. New memory costs
    a page fault for each 4 KiB: a body of 8 MB takes twice as long in a process that is new. `most_held` is how many
    bytes of bodies may be held once they are answered: the next ones come to lie behind them.
    """
    with contextlib.suppress(AttributeError, OSError, TypeError):
        library = ctypes.CDLL(None)
        mallopt = library.mallopt
        kept = min(KEPT + most_held, LARGEST_PARAMETER)
        mallopt(M_MMAP_THRESHOLD, LARGEST_FROM_HEAP)
        mallopt(M_TRIM_THRESHOLD, kept)
        mallopt(M_ARENA_MAX, 1)  # for all threads: what one of them has freed, the next can use
        _grow_in_huge_pages(library, kept // BLOCK)


def _grow_in_huge_pages(library: ctypes.CDLL, blocks: int) -> None:
    """Let the heap grow, and ask Linux for pages of 2 MiB there, one fault each; none is taken before it is used."""
    library.malloc.restype = ctypes.c_void_p
    library.free.argtypes = [ctypes.c_void_p]
    library.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    page = os.sysconf("SC_PAGE_SIZE")
    taken = [block for _ in range(blocks) if (block := library.malloc(ctypes.c_size_t(BLOCK)))]
    for block in taken:
        library.madvise(-(-block // page) * page, BLOCK - page, MADV_HUGEPAGE)
    for block in taken:
        library.free(block)
