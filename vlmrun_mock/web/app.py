"""The application: the list of routes, inside the middleware."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route, Router
from starlette.types import ASGIApp

from vlmrun_mock.mock.scopes import Scopes
from vlmrun_mock.web.catalog import Catalog
from vlmrun_mock.web.chat import ChatEndpoint
from vlmrun_mock.web.control_api import ControlApi
from vlmrun_mock.web.middleware import Log, Middleware


def routes(scopes: Scopes) -> list[BaseRoute]:
    """Return all routes."""
    return [
        Route("/v1/openai/chat/completions", ChatEndpoint(scopes), methods=["POST"]),
        *Catalog(scopes).routes(),
        *ControlApi(scopes).routes(),
    ]


def application(scopes: Scopes, log: Log | None = None) -> ASGIApp:
    """Return the ASGI application of a server's mocks; `log` gets one line a request."""
    known = routes(scopes)
    return Middleware(Router(known, redirect_slashes=False), known, log)
