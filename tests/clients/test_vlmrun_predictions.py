"""VLM Run's own Python SDK makes predictions with the mock: every method, over a socket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from pydantic import BaseModel
from vlmrun.client import VLMRun
from vlmrun.client.exceptions import APIError, ResourceNotFoundError, ServerError
from vlmrun.client.predictions import get_response_model
from vlmrun.client.types import GenerationConfig, MarkdownDocument, RequestMetadata

from tests.asking import answer_of
from tests.conftest import Put, Serve
from tests.serving import RunningMock, picture
from vlmrun_mock.documents.identity import identity

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:datamodel_code_generator")

INVOICE = "document.invoice"


@pytest.fixture(autouse=True)
def _fresh_cache() -> Iterator[None]:
    """Empty the module-level cache of the client, which would answer in place of the server."""
    get_response_model.cache.clear()
    yield
    get_response_model.cache.clear()


def client_of(served: RunningMock) -> VLMRun:
    """Return VLM Run's client for a server."""
    return VLMRun(api_key="test", base_url=f"{served.url}/v1", max_retries=1)


@pytest.fixture
def client(served: RunningMock) -> VLMRun:
    """Return VLM Run's client for the shared server."""
    return client_of(served)


@pytest.fixture
def pdf(tmp_path: Path) -> Path:
    """Return the path of a PDF with three pages."""
    page, path = Image.new("RGB", (40, 40)), tmp_path / "acme.pdf"
    page.save(path, save_all=True, append_images=[page, page])
    return path


