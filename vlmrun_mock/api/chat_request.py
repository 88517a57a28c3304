"""A chat completions request: the extraction request in it, and what only its envelope is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vlmrun_mock.api.request import ExtractionRequest


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What a client sent to the chat completions endpoint.

    `id` is the completion's id, if the client chose one. `parameters` are the top-level fields that were sent, and
    `image_details` the `detail` of each picture: the quirks look at them.
    """

    extraction: ExtractionRequest
    id: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    image_details: tuple[str, ...] = ()

    @property
    def streams(self) -> bool:
        """Return whether the client asks for a stream from a generation that sends one."""
        return self.extraction.generation != "vlm-1" and bool(self.parameters.get("stream"))
