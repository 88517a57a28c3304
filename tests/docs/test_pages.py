"""The README and docs/ name what a user meets, and their links lead somewhere."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from scripts.reference import DOCS, FIXTURE_FORMAT, REFERENCE, ROOT
from tests.docs.blocks import PAGES, README
from vlmrun_mock.mock.settings import Settings
from vlmrun_mock.testing.control import Control

LONGEST_README = 155


def test_the_readme_is_a_screen_or_two() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) <= LONGEST_README


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.stem not in ("README", "index")], ids=lambda page: page.stem
)
def test_a_how_to_begins_with_what_the_reader_wants(page: Path) -> None:
    title, _, intent = page.read_text(encoding="utf-8").splitlines()[:3]

    assert title.startswith("# ")
    assert intent.startswith("You want ")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if not target.startswith("https://"):
            path, _, anchor = target.partition("#")
            there = page.parent / path if path else page
            assert there.is_file(), target
            assert not anchor or anchor in anchors(there), target


def anchors(page: Path) -> set[str]:
    """Return what a link can name in a page."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def test_the_pages_lead_to_every_page_of_the_reference() -> None:
    readme = README.read_text(encoding="utf-8")

    assert all(f"docs/reference/{page.name}" in readme for page in REFERENCE.iterdir())
    assert all(f"docs/{page.name}" in readme for page in DOCS.glob("*.md") if page.stem != "index")


def test_every_attribute_and_verb_of_the_fixture_and_every_setting_is_named() -> None:
    text = (DOCS / "pytest.md").read_text(encoding="utf-8")

    public = [name for name in vars(Control) if not name.startswith("_")]
    assert len(public) >= 10
    for name in (*public, "app", "api_key", *Settings.__dataclass_fields__):
        assert f"`{name}" in text


def test_every_key_of_a_fixture_is_explained() -> None:
    text = (DOCS / "fixtures.md").read_text(encoding="utf-8")
    definitions = json.loads(FIXTURE_FORMAT.read_text(encoding="utf-8"))["$defs"]

    for key in (*definitions["MatchBody"]["properties"], *definitions["AnswerBody"]["properties"]):
        assert f"`{key}`" in text


def test_every_place_that_contributing_names_is_there() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")

    places = re.findall(r"`((?:\w+/)+\w+\.py)`", text)

    assert len(places) >= 15
    for place in places:
        assert (ROOT / place).is_file() or (ROOT / "vlmrun_mock" / place).is_file(), place


def test_every_test_that_holds_a_promise_is_there() -> None:
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")

    files = set(re.findall(r"`(tests/[\w/]+\.py)[`:]", text))
    tests = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text)

    assert len(tests) >= 40
    assert [file for file in files if not (ROOT / file).is_file()] == []
    sources = {file: (ROOT / file).read_text(encoding="utf-8") for file in files}
    found = {file: re.findall(r"^def (test_\w+)", source, re.MULTILINE) for file, source in sources.items()}
    assert [f"{file}::{name}" for file, name in tests if name not in found[file]] == []
