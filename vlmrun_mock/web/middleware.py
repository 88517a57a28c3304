"""The outermost layer: numbers requests, answers every error in one envelope, and writes one line for each."""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import time
import traceback
from collections.abc import Callable
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vlmrun_mock.api.errors import ApiError, InternalError, MethodNotAllowed, NoSuchResource, ServerStopping
from vlmrun_mock.aside import aside
from vlmrun_mock.display import printable
from vlmrun_mock.lazy import lazy
from vlmrun_mock.mock.request_summary import SHOWN
from vlmrun_mock.redaction import Redaction
from vlmrun_mock.web import transport
from vlmrun_mock.web.body import ClientGone, Incoming
from vlmrun_mock.web.chat import PATH, ChatEndpoint
from vlmrun_mock.web.directions import canonical, directions
from vlmrun_mock.web.head import NO_HEAD, Head, head_of
from vlmrun_mock.web.inspector.inspection import PAGE, Inspection
from vlmrun_mock.web.origins import Origins, is_preflight, preflight
from vlmrun_mock.web.request_log import RequestLog, seconds_of
from vlmrun_mock.web.response import WHOLE, ChatResponse
from vlmrun_mock.web.transport import CLOSING, ConnectionCut, RawHeaders, Whole

if TYPE_CHECKING:
    from starlette import exceptions, routing
    from starlette.routing import BaseRoute
else:
    exceptions = lazy("starlette.exceptions")
    routing = lazy("starlette.routing")

Log = Callable[[str], None]
OPENAI = "/v1/openai/"

REASON = 400
"""How many characters of an error's message a line shows: what to do stands at its end."""


class Sender(msgspec.Struct):
    """`send` for the routes: the answer goes out once it is in the journal, with headers that every answer has."""

    scope: Scope
    incoming: Incoming
    log: RequestLog
    send: Send

    async def __call__(self, message: Message) -> None:
        """Send a message of ASGI, or a whole response."""
        exchange = self.log.exchange
        if "status" in message:
            self.log.begin_answer(message["status"])
            closing = not self.incoming.is_complete and not await self.incoming.settle()
            further = (*self.log.further_headers, CLOSING) if closing else self.log.further_headers
            if message["type"] == WHOLE:
                self.log.keep_answer(message["response"], further)
                await transport.respond(self.scope, self.send, message["response"], further)
                return
            message["headers"] += further
            if exchange is not None:
                exchange.begin(tuple(message["headers"]))
        elif exchange is not None:
            exchange.send(message.get("body", b""))
        await self.send(message)


