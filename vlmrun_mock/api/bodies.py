"""The JSON bodies of requests as the API documents them: decoded into typed structs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from vlmrun_mock import typed
from vlmrun_mock.api.errors import BodyTooLarge
from vlmrun_mock.json_text import BYTE_ORDER_MARK
from vlmrun_mock.lazy import lazy

if TYPE_CHECKING:
    from vlmrun_mock.api import body_check
else:
    body_check = lazy("vlmrun_mock.api.body_check")

ItemT = TypeVar("ItemT")

MOST_ITEMS = 10_000
"""Messages of a request and parts of a message: our own limit, since each costs memory many times its size."""

MOST_BRACKETS = 200
"""Objects and lists that may be in each other. msgspec would take more, and pydantic takes one more."""

MOST_PAIRED, LONGEST_PAIRED = 40_000, 1_000_000
"""Objects and lists, and bytes, of a body that is looked through for how deeply they are nested."""

OPENING, CLOSING = b"{", b"}"
PAIRS = bytes.maketrans(b"[]", OPENING + CLOSING)
NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))

MOST_VALUES = 1_000_000
"""About how many JSON values a body may have: our own limit, since each takes memory many times its size.

To decode them keeps the interpreter to itself, about 10 ms for so many.
"""

WINDOW = 256 * 1024
"""Bytes that are counted at once: to count keeps the interpreter to itself."""

DEFAULT_METADATA = {"environment": "prod", "session_id": None, "allow_training": True}
"""`environment` defaults to `prod`, as the guide says; the API reference says `dev`."""


class NamedPart(Struct, kw_only=True):
    """What may have a file name beside it, under either key."""

    filename: Any = None
    name: Any = None


class Url(NamedPart, kw_only=True):
    """Where a document is: an http(s) or data URL. `detail` is OpenAI's, and has no effect here."""

    url: str
    detail: str | None = None


class FileReference(NamedPart, kw_only=True):
    """A file by its id or its URL."""

    file_id: str | None = None
    file_url: str | None = None


class TextPart(Struct, tag_field="type", tag="text"):
    """A part with words."""

    text: str


class ImageUrlPart(NamedPart, kw_only=True, tag_field="type", tag="image_url"):
    """A part with a picture."""

    image_url: Url


class VideoUrlPart(NamedPart, kw_only=True, tag_field="type", tag="video_url"):
    """A part with a video."""

    video_url: Url


class AudioUrlPart(NamedPart, kw_only=True, tag_field="type", tag="audio_url"):
    """A part with a recording."""

    audio_url: Url


class FileUrlPart(NamedPart, kw_only=True, tag_field="type", tag="file_url"):
    """A part with a file."""

    file_url: Url


class InputFilePart(FileReference, kw_only=True, tag_field="type", tag="input_file"):
    """A part with an uploaded file; the reference stands beside `type` or in an object named like it."""

    input_file: FileReference | None = None


class FileContent(NamedPart, kw_only=True):
    """A file by its id, or its bytes as a data URL or in base64."""

    file_id: str | None = None
    file_data: str | None = None


class FilePart(Struct, tag_field="type", tag="file"):
    """OpenAI's part with a file."""

    file: FileContent


Items = Annotated[list[ItemT], Meta(max_length=MOST_ITEMS)]
DocumentPart = ImageUrlPart | VideoUrlPart | AudioUrlPart | FileUrlPart | InputFilePart | FilePart
Part = TextPart | DocumentPart


class MessageBody(Struct):
    """One message; by the documented schema even `{}` is one.

    The last three roles are those of OpenAI's newer clients.
    """

    role: Literal["system", "user", "assistant", "developer", "tool", "function"] | None = None
    content: str | Items[Part] | None = None


class PlainMessage(MessageBody, forbid_unknown_fields=True, kw_only=True):
    """A message of a text and nothing else, as most are: a typed decoder reads it in a fifth of the time.

    What a typed decoder passes over, it does not check: so there must be nothing of that.
    """

    content: str


class MessagesBody(Struct):
    """The part of a body that is another one each time."""

    messages: Items[MessageBody]


class MetadataBody(Struct):
    """The keys of a request's metadata that the API documents."""

    environment: Literal["dev", "staging", "prod"] = "prod"
    session_id: str | None = None
    allow_training: bool = True


class ConfigBody(Struct):
    """The keys of `vlmrun.config` that are known here."""

    prompt: str | None = None
    detail: Literal["auto", "lo", "hi"] | None = None
    json_schema: dict[str, Any] | None = None
    gql_stmt: str | None = None
    grounding: bool | None = None
    confidence: bool | None = None


class VlmrunBody(Struct):
    """What VLM Run adds to OpenAI's body."""

    domain: str | None = None
    json_schema: dict[str, Any] | None = None
    config: ConfigBody | None = None
    metadata: MetadataBody | None = None


class ChatBody(MessagesBody):
    """The body of a chat completion, with the oldest spelling (December 2024) of what `vlmrun` holds now."""

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
    schema: dict[str, Any] | None = None
    metadata: MetadataBody | None = None


class SchemaConfigBody(Struct):
    """The part of a schema request's `config` that has an effect."""

    gql_stmt: str | None = None
    json_schema: dict[str, Any] | None = None


class SchemaBody(Struct):
    """The body of `POST /v1/schema` and `POST /v1/hub/schema`; the hub client sends `gql_stmt` beside `domain`."""

    domain: str
    gql_stmt: str | None = None
    config: SchemaConfigBody | None = None


BodyT = TypeVar("BodyT", bound=Struct)


def read(body: type[BodyT], raw: bytes) -> tuple[BodyT, dict[str, Any]]:
    """Return a body, and all that was sent, further keys included; raises InvalidRequest with FastAPI's problems."""
    brackets = _count(raw, b"{") + _count(raw, b"[")
    if brackets + _count(raw, b",") > MOST_VALUES:
        raise BodyTooLarge(f"The body has more than {MOST_VALUES:,} JSON values, or commas in its texts: send fewer")
    if brackets <= MOST_BRACKETS or not _is_deep(raw, brackets):
        try:
            sent = msgspec.json.decode(raw.removeprefix(BYTE_ORDER_MARK))
            return typed.convert(sent, body), sent
        except (msgspec.MsgspecError, UnicodeDecodeError):
            pass
    sent = body_check.checked(body, raw)
    return typed.convert(sent, body), sent


def _is_deep(raw: bytes, brackets: int) -> bool:
    """Return whether more than MOST_BRACKETS objects and lists of a JSON text may be in each other."""
    if brackets > MOST_PAIRED or len(raw) > LONGEST_PAIRED:
        return True
    if b"\\" in raw:
        raw = raw.replace(b"\\\\", b"").replace(b'\\"', b"")
    outside_strings = b"".join(raw.split(b'"')[::2])
    pairs = outside_strings.translate(PAIRS, NO_BRACKETS)
    for _ in range(MOST_BRACKETS):
        pairs = pairs.replace(OPENING + CLOSING, b"")
    return bool(pairs)


def _count(raw: bytes, byte: bytes) -> int:
    """Return how often a byte occurs; between two windows, other threads get their turn."""
    return sum(raw.count(byte, start, start + WINDOW) for start in range(0, len(raw), WINDOW))


def tag_of(part: Any) -> str:
    """Return the type of a content part, such as `image_url`; nothing for what is no such part."""
    return str(getattr(getattr(part, "__struct_config__", None), "tag", None) or "")
