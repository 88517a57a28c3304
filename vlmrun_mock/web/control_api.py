"""`/_mock/`: what a test does with the mock, for browser tests and for clients in other languages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from vlmrun_mock.fixtures.fixture import Fixture
from vlmrun_mock.lazy import lazy
from vlmrun_mock.mock.faults import Armed, Fault
from vlmrun_mock.mock.journal import Query
from vlmrun_mock.mock.mock import Mock
from vlmrun_mock.mock.scopes import Scopes
from vlmrun_mock.mock.verdict import together, verdict
from vlmrun_mock.web import body
from vlmrun_mock.web.keys import authenticate, key_of, raw_headers

if TYPE_CHECKING:
    from vlmrun_mock.fixtures import format as fixture_format
    from vlmrun_mock.mock import fault_format
    from vlmrun_mock.web import control_parser
    from vlmrun_mock.web.control_parser import QueryBody
else:
    fixture_format = lazy("vlmrun_mock.fixtures.format")
    fault_format = lazy("vlmrun_mock.mock.fault_format")
    control_parser = lazy("vlmrun_mock.web.control_parser")

READING = ("GET", "HEAD")


class ControlApi:
    """The endpoints.

    A request with a key acts on that key's scope. One without acts on what applies to all keys: it registers for
    everyone, reads the journals of all, and resets all. So no key is needed here, also where `--api-key` is given.
    """

    def __init__(self, scopes: Scopes) -> None:
        self._scopes = scopes

    def routes(self) -> list[Route]:
        """Return the routes, in plain sight."""
        return [
            Route("/_mock/requests", self.requests, methods=["GET", "DELETE"]),
            Route("/_mock/fixtures", self.fixtures, methods=["GET", "POST", "DELETE"]),
            Route("/_mock/faults", self.faults, methods=["GET", "POST", "DELETE"]),
            Route("/_mock/reset", self.reset, methods=["POST"]),
            Route("/_mock/verdict", self.verdict),
        ]

    async def requests(self, request: Request) -> Response:
        """List a page of the journal, the first answered first, or forget entries of it."""
        mocks = self._mocks(request)
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
        mock = self._mock(request)
        if request.method in READING:
            return JSONResponse({"fixtures": list(_listed(mock))})
        if request.method == "DELETE":
            deleted = len(mock.registered)
            mock.unregister()
            return JSONResponse({"deleted": deleted})
        raw = await body.read(raw_headers(request.scope), request.receive, mock.settings.max_body)
        built = control_parser.several(raw, "fixture", lambda data: mock.built(fixture_format.checked(data, "fixture")))
        mock.register(*built)
        return JSONResponse({"fixtures": [fixture.name for fixture in built]}, status_code=201)

    async def faults(self, request: Request) -> Response:
        """List the armed faults, arm one or several, or disarm all."""
        mock = self._mock(request)
        if request.method in READING:
            return JSONResponse({"faults": [_armed(each) for each in mock.faults.armed]})
        if request.method == "DELETE":
            deleted = len(mock.faults)
            mock.faults.clear()
            return JSONResponse({"deleted": deleted})
        raw = await body.read(raw_headers(request.scope), request.receive, mock.settings.max_body)
        faults = control_parser.several(raw, "fault", lambda data: fault_format.parse(data, "fault"))
        mock.arm(*faults)
        return JSONResponse({"faults": [_fault(fault) for fault in faults]}, status_code=201)

    async def reset(self, request: Request) -> Response:
        """Return to how the server was started."""
        for mock in self._mocks(request):
            mock.reset()
        return JSONResponse({"status": "ok"})

    async def verdict(self, request: Request) -> Response:
        """Say what the client did; without a key, what that of each key did."""
        return JSONResponse(together(verdict(mock.journal) for mock in self._mocks(request)).as_json())

    def _query(self, given: QueryBody) -> Query:
        """Return a query, with its domain in the present spelling, as the journal has it."""
        query = given.query()
        return replace(query, domain=self._scopes.library.domains.canonical(query.domain))

    def _key(self, request: Request) -> str:
        headers = raw_headers(request.scope)
        key = key_of(headers)
        if key:
            authenticate(headers, self._scopes.api_keys)
        return key.decode("utf-8", "surrogateescape")

    def _mock(self, request: Request) -> Mock:
        """Return the mock that a request acts on."""
        return self._scopes.of(self._key(request))

    def _mocks(self, request: Request) -> list[Mock]:
        """Return the mocks that a request is about: that of its key, or all."""
        key = self._key(request)
        return [self._scopes.of(key)] if key else self._scopes.all()


def _listed(mock: Mock) -> Iterator[dict[str, Any]]:
    """Yield a scope's fixtures, those first that are asked first."""
    if mock.everyone:
        yield from (_fixture(fixture, "key") for fixture in mock.registered)
    yield from (_fixture(fixture, "everyone") for fixture in (mock.everyone or mock).registered)
    yield from (_fixture(fixture, "folder") for fixture in mock.fixtures)


def _fixture(fixture: Fixture, of: str) -> dict[str, Any]:
    match = asdict(fixture.match)
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
    data = asdict(fault)
    shortest, longest = (1000 * seconds for seconds in data.pop("latency"))
    if fault.kind != "error":
        del data["status"], data["message"], data["headers"]
    return {**data, "latency_ms": [shortest, longest]}


def _armed(armed: Armed) -> dict[str, Any]:
    return {**_fault(armed.fault), "seen": armed.seen, "struck": armed.struck}
