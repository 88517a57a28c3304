"""The process that opens a PDF: started as a script, apart from the server, whose memory and time a hostile PDF spares.

It reads the PDF from its standard input, and prints how many pages it has. It imports nothing of this package.
"""

from __future__ import annotations

import sys

MOST_MEMORY = 2_000_000_000
"""Bytes of address space, most of which no page uses."""

MOST_SECONDS = 10
"""How many seconds of the processor's time it may take."""


def main() -> None:
    """Print how many pages a PDF has."""
    _limit()
    import pypdfium2  # noqa: PLC0415 - after the limits

    data = sys.stdin.buffer.read()
    print(len(pypdfium2.PdfDocument(data)))  # noqa: T201 - printing is what it is for


def _limit() -> None:
    """Bound what this process may take, where the platform can."""
    try:
        import resource  # noqa: PLC0415 - Windows has none
    except ImportError:
        return
    for kind, most in ((resource.RLIMIT_AS, MOST_MEMORY), (resource.RLIMIT_CPU, MOST_SECONDS)):
        resource.setrlimit(kind, (most, most))


if __name__ == "__main__":
    main()
