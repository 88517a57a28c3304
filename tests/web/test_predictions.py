"""Predictions as plain HTTP: what is taken, what is refused, and what the journal says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import Serve
from tests.printed import printed
from tests.serving import RunningMock, data_url, picture, source
from vlmrun_mock.mock.rate_limit import RateLimit
from vlmrun_mock.web.predictions import KINDS

INVOICE = "document.invoice"
URL = "https://example.com/a.pdf"


def generate(served: RunningMock, kind: str = "document", **body: Any) -> httpx.Response:
    """Ask for a prediction."""
    return served.http.post(f"/v1/{kind}/generate", json=body)


def test_a_prediction_has_all_documented_keys_from_the_start(served: RunningMock) -> None:
    pending, done = generate(served, url=URL), generate(served, url=URL, batch=False)

    assert (pending.status_code, done.status_code) == (201, 201)
    assert set(pending.json()) == {"id", "created_at", "completed_at", "response", "status", "domain", "usage"}
    assert set(done.json()) == set(pending.json())
    assert pending.json()["usage"] == {
        "elements_processed": None,
        "element_type": None,
        "credits_used": None,
        "steps": None,
        "message": None,
        "duration_seconds": 0,
    }
    assert done.json()["created_at"].endswith("Z")
    assert source(done) == ("fixture", "document.file/answer.json")


@pytest.mark.parametrize(
    ("kind", "domain"),
    [("document", "document.file"), ("audio", "audio.transcription"), ("video", "video.transcription")],
)
def test_an_empty_body_is_a_batch_of_the_usual_domain(kind: str, domain: str, served: RunningMock) -> None:
    prediction = generate(served, kind).json()

    assert (prediction["status"], prediction["domain"]) == ("pending", domain)


@pytest.mark.parametrize(
    "picture_",
    [data_url(picture(1)), data_url(picture(1)).partition(",")[2], "https://example.com/a.png"],
    ids=["a data URL", "base64", "a URL"],
)
def test_a_picture_is_taken_in_every_documented_form(picture_: str, served: RunningMock) -> None:
    prediction = generate(served, "image", images=[picture_], domain=INVOICE)

    assert prediction.status_code == 201
    assert prediction.json()["status"] == "completed"


def test_the_field_of_2024_holds_any_text(served: RunningMock) -> None:
    assert generate(served, "image", image="image", domain=INVOICE).status_code == 201


def test_a_file_wins_over_a_url_that_is_none(served: RunningMock) -> None:
    answer = generate(served, file_id="file_id", url="url", id="an-id", created_at="2020-01-01T00:00:00Z")

    assert answer.status_code == 201
    assert (answer.json()["id"], answer.json()["created_at"]) == ("an-id", "2020-01-01T00:00:00Z")
    assert served.http.get("/v1/predictions/an-id").json()["status"] == "completed"
    assert served.http.get("/v1/response/an-id").json()["status"] == "completed"


@pytest.mark.parametrize(
    ("kind", "body", "place"),
    [
        ("image", {"domain": INVOICE}, ["body", "images"]),
        ("image", {"images": [URL]}, ["body", "domain"]),
        ("image", {"images": [URL], "domain": "document.invoic"}, ["body", "domain"]),
        ("image", {"images": ["~~~~"], "domain": INVOICE}, ["body", "images", 0]),
        ("document", {"url": "ftp://a.b/c"}, ["body", "url"]),
        ("document", {"url": URL, "model": "gpt-4o"}, ["body", "model"]),
        ("document", {"url": URL, "config": {"detail": "high"}}, ["body", "config", "detail"]),
        ("document", {"url": URL, "config": {"service_tier": "fast"}}, ["body", "config", "service_tier"]),
        ("document", {"url": URL, "config": {"gql_stmt": "{ a"}}, ["body", "config", "gql_stmt"]),
        ("document", {"url": URL, "config": {"json_schema": {"type": 1}}}, ["body", "config", "json_schema", "type"]),
        ("document", {"url": URL, "metadata": {"environment": "test"}}, ["body", "metadata", "environment"]),
        ("document", {"url": URL, "callback_url": ""}, ["body", "callback_url"]),
        ("document", {"url": URL, "config": {"page_indices": [0, -1]}}, ["body", "config", "page_indices", 1]),
        ("document", {"url": URL, "batch": "maybe"}, ["body", "batch"]),
    ],
)
def test_what_is_wrong_is_a_422_at_its_place(
    kind: str, body: dict[str, Any], place: list[str | int], served: RunningMock
) -> None:
    answer = generate(served, kind, **body)

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == place


@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("/v1/document/generate", {"url": URL}),
        ("/v1/document/execute", {"url": URL, "name": INVOICE}),
        ("/v1/agent/execute", {"name": "a"}),
        ("/v1/agent/create", {"config": {"prompt": "Who?"}}),
    ],
)
def test_an_empty_callback_url_is_refused_wherever_there_can_be_one(
    route: str, body: dict[str, Any], served: RunningMock
) -> None:
    answer = served.http.post(route, json={**body, "callback_url": ""})

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "callback_url"]


def test_execute_needs_a_name(served: RunningMock) -> None:
    answer = served.http.post("/v1/document/execute", json={"url": URL})

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "name"]


def test_a_page_of_the_web_is_predicted_at_once_with_200(served: RunningMock) -> None:
    answer = generate(served, "web", url="https://example.com", domain="web.github-developer-stats", mode="fast")

    assert answer.status_code == 200
    assert answer.json()["status"] == "completed"
    assert answer.json()["response"]


def test_a_schema_and_embeddings_are_made(served: RunningMock) -> None:
    made = served.http.post("/v1/schema/generate", json={"url": URL})
    first, again = (served.http.post("/v1/experimental/image/embeddings", json={"images": [URL]}) for _ in range(2))

    assert (made.status_code, first.status_code) == (201, 201)
    assert set(made.json()["response"]) >= {"domain", "schema_version", "schema_hash", "gql_stmt", "json_schema"}
    assert len(first.json()["response"]["embeddings"][0]) == 768
    assert first.json()["response"] == again.json()["response"]
    assert first.json()["id"] != again.json()["id"]


def test_predictions_are_listed_newest_first_and_belong_to_a_key(serve: Serve) -> None:
    served = serve()
    ids = [generate(served, url=URL).json()["id"] for _ in range(3)]

    listed = served.http.get("/v1/predictions", params={"skip": 1, "limit": 10}).json()

    assert [each["id"] for each in listed] == [ids[1], ids[0]]
    assert served.http.get("/v1/predictions", headers={"Authorization": "Bearer other"}).json() == []


def test_ids_are_the_same_in_another_server(serve: Serve) -> None:
    ids = [[generate(served, url=URL).json()["id"] for _ in range(2)] for served in (serve(), serve())]

    assert ids[0] == ids[1]
    assert len(set(ids[0])) == 2


@pytest.mark.parametrize("kind", KINDS)
def test_a_prediction_is_in_the_journal_as_one(kind: str, serve: Serve) -> None:
    served = serve()
    body: dict[str, Any] = {"images": [URL]} if kind == "image" else {"url": URL}
    generate(served, kind, domain=INVOICE, **body)
    served.chat(domain=INVOICE)

    (entry,) = served.http.get("/_mock/requests", params={"kind": "prediction"}).json()["requests"]

    assert (entry["kind"], entry["domain"], entry["status"], entry["source"]) == ("prediction", INVOICE, 201, "fixture")
    assert entry["documents"][0]["identity"] == URL


def test_predictions_count_against_the_rate_limit(serve: Serve) -> None:
    served = serve(rate_limit=RateLimit(2))

    statuses = [generate(served, url=URL).status_code, served.chat(domain=INVOICE).status_code]
    refused = generate(served, url=URL)

    assert statuses == [201, 201]
    assert refused.status_code == 429
    assert refused.headers["retry-after"]


@pytest.mark.parametrize(
    ("kind", "effect"),
    [
        ("empty-choices", {"response": None}),
        ("invalid-json", {"response": "Here is the data"}),
        ("truncate", "cut"),
        ("no-usage", "no usage"),
    ],
)
def test_a_fault_spoils_a_prediction(kind: str, effect: Any, serve: Serve) -> None:
    served = serve()
    served.http.post("/_mock/faults", json={"kind": kind})

    answer = generate(served, url=URL, batch=False)

    if effect == "cut":
        with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
            answer.json()
    elif effect == "no usage":
        assert "usage" not in answer.json()
    else:
        assert str(answer.json()["response"]).startswith(str(effect["response"]))


def test_a_miss_is_explained_with_strict(serve: Serve) -> None:
    answer = generate(serve(strict=True), url=URL)

    assert answer.status_code == 404
    assert "No fixture matches" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("route", "method", "path"),
    [
        ("chat", "POST", "/v1/openai/chat/completions"),
        ("predictions", "POST", "/v1/document/generate"),
        ("executions", "POST", "/v1/agent/execute"),
        ("reads", "GET", "/v1/predictions/an-id"),
        ("reads", "GET", "/v1/agent/executions"),
        ("files", "GET", "/v1/files"),
        ("agents", "GET", "/v1/agent"),
        ("skills", "GET", "/v1/skills"),
        ("artifacts", "GET", "/v1/artifacts/list"),
        ("feedback", "GET", "/v1/feedback/pred_1"),
        ("trainings", "GET", "/v1/datasets"),
    ],
)
def test_a_fault_strikes_the_family_of_routes_that_it_names(route: str, method: str, path: str, serve: Serve) -> None:
    served = serve()
    served.http.post("/_mock/faults", json={"status": 503, "route": route})
    others = {"chat": "/v1/document/generate"}.get(route, "/v1/openai/chat/completions")
    body: dict[str, Any] = {"messages": [{}]}

    elsewhere = served.http.post(others, json=body)
    struck = served.http.request(method, path, json=body)
    after = served.http.request(method, path, json=body)

    assert elsewhere.status_code == 201
    assert struck.status_code == 503
    assert after.status_code != 503


STATEMENT = "document.bank-statement"


def in_pages(served: RunningMock, domain: str = STATEMENT, **config: Any) -> Any:
    """Return the answer to the prediction of a printed document of several pages, which is sent as a data URL."""
    url = printed(STATEMENT, 0).url
    return generate(served, url=url, domain=domain, batch=False, config=config).json()


def test_the_pages_of_a_pdf_are_counted_whichever_way_it_comes(served: RunningMock) -> None:
    document = printed(STATEMENT, 0)
    file = served.http.post("/v1/files", files={"file": ("a.pdf", document.data)}).json()

    by_url = in_pages(served)
    by_file = generate(served, file_id=file["id"], domain=STATEMENT, batch=False).json()

    assert document.page_count > 1
    assert by_url["usage"] == by_file["usage"]
    assert by_url["usage"]["elements_processed"] == document.page_count


def test_only_the_pages_that_are_asked_for_are_read_and_paid_for(served: RunningMock) -> None:
    some = in_pages(served, page_indices=[1, 1])
    beyond = in_pages(served, page_indices=[0, 99])

    assert some["usage"]["elements_processed"] == 1
    assert beyond["detail"][0]["loc"] == ["body", "config", "page_indices", 1]
    assert "The document has " in beyond["detail"][0]["msg"]


def test_boxes_lie_on_the_pages_that_are_asked_for(serve: Serve, tmp_path: Path) -> None:
    document = printed(STATEMENT, 0)
    document.save(tmp_path)

    known = in_pages(serve(fixtures=(tmp_path,)), grounding=True, page_indices=[1])["response"]
    made_up = in_pages(serve(), grounding=True, page_indices=[1])["response"]

    assert {page for page, _ in document_pages(known)} == {1}
    assert {page for page, _ in document_pages(made_up)} == {1}
    assert len(document_pages(known)) == sum(box["page"] == 1 for boxes in document.boxes.values() for box in boxes)


def document_pages(value: Any) -> list[tuple[int, Any]]:
    """Return the page and the place of each box in an answer."""
    if isinstance(value, dict):
        boxes = [(box["page"], box["xywh"]) for box in value.get("bboxes") or ()]
        return boxes + [each for inner in value.values() for each in document_pages(inner)]
    return [each for inner in value for each in document_pages(inner)] if isinstance(value, list) else []


def test_markdown_has_the_pages_that_are_asked_for(served: RunningMock) -> None:
    whole = in_pages(served, "document.markdown")["response"]["pages"]
    numbers = [page["metadata"]["page_number"] for page in whole]

    some = in_pages(served, "document.markdown", page_indices=numbers[:1])["response"]["pages"]

    assert some == whole[:1]
