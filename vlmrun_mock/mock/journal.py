"""What was asked and what was answered: bounded, without keys and without the documents' bytes."""

from __future__ import annotations

import json
import sys
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from threading import Lock
from typing import Any, Protocol

from vlmrun_mock.api.request import ExtractionRequest, RequestParts
from vlmrun_mock.display import printable
from vlmrun_mock.documents.identity import Document
from vlmrun_mock.redaction import Redaction

LONGEST_TEXT = 20_000
"""Characters of a request's texts, and of its prompt and its selection, that an entry keeps."""

LONGEST_NAME = 2_000
"""Characters of a model's, a domain's or a document's name that an entry keeps."""

LARGEST_OBJECT = 20_000
"""Characters that a caller's schema or metadata may have as JSON, to be kept."""

MOST_DOCUMENTS = 100
"""Documents of one request that an entry keeps."""

SHOWN = 60
"""Characters of a client's string that a log line shows."""

MOST_ENTRIES = 1_000
MOST_BYTES = 8_000_000

ENTRY_BYTES = 3_000
"""About what an entry takes without a text, a schema, metadata and documents."""

DOCUMENT_BYTES = 400
"""About what a document takes beside its identity."""

BYTES_PER_CHARACTER = 8
"""About what an object takes in memory for each character of its JSON."""


@dataclass(frozen=True, slots=True)
class RequestSummary:
    """What is kept of a request. `truncated` names what was too long: a text is cut, an object left out.

    `domain` is in its present spelling. `about` says in a few words what the request is about. `size` is about how
    many bytes all this takes in memory.
    """

    model: str
    domain: str | None
    documents: tuple[Document, ...]
    text: str
    schema: Mapping[str, Any] | None
    config: Mapping[str, Any]
    metadata: Mapping[str, Any]
    fingerprint: str
    truncated: tuple[str, ...]
    about: str
    size: int


def summarise(request: ExtractionRequest, fingerprint: str | None = None) -> RequestSummary:
    """Return what is kept of a request, whose domain is in its present spelling.

    The fingerprint is the request's own, unless the request was sent with another spelling of the domain.
    """
    given: dict[str, Any] = {
        "model": request.model,
        "domain": request.domain,
        "documents": request.documents,
        "text": request.text,
        "schema": request.schema.schema if request.schema else None,
        "config": request.config.known,
        "metadata": request.metadata,
    }
    kept: dict[str, Any] = {
        "model": request.model[:LONGEST_NAME],
        "domain": request.domain[:LONGEST_NAME] if request.domain else request.domain,
        "documents": tuple(map(_short, request.documents[:MOST_DOCUMENTS])),
        "text": request.text[:LONGEST_TEXT],
        "schema": given["schema"] if _is_small(given["schema"]) else None,
        "config": {name: _cut(value) for name, value in given["config"].items()},
        "metadata": request.metadata if _is_small(request.metadata) else {},
    }
    return RequestSummary(
        **kept,
        fingerprint=fingerprint or request.fingerprint,
        truncated=tuple(name for name, value in given.items() if kept[name] != value),
        about=describe_request(request),
        size=_size(kept),
    )


def describe_request(request: ExtractionRequest) -> str:
    """Return what a request is about: its domain, or its schema, and its documents."""
    about = printable(request.domain, SHOWN) if request.domain else "no domain"
    if request.schema:
        about += " + schema"
    return f"{about}  {describe_documents(request.documents)}"


def describe_documents(documents: Sequence[Document]) -> str:
    """Return the documents of a request in a few words, such as `jpeg 1275x1650 128 kB`."""
    if not documents:
        return "no document"
    first = describe_document(documents[0])
    return first if len(documents) == 1 else f"{len(documents)} documents ({first}, …)"


def describe_document(document: Document) -> str:
    """Return one document in a few words."""
    words = [(document.media_type or document.kind).rsplit("/", 1)[-1]]
    if document.width:
        words.append(f"{document.width}x{document.height}")
    if document.size is not None:
        words.append(f"{document.size / 1000:.0f} kB")
    else:
        words.append(Redaction(()).text(document.identity))
    return printable(" ".join(words), SHOWN)


def _short(document: Document) -> Document:
    if len(document.identity) <= LONGEST_NAME:
        return document
    return replace(document, identity=document.identity[:LONGEST_NAME])


def _cut(value: Any) -> Any:
    return value[:LONGEST_TEXT] if isinstance(value, str) else value


def _is_small(value: object) -> bool:
    return not value or len(json.dumps(value)) <= LARGEST_OBJECT


def _size(kept: Mapping[str, Any]) -> int:
    """Return about how many bytes the kept parts of a request take."""
    texts = (kept["text"], kept["config"]["prompt"], kept["config"]["gql_stmt"], kept["model"], kept["domain"])
    objects = len(json.dumps([kept["schema"], kept["metadata"]])) * BYTES_PER_CHARACTER
    documents = sum(sys.getsizeof(document.identity) + DOCUMENT_BYTES for document in kept["documents"])
    return sum(sys.getsizeof(text) for text in texts if text) + objects + documents


