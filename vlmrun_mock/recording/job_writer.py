"""From what identifies a request back to the bytes of a body that asks for a prediction or an execution."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from vlmrun_mock.api import execution_parser
from vlmrun_mock.api.prediction import Kind
from vlmrun_mock.api.prediction_parser import ROUTES
from vlmrun_mock.api.request import ExtractionRequest
from vlmrun_mock.documents.identity import Document
from vlmrun_mock.fixtures.match import Match
from vlmrun_mock.recording.jobs import EXECUTE
from vlmrun_mock.recording.request_writer import METADATA, document_part

PATHS = frozenset({*ROUTES, EXECUTE})


def is_uploaded(path: str) -> bool:
    """Return whether a document is uploaded before it is asked for at a path, instead of standing in the body."""
    return path != EXECUTE and ROUTES[path][0] != "image"


def body(path: str, match: Match, addresses: Sequence[str], model: object, name: str | None) -> bytes:
    """Return the body of a request that a match which is whole matches.

    Documents are at `addresses`: http and data URLs, or `file:` and the id of a file that is uploaded before.
    """
    wanted = match.parts
    config = {**(wanted.config or {}), **({"json_schema": wanted.schema} if wanted.schema else {})}
    written: dict[str, Any] = {"metadata": METADATA, "config": config or None}
    if path == EXECUTE:
        texts = [text for message in wanted.messages or () for text in _texts(message)]
        inputs = [{"type": "text", "text": text} for text in texts]
        inputs += [document_part("input_file", each) for each in addresses]
        written |= {"batch": True, "name": name, "model": model, "inputs": inputs or None}
    else:
        named = "name" if path.endswith("/execute") else "domain"
        written |= {named: match.domain or None, **_documents(ROUTES[path][0], addresses)}
    return json.dumps({key: value for key, value in written.items() if value is not None}).encode()


def parsed(path: str, raw: bytes, uploaded: Mapping[str, Document]) -> ExtractionRequest:
    """Return what a body asks for, with the documents that are uploaded before; raises InvalidRequest."""
    if path == EXECUTE:
        return execution_parser.parse(raw).extraction
    kind, parse = ROUTES[path]
    request = parse(raw, kind, None).extraction
    documents = (uploaded.get(each.identity.removeprefix("file:"), each) for each in request.documents)
    return replace(request, documents=tuple(documents))


def _documents(kind: Kind, addresses: Sequence[str]) -> dict[str, Any]:
    if kind == "image":
        return {"images": list(addresses)}
    return {"file_id" if each.startswith("file:") else "url": each.removeprefix("file:") for each in addresses}


def _texts(message: Mapping[str, Any]) -> Sequence[str]:
    content = message["content"]
    return [content] if isinstance(content, str) else content
