"""What the native routes have in common: whose a request is, its parameters, its body, and where the server is."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import msgspec
from starlette.requests import Request
from starlette.routing import Route

from vlmrun_mock.api.errors import InvalidRequest, NoSuchResource, Problem
from vlmrun_mock.lazy import lazy
from vlmrun_mock.mock.faults import RouteFamily
from vlmrun_mock.mock.jobs import Family, Job
from vlmrun_mock.mock.mock import Mock
from vlmrun_mock.mock.scopes import Scopes
from vlmrun_mock.web import body, faults
from vlmrun_mock.web.keys import authenticate, raw_headers

if TYPE_CHECKING:
    from vlmrun_mock.api import bodies
else:
    bodies = lazy("vlmrun_mock.api.bodies")

Endpoint: TypeAlias = Callable[[Request], Awaitable[Any]]

BodyT = TypeVar("BodyT")
ItemT = TypeVar("ItemT")

LONGEST_PAGE = 1_000

TRUE, FALSE = ("true", "1", "yes", "on"), ("false", "0", "no", "off")
"""How a flag in a query is written, in any case: Python's client sends `True`."""


def mock_of(scopes: Scopes, request: Request) -> Mock:
    """Return the mock of a request's key; raises Unauthenticated."""
    key = authenticate(raw_headers(request.scope), scopes.api_keys)
    return scopes.of(key.decode("utf-8", "surrogateescape"))


def with_faults(scopes: Scopes, family: RouteFamily, routes: Sequence[Route]) -> list[Route]:
    """Return routes that can be made to fail, as a family of them."""
    return [
        Route(each.path, _struck(scopes, family, each.endpoint), methods=list(each.methods or ())) for each in routes
    ]


def _struck(scopes: Scopes, family: RouteFamily, endpoint: Endpoint) -> Endpoint:
    async def answer(request: Request) -> Any:
        fault = mock_of(scopes, request).route_fault(family)
        if fault is not None:
            await faults.apply_before(fault, request.scope["state"]["log"], request.receive)
        return await endpoint(request)

    return answer


async def read(body_type: type[BodyT], request: Request, mock: Mock) -> tuple[BodyT, dict[str, Any]]:
    """Return a JSON body, and all that was sent; raises InvalidRequest, BodyTooLarge and ClientGone."""
    raw = await body.read(raw_headers(request.scope), request.receive, mock.settings.max_body)
    return bodies.read(body_type, raw)  # type: ignore[type-var]  # only structs are asked for


def jobs(scopes: Scopes, request: Request, family: Family) -> list[Job]:
    """Return a page of the jobs of a family, the newest first, without counting it as a reading."""
    return page(request).of(mock_of(scopes, request).jobs.of(family))


def job(scopes: Scopes, request: Request, family: Family) -> Job:
    """Return a job by the id in the path, which comes on by being read; raises NoSuchResource."""
    mock = mock_of(scopes, request)
    found = mock.jobs.get(family, request.path_params["id"])
    if found is None:
        raise NoSuchResource(f"{family.capitalize()} not found")
    found.read(mock.stamp.moment())
    return found


def base_url(request: Request) -> str:
    """Return the server's address as its client knows it, such as `http://127.0.0.1:8000`."""
    host = raw_headers(request.scope).get(b"host", b"localhost").decode("latin-1")
    return f"{request.scope.get('scheme', 'http')}://{host}"


class Page(msgspec.Struct, frozen=True):
    """A part of a list."""

    skip: int
    limit: int

    def of(self, items: list[ItemT]) -> list[ItemT]:
        """Return the items on the page."""
        return items[self.skip : self.skip + self.limit]


class Query:
    """The parameters of a request's query; what is wrong with any of them is gathered in `problems`."""

    def __init__(self, request: Request) -> None:
        self._given = request.query_params
        self.problems: list[Problem] = []

    def page(self, limit: int = 10, skipped: str = "skip") -> Page:
        """Return the page that is asked for."""
        return Page(self.number(skipped, 0, 0), self.number("limit", limit, 1, LONGEST_PAGE))

    def number(self, name: str, otherwise: int, least: int, most: int | None = None) -> int:
        """Return a whole number, or `otherwise` for what is none, or out of bounds."""
        text = self._given.get(name) or ""
        if text in ("", "null", "None"):
            return otherwise
        try:
            found = int(text[:20])
        except ValueError:
            message = "Input should be a valid integer, unable to parse string as an integer"
            return self._wrong(name, message, "int_parsing", otherwise)
        if found < least:
            return self._wrong(name, f"Input should be greater than or equal to {least}", "greater_than_equal", least)
        if most is not None and found > most:
            return self._wrong(name, f"Input should be less than or equal to {most}", "less_than_equal", most)
        return found

    def flag(self, name: str, *, otherwise: bool) -> bool:
        """Return a flag, or `otherwise` for what is none."""
        text = self._given.get(name, "").lower()
        if text and text not in (*TRUE, *FALSE):
            message = "Input should be a valid boolean, unable to interpret input"
            return self._wrong(name, message, "bool_parsing", otherwise)
        return text in TRUE if text else otherwise

    def word(self, name: str, words: tuple[str, ...], otherwise: str) -> str:
        """Return a parameter that is one of some words, or `otherwise` for another one."""
        text = self._given.get(name) or otherwise
        return text if text in words else self._wrong(name, f"Input should be {one_of(words)}", "enum", otherwise)

    def _wrong(self, name: str, message: str, kind: str, otherwise: ItemT) -> ItemT:
        self.problems.append(Problem(("query", name), message, kind))
        return otherwise


@contextlib.contextmanager
def query(request: Request) -> Iterator[Query]:
    """Read the query of a request in a `with` block; raises InvalidRequest at its end, with all that is wrong."""
    found = Query(request)
    yield found
    if found.problems:
        raise InvalidRequest(found.problems)


def page(request: Request) -> Page:
    """Return the page that a query asks for; raises InvalidRequest."""
    with query(request) as found:
        return found.page()


def one_of(words: tuple[str, ...]) -> str:
    """Return words as FastAPI lists them."""
    *first, last = map(repr, words)
    return f"{', '.join(first)} or {last}" if first else last
