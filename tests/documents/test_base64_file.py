"""Base64 is read in windows as it would be at once."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import random
from functools import partial

import pybase64
import pytest

from vlmrun_mock.documents.base64_file import WINDOW, Base64File

DECODED = WINDOW // 4 * 3
"""Bytes of a window."""

DATA = random.Random(3).randbytes(2 * DECODED + 100)


def file_of(data: bytes) -> Base64File:
    """Return the file that the base64 of some bytes is."""
    return hashed(base64.b64encode(data))


def hashed(text: bytes) -> Base64File:
    """Return the file that a text is, which has been hashed."""
    file = Base64File(memoryview(text))
    for _ in file.hashed():
        pass
    return file


@pytest.mark.parametrize(
    "size", [0, 1, 2, 3, 4, *(count * DECODED + more for count in (1, 2) for more in range(-4, 5)), len(DATA)]
)
def test_size_and_digest_are_those_of_the_bytes(size: int) -> None:
    file = file_of(DATA[:size])

    assert (file.size, file.sha256) == (size, hashlib.sha256(DATA[:size]).hexdigest())


@pytest.mark.parametrize(
    "text",
    [
        base64.b64encode(DATA[: DECODED - 1]) + b"QUJD",
        base64.b64encode(DATA[: DECODED - 2]) + base64.b64encode(DATA),
        base64.b64encode(DATA[: DECODED + 3]) + b"Q",
        base64.b64encode(DATA[: DECODED + 3]) + b"QQ",
        base64.b64encode(DATA)[:-2] + b"QQ==QUJD",
        base64.b64encode(DATA[:10_000]).replace(b"A", b"-"),
        base64.b64encode(DATA).replace(b"A", b"\n"),
        b" QUJD",
    ],
    ids=["=", "==", "cut short", "no padding", "in the last window", "another alphabet", "lines", "a blank"],
)
def test_what_is_not_in_strict_base64_is_refused_in_any_window(text: bytes) -> None:
    for read in (partial(pybase64.b64decode, validate=True), hashed):
        with pytest.raises(ValueError):  # noqa: PT011 - the words are those of pybase64
            read(text)


@pytest.mark.parametrize("size", [0, 1, 2, 3, 1_000])
def test_it_is_read_like_any_file(size: int) -> None:
    source, file, plain = random.Random(size), file_of(DATA[:size]), io.BytesIO(DATA[:size])

    for _ in range(500):
        if source.random() < 0.3:
            whence = source.choice((os.SEEK_SET, os.SEEK_CUR, os.SEEK_END))
            offset = source.randrange(0, 30) if whence == os.SEEK_SET else source.randrange(-2, 30)
            if offset + (0, plain.tell(), size)[whence] < 0:
                with pytest.raises(ValueError, match="before the start"):
                    file.seek(offset, whence)
            else:
                assert file.seek(offset, whence) == plain.seek(offset, whence)
        else:
            length = source.choice((-1, 0, 1, 2, 3, 4, 7, 100))
            assert file.read(length) == plain.read(length)