class Middleware:
    """An ASGI application around the routes."""

    def __init__(
        self,
        chat: ChatEndpoint,
        routes: Callable[[], list[BaseRoute]],
        origins: Origins,
        log: Log | None,
        inspection: Inspection | None = None,
    ) -> None:
        """`chat` answers chat completions, which need no router on their way; `routes` returns all routes."""
        self._chat = chat
        self._list_routes = routes
        self._loading = Lock()
        self._origins = origins
        self._inspection = inspection
        self._log = log
        self._numbers = itertools.count(1)
        self._second = 0
        self._shown_time = ""

    @cached_property
    def _routes(self) -> list[BaseRoute]:
        return self._list_routes()

    @cached_property
    def _router(self) -> ASGIApp:
        return routing.Router(self._routes, redirect_slashes=False)

    @cached_property
    def _paths(self) -> list[str]:
        return [
            f"{method} {route.path.replace(':path', '')}"
            for route in self._routes
            if isinstance(route, routing.Route)
            for method in sorted((route.methods or set()) - {"HEAD"})
        ]

    async def _others(self) -> ASGIApp:
        """Return what finds all routes, whose modules are loaded beside the event loop."""
        if "_router" not in self.__dict__:
            await aside(self._load, None)
        return self._router

    def _load(self) -> None:
        with self._loading:  # several threads may ask at once
            self._router  # noqa: B018 - it is made when it is asked for

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request to its end: whatever is raised below becomes an answer."""
        if scope["type"] != "http":
            return
        scope["path"] = canonical(scope["path"])
        # Starlette raises HTTPException for a wrong path or method only inside an application.
        scope["app"] = self
        log = transport.log_of(scope) or self._new_log(head_of(scope))
        headers = log.head.by_name
        scope["state"] = {"log": log, "headers": headers}
        incoming = Incoming(scope, receive, log)
        sender = Sender(scope, incoming, log, send)
        cut = None
        try:
            told = self._origins.admit(scope["path"], headers)
        except ApiError as error:
            await self._answer(error, scope, sender)
        else:
            if told:
                log.head = msgspec.structs.replace(log.head, told=told)
            if is_preflight(scope["method"], headers):
                await sender({"type": "http.response.start", "status": 204, "headers": [*preflight(headers)]})
                await sender({"type": "http.response.body", "body": b""})
            else:
                cut = await self._serve(scope, incoming, log, sender)
        self._ended(log)
        if cut:
            await transport.cut(scope, receive, reset=cut.reset)

    def _new_log(self, head: Head) -> RequestLog:
        """Return the log of a request that begins now."""
        log = RequestLog(f"req_{next(self._numbers):08d}", head, time.time(), began=time.perf_counter())
        if self._inspection is not None:
            log.exchange = self._inspection.exchange(head)
        return log

    def begin(self, head: Head, body: bytes) -> tuple[RequestLog, ChatResponse | None]:
        """Begin a request whose head was admitted before, and return its log, and its response if that is there."""
        log = self._new_log(head)
        return log, self._chat.at_once(log, body)

    def end(self, log: RequestLog, response: Whole) -> RawHeaders:
        """End a request whose response goes out now, and return the further headers of that."""
        log.begin_answer(response.status)
        further = log.further_headers
        log.keep_answer(response, further)
        self._ended(log)
        return further

    def _ended(self, log: RequestLog) -> None:
        """Tell those who follow that a request is over."""
        log.seconds = time.perf_counter() - log.began
        if log.journal is not None:  # nothing was sent
            log.record(time.time())
        if self._inspection is not None:
            self._inspection.ended(log)
        if self._log and not log.head.path.startswith(PAGE):
            self._log(log.line(self._time()))
        log.head = NO_HEAD

    def _time(self) -> str:
        """Return the time of day, which is written out once a second rather than once a request."""
        second = int(time.time())
        if second != self._second:
            self._second, self._shown_time = second, time.strftime("%H:%M:%S")
        return self._shown_time

    async def _serve(self, scope: Scope, incoming: Incoming, log: RequestLog, send: Send) -> ConnectionCut | None:
        """Serve a request to its end; where a fault cuts the connection, return how, and else None."""
        try:
            is_chat = scope["path"] == PATH and scope["method"] == "POST"
            if is_chat:
                transport.keep_head(scope, log.head)
            app = self._chat if is_chat else await self._others()
            await app(scope, incoming, send)
        except ConnectionCut as cut:
            return cut
        except ClientGone:
            log.note("the client closed the connection")
        except asyncio.CancelledError:
            if not transport.is_known(scope):
                log.record(time.time())
                raise  # the client itself was cancelled, which called the application in its own task
            incoming.give_up()
            await self._answer(ServerStopping(), scope, send)
        except Exception as error:  # noqa: BLE001 - the one place where everything that went wrong becomes an answer
            await self._answer(self._api_error(error, scope), scope, send)
        return None

    def _api_error(self, error: Exception, scope: Scope) -> ApiError:
        if isinstance(error, ApiError):
            return error
        if isinstance(error, exceptions.HTTPException) and error.status_code == 405:  # noqa: PLR2004 - HTTP's own number
            message = (
                f"{scope['method']} is not allowed for {printable(scope['path'], SHOWN)}; "
                f"allowed: {(error.headers or {}).get('Allow')}"
            )
            return MethodNotAllowed(message, headers=error.headers)
        if isinstance(error, exceptions.HTTPException):
            where = directions(scope, self._paths)
            message = f"There is no {printable(scope['path'], SHOWN)}. {where}"
            return NoSuchResource(message, data={"routes": self._paths})
        traceback.print_exception(error, file=sys.stderr)
        return InternalError("The mock has a defect; its console shows the traceback. Please report it.")

    async def _answer(self, error: ApiError, scope: Scope, send: Send) -> None:
        """Send an error, unless an answer is already on its way."""
        log: RequestLog = scope["state"]["log"]
        log.note(f"{error.code}: {printable(error.message, REASON)}")
        log.entry = msgspec.structs.replace(
            log.entry,
            error=error.code,
            message=error.message,
            param=error.param,
            miss=error.data.get("miss"),
            retry_after=seconds_of(error.headers),
        )
        if log.status:
            return
        content = _without_credentials(error.content(openai=log.head.path.startswith(OPENAI)), log.head)
        headers = {"content-type": "application/json", "content-length": str(len(content))}
        headers |= {name.lower(): value for name, value in error.headers.items()}
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": error.status, "headers": raw})
        await send({"type": "http.response.body", "body": b"" if log.head.method == "HEAD" else content})


def _without_credentials(content: bytes, head: Head) -> bytes:
    """Return the body of an error without the client's own credentials, as its application may log it."""
    redaction = Redaction(head.credentials)
    text = content.decode("utf-8", "surrogateescape")
    if not redaction.holds_known(text):
        return content
    try:
        return json.dumps(redaction.value(json.loads(text)), ensure_ascii=False).encode()
    except ValueError:  # a fixture's own text
        return redaction.line(text).encode("utf-8", "surrogateescape")
