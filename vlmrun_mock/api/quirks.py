"""The documented differences from OpenAI, in one table that the server, its tests and the README share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from vlmrun_mock.api.chat_request import ChatRequest
from vlmrun_mock.api.errors import UnsupportedParameter

GUIDE = "guide to OpenAI compatibility"
"""The page of VLM Run's documentation that names all of these parameters."""


@dataclass(frozen=True, slots=True)
class Quirk:
    """One parameter: what the documentation says, what the mock does, and which values ask for nothing."""

    parameter: str
    documented: str
    effect: str
    neutral: tuple[Any, ...] = (None,)
    supported: bool = False
    """Whether `--unsupported reject` lets it through: documented as "not respected" rather than "not supported"."""
    source: str = GUIDE


QUIRKS: Sequence[Quirk] = (
    Quirk("max_tokens", "not respected", 'the full output, `finish_reason: "stop"`', supported=True),
    Quirk("image_url.detail", "not supported", "changes neither output nor usage", (None, "auto")),
    Quirk("logprobs", "not supported", "`logprobs` is null in the answer", (None, False)),
    Quirk("top_logprobs", "not supported", "`logprobs` is null in the answer", (None, 0)),
    Quirk("logit_bias", "not supported", "no effect", (None, {})),
    Quirk("presence_penalty", "not supported", "no effect", (None, 0)),
    Quirk("frequency_penalty", "not supported", "no effect", (None, 0)),
    Quirk("n", "not supported", "always one choice", (None, 1)),
    Quirk("stop", "not supported", "the output is not cut", (None, [])),
    Quirk("stream", "not supported", "a plain JSON completion instead of server-sent events", (None, False)),
)


def _value(request: ChatRequest, quirk: Quirk) -> Any:
    if quirk.parameter == "image_url.detail":
        return next((detail for detail in request.image_details if detail not in quirk.neutral), None)
    return request.parameters.get(quirk.parameter)


def _same(left: object, right: object) -> bool:
    """Compare JSON values: `false` is not 0, `1.0` is 1."""
    return left == right and isinstance(left, bool) == isinstance(right, bool)


def _requested(request: ChatRequest) -> Iterator[Quirk]:
    for quirk in QUIRKS:
        value = _value(request, quirk)
        if not any(_same(value, neutral) for neutral in quirk.neutral):
            yield quirk


def refuse(request: ChatRequest) -> None:
    """Raise UnsupportedParameter for the first parameter that asks for what the API does not support."""
    for quirk in _requested(request):
        if not quirk.supported:
            message = (
                f"'{quirk.parameter}' is {quirk.documented} by this API: {quirk.effect}. Leave it out; this server was "
                "started with --unsupported reject, the real one is not known to refuse it."
            )
            raise UnsupportedParameter(message, param=quirk.parameter)


def ignored(request: ChatRequest, completion_tokens: int) -> tuple[str, ...]:
    """Return the parameters that were sent and had no effect on an answer of that many tokens."""
    return tuple(
        quirk.parameter
        for quirk in _requested(request)
        if quirk.parameter != "max_tokens" or completion_tokens > request.parameters["max_tokens"]
    )


def remarks(request: ChatRequest, ignored: tuple[str, ...]) -> list[str]:
    """Return what the log says of a request: the parameters without effect, and what a client may not have meant."""
    found = [f"ignored: {', '.join(ignored)}"] if ignored else []
    if "stream" in ignored:
        found.append("the answer is one JSON body; a client that iterates it as a stream sees no chunk")
    response_format = request.parameters.get("response_format") or {}
    if response_format.get("type") == "json_schema" and request.extraction.schema is None:
        found.append("response_format asks for a JSON schema and has none: it belongs in json_schema.schema")
    return found
