"""A picture is taken for another one only if it is the same, encoded anew; with another digit it is another one."""

from __future__ import annotations

import io
import subprocess
import sys
from itertools import cycle, islice
from pathlib import Path

import pytest
from PIL import Image

from scripts.re_encodings import BEGIN, END, KINDS, PAGE, WAYS, compared, drawn, lines_of, saved, with_another_digit
from vlmrun_mock.documents import likeness
from vlmrun_mock.documents.likeness import UnreadablePicture
from vlmrun_mock.fixtures.fixture import Fixture, FixtureAnswer
from vlmrun_mock.fixtures.match import Match
from vlmrun_mock.fixtures.originals import Looks, Original, Originals, original

SDK = next(iter(WAYS))


def naming(picture: Original) -> Fixture:
    """Return a fixture for a picture."""
    match = Match(documents=(picture.document.identity,))
    return Fixture(picture.name, match, (FixtureAnswer("text"),), originals=(picture,))


def table() -> dict[str, list[str]]:
    """Return the rows of the documentation's table, by their names."""
    rows = PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0].strip().splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in rows]
    return {first: others for first, *others in cells}


@pytest.mark.parametrize("kind", ["identity card", "business card", "receipt of a till"])
def test_what_the_official_sdk_sends_is_the_same_picture(kind: str) -> None:
    picture = drawn(kind, lines_of(kind, 0))

    found = [compared(picture, WAYS[way](picture)) for way in WAYS if "vlmrun" in way]

    assert [each.startswith("**yes**") for each in found] == [True] * 3


def test_the_table_of_the_documentation_says_so_of_every_kind() -> None:
    rows = table()

    assert rows[""] == list(KINDS)
    assert list(rows)[2:-1] == list(WAYS)
    assert all(cell.startswith("**yes**") for way in WAYS if "vlmrun" in way for cell in rows[way])
    assert all(cell.startswith("no") for name, cells in list(rows.items())[-6:] for cell in cells)


def test_one_other_digit_is_another_picture(request: pytest.FixtureRequest) -> None:
    count = 1_000 if request.config.getoption("campaign") else 12
    kinds = list(KINDS) if count > 12 else ["identity card", "nutrition label", "business card", "receipt of a till"]
    pictures = {kind: drawn(kind, lines_of(kind, 0)) for kind in kinds}
    looks = Looks()
    named = {kind: original(saved(picture, "PNG"), kind) for kind, picture in pictures.items()}
    originals = Originals([naming(each) for each in named.values() if each], looks)
    hits = []

    for seed, kind in enumerate(islice(cycle(kinds), count)):
        sent = WAYS[SDK](drawn(kind, with_another_digit(lines_of(kind, 0), seed)))
        found = original(sent, "sent")
        assert found
        assert originals.may_be(found.document)
        hits.append(originals.same(found.document, sent))

    assert hits == [None] * count
    for kind in kinds:
        sent = WAYS[SDK](pictures[kind])
        found = original(sent, "sent")
        assert found
        assert originals.same(found.document, sent) == named[kind]


def test_a_picture_of_one_colour_shows_nothing_to_know_it_by() -> None:
    with pytest.raises(UnreadablePicture, match="nothing to know it by"):
        likeness.look(Image.new("RGB", (300, 200), (10, 200, 30)))


def test_another_colour_of_the_same_grey_is_another_picture() -> None:
    picture = drawn("business card", lines_of("business card", 0))
    other = picture.copy()
    picture.paste((200, 0, 0), (300, 300, 400, 400))
    other.paste((0, 102, 0), (300, 300, 400, 400))

    assert likeness.difference(picture, other) <= likeness.BOUND
    assert not likeness.is_same(picture, other)


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_a_picture_that_is_stored_on_its_side_is_the_one_that_the_sdk_sends_upright(
    orientation: int, tmp_path: Path
) -> None:
    from vlmrun.common.image import _open_image_with_exif  # noqa: PLC0415 - it takes a second to import

    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "photo.jpg"
    drawn("business card", lines_of("business card", 1)).save(path, quality=92, exif=exif)

    sent = WAYS[SDK](_open_image_with_exif(path))

    named = original(path.read_bytes(), "photo.jpg", path)
    found = original(sent, "sent")
    assert named
    assert found
    originals = Originals([naming(named)], Looks())
    assert originals.may_be(found.document)
    assert originals.same(found.document, sent) == named


def _bomb() -> bytes:
    """Return a small file of a very large picture."""
    return saved(Image.new("1", (8_000, 6_000)), "PNG")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x89PNG\r\n\x1a\n" + bytes(100),
        saved(drawn("identity card", []), "PNG")[:2_000],
        saved(drawn("identity card", []), "JPEG")[:300],
        b"GIF89a" + b"\xff" * 50,
        b"%PDF-1.7",
    ],
    ids=["empty", "head", "cut PNG", "cut JPEG", "GIF", "PDF"],
)
def test_what_is_no_whole_picture_is_none(data: bytes) -> None:
    with pytest.raises(UnreadablePicture, match="cannot be read"):
        likeness.opened(data)


def test_a_picture_that_is_very_large_is_not_decoded() -> None:
    with pytest.raises(UnreadablePicture, match="more than 40,000,000 pixels"):
        likeness.opened(_bomb())


def test_nothing_needs_pillow_until_a_picture_is_compared() -> None:
    script = "import sys; import vlmrun_mock.web.app, vlmrun_mock.fixtures.loader; print('PIL' in sys.modules)"

    printed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout

    assert printed.strip() == "False"


def test_a_palette_and_transparency_are_read_as_the_sdk_reads_them() -> None:
    picture = drawn("business card", lines_of("business card", 2))
    file = io.BytesIO()
    picture.convert("RGBA").save(file, "PNG")

    assert likeness.is_same(likeness.opened(file.getvalue()), likeness.opened(WAYS[SDK](picture)))
