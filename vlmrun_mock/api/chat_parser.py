"""From the bytes of a body to a ChatRequest: the one place where a request is checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from vlmrun_mock.api.chat_body import (
    ChatBody,
    ConfigBody,
    FileReference,
    ImageUrlPart,
    InputFilePart,
    MessageBody,
    MetadataBody,
    Part,
    TextPart,
    Url,
    VlmrunBody,
    validated,
)
from vlmrun_mock.api.chat_request import ChatRequest
from vlmrun_mock.api.errors import InvalidRequest, Problem
from vlmrun_mock.api.request import DEFAULT_MODEL, DEFAULT_ROLE, CallerSchema, Config, ExtractionRequest, Message, Place
from vlmrun_mock.documents import identity
from vlmrun_mock.documents.identity import Document, DocumentProblem

EFFORT = frozenset({"max_retries", "max_tokens", "service_tier", "temperature"})
"""Keys of a config that are no part of what is asked for, as they are not when they stand at the top."""


def parse(raw: bytes) -> ChatRequest:
    """Return the request in a body; raises InvalidRequest with FastAPI's list of problems."""
    body = validated(ChatBody, raw)
    vlmrun = body.vlmrun or VlmrunBody()
    config = vlmrun.config or ConfigBody()
    metadata = vlmrun.metadata or body.metadata or MetadataBody()
    response_format = body.response_format or {}
    extraction = ExtractionRequest(
        messages=tuple(_message(message) for message in body.messages),
        documents=tuple(_documents(body.messages)),
        domain=vlmrun.domain or body.domain or None,
        schema=_caller_schema(body, vlmrun, config),
        config=Config(
            prompt=config.prompt,
            detail=config.detail or "auto",
            gql_stmt=config.gql_stmt or None,
            grounding=bool(config.grounding),
            confidence=bool(config.confidence),
            further=_further(config),
        ),
        metadata=metadata.model_dump(),
        model=body.model or DEFAULT_MODEL,
        json_object=response_format.get("type") == "json_object",
    )
    return ChatRequest(
        extraction,
        id=body.id or None,
        parameters={name: getattr(body, name) for name in body.model_fields_set - {"messages"}},
        image_details=tuple(_image_details(body.messages)),
    )


def _further(config: ConfigBody) -> dict[str, Any]:
    """Return what a config holds beyond what is known here, by name; null is how clients leave out."""
    extra = sorted((config.model_extra or {}).items())
    return {name: value for name, value in extra if value is not None and name not in EFFORT}


def _parts(message: MessageBody) -> list[Part]:
    return message.content if isinstance(message.content, list) else []


def _message(message: MessageBody) -> Message:
    if isinstance(message.content, str):
        return Message(message.role or DEFAULT_ROLE, (message.content,))
    texts: list[str] = []
    places: list[int] = []
    for part in _parts(message):
        if isinstance(part, TextPart):
            texts.append(part.text)
        else:
            places.append(len(texts))
    return Message(message.role or DEFAULT_ROLE, tuple(texts), tuple(places))


def _image_details(messages: list[MessageBody]) -> Iterator[str]:
    for message in messages:
        for part in _parts(message):
            if isinstance(part, ImageUrlPart) and part.image_url.detail:
                yield part.image_url.detail


def _documents(messages: list[MessageBody]) -> Iterator[Document]:
    for row, message in enumerate(messages):
        for column, part in enumerate(_parts(message)):
            if not isinstance(part, TextPart):
                yield _document(part, ("body", "messages", row, "content", column))


def _document(part: Part, place: Place) -> Document:
    """Return the document of a part; raises InvalidRequest that names the part's place."""
    if isinstance(part, InputFilePart):
        return _input_file(part, place)
    kind = next(name for name in type(part).model_fields if name.endswith("_url"))
    url: Url = getattr(part, kind)
    return _named(_from_url(url.url, kind, (*place, kind, "url")), url, part)


def _input_file(part: InputFilePart, place: Place) -> Document:
    reference: FileReference = part.input_file or part
    if reference.file_url:
        document = _from_url(reference.file_url, "input_file", (*place, "input_file", "file_url"))
        return _named(document, reference, part)
    if reference.file_id:
        return _from_file_id(reference.file_id, (*place, "input_file", "file_id"))
    raise InvalidRequest([Problem((*place, "input_file"), "Either file_id or file_url is required", "missing")])


def _named(document: Document, *bodies: BaseModel) -> Document:
    """Return a document with the file name that a client put beside its URL or its part, if there is one."""
    extras = (body.model_extra or {} for body in bodies)
    found = (extra[name] for extra in extras for name in ("filename", "name") if isinstance(extra.get(name), str))
    name = identity.file_name(next(found, ""))
    return replace(document, filename=name) if name else document


def _from_url(url: str, kind: str, place: Place) -> Document:
    try:
        return identity.from_url(url, kind)
    except DocumentProblem as problem:
        raise InvalidRequest([Problem(place, str(problem))]) from None


def _from_file_id(file_id: str, place: Place) -> Document:
    try:
        return identity.from_file_id(file_id)
    except DocumentProblem as problem:
        raise InvalidRequest([Problem(place, str(problem))]) from None


def _caller_schema(body: ChatBody, vlmrun: VlmrunBody, config: ConfigBody) -> CallerSchema | None:
    """Return the schema that wins; our order, since none is documented. `{}` is how clients send "no schema"."""
    response_schema, place = _response_schema(body.response_format or {})
    candidates = (
        (config.json_schema, ("vlmrun", "config", "json_schema")),
        (vlmrun.json_schema, ("vlmrun", "json_schema")),
        (body.json_schema, ("json_schema",)),
        (body.schema_, ("schema",)),
        (response_schema, place),
    )
    return next((CallerSchema(schema, ("body", *place)) for schema, place in candidates if schema), None)


def _response_schema(response_format: Mapping[str, Any]) -> tuple[Any, tuple[str, ...]]:
    """Return the schema in OpenAI's nested or VLM Run's flat `response_format`, and where it stands in the body."""
    if response_format.get("type") != "json_schema":
        return None, ()
    nested = response_format.get("json_schema")
    if isinstance(nested, dict) and nested.get("schema"):
        return nested["schema"], ("response_format", "json_schema", "schema")
    return response_format.get("schema"), ("response_format", "schema")
