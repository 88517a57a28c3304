"""From an extraction request to its answer, for the native envelopes: limit, journal, fault, sources."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.types import Receive, Scope

from vlmrun_mock.api.answer import Answer, ErrorAnswer, UpstreamResponse
from vlmrun_mock.api.chat_completion import SUCCESSFUL, is_completion, recorded_usage, split_content
from vlmrun_mock.api.errors import InvalidRequest, Problem, RateLimitExceeded, ScriptedError, UnknownDomain
from vlmrun_mock.api.prediction import usage
from vlmrun_mock.api.request import ExtractionRequest
from vlmrun_mock.lazy import lazy
from vlmrun_mock.mock.faults import Fault, RouteFamily
from vlmrun_mock.mock.journal import EnvelopeKind
from vlmrun_mock.mock.mock import Mock
from vlmrun_mock.mock.request_summary import summarise
from vlmrun_mock.web import faults
from vlmrun_mock.web.keys import key_of, raw_headers
from vlmrun_mock.web.request_log import RequestLog
from vlmrun_mock.web.response import ChatResponse, json_headers, origin

if TYPE_CHECKING:
    from vlmrun_mock.mock import recognition
    from vlmrun_mock.recording import jobs, upstream
    from vlmrun_mock.recording.upstream import UpstreamRequest
else:
    recognition = lazy("vlmrun_mock.mock.recognition")
    jobs = lazy("vlmrun_mock.recording.jobs")
    upstream = lazy("vlmrun_mock.recording.upstream")

VLMRUN = "vlmrun"

LEAST_ERROR, UNREACHABLE = 400, 502


def limit(mock: Mock) -> None:
    """Count a request; raises RateLimitExceeded."""
    seconds = mock.window.admit()
    if seconds:
        raise RateLimitExceeded(str(mock.settings.rate_limit), seconds)


def begin(mock: Mock, log: RequestLog, request: ExtractionRequest, kind: EnvelopeKind) -> ExtractionRequest:
    """Note in the journal what is asked for; return it as the sources are asked."""
    request = mock.with_files(request)
    present = mock.present(request)
    log.entry = msgspec.structs.replace(log.entry, kind=kind, request=summarise(present, request.fingerprint))
    return present


async def recognised(mock: Mock, log: RequestLog, request: ExtractionRequest, raw: bytes) -> ExtractionRequest:
    """Return a request whose re-encoded pictures are those that fixtures name, and say so in journal and log.

    `raw` is its body. One whose documents are known by their bytes is returned at once.
    """
    originals = mock.originals if request.documents else None
    if originals is None or not any(map(originals.may_be, request.documents)):
        return request
    found = await recognition.recognised(mock, originals, request, raw)
    log.note(*found.notes)
    if found.request is not request and log.request is not None:
        log.entry = msgspec.structs.replace(log.entry, request=summarise(found.request, log.request.fingerprint))
    return found.request


async def strike(
    mock: Mock,
    log: RequestLog,
    request: ExtractionRequest,
    receive: Receive,
    route: RouteFamily,
    *,
    batch: bool = False,
) -> Fault | None:
    """Return the fault that strikes a request; raises what ends the request, if the fault ends it."""
    fault = mock.fault(request, route)
    if fault is not None:
        await faults.apply_before(fault, log, receive, batch=batch)
    return fault


def original(mock: Mock, scope: Scope, raw: bytes, sent: ExtractionRequest) -> UpstreamRequest | None:
    """Return a request for a job as the client sent it, for the upstream, if there is one."""
    if not mock.records:
        return None
    key = key_of(raw_headers(scope)).decode("utf-8", "surrogateescape")
    path = scope["path"]
    return upstream.UpstreamRequest(
        raw,
        tuple(scope["headers"]),
        key,
        scope["query_string"],
        path=path,
        polls=jobs.read_at(path),
        uploads=uploads(mock, sent),
    )


def uploads(mock: Mock, sent: ExtractionRequest) -> dict[str, tuple[str, bytes]]:
    """Return the names and bytes of the files that a request names by their ids and URLs here."""
    files = {each.identity.removeprefix("file:"): mock.file_named(each.identity) for each in sent.documents}
    return {name: (file.filename, file.content.read()) for name, file in files.items() if file and file.content}


async def answer(mock: Mock, request: ExtractionRequest, original: UpstreamRequest | None = None) -> Answer:
    """Return the answer to a request; raises ApiError, whose places are those of a native body.

    What the upstream says is an answer like any other, with its usage in the completion.
    """
    try:
        found = await mock.answer(request, original)
        return _taken(found, found.upstream) if found.upstream else found
    except UnknownDomain as error:
        raise UnknownDomain(_places(error)) from None
    except InvalidRequest as error:
        raise InvalidRequest(_places(error)) from None


def _taken(answer: Answer, response: UpstreamResponse) -> Answer:
    """Return what the upstream says of a job as an answer that the mock could have made; raises what it refuses."""
    try:
        told = json.loads(response.body)
    except (ValueError, RecursionError):
        told = None
    if response.status in SUCCESSFUL and is_completion(told):
        rest, text = split_content(told)
        return msgspec.structs.replace(answer, text=text or "", completion=rest, upstream=None)
    detail = told.get("detail") if isinstance(told, dict) else None
    message = detail if isinstance(detail, str) else f"The upstream answers {response.status}"
    body = response.body.decode("utf-8", "replace")
    if isinstance(told, dict) and told.get("object") == jobs.ENVELOPE:
        return msgspec.structs.replace(answer, error=ErrorAnswer(response.status, message, body=body), upstream=None)
    status = response.status if response.status >= LEAST_ERROR else UNREACHABLE
    raise ScriptedError(status, message, origin(answer.source, answer.fixture), body)


def recorded_usage_of(answer: Answer) -> dict[str, Any]:
    """Return the usage that was recorded with an answer, if it is that of a prediction or an execution."""
    told = recorded_usage(answer.completion or {})
    return {name: value for name, value in told.items() if name in usage()}


def _places(error: InvalidRequest) -> list[Problem]:
    """Return what is wrong, by the places of a native body, which has no `vlmrun` around what is asked."""
    return [replace(each, loc=tuple(step for step in each.loc if step != VLMRUN)) for each in error.problems]


def scripted(answer: Answer) -> ScriptedError:
    """Return the error that a fixture answers."""
    error = answer.error
    if error is None:
        raise ValueError("the answer is no error")
    headers = {**error.headers, **origin(answer.source, answer.fixture, re_encoded=answer.re_encoded)}
    return ScriptedError(error.status, error.message, headers, error.body)


def response(answer: Answer, body: bytes, status: int, fault: Fault | None, log: RequestLog) -> ChatResponse:
    """Return a body as a response, as a fault leaves it."""
    log.entry = msgspec.structs.replace(
        log.entry, source=answer.source, fixture=answer.fixture, notes=(*log.entry.notes, *answer.notes)
    )
    headers = json_headers(answer.source, answer.fixture, len(body), (), answer.guesses, re_encoded=answer.re_encoded)
    whole = ChatResponse(status=status, headers=headers, pieces=(body,), entry=log.entry)
    handler = faults.handler(fault)
    return handler.wire(whole) if handler.wire else whole


def spoilt(text: str, mock: Mock, request: ExtractionRequest, fault: Fault | None) -> str:
    """Return an answer's text as a fault leaves it."""
    handler = faults.handler(fault)
    return handler.content(text, mock.schema(request)) if handler.content else text


def without(body: dict[str, Any], fault: Fault | None) -> dict[str, Any]:
    """Return a prediction or an execution as a fault leaves it that takes something away."""
    if fault is not None and fault.kind == "empty-choices":
        return {**body, "response": None}
    return {key: value for key, value in body.items() if key != "usage"} if fault and fault.kind == "no-usage" else body
