"""A chat completions request: the extraction request in it, and what only its envelope is about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from vlmrun_mock.api.request import ExtractionRequest


class FunctionCall(msgspec.Struct, frozen=True):
    """The function that an answer calls; `is_legacy`: in the way from before there were tools."""

    name: str
    is_legacy: bool = False


class ChatRequest(msgspec.Struct, frozen=True):
    """What a client sent to the chat completions endpoint.

    `id` is the completion's id, if the client chose one. `parameters` are the top-level fields that were sent, and
    `image_details` the `detail` of each picture: the quirks look at them. `streamed`: the answer is a stream.
    `call`: it calls a function.
    """

    extraction: ExtractionRequest
    id: str | None = None
    parameters: Mapping[str, Any] = {}
    image_details: tuple[str, ...] = ()
    streamed: bool = False
    call: FunctionCall | None = None
