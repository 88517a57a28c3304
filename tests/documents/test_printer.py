"""Documents are printed by templates: all of an answer, with true boxes, and the same bytes in every process."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pypdfium2
import pytest

from scripts.reference import ROOT
from tests.printed import pages, printed, squashed, unsaid, wrong_boxes
from vlmrun_mock.documents.appearance import STYLES, Style
from vlmrun_mock.documents.printer import TEMPLATES, Print, Printer, PrintingError, crafted
from vlmrun_mock.fixtures.domains import packaged
from vlmrun_mock.fixtures.printed import Press

DOMAINS = packaged().names()
GENERAL = sorted(set(DOMAINS) - set(crafted()))


PRINTABLE = ("en_US", "en_GB", "de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL", "pt_BR", "en_IN", "pl_PL", "ru_RU", "sv_SE")
"""Locales whose letters our fonts have, from left to right."""

SCHEMAS = sorted(path for path in (ROOT / "tests/schemas").glob("*.json"))


@pytest.fixture(scope="module")
def printer() -> Printer:
    return Printer()


def assert_true(domain: str, styles: tuple[Style, ...], seeds: range) -> None:
    """Fail unless each value of each document stands on it, and 99 of 100 boxes hold exactly their text."""
    documents = [printed(domain, seed, style) for style in styles for seed in seeds]

    wrong = [problem for document in documents for problem in wrong_boxes(document)]
    missing = [problem for document in documents for problem in unsaid(document)]
    count = sum(len(document.lines) for document in documents)
    assert missing == []
    assert len(wrong) <= count / 100, wrong


def assert_true_by_schema(path: Path, seeds: range) -> None:
    """Fail unless each value of the answers to a schema stands on their documents, in boxes that hold it exactly."""
    schema = json.loads(path.read_text(encoding="utf-8"))
    for seed in seeds:
        document = Press(Printer(), style=STYLES[seed % len(STYLES)]).of_schema(schema, path.stem, seed)
        assert unsaid(document) == []
        assert wrong_boxes(document) == []


@pytest.mark.parametrize("domain", crafted())
def test_each_template_of_a_domain_prints_all_of_the_answer_in_true_boxes(domain: str) -> None:
    style = STYLES[crafted().index(domain) % len(STYLES)]

    assert_true(domain, (style,), range(1))


@pytest.mark.parametrize("domain", GENERAL[::6])
def test_the_general_template_prints_all_of_an_answer_in_true_boxes(domain: str) -> None:
    style = STYLES[GENERAL.index(domain) // 6 % len(STYLES)]

    assert_true(domain, (style,), range(1))


@pytest.mark.campaign
@pytest.mark.parametrize("domain", DOMAINS)
def test_every_domain_is_printed_in_true_boxes_in_every_style(domain: str) -> None:
    assert_true(domain, STYLES, range(1))


@pytest.mark.parametrize("path", SCHEMAS[::12], ids=lambda path: path.stem)
def test_an_answer_to_any_schema_is_printed_in_true_boxes(path: Path) -> None:
    assert_true_by_schema(path, range(1))


@pytest.mark.campaign
@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.stem)
def test_answers_to_every_schema_are_printed_in_true_boxes(path: Path) -> None:
    assert_true_by_schema(path, range(1))


@pytest.mark.campaign
@pytest.mark.parametrize("locale", PRINTABLE)
def test_documents_are_printed_in_every_locale(locale: str) -> None:
    first = PRINTABLE.index(locale) % 5  # each domain in some locale
    documents = [printed(domain, 1, None, locale) for domain in DOMAINS[first::5]]

    assert [problem for document in documents for problem in unsaid(document, locale)] == []


def test_an_identity_paper_is_marked_as_a_specimen() -> None:
    papers = ("document.us-passport", "document.us-drivers-license", "accounting.form-w2", "document.in-pan-card")

    for domain in papers:
        text = "".join(each.text for each in pages(printed(domain, 0).data)[0].characters)
        assert "SPECIMEN" in text


def test_the_same_document_has_the_same_bytes_in_another_process() -> None:
    script = (
        "import hashlib\nfrom tests.printed import printed\n"
        "print(hashlib.sha256(printed('document.bank-check', 0, 'classic').data).hexdigest())"
    )

    other = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert other.stdout.strip() == hashlib.sha256(printed("document.bank-check", 0, "classic").data).hexdigest()


def test_styles_and_seeds_look_different() -> None:
    files = {printed("document.bank-check", seed, style).data for seed in (0, 1) for style in STYLES}

    assert len(files) == 6


def test_any_text_can_be_printed_and_read_back(printer: Printer) -> None:
    content: dict[str, Any] = {
        "url": "https://example.com/" + "a-long_path." * 30,
        "word": "x" * 300,
        "markup": '#set page(width: 1pt) $x^2$ *bold* _it_ <label> @ref \\ "quoted" `raw` // no comment',
        "lines": "first\nsecond\n\n  third\tcell",
        "odd": "fi ffi e\u0301 zero\u200bwidth bell\x07 half\ud83d",
        "~/": ["Grüße", "Łódź", "Ελλάδα", "Москва", "€ £ ₹ “x” …"],
        "nothing": [None, "", " ", [], {}],
        "deep": {"a": {"b": {"c": {"d": {"e": {"f": [[1, [2.5]], -0.5, 1e300, True]}}}}}},
    }

    found = printer.print(Print(content, "Odd", style="compact"))

    layers = pages(found.files[0])
    shown = {line.pointer for line in found.lines}
    assert [line.text for line in found.lines if line.pointer == "/lines"] == ["first", "second", "third cell"]
    for line in found.lines:
        assert squashed("".join(each.text for each in layers[line.page].inside(line.xywh))) == squashed(line.text)
    assert {"/~0~1/4", "/deep/a/b/c/d/e/f/0/1/0", "/odd"} <= shown
    assert not any(pointer.startswith("/nothing") for pointer in shown)


@pytest.mark.parametrize("content", ["only a text", 12, ["a", "b"], {}, [], [[{"a": 1}]]])
def test_an_answer_of_any_shape_is_printed(printer: Printer, content: Any) -> None:
    found = printer.print(Print(content, "Shape"))

    assert found.page_count == 1
    assert len(pypdfium2.PdfDocument(found.files[0])) == 1


def test_a_picture_has_the_boxes_of_the_pdf(printer: Printer) -> None:
    job = Print({"total": 12.5, "currency": "USD"}, "Bill")

    pdf, picture = printer.print(job), printer.print(job, "png")

    assert picture.files[0].startswith(b"\x89PNG")
    assert picture.lines == pdf.lines


def test_a_character_that_no_font_shows_is_an_error_and_not_an_empty_square(printer: Printer) -> None:
    with pytest.raises(PrintingError) as problem:
        printer.print(Print({"town": "仙台市"}, "Bill"))

    assert "no font at hand shows 仙台市" in str(problem.value)
    assert "--fonts DIR" in str(problem.value)


def test_an_answer_that_is_nested_too_deeply_is_an_error(printer: Printer) -> None:
    content: Any = "text"
    for _ in range(400):
        content = [[content]]

    with pytest.raises(PrintingError, match="nested too deeply"):
        printer.print(Print(content, "Deep"))


def test_templates_import_nothing_from_a_network() -> None:
    sources = {path.name: path.read_text(encoding="utf-8") for path in TEMPLATES.glob("*.typ")}

    assert set(re.findall(r'(?:import|include) +"([^"]*)"', "".join(sources.values()))) == {"lib.typ"}


def test_printing_without_the_extra_names_it() -> None:
    script = (
        "import sys, json\nsys.modules['typst'] = None\n"
        "from vlmrun_mock.documents.printer import Printer\n"
        "try: Printer()\nexcept ValueError as error: print(json.dumps(str(error)))"
    )

    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert "pip install 'vlmrun-mock[documents]'" in json.loads(ended.stdout)


def test_every_domain_with_a_template_exists() -> None:
    assert set(crafted()) <= set(DOMAINS)
    assert all(Path(TEMPLATES / f"{name}.typ").read_text(encoding="utf-8").startswith("//") for name in crafted())
