"""A document is known by its decoded bytes or its address, and hostile ones are refused or measured in bounded time."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import struct
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.effort import calls
from vlmrun_mock.documents.identity import (
    Document,
    DocumentProblem,
    from_bytes,
    from_file_id,
    from_url,
    identity,
    sniff,
)

BYTES = bytes(range(256)) * 3 + b"\xfb\xff"
ENCODED = base64.b64encode(BYTES).decode()
MEASURED = {"PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "JPEG2000", "AVIF"}
MEDIA_TYPES = {"PNG": "png", "JPEG": "jpeg", "GIF": "gif", "WEBP": "webp", "BMP": "bmp", "TIFF": "tiff"}


def written() -> dict[str, bytes]:
    """Return one 37 x 23 picture in every format that Pillow writes here."""
    Image.init()
    files = {}
    for name in sorted(set(Image.SAVE) - {"PALM", "WMF", "GRIB", "HDF5", "BUFR"}):  # these need a plug-in to be written
        for mode in ("RGB", "L", "1", "F", "RGBA"):
            file = io.BytesIO()
            try:
                Image.new(mode, (37, 23), 1).save(file, name)
            except (OSError, ValueError, KeyError):
                continue
            files[name] = file.getvalue()
            break
    return files


PICTURES = written()


def data_url(data: bytes, media_type: str = "image/png") -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


def box(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I4s", len(payload) + 8, kind) + payload


def test_a_data_url_is_known_by_its_decoded_bytes() -> None:
    document = from_url(data_url(BYTES, "application/x-thing"), "file_url")

    expected = f"sha256:{hashlib.sha256(BYTES).hexdigest()}"
    assert document == Document(expected, "file_url", "application/x-thing", len(BYTES), None, None)
    assert identity(BYTES) == expected


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(base64.urlsafe_b64encode(BYTES).decode(), id="URL-safe alphabet"),
        pytest.param(ENCODED.rstrip("="), id="no padding"),
        pytest.param(ENCODED + "==", id="too much padding"),
        pytest.param(base64.encodebytes(BYTES).decode(), id="lines"),
        pytest.param(base64.encodebytes(BYTES).decode().replace("\n", "\r\n"), id="DOS lines"),
        pytest.param(f" {ENCODED[:9]}\t{ENCODED[9:]}\v\f ", id="blanks"),
        pytest.param(quote(ENCODED, safe=""), id="percent-encoded"),
        pytest.param(ENCODED.replace("+", "-"), id="both alphabets"),
    ],
)
def test_two_spellings_of_the_same_bytes_have_one_identity(payload: str) -> None:
    document = from_url(f"data:image/png;base64,{payload}")

    assert payload != ENCODED
    assert document == from_url(data_url(BYTES))


@pytest.mark.parametrize(
    "start", ["DATA:image/png;BASE64,", "data:;base64,", "data:image/png;name=a.png;base64,", "data:x; Base64 ,"]
)
def test_the_header_of_a_data_url_may_be_written_in_several_ways(start: str) -> None:
    document = from_url(start + ENCODED)

    assert document.identity == identity(BYTES)


def test_bits_that_do_not_make_a_byte_are_ignored() -> None:
    document = from_url("data:text/plain;base64,QR")

    assert document == from_url("data:text/plain;base64,QQ==")


def test_a_data_url_without_base64_is_percent_encoded() -> None:
    document = from_url("data:text/plain;charset=utf-8,a%20%FF%zz,é")

    assert document == from_bytes(b"a \xff%zz,\xc3\xa9", media_type="text/plain")


def test_a_media_type_that_is_none_is_not_repeated() -> None:
    document = from_url("data:../../etc/passwd;base64,QUJD")

    assert document.media_type is None


@given(st.binary(min_size=1))
def test_any_bytes_come_back_from_a_data_url(data: bytes) -> None:
    document = from_url(data_url(data))

    assert document.identity == identity(data)
    assert document.size == len(data)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("data:image/png;base64,QUJD!QUJD", "not base64: at position 5 there is '!'"),
        ("data:image/png;base64,QUJD é", "not base64: at position 6 there is the byte 0xc3, which is not ASCII"),
        ("data:image/png;base64,QQ==QQ==", "not base64: at position 3 there is '='"),
        ("data:image/png;base64,QUJD\0", r"at position 5 there is '\\x00'"),
        ("data:image/png;base64,QUJDR", "cut short: 5 characters"),
        ("data:image/png;base64,QU\ud800", "at position 3 .* lone surrogate"),
        ("data:image/png;base64,", "no data"),
        ("data:image/png;base64, \n", "no data"),
        ("data:image/png;base64,====", "no data"),
        ("data:,", "no data"),
        ("data:image/png;base64", "no comma"),
        (f"data:base64,{ENCODED}", "no media type and no semicolon: write data:image/png;base64,<data>"),
        (f"data: BASE64 ,{ENCODED}", "no media type and no semicolon"),
        pytest.param("data:" + ";" * 5_000 + "," + ENCODED, "no comma", id="long header"),
        pytest.param("data:," + "%" * 1_000_001, "more than 1,000,000 percent signs", id="many escapes"),
        ("file:///etc/passwd", "file: URLs are not accepted"),
        ("ftp://example.com/a.png", "ftp: URLs are not accepted"),
        ("javascript:alert(1)", "javascript: URLs are not accepted"),
        ("blob:https://example.com/1", "blob: URLs are not accepted"),
        ("invoices/acme.jpg", "'invoices/acme.jpg' is not a complete URL"),
        ("//example.com/a.png", "not a complete URL"),
        ("https://", "not a complete URL"),
        ("https:///a.png", "not a complete URL"),
        ("http://exa\nmple.com/", "control character"),
        ("https://example.com/\ud800", "control character"),
        (" ", "the URL is empty"),
        ("", "the URL is empty"),
        ("/9j/4AAQSkZJRgABAQ", "put data:image/jpeg;base64, before it"),
    ],
)
def test_an_address_that_is_no_document_is_refused_with_the_reason(url: str, message: str) -> None:
    with pytest.raises(DocumentProblem, match=message):
        from_url(url)


@given(st.text() | st.text(alphabet="daht:/;base64,%=+-_ QUJD\n.p", max_size=60))
def test_a_refusal_is_short_and_can_be_printed(url: str) -> None:
    try:
        message = from_url(url).identity
    except DocumentProblem as problem:
        message = str(problem)
        assert len(message) < 500

    assert message.isprintable()


def test_a_refusal_does_not_hold_the_payload() -> None:
    payload = "secret" * 1_000 + "!"

    with pytest.raises(DocumentProblem) as refused:
        from_url(f"data:image/png;base64,{payload}")

    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("url", ["https://Example.com/a b.png?x=%7e#y", "HTTP://user:pw@host:80", "http://[::1]/é"])
def test_an_http_url_is_known_as_it_was_sent(url: str) -> None:
    document = from_url(url)

    assert document == Document(identity=url, kind="image_url")


def test_a_file_id_is_known_by_itself() -> None:
    document = from_file_id("file-123")

    assert document == Document(identity="file:file-123", kind="input_file")


@pytest.mark.parametrize("file_id", ["", "a\nb", "\ud800"])
def test_a_file_id_that_cannot_be_shown_is_refused(file_id: str) -> None:
    with pytest.raises(DocumentProblem, match="printable characters and not empty"):
        from_file_id(file_id)


def test_no_bytes_are_no_document() -> None:
    with pytest.raises(DocumentProblem, match="0 bytes"):
        from_bytes(b"")


@pytest.mark.parametrize("name", sorted(MEASURED & PICTURES.keys()))
def test_a_picture_is_measured_by_its_header(name: str) -> None:
    document = from_bytes(PICTURES[name])

    assert (document.width, document.height) == (37, 23)


def test_a_picture_is_measured_as_it_is_stored_whatever_its_rotation() -> None:
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees when shown
    Image.new("RGB", (37, 23)).save(file, "JPEG", exif=exif)

    document = from_bytes(file.getvalue())

    assert (document.width, document.height) == (37, 23)


@pytest.mark.parametrize(("name", "subtype"), MEDIA_TYPES.items())
def test_what_the_bytes_prove_wins_over_what_is_declared(name: str, subtype: str) -> None:
    document = from_url(data_url(PICTURES[name], "image/x-wrong"))

    assert document.media_type == f"image/{subtype}"


def test_a_pdf_is_recognised_and_not_measured() -> None:
    document = from_bytes(b"%PDF-1.7\n", media_type="image/png")

    assert (document.media_type, document.width, document.height) == ("application/pdf", None, None)


@pytest.mark.parametrize("data", [b"BMW is a car, not a picture", b"RIFF1234WAVE", b"GIF90a", b"\0\0\0\x20ftypisom"])
def test_a_signature_that_could_be_something_else_proves_nothing(data: bytes) -> None:
    assert sniff(data) is None


@pytest.mark.parametrize("name", sorted(PICTURES))
def test_a_truncated_picture_is_still_a_document(name: str) -> None:
    for length in range(1, min(len(PICTURES[name]), 700)):
        document = from_bytes(PICTURES[name][:length])

        assert (document.width, document.height) in {(None, None), (37, 23)}


@given(st.sampled_from(sorted(PICTURES)), st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=12))
def test_a_corrupted_picture_is_still_a_document(name: str, changes: list[tuple[int, int]]) -> None:
    data = bytearray(PICTURES[name])
    for place, value in changes:
        data[place % len(data)] = value

    document = from_bytes(bytes(data))

    assert document.size == len(data)
    assert (document.width is None) == (document.height is None)
    assert document.width is None or 0 < document.width < 2**31


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\xff\xd8\xff\xe0\0\x04ab" + b"\0" * 8_000_000, id="JPEG without another marker"),
        pytest.param(b"\xff\xd8\xff\xe0\0\x04ab" + b"\xff\xe1\0\x02" * 2_000_000, id="JPEG of empty segments"),
        pytest.param(b"\xff\xd8\xff" + b"\xff" * 8_000_000, id="JPEG of fill bytes"),
        pytest.param(
            b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, 2**63) + b"\0" * 8_000_000, id="BigTIFF of endless entries"
        ),
        pytest.param(b"P6 " + b"1" * 8_000_000, id="Netpbm with an endless number"),
        pytest.param(b"\0\0\0\x0cjP  \r\n\x87\n" + box(b"free", b"") * 1_000_000, id="JPEG 2000 of empty boxes"),
        pytest.param(
            box(b"ftyp", b"heic\0\0\0\0")
            + box(
                b"meta",
                b"\0" * 4
                + box(b"iinf", b"\0" * 6)
                + box(b"iloc", struct.pack(">IBBH", 0, 0, 0, 10_000) + struct.pack(">HHH", 1, 0, 65_535) * 10_000),
            ),
            id="HEIC of 655,350,000 extents",
        ),
        pytest.param(
            box(b"ftyp", b"heic\0\0\0\0")
            + box(
                b"meta",
                b"\0" * 4 + box(b"iprp", box(b"ipma", struct.pack(">II", 0, 5_000_000) + b"\0\x01\0" * 5_000_000)),
            ),
            id="HEIC of 5,000,000 properties",
        ),
        pytest.param(
            box(b"ftyp", b"avif\0\0\0\0") + box(b"meta", b"\0" * 4 + box(b"free", b"") * 1_000_000), id="AVIF of boxes"
        ),
    ],
)
def test_a_hostile_header_takes_few_steps(data: bytes) -> None:
    steps = calls(lambda: from_bytes(data))

    assert (from_bytes(data).width, from_bytes(data).height) == (None, None)
    assert steps < 500_000  # one for some twenty bytes


def test_nothing_is_fetched_or_opened(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)  # to open it would block for ever

    with pytest.raises(DocumentProblem, match="nothing is opened"):
        from_url(fifo.as_uri())
