"""From the bytes of a body to a ChatRequest: the one place where a request is checked."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, TypeAlias, TypeVar

import msgspec

from vlmrun_mock import typed
from vlmrun_mock.api.bodies import (
    DEFAULT_METADATA,
    MOST_BRACKETS,
    ChatBody,
    ConfigBody,
    DocumentPart,
    FilePart,
    FileReference,
    ImageUrlPart,
    InputFilePart,
    Items,
    MessageBody,
    MessagesBody,
    NamedPart,
    Part,
    PlainMessage,
    TextPart,
    Url,
    VlmrunBody,
    read,
    tag_of,
)
from vlmrun_mock.api.chat_request import ChatRequest
from vlmrun_mock.api.errors import InvalidRequest, Problem
from vlmrun_mock.api.request import (
    DEFAULT_MODEL,
    DEFAULT_ROLE,
    NO_CONFIG,
    CallerSchema,
    Config,
    ExtractionRequest,
    Message,
    Place,
)
from vlmrun_mock.documents import identity
from vlmrun_mock.documents.embedded import SMALLEST, EmbeddedDocuments
from vlmrun_mock.documents.identity import Document, DocumentProblem

EFFORT = frozenset({"max_retries", "max_tokens", "service_tier", "temperature"})
"""Keys of a config that are no part of what is asked for, as they are not when they stand at the top."""

KNOWN = EFFORT.union(ConfigBody.__struct_fields__)

NO_VLMRUN = VlmrunBody()

ROLES = {None: DEFAULT_ROLE, "developer": "system"}
"""What a role is read as, where that is another one; OpenAI's newer clients send `developer`."""

BARE = frozenset({"type", "properties", "$ref", "$defs", "anyOf", "allOf", "oneOf", "enum", "const", "items"})
"""The keywords of which a schema that stands where OpenAI has a wrapper holds one."""

NO_WRAPPER = frozenset({"type", "properties", "$ref"})
"""The keys that no wrapper has."""

LONGEST_APART, LONGEST_AROUND = 20_000, 2_000
"""Bytes of a body whose messages are read apart from the rest, and of that rest, which is kept."""


class _SplitBody(msgspec.Struct):
    """A body of which the messages are left as they are written."""

    messages: msgspec.Raw


RequestT = TypeVar("RequestT")

Parse: TypeAlias = Callable[[bytes, EmbeddedDocuments | None], RequestT]
"""What parses a body, in which names stand for the documents that are taken out."""

APART = typed.decoder(_SplitBody)
PLAIN_MESSAGES = typed.decoder(Items[PlainMessage])


def parse(raw: bytes, embedded: EmbeddedDocuments | None = None) -> ChatRequest:
    """Return the request in a body; raises InvalidRequest with FastAPI's list of problems.

    `embedded` are the documents in it, if they are taken out already.
    """
    return without_documents(_chat_request, raw, embedded)


def without_documents(parse: Parse[RequestT], raw: bytes, embedded: EmbeddedDocuments | None) -> RequestT:
    """Return what is parsed of a body whose documents are taken out; raises InvalidRequest.

    The whole body is parsed where one of them stands in another place than a document's, and where a problem is
    raised: its place is that in the whole.
    """
    if len(raw) <= SMALLEST:
        return parse(raw, None)
    embedded = embedded or EmbeddedDocuments.of(raw)
    if embedded.rest is not raw:
        with contextlib.suppress(InvalidRequest):
            request = parse(embedded.rest, embedded)
            if embedded.all_found:
                return request
    return parse(raw, None)


def _chat_request(raw: bytes, embedded: EmbeddedDocuments | None) -> ChatRequest:
    around, messages = _apart(raw) or _whole(raw)
    lists = any(isinstance(message.content, list) for message in messages)
    extraction = msgspec.structs.replace(
        around.extraction,
        messages=tuple([_message(message) for message in messages]),
        documents=tuple(_documents(messages, embedded)) if lists else (),
        size=len(raw),
    )
    details = tuple(_image_details(messages)) if lists else ()
    return ChatRequest(extraction, id=around.id, parameters=around.parameters, image_details=details)


