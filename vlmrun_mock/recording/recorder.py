"""Asks the upstream once for requests that are the same, and keeps its answers as recordings."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import ssl
import sys
import traceback
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from msgspec.structs import replace

from vlmrun_mock.api.answer import Answer, UpstreamResponse
from vlmrun_mock.api.errors import ApiError
from vlmrun_mock.api.request import ExtractionRequest
from vlmrun_mock.display import printable
from vlmrun_mock.fixtures.errors import FixtureFolderError
from vlmrun_mock.fixtures.store import FixtureStore
from vlmrun_mock.recording.jobs import ask_job, ask_with_files, asked_of
from vlmrun_mock.recording.recording import NotRecordable, fixture_of, record
from vlmrun_mock.recording.settings import UpstreamSettings
from vlmrun_mock.recording.store import free_name, write
from vlmrun_mock.recording.upstream import REDIRECTS, UpstreamRequest, certificates
from vlmrun_mock.redaction import Redaction

LONGEST_NOTE = 400
"""Characters of a note."""

UNWRITTEN = "NOT RECORDED"
"""How the note begins that tells the operator that an answer was lost to the folder."""


@dataclass(frozen=True, slots=True)
class _Flight:
    """A request that is under way to the upstream, and the key that it was sent with."""

    task: asyncio.Task[Answer]
    key: str = field(repr=False)


class Recorder:
    """Asks the upstream, and writes its answers into the first folder of the settings.

    It counts what was `recorded`, what could not be written, and what was `dropped` because the server ended.
    """

    def __init__(self, roots: Mapping[Path, Path] | None = None) -> None:
        """Take where folders really were at the start: a link that has taken the place of one is not followed."""
        self._roots = dict(roots or {})
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
        """Load what the first request needs; what is wrong with the certificates is an error of that request."""
        with contextlib.suppress(OSError):
            self._certificates = self._certificates or certificates()

    async def settle(self) -> None:
        """Wait for every answer that is under way, also for clients that have left."""
        await asyncio.gather(*(flight.task for flight in self._flights.values()), return_exceptions=True)

    async def ask(
        self,
        original: UpstreamRequest,
        request: ExtractionRequest | None,
        settings: UpstreamSettings,
        store: FixtureStore,
        *,
        version: int | None = None,
        name: str | None = None,
    ) -> Answer | None:
        """Return the upstream's answer, recorded if it can be; raises ApiError.

        `request` is None where the body cannot be read. `name` is the recording that is made again. None is returned
        if there may be a recording now: the folders are no longer of this `version`, or the same was asked with
        another key, and that answer was for somebody else.
        """
        await asyncio.to_thread(_load_changes, store)
        if version is not None and version != store.version:
            return None
        loop = asyncio.get_running_loop()
        recorded = None if original.unrecordable else request
        subject = recorded.fingerprint if recorded else hashlib.sha256(original.body).hexdigest()
        place = (id(loop), settings.address, settings.folders, subject, original.path, original.streams)
        flight = self._flights.get(place)
        if flight is None:
            task = loop.create_task(self._fly(original, recorded, settings, store, name))
            flight = self._flights[place] = _Flight(task, original.key)
            task.add_done_callback(lambda done: self._land(place, done))
        try:
            # A client that leaves does not end what others wait for, and what is paid for is written down.
            answer = await asyncio.shield(flight.task)
        except ApiError:
            if flight.key == original.key:
                raise
            return None
        return answer if flight.key == original.key else None

    def _land(self, place: tuple[object, ...], done: asyncio.Task[Answer]) -> None:
        self._flights.pop(place, None)
        if not done.cancelled():
            done.exception()  # looked at here, as every client may have left

    async def _fly(
        self,
        original: UpstreamRequest,
        request: ExtractionRequest | None,
        settings: UpstreamSettings,
        store: FixtureStore,
        name: str | None,
    ) -> Answer:
        keys = original.secrets(settings.key)
        try:
            await asyncio.to_thread(self.warm)
            asked = ask_job if original.polls else ask_with_files
            answer = await asked(settings, original, keys, self._certificates)
            response = answer.upstream
            if response is None or request is None:
                notes = [f"not recorded: {original.unrecordable}"]
            else:
                keep = _Destination(settings, store, keys, name, asked_of(original) if original.polls else {})
                recording, notes = await asyncio.to_thread(self._keep, request, response, keep)
                answer = replace(answer, fixture=recording)
            hints = _hints(response) if response else ()
            return replace(
                answer, notes=tuple(printable(note, LONGEST_NOTE) for note in (*answer.notes, *hints, *notes))
            )
        except asyncio.CancelledError:
            self.dropped += 1
            raise

    def _keep(
        self, request: ExtractionRequest, response: UpstreamResponse, keep: _Destination
    ) -> tuple[str | None, list[str]]:
        """Write a response down; return the recording's name, if there is one, and notes for the log."""
        folder, domains = keep.settings.folders[0], keep.store.domains
        try:
            recording = record(
                request, response, domains, keys=keep.keys, errors=keep.settings.record_errors, asked=keep.asked
            )
            name = _file(folder, keep.name) or free_name(folder, request, domains)
            write(folder, name, recording, self._roots.setdefault(folder, Path(os.path.realpath(folder))))
        except NotRecordable as reason:
            return None, [f"not recorded: {Redaction(keep.keys).line(str(reason))}"]
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
            keep.store.reload()
        except FixtureFolderError as error:
            keep.store.add(fixture_of(recording.text.encode(), name, domains))
            notes.append(f"fixtures not reloaded: {error.problems[0]}")
        return name, notes


@dataclass(frozen=True, slots=True)
class _Destination:
    """Where a response is written: into which folder, under which name if it has one, and without which keys."""

    settings: UpstreamSettings
    store: FixtureStore
    keys: Collection[str] = field(repr=False)
    name: str | None
    asked: Mapping[str, str]


def _load_changes(store: FixtureStore) -> None:
    """Load what has changed in the folders, such as what another recorder wrote."""
    with contextlib.suppress(FixtureFolderError):  # said when something is recorded
        store.reload()


def _file(folder: Path, name: str | None) -> str | None:
    """Return the name of a fixture if that is the name of its file, too."""
    return name if name and (folder / name).is_file() else None


def _hints(response: UpstreamResponse) -> tuple[str, ...]:
    if response.status in REDIRECTS:
        return ("the upstream answers with a redirect, which is not followed: give its target to --upstream",)
    return ()
