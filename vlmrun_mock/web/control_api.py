"""`/_mock/`: what a test does with the mock, for browser tests and for clients in other languages."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from vlmrun_mock.aside import aside
from vlmrun_mock.fixtures.fixture import Fixture
from vlmrun_mock.lazy import lazy
from vlmrun_mock.mock import verdict
from vlmrun_mock.mock.faults import ArmedFault, Fault
from vlmrun_mock.mock.files import StoredFile
from vlmrun_mock.mock.jobs import Job
from vlmrun_mock.mock.journal import JournalQuery
from vlmrun_mock.mock.mock import Mock
from vlmrun_mock.mock.scopes import Scopes
from vlmrun_mock.mock.verdict import together
from vlmrun_mock.web import body
from vlmrun_mock.web.asked_scopes import AskedScopes
from vlmrun_mock.web.keys import raw_headers

if TYPE_CHECKING:
    from vlmrun_mock.fixtures import format as fixture_format
    from vlmrun_mock.mock import fault_format
    from vlmrun_mock.web import control_parser, openapi
    from vlmrun_mock.web.control_parser import QueryBody
else:
    fixture_format = lazy("vlmrun_mock.fixtures.format")
    fault_format = lazy("vlmrun_mock.mock.fault_format")
    control_parser = lazy("vlmrun_mock.web.control_parser")
    openapi = lazy("vlmrun_mock.web.openapi")

READING = ("GET", "HEAD")


class ControlApi:
    """The endpoints.

    A request with a key acts on that key's scope. One without acts on what applies to all keys: it registers for
    everyone, reads the journals of all, and resets all; where `--api-key` is given, there has to be one of those.
    """

    def __init__(self, scopes: Scopes) -> None:
        self._scopes = scopes
        self._asked = AskedScopes(scopes)

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/_mock/requests", self.requests, methods=["GET", "DELETE"]),
            Route("/_mock/fixtures", self.fixtures, methods=["GET", "POST", "DELETE"]),
            Route("/_mock/faults", self.faults, methods=["GET", "POST", "DELETE"]),
            Route("/_mock/reset", self.reset, methods=["POST"]),
            Route("/_mock/verdict", self.verdict),
            Route("/_mock/webhooks", self.webhooks),
            Route("/_mock/files", self.files, methods=["GET", "POST"]),
            Route("/_mock/predictions", self.predictions, methods=["GET", "POST"]),
            Route("/_mock/openapi.json", self.openapi),
        ]

    async def requests(self, request: Request) -> Response:
        """List a page of the journal, the first answered first, or forget entries of it."""
        mocks = self._asked.mocks(request)
        given = request.query_params.multi_items()
        if request.method == "DELETE":
            query = self._query(control_parser.parameters(control_parser.QueryBody, given))
            return JSONResponse({"deleted": sum(mock.journal.remove(query) for mock in mocks)})
        page = control_parser.parameters(control_parser.PageBody, given)
        query = self._query(page)
        wanted = [entry for mock in mocks for entry in mock.journal if query.wants(entry)]
        wanted.sort(key=lambda entry: entry.end)
        listed = wanted[page.offset : page.offset + page.limit]
        return JSONResponse(
            {
                "requests": [entry.as_json() for entry in listed],
                "total": len(wanted),
                "dropped": sum(mock.journal.dropped for mock in mocks),
            }
        )

    async def fixtures(self, request: Request) -> Response:
        """List what answers before the packaged fixtures, register one or several, or drop the registered."""
        mock = self._asked.mock(request)
        if request.method in READING:
            return JSONResponse({"fixtures": list(listed(mock))})
        if request.method == "DELETE":
            deleted = len(mock.registered)
            mock.unregister()
            return JSONResponse({"deleted": deleted})
        raw = await body.read(raw_headers(request.scope), request.receive, mock.settings.max_body)
        built = control_parser.several(raw, lambda data: mock.built(fixture_format.checked(data, "fixture")))
        mock.register(*built)
        return JSONResponse({"fixtures": [fixture.name for fixture in built]}, status_code=201)

    async def faults(self, request: Request) -> Response:
        """List the armed faults, arm one or several, or disarm all."""
        mock = self._asked.mock(request)
        if request.method in READING:
            return JSONResponse({"faults": [as_armed(each) for each in mock.faults.armed]})
        if request.method == "DELETE":
            deleted = len(mock.faults)
            mock.faults.clear()
            return JSONResponse({"deleted": deleted})
        raw = await body.read(raw_headers(request.scope), request.receive, mock.settings.max_body)
        faults = control_parser.several(raw, lambda data: fault_format.parse(data, "fault"))
        mock.arm(*faults)
        return JSONResponse({"faults": [_fault(fault) for fault in faults]}, status_code=201)

    async def reset(self, request: Request) -> Response:
        """Return to how the server was started."""
        for mock in self._asked.mocks(request):
            mock.reset()
        return JSONResponse({"status": "ok"})

    async def webhooks(self, request: Request) -> Response:
        """List the webhooks that were due, with their attempts."""
        return JSONResponse(
            {"webhooks": [each.as_json() for mock in self._asked.mocks(request) for each in mock.webhooks]}
        )

    async def files(self, request: Request) -> Response:
        """List the uploaded files, or keep one under an id that is given."""
        mock = self._asked.mock(request)
        if request.method in READING:
            return JSONResponse({"files": [_file(each) for each in mock.files.all() if each.content]})
        raw = await body.read(raw_headers(request.scope), request.receive, mock.settings.max_body)
        seeds = control_parser.several(raw, control_parser.file)
        kept = [mock.add_file(each.data, each.filename, each.purpose, each.id) for each in seeds]
        return JSONResponse({"files": [_file(each) for each in kept]}, status_code=201)

    async def predictions(self, request: Request) -> Response:
        """List the predictions, or keep one under an id that is given."""
        mock = self._asked.mock(request)
        if request.method in READING:
            return JSONResponse({"predictions": [_prediction(job) for job in mock.jobs.of("prediction")]})
        raw = await body.read(raw_headers(request.scope), request.receive, mock.settings.max_body)
        seeds = control_parser.several(raw, control_parser.prediction)
        kept = [mock.add_prediction(each.response, each.domain, each.status, each.id) for each in seeds]
        return JSONResponse({"predictions": [_prediction(job) for job in kept]}, status_code=201)

    async def verdict(self, request: Request) -> Response:
        """Return the verdict on the client; without a key, one on the clients of all keys."""
        return JSONResponse(together(map(verdict.of, self._asked.mocks(request))).as_json())

    async def openapi(self, request: Request) -> Response:
        """Describe these routes, and those that take a body, as OpenAPI 3.1."""
        self._asked.key(request)
        return Response(await aside(openapi.document, None), media_type="application/json")

    def _query(self, given: QueryBody) -> JournalQuery:
        """Return a query, with its domain in the present spelling, as the journal has it."""
        query = given.query()
        return dataclasses.replace(query, domain=self._scopes.store.domains.canonical(query.domain))


def _file(file: StoredFile) -> dict[str, Any]:
    """Return what a file is; never its bytes."""
    document = file.content.document if file.content else None
    return {
        "id": file.id,
        "filename": file.filename,
        "purpose": file.purpose,
        "identity": document.identity if document else None,
        "bytes": document.size if document else 0,
    }


def _prediction(job: Job) -> dict[str, Any]:
    return {
        "id": job.id,
        "domain": job.name or None,
        "status": job.status,
        "reads": [msgspec.structs.asdict(each) for each in job.reads],
    }


def listed(mock: Mock) -> Iterator[dict[str, Any]]:
    """Yield a scope's fixtures, those first that are asked first."""
    if mock.everyone:
        yield from (_fixture(fixture, "key") for fixture in mock.registered)
    yield from (_fixture(fixture, "everyone") for fixture in (mock.everyone or mock).registered)
    yield from (_fixture(fixture, "folder") for fixture in mock.fixtures)


def _fixture(fixture: Fixture, of: str) -> dict[str, Any]:
    match = dataclasses.asdict(fixture.match)
    del match["parts"]
    match = {
        name: value for name, value in match.items() if value is not None and value != {}
    } | fixture.match.parts.given()
    return {
        "name": fixture.name,
        "of": of,
        "description": fixture.description,
        "match": match,
        "answers": len(fixture.answers),
    }


def _fault(fault: Fault) -> dict[str, Any]:
    """Return a fault as it is written down, where only what belongs to an error is left out of the others."""
    data = msgspec.structs.asdict(fault)
    shortest, longest = (1000 * seconds for seconds in data.pop("latency"))
    if fault.kind != "error":
        del data["status"], data["message"], data["headers"]
    return {**data, "latency_ms": [shortest, longest]}


def as_armed(armed: ArmedFault) -> dict[str, Any]:
    """Return an armed fault as data."""
    return {**_fault(armed.fault), "seen": armed.seen, "struck": armed.struck}
