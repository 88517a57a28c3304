"""The extraction request: what determines an answer, whichever way it came in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, TypeAlias

from vlmrun_mock.documents.identity import Document

DEFAULT_MODEL = "vlm-1"
DEFAULT_ROLE = "user"

Place: TypeAlias = tuple[str | int, ...]
"""A path in the body, as in a 422's `loc`."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message: its role, and its texts in order.

    `places` says of each document in it how many of the texts come before it.
    """

    role: str
    texts: tuple[str, ...]
    places: tuple[int, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the message as a fixture names it: `content` is its text, or the list of them unless it is one."""
        return {"role": self.role, "content": self.texts[0] if len(self.texts) == 1 else list(self.texts)}


@dataclass(frozen=True, slots=True)
class CallerSchema:
    """A JSON Schema that came with the request, and where in the body it stood."""

    schema: Mapping[str, Any]
    place: Place


@dataclass(frozen=True, slots=True)
class Config:
    """What changes the content of an answer besides domain and schema.

    `further` is what else was sent: nothing here depends on it, but the real service's answer may.
    """

    prompt: str | None = None
    detail: str = "auto"
    gql_stmt: str | None = None
    grounding: bool = False
    confidence: bool = False
    further: Mapping[str, Any] = field(default_factory=dict)

    @property
    def known(self) -> dict[str, Any]:
        """Return all but what is further."""
        return {each.name: getattr(self, each.name) for each in fields(self) if each.name != "further"}

    def as_json(self) -> dict[str, Any]:
        """Return what is not as it is without a config."""
        usual = Config.__dataclass_fields__
        given = {name: value for name, value in self.known.items() if value != usual[name].default}
        return {**given, **self.further}


@dataclass(frozen=True, slots=True)
class RequestParts:
    """What identifies a request beside its domain and documents, as a fixture names it; None is for a part left open.

    `places` says of each document in which message it stands; the first message is 1. Without a schema of the caller's,
    or without a config, each is an empty object.
    """

    generation: str | None = None
    messages: Sequence[Mapping[str, Any]] | None = None
    places: Sequence[int] | None = None
    schema: Mapping[str, Any] | None = None
    config: Mapping[str, Any] | None = None
    json_object: bool | None = None

    def given(self) -> dict[str, Any]:
        """Return the parts that are not left open, by name."""
        return {name: value for name in PART_NAMES if (value := getattr(self, name)) is not None}


PART_NAMES = tuple(each.name for each in fields(RequestParts))


@dataclass(frozen=True)
class ExtractionRequest:
    """What a client asks for, free of HTTP and of any envelope; nothing behind it checks it again.

    `json_object`: the answer has to be a JSON object even where there is nothing to extract. `model` and `metadata`
    are here because fixtures match them; neither identifies the request, but the model's generation does.
    """

    messages: tuple[Message, ...] = ()
    documents: tuple[Document, ...] = ()
    domain: str | None = None
    schema: CallerSchema | None = None
    config: Config = field(default_factory=Config)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    model: str = DEFAULT_MODEL
    json_object: bool = False

    @property
    def generation(self) -> str:
        """Return `vlm-1`, `agents` or `orion`. The model's name decides; any name not VLM Run's is vlm-1."""
        if self.model.startswith("vlm-agent-"):
            return "agents"
        return "orion" if self.model.startswith("vlmrun-orion-") else "vlm-1"

    @cached_property
    def text(self) -> str:
        """Return the texts of all messages, each on a line of its own."""
        return "\n".join(text for message in self.messages for text in message.texts)

    @cached_property
    def parts(self) -> RequestParts:
        """Return what identifies the request beside its domain and documents; every part is given."""
        return RequestParts(
            generation=self.generation,
            messages=[message.as_json() for message in self.messages],
            places=[number for number, message in enumerate(self.messages, 1) for _ in message.places],
            schema=self.schema.schema if self.schema else {},
            config=self.config.as_json(),
            json_object=self.json_object,
        )

    @property
    def subject(self) -> tuple[str, ...]:
        """Return the facts that drawn values depend on: domain, documents and texts, but not how they are asked for."""
        return (self.domain or "", *(document.identity for document in self.documents), self.text)

    @cached_property
    def fingerprint(self) -> str:
        """Return the SHA-256 (hex) of what the real service would look at.

        Covered: generation, domain, schema, documents by identity and in order, roles and texts, config.
        Left out: the quirk parameters, metadata, the key, the headers, and how the JSON was written.
        """
        facts = [self.domain, [document.identity for document in self.documents], self.parts.given()]
        text = json.dumps(_with_plain_numbers(facts), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def _with_plain_numbers(value: Any) -> Any:
    """Return a JSON value in which equal numbers are written alike: 1.0 as 1."""
    if isinstance(value, Mapping):
        return {key: _with_plain_numbers(child) for key, child in value.items()}
    if isinstance(value, list):
        return [_with_plain_numbers(child) for child in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
