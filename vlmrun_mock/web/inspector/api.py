"""`/_mock/` in a browser: the page, and the data that it shows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from functools import cached_property

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from vlmrun_mock.api.errors import Conflict, InvalidRequest, NoSuchResource, Problem
from vlmrun_mock.api.request import ExtractionRequest
from vlmrun_mock.aside import aside
from vlmrun_mock.documents import identity
from vlmrun_mock.documents.identity import Document
from vlmrun_mock.documents.rendering import PDF
from vlmrun_mock.fixtures.domains import Domain
from vlmrun_mock.mock.journal import Entry, JournalItem
from vlmrun_mock.mock.scopes import Scopes
from vlmrun_mock.web import body, control_parser
from vlmrun_mock.web.asked_scopes import AskedScopes
from vlmrun_mock.web.inspector import draft, page, pictures, wire
from vlmrun_mock.web.inspector.authoring import Authoring, Draft, Picture
from vlmrun_mock.web.inspector.bodies import DraftBody, SavedBody
from vlmrun_mock.web.inspector.detail import NOT_INSPECTED, FoundRequest, detail, find
from vlmrun_mock.web.inspector.feed import OpenPage
from vlmrun_mock.web.inspector.inspection import Inspection
from vlmrun_mock.web.inspector.rows import document, row
from vlmrun_mock.web.inspector.state import state
from vlmrun_mock.web.keys import raw_headers
from vlmrun_mock.web.native import base_url, query
from vlmrun_mock.web.request_log import RequestLog

LARGEST_DROPPED = 64 * 1024 * 1024
MOST_ROWS = 1_000
"""How many requests the list shows: the latest ones."""


class InspectorApi:
    """The endpoints. The page and its files need no key, as nothing is in them; data needs one where keys are set.

    Without an inspection the journal is shown, but no bytes, and nothing is written.
    """

    def __init__(self, scopes: Scopes, inspection: Inspection | None) -> None:
        self._scopes = scopes
        self._inspection = inspection
        self._asked = AskedScopes(scopes)

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/_mock", page.page),
            Route("/_mock/inspector/files/{name}", page.file),
            Route("/_mock/inspector/requests", self.requests),
            Route("/_mock/inspector/requests/{id}", self.request),
            Route("/_mock/inspector/requests/{id}/documents/{number}", self.document),
            Route("/_mock/inspector/events", self.events),
            Route("/_mock/inspector/state", self.state),
            Route("/_mock/inspector/domains/{name}", self.domain),
            Route("/_mock/inspector/domains/{name}/printed", self.printed),
            Route("/_mock/inspector/check", self.check, methods=["POST"]),
            Route("/_mock/inspector/skeleton", self.skeleton, methods=["POST"]),
            Route("/_mock/inspector/fixtures", self.save, methods=["POST"]),
        ]

    @cached_property
    def _authoring(self) -> Authoring:
        return Authoring(self._scopes.everyone)

    async def requests(self, request: Request) -> Response:
        """List the latest requests, the newest first."""
        items = (item for mock in self._asked.mocks(request) for item in mock.journal.items()[-MOST_ROWS:])
        found = [_found_in(item) for item in items]
        found.sort(key=lambda pair: pair[0].end, reverse=True)
        rows = [row(entry, log.key if log else "", kept=_is_kept(log)) for entry, log in found[:MOST_ROWS]]
        return JSONResponse({"requests": rows, "total": len(found)})

    async def request(self, request: Request) -> Response:
        """Return all that is known of one request."""
        found = self._found(request, request.path_params["id"])
        told = await aside(detail, None, found, base_url(request), inspected=self._inspection is not None)
        return JSONResponse(told)

    async def document(self, request: Request) -> Response:
        """Return a document of a request as a picture, of a PDF the page that the query asks for."""
        found = self._found(request, request.path_params["id"])
        name = request.path_params["number"]
        place = int(name) if name.isdecimal() and len(name) < len("1000") else len(found.entry.documents)
        if place >= len(found.entry.documents):
            raise NoSuchResource("The request has no such document")
        with query(request) as given:
            wanted = given.number("page", 0, 0, pictures.MOST_PAGES)
        known = found.entry.documents[place]
        data = await aside(_bytes, None, found, place)
        if data is None:
            raise NoSuchResource("The bytes of this document are not kept")
        if known.media_type == PDF and pictures.has_pdf_reader():
            data, media_type = await aside(pictures.page_of, None, data, wanted), "image/png"
        else:
            media_type = known.media_type or ""
        if data is None or media_type not in pictures.SAFE:
            raise NoSuchResource("This document cannot be shown as a picture")
        headers = {"content-security-policy": page.BYTES_POLICY, "cache-control": "private, max-age=600"}
        return Response(data, media_type=media_type, headers={**page.HEADERS, **headers})

    async def events(self, request: Request) -> Response:
        """Tell what happens from now on, as server-sent events."""
        key = self._asked.key(request)
        if self._inspection is None:
            raise Conflict(NOT_INSPECTED)
        opened = self._inspection.feed.open(key)
        return StreamingResponse(
            self._told(opened), media_type="text/event-stream", headers={"cache-control": "no-store"}
        )

    async def _told(self, opened: OpenPage) -> AsyncIterator[bytes]:
        try:
            async for message in opened.messages():
                yield message
        finally:
            if self._inspection is not None:
                self._inspection.feed.leave(opened)

    async def state(self, request: Request) -> Response:
        """Return the state at a glance."""
        mock, mocks = self._asked.mock(request), self._asked.mocks(request)
        return JSONResponse(await aside(state, None, self._scopes, mock, mocks, self._inspection, self._authoring))

    async def domain(self, request: Request) -> Response:
        """Return a domain's description, packaged answer and schema."""
        domain = self._domain(request)
        told = {"name": request.path_params["name"], "description": domain.description}
        printable = pictures.has_printer()
        return JSONResponse({**told, "answer": domain.content, "schema": domain.schema, "printable": printable})

    async def printed(self, request: Request) -> Response:
        """Return the first page of a document of a domain, printed for this."""
        data = await aside(pictures.printed_page, None, self._domain(request))
        if data is None:
            raise NoSuchResource("Nothing can be printed: pip install 'vlmrun-mock[documents]' installs what prints")
        headers = {"content-security-policy": page.BYTES_POLICY, "cache-control": "private, max-age=600"}
        return Response(data, media_type="image/png", headers={**page.HEADERS, **headers})

    def _domain(self, request: Request) -> Domain:
        """Return the domain in the path; raises NoSuchResource."""
        self._asked.key(request)
        domain = self._scopes.store.domains.get(request.path_params["name"])
        if domain is None:
            raise NoSuchResource("There is no such domain")
        return domain

    async def check(self, request: Request) -> Response:
        """Say what is wrong with a fixture as it is typed."""
        self._asked.key(request)
        given = await self._read(DraftBody, request)
        asked: ExtractionRequest | None = None
        if given.request is not None:
            found = find(self._asked.mocks(request), given.request)
            asked = found.entry.request.kept if found and found.entry.request else None
        picture = self._picture(request, given)
        return JSONResponse(await aside(self._authoring.check, None, Draft(given.name, given.text), asked, picture))

    async def skeleton(self, request: Request) -> Response:
        """Return a fixture to begin with for a document, which is the body."""
        mock = self._asked.mock(request)
        raw = await body.read(raw_headers(request.scope), request.receive, LARGEST_DROPPED)
        if not raw:
            raise InvalidRequest([Problem(("body",), "The document has no data: it is 0 bytes long")])
        name = identity.file_name(request.query_params.get("filename", "")[:1_000])
        known = await aside(_document, None, raw, name)
        domain = request.query_params.get("domain", "document.invoice")[:200]
        return JSONResponse({"document": document(known), **draft.of_document(known, domain, mock.domains)})

    async def save(self, request: Request) -> Response:
        """Write a fixture into the first folder, and load it."""
        self._asked.key(request)
        if self._inspection is None:
            raise Conflict("The server runs without --inspect, so nothing is written.")
        given = await self._read(SavedBody, request)
        picture = self._picture(request, given)
        saved = await aside(self._authoring.save, None, Draft(given.name, given.text), given.replaces, picture)
        return JSONResponse(saved, status_code=201)

    def _picture(self, request: Request, given: DraftBody) -> Picture | None:
        """Return the picture that goes beside a fixture, if one is to."""
        if given.picture is None:
            return None
        data = _bytes(self._found(request, given.picture.request), given.picture.document)
        if data is None:
            raise Conflict("The bytes of this document are not kept, so it cannot be saved.")
        return Picture(given.picture.name, data)

    def _found(self, request: Request, request_id: str) -> FoundRequest:
        found = find(self._asked.mocks(request), request_id)
        if found is None:
            raise NoSuchResource("There is no such request in the journal, or no more")
        return found

    async def _read(self, model: type[control_parser.BodyT], request: Request) -> control_parser.BodyT:
        raw = await body.read(raw_headers(request.scope), request.receive, self._scopes.settings.max_body)
        return control_parser.single(raw, model)


def _document(raw: bytes, filename: str | None) -> Document:
    return replace(identity.from_bytes(raw, "file"), filename=filename)


def _bytes(found: FoundRequest, place: int) -> bytes | None:
    """Return the bytes of a document of a request."""
    if place >= len(found.entry.documents):
        return None
    sent = wire.request_of(found.exchange) if found.exchange else None
    return pictures.bytes_of(found.entry.documents[place], sent, found.mock)


def _found_in(item: JournalItem) -> tuple[Entry, RequestLog | None]:
    return item.complete_entry(), item if isinstance(item, RequestLog) else None


def _is_kept(log: RequestLog | None) -> bool:
    return log is not None and log.exchange is not None and log.exchange.is_kept
