"""One request and what became of it, as the log shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from vlmrun_mock.chat_request import ChatRequest
from vlmrun_mock.documents import Document

SHOWN = 60
"""How many characters of a client's string a line shows."""


@dataclass(slots=True)
class Exchange:
    """Facts about one request, filled in on its way; `seconds` is how long it took."""

    request_id: str
    method: str
    path: str
    status: int = 0
    seconds: float = 0.0
    summary: str = ""
    notes: list[str] = field(default_factory=list)

    def line(self, time: str) -> str:
        """Return the exchange on one line: time, method or domain, documents, source, tokens, status, notes."""
        what = self.summary or f"{self.method} {shown(self.path)}"
        notes = "".join(f"  [{note}]" for note in self.notes)
        return f"{time}  {self.status}  {what}  {self.seconds * 1000:.0f} ms{notes}"


def shown(text: str) -> str:
    """Return a client's string fit for a terminal: shortened, without control characters."""
    text = text if len(text) <= SHOWN else text[:SHOWN] + "…"
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
        words.append(document.identity)
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
