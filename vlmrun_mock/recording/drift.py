"""Whether the real API still answers what was recorded: asked again, and compared by shape and by value."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vlmrun_mock import __version__
from vlmrun_mock.api import chat_parser
from vlmrun_mock.api.answer import Answer, UpstreamResponse
from vlmrun_mock.api.errors import ApiError, InvalidRequest
from vlmrun_mock.api.request import ExtractionRequest
from vlmrun_mock.display import escaped
from vlmrun_mock.documents.identity import Document
from vlmrun_mock.fixtures.folders import DocumentFolders
from vlmrun_mock.fixtures.match import Match
from vlmrun_mock.recording import job_writer, request_writer
from vlmrun_mock.recording.candidates import HASHED, REFUSALS, Candidate, NotComparable, RecordedExchange
from vlmrun_mock.recording.comparison import ComparableAnswer, comparable_response, compared
from vlmrun_mock.recording.jobs import ask_job, read_at
from vlmrun_mock.recording.json_diff import Change
from vlmrun_mock.recording.settings import UpstreamSettings
from vlmrun_mock.recording.upstream import CHAT, REDIRECTS, UpstreamRequest, ask, certificates
from vlmrun_mock.redaction import REPLACEMENT, Redaction

TOO_MANY = 429
MOST_WAITS = 3
LONGEST_WAIT = 120
"""The longest wait, in seconds, that the upstream may ask for; after a longer one a request is not repeated."""

HEADERS = (
    (b"content-type", b"application/json"),
    (b"user-agent", f"vlmrun-mock/{__version__}".encode()),
)


@dataclass(frozen=True, slots=True)
class DriftOutcome:
    """What became of a fixture: where shape and values differ, with notes on how it was asked; or why it was not."""

    folder: Path
    name: str
    shape: tuple[Change, ...] = ()
    values: tuple[Change, ...] = ()
    notes: tuple[str, ...] = ()
    reason: str = ""

    @property
    def verdict(self) -> str:
        """Return `same`, `differs` or `not asked`; only the shape decides."""
        return "not asked" if self.reason else "differs" if self.shape else "same"

    def as_json(self, *, values: bool) -> dict[str, Any]:
        """Return the outcome as data; without its `values`, which are what documents say, only how many there are."""
        return {
            "fixture": self.name,
            "folder": escaped(str(self.folder)),
            "verdict": self.verdict,
            "reason": self.reason or None,
            "shape": [change.as_json() for change in self.shape],
            "value_count": len(self.values),
            **({"values": [change.as_json() for change in self.values]} if values else {}),
            "notes": list(self.notes),
        }


def exit_status(outcomes: Sequence[DriftOutcome]) -> int:
    """Return 0 if all was asked and has the same shape, 1 if a shape differs, else 3."""
    verdicts = {outcome.verdict for outcome in outcomes}
    return 1 if "differs" in verdicts else 0 if verdicts == {"same"} else 3


class Drift:
    """Asks the upstream of the settings, with their key, for what was recorded; `log` hears of what takes long."""

    def __init__(self, settings: UpstreamSettings, found: DocumentFolders, log: Callable[[str], None]) -> None:
        self._settings = settings
        self._found = found
        self._log = log
        self._keys = (settings.key or "",)
        self._trusted: ssl.SSLContext | None = None

    async def outcome(self, candidate: Candidate) -> DriftOutcome:
        """Ask for a fixture again, and return what became of it; the request forbids training with its documents."""
        recorded = candidate.recorded
        try:
            if recorded is None:
                raise NotComparable(candidate.reason)
            now = await self._asked(self._job(recorded) if recorded.path != CHAT else self._chat(recorded))
            shape, values = compared(recorded.answer, now)
        except NotComparable as reason:
            return DriftOutcome(candidate.folder, candidate.name, reason=str(reason))
        except RecursionError:
            return DriftOutcome(candidate.folder, candidate.name, reason="the answer is nested too deeply to compare")
        notes = [*_notes(recorded.documents)] if shape else []
        return DriftOutcome(candidate.folder, candidate.name, tuple(shape), tuple(values), tuple(notes))

    def _job(self, recorded: RecordedExchange) -> UpstreamRequest:
        """Return what asks for a prediction or an execution again; raises NotComparable."""
        self._expect_here(recorded)
        path = recorded.path
        hashed = [each for each in recorded.documents if each.identity.startswith(HASHED)]
        uploaded = {each.identity: each for each in hashed} if job_writer.is_uploaded(path) else {}
        addresses = [
            f"file:{each.identity}" if each.identity in uploaded else self._address(each) for each in recorded.documents
        ]
        body = job_writer.body(path, recorded.match, addresses, recorded.model, recorded.name)
        _expect_same(recorded.match, body, lambda raw: job_writer.parsed(path, raw, uploaded))
        uploads = {name: (found.filename or "document", self._data(found)) for name, found in uploaded.items()}
        return UpstreamRequest(body, HEADERS, self._keys[0], path=path, polls=read_at(path), uploads=uploads)

    def _chat(self, recorded: RecordedExchange) -> UpstreamRequest:
        """Return what asks for a chat completion again; raises NotComparable."""
        self._expect_here(recorded)
        parts = [request_writer.document_part(each.kind, self._address(each)) for each in recorded.documents]
        body = request_writer.body(recorded.match, parts, recorded.match.model or recorded.model, recorded.contents)
        _expect_same(recorded.match, body, lambda raw: chat_parser.parse(raw).extraction)
        return UpstreamRequest(body, HEADERS, self._keys[0])

    def _expect_here(self, recorded: RecordedExchange) -> None:
        """Raise NotComparable for documents whose bytes are not at hand."""
        lacking = [
            self._lacking(number, document)
            for number, document in enumerate(recorded.documents, 1)
            if document.identity.startswith(HASHED) and document.identity not in self._found.paths
        ]
        if lacking:
            raise NotComparable("; ".join(lacking))

    def _lacking(self, number: int, document: Document) -> str:
        size = None if document.size is None else f"{document.size:,} bytes"
        name = document.filename and json.dumps(document.filename, ensure_ascii=False)
        known = ", ".join(filter(None, (document.identity, document.media_type, size, name)))
        here = (
            "in none of the folders of --documents" if self._found.folders else "not here: --documents names its folder"
        )
        return f"document {number} ({known}) is {here}"

    def _address(self, document: Document) -> str:
        if not document.identity.startswith(HASHED):
            return document.identity
        return request_writer.data_url(self._data(document), document.media_type)

    def _data(self, document: Document) -> bytes:
        path = self._found.paths[document.identity]
        try:
            return path.read_bytes()
        except OSError as error:
            raise NotComparable(f"{escaped(str(path))} cannot be read: {error.strerror}") from None

    async def _asked(self, request: UpstreamRequest) -> ComparableAnswer:
        """Return what the upstream says; raises NotComparable if that is nothing, or nothing about the answer."""
        try:
            answer = await self._answer(request)
            for _ in range(MOST_WAITS):
                wait = _wait(answer.upstream)
                if wait is None:
                    break
                self._log(f"The upstream asks to wait for {wait} s.")
                await asyncio.sleep(wait)
                answer = await self._answer(request)
        except ApiError as error:
            raise NotComparable(error.message) from None
        response = answer.upstream
        if response is None or not response.complete:
            raise NotComparable("; ".join(answer.notes))
        now = comparable_response(response, Redaction(self._keys))
        if now.status in REFUSALS:
            hint = "give the target of this redirect to --upstream" if now.status in REDIRECTS else now.excerpt
            raise NotComparable(f"the upstream refused to answer: {now.status}, {hint}")
        return now

    async def _answer(self, request: UpstreamRequest) -> Answer:
        with suppress(OSError):  # which is told by the one that asks
            self._trusted = self._trusted or certificates()
        asked = ask_job if request.polls else ask
        return await asked(self._settings, request, self._keys, self._trusted)


def _wait(response: UpstreamResponse | None) -> int | None:
    """Return the seconds after which to ask again, if the upstream says that this is soon."""
    seconds = response.headers.get("retry-after", "") if response and response.status == TOO_MANY else ""
    return int(seconds) if seconds.isdecimal() and int(seconds) <= LONGEST_WAIT else None


def _expect_same(match: Match, body: bytes, parse: Callable[[bytes], ExtractionRequest]) -> None:
    """Raise NotComparable for a body that is not the recorded one's equal, or that holds what replaces a secret."""
    if REPLACEMENT.encode() in body:
        raise NotComparable(f"its request holds {REPLACEMENT}, and what that stood for is not known")
    try:
        request = parse(body)
    except InvalidRequest as problem:
        raise NotComparable(f"its request cannot be made again: {problem.message}") from None
    differences = replace(match, metadata={}).difference(request)
    if differences:
        raise NotComparable(f"its request cannot be made again: {differences[0].message}")


def _notes(documents: Sequence[Document]) -> Iterator[str]:
    for number, document in enumerate(documents, 1):
        if document.identity.startswith("file:"):
            yield f"document {number} is the uploaded file {document.identity}, asked for by its id; it may be gone"
        elif not document.identity.startswith(HASHED):
            yield f"document {number} is whatever is now at {document.identity}"
