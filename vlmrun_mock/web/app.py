"""The application: chat completions and the other routes, inside the middleware."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.types import ASGIApp

from vlmrun_mock.lazy import lazy
from vlmrun_mock.mock.scopes import Scopes
from vlmrun_mock.web.chat import ChatEndpoint
from vlmrun_mock.web.middleware import Log, Middleware
from vlmrun_mock.web.origins import Origins

if TYPE_CHECKING:
    from vlmrun_mock.web import routes
    from vlmrun_mock.web.inspector.inspection import Inspection
else:
    routes = lazy("vlmrun_mock.web.routes")


def application(scopes: Scopes, log: Log | None = None, inspection: Inspection | None = None) -> ASGIApp:
    """Return the ASGI application of a server's mocks; `log` gets one line a request.

    The routes are made when the first request comes that is for another one than chat completions. With an
    `inspection` the page at `/_mock/` shows what was sent and answered, follows it live, and saves fixtures.
    """
    origins = Origins(scopes.settings.allow_hosts, scopes.settings.allow_origins)
    return Middleware(ChatEndpoint(scopes), lambda: routes.routes(scopes, inspection), origins, log, inspection)
