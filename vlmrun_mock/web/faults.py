"""How a fault is played: before there is an answer, on what it says, and on the wire."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from typing import Any

from starlette.types import Receive, Send

from vlmrun_mock.api.chat_completion import parted, replayed
from vlmrun_mock.api.errors import ScriptedError
from vlmrun_mock.mock.faults import Fault
from vlmrun_mock.schema.counterexample import violating
from vlmrun_mock.web import transport
from vlmrun_mock.web.body import ClientGone
from vlmrun_mock.web.request_log import Exchange
from vlmrun_mock.web.response import Reply
from vlmrun_mock.web.transport import ConnectionCut

PROSE = "Here is the data that you asked for:\n\n"


async def before(fault: Fault, exchange: Exchange, receive: Receive) -> None:
    """Play what happens before there is an answer; raises what ends the request, if something does."""
    seconds = fault.latency[0]
    exchange.fault = fault.kind
    exchange.notes.append(f"fault: {fault.kind}" + (f", {seconds * 1000:.0f} ms" if seconds else ""))
    await asyncio.sleep(seconds)
    if fault.kind == "error":
        raise ScriptedError(fault.status, fault.message, fault.headers)
    if fault.kind == "disconnect":
        raise ConnectionCut(reset=False)
    if fault.kind == "hang":
        # Now, because the client looks as soon as it has given up.
        exchange.record(time.time())
        await transport.closed(receive)
        raise ClientGone


def content(fault: Fault | None, text: str, known: Mapping[str, Any] | None) -> str:
    """Return a message's text as a fault leaves it; `known` is the schema that it follows."""
    if fault is None or fault.kind not in ("invalid-json", "invalid-schema"):
        return text
    if fault.kind == "invalid-json":
        # The last brace is missing, too, for clients that look for an object between other words.
        return PROSE + text[:-1]
    return json.dumps(violating(_value(text), known), ensure_ascii=False, separators=(",", ":"))


def _value(text: str) -> object:
    try:
        value: object = json.loads(text)
    except ValueError:
        return text
    return value


def spoilt(fault: Fault | None, completion: dict[str, Any]) -> dict[str, Any]:
    """Return a completion as a fault leaves it."""
    if fault is not None and fault.kind == "empty-choices":
        return {**completion, "choices": []}
    if fault is not None and fault.kind == "no-usage":
        return {name: value for name, value in completion.items() if name != "usage"}
    return completion


def relayed(fault: Fault | None, body: bytes, known: Mapping[str, Any] | None) -> bytes:
    """Return a body of the upstream's as a fault leaves it; what is no chat completion stays as it is."""
    if fault is None or fault.kind not in ("invalid-json", "invalid-schema", "empty-choices", "no-usage"):
        return body
    from vlmrun_mock.fixtures.format import is_completion  # noqa: PLC0415 - heavy (pydantic): imported when first needed

    try:
        completion = json.loads(body)
    except (ValueError, RecursionError):
        return body
    if not is_completion(completion):
        return body
    rest, text = parted(completion)
    spoilt_body = spoilt(fault, replayed(rest, content(fault, text or "", known), {}))
    return json.dumps(spoilt_body, ensure_ascii=False, separators=(",", ":")).encode()


async def transmit(fault: Fault | None, reply: Reply, send: Send) -> None:
    """Send an answer as a fault lets it through; raises ConnectionCut where it ends with the connection."""
    headers, body = list(reply.headers), reply.content
    if fault is None or not reply.complete:
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": not reply.complete})
        if not reply.complete:
            raise ConnectionCut(reset=False)
        return
    kind = fault.kind
    if kind in ("truncate", "truncate-undeclared", "disconnect-midway"):
        body = _half(body)
    if kind == "truncate":
        headers = [(name, str(len(body)).encode() if name == b"content-length" else value) for name, value in headers]
    whole = kind not in ("truncate-undeclared", "disconnect-midway")
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": not whole})
    if not whole:
        raise ConnectionCut(reset=kind == "disconnect-midway")


def _half(body: bytes) -> bytes:
    """Return the first half, without a character that was cut in two: every client finds JSON that ends too early."""
    return body[: len(body) // 2].decode(errors="ignore").encode()
