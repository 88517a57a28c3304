"""The real API, behind the mock while it records: asked once for requests that are the same, and written down."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import re
import ssl
import sys
import time
import traceback
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

from vlmrun_mock.api.errors import ApiError, UpstreamTimeout, UpstreamUnreachable
from vlmrun_mock.fixtures.errors import FixtureFolderError
from vlmrun_mock.fixtures.store import Library
from vlmrun_mock.mock.mock import Lacking
from vlmrun_mock.mock.settings import Settings
from vlmrun_mock.recording.recording import PASSED_ON, NotRecordable, Said, fixture_of, record
from vlmrun_mock.recording.store import free_name, write
from vlmrun_mock.redaction import Redaction

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

UNWRITTEN = "NOT RECORDED"
"""How the note begins that tells the operator that an answer was lost to the folder."""

DECODED = ("gzip", "deflate", "identity")
"""The encodings of a body that are undone; it is not asked for any."""

CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

REDIRECTS = frozenset({301, 302, 303, 307, 308})

Headers: TypeAlias = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class Question:
    """A request on its way to the upstream: its body and headers as the client sent them, and with which key.

    `lacking` is what no fixture answers; None for a body that could not be read, for the reason given, which is passed
    on all the same.
    """

    raw: bytes
    headers: Headers = field(repr=False)
    key: str = field(repr=False)
    lacking: Lacking | None
    unreadable: str = ""
    query: bytes = b""

    @property
    def subject(self) -> str:
        """Return what two questions that may share an answer have in common."""
        if self.lacking is None or self.lacking.streamed:
            return hashlib.sha256(self.raw).hexdigest()
        return self.lacking.request.fingerprint

    def secrets(self, instead: str | None) -> set[str]:
        """Return what the client proves with who it is; a key that is sent `instead` takes the place of its own."""
        cookies, credentials = set[str](), set[str]()
        for name, raw in self.headers:
            value = raw.decode("utf-8", "surrogateescape")
            if name.lower() == b"cookie":
                cookies |= {value, *(crumb.partition("=")[2].strip() for crumb in value.split(";"))}
            elif name.lower() in CREDENTIALS:
                credentials.add(value.partition(" ")[2].strip() or value)
        return cookies | ({instead} if instead else credentials)


@dataclass(frozen=True, slots=True)
class Relay:
    """What a client gets to hear from the upstream, the name of its recording if there is one, and notes for the log.

    With an `error` nothing came.
    """

    said: Said
    recording: str | None = None
    notes: tuple[str, ...] = ()
    error: ApiError | None = None


@dataclass(frozen=True, slots=True)
class _Flight:
    task: asyncio.Task[Relay]
    key: str = field(repr=False)


class Upstream:
    """Asks, and writes what it hears into the first folder of the settings.

    It counts what was `recorded`, what could not be written, and what was `dropped` because the server ended.
    """

    def __init__(self) -> None:
        self._flights: dict[tuple[object, ...], _Flight] = {}
        self._certificates: ssl.SSLContext | None = None
        self.recorded = 0
        self.unwritten = 0
        self.dropped = 0

    @property
    def waiting(self) -> int:
        """Return how many answers are waited for."""
        return len(self._flights)

    def warm(self) -> None:
        """Load what the first question needs; what is wrong with the certificates is said to who asks it."""
        with contextlib.suppress(OSError):
            self._certificates = self._certificates or certificates()

    async def settle(self) -> None:
        """Wait until nothing is waited for, also for clients that have left."""
        await asyncio.gather(*(flight.task for flight in self._flights.values()), return_exceptions=True)

    async def relay(self, question: Question, settings: Settings, library: Library) -> Relay | None:
        """Return what the upstream says to a request.

        None if there may be a recording after all: the folders have just changed; or the same was being asked with
        another key, and what was said then was said to somebody else.
        """
        await asyncio.to_thread(_look, library)
        if question.lacking and question.lacking.version != library.version:
            return None
        loop = asyncio.get_running_loop()
        place = (id(loop), settings.upstream, settings.fixtures, question.subject)
        flight = self._flights.get(place)
        if flight is None:
            task = loop.create_task(self._fly(question, settings, library))
            flight = self._flights[place] = _Flight(task, question.key)
            task.add_done_callback(lambda _: self._flights.pop(place, None))
        # A client that leaves does not end what others may wait for, and what is paid for is written down.
        relay = await asyncio.shield(flight.task)
        return relay if flight.key == question.key else None

    async def _fly(self, question: Question, settings: Settings, library: Library) -> Relay:
        keys = question.secrets(settings.upstream_key)
        try:
            await asyncio.to_thread(self.warm)
            relay = await ask(settings, question.raw, question.headers, keys, self._certificates, query=question.query)
            if relay.error:
                return relay
            notes = [*relay.notes, *_remarks(relay.said)]
            lacking = question.lacking
            if lacking is None or lacking.streamed:
                return replace(relay, notes=(*notes, f"not recorded: {question.unreadable or 'a stream'}"))
            name, note = await asyncio.to_thread(self._keep, lacking, relay.said, settings, library, keys)
            return replace(relay, recording=name, notes=(*notes, *note))
        except asyncio.CancelledError:
            self.dropped += 1
            raise

    def _keep(
        self, lacking: Lacking, said: Said, settings: Settings, library: Library, keys: Collection[str]
    ) -> tuple[str | None, list[str]]:
        """Write down what was said; return the recording's name, if there is one, and what there is to say of it."""
        folder, domains = settings.fixtures[0], library.domains
        try:
            recording = record(lacking.request, said, domains, keys=keys, errors=settings.record_errors)
            name = _file(folder, lacking.name) or free_name(folder, lacking.request, domains)
            write(folder, name, recording)
        except NotRecordable as reason:
            return None, [f"not recorded: {Redaction(keys).text(str(reason))}"]
        except OSError as error:
            self.unwritten += 1
            return None, [f"{UNWRITTEN}: cannot write into {folder}: {error.strerror}"]
        except Exception as error:  # noqa: BLE001 - a defect must not keep an answer that is paid for from the client
            self.unwritten += 1
            traceback.print_exception(error, file=sys.stderr)
            return None, [f"{UNWRITTEN}: the mock has a defect; see the traceback"]
        self.recorded += 1
        notes = [f"recorded {name}"]
        if recording.replaced:
            notes.append(f"{recording.replaced} {'secret' if recording.replaced == 1 else 'secrets'} in it replaced")
        try:
            library.reload()
        except FixtureFolderError as error:
            library.add(fixture_of(recording.text.encode(), name, domains))
            notes.append(f"fixtures not reloaded: {error.problems[0]}")
        return name, notes


