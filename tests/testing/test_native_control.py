"""A test scripts and asserts predictions, executions, files and webhooks by the verbs that it has for chats."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from vlmrun.client import VLMRun

from tests.serving import picture
from vlmrun_mock import MockServer
from vlmrun_mock.documents.identity import identity
from vlmrun_mock.mock.verdict import POLLING

pytestmark = pytest.mark.filterwarnings("ignore:Passing inputs as a dictionary:DeprecationWarning")

INVOICE = "document.invoice"


@pytest.fixture
def server() -> Iterator[MockServer]:
    """Return a server."""
    with MockServer() as running:
        yield running


@pytest.fixture
def client(server: MockServer) -> VLMRun:
    """Return VLM Run's client for it."""
    return VLMRun(api_key=server.api_key, base_url=f"{server.url}/v1", max_retries=1)


def http(server: MockServer) -> httpx.Client:
    """Return a plain client."""
    return httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {server.api_key}"})


def test_what_was_added_answers_every_way_in_and_each_is_asserted_by_its_kind(
    server: MockServer, client: VLMRun, tmp_path: Path
) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(picture(1))
    server.add(documents=path, content={"found": 1})

    file = client.files.upload(path)
    prediction = client.document.generate(file=file.id, domain=INVOICE)
    execution = client.agent.execute(inputs={"file": {"type": "input_file", "file_id": file.id}})

    assert prediction.response == client.executions.get(execution.id).response == {"found": 1}
    assert [each.kind for each in server.requests] == ["prediction", "execution"]
    (entry,) = server.assert_requested(kind="prediction", documents=path, times=1)
    assert entry.domain == INVOICE
    server.assert_requested(kind="execution", documents=[picture(1)], times=1)
    server.assert_not_requested(kind="chat")


def test_a_failed_expectation_names_the_kind(server: MockServer, client: VLMRun) -> None:
    client.document.generate(url="https://a.b/c.pdf", domain=INVOICE)

    with pytest.raises(AssertionError, match="kind execution") as caught:
        server.assert_requested(INVOICE, kind="execution")

    assert "it is of the kind prediction, not execution" in str(caught.value)


def test_uploaded_files_are_seen_by_a_test(server: MockServer, client: VLMRun, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(picture(1))

    client.files.upload(tmp_path / "a.png", purpose="vision")

    (file,) = server.files
    assert file.content
    assert (file.filename, file.purpose) == ("a.png", "vision")
    assert file.content.document.identity == identity(picture(1))


def test_webhooks_are_seen_by_a_test(server: MockServer, client: VLMRun) -> None:
    prediction = client.document.generate(
        url="https://a.b/c.pdf", domain=INVOICE, batch=True, callback_url="https://hooks.example.com"
    )

    (webhook,) = server.webhooks
    assert (webhook.subject, webhook.url, webhook.delivered) == (prediction.id, "https://hooks.example.com", False)


def test_a_family_of_routes_fails(server: MockServer) -> None:
    server.fail(status=503, route="files")

    with http(server) as plain:
        statuses = [plain.get(path).status_code for path in ("/v1/predictions", "/v1/files", "/v1/files")]

    assert statuses == [200, 503, 200]


def habits(server: MockServer) -> list[str]:
    """Return the codes of what is wrong with how things were read."""
    return [finding.code for finding in server.verdict().findings if finding.code in POLLING]


def batch(client: VLMRun) -> str:
    """Ask for a batch, and return its id."""
    found: str = client.document.generate(url="https://a.b/c.pdf", domain=INVOICE, batch=True).id
    return found


def test_waiting_as_the_sdk_does_is_no_bad_habit(server: MockServer, client: VLMRun) -> None:
    client.predictions.wait(batch(client), timeout=5, sleep=1)

    assert habits(server) == []


def test_a_batch_that_is_never_read_is_found(server: MockServer, client: VLMRun) -> None:
    prediction = batch(client)

    assert habits(server) == ["never_read"]
    assert prediction in str(server.verdict())


@pytest.mark.parametrize(
    ("reads", "found"), [(4, ["polled_too_fast"]), (130, ["polled_too_fast", "polled_without_end"])]
)
def test_polling_without_a_pause_and_without_an_end_is_found(reads: int, found: list[str]) -> None:
    with MockServer(pending_reads=1000) as server, http(server) as plain:
        body = {"url": "https://a.b/c.pdf", "domain": INVOICE}
        prediction = plain.post("/v1/document/generate", json=body).json()["id"]
        for _ in range(reads):
            plain.get(f"/v1/predictions/{prediction}")

        assert habits(server) == found


def test_reading_on_after_a_failure_is_found(server: MockServer, client: VLMRun) -> None:
    server.fail("failed")
    prediction = batch(client)

    with pytest.raises(TimeoutError):
        client.predictions.wait(prediction, timeout=2, sleep=1)

    assert habits(server) == ["ignored_failed"]


def test_files_and_predictions_are_kept_under_ids_of_ones_own(server: MockServer, client: VLMRun) -> None:
    with http(server) as plain:
        files: list[dict[str, Any]] = [
            {"id": "file_id", "filename": "a.png", "base64": base64.b64encode(picture(1)).decode()},
            {"text": "hello", "purpose": "batch"},
        ]
        kept = plain.post("/_mock/files", json=files)
        predictions = [
            {"id": "id", "domain": INVOICE, "response": {"a": 1}},
            {"id": "failing", "status": "failed"},
            {"id": "waiting", "status": "pending", "response": 5},
        ]
        made = plain.post("/_mock/predictions", json=predictions)
        listed = plain.get("/_mock/predictions").json()["predictions"]

    assert (kept.status_code, made.status_code) == (201, 201)
    assert client.files.get("file_id").bytes == len(picture(1))
    assert client.predictions.get("id").response == {"a": 1}
    assert client.predictions.get("failing").status == "failed"
    assert [each["status"] for each in listed] == ["pending", "failed", "completed"]
    assert client.predictions.get("waiting").response == 5


@pytest.mark.parametrize(
    ("path", "body", "place"),
    [
        ("/_mock/files", {"id": "a"}, ["body"]),
        ("/_mock/files", {"base64": "~"}, ["body", "base64"]),
        ("/_mock/files", {"text": "a", "name": "b"}, ["body", "name"]),
        ("/_mock/predictions", [{}, {"status": "lost"}], ["body", 1, "status"]),
    ],
)
def test_what_cannot_be_kept_is_a_422_at_its_place(
    path: str, body: Any, place: list[str | int], server: MockServer
) -> None:
    with http(server) as plain:
        answer = plain.post(path, json=body)

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == place
