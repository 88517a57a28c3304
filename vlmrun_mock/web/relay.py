"""A stream of the upstream's on its way to the client, while it is recorded."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace
from starlette.types import Send

from vlmrun_mock.recording.streams import EVENTS
from vlmrun_mock.web.request_log import RequestLog
from vlmrun_mock.web.response import ChatResponse, origin, raw_headers
from vlmrun_mock.web.transport import ConnectionCut

FOUND = range(200, 300)


class Relay:
    """Sends the pieces of a stream as they come; what is no stream is left to be sent when it is whole."""

    def __init__(self, send: Send, log: RequestLog) -> None:
        self._send, self._log = send, log
        self.is_begun = False

    async def begin(self, status: int, headers: Mapping[str, str]) -> None:
        """Send the status and the headers, if this is a stream that can be passed on as it comes."""
        kind = headers.get("content-type", "")
        if status in FOUND and kind.startswith(EVENTS) and "content-encoding" not in headers:
            self.is_begun = True
            self._log.entry = replace(self._log.entry, source="upstream")
            sent = raw_headers({"content-type": kind, "cache-control": "no-cache", **origin("upstream", None)})
            await self._send({"type": "http.response.start", "status": status, "headers": list(sent)})

    async def piece(self, data: bytes) -> None:
        """Send the next bytes, if this is such a stream."""
        if self.is_begun:
            await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def end(self, response: ChatResponse) -> None:
        """End the stream as the upstream did; raises ConnectionCut where it broke off."""
        if response.end != "complete":
            raise ConnectionCut(reset=False)
        await self._send({"type": "http.response.body", "body": b""})
