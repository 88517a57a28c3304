"""Each locale's file: names have a Latin spelling, and callers' schemas get people, days and amounts of the country."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.schema.generate.test_peoples_schemas import TABLE, schema_of
from vlmrun_mock.mock.options.server import LOCALES
from vlmrun_mock.schema.generate import generate, locales
from vlmrun_mock.seed import Seed

NAMES = ("first_female", "first_male", "last")


def answered(names: tuple[str, ...], locale: str, seed: int) -> Any:
    properties = {name: {"type": "string"} for name in names}
    return generate({"type": "object", "properties": properties, "required": [*names]}, seed=Seed(seed), locale=locale)


def test_each_locale_that_can_be_asked_for_has_a_file() -> None:
    assert set(LOCALES) == set(locales.names())


@pytest.mark.parametrize("locale", LOCALES)
def test_every_name_of_a_locale_has_a_latin_spelling(locale: str) -> None:
    found = locales.of(locale)
    written = [name for kind in NAMES for name in found.pools.get(kind, ())]

    assert [name for name in written if not re.fullmatch(r"[a-z][a-z' -]*", found.spelt(name))] == []
    assert len({found.spelt(name) for name in written}) == len(set(written))


@pytest.mark.parametrize(
    ("locale", "name", "spelt"),
    [
        ("de_DE", "Jürgen Weiß-Größel", "juergen weiss-groessel"),
        ("fr_FR", "Élodie Œuvrard", "elodie oeuvrard"),
        ("nl_NL", "van der Linden", "van der linden"),
        ("sv_SE", "Åke Björkholm", "ake bjorkholm"),
        ("pl_PL", "Łucja Źródlak", "lucja zrodlak"),
        ("ru_RU", "Демьян Черемных", "demyan cheremnykh"),
        ("el_GR", "Δήμητρα Ελαιώτης", "dimitra elaiotis"),
        ("ja_JP", "青柳 彩香", "aoyagi ayaka"),
        ("zh_CN", "欧阳静怡", "ouyang jingyi"),
        ("en_US", "Søren Ó Dálaigh", "soren o dalaigh"),
    ],
)
def test_a_name_is_spelt_as_its_bearer_would(locale: str, name: str, spelt: str) -> None:
    assert locales.of(locale).spelt(name) == spelt


@pytest.mark.parametrize("locale", LOCALES)
def test_addresses_of_people_and_companies_have_letters_in_every_locale(locale: str) -> None:
    for seed in range(8):
        found = answered(("email", "username", "linkedin", "website", "company", "name"), locale, seed)

        assert re.fullmatch(r"[a-z]+\.[a-z]+@example\.com", found["email"])
        assert re.fullmatch(r"[a-z]{3,}", found["username"])
        assert found["linkedin"] == f"https://linkedin.example.com/{found['username']}"
        assert re.fullmatch(r"https://www\.[a-z]+\.example\.com", found["website"])


@pytest.mark.parametrize(
    ("locale", "first", "last", "whole"),
    [
        ("es_ES", "nombre", "apellidos", "nombre_completo"),
        ("fr_FR", "prénom", "nom", "nom_complet"),
        ("de_DE", "vorname", "nachname", "vollständiger_name"),
        ("it_IT", "nome", "cognome", "nome_completo"),
        ("nl_NL", "voornaam", "achternaam", "volledige_naam"),
        ("pt_BR", "nome", "sobrenome", "nome_completo"),
        ("ja_JP", "名", "姓", "氏名"),
        ("en_US", "first_name", "last_name", "name"),
    ],
)
def test_the_parts_of_a_name_are_one_persons(locale: str, first: str, last: str, whole: str) -> None:
    for seed in range(10):
        found = answered((first, last, whole), locale, seed)
        alone = answered((last, first), locale, seed)

        in_order = (last, first) if locale == "ja_JP" else (first, last)
        assert found[whole] == " ".join(found[part] for part in in_order)
        assert found[first] != found[last]
        assert alone == {first: found[first], last: found[last]}


@pytest.mark.parametrize(
    ("locale", "written"),
    [
        ("en_US", "March 9, 2024"),
        ("en_GB", "9 March 2024"),
        ("de_DE", "09.03.2024"),
        ("fr_FR", "09/03/2024"),
        ("nl_NL", "09-03-2024"),
        ("ja_JP", "2024年3月9日"),
        ("sv_SE", "2024-03-09"),
    ],
)
def test_a_day_is_written_as_in_the_country(locale: str, written: str) -> None:
    assert locales.of(locale).day(dt.date(2024, 3, 9)) == written


def floats(value: Any, place: str = "") -> Iterator[tuple[str, float]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from floats(inner, f"{place}.{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from floats(inner, place)
    elif isinstance(value, float):
        yield place, value


NO_AMOUNT = re.compile(r"confidence|rate|satz|trust|cx|cy|latitude|longitude|score")


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row["of"])
def test_yen_of_a_callers_schema_have_no_cents(row: Any) -> None:
    for seed in range(3):
        found = generate(schema_of(row["fields"]), seed=Seed(seed), locale="ja_JP")

        assert [(place, value) for place, value in floats(found) if not NO_AMOUNT.search(place) and value % 1] == []


def test_an_amount_in_a_text_has_the_countrys_comma() -> None:
    assert re.fullmatch(r"\d+,\d\d", answered(("amount",), "de_DE", 1)["amount"])
    assert re.fullmatch(r"\d+", answered(("amount",), "ja_JP", 1)["amount"])


def test_a_postal_code_with_letters_is_a_number_all_the_same() -> None:
    schema = {"type": "object", "properties": {"zip": {"type": "integer"}}, "required": ["zip"]}

    assert [locale for locale in LOCALES if generate(schema, seed=Seed(1), locale=locale) == {"zip": 0}] == []


@pytest.mark.parametrize("locale", [locale for locale in LOCALES if locale != "en_US"])
def test_town_state_postal_code_telephone_and_place_are_of_one_town(locale: str) -> None:
    towns = {town["city"]: town for town in locales.of(locale).pools["town"]}
    names = ("city", "state", "zip", "phone", "address")

    for seed in range(6):
        found = answered(names, locale, seed)
        town = towns[found["city"]]

        assert found["state"] == town["state"]
        assert found["zip"][:2] == town["zip"][:2]
        assert town["area"].strip() in found["phone"]
        assert found["city"] in found["address"]
        assert found["zip"] in found["address"]


@pytest.mark.parametrize(
    ("locale", "written"),
    [
        ("en_US", r"\d+ .+, \w+, [A-Z]{2} \d{5}"),
        ("en_GB", r".+, \w+ [A-Z]{2}\d \d[A-Z]{2}"),
        ("de_DE", r".+ \d+\w*, \d{5} \w+"),
        ("ja_JP", r"〒\d{3}-\d{4} \w+\d+-\d+-\d+"),
    ],
)
def test_an_address_has_the_order_of_the_country(locale: str, written: str) -> None:
    assert re.fullmatch(written, answered(("address",), locale, 1)["address"])


def test_bank_tax_and_terms_are_of_the_country() -> None:
    found = answered(("iban", "bic", "vat_id", "payment_terms", "currency_symbol", "timezone", "company"), "de_DE", 1)

    assert re.fullmatch(r"DE\d{20}", found["iban"])
    assert found["bic"][4:6] == "DE"
    assert re.fullmatch(r"DE\d{9}", found["vat_id"])
    assert re.search(r"\b(?:Tagen?|netto)\b", found["payment_terms"])
    assert found["currency_symbol"] == "€"
    assert found["timezone"] == "Europe/Berlin"
    assert found["company"].endswith(" GmbH")
