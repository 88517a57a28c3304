"""Fixtures that the page begins with: for a request that was sent, or for a document that is dropped."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from vlmrun_mock.documents.identity import Document
from vlmrun_mock.fixtures.domains import Domains
from vlmrun_mock.mock.journal import Entry
from vlmrun_mock.recording.store import name_of
from vlmrun_mock.schema.grounding import ungrounded


def of_entry(entry: Entry, content: Any, domains: Domains) -> dict[str, Any]:
    """Return a fixture that answers a request as it was answered, or with its domain's packaged answer."""
    match: dict[str, Any] = {}
    if entry.domain:
        match["domain"] = entry.domain
    if entry.documents:
        match["documents"] = _named(entry.documents)
    elif entry.text:
        match["text"] = {"equals": entry.text}
    if content is None:
        domain = domains.get(entry.domain) if entry.domain else None
        content = domain.content if domain else {}
    return {"name": _name(entry), "text": written({"match": match, "answer": {"content": ungrounded(content)}})}


def of_document(document: Document, domain: str, domains: Domains) -> dict[str, Any]:
    """Return a fixture that answers for a document with the packaged answer of a domain."""
    known = domains.get(domain)
    content = known.content if known else {}
    stem = re.sub(r"[^a-z0-9]+", "-", (document.filename or "document").rpartition(".")[0].lower()).strip("-")
    match = {"domain": domain, "documents": _named([document])}
    name = f"{domain}/{stem or 'document'}.json"
    return {"name": name, "text": written({"match": match, "answer": {"content": content}})}


def written(data: Any) -> str:
    """Return a fixture as a person writes it."""
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def _named(documents: Sequence[Document]) -> list[Any]:
    """Return documents as a fixture names them: with what a reader wants to know beside the hash."""
    return [_document(each) for each in documents]


def _document(document: Document) -> Any:
    if not document.identity.startswith("sha256:"):
        return document.identity
    known = {"filename": document.filename, "media_type": document.media_type, "size": document.size}
    return {"identity": document.identity, **{name: value for name, value in known.items() if value}}


def _name(entry: Entry) -> str:
    """Return a file's name: that of a recording, without the digits if it says enough."""
    if entry.request is None:
        return "no-domain/request.json"
    name = name_of(entry.request.kept)
    first = next((each.filename for each in entry.documents if each.filename), None)
    if first:
        stem = re.sub(r"[^a-z0-9]+", "-", first.rpartition(".")[0].lower()).strip("-")
        return f"{name.rpartition('/')[0]}/{stem or 'document'}.json"
    return name