def _look(library: Library) -> None:
    """Load what has changed in the folders, such as what another recorder wrote."""
    with contextlib.suppress(FixtureFolderError):  # said when something is recorded
        library.reload()


def _file(folder: Path, name: str | None) -> str | None:
    """Return the name of a fixture if that is the name of its file, too."""
    return name if name and (folder / name).is_file() else None


def _remarks(said: Said) -> list[str]:
    if said.status in REDIRECTS:
        return ["the upstream answers with a redirect, which is not followed: give its target to --upstream"]
    return []


async def ask(
    settings: Settings,
    raw: bytes,
    headers: Headers,
    keys: Collection[str],
    trusted: ssl.SSLContext | None = None,
    *,
    query: bytes = b"",
) -> Relay:
    """Return what the upstream says to a body; `keys` are not to be seen in any message.

    `trusted` is what its certificate is checked by: see `certificates`.
    """
    import httpx2  # noqa: PLC0415 - heavy: imported when first needed

    hearing = _Hearing()
    started = time.perf_counter()
    try:
        await asyncio.wait_for(_hear(hearing, settings, raw, headers, trusted=trusted, query=query), settings.timeout)
    except httpx2.ConnectTimeout:
        error: ApiError = UpstreamTimeout(f"No connection to {settings.upstream} within {_connecting(settings):g} s")
    except (asyncio.TimeoutError, httpx2.TimeoutException):
        error = UpstreamTimeout(f"{_so_far(hearing)} from {settings.upstream} within {settings.timeout:g} s")
    except (OSError, httpx2.HTTPError, httpx2.InvalidURL, ImportError, ValueError) as problem:
        reason = Redaction(keys).text(str(problem) or type(problem).__name__)
        hint = "; SSL_CERT_FILE names the certificates to trust" if "CERTIFICATE_VERIFY_FAILED" in reason else ""
        error = UpstreamUnreachable(f"{_so_far(hearing)} from {settings.upstream}: {reason}{hint}")
    else:
        return Relay(hearing.said(time.perf_counter() - started))
    said = hearing.said(time.perf_counter() - started)
    if hearing.status:
        return Relay(replace(said, complete=False), notes=(f"the answer ended early: {error.message}",))
    return Relay(said, error=error)


