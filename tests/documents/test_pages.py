"""The pages of a PDF are counted as it has them, in bounded time, whatever it says."""

from __future__ import annotations

import io
import random
import subprocess
import sys
import zlib
from functools import partial

import pypdfium2
import pytest
from PIL import Image

from tests.effort import calls
from tests.printed import printed
from vlmrun_mock.documents.identity import Document
from vlmrun_mock.documents.pages import MOST_PAGES, PROCESS, PageCounts, count

PLAIN = b"%%PDF-1.4\n1 0 obj << /Type /Pages /Count %d >> endobj\n%bstartxref\n0\n%%%%EOF"


def plain(pages: int) -> bytes:
    """Return a PDF that says plainly what it holds, so that it is not opened."""
    return PLAIN % (pages, b"2 0 obj << /Type /Page >> endobj\n" * pages)


def drawn(pages: int) -> bytes:
    """Return a PDF of pictures, as Pillow writes it."""
    first, *others = [Image.new("RGB", (40, 30), "white") for _ in range(pages)]
    file = io.BytesIO()
    first.save(file, "PDF", save_all=True, append_images=others)
    return file.getvalue()


def packed(pages: int, said: int) -> bytes:
    """Return a PDF whose objects are compressed, and that no library can open."""
    objects = zlib.compress(b"<< /Type /Page >> " * pages + b"<< /Type /Pages /Count %d >>" % said)
    return b"%PDF-1.5\n1 0 obj << /Type /ObjStm /Length 99 >> stream\n" + objects + b"\nendstream endobj\n%%EOF"


@pytest.mark.parametrize("pages", [1, 2, 3, 40])
def test_a_pdf_has_as_many_pages_as_it_holds(pages: int) -> None:
    assert count(plain(pages)) == pages
    assert count(drawn(pages)) == pages
    assert count(packed(pages, pages)) == pages


def test_a_printed_document_has_as_many_pages_as_pdfium_says() -> None:
    statement = printed("document.bank-statement", 0)

    assert count(statement.data) == statement.page_count == len(pypdfium2.PdfDocument(statement.data))


def test_a_pdf_that_lies_is_opened() -> None:
    lying = drawn(2).replace(b"/Count 2", b"/Count 9") + b"% /Type /Page /Type /Page"

    assert count(lying) == len(pypdfium2.PdfDocument(lying))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"%PDF-1.7",
        b"%PDF-1.4 /Type /Pages /Count 999999 startxref %%EOF",
        b"%PDF-1.5 /ObjStm stream \0\0\0 endstream %%EOF" * 1_000,
        b"%PDF-1.5 /ObjStm stream\n" + zlib.compress(b"/Type /Page " * 3_000_000) + b"\nendstream %%EOF",
        b"/Type /Page " * 300_000,
        b"%PDF-1.4 " + b"startxref " * 100_000,
    ],
    ids=["nothing", "a head", "a huge count", "many broken streams", "a bomb", "too many pages", "no table"],
)
def test_a_hostile_pdf_has_some_number_of_pages(data: bytes) -> None:
    assert 1 <= count(data) <= MOST_PAGES


def test_bytes_at_random_in_a_pdf_are_no_defect() -> None:
    chance, whole = random.Random(7), drawn(3)

    for _ in range(8):
        data = bytearray(whole)
        for _ in range(20):
            data[chance.randrange(len(data))] = chance.randrange(256)
        assert 1 <= count(bytes(data)) <= MOST_PAGES


def test_the_process_that_opens_a_pdf_ends_with_an_error_and_not_the_server() -> None:
    ended = subprocess.run([sys.executable, str(PROCESS)], input=b"no PDF", capture_output=True, check=False)

    assert ended.returncode != 0
    assert ended.stdout == b""


def test_a_count_is_kept_by_the_document() -> None:
    counts, document = PageCounts(), Document("sha256:00", "image_url", "application/pdf")

    assert counts.get(document) is None
    assert counts.of(document, plain(3)) == 3
    assert counts.get(document) == 3


@pytest.mark.parametrize("piece", [b"/Type /Page ", b"/ObjStm stream "], ids=["pages", "streams"])
def test_ten_times_as_much_of_what_is_looked_for_is_hardly_more_work(piece: bytes) -> None:
    some, many = (calls(partial(count, b"%PDF-1.5 " + piece * times)) for times in (120_000, 1_200_000))

    assert many < 2 * some
