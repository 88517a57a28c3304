"""Varied and misread answers: what a mock makes of one request, and of the next."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from vlmrun_mock.api.answer import Answer
from vlmrun_mock.api.request import CallerSchema, Config, ExtractionRequest, Message
from vlmrun_mock.documents.identity import Document
from vlmrun_mock.fixtures.format import checked
from vlmrun_mock.mock.mock import Mock
from vlmrun_mock.mock.options.server import LOCALES
from vlmrun_mock.mock.settings import Settings

SCHEMA = {"type": "object", "properties": {"invoice_id": {"type": "string"}}, "required": ["invoice_id"]}


def request(document: int, **parts: Any) -> ExtractionRequest:
    """Return a request about a document of its own."""
    documents = (Document(f"sha256:{document:064x}", "image"),)
    return ExtractionRequest(documents=documents, domain="document.invoice", **parts)


def asked(mock: Mock, asking: ExtractionRequest) -> Answer:
    return asyncio.run(mock.answer(asking))


def test_every_document_has_an_answer_of_its_own_and_keeps_it() -> None:
    first, second = Mock(Settings(vary=True)), Mock(Settings(vary=True))

    texts = [asked(first, request(number)).text for number in range(10)]

    assert len(set(texts)) == 10
    assert [asked(second, request(number)).text for number in reversed(range(10))] == texts[::-1]
    assert asked(Mock(Settings(vary=True, seed=1)), request(0)).text != texts[0]


def test_without_the_option_every_document_has_the_packaged_answer() -> None:
    mock = Mock()

    texts = {asked(mock, request(number)).text for number in range(3)}

    domain = mock.domains.get("document.invoice")
    assert domain is not None
    assert [json.loads(text) for text in texts] == [domain.content]


def test_a_fixture_can_vary_and_keep_what_it_is_given() -> None:
    mock = Mock()
    answer = {"vary": True, "merge": {"issuer_name": "Corner Shop"}}
    body = {"match": {"domain": "document.invoice"}, "answer": answer}
    mock.register(mock.built(checked(body, "a")))

    answers = [json.loads(asked(mock, request(number)).text) for number in range(4)]

    assert {each["issuer_name"] for each in answers} == {"Corner Shop"}
    assert len({each["invoice_id"] for each in answers}) == 4


def test_a_callers_schema_is_filled_from_the_varied_answer() -> None:
    mock = Mock(Settings(vary=True))
    schema = CallerSchema(SCHEMA, ())

    answers = [json.loads(asked(mock, request(number, schema=schema)).text) for number in range(4)]

    assert len({each["invoice_id"] for each in answers}) == 4


def test_the_locale_decides_where_people_and_places_are_from() -> None:
    mock = Mock(Settings(vary=True, locale="de_DE"))

    answer = json.loads(asked(mock, request(1)).text)

    assert answer["issuer_address"]["country"] == "Deutschland"
    assert answer["currency"] == "EUR"


@pytest.mark.parametrize(
    ("asking", "country"),
    [
        ({"metadata": {"locale": "it-IT"}}, "Italia"),
        ({"metadata": {"language": "fr"}}, "France"),
        ({"messages": (Message("user", ("Lies bitte die Rechnung und gib alle Werte aus",)),)}, "Deutschland"),
        ({"messages": (Message("user", ("Read the invoice",)),)}, "United States"),
    ],
)
def test_the_language_of_a_request_is_that_of_its_answer(asking: dict[str, Any], country: str) -> None:
    schema = {"type": "object", "properties": {"country": {"type": "string"}}, "required": ["country"]}
    own = ExtractionRequest(schema=CallerSchema(schema, ()), **asking)

    varied = json.loads(asked(Mock(Settings(vary=True)), request(1, **asking)).text)
    generated = json.loads(asked(Mock(), own).text)

    assert varied["customer_billing_address"]["country"] == country
    assert generated == {"country": country}


@pytest.mark.parametrize("locale", LOCALES)
def test_a_schema_is_filled_in_every_locale(locale: str) -> None:
    names = ("first_name", "last_name", "city", "postal_code", "address", "phone", "currency")
    schema = {"type": "object", "properties": {name: {"type": "string"} for name in names}, "required": list(names)}
    own = ExtractionRequest(schema=CallerSchema(schema, ()), metadata={"locale": locale})

    answer = json.loads(asked(Mock(), own).text)

    assert all(answer[name].strip() for name in names)
    assert answer["city"] in answer["address"]


def test_misreading_spoils_a_share_stays_valid_and_tells_the_truth_in_the_notes() -> None:
    truth, spoilt = Mock(), Mock(Settings(misread=0.1))
    domain = truth.domains.get("document.invoice")
    assert domain is not None

    answer = asked(spoilt, request(1))

    read = json.loads(answer.text)
    assert read != domain.content
    assert domain.violation(read) is None
    assert answer.notes
    assert all(note.startswith("misread ") for note in answer.notes)
    assert asked(Mock(Settings(misread=0.1)), request(1)).text == answer.text
    assert asked(Mock(Settings(misread=0.0)), request(1)).notes == ()


def test_what_was_misread_has_a_low_confidence() -> None:
    mock = Mock(Settings(misread=0.2))

    answer = asked(mock, request(1, config=Config(confidence=True)))

    read = json.loads(answer.text)
    places = [note.split(" ")[1].removesuffix(":") for note in answer.notes]
    at_the_top = [place for place in places if "." not in place and read.get(place) is not None]
    assert at_the_top
    assert {read[f"{place}_metadata"]["confidence"] for place in at_the_top if f"{place}_metadata" in read} == {"low"}