def _apart(raw: bytes) -> tuple[ChatRequest, Sequence[MessageBody]] | None:
    """Return what is read of a body, of which all but the messages is often the same; None where it is read as a whole.

    Both parts are read as they are within the whole, so that nothing shows which way was taken.
    """
    if len(raw) > LONGEST_APART or raw.count(b"{") + raw.count(b"[") > MOST_BRACKETS:
        return None
    try:
        messages = bytes(APART.decode(raw).messages)
        place = raw.find(messages)
        if raw.find(messages, place + 1) >= 0 or len(raw) - len(messages) > LONGEST_AROUND:
            return None
        around = _around(raw[:place], raw[place + len(messages) :])
        return around, _messages(messages)
    except (msgspec.MsgspecError, UnicodeDecodeError, InvalidRequest):
        return None


def _messages(raw: bytes) -> Sequence[MessageBody]:
    """Return the messages in a JSON list; raises MsgspecError and UnicodeDecodeError."""
    try:
        return PLAIN_MESSAGES.decode(raw)
    except msgspec.MsgspecError:
        return typed.convert({"messages": msgspec.json.decode(raw)}, MessagesBody).messages


@lru_cache(maxsize=200)
def _around(before: bytes, after: bytes) -> ChatRequest:
    """Return what a body says beside its messages."""
    return _whole(before + b"[]" + after)[0]


def _whole(raw: bytes) -> tuple[ChatRequest, Sequence[MessageBody]]:
    """Return what a body says beside its messages, and the messages."""
    body, sent = read(ChatBody, raw)
    vlmrun = body.vlmrun or NO_VLMRUN
    response_format = body.response_format or {}
    sent_vlmrun = sent.get("vlmrun") or {}
    metadata = sent_vlmrun.get("metadata")
    extraction = ExtractionRequest(
        domain=vlmrun.domain or body.domain or None,
        schema=_caller_schema(body, vlmrun),
        config=config_of(vlmrun.config, sent_vlmrun["config"]) if vlmrun.config else NO_CONFIG,
        metadata={**DEFAULT_METADATA, **((sent.get("metadata") or {}) if metadata is None else metadata)},
        model=body.model or DEFAULT_MODEL,
        json_object=response_format.get("type") == "json_object",
    )
    del sent["messages"]
    return ChatRequest(extraction, id=body.id or None, parameters=sent), body.messages


def config_of(config: ConfigBody, sent: Mapping[str, Any]) -> Config:
    """Return a config with what else was sent in it, by name; null is how clients leave out."""
    further = {name: sent[name] for name in sorted(sent) if name not in KNOWN and sent[name] is not None}
    return Config(
        prompt=config.prompt,
        detail=config.detail or "auto",
        gql_stmt=config.gql_stmt or None,
        grounding=bool(config.grounding),
        confidence=bool(config.confidence),
        further=further,
    )


def _parts(message: MessageBody) -> list[Part]:
    return message.content if isinstance(message.content, list) else []


def _message(message: MessageBody) -> Message:
    role = ROLES.get(message.role) or message.role or DEFAULT_ROLE
    if isinstance(message.content, str):
        return Message(role, (message.content,))
    texts: list[str] = []
    places: list[int] = []
    for part in _parts(message):
        if isinstance(part, TextPart):
            texts.append(part.text)
        else:
            places.append(len(texts))
    return Message(role, tuple(texts), tuple(places))


def _image_details(messages: Sequence[MessageBody]) -> Iterator[str]:
    for message in messages:
        for part in _parts(message):
            if isinstance(part, ImageUrlPart) and part.image_url.detail:
                yield part.image_url.detail


def _documents(messages: Sequence[MessageBody], embedded: EmbeddedDocuments | None) -> Iterator[Document]:
    for row, message in enumerate(messages):
        for column, part in enumerate(_parts(message)):
            if not isinstance(part, TextPart):
                yield document_of(part, ("body", "messages", row, "content", column), embedded)


