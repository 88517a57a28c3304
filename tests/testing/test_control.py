"""The verbs: what a test registers, breaks, and asserts, with the real HTTP between."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from tests.serving import CHAT, content, data_url, image_message, picture, source
from vlmrun_mock import MockServer
from vlmrun_mock.documents.identity import identity
from vlmrun_mock.fixtures.errors import FixtureError

INVOICE = {"invoice_id": "INV-1", "total_amount": 12.5}


class Application:
    """What stands in for the application under test: it sends chat requests."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url, headers={"Authorization": "Bearer app"}, timeout=30)

    def ask(self, domain: str = "document.invoice", text: str = "Extract", **further: Any) -> httpx.Response:
        """Send a text."""
        messages = [{"role": "user", "content": text}]
        return self.http.post(CHAT, json={"messages": messages, "vlmrun": {"domain": domain}, **further})

    def show(self, *pictures: bytes, domain: str = "document.invoice") -> httpx.Response:
        """Send pictures."""
        return self.ask(domain, messages=image_message(*pictures))


@pytest.fixture(scope="module")
def shared() -> Iterator[MockServer]:
    """Return a server for the tests of this module."""
    with MockServer() as server:
        yield server


@pytest.fixture
def mock(shared: MockServer) -> Iterator[MockServer]:
    """Return the server as it was started."""
    yield shared
    shared.reset()


@pytest.fixture
def application(mock: MockServer) -> Iterator[Application]:
    """Return an application that uses the server."""
    app = Application(mock.url)
    yield app
    app.http.close()


def test_an_added_fixture_answers_its_domain_alone(mock: MockServer, application: Application) -> None:
    name = mock.add(domain="document.invoice", content=INVOICE)

    invoice, receipt = application.ask(), application.ask("document.receipt")

    assert content(invoice) == INVOICE
    assert source(invoice) == ("fixture", name)
    assert source(receipt) == ("fixture", "document.receipt/answer.json")


@pytest.mark.parametrize("kind", ["bytes", "bytearray", "path", "text path", "identity", "data URL", "alone"])
def test_a_document_is_named_by_its_bytes_its_path_or_its_identity(
    kind: str, mock: MockServer, application: Application, tmp_path: Path
) -> None:
    acme = picture(1)
    path = tmp_path / "acme.png"
    path.write_bytes(acme)
    spelt: dict[str, Any] = {
        "bytes": [acme],
        "bytearray": [bytearray(acme)],
        "path": [path],
        "text path": [str(path)],
        "identity": [identity(acme)],
        "data URL": [data_url(acme)],
        "alone": path,
    }

    mock.add("document.invoice", documents=spelt[kind], content=INVOICE)

    assert content(application.show(acme)) == INVOICE
    assert content(application.show(picture(2))) != INVOICE
    assert content(application.show(acme, acme)) != INVOICE
    assert len(mock.assert_requested(documents=spelt[kind])) == 1


def test_a_relative_path_is_relative_to_the_working_directory(
    mock: MockServer, application: Application, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "acme.png").write_bytes(picture(1))
    monkeypatch.chdir(tmp_path)

    mock.add(documents="acme.png", content="found")

    assert application.show(picture(1)).json()["choices"][0]["message"]["content"] == "found"


def test_a_document_by_url_is_known_by_the_url(mock: MockServer, application: Application) -> None:
    url = "https://example.com/a.png"
    part = {"type": "image_url", "image_url": {"url": url}}
    mock.add(documents=url, content="by URL")

    answer = application.ask(messages=[{"role": "user", "content": [part]}])

    assert answer.json()["choices"][0]["message"]["content"] == "by URL"
    mock.assert_requested(documents=[url], times=1)


@pytest.mark.parametrize(
    ("text", "matching", "other"),
    [
        ("total", "Extract the total", "Extract"),
        (["total", "Extract"], "Extract the total", "the total"),
        ({"contains": "total"}, "Extract the total", "Extract"),
        ({"equals": "Extract"}, "Extract", "Extract the total"),
    ],
)
def test_a_text_is_what_the_request_contains_or_as_a_fixture_file_says(
    text: Any, matching: str, other: str, mock: MockServer, application: Application
) -> None:
    mock.add("document.invoice", text=text, content=INVOICE)

    assert content(application.ask(text=matching)) == INVOICE
    assert content(application.ask(text=other)) != INVOICE


