"""One request as the page shows it: what was sent and answered, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vlmrun_mock.api.errors import InvalidRequest
from vlmrun_mock.documents.identity import Document
from vlmrun_mock.documents.rendering import PDF
from vlmrun_mock.fixtures import index
from vlmrun_mock.lazy import lazy
from vlmrun_mock.mock import sources, verdict
from vlmrun_mock.mock.journal import Entry
from vlmrun_mock.mock.mock import Mock
from vlmrun_mock.redaction import Redaction
from vlmrun_mock.web.exchange import Exchange
from vlmrun_mock.web.inspector import draft, pictures, wire
from vlmrun_mock.web.inspector.boxes import boxes, known
from vlmrun_mock.web.inspector.calls import calls
from vlmrun_mock.web.inspector.rows import document, row
from vlmrun_mock.web.request_log import RequestLog

if TYPE_CHECKING:
    from vlmrun_mock.mock import content as mock_content
else:
    mock_content = lazy("vlmrun_mock.mock.content")

NOT_INSPECTED = "The server runs without --inspect, so bodies are not kept."
MADE_ROOM = "The bodies of this request made room for later ones; --inspect-memory sets the bound."
LONGEST_WEBHOOK = 200_000


@dataclass(frozen=True, slots=True)
class FoundRequest:
    """A request in a journal: whose it is, and what is known of it."""

    mock: Mock
    entry: Entry
    log: RequestLog | None

    @property
    def exchange(self) -> Exchange | None:
        """Return the bytes of both sides, if they are kept."""
        exchange = self.log.exchange if self.log else None
        return exchange if exchange is not None and exchange.is_kept else None

    @property
    def key(self) -> str:
        """Return the client's key."""
        return self.log.key if self.log else ""


def find(mocks: Sequence[Mock], request_id: str) -> FoundRequest | None:
    """Return a request by its id."""
    for mock in mocks:
        for item in mock.journal.items():
            log = item if isinstance(item, RequestLog) else None
            if log is not None and log.request_id != request_id:
                continue
            entry = item.complete_entry()
            if entry.id == request_id:
                return FoundRequest(mock, entry, log)
    return None


def detail(found: FoundRequest, base: str, *, inspected: bool) -> dict[str, Any]:
    """Return all that is shown of a request; `base` is the server's address.

    What the bytes of both sides tell is empty where they are not kept; `inspected` says whether they ever are.
    """
    entry, exchange = found.entry, found.exchange
    sent = wire.request_of(exchange) if exchange else None
    answered = wire.answer_of(exchange, entry.time) if exchange else None
    redaction = wire.redaction_of(exchange, found.key)
    content = answered.content if answered and answered.is_content and not isinstance(answered.content, str) else None
    data: dict[str, Any] = {
        "row": row(entry, found.key, kept=exchange is not None),
        "entry": _entry(entry, redaction),
        "kept": exchange is not None,
        "why": None if exchange else MADE_ROOM if inspected else NOT_INSPECTED,
        "documents": [_picture(found, each, sent) for each in entry.documents],
        "nearest": redaction.value(_nearest(found)),
        "findings": _findings(found, []),
        "schema": _schema(found),
        "request": None,
        "answer": None,
        "calls": None,
        "boxes": [],
        "webhooks": [],
        "reads": [],
    }
    if exchange and sent and answered:
        data["request"] = _request(sent, exchange, redaction)
        data["answer"] = _answer(answered, exchange, redaction)
        data["boxes"] = boxes(content) or _known_boxes(found)
        if sent.json is not None:
            data["calls"] = calls(exchange.method, data["request"]["path"], data["request"]["body"], base)
        data.update(_about_job(found, answered.json))
    data["draft"] = redaction.value(draft.of_entry(entry, _for_draft(found, content), found.mock.domains))
    return data


def _entry(entry: Entry, redaction: Redaction) -> dict[str, Any]:
    told = entry.as_json()
    for name in ("text", "config", "metadata", "schema", "message", "notes", "miss"):
        told[name] = redaction.value(told[name])
    return told


