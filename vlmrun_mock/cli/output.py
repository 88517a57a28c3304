"""What a command prints: in any encoding, and with a bar where it takes long."""

from __future__ import annotations

import codecs
import io
import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

import click

Item = TypeVar("Item")

ESCAPING = "vlmrun_mock.escaping"
"""The name of the error handler that writes a character as JSON escapes it."""


def escape_unencodable() -> None:
    """Let standard output and error escape, as JSON does, each character that their encoding lacks.

    Otherwise one such character would end the command, as with the code pages of Windows.
    """
    codecs.register_error(ESCAPING, _escaped)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # it is None where it was closed from the start
            stream.reconfigure(errors=ESCAPING)


def _escaped(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    character, end = error.object[error.start], error.start + 1
    if "\udc80" <= character <= "\udcff":  # how Python reads a byte of a file's name that is no text
        return bytes([ord(character) - 0xDC00]), end
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2)), end


def watched(items: Iterable[Item], length: int, *, are_printed: bool = False) -> Iterator[Item]:
    """Yield items; a bar on standard error moves along where a person looks at it.

    Where the items `are_printed` meanwhile, to the same terminal, there is no bar.
    """
    if not sys.stderr.isatty() or (are_printed and sys.stdout.isatty()):
        yield from items
        return
    with click.progressbar(items, length=length, file=sys.stderr) as bar:
        yield from bar
