"""One request and what became of it, as the log shows it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from vlmrun_mock.api.errors import ApiError
from vlmrun_mock.api.request import ChatRequest
from vlmrun_mock.documents.identity import Document
from vlmrun_mock.mock.journal import Asked, Entry, Journal
from vlmrun_mock.redaction import Redaction

SHOWN = 60
"""How many characters of a client's string a line shows."""


@dataclass(slots=True)
class Exchange:
    """Facts about one request, filled in on its way; `seconds` is how long it took.

    `journal` is where it is recorded: chat requests are, in that of their key's scope. `digest` is the SHA-256 of a
    body that could not be read as one.
    """

    request_id: str
    method: str
    path: str
    started: float
    status: int = 0
    seconds: float = 0.0
    summary: str = ""
    notes: list[str] = field(default_factory=list)
    journal: Journal | None = None
    asked: Asked | None = None
    source: str | None = None
    fixture: str | None = None
    usage: Mapping[str, int] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    error: ApiError | None = None
    fault: str | None = None
    recorded: float = 0.0
    digest: str | None = None
    retry_after: float | None = None

    def line(self, time: str) -> str:
        """Return the exchange on one line: time, method or domain, documents, source, tokens, status, notes."""
        what = self.summary or f"{self.method} {shown(self.path)}"
        notes = "".join(f"  [{note}]" for note in self.notes)
        return f"{time}  {self.status}  {what}  {self.seconds * 1000:.0f} ms{notes}"

    def record(self, now: float) -> None:
        """Write the exchange into the journal, once, and before the client can see the answer."""
        journal, self.journal = self.journal, None
        if journal is not None:
            self.recorded = now
            journal.add(self)

    def entry(self) -> Entry:
        """Return what the journal says of the exchange; nothing that it shows changes once it was recorded."""
        error = self.error
        return Entry(
            id=self.request_id,
            time=self.started,
            seconds=self.recorded - self.started,
            status=self.status,
            asked=self.asked,
            source=self.source,
            fixture=self.fixture,
            usage=self.usage,
            ignored=self.ignored,
            error=error.code if error else None,
            message=error.message if error else None,
            param=error.param if error else None,
            miss=error.data.get("miss") if error else None,
            fault=self.fault,
            retry_after=seconds_of(error.headers) if error else self.retry_after,
            notes=tuple(self.notes),
            digest=self.digest,
        )


def seconds_of(headers: Mapping[str, str]) -> float | None:
    """Return what a Retry-After header asks for, in seconds; a date is not read."""
    wanted = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    return float(wanted) if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", wanted) else None


def shown(text: str, most: int = SHOWN) -> str:
    """Return a client's string fit for a terminal: at most so many characters, and no control characters."""
    text = text if len(text) <= most else text[:most] + "…"
    return "".join(character if character.isprintable() else "�" for character in text)


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
    return shown(" ".join(words))


def describe_request(request: ChatRequest) -> str:
    """Return what a request is about: its domain, or its schema, and its documents."""
    about = shown(request.domain) if request.domain else "no domain"
    if request.schema:
        about += " + schema"
    return f"{about}  {describe_documents(request.documents)}"


def header_safe(text: str) -> str:
    """Return text as a header's value: what is not plain ASCII is percent-encoded."""
    return quote(text, safe=" !#$&'()*+,/:;=?@[]^`{|}~")