def _connecting(settings: Settings) -> float:
    return min(LONGEST_CONNECTING, settings.timeout)


def _so_far(hearing: _Hearing) -> str:
    return f"{sum(map(len, hearing.chunks)):,} bytes of the body came" if hearing.status else "Nothing came"


class _Hearing:
    """What has come from the upstream so far."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.chunks: list[bytes] = []

    def said(self, seconds: float) -> Said:
        body, encoding = b"".join(self.chunks), self.headers.get("content-encoding", "")
        declared = self.headers.get("content-length", "")
        passed_on = {name: self.headers[name] for name in PASSED_ON if _can_be_sent(self.headers.get(name))}
        if encoding:
            body, passed_on = _decoded(body, encoding, passed_on)
        return Said(self.status, passed_on, body, seconds, declared=int(declared) if declared.isdecimal() else None)


def _can_be_sent(value: str | None) -> bool:
    """Return whether there is a header that a server may send: without controls."""
    return value is not None and not CONTROL.search(value)


def _decoded(body: bytes, encoding: str, headers: Mapping[str, str]) -> tuple[bytes, dict[str, str]]:
    """Return a body that was encoded, unasked for, and its headers; as they are if it cannot be decoded."""
    import httpx2  # noqa: PLC0415 - heavy: imported when first needed

    # What httpx2 does not know, or only with a further package, it leaves as it is without a word.
    if encoding.strip().lower() in DECODED:
        with contextlib.suppress(httpx2.DecodingError):
            return httpx2.Response(200, headers={"content-encoding": encoding}, content=body).content, dict(headers)
    return body, {**headers, "content-encoding": encoding} if _can_be_sent(encoding) else dict(headers)


async def _hear(
    hearing: _Hearing, settings: Settings, raw: bytes, headers: Headers, *, trusted: ssl.SSLContext | None, query: bytes
) -> None:
    import httpx2  # noqa: PLC0415 - heavy: imported when first needed

    limits = httpx2.Timeout(settings.timeout, connect=_connecting(settings))
    async with httpx2.AsyncClient(timeout=limits, verify=trusted or certificates()) as client:
        sent = [*_forwarded(headers, settings.upstream_key), (b"accept-encoding", b"identity")]
        url = f"{settings.upstream}{CHAT}" + (f"?{query.decode('ascii', 'ignore')}" if query else "")
        async with client.stream("POST", url, headers=sent, content=raw) as response:
            if response.status_code not in ANSWERS:
                raise ValueError(f"its status is {response.status_code}")
            hearing.headers = {
                name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers.raw
            }
            hearing.status = response.status_code
            async for chunk in response.aiter_raw():
                hearing.chunks.append(chunk)


def certificates() -> ssl.SSLContext:
    """Return what a server's certificate is checked by: those of SSL_CERT_FILE, else the system's; raises OSError."""
    import httpx2  # noqa: PLC0415 - heavy: imported when first needed

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
