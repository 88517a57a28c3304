"""Predictions: `/v1/{kind}/generate`, `execute` and `schema`, and reading what became of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from vlmrun_mock.api import dates, prediction_parser
from vlmrun_mock.api.answer import Answer
from vlmrun_mock.api.errors import InvalidRequest, Problem
from vlmrun_mock.api.prediction import Kind, Outcome, PredictionRequest, completed, failed, usage
from vlmrun_mock.api.prediction_parser import UPLOADED, ParsePrediction
from vlmrun_mock.api.request import CallerSchema, ExtractionRequest
from vlmrun_mock.aside import aside
from vlmrun_mock.display import count as counted
from vlmrun_mock.documents.identity import Document
from vlmrun_mock.documents.rendering import PDF
from vlmrun_mock.mock import recognition
from vlmrun_mock.mock.jobs import Job
from vlmrun_mock.mock.mock import Mock
from vlmrun_mock.mock.scopes import Scopes
from vlmrun_mock.mock.sources import GENERIC_SCHEMA
from vlmrun_mock.web import body as http_body
from vlmrun_mock.web import extraction, native, webhooks
from vlmrun_mock.web.catalog import described_schema
from vlmrun_mock.web.keys import authenticate, key_of, raw_headers
from vlmrun_mock.web.request_log import RequestLog
from vlmrun_mock.web.webhooks import Notice

CREATED, FOUND = 201, 200

AT_ONCE = ("/v1/fine_tuning/generate", "/v1/web/generate")
"""The routes that answer 200."""

KINDS = UPLOADED

MADE_SCHEMAS: Mapping[str, tuple[str, str]] = {
    "image": ("document.invoice", "retail.invoice-general"),
    "document": ("document.invoice", "retail.invoice-general"),
    "audio": ("audio.transcription", "media.audio-general"),
    "video": ("video.transcription", "media.video-general"),
}
"""The domain whose schema is made up for a document of each kind, and what follows `custom.` in its name; ours."""

SCHEMA_VERSION = "20250313"
"""The version of a made-up schema, as it was recorded."""

EMBEDDING_LENGTH = 768


class PredictionEndpoint:
    """One of the routes that make a prediction, as an ASGI application.

    Where it takes `any_name`, the domain is the name of something that may not be known here.
    """

    def __init__(
        self,
        scopes: Scopes,
        kind: Kind,
        parse: ParsePrediction,
        *,
        status: int = CREATED,
        any_name: bool = False,
    ) -> None:
        self._scopes, self._kind, self._parse = scopes, kind, parse
        self._status, self._any_name = status, any_name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; raises ApiError for the handler in the middleware."""
        log: RequestLog = scope["state"]["log"]
        mock = journalled(self._scopes, scope, log)
        raw = await http_body.read(raw_headers(scope), receive, mock.settings.max_body)
        extraction.limit(mock)
        request = await parsed(self._parse, raw, self._kind, log, receive)
        asked = extraction.begin(mock, log, mock.with_skills(request.extraction), "prediction")
        asked = await extraction.recognised(mock, log, asked, raw)
        prediction_parser.needs_domain(request)
        is_of_pictures = self._kind == "image"
        count = len(request.extraction.documents) if is_of_pictures else await _page_count(mock, asked, raw)
        fault = await extraction.strike(mock, log, asked, receive, "predictions", batch=request.batch)
        original = extraction.original(mock, scope, raw, request.extraction)
        answer = await extraction.answer(mock, _of_any_name(mock, asked) if self._any_name else asked, original)
        if answer.error and not request.batch:
            log.entry = msgspec.structs.replace(log.entry, source=answer.source, fixture=answer.fixture)
            raise extraction.scripted(answer)
        if answer.error:
            outcome = failed(answer.error.message)
        elif fault is not None and fault.kind == "failed":
            outcome = failed(fault.message)
        else:
            text = extraction.spoilt(answer.text, mock, asked, fault)
            outcome = completed(replace(request, extraction=asked), text, count)
            recorded = extraction.recorded_usage_of(answer)
            outcome = msgspec.structs.replace(outcome, usage={**outcome.usage, **recorded}) if recorded else outcome
        job = added(mock, request, outcome, answer, asked.fingerprint)
        content = msgspec.json.encode(extraction.without(written(job), fault))
        response = extraction.response(answer, content, self._status, fault, log)
        try:
            if not request.batch:  # of a batch it is the time until it is done
                await asyncio.sleep(answer.latency)
            await response.send(send, receive)
        finally:
            webhooks.schedule(mock, _notice(mock, request, job, answer.latency))