def _request(sent: wire.SentBody, exchange: Exchange, redaction: Redaction) -> dict[str, Any]:
    return {
        "method": exchange.method,
        "path": redaction.line(exchange.path),
        "headers": wire.headers_of(exchange.headers, redaction),
        "body": redaction.value(sent.json),
        "text": sent.text and redaction.text(sent.text),
    }


def _known_boxes(found: FoundRequest) -> list[dict[str, Any]]:
    """Return the boxes of the fixture that answered, if it is still there."""
    fixtures = (fixture for each in found.mock.fixture_sets() for fixture in each)
    return next((known(fixture) for fixture in fixtures if fixture.name == found.entry.fixture), [])


def _answer(answered: wire.SentAnswer, exchange: Exchange, redaction: Redaction) -> dict[str, Any]:
    return {
        "headers": wire.headers_of(exchange.answer_headers, redaction),
        "body": redaction.value(answered.json),
        "text": answered.text and redaction.text(answered.text),
        "content": redaction.value(answered.content) if answered.is_content else None,
        "has_content": answered.is_content,
        "chunks": [{**each, "text": redaction.text(each["text"])} for each in answered.chunks],
    }


def _for_draft(found: FoundRequest, content: Any) -> Any:
    """Return what a fixture for a request begins with: what it was answered, or what meets its own schema."""
    request = found.entry.request.kept if found.entry.request else None
    if content is not None or request is None or request.schema is None:
        return content
    try:
        return mock_content.filled(request.schema, request, found.mock.seed, None).value
    except InvalidRequest:
        return None


def _picture(found: FoundRequest, known: Document, sent: wire.SentBody | None) -> dict[str, Any]:
    data = pictures.bytes_of(known, sent, found.mock)
    shown = pictures.pages(data, known.media_type) if data is not None else 0
    return {**document(known), "pages": shown, "why": _why_hidden(known.identity, known.media_type, data, shown)}


def _why_hidden(identity: str, media_type: str | None, data: bytes | None, pages: int) -> str | None:
    """Return why a document is not shown."""
    if pages:
        return None
    if identity[:4].lower() == "http":
        return "It was sent by URL, and nothing is fetched."
    if data is None:
        return "Its bytes are not kept."
    if media_type == PDF:
        return "Pages of a PDF are shown where pypdfium2 and Pillow are installed."
    return f"{media_type or 'Its type'} is not shown in the page."


def _nearest(found: FoundRequest) -> dict[str, Any] | None:
    """Return which fixture would answer the request now, or which is the nearest and how it differs."""
    if found.entry.request is None:
        return None
    request = found.entry.request.kept
    sets = found.mock.fixture_sets()
    first = sources.first(sets, request)
    if first is not None:
        return {"answers_now": first.name, "fixtures": sum(map(len, sets)), "nearest": first.name, "differences": []}
    return {"answers_now": None, **index.miss(sets, request).as_json()}


def _findings(found: FoundRequest, subjects: Sequence[str]) -> list[dict[str, Any]]:
    """Return what the verdict finds about a request, or about what it made."""
    ids = {found.entry.id, *subjects}
    return [
        {"code": each.code, "message": each.message, "requests": list(each.requests)}
        for each in verdict.of(found.mock).findings
        if ids.intersection(each.requests)
    ]


def _schema(found: FoundRequest) -> dict[str, Any] | None:
    """Return the schema that the answer follows, and whose it is."""
    request = found.entry.request.kept if found.entry.request else None
    schema = found.mock.schema(request) if request else None
    if request is None or schema is None:
        return None
    return {"of": "the request" if request.schema else f"the domain {request.domain}", "schema": schema}


def _about_job(found: FoundRequest, answer: Any) -> Mapping[str, Any]:
    """Return the readings and the webhooks of a prediction or an execution, and what the verdict finds."""
    kind, name = found.entry.kind, answer.get("id") if isinstance(answer, dict) else None
    if kind == "chat" or not isinstance(name, str):
        return {}
    job = found.mock.jobs.get(kind, name)
    return {
        "reads": [{"time": each.time, "status": each.status} for each in job.reads] if job else [],
        "webhooks": [
            {**each.as_json(), "body": each.body[:LONGEST_WEBHOOK].decode("utf-8", "replace")}
            for each in found.mock.webhooks
            if each.subject == name
        ],
        "findings": _findings(found, [name]),
    }
