"""From what identifies a request back to the bytes of a body: the way back of chat_parser."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from vlmrun_mock.api.request import DEFAULT_MODEL, ExtractionRequest
from vlmrun_mock.fixtures.match import Match

MODELS: Mapping[str, str] = {
    "vlm-1": DEFAULT_MODEL,
    "agents": "vlm-agent-1:auto",
    "orion": "vlmrun-orion-1:auto",
}
"""What a request asks for of whose model only the generation is known."""

DEFAULT_GENERATION = "vlm-1"

METADATA: Mapping[str, Any] = {"environment": "dev", "allow_training": False}
"""Metadata identify no request, so those of the first one are not known: nobody's documents are given away."""


Contents: TypeAlias = Sequence[Sequence[str | int]]
"""Of each message its texts and the numbers of its documents, in order; the first document is 1."""


def body(
    match: Match, documents: Sequence[Mapping[str, Any]], model: object = None, contents: Contents | None = None
) -> bytes:
    """Return the body of a request that a match which is whole matches; `documents` are parts of a message.

    Without `contents`, it is not known where among the messages the documents stood. How the request spelt its schema
    never is. A model of another generation than the match's is not asked for.
    """
    wanted = match.parts
    messages = wanted.messages or ()
    vlmrun = {"domain": match.domain, "json_schema": wanted.schema, "config": wanted.config}
    written: dict[str, Any] = {
        "model": _model(wanted.generation or DEFAULT_GENERATION, model),
        "messages": _messages(messages, documents)
        if contents is None
        else [_written(message, parts, documents) for message, parts in zip(messages, contents, strict=True)],
        "vlmrun": {**{name: value for name, value in vlmrun.items() if value}, "metadata": METADATA},
    }
    if wanted.json_object:
        written["response_format"] = {"type": "json_object"}
    return json.dumps(written).encode()


def document_part(kind: str, address: str) -> dict[str, Any]:
    """Return a document as a part of a message; its address is an http or data URL, or `file:` and a file's id."""
    if address.startswith("file:"):
        return {"type": "input_file", "input_file": {"file_id": address.removeprefix("file:")}}
    return {"type": kind, kind: {"file_url" if kind == "input_file" else "url": address}}


def data_url(data: bytes, media_type: str | None) -> str:
    """Return bytes as a data URL."""
    return f"data:{media_type or 'application/octet-stream'};base64,{base64.b64encode(data).decode()}"


def _model(generation: str, model: object) -> str:
    named = isinstance(model, str) and model and ExtractionRequest(model=model).generation == generation
    return str(model) if named else MODELS[generation]


def _written(
    message: Mapping[str, Any], parts: Sequence[str | int], documents: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return a message with each document in its place."""
    if all(isinstance(part, str) for part in parts):
        return _message(message, ())
    content = [{"type": "text", "text": part} if isinstance(part, str) else documents[part - 1] for part in parts]
    return {"role": message["role"], "content": content}


def _messages(messages: Sequence[Mapping[str, Any]], documents: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return messages with the documents after the texts of one of them.

    That is the last one of the user's without texts, which can but have held documents, else the user's last one.
    """
    users = [index for index, message in enumerate(messages) if message["role"] == "user"] or [*range(len(messages))]
    silent = [index for index in users if messages[index]["content"] == []]
    holder = next(reversed(silent or users), None)
    return [_message(message, documents if index == holder else ()) for index, message in enumerate(messages)]


def _message(message: Mapping[str, Any], documents: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    content = message["content"]
    if documents or not isinstance(content, str):
        texts = [content] if isinstance(content, str) else content
        content = [*({"type": "text", "text": text} for text in texts), *documents]
    return {"role": message["role"], **({} if content == [] else {"content": content})}
