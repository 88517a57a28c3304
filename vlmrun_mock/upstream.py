"""The real API, behind the mock while it records: asked once for requests that are the same, and written down."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import ssl
import sys
import time
import traceback
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

from vlmrun_mock.errors import ApiError, UpstreamTimeout, UpstreamUnreachable
from vlmrun_mock.fixture_error import FixtureFolderError
from vlmrun_mock.library import Library
from vlmrun_mock.mock import Lacking
from vlmrun_mock.recording import WRITTEN_HEADERS, NotRecordable, Said, record, write
from vlmrun_mock.secret import Redaction
from vlmrun_mock.settings import Settings

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

REDIRECTS = frozenset({301, 302, 303, 307, 308})

Headers: TypeAlias = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class Question:
    """A request on its way to the upstream: its body and headers as the client sent them, and with which key.

    `lacking` is what no fixture answers; None for a body that could not be read, for the reason given, which is passed
    on all the same.
    """

    raw: bytes
    headers: Headers
    key: str = field(repr=False)
    lacking: Lacking | None
    unreadable: str = ""


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
    """Asks, and writes what it hears into the first folder of the settings; counts both."""

    def __init__(self) -> None:
        self._flights: dict[tuple[object, ...], _Flight] = {}
        self._certificates: ssl.SSLContext | None = None
        self.recorded = 0
        self.unwritten = 0

    def warm(self) -> None:
        """Load what the first question needs; what is wrong with the certificates is said to who asks it."""
        with contextlib.suppress(OSError):
            self._certificates = self._certificates or certificates()

    async def relay(self, question: Question, settings: Settings, library: Library) -> Relay | None:
        """Return what the upstream says to a request.

        While the same is being asked with another key, that is waited for, and None returned: what was said then was
        said to somebody else, but may have been recorded.
        """
        about = question.lacking.request.fingerprint if question.lacking else hashlib.sha256(question.raw).hexdigest()
        loop = asyncio.get_running_loop()
        place = (id(loop), settings.upstream, settings.fixtures, about)
        flight = self._flights.get(place)
        if flight is None:
            task = loop.create_task(self._fly(question, settings, library))
            flight = self._flights[place] = _Flight(task, question.key)
            task.add_done_callback(lambda _: self._flights.pop(place, None))
        # A client that leaves does not end what others may wait for, and what is paid for is written down.
        relay = await asyncio.shield(flight.task)
        return relay if flight.key == question.key else None

    async def _fly(self, question: Question, settings: Settings, library: Library) -> Relay:
        keys = {question.key, settings.upstream_key or ""}
        await asyncio.to_thread(self.warm)
        relay = await ask(settings, question.raw, question.headers, keys, self._certificates)
        if relay.error:
            return relay
        notes = [*relay.notes, *_remarks(relay.said)]
        if question.lacking is None:
            return replace(
                relay, notes=(*notes, f"not recorded: this mock cannot read the request: {question.unreadable}")
            )
        name, note = await asyncio.to_thread(self._keep, question.lacking, relay.said, settings, library, keys)
        return replace(relay, recording=name, notes=(*notes, *note))

    def _keep(
        self, lacking: Lacking, said: Said, settings: Settings, library: Library, keys: Collection[str]
    ) -> tuple[str | None, list[str]]:
        """Write down what was said; return the recording's name, if there is one, and what there is to say of it."""
        try:
            recording = record(lacking.request, said, library.domains, keys=keys, errors=settings.record_errors)
            recording = replace(recording, name=_file(settings.fixtures[0], lacking.name) or recording.name)
            write(settings.fixtures[0], recording)
        except NotRecordable as reason:
            return None, [f"not recorded: {Redaction(keys).text(str(reason))}"]
        except OSError as error:
            self.unwritten += 1
            return None, [f"NOT RECORDED: cannot write into {settings.fixtures[0]}: {error.strerror}"]
        except Exception as error:  # noqa: BLE001 - a defect here must not keep an answer that is paid for from the client
            self.unwritten += 1
            traceback.print_exception(error, file=sys.stderr)
            return None, ["NOT RECORDED: the mock has a defect; see the traceback"]
        self.recorded += 1
        notes = [f"recorded {recording.name}"]
        if recording.replaced:
            notes.append(f"{recording.replaced} {'secret' if recording.replaced == 1 else 'secrets'} in it replaced")
        try:
            library.reload()
        except FixtureFolderError as error:
            notes.append(f"fixtures not reloaded: {error.problems[0]}")
        return recording.name, notes