def _notice(mock: Mock, request: PredictionRequest, job: Job, seconds: float) -> Notice | None:
    """Return the webhook that tells of a batch when it is done, if there is a receiver."""
    if not (request.batch and request.callback_url):
        return None

    def content() -> dict[str, Any]:
        job.finish(mock.stamp.moment())
        return written(job)

    return Notice(request.callback_url, "prediction", job.id, content, seconds)


def _of_any_name(mock: Mock, asked: ExtractionRequest) -> ExtractionRequest:
    """Return a request that is answered even if its domain is the name of something that is not known here."""
    if asked.schema or asked.domain is None or mock.knows(asked.domain):
        return asked
    return msgspec.structs.replace(asked, schema=CallerSchema(GENERIC_SCHEMA, ()))


def journalled(scopes: Scopes, scope: Scope, log: RequestLog) -> Mock:
    """Return the mock of a request's key, in whose journal the request will be; raises Unauthenticated."""
    headers = raw_headers(scope)
    log.journal = scopes.everyone.journal
    log.key = key_of(headers).decode("utf-8", "surrogateescape")
    mock = scopes.of(authenticate(headers, scopes.api_keys).decode("utf-8", "surrogateescape"))
    log.journal = mock.journal
    return mock


async def parsed(
    parse: ParsePrediction, raw: bytes, kind: Kind, log: RequestLog, receive: Receive
) -> PredictionRequest:
    """Return the request in a body; raises InvalidRequest."""
    try:
        return await http_body.parsed(lambda text, embedded: parse(text, kind, embedded), raw, receive)
    except InvalidRequest:
        log.entry = msgspec.structs.replace(log.entry, kind="prediction", digest=await http_body.digest(raw))
        raise


def added(mock: Mock, request: PredictionRequest, outcome: Outcome, answer: Answer, fingerprint: str) -> Job:
    """Return the prediction that a request made, which is kept."""
    created = mock.stamp.moment()
    job = Job(
        id=request.id or mock.ids.next("prediction", request.kind, fingerprint),
        family="prediction",
        created=created,
        created_at=request.created_at or dates.written(created),
        outcome=outcome,
        name=request.domain or "",
    )
    return mock.jobs.add(job, done=not request.batch, seconds=answer.latency)


def written(job: Job) -> dict[str, Any]:
    """Return a prediction as it is now."""
    return {
        "id": job.id,
        "created_at": job.created_at,
        "status": job.status,
        "domain": job.name or None,
        **job.result,
    }


async def _page_count(mock: Mock, asked: ExtractionRequest, raw: bytes) -> int:
    """Return how many pages of the first document are read; raises InvalidRequest for one that it does not have."""
    document, wanted = next(iter(asked.documents), None), asked.config.pages
    total = None
    if document is not None and document.media_type == PDF:
        total = await _pages_of(mock, document, raw)
    for index, page in enumerate(wanted):
        if total is not None and page >= total:
            message = f"The document has {counted(total, 'page')}, of which the first is 0"
            raise InvalidRequest([Problem(("body", "config", "page_indices", index), message, "less_than")])
    return len(set(wanted)) or total or 1


async def _pages_of(mock: Mock, document: Document, raw: bytes) -> int | None:
    """Return how many pages a PDF has whose bytes are here."""
    stored = mock.content_of(document.identity)
    if stored is not None:
        return stored.pages
    known = mock.page_counts.get(document)
    if known is not None:
        return known
    data = (await aside(recognition.bytes_of, None, mock, {document.identity}, raw)).get(document.identity)
    return await aside(mock.page_counts.of, None, document, data) if data else None


