"""From the bytes of a body to a PredictionRequest: the one place where a native request for an answer is checked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, TypeAlias

import msgspec

from vlmrun_mock.api import chat_parser
from vlmrun_mock.api.bodies import DEFAULT_METADATA, read
from vlmrun_mock.api.chat_parser import without_documents
from vlmrun_mock.api.errors import InvalidRequest, Problem
from vlmrun_mock.api.native_bodies import PredictionBody, TunedBody, callback
from vlmrun_mock.api.prediction import Kind, PredictionRequest
from vlmrun_mock.api.request import DEFAULT_ROLE, NO_CONFIG, CallerSchema, Config, ExtractionRequest, Message, Place
from vlmrun_mock.documents import identity
from vlmrun_mock.documents.embedded import EmbeddedDocuments
from vlmrun_mock.documents.identity import Document

DOMAINS: Mapping[Kind, str] = {
    "document": "document.file",
    "audio": "audio.transcription",
    "video": "video.transcription",
    "web": "web.ecommerce-product-catalog",
}
"""The domain of a request that names none; the first two are documented."""

OF_SKILLS = "skill"
"""The domain that an answer names where its request has skills alone, as was recorded."""

ParsePrediction: TypeAlias = Callable[[bytes, Kind, EmbeddedDocuments | None], PredictionRequest]
"""What parses a body for documents of a kind, which may be taken out of it."""

MADE_UP = "data:application/octet-stream;base64,"


def parse(raw: bytes, kind: Kind, embedded: EmbeddedDocuments | None = None) -> PredictionRequest:
    """Return the request for a prediction in a body; raises InvalidRequest with FastAPI's list of problems.

    `embedded` are the documents in it, if they are taken out already.
    """
    return without_documents(partial(_prediction, kind=kind), raw, embedded)


def execution(raw: bytes, kind: Kind, embedded: EmbeddedDocuments | None = None) -> PredictionRequest:
    """Return the request of `execute`, whose `name` stands for a domain; raises InvalidRequest."""
    return without_documents(partial(_execution, kind=kind), raw, embedded)


def tuned(raw: bytes, kind: Kind, embedded: EmbeddedDocuments | None = None) -> PredictionRequest:
    """Return the request to a fine-tuned model, whose name may be any; raises InvalidRequest."""
    return without_documents(partial(_prediction, kind=kind, body_type=TunedBody), raw, embedded)


def _prediction(
    raw: bytes, embedded: EmbeddedDocuments | None, kind: Kind, body_type: type[PredictionBody] = PredictionBody
) -> PredictionRequest:
    body, sent = read(body_type, raw)
    config = chat_parser.config_of(body.config, sent["config"]) if body.config else NO_CONFIG
    for index, page in enumerate((body.config and body.config.page_indices) or ()):
        if page < 0:
            message = "Input should be greater than or equal to 0"
            raise InvalidRequest([Problem(("body", "config", "page_indices", index), message, "greater_than_equal")])
    if body.detail and config.detail == "auto":
        config = replace(config, detail=body.detail)
    documents = tuple(_documents(body, kind, embedded))
    extraction = ExtractionRequest(
        messages=(Message(DEFAULT_ROLE, (), (0,) * len(documents)),),
        documents=documents,
        domain=body.domain or None,
        schema=_schema(body),
        config=config,
        metadata={**DEFAULT_METADATA, **(sent.get("metadata") or {})},
        size=len(raw),
    )
    extraction = _with_domain(extraction, kind)
    return PredictionRequest(
        extraction,
        kind,
        batch=(kind not in ("image", "web")) if body.batch is None else body.batch,
        domain=extraction.domain or (OF_SKILLS if _skills(config) else None),
        service_tier=body.config.service_tier if body.config else None,
        callback_url=callback(body.callback_url),
        id=body.id or None,
        created_at=body.created_at or None,
    )


def _execution(raw: bytes, embedded: EmbeddedDocuments | None, kind: Kind) -> PredictionRequest:
    body, _ = read(PredictionBody, raw)
    if not body.name:
        raise InvalidRequest([Problem(("body", "name"), "Field required", "missing")])
    request = _prediction(raw, embedded, kind)
    return replace(request, extraction=msgspec.structs.replace(request.extraction, domain=body.name), domain=body.name)


UPLOADED: tuple[Kind, ...] = ("image", "document", "audio", "video")

ROUTES: Mapping[str, tuple[Kind, ParsePrediction]] = {
    **{f"/v1/{kind}/generate": (kind, parse) for kind in UPLOADED},
    **{f"/v1/{kind}/execute": (kind, execution) for kind in UPLOADED},
    "/v1/fine_tuning/generate": ("image", tuned),
    "/v1/web/generate": ("web", parse),
}
"""Where predictions are asked for: of which kind, and how the body is read."""


def _with_domain(extraction: ExtractionRequest, kind: Kind) -> ExtractionRequest:
    """Return a request with the domain of its kind, unless it says otherwise what is to be found."""
    if extraction.domain or _skills(extraction.config):
        return extraction
    if kind in DOMAINS:
        return msgspec.structs.replace(extraction, domain=DOMAINS[kind])
    return extraction


def needs_domain(request: PredictionRequest) -> None:
    """Raise InvalidRequest for pictures of which nothing says what is to be found."""
    extraction = request.extraction
    if request.kind == "image" and not (extraction.domain or extraction.schema or _skills(extraction.config)):
        message = "Field required: name a domain, such as document.invoice, or send config.json_schema or config.skills"
        raise InvalidRequest([Problem(("body", "domain"), message, "missing")])


def _skills(config: Config) -> Any:
    return config.further.get("skills")


def _schema(body: PredictionBody) -> CallerSchema | None:
    if body.config and body.config.json_schema:
        return CallerSchema(body.config.json_schema, ("body", "config", "json_schema"))
    return CallerSchema(body.json_schema, ("body", "json_schema")) if body.json_schema else None


def _documents(body: PredictionBody, kind: Kind, embedded: EmbeddedDocuments | None) -> Iterator[Document]:
    if kind == "image" and body.images is None and body.image is None and not body.videos:
        raise InvalidRequest([Problem(("body", "images"), "Field required", "missing")])
    if body.images or body.image:
        for index, each in enumerate(body.images or ()):
            yield picture(each, ("body", "images", index), embedded)
        if body.image and not body.images:
            yield _old_picture(body.image, embedded)
    elif body.videos:
        for index, each in enumerate(body.videos):
            yield picture(each, ("body", "videos", index), embedded)
    elif body.file_id:
        yield chat_parser.from_file_id(body.file_id, ("body", "file_id"))
    elif body.url:
        yield chat_parser.from_url(body.url, "input_file", ("body", "url"), embedded)


def picture(text: str, place: Place, embedded: EmbeddedDocuments | None = None) -> Document:
    """Return the picture at a URL, or in base64; raises InvalidRequest."""
    is_url = text[:5].lower() == "data:" or text[:4].lower() == "http"
    return chat_parser.from_url(text if is_url else MADE_UP + text, "image_url", place, embedded)


def _old_picture(text: str, embedded: EmbeddedDocuments | None) -> Document:
    """Return the picture in the field of 2024, which may hold any text."""
    try:
        return picture(text, (), embedded)
    except InvalidRequest:
        return identity.from_bytes(text.encode("utf-8", "surrogatepass"))
