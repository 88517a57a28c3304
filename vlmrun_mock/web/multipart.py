"""Forms with files: a body of `multipart/form-data`, cut into its parts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote

import msgspec

from vlmrun_mock.api.errors import InvalidRequest, Problem

BOUNDARY = re.compile(rb'(?is)multipart/form-data\s*;.*?boundary=(?:"([^"]{1,200})"|([^\s;"]{1,200}))')
PARAMETER = re.compile(rb';\s*(name|filename)="((?:[^"\\]|\\.)*)"', re.IGNORECASE)
EXTENDED_NAME = re.compile(rb";\s*filename\*=utf-8''([^\s;]+)", re.IGNORECASE)

MOST_PARTS = 100
LONGEST_HEAD = 8_192


class Part(msgspec.Struct, frozen=True):
    """One field of a form; `filename` is None where it is no file."""

    name: str
    filename: str | None
    data: bytes


def parts(content_type: bytes, raw: bytes) -> list[Part]:
    """Return the fields of a form; raises InvalidRequest for what is none."""
    found = BOUNDARY.match(content_type.strip())
    if not found:
        raise _wrong("The body should be a form: send it as multipart/form-data with a boundary")
    delimiter = b"\r\n--" + (found[1] or found[2])
    pieces = (b"\r\n" + raw).split(delimiter, MOST_PARTS + 1)
    if len(pieces) > MOST_PARTS + 1:
        raise _wrong(f"The form has more than {MOST_PARTS} parts")
    if len(pieces) < 3 or not pieces[-1].startswith(b"--"):  # noqa: PLR2004 - before, a part, and the end
        raise _wrong("The form ends too early, or its boundary is another one than the header says")
    return list(_read(pieces[1:-1]))


def _read(pieces: list[bytes]) -> Iterator[Part]:
    for piece in pieces:
        head, blank, data = piece.partition(b"\r\n\r\n")
        if not blank or len(head) > LONGEST_HEAD:
            raise _wrong("A part of the form has no head, or too long a one")
        lines = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-disposition:")]
        named = {key.lower(): value for key, value in PARAMETER.findall(lines[0] if lines else b"")}
        if b"name" not in named:
            raise _wrong("A part of the form has no name")
        extended = EXTENDED_NAME.search(lines[0])
        filename = unquote(extended[1].decode("latin-1")) if extended else None
        if filename is None and b"filename" in named:
            filename = _text(named[b"filename"])
        yield Part(_text(named[b"name"]), filename, data)


def _text(raw: bytes) -> str:
    """Return a name as text; browsers escape its quotes by percent, others by a backslash."""
    return re.sub(r"\\(.)", r"\1", raw.decode("utf-8", "replace")).replace("%22", '"')


def _wrong(message: str) -> InvalidRequest:
    return InvalidRequest([Problem(("body",), message)])
