"""The way from a request to its answer: which source is asked first, and what each makes of the request."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.conftest import Put, Serve
from tests.in_process import INVOICE, SCHEMA, answer_to, asked, strict
from tests.serving import RunningMock, content, image_message, picture, source, text
from vlmrun_mock.api.errors import NoFixture, UnknownDomain
from vlmrun_mock.documents.identity import identity
from vlmrun_mock.fixtures.fixture import Fixture, FixtureAnswer
from vlmrun_mock.fixtures.match import Match
from vlmrun_mock.mock.mock import Mock
from vlmrun_mock.mock.settings import Settings


def wrapped(data: bytes, width: int) -> str:
    """Return base64 as MIME writes it, broken into lines."""
    digits = base64.b64encode(data).decode()
    return "\r\n".join(digits[start : start + width] for start in range(0, len(digits), width))


@pytest.mark.parametrize(
    "encoded",
    [
        lambda data: base64.b64encode(data).decode(),
        lambda data: wrapped(data, 76),
        lambda data: wrapped(data, 64) + "\n",
        lambda data: base64.urlsafe_b64encode(data).decode().rstrip("="),
    ],
    ids=["plain", "76 a line", "64 a line", "for URLs, unpadded"],
)
def test_a_document_is_known_however_its_base64_is_written(
    put: Put, serve: Serve, tmp_path: Path, encoded: Callable[[bytes], str]
) -> None:
    (tmp_path / "scan.png").write_bytes(picture(7))
    server = serve(fixtures=(put("a.json", {"content": "known"}, documents=["scan.png"]),), strict=True)
    url = f"data:image/png;base64,{encoded(picture(7))}"

    response = server.chat(messages=[{"content": [{"type": "image_url", "image_url": {"url": url}}]}])

    assert text(response) == "known"


def test_a_url_is_known_by_itself_and_never_fetched(put: Put, serve: Serve) -> None:
    url = "https://203.0.113.1/a.png?b=c"
    server = serve(fixtures=(put("a.json", {"content": "known"}, documents=[url]),), strict=True)

    known, other = (
        server.chat(messages=[{"content": [{"type": "image_url", "image_url": {"url": sent}}]}])
        for sent in (url, f"{url}d")
    )

    assert text(known) == "known"
    assert other.status_code == 404


def test_fixtures_of_the_user_come_before_schema_and_packaged_answer(put: Put, serve: Serve) -> None:
    folder = put("mine.json", {"content": {"invoice_id": "mine"}}, **INVOICE)
    server = serve(fixtures=(folder,))

    mine = server.chat(vlmrun=INVOICE)
    with_schema = server.chat(vlmrun={**INVOICE, "json_schema": SCHEMA})
    packaged = server.chat(vlmrun={"domain": "document.receipt"})
    generated = server.chat(vlmrun={"domain": "document.receipt", "json_schema": SCHEMA})

    assert source(mine) == source(with_schema) == ("fixture", "mine.json")
    assert content(mine) == content(with_schema) == {"invoice_id": "mine"}
    assert source(packaged) == ("fixture", "document.receipt/answer.json")
    assert source(generated) == ("generated", None)


def test_folders_win_in_their_order_and_runtime_fixtures_before_them(put: Put, tmp_path: Path) -> None:
    put("one/z.json", {"content": "one"})
    put("two/a.json", {"content": "two"}, **INVOICE)
    mock = Mock(Settings(fixtures=(tmp_path / "one", tmp_path / "two")))
    first = answer_to(mock, asked(vlmrun=INVOICE))
    registered = Fixture("registered", Match(), (FixtureAnswer("run time"),))

    mock.register(registered)
    second = answer_to(mock, asked(vlmrun=INVOICE))

    assert (first.text, second.text) == ("one", "run time")


def test_a_miss_is_explained_to_the_official_client(put: Put, serve: Serve) -> None:
    put("receipt.json", {"content": "x"}, domain="document.receipt", text={"contains": "Extract"})
    folder = put("invoice.json", {"content": "x"}, **INVOICE, documents=["sha256:" + "0" * 64], model="vlm-2")
    server = serve(fixtures=(folder,), strict=True)
    messages: Any = image_message(picture(1))
    seen = identity(picture(1))

    with pytest.raises(openai.NotFoundError) as caught:
        server.openai().chat.completions.create(model="vlm-1", messages=messages, extra_body={"vlmrun": INVOICE})

    body: Any = caught.value.body
    words = f"document 1 is another picture ({seen} instead of sha256:{'0' * 64})"
    assert body["code"] == "no_fixture"
    assert body["message"] == (
        f"No fixture matches. The nearest of 2 is invoice.json: {words}; the model is vlm-1, not vlm-2; domain agrees."
    )
    assert body["message"] in str(caught.value)
    assert body["miss"] == {
        "fixtures": 2,
        "nearest": "invoice.json",
        "differences": [
            {"part": "documents[0]", "expected": "sha256:" + "0" * 64, "actual": seen, "message": words},
            {"part": "model", "expected": "vlm-2", "actual": "vlm-1", "message": "the model is vlm-1, not vlm-2"},
        ],
    }


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"vlmrun": INVOICE},
        {"vlmrun": {"domain": "custom.acme"}},
        {"vlmrun": {**INVOICE, "json_schema": SCHEMA}},
        {"response_format": {"type": "json_object"}},
    ],
)
def test_when_strict_only_the_users_fixtures_answer(put: Put, serve: Serve, body: dict[str, Any]) -> None:
    settings = Settings(fixtures=(put("a.json", {"content": "x"}, text={"contains": "magic"}),), strict=True)
    server = serve(fixtures=settings.fixtures, strict=True, unknown_domain="generate")

    response = server.chat(**body)
    magic = server.chat(**body, messages=[{"content": "the magic word"}])

    assert response.status_code == 404
    assert response.json()["error"]["miss"]["nearest"] == "a.json"
    assert text(magic) == "x"


def test_when_strict_without_fixtures_the_miss_says_that_none_is_loaded(serve: Serve) -> None:
    server = serve(strict=True)

    response = server.chat(vlmrun=INVOICE)

    assert response.status_code == 404
    assert response.json()["detail"] == "No fixture matches: none is loaded."


def test_an_old_spelling_is_answered_like_the_domain_of_today(put: Put, serve: Serve) -> None:
    server = serve(fixtures=(put("a.json", {"content": "W-2"}, domain="document.w2-form"),))

    answers = [text(server.chat(vlmrun={"domain": name})) for name in ("accounting.form-w2", "document.w2-form")]
    packaged = source(server.chat(vlmrun={"domain": "document.rfp"}))

    assert answers == ["W-2", "W-2"]
    assert packaged == ("fixture", "document.request-for-proposal/answer.json")


def test_an_unknown_domain_names_the_closest_of_the_api_and_of_the_fixtures(put: Put, serve: Serve) -> None:
    server = serve(fixtures=(put("a.json", {"content": "x"}, domain="custom.acme-receipt"),))

    theirs = server.chat(vlmrun={"domain": "document.invoce"})
    mine = server.chat(vlmrun={"domain": "custom.acme-reciept"})

    assert (theirs.status_code, mine.status_code) == (422, 422)
    assert theirs.json()["detail"][0]["loc"] == ["body", "vlmrun", "domain"]
    assert "Closest: document.invoice" in theirs.json()["error"]["message"]
    assert "Closest: custom.acme-receipt" in mine.json()["error"]["message"]
    assert theirs.json()["error"]["code"] == "unknown_domain"


def test_a_fixture_makes_a_domain_known_and_a_miss_in_it_is_explained(put: Put) -> None:
    folder = put("a.json", {"content": "mine"}, domain="custom.acme", text={"contains": "magic"})
    mock = Mock(Settings(fixtures=(folder,)))
    domain = {"domain": "custom.acme"}

    answer = answer_to(mock, asked("the magic word", vlmrun=domain))
    with pytest.raises(NoFixture) as missed:
        answer_to(mock, asked(vlmrun=domain))
    with pytest.raises(UnknownDomain):
        answer_to(mock, asked(vlmrun={"domain": "custom.other"}))

    assert answer.text == "mine"
    assert missed.value.data["miss"]["nearest"] == "a.json"


@pytest.mark.parametrize(
    ("domain", "ending"),
    [
        ("document.receipt", "the domain is document.receipt, not document.invoice; documents agree."),
        (None, "the domain is none, not document.invoice; documents agree."),
        ("document.invoices", "'document.invoices' is no known domain; did you mean document.invoice"),
        ("custom.acme-reciept", "'custom.acme-reciept' is no known domain; did you mean custom.acme-receipt"),
        ("xyz", "the domain is xyz, not document.invoice; documents agree."),
    ],
)
def test_a_miss_with_a_known_document_names_its_fixture_and_the_domain_that_was_meant(
    put: Put, tmp_path: Path, domain: str | None, ending: str
) -> None:
    (tmp_path / "scan.png").write_bytes(picture(7))
    put("acme.json", {"content": "x"}, **INVOICE, documents=["scan.png"])
    put("any.json", {"content": "x"}, model="m-1")
    put("custom.json", {"content": "x"}, domain="custom.acme-receipt", text={"contains": "magic"})
    put("retry.json", {"content": "x"}, domain="document.receipt", text={"contains": "try again"})
    (message,) = image_message(picture(7))

    with pytest.raises(NoFixture) as missed:
        answer_to(strict(tmp_path), asked(message["content"], vlmrun={"domain": domain} if domain else {}))

    assert str(missed.value).startswith("No fixture matches. The nearest of 4 is acme.json: the domain is ")
    assert ending in str(missed.value)
    assert ("did you mean" in str(missed.value)) == ("did you mean" in ending)


def test_an_unknown_domain_is_answered_where_the_mock_was_told_to_or_a_schema_came(
    served: RunningMock, serve: Serve
) -> None:
    domain = {"domain": "custom.acme"}
    server = serve(unknown_domain="generate")

    generated = server.chat(vlmrun=domain)
    with_schema = served.chat(vlmrun={**domain, "json_schema": SCHEMA})
    misspelt = server.chat(vlmrun=INVOICE)

    assert source(generated) == source(with_schema) == ("generated", None)
    assert content(generated)["title"]
    assert content(with_schema).keys() == {"invoice_id", "shelf_number"}
    assert source(misspelt) == ("fixture", "document.invoice/answer.json")


def test_a_request_about_nothing_is_told_how_to_ask(served: RunningMock) -> None:
    plain = served.chat()
    as_json = served.chat(response_format={"type": "json_object"})

    assert text(plain).startswith("No domain was given")
    assert content(as_json) == {"message": text(plain)}


def test_metadata_matches_in_either_place_and_its_differences_are_named(put: Put, serve: Serve) -> None:
    server = serve(
        fixtures=(put("a.json", {"content": "x"}, metadata={"environment": "dev", "team": {"id": 1}}),), strict=True
    )

    matching = server.chat(vlmrun={"metadata": {"environment": "dev", "team": {"id": 1}, "further": 1}})
    at_top = server.chat(metadata={"environment": "dev", "team": {"id": 1}})
    other = server.chat(vlmrun={"metadata": {"environment": "prod", "team": {"id": 1}}})

    assert text(matching) == text(at_top) == "x"
    assert other.json()["error"]["miss"]["differences"] == [
        {
            "part": "metadata.environment",
            "expected": "dev",
            "actual": "prod",
            "message": 'metadata.environment is "prod", not "dev"',
        }
    ]