def test_a_picture_is_predicted_by_its_path_and_by_its_url(client: VLMRun, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(picture(1))

    by_path = client.image.generate(domain=INVOICE, images=[path])
    by_urls = client.image.generate(domain=INVOICE, urls=["https://example.com/a.png", "https://example.com/b.png"])

    assert (by_path.status, by_path.domain, by_path.response) == ("completed", INVOICE, answer_of(INVOICE))
    assert (by_path.usage.element_type, by_path.usage.elements_processed, by_path.usage.credits_used) == ("image", 1, 2)
    assert (by_urls.usage.elements_processed, by_urls.usage.credits_used) == (2, 4)


def test_a_document_is_uploaded_predicted_and_paid_for_by_the_page(client: VLMRun, pdf: Path) -> None:
    prediction = client.document.generate(file=pdf, domain=INVOICE)

    assert prediction.response == answer_of(INVOICE)
    assert prediction.completed_at is not None
    assert (prediction.usage.element_type, prediction.usage.elements_processed) == ("page", 3)
    assert prediction.usage.credits_used == 6


def test_a_document_at_a_url_is_predicted_without_being_fetched(client: VLMRun) -> None:
    prediction = client.document.generate(url="https://example.invalid/a.pdf", domain=INVOICE)

    assert prediction.response == answer_of(INVOICE)
    assert prediction.usage.elements_processed == 1


@pytest.mark.parametrize(
    ("config", "cost"),
    [
        (GenerationConfig(detail="lo"), 3),
        (GenerationConfig(detail="hi"), 12),
        (GenerationConfig(detail="hi", grounding=True), 18),
        (GenerationConfig(grounding=True), 12),
        (GenerationConfig(detail="lo", service_tier="flex"), 2),
        (GenerationConfig(service_tier="priority"), 11),
    ],
)
def test_credits_follow_the_detail_the_boxes_and_the_tier(
    config: GenerationConfig,
    cost: int,
    client: VLMRun,
    pdf: Path,
) -> None:
    assert client.document.generate(file=pdf, domain=INVOICE, config=config).usage.credits_used == cost


def test_markdown_is_cast_to_the_model_of_the_client(client: VLMRun, pdf: Path) -> None:
    prediction = client.document.generate(file=pdf, domain="document.markdown")

    assert isinstance(prediction.response, MarkdownDocument)
    assert isinstance(client.predictions.get(prediction.id).response, MarkdownDocument)


@pytest.mark.parametrize("domain", [INVOICE, "document.us-drivers-license", "document.resume"])
def test_an_answer_is_cast_to_the_model_of_its_domain(domain: str, client: VLMRun, pdf: Path) -> None:
    prediction = client.document.generate(file=pdf, domain=domain, autocast=True)

    assert isinstance(prediction.response, BaseModel)
    assert set(prediction.response.model_dump()) == set(answer_of(domain))


class Bill(BaseModel):
    """What an application wants to know."""

    invoice_id: str
    total: float


def test_a_model_of_the_application_is_filled_and_cast(client: VLMRun, pdf: Path) -> None:
    config = GenerationConfig(response_model=Bill)

    plain = client.document.generate(file=pdf, domain="custom.bill", config=config)
    cast = client.document.generate(
        file=pdf, domain=INVOICE, config=GenerationConfig(json_schema=Bill.model_json_schema()), autocast=True
    )

    assert Bill(**plain.response)
    assert cast.response.invoice_id == answer_of(INVOICE)["invoice_id"]


def test_media_are_transcribed_and_paid_for_by_the_segment(client: VLMRun, tmp_path: Path) -> None:
    audio, video = tmp_path / "a.mp3", tmp_path / "a.mp4"
    audio.write_bytes(b"ID3 audio")
    video.write_bytes(b"a video")

    heard = client.audio.generate(file=audio, domain="audio.transcription")
    seen = client.video.generate(file=video)

    assert (heard.usage.element_type, seen.usage.element_type) == ("audio", "video")
    assert heard.usage.duration_seconds > 0
    assert heard.response["metadata"]["duration"] > 0
    assert seen.domain == "video.transcription"
    assert all(segment["audio"]["content"] and segment["video"]["content"] for segment in seen.response["segments"])
    assert seen.usage.credits_used % 10 == 0


def test_a_schema_is_made_up_for_a_document(client: VLMRun, pdf: Path) -> None:
    made = client.document.schema(file=pdf)
    of_pictures = client.image.schema(urls=["https://example.com/a.png"])

    assert made.status == "completed"
    assert made.response.schema_version == "20250313"
    assert (
        made.domain == made.response.domain == of_pictures.response.domain == "custom.retail.invoice-general-20250313"
    )
    assert len(made.response.schema_hash) == 64
    assert made.response.response_model.model_fields


@pytest.mark.parametrize("name", [INVOICE, "my-own-agent"])
def test_a_name_is_executed_whether_it_is_known_or_not(name: str, client: VLMRun, pdf: Path) -> None:
    documents = client.document.execute(name=name, file=pdf)
    images = client.image.execute(name=name, urls=["https://example.com/a.png"])

    assert documents.status == images.status == "completed"
    assert documents.domain == name
    assert documents.response
    assert (documents.response == answer_of(INVOICE)) is (name == INVOICE)


def test_a_batch_is_pending_first_and_completed_when_it_is_read(client: VLMRun, pdf: Path) -> None:
    prediction = client.document.generate(file=pdf, domain=INVOICE, batch=True)

    assert (prediction.status, prediction.response, prediction.completed_at) == ("pending", None, None)
    assert prediction.usage.elements_processed is None
    listed = client.predictions.list(limit=1)
    assert [(each.id, each.status) for each in listed] == [(prediction.id, "pending")]
    waited = client.predictions.wait(prediction.id, timeout=5, sleep=1)
    assert (waited.status, waited.response, waited.usage.elements_processed) == ("completed", answer_of(INVOICE), 3)
    assert waited.completed_at
    assert waited.completed_at >= waited.created_at


def test_a_batch_is_read_as_often_as_the_setting_says(serve: Serve) -> None:
    client = client_of(serve(pending_reads=3))
    prediction = client.document.generate(url="https://example.com/a.pdf", domain=INVOICE, batch=True)

    read = [client.predictions.get(prediction.id).status for _ in range(5)]

    assert read == ["pending", "running", "running", "completed", "completed"]


def test_a_fixture_says_how_long_a_batch_takes(serve: Serve, put: Put) -> None:
    served = serve(fixtures=(put("a.json", {"merge": {}, "latency_ms": 400}, domain=INVOICE),))
    client = client_of(served)
    prediction = client.document.generate(url="https://example.com/a.pdf", domain=INVOICE, batch=True)

    early = client.predictions.get(prediction.id).status
    waited = client.predictions.wait(prediction.id, timeout=10, sleep=1)

    assert early in ("pending", "completed")
    assert waited.status == "completed"
    assert client.predictions.get(prediction.id).response == answer_of(INVOICE)


def test_a_batch_can_fail_by_a_fixture_and_by_a_fault(serve: Serve, put: Put) -> None:
    folder = put("a.json", {"error": {"status": 500, "message": "The scan is blank"}}, domain="document.receipt")
    served = serve(fixtures=(folder,))
    client = client_of(served)
    served.http.post("/_mock/faults", json={"kind": "failed", "message": "Out of pages", "domain": INVOICE})

    of_fixture, of_fault = (
        client.predictions.get(client.document.generate(url="https://a.b/c", domain=domain, batch=True).id)
        for domain in ("document.receipt", INVOICE)
    )

    assert (of_fixture.status, of_fixture.response, of_fixture.usage.message) == ("failed", None, "The scan is blank")
    assert (of_fault.status, of_fault.usage.message) == ("failed", "Out of pages")
    with pytest.raises(TimeoutError, match="failed"):  # the client waits for `completed` alone
        client.predictions.wait(of_fault.id, timeout=1, sleep=1)


def test_what_fails_at_once_is_an_error(serve: Serve) -> None:
    served = serve()
    client = client_of(served)
    served.http.post("/_mock/faults", json={"kind": "failed", "message": "Out of pages"})

    with pytest.raises((ServerError, Exception), match=r"Out of pages|RetryError"):
        client.document.generate(url="https://a.b/c", domain=INVOICE)


def test_an_unknown_prediction_is_not_found(client: VLMRun) -> None:
    with pytest.raises(ResourceNotFoundError, match="Prediction not found"):
        client.predictions.get("none")


def test_an_unknown_domain_is_refused_with_the_closest(client: VLMRun) -> None:
    with pytest.raises(APIError, match=r"document\.invoice"):
        client.document.generate(url="https://example.com/a.pdf", domain="document.invoic")


def test_one_fixture_answers_a_chat_and_a_prediction_for_the_same_document(serve: Serve, put: Put, pdf: Path) -> None:
    served = serve(fixtures=(put("a.json", {"content": {"found": 1}}, documents=[identity(pdf.read_bytes())]),))
    client = client_of(served)

    prediction = client.document.generate(file=pdf, domain=INVOICE, metadata=RequestMetadata(environment="staging"))

    (uploaded,) = client.files.list()
    part: Any = {"type": "input_file", "file_id": uploaded.id}
    chat = client.agent.completions.create(model="vlm-1", messages=[{"role": "user", "content": [part]}])
    assert prediction.response == {"found": 1}
    assert chat.choices[0].message.content == '{"found":1}'


def test_boxes_have_the_newest_shape_beside_the_one_of_chat(client: VLMRun) -> None:
    prediction = client.document.generate(
        url="https://example.com/a.pdf", domain=INVOICE, config=GenerationConfig(grounding=True)
    )

    (box,) = prediction.response["invoice_id_metadata"]["bboxes"]
    assert box["content"] == prediction.response["invoice_id"]
    assert box["bbox"] == {"xywh": box["xywh"]}
    assert 0 < box["confidence"] < 1
    assert box["page"] == 0
