"""What went over the wire, in a form to be looked at: the documents' bytes apart, secrets taken out, streams read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from vlmrun_mock.api.envelopes import content_of, parsed
from vlmrun_mock.documents import identity
from vlmrun_mock.documents.identity import BARE_BASE64, Document
from vlmrun_mock.redaction import Redaction
from vlmrun_mock.redaction.credentials import credentials
from vlmrun_mock.web.body import inflated
from vlmrun_mock.web.exchange import Exchange
from vlmrun_mock.web.transport import RawHeaders

LONGEST_SHOWN = 200_000
"""Characters of a body that is no JSON which are shown."""

LARGEST_UNPACKED = 64 * 1024 * 1024
"""How many bytes of a body in gzip are unpacked to be shown."""

SHORTEST_DOCUMENT = 32
"""Characters from which on a text may be a document in base64."""

EVENT = b"data: "
DONE = b"[DONE]"

OWN_NAMES = ("image", "document", "file", "url", "data", "file_data", "base64")
"""The keys below which bare base64 is a document, as the native API takes it."""

SECRET_HEADERS = ("authorization", "x-api-key", "cookie", "proxy-authorization")


@dataclass(frozen=True, slots=True)
class DocumentBytes:
    """A document with its bytes."""

    document: Document
    data: bytes


@dataclass(frozen=True, slots=True)
class SentBody:
    """The body of a request: as JSON, or as text where it is none; its documents in their places are only named."""

    json: Any
    text: str | None
    documents: Mapping[str, DocumentBytes]
    """The documents by their identities."""


def request_of(exchange: Exchange) -> SentBody:
    """Return what a client sent."""
    raw = b"".join(exchange.received)
    headers = dict(exchange.headers)
    if headers.get(b"content-encoding", b"").lower() == b"gzip":
        raw = inflated(raw, LARGEST_UNPACKED)
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError):
        return SentBody(None, raw[:LONGEST_SHOWN].decode("utf-8", "replace"), {})
    found: dict[str, DocumentBytes] = {}
    return SentBody(_without_documents(data, "", found), None, found)


def _without_documents(value: Any, name: str, found: dict[str, DocumentBytes]) -> Any:
    if isinstance(value, str):
        return _named(value, name, found)
    if isinstance(value, list):
        return [_without_documents(each, name, found) for each in value]
    if isinstance(value, dict):
        return {key: _without_documents(each, key, found) for key, each in value.items()}
    return value


def _named(text: str, name: str, found: dict[str, DocumentBytes]) -> str:
    """Return what stands for a text: for a document its type, its size and its identity."""
    if len(text) < SHORTEST_DOCUMENT:
        return text
    head = ""
    if text[:5].lower() == "data:":
        head = text.partition(",")[0]
        data = identity.data_of(text)
    elif name in OWN_NAMES and text.startswith(tuple(BARE_BASE64)):
        data = _from_base64(text)
    else:
        return text
    if not data:
        return text
    known = identity.from_bytes(data, media_type=head[5:].partition(";")[0] or None)
    found.setdefault(known.identity, DocumentBytes(known, data))
    return f"{head}{',' if head else ''}…({len(data):,} bytes, {known.identity})"


def _from_base64(text: str) -> bytes | None:
    try:
        return identity.from_base64(text)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class SentAnswer:
    """The body of an answer: as JSON or as text, what it says as an answer, and the chunks of a stream."""

    json: Any
    text: str | None
    content: Any
    is_content: bool
    chunks: tuple[Mapping[str, Any], ...] = ()


def answer_of(exchange: Exchange, began: float) -> SentAnswer:
    """Return what was answered; `began` is when the request came, in seconds since 1970."""
    raw = b"".join(exchange.sent)
    headers = dict(exchange.answer_headers)
    if headers.get(b"content-type", b"").startswith(b"text/event-stream"):
        chunks = tuple(_chunks(exchange, began))
        text = "".join(each["text"] for each in chunks)
        content, is_content = parsed(text)
        return SentAnswer(
            None, raw[:LONGEST_SHOWN].decode("utf-8", "replace"), content, is_content or bool(text), chunks
        )
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError):
        return SentAnswer(None, raw[:LONGEST_SHOWN].decode("utf-8", "replace"), None, is_content=False)
    content, is_content = content_of(data)
    return SentAnswer(data, None, content, is_content)


def _chunks(exchange: Exchange, began: float) -> Iterator[dict[str, Any]]:
    """Yield the chunks of a stream: when each went out, in seconds after the request came, and its part of the text."""
    for when, piece in zip(exchange.times, exchange.sent, strict=True):
        for line in piece.split(b"\n\n"):
            if line.startswith(EVENT):
                said = line.removeprefix(EVENT)
                yield {"seconds": when - began, "bytes": len(line), "text": _delta(said), "is_end": said == DONE}


def _delta(said: bytes) -> str:
    """Return the text in a chunk."""
    try:
        delta = json.loads(said)["choices"][0]["delta"]["content"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return ""
    return delta if isinstance(delta, str) else ""


def redaction_of(exchange: Exchange | None, key: str) -> Redaction:
    """Return what takes the client's own secrets out, and what looks like one."""
    known = credentials(exchange.headers, exchange.query) if exchange else set()
    return Redaction([*known, *([key] if key else [])])


def headers_of(headers: RawHeaders, redaction: Redaction) -> list[list[str]]:
    """Return headers as text, without secrets."""
    shown = []
    for raw_name, raw in headers:
        name, value = raw_name.decode("latin-1"), raw.decode("utf-8", "replace")
        shown.append([name, _hidden(name, value) if name in SECRET_HEADERS else redaction.line(value)])
    return shown


def _hidden(name: str, value: str) -> str:
    """Return a header that holds a secret: its scheme alone."""
    scheme, blank, _ = value.partition(" ")
    return f"{scheme} <redacted>" if name.endswith("authorization") and blank else "<redacted>"
