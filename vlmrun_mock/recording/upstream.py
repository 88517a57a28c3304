"""The real API: requests are sent on to it, and its responses received."""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
import time
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias

from msgspec.structs import replace

from vlmrun_mock.api.answer import Answer, UpstreamResponse
from vlmrun_mock.api.errors import ApiError, UpstreamAnswerTooLarge, UpstreamTimeout, UpstreamUnreachable
from vlmrun_mock.lazy import lazy
from vlmrun_mock.recording.settings import UpstreamSettings
from vlmrun_mock.redaction import Redaction
from vlmrun_mock.redaction.credentials import credentials

if TYPE_CHECKING:
    import httpx2
else:
    httpx2 = lazy("httpx2")

PASSED_ON = ("content-type", "retry-after", "retry-after-ms", "x-should-retry")
"""The headers of an answer that are passed on, and written down with an error; no other ever is."""

CHAT = "/v1/openai/chat/completions"

LONGEST_CONNECTING = 30.0
"""How many seconds a connection to the upstream may take."""

NOT_FORWARDED = frozenset(
    {
        b"accept-encoding",
        b"connection",
        b"content-encoding",
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
"""The headers of a request that concern one connection alone, and are not forwarded."""

MOST_ARRIVALS = 10_000
"""Pieces of a body whose time of arrival is kept."""

ANSWERS = range(200, 600)
"""The statuses that end a request."""

OWN_KEY = frozenset({b"authorization", b"x-api-key"})
"""The headers that hold the key to the mock, which is replaced where the upstream has a key of its own."""

WINDOWS = {"gzip": (zlib.MAX_WBITS | 16,), "deflate": (zlib.MAX_WBITS, -zlib.MAX_WBITS)}
"""The encodings of a body that are undone, with zlib's names of their forms; the upstream is not asked for any."""

CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

DECLARED = re.compile(r"[0-9]{1,18}")

REDIRECTS = frozenset({301, 302, 303, 307, 308})

Headers: TypeAlias = tuple[tuple[bytes, bytes], ...]


class Listener(Protocol):
    """Is told of an answer while it comes."""

    async def begin(self, status: int, headers: Mapping[str, str]) -> None:
        """Take the status and the headers."""

    async def piece(self, data: bytes) -> None:
        """Take the next bytes."""


@dataclass(frozen=True, slots=True)
class UpstreamRequest:
    """A request as the client sent it: body, headers, key and query string.

    `unrecordable` is the reason why the answer is passed on and not recorded; empty for what is recorded. `streams`:
    the answer is a stream. Of a prediction or an execution, `polls` is where it is read until it is done. `uploads` are
    the names and bytes of the files in it, by their ids and URLs in the mock. `listener` is told of the answer as it
    comes.
    """

    body: bytes
    headers: Headers = field(repr=False)
    key: str = field(repr=False)
    query: bytes = b""
    unrecordable: str = ""
    method: str = "POST"
    path: str = CHAT
    polls: str = ""
    streams: bool = False
    uploads: Mapping[str, tuple[str, bytes]] = field(default_factory=dict, repr=False)
    listener: Listener | None = field(default=None, repr=False)

    def secrets(self, instead: str | None) -> set[str]:
        """Return the cookies and credentials of the client; a key that is sent `instead` replaces its own."""
        if instead:
            headers = tuple(header for header in self.headers if header[0].lower() not in OWN_KEY)
            return credentials(headers, self.query) | {instead}
        return credentials(self.headers, self.query)


async def ask(
    settings: UpstreamSettings, request: UpstreamRequest, keys: Collection[str], trusted: ssl.SSLContext | None = None
) -> Answer:
    """Return the upstream's answer to a request; raises UpstreamTimeout and UpstreamUnreachable.

    An answer beyond the largest that is taken is an
    UpstreamAnswerTooLarge. No message shows one of the `keys`.
    `trusted` is what the upstream's certificate is checked by: see `certificates`.
    """
    received = _PartialResponse(settings)
    started = time.perf_counter()
    try:
        await asyncio.wait_for(_receive(received, settings, request, trusted), settings.timeout)
    except httpx2.ConnectTimeout:
        error: ApiError = UpstreamTimeout(f"No connection to {settings.address} within {_connecting(settings):g} s")
    except (asyncio.TimeoutError, httpx2.TimeoutException):
        error = UpstreamTimeout(f"{_so_far(received)} from {settings.address} within {settings.timeout:g} s")
    except (OSError, httpx2.HTTPError, httpx2.InvalidURL, ImportError, ValueError) as problem:
        reason = Redaction(keys).line(str(problem) or type(problem).__name__)
        hint = "; SSL_CERT_FILE names the certificates to trust" if "CERTIFICATE_VERIFY_FAILED" in reason else ""
        error = UpstreamUnreachable(f"{_so_far(received)} from {settings.address}: {reason}{hint}")
    else:
        return _answer(await asyncio.to_thread(received.response, time.perf_counter() - started))
    if not received.status:
        raise error
    response = await asyncio.to_thread(received.response, time.perf_counter() - started)
    response = replace(response, complete=False)
    return _answer(response, f"the answer ended early: {error.message}")


def _answer(response: UpstreamResponse, *notes: str) -> Answer:
    return Answer("", "upstream", upstream=response, repeatable=False, notes=notes)


def _connecting(settings: UpstreamSettings) -> float:
    return min(LONGEST_CONNECTING, settings.timeout)


def _so_far(received: _PartialResponse) -> str:
    return f"{len(received.body):,} bytes of the body came" if received.status else "Nothing came"


class _PartialResponse:
    """The part of a response that has come so far."""

    def __init__(self, settings: UpstreamSettings) -> None:
        self._settings = settings
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = bytearray()
        self._arrivals: list[tuple[int, float]] = []
        self._began = time.perf_counter()

    @property
    def declared(self) -> int | None:
        """Return how long the body is to be, as far as that is told."""
        declared = self.headers.get("content-length", "")
        return int(declared) if DECLARED.fullmatch(declared) else None

    def begin(self, status: int, headers: Mapping[str, str]) -> None:
        """Take the status and the headers; raises UpstreamAnswerTooLarge."""
        self.headers, self.status = dict(headers), status
        self._expect_size(self.declared or 0)

    def add(self, chunk: bytes) -> None:
        """Take a piece of the body; raises UpstreamAnswerTooLarge."""
        self.body += chunk
        if len(self._arrivals) < MOST_ARRIVALS:
            self._arrivals.append((len(self.body), time.perf_counter() - self._began))
        self._expect_size(len(self.body))

    def response(self, seconds: float) -> UpstreamResponse:
        """Return what has come, unpacked; raises UpstreamAnswerTooLarge."""
        body, encoding = bytes(self.body), self.headers.get("content-encoding", "")
        passed_on = {name: self.headers[name] for name in PASSED_ON if _can_be_sent(self.headers.get(name))}
        if encoding:
            body, passed_on = self._decoded(body, encoding, passed_on)
        arrivals = () if encoding else tuple(self._arrivals)
        return UpstreamResponse(self.status, passed_on, body, seconds, declared=self.declared, arrivals=arrivals)

    def _decoded(self, body: bytes, encoding: str, headers: Mapping[str, str]) -> tuple[bytes, dict[str, str]]:
        """Return a body that was encoded, unasked for, and its headers; as they are if it cannot be decoded."""
        name = encoding.strip().lower()
        if name == "identity":
            return body, dict(headers)
        for window in WINDOWS.get(name, ()):
            with contextlib.suppress(zlib.error):
                unpacked = zlib.decompressobj(window).decompress(body, self._settings.largest + 1)
                self._expect_size(len(unpacked))
                return unpacked, dict(headers)
        return body, {**headers, "content-encoding": encoding} if _can_be_sent(encoding) else dict(headers)

    def _expect_size(self, size: int) -> None:
        if size > self._settings.largest:
            message = f"The answer from {self._settings.address} is larger than {self._settings.largest:,} bytes"
            raise UpstreamAnswerTooLarge(f"{message}: it is neither passed on nor recorded")


def _can_be_sent(value: str | None) -> bool:
    """Return whether there is a header that a server may send: without controls."""
    return value is not None and not CONTROL.search(value)


async def _receive(
    received: _PartialResponse, settings: UpstreamSettings, request: UpstreamRequest, trusted: ssl.SSLContext | None
) -> None:
    limits = httpx2.Timeout(settings.timeout, connect=_connecting(settings))
    async with httpx2.AsyncClient(timeout=limits, verify=trusted or certificates()) as client:
        sent = [*_forwarded(request.headers, settings.key), (b"accept-encoding", b"identity")]
        query = f"?{request.query.decode('ascii', 'ignore')}" if request.query else ""
        async with client.stream(
            request.method, f"{settings.address}{request.path}{query}", headers=sent, content=request.body
        ) as response:
            if response.status_code not in ANSWERS:
                raise ValueError(f"its status is {response.status_code}")
            received.begin(
                response.status_code,
                {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers.raw},
            )
            if request.listener:
                await request.listener.begin(received.status, received.headers)
            async for chunk in response.aiter_raw():
                received.add(chunk)
                if request.listener:
                    await request.listener.piece(chunk)


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
