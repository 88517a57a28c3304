"""What was asked and what was answered: bounded, without keys and without the documents' bytes."""

from __future__ import annotations

import json
import sys
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from functools import lru_cache
from threading import Lock
from typing import Any, Literal, Protocol, TypeAlias

import msgspec

from vlmrun_mock.api.request import NO_CONFIG, ExtractionRequest, Message, RequestParts
from vlmrun_mock.display import printable
from vlmrun_mock.documents.identity import Document
from vlmrun_mock.redaction import Redaction

EnvelopeKind: TypeAlias = Literal["chat", "prediction", "execution"]

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

BYTES_OF_TEXT = 2
"""About what a text takes for each byte of it in a body: it may be kept by itself and joined with the others."""

BYTES_PER_CHARACTER = 8
"""About what an object takes in memory for each character of its JSON."""


class RequestSummary(msgspec.Struct, frozen=True):
    """What is kept of a request, with its domain in the present spelling.

    `truncated` names what was too long: a text is cut, an object left out. `size` is about how many bytes all this
    takes in memory.
    """

    kept: ExtractionRequest
    fingerprint: str
    truncated: tuple[str, ...] = ()
    size: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return what is kept as data."""
        kept = self.kept
        return {
            "model": kept.model,
            "domain": kept.domain,
            "documents": tuple(asdict(each) for each in kept.documents),
            "text": kept.text,
            "schema": kept.schema.schema if kept.schema else None,
            "config": kept.config.known,
            "metadata": kept.metadata,
            "fingerprint": self.fingerprint,
            "truncated": self.truncated,
        }


def summarise(request: ExtractionRequest, fingerprint: str | None = None) -> RequestSummary:
    """Return what is kept of a request, whose domain is in its present spelling.

    The fingerprint is the request's own, unless the request was sent with another spelling of the domain.
    """
    fingerprint = fingerprint or request.fingerprint
    if 0 < request.size <= LONGEST_NAME and len(request.documents) <= MOST_DOCUMENTS:
        is_text = request.schema is None and request.config is NO_CONFIG
        each = BYTES_OF_TEXT if is_text else BYTES_PER_CHARACTER
        weight = request.size * each + len(request.documents) * DOCUMENT_BYTES
        return RequestSummary(request, fingerprint, (), weight)
    changes = dict(_cuts(request))
    kept = request if not changes else _cut_request(request, changes)
    return RequestSummary(kept, fingerprint, tuple(changes), _size(kept))


def _cuts(request: ExtractionRequest) -> Iterator[tuple[str, Any]]:
    """Yield each part of a request that is too large to be kept, with what is kept of it."""
    if len(request.model) > LONGEST_NAME:
        yield "model", request.model[:LONGEST_NAME]
    if request.domain and len(request.domain) > LONGEST_NAME:
        yield "domain", request.domain[:LONGEST_NAME]
    documents = request.documents
    if len(documents) > MOST_DOCUMENTS or any(len(each.identity) > LONGEST_NAME for each in documents):
        yield "documents", tuple(map(_short, documents[:MOST_DOCUMENTS]))
    if len(request.text) > LONGEST_TEXT:
        yield "text", request.text[:LONGEST_TEXT]
    if request.schema and _json_length(request.schema.schema) > LARGEST_OBJECT:
        yield "schema", None
    config = request.config
    if any(text and len(text) > LONGEST_TEXT for text in (config.prompt, config.gql_stmt)):
        yield "config", replace(config, prompt=_cut(config.prompt), gql_stmt=_cut(config.gql_stmt))
    if _json_length(request.metadata) > LARGEST_OBJECT:
        yield "metadata", {}


def _cut_request(request: ExtractionRequest, changes: Mapping[str, Any]) -> ExtractionRequest:
    text = changes.get("text", request.text)
    given = {name: value for name, value in changes.items() if name != "text"}
    return replace(request, messages=(Message("", (text,)),), **given)


@lru_cache(maxsize=1_000)
def _summary(about: str, source: str, fixture: str, tokens: str) -> str:
    # The recording of an upstream's answer is in its notes.
    answered = " ".join(filter(None, (source, "" if source == "upstream" else fixture)))
    return "  ".join(filter(None, (about, answered, tokens)))


@lru_cache(maxsize=1_000)
def shown(name: str) -> str:
    """Return a client's name for something, without what looks like a secret, and short enough for a line."""
    return printable(Redaction(()).text(name[:LONGEST_NAME]), SHOWN)


def describe_request(request: ExtractionRequest) -> str:
    """Return what a request is about: its domain, or its schema, and its documents."""
    about = shown(request.domain) if request.domain else "no domain"
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


def _cut(text: str | None) -> str | None:
    return text[:LONGEST_TEXT] if text else text


def _json_length(value: object) -> int:
    return len(json.dumps(value))


def _size(kept: ExtractionRequest) -> int:
    """Return about how many bytes the kept parts of a request take."""
    config = kept.config
    own = [text for message in kept.messages for text in message.texts]
    own = own if len(own) > 1 else []  # a single text is the whole
    texts = (kept.text, config.prompt, config.gql_stmt, kept.model, kept.domain, *own)
    schema = _json_length(kept.schema.schema) if kept.schema else 0
    objects = (schema + _json_length(kept.metadata)) * BYTES_PER_CHARACTER
    documents = sum(len(document.identity) + DOCUMENT_BYTES for document in kept.documents)
    return sum(sys.getsizeof(text) for text in texts if text) + objects + documents


NOTHING = {**RequestSummary(ExtractionRequest(model=""), "").as_json(), "config": {}}
"""What an entry shows of a body that is no request."""


@dataclass(frozen=True)
class Entry:
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

    def changed(self, **facts: Any) -> Entry:
        """Return the entry with other facts: as `dataclasses.replace`, in a tenth of its time."""
        entry = object.__new__(Entry)
        entry.__dict__.update(self.__dict__, **facts)
        return entry

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
        data = {each.name: getattr(self, each.name) for each in fields(self) if each.name not in ("request", "digest")}
        about = self.request.as_json() if self.request else NOTHING
        return {**data, **about, "domain": self.domain, "model": self.model, "fingerprint": self.fingerprint}


def without_key(entry: Entry, key: str) -> Entry:
    """Return an entry with no name in it, and no message, that holds the client's key."""
    redaction, summary = Redaction([key]), entry.request
    told = {"message": entry.message or "", "notes": list(entry.notes), "miss": entry.miss or {}}
    if redaction.holds_known(told):
        entry = entry.changed(
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
    changed = replace(kept, model=redaction.line(kept.model), domain=domain, documents=documents)
    return entry.changed(request=msgspec.structs.replace(summary, kept=changed))


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