NOTHING = RequestSummary("", None, (), "", None, {}, {}, "", (), "", 0)
"""What is kept of a body that is no request."""


@dataclass(frozen=True)
class Entry:
    """One request and its answer: all that the log, the headers, the journal and the verdict say of them.

    `time` is in seconds since 1970, `seconds` how long the answer took; `status` is 0 where the connection was cut
    before one was sent. `request` is None for a body that cannot be read, of which `digest` is then the SHA-256.
    `miss` explains a request that no fixture of the user's matched, `fault` names an injected failure, `retry_after`
    is what the client was told to wait, in seconds. `notes` are what the log says in brackets.
    """

    id: str = ""
    time: float = 0.0
    seconds: float = 0.0
    status: int = 0
    request: RequestSummary | None = None
    source: str | None = None
    fixture: str | None = None
    usage: Mapping[str, int] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    error: str | None = None
    message: str | None = None
    param: str | None = None
    miss: Mapping[str, Any] | None = None
    fault: str | None = None
    retry_after: float | None = None
    notes: tuple[str, ...] = ()
    digest: str | None = None

    @cached_property
    def summary(self) -> str:
        """Return what was asked and who answered in a few words; nothing for what is no request."""
        if self.request is None and self.source is None:
            return ""
        # The recording of an upstream's answer is in its notes.
        source = [self.source, None if self.source == "upstream" else self.fixture]
        tokens = f"{self.usage['prompt_tokens']}+{self.usage['completion_tokens']} tokens" if self.usage else None
        about = self.request.about if self.request else "unread"
        return "  ".join(filter(None, (about, " ".join(filter(None, source)), tokens)))

    @property
    def end(self) -> float:
        """Return when it was answered, in seconds since 1970."""
        return self.time + self.seconds

    @property
    def domain(self) -> str | None:
        """Return the domain that was asked for."""
        return self.request.domain if self.request else None

    @property
    def documents(self) -> tuple[Document, ...]:
        """Return the documents that were sent."""
        return self.request.documents if self.request else ()

    @property
    def text(self) -> str:
        """Return the texts of all messages."""
        return self.request.text if self.request else ""

    @property
    def model(self) -> str | None:
        """Return the model that was asked for."""
        return self.request.model if self.request else None

    @property
    def schema(self) -> Mapping[str, Any] | None:
        """Return the caller's schema."""
        return self.request.schema if self.request else None

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Return the request's metadata."""
        return self.request.metadata if self.request else {}

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
        data = asdict(self)
        about = asdict(self.request or NOTHING)
        del data["request"], data["digest"], about["size"], about["about"]
        return {**data, **about, "domain": self.domain, "model": self.model, "fingerprint": self.fingerprint}


@dataclass(frozen=True, slots=True)
class Query:
    """Which entries are wanted; what is None does not matter. `since` and `until` are in seconds since 1970."""

    id: str | None = None
    domain: str | None = None
    status: int | None = None
    source: str | None = None
    fault: str | None = None
    since: float | None = None
    until: float | None = None

    def wants(self, entry: Entry) -> bool:
        """Return whether an entry is wanted."""
        for name in ("id", "domain", "status", "source", "fault"):
            wanted = getattr(self, name)
            if wanted is not None and wanted != getattr(entry, name):
                return False
        early = self.since is not None and entry.time < self.since
        late = self.until is not None and entry.time > self.until
        return not (early or late)


class Recorded(Protocol):
    """What the journal keeps: something that an entry is made of when the journal is read, which is seldom."""

    @property
    def request(self) -> RequestSummary | None:
        """Return what is kept of the request."""

    def complete_entry(self) -> Entry:
        """Return the entry, the same every time."""


class Journal:
    """The latest entries, in the order in which they were answered. `dropped` counts those that made room for them."""

    def __init__(self, most_entries: int = MOST_ENTRIES, most_bytes: int = MOST_BYTES) -> None:
        self._entries: deque[Recorded] = deque()
        self._most_entries = most_entries
        self._most_bytes = most_bytes
        self._bytes = 0
        self._lock = Lock()
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        with self._lock:
            recorded = tuple(self._entries)
        return (each.complete_entry() for each in recorded)

    def add(self, entry: Recorded) -> None:
        """Keep an entry; the oldest make room."""
        with self._lock:
            self._entries.append(entry)
            self._bytes += _bytes(entry)
            while self._too_much():
                self._bytes -= _bytes(self._entries.popleft())
                self.dropped += 1

    def remove(self, query: Query) -> int:
        """Forget the entries that a query wants, and return how many they were."""
        with self._lock:
            kept = deque(entry for entry in self._entries if not query.wants(entry.complete_entry()))
            removed = len(self._entries) - len(kept)
            self._entries = kept
            self._bytes = sum(map(_bytes, kept))
        return removed

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()
            self._bytes = 0
            self.dropped = 0

    def _too_much(self) -> bool:
        many = len(self._entries) > self._most_entries
        return many or (self._bytes > self._most_bytes and len(self._entries) > 1)


def _bytes(entry: Recorded) -> int:
    return ENTRY_BYTES + (entry.request.size if entry.request else 0)