def test_vary_gives_each_document_an_answer_of_its_own(mock: MockServer, application: Application) -> None:
    mock.add("document.invoice", vary=True, merge={"issuer_name": "Corner Shop"})

    first, second, again = (content(application.show(picture(number))) for number in (1, 2, 1))

    assert first["invoice_id"] != second["invoice_id"]
    assert first == again
    assert {first["issuer_name"], second["issuer_name"]} == {"Corner Shop"}


def test_merge_error_answers_usage_and_latency_are_those_of_a_fixture_file(
    mock: MockServer, application: Application
) -> None:
    mock.add("document.receipt", merge={"merchant_name": "Corner Shop"}, usage={"prompt_tokens": 7}, latency_ms=1)
    mock.add("document.invoice", error={"status": 402, "message": "Pay"})
    mock.add("document.resume", answers=[{"error": {"status": 503}}, {"content": "then"}])

    receipt = application.ask("document.receipt")
    invoice = application.ask("document.invoice")
    resumes = [application.ask("document.resume").status_code for _ in range(3)]

    assert content(receipt)["merchant_name"] == "Corner Shop"
    assert receipt.json()["usage"]["prompt_tokens"] == 7
    assert (invoice.status_code, invoice.json()["error"]["message"]) == (402, "Pay")
    assert resumes == [503, 201, 201]


def test_the_latest_of_equal_fixtures_wins_and_the_more_constrained_before_it(
    mock: MockServer, application: Application
) -> None:
    mock.add("document.invoice", content=INVOICE)
    mock.add("document.invoice", text="special", content={**INVOICE, "invoice_id": "special"})
    mock.add("document.invoice", content={**INVOICE, "invoice_id": "later"})

    assert content(application.ask())["invoice_id"] == "later"
    assert content(application.ask(text="special"))["invoice_id"] == "special"


def test_later_changes_to_the_arguments_have_no_effect(mock: MockServer, application: Application) -> None:
    mutable = dict(INVOICE)
    mock.add("document.invoice", content=mutable)

    mutable["invoice_id"] = "changed"

    assert content(application.ask()) == INVOICE


@pytest.mark.parametrize(
    ("arguments", "place", "reason"),
    [
        ({}, "answer", "exactly one of content, merge and error is required, not none"),
        ({"content": {}, "error": {"status": 400}}, "answer", "content and error"),
        ({"content": {}, "answers": [{"content": {}}]}, "", "exactly one of answer and answers"),
        ({"content": {"total_amount": "x"}, "domain": "document.invoice"}, "answer.content.total_amount", "number"),
        ({"merge": {"a": 1}}, "answer.merge", "match.domain must name a documented domain"),
        ({"error": {"status": 200}}, "answer.error", "an error without a body has a status from 400 to 599"),
        (
            {"content": "", "documents": ["nowhere.png"]},
            "match.documents.0",
            "'nowhere.png' cannot be read: No such file",
        ),
        ({"content": "", "documents": [b"a", b""]}, "match.documents.1", "it is empty"),
        ({"content": "", "documents": [7]}, "match.documents.0", "not int"),
        ({"content": "", "documents": ["sha256:abc"]}, "match.documents.0", "64 lower-case hexadecimal digits"),
        ({"content": "", "text": {"contain": "x"}}, "match.text.contain", "unknown"),
        ({"content": "", "domain": 3}, "match.domain", "string"),
        ({"content": {"when": date(2026, 1, 1)}}, "", "is not JSON: Object of type date"),
        ({"content": {"x": float("nan")}}, "", "is not JSON"),
        ({"content": "", "latency_ms": -1}, "answer.latency_ms", "greater than or equal to 0"),
    ],
)
def test_a_fixture_that_cannot_be_names_the_place_and_the_reason(
    arguments: dict[str, Any], place: str, reason: str, mock: MockServer
) -> None:
    with pytest.raises(FixtureError) as caught:
        mock.add(**arguments)

    assert caught.value.file == "add()"
    assert caught.value.place == place
    assert reason in caught.value.reason


def test_an_error_of_a_verb_shows_the_line_of_the_test_alone(mock: MockServer) -> None:
    with pytest.raises(FixtureError) as caught:
        mock.add("document.invoice")

    shown = [entry for entry in caught.traceback if not entry.ishidden(caught)]
    assert [entry.path.name for entry in shown] == ["test_control.py"]  # type: ignore[union-attr]  # pytest's py.path or Path


