"""How faults are applied: a handler for each kind, whoever made the answer."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace
from starlette.types import Receive

from vlmrun_mock.api.errors import ScriptedError
from vlmrun_mock.lazy import lazy
from vlmrun_mock.mock.faults import Fault, FaultKind
from vlmrun_mock.web import transport
from vlmrun_mock.web.body import ClientGone
from vlmrun_mock.web.request_log import RequestLog
from vlmrun_mock.web.response import ChatResponse
from vlmrun_mock.web.transport import ConnectionCut

if TYPE_CHECKING:
    from vlmrun_mock.schema import counterexample
else:
    counterexample = lazy("vlmrun_mock.schema.counterexample")

PROSE = "Here is the data that you asked for:\n\n"


class FaultHandler(msgspec.Struct, frozen=True):
    """What a kind of fault does besides waiting; what is None is left as it is.

    `before` acts before there is an answer, and raises what ends the request. `content` changes the text of the
    message, which follows the given schema if one is known, before its usage is counted. `completion` changes the body
    of a successful answer. `wire` changes what is sent.
    """

    before: Callable[[Fault, RequestLog, Receive], Awaitable[None]] | None = None
    content: Callable[[str, Mapping[str, Any] | None], str] | None = None
    completion: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    wire: Callable[[ChatResponse], ChatResponse] | None = None


async def _error(fault: Fault, _log: RequestLog, _receive: Receive) -> None:
    raise ScriptedError(fault.status, fault.message, fault.headers)


async def _disconnect(_fault: Fault, _log: RequestLog, _receive: Receive) -> None:
    raise ConnectionCut(reset=False)


async def _hang(_fault: Fault, log: RequestLog, receive: Receive) -> None:
    """Send nothing until the client gives up."""
    # Now, because the client looks as soon as it has given up.
    log.record(time.time())
    await transport.closed(receive)
    raise ClientGone


def _invalid_json(text: str, _schema: Mapping[str, Any] | None) -> str:
    # The last brace is missing, too, for clients that look for an object between other words.
    return PROSE + text[:-1]


def _invalid_schema(text: str, schema: Mapping[str, Any] | None) -> str:
    try:
        value: object = json.loads(text)
    except ValueError:
        value = text
    return json.dumps(counterexample.violating(value, schema), ensure_ascii=False, separators=(",", ":"))


def _empty_choices(completion: dict[str, Any]) -> dict[str, Any]:
    return {**completion, "choices": []}


def _no_usage(completion: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in completion.items() if name != "usage"}


def _truncate(response: ChatResponse) -> ChatResponse:
    """Send half of the body, which is declared as the whole."""
    body = _half(response.body)
    length = str(len(body)).encode()
    headers = ((name, length if name == b"content-length" else value) for name, value in response.headers)
    return replace(response, pieces=(body,), headers=tuple(headers))


def _truncate_undeclared(response: ChatResponse) -> ChatResponse:
    return replace(response, pieces=(_half(response.body),), end="close")


def _disconnect_midway(response: ChatResponse) -> ChatResponse:
    return replace(response, pieces=(_half(response.body),), end="reset")


HANDLERS: Mapping[FaultKind, FaultHandler] = {
    "error": FaultHandler(before=_error),
    "latency": FaultHandler(),
    "disconnect": FaultHandler(before=_disconnect),
    "disconnect-midway": FaultHandler(wire=_disconnect_midway),
    "truncate": FaultHandler(wire=_truncate),
    "truncate-undeclared": FaultHandler(wire=_truncate_undeclared),
    "invalid-json": FaultHandler(content=_invalid_json),
    "invalid-schema": FaultHandler(content=_invalid_schema),
    "empty-choices": FaultHandler(completion=_empty_choices),
    "no-usage": FaultHandler(completion=_no_usage),
    "hang": FaultHandler(before=_hang),
    "failed": FaultHandler(before=_error),
    # These are about streams alone: web/stream.py applies them.
    "cut-at-start": FaultHandler(),
    "cut-in-character": FaultHandler(),
    "error-event": FaultHandler(),
    "no-done": FaultHandler(),
    "stall": FaultHandler(),
}
"""What each kind of fault does."""

NO_FAULT = FaultHandler()


def handler(fault: Fault | None) -> FaultHandler:
    """Return what a fault does; nothing where there is none."""
    return HANDLERS[fault.kind] if fault else NO_FAULT


async def apply_before(fault: Fault, log: RequestLog, receive: Receive, *, batch: bool = False) -> None:
    """Apply a fault to a request that has no answer yet; raises what ends the request, if the fault ends it.

    In a `batch`, what fails does so later.
    """
    seconds = fault.latency[0]
    log.entry = replace(log.entry, fault=fault.kind)
    log.note(f"fault: {fault.kind}" + (f", {seconds * 1000:.0f} ms" if seconds else ""))
    await asyncio.sleep(seconds)
    before = HANDLERS[fault.kind].before
    if before and not (batch and fault.kind == "failed"):
        await before(fault, log, receive)


def _half(body: bytes) -> bytes:
    """Return the first half, without a character that was cut in two: every client finds JSON that ends too early."""
    return body[: len(body) // 2].decode(errors="ignore").encode()
