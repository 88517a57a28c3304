"""The real API: requests are sent on to it, and its responses received."""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

from vlmrun_mock.api.answer import Answer, UpstreamResponse
from vlmrun_mock.api.errors import ApiError, UpstreamTimeout, UpstreamUnreachable
from vlmrun_mock.lazy import lazy
from vlmrun_mock.recording.settings import UpstreamSettings
from vlmrun_mock.redaction import Redaction

if TYPE_CHECKING:
    import httpx2
else:
    httpx2 = lazy("httpx2")

PASSED_ON = ("content-type", "retry-after", "retry-after-ms", "x-should-retry")
"""The headers of an answer that are passed on, and written down with an error; no other ever is."""

CHAT = "/v1/openai/chat/completions"

LONGEST_CONNECTING = 30.0
"""Seconds in which the upstream is there, or is not."""

NOT_FORWARDED = frozenset(
    {
        b"accept-encoding",
        b"connection",
        b"content-length",
        b"expect",
        b"host",
        b"keep-alive",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
"""The headers of a request that are between a client and its next hop."""

ANSWERS = range(200, 600)
"""The statuses that end a request."""

CREDENTIALS = frozenset({b"authorization", b"x-api-key", b"proxy-authorization"})

DECODED = ("gzip", "deflate", "identity")
"""The encodings of a body that are undone; it is not asked for any."""

CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

REDIRECTS = frozenset({301, 302, 303, 307, 308})

Headers: TypeAlias = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class UpstreamRequest:
    """A request as the client sent it: body, headers, key and query string.

    `unrecordable` is the reason why the answer is passed on and not recorded; empty for what is recorded.
    """

    body: bytes
    headers: Headers = field(repr=False)
    key: str = field(repr=False)
    query: bytes = b""
    unrecordable: str = ""

    def secrets(self, instead: str | None) -> set[str]:
        """Return the cookies and credentials of the client; a key that is sent `instead` replaces its own."""
        cookies, credentials = set[str](), set[str]()
        for name, raw in self.headers:
            value = raw.decode("utf-8", "surrogateescape")
            if name.lower() == b"cookie":
                cookies |= {value, *(crumb.partition("=")[2].strip() for crumb in value.split(";"))}
            elif name.lower() in CREDENTIALS:
                credentials.add(value.partition(" ")[2].strip() or value)
        return cookies | ({instead} if instead else credentials)


async def ask(
    settings: UpstreamSettings, request: UpstreamRequest, keys: Collection[str], trusted: ssl.SSLContext | None = None
) -> Answer:
    """Return the upstream's answer to a request; raises UpstreamTimeout and UpstreamUnreachable.

    No message shows one of the `keys`. `trusted` is what the upstream's certificate is checked by: see `certificates`.
    """
    received = _Received()
    started = time.perf_counter()
    try:
        await asyncio.wait_for(_receive(received, settings, request, trusted), settings.timeout)
    except httpx2.ConnectTimeout:
        error: ApiError = UpstreamTimeout(f"No connection to {settings.address} within {_connecting(settings):g} s")
    except (asyncio.TimeoutError, httpx2.TimeoutException):
        error = UpstreamTimeout(f"{_so_far(received)} from {settings.address} within {settings.timeout:g} s")
    except (OSError, httpx2.HTTPError, httpx2.InvalidURL, ImportError, ValueError) as problem:
        reason = Redaction(keys).text(str(problem) or type(problem).__name__)
        hint = "; SSL_CERT_FILE names the certificates to trust" if "CERTIFICATE_VERIFY_FAILED" in reason else ""
        error = UpstreamUnreachable(f"{_so_far(received)} from {settings.address}: {reason}{hint}")
    else:
        return _answer(received.response(time.perf_counter() - started))
    if not received.status:
        raise error
    response = replace(received.response(time.perf_counter() - started), complete=False)
    return _answer(response, f"the answer ended early: {error.message}")


def _answer(response: UpstreamResponse, *notes: str) -> Answer:
    return Answer("", "upstream", upstream=response, repeatable=False, notes=notes)


def _connecting(settings: UpstreamSettings) -> float:
    return min(LONGEST_CONNECTING, settings.timeout)


def _so_far(received: _Received) -> str:
    return f"{sum(map(len, received.chunks)):,} bytes of the body came" if received.status else "Nothing came"


class _Received:
    """The part of a response that has come so far."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.chunks: list[bytes] = []

    def response(self, seconds: float) -> UpstreamResponse:
        body, encoding = b"".join(self.chunks), self.headers.get("content-encoding", "")
        declared = self.headers.get("content-length", "")
        passed_on = {name: self.headers[name] for name in PASSED_ON if _can_be_sent(self.headers.get(name))}
        if encoding:
            body, passed_on = _decoded(body, encoding, passed_on)
        size = int(declared) if declared.isdecimal() else None
        return UpstreamResponse(self.status, passed_on, body, seconds, declared=size)


def _can_be_sent(value: str | None) -> bool:
    """Return whether there is a header that a server may send: without controls."""
    return value is not None and not CONTROL.search(value)


def _decoded(body: bytes, encoding: str, headers: Mapping[str, str]) -> tuple[bytes, dict[str, str]]:
    """Return a body that was encoded, unasked for, and its headers; as they are if it cannot be decoded."""
    # What httpx2 does not know, or only with a further package, it leaves as it is without a word.
    if encoding.strip().lower() in DECODED:
        with contextlib.suppress(httpx2.DecodingError):
            return httpx2.Response(200, headers={"content-encoding": encoding}, content=body).content, dict(headers)
    return body, {**headers, "content-encoding": encoding} if _can_be_sent(encoding) else dict(headers)


async def _receive(
    received: _Received, settings: UpstreamSettings, request: UpstreamRequest, trusted: ssl.SSLContext | None
) -> None:
    limits = httpx2.Timeout(settings.timeout, connect=_connecting(settings))
    async with httpx2.AsyncClient(timeout=limits, verify=trusted or certificates()) as client:
        sent = [*_forwarded(request.headers, settings.key), (b"accept-encoding", b"identity")]
        query = f"?{request.query.decode('ascii', 'ignore')}" if request.query else ""
        async with client.stream(
            "POST", f"{settings.address}{CHAT}{query}", headers=sent, content=request.body
        ) as response:
            if response.status_code not in ANSWERS:
                raise ValueError(f"its status is {response.status_code}")
            received.headers = {
                name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers.raw
            }
            received.status = response.status_code
            async for chunk in response.aiter_raw():
                received.chunks.append(chunk)


def certificates() -> ssl.SSLContext:
    """Return what a server's certificate is checked by: those of SSL_CERT_FILE, else the system's; raises OSError."""
    try:
        return httpx2.create_ssl_context()
    except OSError as error:
        raise OSError(f"the certificates that SSL_CERT_FILE names cannot be read: {error.strerror or error}") from None


def _forwarded(headers: Headers, key: str | None) -> Headers:
    """Return the headers of a client for the upstream, with another key if there is one."""
    kept = tuple((name, value) for name, value in headers if name.lower() not in NOT_FORWARDED)
    if not key:
        return kept
    others = tuple((name, value) for name, value in kept if name.lower() not in (b"authorization", b"x-api-key"))
    return (*others, (b"authorization", f"Bearer {key}".encode()))
