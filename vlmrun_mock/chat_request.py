"""A chat completions request: everything the mock looks at, in one frozen object."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import astuple, dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

from vlmrun_mock.documents import Document

DEFAULT_MODEL = "vlm-1"
DEFAULT_ROLE = "user"

Place: TypeAlias = tuple[str | int, ...]
"""A path in the body, as in a 422's `loc`."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message: its role, and its texts in order."""

    role: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CallerSchema:
    """A JSON Schema that came with the request, and where in the body it stood."""

    schema: Mapping[str, Any]
    place: Place


@dataclass(frozen=True, slots=True)
class Config:
    """What changes the content of an answer besides domain and schema."""

    prompt: str | None = None
    detail: str = "auto"
    gql_stmt: str | None = None
    grounding: bool = False
    confidence: bool = False


@dataclass(frozen=True)
class ChatRequest:
    """What a client asked for; nothing behind it checks it again.

    `parameters` are the top-level fields that were sent, `image_details` the `detail` of each picture: the quirks
    look at them. `id` is the completion's id, if the client chose one.
    """

    messages: tuple[Message, ...] = ()
    documents: tuple[Document, ...] = ()
    domain: str | None = None
    schema: CallerSchema | None = None
    config: Config = field(default_factory=Config)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    model: str = DEFAULT_MODEL
    id: str | None = None
    json_object: bool = False
    parameters: Mapping[str, Any] = field(default_factory=dict)
    image_details: tuple[str, ...] = ()

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
        facts = [
            self.generation,
            self.domain,
            self.schema.schema if self.schema else None,
            self.json_object,
            [document.identity for document in self.documents],
            [[message.role, *message.texts] for message in self.messages],
            astuple(self.config),
        ]
        return hashlib.sha256(json.dumps(facts, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