@pytest.mark.parametrize(
    ("arguments", "statuses"),
    [
        ({}, [429, 201]),
        ({"times": 2}, [429, 429, 201]),
        ({"status": 503}, [503, 201]),
        ({"message": "No"}, [429, 201]),
        ({"kind": "error"}, [429, 201]),
        ({"kind": "error", "latency_ms": 1}, [429, 201]),
        ({"latency_ms": [1, 2]}, [201, 201]),
        ({"times": None, "status": 500}, [500, 500, 500]),
        ({"every": 2}, [201, 429, 201, 429]),
        ({"domain": "document.receipt"}, [201, 201]),
        ({"domain": "document.invoice"}, [429, 201]),
    ],
)
def test_requests_fail_as_told(
    arguments: dict[str, Any], statuses: list[int], mock: MockServer, application: Application
) -> None:
    mock.fail(**arguments)

    assert [application.ask().status_code for _ in statuses] == statuses


def test_a_failure_has_its_message_its_headers_and_its_kind(mock: MockServer, application: Application) -> None:
    mock.fail(message="Slow down", retry_after=3)
    mock.fail("invalid-json")

    refused, spoilt = application.ask(), application.ask()

    assert (refused.headers["retry-after"], refused.json()["detail"]) == ("3", "Slow down")
    with pytest.raises(json.JSONDecodeError):
        content(spoilt)
    assert [entry.fault for entry in mock.requests] == ["error", "invalid-json"]


@pytest.mark.parametrize(
    ("arguments", "explained"),
    [
        ({"kind": "hung"}, "fail(): kind: "),
        ({"status": 200}, "fail(): status: "),
        ({"kind": "hang", "status": 500}, "fail(): status "),
        ({"share": 2}, "fail(): share: "),
    ],
)
def test_a_failure_that_cannot_be_names_the_place_and_the_reason(
    arguments: dict[str, Any], explained: str, mock: MockServer
) -> None:
    with pytest.raises(FixtureError) as caught:
        mock.fail(**arguments)

    assert explained in str(caught.value)


def test_a_request_is_known_by_what_was_asked_and_what_was_answered(mock: MockServer, application: Application) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    acme = picture(1)
    application.ask(
        messages=image_message(acme, text="Read"),
        vlmrun={"domain": "document.pan-card", "json_schema": schema, "metadata": {"environment": "dev"}},
    )

    (entry,) = mock.requests

    assert (entry.domain, entry.text, entry.model) == ("document.in-pan-card", "Read", "vlm-1")
    assert [document.identity for document in entry.documents] == [identity(acme)]
    assert entry.schema == schema
    assert entry.metadata["environment"] == "dev"
    assert (entry.status, entry.source) == (201, "generated")


def test_requests_of_all_keys_are_listed_in_the_order_of_their_answers(
    mock: MockServer, application: Application
) -> None:
    application.ask(text="one")
    httpx.post(f"{mock.url}{CHAT}", json={"messages": [{"content": "two"}]}, headers={"X-Api-Key": "another"})
    application.ask(text="three")
    application.http.get("/v1/openai/models")

    assert [entry.text for entry in mock.requests] == ["one", "two", "three"]


def test_an_expectation_that_is_met_returns_the_requests(mock: MockServer, application: Application) -> None:
    application.ask(text="one")
    application.ask(text="two", metadata={"environment": "dev"}, model="vlmrun-orion-1")
    application.ask("document.w2-form")

    assert [entry.text for entry in mock.assert_requested("document.invoice")] == ["one", "two"]
    assert len(mock.assert_requested(times=3)) == 3
    assert len(mock.assert_requested(metadata={"environment": "dev"})) == 1
    assert len(mock.assert_requested(model="vlmrun-orion-1", text="two", times=1)) == 1
    assert len(mock.assert_requested("accounting.form-w2")) == len(mock.assert_requested("document.w2-form")) == 1
    assert mock.assert_requested("document.receipt", times=0) == []
    mock.assert_not_requested("document.receipt")


def test_a_missing_request_is_explained_by_the_nearest_and_the_others(
    mock: MockServer, application: Application
) -> None:
    application.ask("document.receipt", text="Read\nthe receipt")
    application.show(picture(1))
    ids = [entry.id for entry in mock.requests]

    with pytest.raises(AssertionError) as caught:
        mock.assert_requested("document.invoice", documents=[picture(2)], text="Extract")

    expected, nearest, heading, receipt, invoice = str(caught.value).splitlines()
    wanted, got = identity(picture(2)), identity(picture(1))
    assert expected == (
        f'expected a request with domain document.invoice and documents [{wanted}] and a text that contains "Extract", '
        "but there was none"
    )
    assert nearest == f"the nearest other is {ids[1]}: document 1 is another picture ({got} instead of {wanted})"
    assert heading == "what was asked instead:"
    assert receipt.split("  ")[2:] == [
        ids[0], "201", "document.receipt", "no document", '"Read\\nthe receipt"', "document.receipt/answer.json"
    ]  # fmt: skip
    assert f"image/png 64x48 {got[:19]}…" in invoice


