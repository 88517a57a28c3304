"""The gallery of documents shows each template, in pictures of a modest size."""

from __future__ import annotations

from PIL import Image

from scripts.document_gallery import FOLDER, PAGE, page, shown
from vlmrun_mock.documents.printer import crafted

MOST_BYTES = 2_000_000


def test_the_gallery_shows_every_template() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()
    assert set(shown()) > set(crafted())
    assert {path.name for path in FOLDER.iterdir()} == {f"{domain}.png" for domain in shown()}


def test_the_pictures_are_of_a_modest_size() -> None:
    files = list(FOLDER.iterdir())

    assert sum(path.stat().st_size for path in files) < MOST_BYTES
    for path in files:
        with Image.open(path) as picture:
            assert picture.width <= 1700
