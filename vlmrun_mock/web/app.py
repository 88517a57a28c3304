"""The application: the list of routes, inside the edge."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route, Router
from starlette.types import ASGIApp

from vlmrun_mock.mock import Mock
from vlmrun_mock.web.catalog import Catalog
from vlmrun_mock.web.chat import ChatEndpoint
from vlmrun_mock.web.edge import Edge, Log


def routes(mock: Mock) -> list[BaseRoute]:
    """Return all routes."""
    return [
        Route("/v1/openai/chat/completions", ChatEndpoint(mock), methods=["POST"]),
        *Catalog(mock).routes(),
    ]


def application(mock: Mock, log: Log | None = None) -> ASGIApp:
    """Return the ASGI application of a mock; `log` gets one line a request."""
    known = routes(mock)
    return Edge(Router(known, redirect_slashes=False), known, log)
