"""What the public test suites of VLM Run's clients demand of a server, each demand as a request."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.conftest import Serve
from tests.serving import RunningMock
from vlmrun_mock.web.catalog import DOMAINS_OF_MODELS

INVOICE = "document.invoice"
URL = "https://example.com/a.pdf"


@pytest.mark.parametrize("path", ["/v1/models", "/v1/domains", "/v1/skills"])
def test_a_wrong_key_is_refused_where_keys_are_set(path: str, serve: Serve) -> None:
    served = serve(api_keys=frozenset({"right"}))

    wrong, right = (
        served.http.get(path, headers={"Authorization": f"Bearer {key}"}).status_code
        for key in ("invalid-api-key", "right")
    )

    assert (wrong, right) == (401, 200)


def test_health_needs_no_key_and_models_are_there(served: RunningMock) -> None:
    assert httpx.get(f"{served.url}/v1/health").status_code == 200
    assert served.http.get("/v1/models").json()


@pytest.mark.parametrize(
    "path",
    [
        *(f"/v1/{kind}/generate" for kind in ("document", "audio", "video")),
        "/v1/schema/generate",
        "/v1/experimental/image/embeddings",
        "/v1/experimental/document/embeddings",
    ],
)
def test_an_empty_body_is_answered(path: str, served: RunningMock) -> None:
    answer = served.http.post(path, json={})

    assert answer.status_code == 201
    assert answer.json()["id"]


def test_generated_clients_send_names_as_values(served: RunningMock) -> None:
    image = served.http.post("/v1/image/generate", json={"image": "image", "domain": INVOICE, "model": "vlm-1"})
    document = served.http.post("/v1/document/generate", json={"file_id": "file_id", "url": "url"})

    assert (image.status_code, document.status_code) == (201, 201)


def test_generated_clients_read_things_under_names_that_the_control_api_keeps(serve: Serve) -> None:
    served = serve()
    served.http.post("/_mock/files", json={"id": "file_id", "text": "x"})
    served.http.post("/_mock/predictions", json={"id": "id", "response": {}})

    paths = ("/v1/files/file_id", "/v1/predictions/id", "/v1/response/id", "/v1/openai/models/model")
    assert [served.http.get(path).status_code for path in paths] == [200] * 4


def test_the_documented_domains_are_a_closed_list(served: RunningMock) -> None:
    assert [each["domain"] for each in served.http.get("/v1/models").json()] == list(DOMAINS_OF_MODELS)


@pytest.mark.parametrize("kind", ["audio", "video"])
def test_media_are_null_while_they_are_pending_and_whole_afterwards(kind: str, served: RunningMock) -> None:
    pending = served.http.post(f"/v1/{kind}/generate", json={"url": URL}).json()

    done = served.http.get(f"/v1/predictions/{pending['id']}").json()

    assert [pending[name] for name in ("response", "completed_at")] == [None, None]
    assert [pending["usage"][name] for name in ("element_type", "elements_processed", "credits_used")] == [None] * 3
    assert done["usage"]["element_type"] == kind
    assert done["response"]["metadata"]["duration"] > 0
    assert done["response"]["segments"]


@pytest.mark.parametrize(
    ("about", "query", "status"),
    [
        ("pred_123", {}, 200),
        ("exec_123", {"type": "agent_execution"}, 200),
        ("chat_123", {"type": "chat"}, 200),
        ("non_existent_id", {}, 404),
        ("invalid_id_123", {"type": "chat"}, 404),
        ("pred_123", {"type": "dream"}, 422),
    ],
)
def test_feedback_knows_the_made_up_ids(about: str, query: dict[str, str], status: int, served: RunningMock) -> None:
    answer = served.http.get(f"/v1/feedback/{about}", params=query)

    assert answer.status_code == status
    if status == 200:
        ids = [answer.json()[name] for name in ("request_id", "agent_execution_id", "chat_id")]
        assert sorted(map(str, ids)) == sorted([about, "None", "None"])


def test_an_invoice_has_the_address_of_a_customer_as_texts(served: RunningMock) -> None:
    body = {"url": URL, "domain": INVOICE, "batch": False}

    response = served.http.post("/v1/document/generate", json=body).json()["response"]

    assert isinstance(response["customer_name"], str)
    address = response["customer_billing_address"]
    assert all(isinstance(address[name], str) for name in ("city", "state", "postal_code"))


def test_only_the_keys_of_a_callers_schema_come_with_their_confidences(served: RunningMock) -> None:
    schema = {"type": "object", "properties": {"invoice_id": {"type": "string"}}, "required": ["invoice_id"]}
    config = {"json_schema": schema, "confidence": True}

    response = served.http.post(
        "/v1/document/generate", json={"url": URL, "domain": INVOICE, "batch": False, "config": config}
    ).json()["response"]

    assert set(response) == {"invoice_id", "invoice_id_metadata"}
    assert response["invoice_id_metadata"]["confidence"] in ("hi", "med", "low")


def test_a_dead_receiver_changes_nothing(served: RunningMock) -> None:
    body: dict[str, Any] = {"url": URL, "callback_url": "https://dead.example.com/hook"}

    answer = served.http.post("/v1/document/generate", json=body)

    assert (answer.status_code, answer.json()["status"]) == (201, "pending")


def test_uploading_as_vision_and_wanting_assistants_of_the_hash_agree(serve: Serve) -> None:
    served = serve()
    served.http.post("/v1/files", files={"file": ("a.txt", b"hello")}, params={"purpose": "vision"})

    found = served.http.get("/v1/files/hash/5d41402abc4b2a76b9719d911017c592")

    assert found.json()["purpose"] == "assistants"


def test_both_addresses_of_a_prediction_give_an_object(served: RunningMock) -> None:
    prediction = served.http.post("/v1/image/generate", json={"images": [URL, URL], "domain": INVOICE}).json()

    for path in ("predictions", "response"):
        assert isinstance(served.http.get(f"/v1/{path}/{prediction['id']}").json()["response"], dict)
