"""What was asked and what was answered: bounded, without keys and without the documents' bytes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from threading import Lock
from typing import Any, Literal, Protocol, TypeAlias

import msgspec

from vlmrun_mock.api.request import ExtractionRequest, RequestParts
from vlmrun_mock.documents.identity import Document
from vlmrun_mock.mock.request_summary import RequestSummary, describe_request
from vlmrun_mock.redaction import Redaction

EnvelopeKind: TypeAlias = Literal["chat", "prediction", "execution"]

MOST_ENTRIES = 1_000
MOST_BYTES = 8_000_000

ENTRY_BYTES = 3_000
"""About what an entry takes without a text, a schema, metadata and documents."""

NOTHING = {**RequestSummary(ExtractionRequest(model=""), "").as_json(), "config": {}}
"""What an entry shows of a body that is no request."""


@lru_cache(maxsize=1_000)
def _summary(about: str, source: str, fixture: str, tokens: str) -> str:
    # The recording of an upstream's answer is in its notes.
    answered = " ".join(filter(None, (source, "" if source == "upstream" else fixture)))
    return "  ".join(filter(None, (about, answered, tokens)))


class Entry(msgspec.Struct, frozen=True):
    """One request and its answer: all that the log, the headers, the journal and the verdict say of them.

    `time` is in seconds since 1970, `seconds` how long the answer took; `status` is 0 where the connection was cut
    before one was sent. `request` is None for a body that cannot be read, of which `digest` is then the SHA-256.
    `miss` explains a request that no fixture of the user's matched, `fault` names an injected failure, `retry_after`
    is what the client was told to wait, in seconds. `kind` is the envelope: `chat`, `prediction` or `execution`.
    `notes` are what the log says in brackets.
    """

    id: str = ""
    time: float = 0.0
    seconds: float = 0.0
    status: int = 0
    request: RequestSummary | None = None
    source: str | None = None
    fixture: str | None = None
    usage: Mapping[str, int] = {}
    ignored: tuple[str, ...] = ()
    error: str | None = None
    message: str | None = None
    param: str | None = None
    miss: Mapping[str, Any] | None = None
    fault: str | None = None
    retry_after: float | None = None
    notes: tuple[str, ...] = ()
    digest: str | None = None
    kind: EnvelopeKind = "chat"

    @property
    def summary(self) -> str:
        """Return what was asked and who answered in a few words; nothing for what is no request."""
        if self.request is None and self.source is None:
            return ""
        about = describe_request(self.request.kept) if self.request else "unread"
        usage = self.usage
        tokens = f"{usage['prompt_tokens']}+{usage['completion_tokens']} tokens" if usage else ""
        return _summary(about, self.source or "", self.fixture or "", tokens)

    @property
    def end(self) -> float:
        """Return when it was answered, in seconds since 1970."""
        return self.time + self.seconds

    @property
    def domain(self) -> str | None:
        """Return the domain that was asked for."""
        return self.request.kept.domain if self.request else None

    @property
    def documents(self) -> tuple[Document, ...]:
        """Return the documents that were sent."""
        return self.request.kept.documents if self.request else ()

    @property
    def text(self) -> str:
        """Return the texts of all messages."""
        return self.request.kept.text if self.request else ""

    @property
    def model(self) -> str | None:
        """Return the model that was asked for."""
        return self.request.kept.model if self.request else None

    @property
    def schema(self) -> Mapping[str, Any] | None:
        """Return the caller's schema."""
        schema = self.request.kept.schema if self.request else None
        return schema.schema if schema else None

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Return the request's metadata."""
        return self.request.kept.metadata if self.request else {}

    @property
    def parts(self) -> RequestParts:
        """Return nothing: an expectation is not about these."""
        return RequestParts()

    @property
    def fingerprint(self) -> str | None:
        """Return what two requests for the same thing have in common."""
        return self.request.fingerprint if self.request else self.digest

    def complete_entry(self) -> Entry:
        """Return the entry: an entry may be recorded as it is."""
        return self

    def as_json(self) -> dict[str, Any]:
        """Return the entry as data; every entry has the same keys."""
        data = {name: getattr(self, name) for name in self.__struct_fields__ if name not in ("request", "digest")}
        about = self.request.as_json() if self.request else NOTHING
        return {**data, **about, "domain": self.domain, "model": self.model, "fingerprint": self.fingerprint}


