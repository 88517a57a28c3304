"""What the journal keeps of a request: short, in bounds, and described in a few words."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from functools import lru_cache
from itertools import accumulate
from typing import Any

import msgspec

from vlmrun_mock.api.request import NO_CONFIG, ExtractionRequest, Message
from vlmrun_mock.display import printable
from vlmrun_mock.documents.identity import Document
from vlmrun_mock.json_text import compact
from vlmrun_mock.redaction import Redaction

LONGEST_TEXT = 20_000
"""Characters of a request's texts, and of its prompt and its selection, that an entry keeps."""

LONGEST_NAME = 2_000
"""Characters of a model's, a domain's or a document's name that an entry keeps."""

LARGEST_OBJECT = 20_000
"""Bytes that a caller's schema or metadata may have as compact JSON, to be kept."""

LONGEST_WRITTEN = 200_000
"""Bytes of a request, documents aside, of which an object is written as JSON to be measured."""

MOST_DOCUMENTS = 100
"""Documents of one request that an entry keeps."""

SHOWN = 60
"""Characters of a client's string that a log line shows."""

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
    if request.schema and _is_large(request.schema.schema, request.size):
        yield "schema", None
    config = request.config
    if any(text and len(text) > LONGEST_TEXT for text in (config.prompt, config.gql_stmt)):
        yield "config", replace(config, prompt=_cut(config.prompt), gql_stmt=_cut(config.gql_stmt))
    if _is_large(request.metadata, request.size):
        yield "metadata", {}


def _cut_request(request: ExtractionRequest, changes: Mapping[str, Any]) -> ExtractionRequest:
    text = changes.get("text", request.text)
    given = {name: value for name, value in changes.items() if name != "text"}
    return msgspec.structs.replace(request, messages=(Message("", (text,)),), **given)


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


def _is_large(value: object, size: int) -> bool:
    """Return whether an object of a request of this size is too large to be kept.

    One that is far too large is not written out to be measured, which would keep the interpreter to itself.
    """
    if size > LONGEST_WRITTEN and any(least > LARGEST_OBJECT for least in accumulate(_least(value))):
        return True
    return len(compact(value)) > LARGEST_OBJECT


def _least(value: object) -> Iterator[int]:
    """Yield how many characters, or more, each part of a JSON value takes."""
    if isinstance(value, str):
        yield len(value)
    elif isinstance(value, dict):
        for key, each in value.items():
            yield len(key)
            yield from _least(each)
    elif isinstance(value, list):
        for each in value:
            yield from _least(each)
    yield 1


def _size(kept: ExtractionRequest) -> int:
    """Return about how many bytes the kept parts of a request take."""
    config = kept.config
    own = [text for message in kept.messages for text in message.texts]
    own = own if len(own) > 1 else []  # a single text is the whole
    texts = (kept.text, config.prompt, config.gql_stmt, kept.model, kept.domain, *own)
    schema = len(compact(kept.schema.schema)) if kept.schema else 0
    objects = (schema + len(compact(kept.metadata))) * BYTES_PER_CHARACTER
    documents = sum(len(document.identity) + DOCUMENT_BYTES for document in kept.documents)
    return sum(sys.getsizeof(text) for text in texts if text) + objects + documents
