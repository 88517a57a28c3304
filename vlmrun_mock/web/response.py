"""Whole HTTP responses to chat requests."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal, TypeAlias

import msgspec
from starlette.types import Receive, Send

from vlmrun_mock.api.answer import UpstreamResponse
from vlmrun_mock.mock.journal import Entry
from vlmrun_mock.web.request_log import header_safe
from vlmrun_mock.web.transport import ConnectionCut, Pieces, RawHeaders

WHOLE = "vlmrun_mock.response"
"""The type of the message that carries a complete ChatResponse to the middleware."""

End: TypeAlias = Literal["complete", "close", "reset"]
"""How a response ends: whole, or with its connection, which is closed or reset."""


class ChatResponse(msgspec.Struct, frozen=True):
    """A whole response, and all that is known of the request and its answer.

    `latency` is in seconds. `repeatable`: the same request gets the same response again.
    """

    status: int
    headers: RawHeaders
    pieces: Pieces
    entry: Entry
    latency: float = 0.0
    repeatable: bool = False
    end: End = "complete"

    @property
    def body(self) -> bytes:
        """Return the body as a whole."""
        return b"".join(self.pieces)

    @property
    def length(self) -> int:
        """Return how many bytes the body has."""
        return sum(map(len, self.pieces))

    async def send(self, send: Send, _receive: Receive) -> None:
        """Send the response; raises ConnectionCut where it ends with its connection."""
        if self.end == "complete":
            await send({"type": WHOLE, "status": self.status, "response": self})
            return
        await send({"type": "http.response.start", "status": self.status, "headers": list(self.headers)})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        raise ConnectionCut(reset=self.end == "reset")


def origin(source: str, fixture: str | None, *, re_encoded: bool = False) -> dict[str, str]:
    """Return the headers that say where an answer came from, and whether its document was known though re-encoded."""
    named = {"x-vlmrun-mock-fixture": header_safe(fixture)} if fixture else {}
    known = {"x-vlmrun-mock-documents": "re-encoded"} if re_encoded else {}
    return {"x-vlmrun-mock-source": source, **named, **known}


@lru_cache(maxsize=1_000)
def json_headers(
    source: str,
    fixture: str | None,
    length: int,
    ignored: tuple[str, ...],
    guesses: tuple[str, ...],
    *,
    re_encoded: bool = False,
) -> RawHeaders:
    """Return the headers of an answer that the mock made, as they go out."""
    headers = {"content-type": "application/json", "content-length": str(length)}
    said = origin(source, fixture, re_encoded=re_encoded)
    return raw_headers({**headers, **said, **remark_headers(ignored, guesses)})


def remark_headers(ignored: tuple[str, ...], guesses: tuple[str, ...]) -> dict[str, str]:
    """Return the headers that name the parameters without effect, and how a schema's dialect was guessed, if at all."""
    headers = {"x-vlmrun-mock-ignored": ", ".join(ignored), "x-vlmrun-mock-dialect": "; ".join(guesses)}
    return {name: value for name, value in headers.items() if value}


def called_header(name: str) -> RawHeaders:
    """Return the header that names the function which an answer calls, as no documented answer does."""
    return raw_headers({"x-vlmrun-mock-called": header_safe(name)})


def raw_headers(headers: dict[str, str]) -> RawHeaders:
    """Return headers as they go out."""
    return tuple((name.encode(), value.encode("latin-1")) for name, value in headers.items())


def declared_length(response: UpstreamResponse, length: int) -> dict[str, str]:
    """Return the header for how long a body is, or was to be where it ended early."""
    if response.complete:
        return {"content-length": str(length)}
    declared = response.declared or 0
    return {"content-length": str(declared)} if declared > len(response.body) else {}
