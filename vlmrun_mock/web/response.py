"""Whole HTTP responses to chat requests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from starlette.types import Send

from vlmrun_mock.api.answer import Answer, UpstreamResponse
from vlmrun_mock.mock.journal import Entry
from vlmrun_mock.web.request_log import header_safe
from vlmrun_mock.web.transport import ConnectionCut

RawHeaders: TypeAlias = tuple[tuple[bytes, bytes], ...]

End: TypeAlias = Literal["complete", "close", "reset"]
"""How a response ends: whole, or with its connection, which is closed or reset."""


@dataclass(frozen=True, slots=True)
class ChatResponse:
    """A whole response, and all that is known of the request and its answer.

    `latency` is in seconds. `repeatable`: the same request gets the same response again.
    """

    status: int
    headers: RawHeaders
    body: bytes
    entry: Entry
    latency: float = 0.0
    repeatable: bool = False
    end: End = "complete"

    async def send(self, send: Send) -> None:
        """Send the response; raises ConnectionCut where it ends with its connection."""
        whole = self.end == "complete"
        await send({"type": "http.response.start", "status": self.status, "headers": list(self.headers)})
        await send({"type": "http.response.body", "body": self.body, "more_body": not whole})
        if not whole:
            raise ConnectionCut(reset=self.end == "reset")


def origin(answer: Answer) -> dict[str, str]:
    """Return the headers that say where an answer came from."""
    named = {"x-vlmrun-mock-fixture": header_safe(answer.fixture)} if answer.fixture else {}
    return {"x-vlmrun-mock-source": answer.source, **named}


def ignored_header(ignored: tuple[str, ...]) -> dict[str, str]:
    """Return the header that names the parameters without effect, if there are any."""
    return {"x-vlmrun-mock-ignored": ", ".join(ignored)} if ignored else {}


def raw_headers(headers: dict[str, str]) -> RawHeaders:
    """Return headers as they go out."""
    return tuple((name.encode(), value.encode("latin-1")) for name, value in headers.items())


def declared_length(response: UpstreamResponse, body: bytes) -> dict[str, str]:
    """Return the header for how long a body is, or was to be where it ended early."""
    if response.complete:
        return {"content-length": str(len(body))}
    declared = response.declared or 0
    return {"content-length": str(declared)} if declared > len(response.body) else {}