def document_of(part: DocumentPart, place: Place, embedded: EmbeddedDocuments | None) -> Document:
    """Return the document of a part; raises InvalidRequest that names the part's place."""
    if isinstance(part, InputFilePart):
        return _input_file(part, place, embedded)
    if isinstance(part, FilePart):
        return _file(part, (*place, "file"), embedded)
    kind = tag_of(part)
    url: Url = getattr(part, kind)
    return _named(from_url(url.url, kind, (*place, kind, "url"), embedded), url, part)


def _input_file(part: InputFilePart, place: Place, embedded: EmbeddedDocuments | None) -> Document:
    reference: FileReference = part.input_file or part
    if reference.file_url:
        document = from_url(reference.file_url, "input_file", (*place, "input_file", "file_url"), embedded)
        return _named(document, reference, part)
    if reference.file_id:
        return from_file_id(reference.file_id, (*place, "input_file", "file_id"))
    raise InvalidRequest([Problem((*place, "input_file"), "Either file_id or file_url is required", "missing")])


def _file(part: FilePart, place: Place, embedded: EmbeddedDocuments | None) -> Document:
    content = part.file
    if content.file_data:
        is_url = content.file_data[:5].lower() == "data:"
        url = content.file_data if is_url else f"data:application/octet-stream;base64,{content.file_data}"
        return _named(from_url(url, "file", (*place, "file_data"), embedded), content)
    if content.file_id:
        return from_file_id(content.file_id, (*place, "file_id"))
    raise InvalidRequest([Problem(place, "Either file_id or file_data is required", "missing")])


def _named(document: Document, *bodies: NamedPart) -> Document:
    """Return a document with the file name that a client put beside its URL or its part, if there is one."""
    given = (name for body in bodies for name in (body.filename, body.name))
    name = identity.file_name(next((name for name in given if isinstance(name, str)), ""))
    return replace(document, filename=name) if name else document


def from_url(url: str, kind: str, place: Place, embedded: EmbeddedDocuments | None) -> Document:
    """Return the document at a URL, or by the name that stands for it; raises InvalidRequest that names the place."""
    document = embedded.get(url) if embedded else None
    if document is not None:
        return document if document.kind == kind else replace(document, kind=kind)
    try:
        return identity.from_url(url, kind)
    except DocumentProblem as problem:
        raise InvalidRequest([Problem(place, str(problem))]) from None


def from_file_id(file_id: str, place: Place) -> Document:
    """Return the document of an uploaded file; raises InvalidRequest that names the place."""
    try:
        return identity.from_file_id(file_id)
    except DocumentProblem as problem:
        raise InvalidRequest([Problem(place, str(problem))]) from None


def _caller_schema(body: ChatBody, vlmrun: VlmrunBody) -> CallerSchema | None:
    """Return the schema that wins; our order, since none is documented. `{}` is how clients send "no schema"."""
    response_schema, place = _response_schema(body.response_format or {})
    candidates = (
        (vlmrun.config.json_schema if vlmrun.config else None, ("vlmrun", "config", "json_schema")),
        (vlmrun.json_schema, ("vlmrun", "json_schema")),
        (body.json_schema, ("json_schema",)),
        (body.schema, ("schema",)),
        (response_schema, place),
    )
    return next((CallerSchema(schema, ("body", *place)) for schema, place in candidates if schema), None)


def _response_schema(response_format: Mapping[str, Any]) -> tuple[Any, tuple[str, ...]]:
    """Return the schema in `response_format`, and where it stands in the body.

    OpenAI's is nested in `json_schema`; VLM Run's guides have it flat, or as `json_schema` itself. `json_object` with
    a `schema` beside it is what other services take.
    """
    kind, nested = response_format.get("type"), response_format.get("json_schema")
    if kind not in ("json_schema", "json_object"):
        return None, ()
    if kind == "json_schema" and isinstance(nested, dict):
        if nested.get("schema") and NO_WRAPPER.isdisjoint(nested):
            return nested["schema"], ("response_format", "json_schema", "schema")
        if not BARE.isdisjoint(nested):
            return nested, ("response_format", "json_schema")
    return response_format.get("schema"), ("response_format", "schema")