class PredictionsApi:
    """The endpoints."""

    def __init__(self, scopes: Scopes) -> None:
        self._scopes = scopes

    def routes(self) -> list[Route]:
        """Return the routes."""
        post = ["POST"]
        reads = [
            Route("/v1/predictions", self.predictions),
            Route("/v1/predictions/{id}", self.prediction),
            Route("/v1/response/{id}", self.prediction),
        ]
        return [
            *(Route(path, self._endpoint(path), methods=post) for path in prediction_parser.ROUTES),
            *(Route(f"/v1/{kind}/schema", self.schema, methods=post) for kind in KINDS),
            Route("/v1/schema/generate", self.schema, methods=post),
            *(Route(f"/v1/experimental/{kind}/embeddings", self.embeddings, methods=post) for kind in KINDS[:2]),
            *native.with_faults(self._scopes, "reads", reads),
        ]

    def _endpoint(self, path: str) -> PredictionEndpoint:
        kind, parse = prediction_parser.ROUTES[path]
        status = FOUND if path in AT_ONCE else CREATED
        return PredictionEndpoint(self._scopes, kind, parse, status=status, any_name=path.endswith("/execute"))

    async def predictions(self, request: Request) -> Response:
        """List the predictions, the newest first, without counting it as a reading."""
        return JSONResponse([written(job) for job in native.jobs(self._scopes, request, "prediction")])

    async def prediction(self, request: Request) -> Response:
        """Return a prediction; a batch comes on by being read."""
        return JSONResponse(written(native.job(self._scopes, request, "prediction")))

    async def schema(self, request: Request) -> Response:
        """Make up a schema for a document: that of a domain which fits the kind of it."""
        kind = request.url.path.split("/")[2]
        return await self._made(request, kind if kind in KINDS else "document", self._made_schema)

    async def embeddings(self, request: Request) -> Response:
        """Return numbers that stand for a document: the same ones for the same document."""
        return await self._made(request, request.url.path.split("/")[3], self._embedding)

    async def _made(
        self, request: Request, kind: Any, make: Callable[[Mock, Kind, ExtractionRequest], Outcome]
    ) -> Response:
        """Return a prediction that no source of answers makes."""
        log: RequestLog = request.scope["state"]["log"]
        mock = journalled(self._scopes, request.scope, log)
        raw = await http_body.read(raw_headers(request.scope), request.receive, mock.settings.max_body)
        extraction.limit(mock)
        # Generated clients ask for embeddings without a picture.
        read_as: Kind = kind if make == self._made_schema else "document"
        sent = await parsed(prediction_parser.parse, raw, read_as, log, request.receive)
        asked = replace(sent, batch=False, kind=kind)
        found = extraction.begin(mock, log, asked.extraction, "prediction")
        await extraction.strike(mock, log, found, request.receive, "predictions")
        outcome = make(mock, kind, found)
        log.entry = msgspec.structs.replace(log.entry, source="generated")
        domain = outcome.response.get("domain")
        answer = Answer("", "generated")
        job = added(mock, replace(asked, domain=domain), outcome, answer, f"{make.__name__}:{found.fingerprint}")
        return JSONResponse(written(job), status_code=CREATED, headers={"x-vlmrun-mock-source": "generated"})

    def _made_schema(self, mock: Mock, kind: Kind, _: ExtractionRequest) -> Outcome:
        name, called = MADE_SCHEMAS[kind]
        domain = mock.domains.get(name)
        schema = domain.schema if domain else {}
        told = {
            **described_schema(
                mock.domains, f"custom.{called}-{SCHEMA_VERSION}", "Auto-generated schema", schema, None
            ),
            "schema_version": SCHEMA_VERSION,
            "schema_hash": mock.seed.digest("schema", name).hex(),
        }
        return Outcome("completed", told, usage(elements_processed=1, element_type="page", credits_used=1))

    def _embedding(self, mock: Mock, kind: Kind, asked: ExtractionRequest) -> Outcome:
        drawn = mock.seed.random("embedding", *(each.identity for each in asked.documents))
        vector = [round(drawn.uniform(-1, 1), 6) for _ in range(EMBEDDING_LENGTH)]
        element = "image" if kind == "image" else "page"
        return Outcome(
            "completed", {"embeddings": [vector]}, usage(elements_processed=1, element_type=element, credits_used=1)
        )