def _file(folder: Path, name: str | None) -> str | None:
    """Return the name of a fixture if that is the name of its file, too."""
    return name if name and (folder / name).is_file() else None


def _remarks(said: Said) -> list[str]:
    if said.status in REDIRECTS:
        return ["the upstream answers with a redirect, which is not followed: give its target to --upstream"]
    return []


async def ask(
    settings: Settings, raw: bytes, headers: Headers, keys: Collection[str], trusted: ssl.SSLContext | None = None
) -> Relay:
    """Return what the upstream says to a body; `keys` are not to be seen in any message.

    `trusted` is what its certificate is checked by: see `certificates`.
    """
    import httpx2  # noqa: PLC0415 - heavy: imported when first needed

    hearing = _Hearing()
    started = time.perf_counter()
    try:
        await asyncio.wait_for(_hear(hearing, settings, raw, headers, trusted), settings.timeout)
    except (asyncio.TimeoutError, httpx2.TimeoutException):
        error: ApiError = UpstreamTimeout(f"Nothing came from {settings.upstream} within {settings.timeout:g} s")
    except (OSError, httpx2.HTTPError, httpx2.InvalidURL, ValueError) as problem:
        reason = Redaction(keys).text(str(problem) or type(problem).__name__)
        hint = "; SSL_CERT_FILE names the certificates to trust" if "CERTIFICATE_VERIFY_FAILED" in reason else ""
        error = UpstreamUnreachable(f"Nothing came from {settings.upstream}: {reason}{hint}")
    else:
        return Relay(hearing.said(time.perf_counter() - started))
    said = hearing.said(time.perf_counter() - started)
    if hearing.status:
        return Relay(replace(said, complete=False), notes=(f"the answer ended early: {error.message}",))
    return Relay(said, error=error)


class _Hearing:
    """What has come from the upstream so far."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.chunks: list[bytes] = []

    def said(self, seconds: float) -> Said:
        body, encoding = b"".join(self.chunks), self.headers.get("content-encoding", "")
        declared = self.headers.get("content-length", "")
        passed_on = {name: self.headers[name] for name in WRITTEN_HEADERS if name in self.headers}
        if encoding:
            body, passed_on = _decoded(body, encoding, passed_on)
        return Said(self.status, passed_on, body, seconds, declared=int(declared) if declared.isdecimal() else None)


def _decoded(body: bytes, encoding: str, headers: Mapping[str, str]) -> tuple[bytes, dict[str, str]]:
    """Return a body that was encoded, unasked for, and its headers; as they are if it cannot be decoded."""
    import httpx2  # noqa: PLC0415 - heavy: imported when first needed

    try:
        return httpx2.Response(200, headers={"content-encoding": encoding}, content=body).content, dict(headers)
    except httpx2.DecodingError:
        return body, {**headers, "content-encoding": encoding}


async def _hear(
    hearing: _Hearing, settings: Settings, raw: bytes, headers: Headers, trusted: ssl.SSLContext | None
) -> None:
    import httpx2  # noqa: PLC0415 - heavy: imported when first needed

    limits = httpx2.Timeout(settings.timeout, connect=min(LONGEST_CONNECTING, settings.timeout))
    async with httpx2.AsyncClient(timeout=limits, verify=trusted or certificates()) as client:
        sent = [*_forwarded(headers, settings.upstream_key), (b"accept-encoding", b"identity")]
        async with client.stream("POST", f"{settings.upstream}{CHAT}", headers=sent, content=raw) as response:
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

    return httpx2.create_ssl_context()


def _forwarded(headers: Headers, key: str | None) -> Headers:
    """Return the headers of a client for the upstream, with another key if there is one."""
    kept = tuple((name, value) for name, value in headers if name.lower() not in NOT_FORWARDED)
    if not key:
        return kept
    others = tuple((name, value) for name, value in kept if name.lower() not in (b"authorization", b"x-api-key"))
    return (*others, (b"authorization", f"Bearer {key}".encode()))