def without_key(entry: Entry, key: str) -> Entry:
    """Return an entry with no name in it, and no message, that holds the client's key."""
    redaction, summary = Redaction([key]), entry.request
    told = {"message": entry.message or "", "notes": list(entry.notes), "miss": entry.miss or {}}
    if redaction.holds_known(told):
        entry = msgspec.structs.replace(
            entry,
            message=entry.message and redaction.line(entry.message),
            notes=tuple(map(redaction.line, entry.notes)),
            miss=entry.miss and redaction.value(entry.miss),
        )
    if summary is None or not redaction.holds_known(_names(summary.kept)):
        return entry
    kept = summary.kept
    documents = tuple(
        replace(each, identity=redaction.line(each.identity), filename=each.filename and redaction.line(each.filename))
        for each in kept.documents
    )
    domain = kept.domain and redaction.line(kept.domain)
    changed = msgspec.structs.replace(kept, model=redaction.line(kept.model), domain=domain, documents=documents)
    return msgspec.structs.replace(entry, request=msgspec.structs.replace(summary, kept=changed))


def _names(kept: ExtractionRequest) -> list[str]:
    """Return what a client called the parts of its request."""
    names = [kept.model, kept.domain, *(name for each in kept.documents for name in (each.identity, each.filename))]
    return [name for name in names if name]


@dataclass(frozen=True, slots=True)
class JournalQuery:
    """Which entries are wanted; what is None does not matter. `since` and `until` are in seconds since 1970."""

    id: str | None = None
    kind: EnvelopeKind | None = None
    domain: str | None = None
    status: int | None = None
    source: str | None = None
    fault: str | None = None
    since: float | None = None
    until: float | None = None

    def wants(self, entry: Entry) -> bool:
        """Return whether an entry is wanted."""
        for name in ("id", "kind", "domain", "status", "source", "fault"):
            wanted = getattr(self, name)
            if wanted is not None and wanted != getattr(entry, name):
                return False
        early = self.since is not None and entry.time < self.since
        late = self.until is not None and entry.time > self.until
        return not (early or late)


class JournalItem(Protocol):
    """What the journal keeps: something that an entry is made of when the journal is read, which is seldom."""

    @property
    def request(self) -> RequestSummary | None:
        """Return what is kept of the request."""

    def complete_entry(self) -> Entry:
        """Return the entry, the same every time."""


class Journal:
    """The latest entries, in the order in which they were answered. `dropped` counts those that made room for them."""

    def __init__(self, most_entries: int = MOST_ENTRIES, most_bytes: int = MOST_BYTES) -> None:
        self._entries: deque[tuple[JournalItem, int]] = deque()  # each with about how many bytes it takes
        self._most_entries = most_entries
        self._most_bytes = most_bytes
        self._bytes = 0
        self._lock = Lock()
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return (item.complete_entry() for item in self.items())

    def items(self) -> tuple[JournalItem, ...]:
        """Return what entries are made of."""
        with self._lock:
            return tuple(item for item, _ in self._entries)

    def add(self, item: JournalItem) -> None:
        """Keep an entry; the oldest make room."""
        request = item.request
        size = ENTRY_BYTES + (request.size if request else 0)
        with self._lock:
            entries = self._entries
            entries.append((item, size))
            self._bytes += size
            while len(entries) > self._most_entries or (self._bytes > self._most_bytes and len(entries) > 1):
                self._bytes -= entries.popleft()[1]
                self.dropped += 1

    def remove(self, query: JournalQuery) -> int:
        """Forget the entries that a query wants, and return how many they were."""
        with self._lock:
            kept = deque(each for each in self._entries if not query.wants(each[0].complete_entry()))
            removed = len(self._entries) - len(kept)
            self._entries = kept
            self._bytes = sum(size for _, size in kept)
        return removed

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()
            self._bytes = 0
            self.dropped = 0
