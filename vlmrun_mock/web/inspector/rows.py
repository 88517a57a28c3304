"""One request in a line of the list, as data: little enough that a thousand of them are one answer."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from vlmrun_mock.documents.identity import Document
from vlmrun_mock.mock.journal import Entry
from vlmrun_mock.mock.request_summary import shown
from vlmrun_mock.web.inspector import pictures

MOST_THUMBNAILS = 3
"""Documents of a request that a line shows; the others are counted."""


def row(entry: Entry, key: str, *, kept: bool) -> dict[str, Any]:
    """Return an entry of the journal of a key as a line of the list; `kept`: with the bytes of its documents."""
    usage: Mapping[str, int] = entry.usage
    return {
        "id": entry.id,
        "time": entry.time,
        "seconds": entry.seconds,
        "kind": entry.kind,
        "status": entry.status,
        "domain": shown(entry.domain) if entry.domain else None,
        "model": shown(entry.model) if entry.model else None,
        "schema": entry.schema is not None,
        "documents": [
            {**document(each), "pictured": kept and pictures.is_shown(each)}
            for each in entry.documents[:MOST_THUMBNAILS]
        ],
        "document_count": len(entry.documents),
        "source": entry.source,
        "fixture": entry.fixture,
        "tokens": [usage["prompt_tokens"], usage["completion_tokens"]] if "completion_tokens" in usage else None,
        "fault": entry.fault,
        "error": entry.error,
        "missed": entry.miss is not None,
        "notes": list(entry.notes),
        "key": mark_of(key),
    }


def document(given: Document) -> dict[str, Any]:
    """Return what a document is."""
    return {
        "identity": given.identity,
        "kind": given.kind,
        "media_type": given.media_type,
        "size": given.size,
        "width": given.width,
        "height": given.height,
        "filename": given.filename,
    }


def mark_of(key: str) -> str:
    """Return what tells a key from others and shows nothing of it; empty for none."""
    if not key:
        return ""
    return hashlib.sha256(hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()).hexdigest()[:6]
