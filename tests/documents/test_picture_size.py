"""The size of a picture, by its header alone."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from vlmrun_mock.documents.picture_size import LONGEST_HEADER, size_of

FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP")


class CountedFile(io.BytesIO):
    """A file that counts the bytes that are read of it."""

    count = 0

    def read(self, size: int | None = -1) -> bytes:
        """Return the next bytes."""
        data = super().read(size)
        self.count += len(data)
        return data


def picture(kind: str) -> bytes:
    """Return a picture of 37 x 23 pixels."""
    file = io.BytesIO()
    Image.new("RGB", (37, 23)).save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize("kind", FORMATS)
def test_a_header_says_the_size(kind: str) -> None:
    assert size_of(io.BytesIO(picture(kind))) == (37, 23)


@given(st.sampled_from(FORMATS), st.integers(0, 60), st.integers(0, 9), st.binary(max_size=9))
def test_a_damaged_header_says_a_size_or_nothing(kind: str, place: int, lost: int, put: bytes) -> None:
    data = picture(kind)

    width, height = size_of(io.BytesIO(data[:place] + put + data[place + lost :]))

    assert (width is None) == (height is None)
    assert width is None or width > 0


def test_a_header_that_goes_on_for_too_long_is_not_read_to_its_end() -> None:
    file = CountedFile(b"\xff\xd8\xff" + b"\xe0\0\x02\xff" * 1_000_000)

    assert size_of(file) == (None, None)
    assert file.count <= 2 * LONGEST_HEADER
