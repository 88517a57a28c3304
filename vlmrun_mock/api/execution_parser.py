"""From the bytes of a body to an execution: what an agent is asked for, as an extraction request."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from vlmrun_mock import typed
from vlmrun_mock.api import chat_parser
from vlmrun_mock.api.bodies import DEFAULT_METADATA, Part, TextPart, read
from vlmrun_mock.api.errors import ApiError
from vlmrun_mock.api.native_bodies import ExecutionBody, callback
from vlmrun_mock.api.request import DEFAULT_ROLE, NO_CONFIG, CallerSchema, Config, ExtractionRequest, Message, Place
from vlmrun_mock.documents.embedded import EmbeddedDocuments
from vlmrun_mock.documents.identity import Document

USUAL_MODEL = "vlmrun-orion-1:auto"

OWN = "/_mock/files/"
"""What the address of an uploaded file has in it."""


@dataclass(frozen=True, slots=True)
class Execution:
    """What a client sent to have an agent executed. `name` is empty where none was sent."""

    extraction: ExtractionRequest
    name: str
    mode: str | None
    callback_url: str | None


def parse(raw: bytes, embedded: EmbeddedDocuments | None = None) -> Execution:
    """Return the execution in a body; raises InvalidRequest, and ApiError for what is no batch.

    `embedded` are the documents in it, if they are taken out already.
    """
    return chat_parser.without_documents(_execution, raw, embedded)


def _execution(raw: bytes, embedded: EmbeddedDocuments | None) -> Execution:
    body, sent = read(ExecutionBody, raw)
    if body.batch is False:
        raise ApiError("An execution is a batch: leave `batch` out, or send true")
    texts: list[str] = []
    documents = list(_inputs(body.inputs, ("body", "inputs"), texts, embedded))
    for index, url in enumerate(body.urls or ()):
        documents.append(chat_parser.from_url(url, "input_file", ("body", "urls", index), embedded))
    for index, file_id in enumerate(body.file_ids or ()):
        if file_id:
            documents.append(chat_parser.from_file_id(file_id, ("body", "file_ids", index)))
    given = body.config
    config = NO_CONFIG
    if given and (given.prompt or given.skills):
        config = Config(prompt=given.prompt, further={"skills": given.skills} if given.skills else {})
    schema = given.json_schema if given else None
    extraction = ExtractionRequest(
        messages=(Message(DEFAULT_ROLE, tuple(texts), (len(texts),) * len(documents)),),
        documents=tuple(documents),
        schema=CallerSchema(schema, ("body", "config", "json_schema")) if schema else None,
        config=config,
        metadata={**DEFAULT_METADATA, **(sent.get("metadata") or {})},
        model=body.model or USUAL_MODEL,
        size=len(raw),
    )
    return Execution(extraction, body.name or "", given.mode if given else None, callback(body.callback_url))


def _inputs(value: Any, place: Place, texts: list[str], embedded: EmbeddedDocuments | None) -> Iterator[Document]:
    """Yield the documents among the inputs, which are content parts or any JSON; put what is said into `texts`."""
    if isinstance(value, dict):
        part = _part(value)
        if isinstance(part, TextPart):
            texts.append(part.text)
        elif part is not None:
            yield chat_parser.document_of(part, place, embedded)
        else:
            for key, each in value.items():
                yield from _inputs(each, (*place, key), texts, embedded)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _inputs(each, (*place, index), texts, embedded)
    elif isinstance(value, str) and (value[:5].lower() == "data:" or OWN in value):
        yield chat_parser.from_url(value, "input_file", place, embedded)
    elif value is not None:
        texts.append(str(value))


def _part(value: dict[str, Any]) -> Any:
    if not isinstance(value.get("type"), str):
        return None
    try:
        return typed.convert(value, Part)
    except msgspec.ValidationError:
        return None