def test_a_wrong_number_of_requests_says_which_ones_count(mock: MockServer, application: Application) -> None:
    application.ask(text="one")
    application.ask("document.receipt")
    first, second = (entry.id for entry in mock.requests)

    with pytest.raises(AssertionError) as caught:
        mock.assert_requested("document.invoice", times=2)

    lines = str(caught.value).splitlines()
    assert lines[0] == "expected exactly 2 requests with domain document.invoice, but there was 1"
    assert lines[1] == f"the nearest other is {second}: the domain is document.receipt, not document.invoice"
    assert lines[2] == "what was asked (* is one of them):"
    assert lines[3].startswith(f"  * {first}")
    assert lines[4].startswith(f"    {second}")


def test_an_unwanted_request_is_named(mock: MockServer, application: Application) -> None:
    application.ask()

    with pytest.raises(AssertionError, match=r"expected no request with domain document\.invoice, but there was 1"):
        mock.assert_not_requested("document.invoice")


def test_an_expectation_says_that_nothing_was_asked(mock: MockServer) -> None:
    with pytest.raises(AssertionError) as caught:
        mock.assert_requested()

    assert str(caught.value) == "expected a request, but there was none\nnothing was asked"


def test_a_body_that_is_no_chat_request_is_listed_and_matches_only_an_empty_expectation(
    mock: MockServer, application: Application
) -> None:
    application.http.post(CHAT, content=b"{")

    assert len(mock.assert_requested()) == 1
    with pytest.raises(AssertionError, match="422  no chat request  validation_error"):
        mock.assert_requested("document.invoice")


def test_an_explanation_lists_the_latest_requests_only(mock: MockServer, application: Application) -> None:
    for number in range(25):
        application.ask(text=f"number {number}")

    with pytest.raises(AssertionError) as caught:
        mock.assert_requested("document.receipt")

    lines = str(caught.value).splitlines()
    assert lines[3] == "    5 more before"
    assert len(lines) == 24
    assert '"number 24"' in lines[-1]


def test_an_expectation_that_cannot_be_understood_is_an_error_of_its_own(mock: MockServer) -> None:
    with pytest.raises(FixtureError, match=r"assert_requested\(\): match.documents.0: 'nowhere.png' cannot be read"):
        mock.assert_requested(documents=["nowhere.png"])


def test_a_text_longer_than_the_journal_keeps_says_so(mock: MockServer, application: Application) -> None:
    application.ask(text="x" * 30_000 + "needle")

    with pytest.raises(AssertionError, match=r"not kept whole: text"):
        mock.assert_requested(text="needle")


def test_a_url_longer_than_the_journal_keeps_is_still_found(mock: MockServer, application: Application) -> None:
    url = "https://example.com/" + "a" * 5_000
    part = {"type": "image_url", "image_url": {"url": url}}

    application.ask(messages=[{"content": [part]}])

    assert len(mock.assert_requested(documents=url)) == 1


def test_a_verdict_is_about_what_was_asked_since_the_reset(mock: MockServer, application: Application) -> None:
    mock.fail(status=422, times=2)
    application.ask()
    application.ask()

    found = mock.verdict()
    mock.reset()

    assert not found.ok
    assert {finding.code for finding in found.findings} == {"retried_in_vain"}
    assert mock.verdict().ok


def test_a_reset_forgets_fixtures_failures_and_requests(mock: MockServer, application: Application) -> None:
    mock.add("document.invoice", content=INVOICE)
    mock.fail(status=500, times=None)
    application.ask()

    mock.reset()

    assert mock.requests == []
    assert content(application.ask()) != INVOICE


def test_the_sdk_retries_a_failure_that_ends(mock: MockServer) -> None:
    mock.fail(times=1, retry_after=0)
    client = openai.OpenAI(base_url=mock.openai_url, api_key="app", max_retries=1)

    client.chat.completions.create(model="vlm-1", messages=[{"role": "user", "content": "x"}])

    assert [entry.status for entry in mock.requests] == [429, 201]
