"""The documented domains are known by every spelling, and a misspelt one is put right."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vlmrun_mock.content import WITHOUT_GROUNDING
from vlmrun_mock.domains import ALIASES, Domains, packaged

FIXTURES = Path(__file__).parent.parent / "fixtures"
DOMAINS = packaged()


def test_every_folder_with_a_schema_is_a_domain() -> None:
    folders = sorted(path.parent.name for path in FIXTURES.glob("*/schema.json"))

    names = DOMAINS.names()

    assert names == folders
    assert len(names) >= 65


def test_every_domain_of_the_hub_and_without_grounding_is_known() -> None:
    names = {*DOMAINS.hub["domains"], *WITHOUT_GROUNDING, *ALIASES.values()}

    unknown = [name for name in names if DOMAINS.get(name) is None]

    assert unknown == []


@pytest.mark.parametrize(("old", "today"), ALIASES.items())
def test_an_old_spelling_means_a_domain_of_today(old: str, today: str) -> None:
    domain = DOMAINS.get(old)

    assert domain
    assert domain.id == DOMAINS.canonical(old) == today
    assert old not in DOMAINS.names()


def test_a_name_without_alias_is_its_own_and_none_stays_none() -> None:
    names = [DOMAINS.canonical(name) for name in ("document.invoice", "custom.acme", "", None)]

    assert names == ["document.invoice", "custom.acme", None, None]


@pytest.mark.parametrize("name", DOMAINS.names())
def test_a_domain_reads_what_its_folder_holds(name: str) -> None:
    folder = FIXTURES / name
    fixture = json.loads((folder / "answer.json").read_text(encoding="utf-8"))
    domain = DOMAINS.get(name)
    assert domain

    read = (domain.id, domain.schema, domain.content, domain.description, domain.fixture_name)

    assert read == (
        name,
        json.loads((folder / "schema.json").read_text(encoding="utf-8")),
        fixture["answer"]["content"],
        fixture["description"],
        f"{name}/answer.json",
    )
    assert domain.violation(domain.content) is None


@pytest.mark.parametrize(
    ("misspelt", "meant"),
    [
        ("document.invoce", "document.invoice"),
        ("invoice", "document.invoice"),
        ("documents.invoice", "document.invoice"),
        ("Document.Invoice", "document.invoice"),
        ("document.us_drivers_license", "document.us-drivers-license"),
        ("document.drivers-license", "document.us-drivers-license"),
        ("accounting.w2-form", "accounting.form-w2"),
        ("document.pan_card", "document.in-pan-card"),
        ("passport", "document.us-passport"),
        ("finance.invoice", "document.invoice"),
    ],
)
def test_the_closest_domain_is_the_one_that_was_meant(misspelt: str, meant: str) -> None:
    closest = DOMAINS.closest(misspelt)

    assert meant in closest
    assert len(set(closest)) == len(closest) <= 3
    assert set(closest) <= set(DOMAINS.names())


@pytest.mark.parametrize("name", ["", ".", "!!!", "東京", "\0", "nope.x", "nope.us"])
def test_nothing_is_close_to_nonsense(name: str) -> None:
    closest = DOMAINS.closest(name)

    assert closest == []


def test_a_very_long_name_is_answered_at_once() -> None:
    closest = DOMAINS.closest("document.invoice" * 100_000)

    assert len(closest) <= 3


def test_names_from_elsewhere_can_be_close_too() -> None:
    closest = DOMAINS.closest("custom.acme-recipt", ["custom.acme-receipt", "custom.other"])

    assert closest[0] == "custom.acme-receipt"


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"invoice_id": 5}, ("invoice_id",)),
        ({"issuer_address": {"city": 5}}, ("issuer_address", "city")),
        ({"items": [{}, {"quantity": "many"}]}, ("items", 1, "quantity")),
        ({"items": "none"}, ("items",)),
    ],
)
def test_a_violation_names_the_deepest_place(change: dict[str, object], place: tuple[str | int, ...]) -> None:
    domain = DOMAINS.get("document.invoice")
    assert domain

    violation = domain.violation({**domain.content, **change})

    assert violation
    assert violation.place == place
    assert 10 < len(violation.message) <= 300


def test_a_folder_without_schema_is_no_domain(tmp_path: Path) -> None:
    (tmp_path / "document.empty").mkdir()

    names = Domains(tmp_path).names()

    assert names == []


def test_a_packaged_answer_without_content_is_a_defect_that_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "document.broken"
    folder.mkdir()
    (folder / "schema.json").write_text("{}")
    (folder / "answer.json").write_text('{"answer": {"content": "text"}}')
    domain = Domains(tmp_path).get("document.broken")
    assert domain

    with pytest.raises(TypeError, match=r"document\.broken"):
        _ = domain.content

    assert domain.description == "document.broken"
