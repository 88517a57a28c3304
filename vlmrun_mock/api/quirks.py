"""The parameters without effect, in one table that the server, its tests and the documents share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from vlmrun_mock.api.chat_request import ChatRequest
from vlmrun_mock.api.errors import UnsupportedParameter
from vlmrun_mock.display import printable

GUIDE = "guide to OpenAI compatibility"
"""The page of VLM Run's documentation that names the differences from OpenAI."""

OURS = "ours"
"""The source of a row about a parameter of OpenAI's that VLM Run's documentation does not name."""

KEYWORDS_IN_WORDS = (
    "$schema $id $ref $anchor $dynamicRef $dynamicAnchor $recursiveRef $recursiveAnchor $vocabulary $comment $defs id "
    "definitions allOf anyOf oneOf not if then else dependentSchemas dependentRequired dependencies prefixItems items "
    "additionalItems unevaluatedItems contains minContains maxContains properties patternProperties propertyNames "
    "additionalProperties unevaluatedProperties type enum const multipleOf maximum exclusiveMaximum minimum "
    "exclusiveMinimum maxLength minLength pattern maxItems minItems uniqueItems maxProperties minProperties required "
    "format contentEncoding contentMediaType contentSchema title description default deprecated readOnly writeOnly "
    "examples example nullable discriminator"
)
KEYWORDS = frozenset(KEYWORDS_IN_WORDS.split())
"""The keywords of JSON Schema, draft 4 to 2020-12, and of OpenAPI."""

SHOWN = 40
"""How many characters of a name a remark shows."""


class Quirk(msgspec.Struct, frozen=True):
    """One parameter: what the documentation says, what the mock does, and which values ask for nothing."""

    parameter: str
    documented: str
    effect: str
    neutral: tuple[Any, ...] = (None,)
    supported: bool = False
    """Whether `--unsupported reject` lets it through: only what is documented as "not supported" is refused."""
    source: str = GUIDE
    limits_tokens: bool = False
    """Whether it is a limit in tokens, which has no effect on an output that stays below it."""


OPENAI_ONLY: Sequence[tuple[str, str, tuple[Any, ...]]] = (
    ("tools", "no tool is called", ([],)),
    ("tool_choice", "no tool is called", ("auto", "none")),
    ("parallel_tool_calls", "no tool is called", (True,)),
    ("functions", "no function is called", ([],)),
    ("function_call", "no function is called", ("auto", "none")),
    ("seed", "equal requests get equal answers, whatever the seed", ()),
    ("audio", "no audio in the answer", ()),
    ("modalities", "the answer is text", ([], ["text"])),
    ("prediction", "no effect", ()),
    ("stream_options", "no chunk with the usage", ({}, {"include_usage": False})),
    ("store", "nothing is stored", (False,)),
    ("reasoning_effort", "no effect", ()),
    ("verbosity", "no effect", ("medium",)),
    ("service_tier", "no effect", ("auto", "default")),
    ("web_search_options", "nothing is searched", ()),
)
"""Parameters that only OpenAI documents: what happens, and which values beside null ask for nothing."""

QUIRKS: Sequence[Quirk] = (
    Quirk(
        "max_tokens", "not respected", 'the full output, `finish_reason: "stop"`', supported=True, limits_tokens=True
    ),
    Quirk("image_url.detail", "not supported", "changes neither output nor usage", (None, "auto")),
    Quirk("logprobs", "not supported", "`logprobs` is null in the answer", (None, False)),
    Quirk("top_logprobs", "not supported", "`logprobs` is null in the answer", (None, 0)),
    Quirk("logit_bias", "not supported", "no effect", (None, {})),
    Quirk("presence_penalty", "not supported", "no effect", (None, 0)),
    Quirk("frequency_penalty", "not supported", "no effect", (None, 0)),
    Quirk("n", "not supported", "always one choice", (None, 1)),
    Quirk("stop", "not supported", "the output is not cut", (None, [])),
    Quirk("stream", "not supported", "a plain JSON completion instead of server-sent events", (None, False)),
    *(
        Quirk(parameter, "not named", effect, (None, *neutral), supported=True, source=OURS)
        for parameter, effect, neutral in OPENAI_ONLY
    ),
    Quirk(
        "max_completion_tokens",
        "not named",
        'the full output, `finish_reason: "stop"`',
        supported=True,
        source=OURS,
        limits_tokens=True,
    ),
)
"""All rows, in the order in which they are shown."""

OF_STREAMS = frozenset({"stream", "stream_options"})
"""The rows that are about answers which are no streams."""

OF_CALLS = frozenset({"tools", "tool_choice", "parallel_tool_calls", "functions", "function_call"})
"""The rows that are about answers which call no function."""

NAMES = frozenset(quirk.parameter for quirk in QUIRKS)


def _value(request: ChatRequest, quirk: Quirk) -> Any:
    if quirk.parameter == "image_url.detail":
        return next((detail for detail in request.image_details if detail not in quirk.neutral), None)
    return request.parameters.get(quirk.parameter)


def _same(left: object, right: object) -> bool:
    """Compare JSON values: `false` is not 0, `1.0` is 1."""
    return left == right and isinstance(left, bool) == isinstance(right, bool)


def _requested(request: ChatRequest) -> Iterator[Quirk]:
    for quirk in QUIRKS:
        if (request.streamed and quirk.parameter in OF_STREAMS) or (request.call and quirk.parameter in OF_CALLS):
            continue
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
    if NAMES.isdisjoint(request.parameters) and not request.image_details:
        return ()
    return tuple(
        quirk.parameter
        for quirk in _requested(request)
        if not quirk.limits_tokens or _is_below(request.parameters[quirk.parameter], completion_tokens)
    )


def _is_below(limit: object, completion_tokens: int) -> bool:
    """Return whether an answer exceeds a limit; one that is no number limits nothing, and has no effect either."""
    return not isinstance(limit, int | float) or completion_tokens > limit


def remarks(request: ChatRequest, ignored: tuple[str, ...]) -> list[str]:
    """Return what the log says of a request: the parameters without effect, and what a client may not have meant."""
    found = [f"ignored: {', '.join(ignored)}"] if ignored else []
    if "stream" in ignored:
        found.append("the answer is one JSON body; a client that iterates it as a stream sees no chunk")
    if request.parameters.get("response_format") or request.extraction.schema:
        found += _remarks_on_schema(request)
    return found


def _remarks_on_schema(request: ChatRequest) -> Iterator[str]:
    response_format = request.parameters.get("response_format") or {}
    kind, schema = response_format.get("type"), request.extraction.schema
    if kind == "json_schema" and schema is None:
        yield "response_format asks for a JSON schema and has none: it belongs in json_schema.schema"
    if kind == "json_object" and response_format.get("json_schema"):
        yield 'response_format holds a json_schema that is not used: its type must be "json_schema", not "json_object"'
    if schema is not None and schema.schema and KEYWORDS.isdisjoint(schema.schema):
        names = ", ".join(printable(name, SHOWN) for name in list(schema.schema)[:3])
        yield f'the schema holds no keyword of JSON Schema ({names}): its fields belong below "properties"'
