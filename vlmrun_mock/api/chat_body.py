"""The JSON body of a request as the API documents it, checked by pydantic so that a 422 reads like FastAPI's."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

import pydantic_core
from pydantic import BaseModel, ConfigDict, Discriminator, Field, GetCoreSchemaHandler, Tag, ValidationError

from vlmrun_mock.api.errors import InvalidRequest, Problem

ModelT = TypeVar("ModelT", bound=BaseModel)
ItemT = TypeVar("ItemT")

PART_TYPES = ("text", "image_url", "video_url", "audio_url", "file_url", "input_file")
"""The documented types of a content part."""


class Lenient(BaseModel):
    """A documented object: its own fields are checked, further ones are accepted."""

    # Building the validators is put off until the first request: it is a third of what the import would cost.
    model_config = ConfigDict(
        extra="allow", frozen=True, protected_namespaces=(), defer_build=True, allow_inf_nan=False
    )


class Url(Lenient):
    """Where a document is: an http(s) or data URL. `detail` is OpenAI's, and has no effect here."""

    url: str
    detail: str | None = None


class FileReference(Lenient):
    """A file by its id or its URL."""

    file_id: str | None = None
    file_url: str | None = None


class TextPart(Lenient):
    """A part with words."""

    text: str


class ImageUrlPart(Lenient):
    """A part with a picture."""

    image_url: Url


class VideoUrlPart(Lenient):
    """A part with a video."""

    video_url: Url


class AudioUrlPart(Lenient):
    """A part with a recording."""

    audio_url: Url


class FileUrlPart(Lenient):
    """A part with a file."""

    file_url: Url


class InputFilePart(FileReference):
    """A part with an uploaded file; the reference stands beside `type` or in an object named like it."""

    input_file: FileReference | None = None


@dataclass(frozen=True)
class UpToFirstWrong:
    """Lets the check of a list end at its first wrong item; pydantic's own FailFast cannot stand in a union.

    Half a million wrong items would be twenty seconds of work and an answer of 70 MB.
    """

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> Any:
        return {**handler(source), "fail_fast": True}


BYTE_ORDER_MARK = b"\xef\xbb\xbf"

MOST_ITEMS = 10_000
"""Messages of a request and parts of a message: our own limit, since each costs memory many times its size."""

Items = Annotated[list[ItemT], Field(max_length=MOST_ITEMS), UpToFirstWrong()]


def _content_tag(content: object) -> str:
    return "<parts>" if isinstance(content, list) else "<text>"


def _part_tag(part: object) -> str:
    return f"<{part.get('type')}>" if isinstance(part, dict) else "<text>"


# The tags name the branch that was tried. They end up in pydantic's `loc`; `_problems` drops them by their brackets.
Part = Annotated[
    Annotated[TextPart, Tag("<text>")]
    | Annotated[ImageUrlPart, Tag("<image_url>")]
    | Annotated[VideoUrlPart, Tag("<video_url>")]
    | Annotated[AudioUrlPart, Tag("<audio_url>")]
    | Annotated[FileUrlPart, Tag("<file_url>")]
    | Annotated[InputFilePart, Tag("<input_file>")],
    Discriminator(_part_tag),
]
Content = Annotated[Annotated[str, Tag("<text>")] | Annotated[Items[Part], Tag("<parts>")], Discriminator(_content_tag)]


class MessageBody(Lenient):
    """One message; by the documented schema even `{}` is one."""

    role: Literal["system", "user", "assistant"] | None = None
    content: Content | None = None


class MetadataBody(Lenient):
    """`environment` defaults to `prod`, as the guide says; the API reference says `dev`."""

    environment: Literal["dev", "staging", "prod"] = "prod"
    session_id: str | None = None
    allow_training: bool = True


class ConfigBody(Lenient):
    """`vlmrun.config`."""

    prompt: str | None = None
    detail: Literal["auto", "lo", "hi"] | None = None
    json_schema: dict[str, Any] | None = None
    gql_stmt: str | None = None
    grounding: bool | None = None
    confidence: bool | None = None


class VlmrunBody(Lenient):
    """What VLM Run adds to OpenAI's body."""

    domain: str | None = None
    json_schema: dict[str, Any] | None = None
    config: ConfigBody | None = None
    metadata: MetadataBody | None = None


class ChatBody(Lenient):
    """The body of a chat completion, with the oldest spelling (December 2024) of what `vlmrun` holds now."""

    messages: Items[MessageBody]
    model: str | None = None
    id: str | None = None
    max_tokens: int | None = None
    n: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    logprobs: bool | int | None = None
    stream: bool | None = None
    response_format: dict[str, Any] | None = None
    vlmrun: VlmrunBody | None = None
    domain: str | None = None
    json_schema: dict[str, Any] | None = None
    schema_: dict[str, Any] | None = Field(None, alias="schema")
    metadata: MetadataBody | None = None


class SchemaConfigBody(Lenient):
    """The part of a schema request's `config` that has an effect."""

    gql_stmt: str | None = None


class SchemaBody(Lenient):
    """The body of `POST /v1/schema` and `POST /v1/hub/schema`; the hub client sends `gql_stmt` beside `domain`."""

    domain: str
    gql_stmt: str | None = None
    config: SchemaConfigBody | None = None


def validated(model: type[ModelT], raw: bytes) -> ModelT:
    """Return a JSON body as a pydantic model; raises InvalidRequest for malformed JSON and for invalid values."""
    try:
        data = pydantic_core.from_json(raw.removeprefix(BYTE_ORDER_MARK), allow_inf_nan=False)
        if not _finite(data):
            raise ValueError("number out of range")
    except ValueError as error:
        raise InvalidRequest([Problem(("body",), f"JSON decode error: {error}", "json_invalid")]) from None
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise InvalidRequest(list(_problems(error))) from None


def _finite(value: Any) -> bool:
    """Return whether every number of a JSON value can be written as JSON again; the parser reads 1e999 as infinity."""
    if isinstance(value, dict):
        return all(map(_finite, value.values()))
    if isinstance(value, list):
        return all(map(_finite, value))
    return not isinstance(value, float) or math.isfinite(value)


def _problems(error: ValidationError) -> Iterator[Problem]:
    for item in error.errors(include_url=False, include_context=False, include_input=False):
        place = tuple(step for step in item["loc"] if not str(step).startswith("<"))
        message = item["msg"]
        if item["type"] in ("union_tag_invalid", "union_tag_not_found"):
            message = f"Unknown type of content part; known are {', '.join(PART_TYPES)}"
        elif item["type"] in ("model_type", "model_attributes_type"):
            # pydantic names the class, which is nobody's business; FastAPI says it like this.
            message = "Input should be a valid dictionary or object to extract fields from"
            message += ', such as {"url": "…"}' if str(place[-1:]).endswith("_url',)") else ""
        yield Problem(("body", *place), message, item["type"])
