"""The outermost layer: numbers requests, answers every error in one envelope, and writes one line for each."""

from __future__ import annotations

import asyncio
import itertools
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import replace

from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vlmrun_mock.api.errors import ApiError, InternalError, MethodNotAllowed, NoSuchResource, ServerStopping
from vlmrun_mock.display import printable
from vlmrun_mock.mock.journal import SHOWN
from vlmrun_mock.web import transport
from vlmrun_mock.web.body import ClientGone, Incoming
from vlmrun_mock.web.request_log import RequestLog, seconds_of
from vlmrun_mock.web.transport import ConnectionCut

Log = Callable[[str], None]
OPENAI = "/v1/openai/"

REASON = 400
"""How many characters of an error's message a line shows: what to do stands at its end."""


class Middleware:
    """An ASGI application around the routes."""

    def __init__(self, app: ASGIApp, routes: list[BaseRoute], log: Log | None) -> None:
        self._app = app
        self._paths = [
            f"{method} {route.path.replace(':path', '')}"
            for route in routes
            if isinstance(route, Route)
            for method in sorted((route.methods or set()) - {"HEAD"})
        ]
        self._log = log
        self._numbers = itertools.count(1)
        self._second = 0
        self._shown_time = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request to its end: whatever is raised below becomes an answer."""
        if scope["type"] != "http":
            return
        log = RequestLog(f"req_{next(self._numbers):08d}", scope["method"], scope["path"], time.time())
        # Starlette raises HTTPException for a wrong path or method only inside an application.
        scope["app"] = self
        scope["state"] = {"log": log}
        started = time.perf_counter()
        incoming = Incoming(scope, receive)

        async def send_named(message: Message) -> None:
            if message["type"] == "http.response.start":
                log.status = message["status"]
                log.record(time.time())
                message["headers"].append((b"x-request-id", log.request_id.encode()))
                if not incoming.is_complete and not await incoming.settle():
                    message["headers"].append((b"connection", b"close"))
            await send(message)

        cut = await self._serve(scope, incoming, log, send_named)
        log.record(time.time())
        if self._log:
            log.seconds = time.perf_counter() - started
            self._log(log.line(self._time()))
        if cut:
            await transport.cut(scope, receive, reset=cut.reset)

    def _time(self) -> str:
        """Return the time of day, which is written out once a second rather than once a request."""
        second = int(time.time())
        if second != self._second:
            self._second, self._shown_time = second, time.strftime("%H:%M:%S")
        return self._shown_time

    async def _serve(self, scope: Scope, incoming: Incoming, log: RequestLog, send: Send) -> ConnectionCut | None:
        """Serve a request to its end, and return how its connection is cut then, if a fault cuts it."""
        try:
            await self._app(scope, incoming, send)
        except ConnectionCut as cut:
            return cut
        except ClientGone:
            log.note("the client closed the connection")
        except asyncio.CancelledError:
            if not transport.is_known(scope):
                log.record(time.time())
                raise  # the client itself was cancelled, which called the application in its own task
            incoming.give_up()
            await self._answer(ServerStopping(), log, send)
        except Exception as error:  # noqa: BLE001 - the one place where everything that went wrong becomes an answer
            await self._answer(self._api_error(error, scope), log, send)
        return None

    def _api_error(self, error: Exception, scope: Scope) -> ApiError:
        if isinstance(error, ApiError):
            return error
        if isinstance(error, HTTPException) and error.status_code == 405:  # noqa: PLR2004 - HTTP's own number
            message = (
                f"{scope['method']} is not allowed for {printable(scope['path'], SHOWN)}; "
                f"allowed: {(error.headers or {}).get('Allow')}"
            )
            return MethodNotAllowed(message, headers=error.headers)
        if isinstance(error, HTTPException):
            return NoSuchResource(
                f"There is no {printable(scope['path'], SHOWN)}. This server has: {', '.join(self._paths)}",
                data={"routes": self._paths},
            )
        traceback.print_exception(error, file=sys.stderr)
        return InternalError("The mock has a defect; its console shows the traceback. Please report it.")

    async def _answer(self, error: ApiError, log: RequestLog, send: Send) -> None:
        """Send an error, unless an answer is already on its way."""
        log.note(f"{error.code}: {printable(error.message, REASON)}")
        log.entry = replace(
            log.entry,
            error=error.code,
            message=error.message,
            param=error.param,
            miss=error.data.get("miss"),
            retry_after=seconds_of(error.headers),
        )
        if log.status:
            return
        content = error.content(openai=log.path.startswith(OPENAI))
        headers = {"content-type": "application/json", "content-length": str(len(content))}
        headers |= {name.lower(): value for name, value in error.headers.items()}
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": error.status, "headers": raw})
        await send({"type": "http.response.body", "body": b"" if log.method == "HEAD" else content})
