"""The two usual formats are measured as imagesize measures them, whatever a header says, and without loading it."""

from __future__ import annotations

import io
import struct
import subprocess
import sys

import imagesize  # type: ignore[import-untyped]  # it has no types
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.corpus.documents import png
from tests.process import PATIENCE, environment
from vlmrun_mock.documents.picture_size import size_of


def jpeg(**options: object) -> bytes:
    """Return a JPEG of 37 x 23 pixels."""
    file = io.BytesIO()
    Image.new("RGB", (37, 23)).save(file, "JPEG", **options)
    return file.getvalue()


FRAME = b"\xff\xc0\0\x08\x08\0\x17\0\x25\x03"
HEADERS = (
    png(37, 23),
    jpeg(),
    jpeg(progressive=True),
    jpeg(comment=b"\xff\xc0" * 30_000),
    b"\xff\xd8\xff\xe0\0\x04ab" + FRAME,
    b"\xff\xd8\xff\xe0\0\x04ab" + b"\xff" * 100 + b"\xff\xd0junk\xff\x01" + FRAME,
)
PARTS = st.sampled_from(
    [FRAME, FRAME[:7], b"\xff", b"\xff\xd0", b"\xff\xd9", b"\xff\xda", b"\xff\xc4\0\x02", b"\xff\xe1\0\1", b"\0"]
)


def with_imagesize(data: bytes) -> tuple[int | None, int | None]:
    """Return what imagesize says."""
    width, height = imagesize.get(io.BytesIO(data), exif_rotation=False)
    return (width, height) if 0 < width < 2**31 and 0 < height < 2**31 else (None, None)


@pytest.mark.parametrize("data", HEADERS, ids=range(len(HEADERS)))
def test_a_usual_header_says_the_size(data: bytes) -> None:
    assert size_of(io.BytesIO(data)) == with_imagesize(data) == (37, 23)


@given(st.sampled_from(HEADERS), st.integers(8, 60), st.integers(0, 9), st.binary(max_size=4) | PARTS)
def test_a_damaged_header_is_read_as_imagesize_reads_it(data: bytes, place: int, lost: int, put: bytes) -> None:
    damaged = data[:place] + put + data[place + lost :]

    assert size_of(io.BytesIO(damaged)) == with_imagesize(damaged)


@given(st.lists(PARTS | st.binary(max_size=9)))
def test_any_segments_are_read_as_imagesize_reads_them(parts: list[bytes]) -> None:
    data = b"\xff\xd8\xff" + b"".join(parts)

    assert size_of(io.BytesIO(data)) == with_imagesize(data)


@pytest.mark.parametrize("data", [struct.pack(">8s4s4sLL", b"\x89PNG\r\n\x1a\n", b"", b"IHDR", 1, 1), b"\xff\xd8\xff"])
def test_a_header_that_ends_too_early_says_nothing(data: bytes) -> None:
    assert size_of(io.BytesIO(data)) == with_imagesize(data) == (None, None)


@pytest.mark.parametrize("data", [png(1, 1), jpeg()], ids=["PNG", "JPEG"])
def test_a_picture_in_a_usual_format_loads_nothing_that_reads_the_others(data: bytes) -> None:
    script = (
        "import io, sys; from vlmrun_mock.documents.picture_size import size_of; "
        f"size_of(io.BytesIO({data!r})); sys.exit('imagesize' in sys.modules)"
    )

    ended = subprocess.run([sys.executable, "-c", script], env=environment(), timeout=PATIENCE, check=False)

    assert ended.returncode == 0
