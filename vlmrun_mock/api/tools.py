"""Calls of functions: a request that asks for one gets its arguments, filled like a caller's schema; ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from vlmrun_mock.api.chat_request import ChatRequest, FunctionCall
from vlmrun_mock.api.request import CallerSchema, Place
from vlmrun_mock.seed import Seed

RESULTS = frozenset({"tool", "function"})
"""The roles of messages that hold what a function returned: after one, the exchange ends with the content."""

MUST_CALL = ("required", "any")
"""The values of `tool_choice` that demand a call, of any function."""

NO_PARAMETERS: Mapping[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}
"""The schema of a function that takes nothing, for which clients leave it out or say nothing of properties."""

SAYING_NOTHING = frozenset(
    {"type", "properties", "required", "additionalProperties", "title", "description", "$schema"}
)


class Function(msgspec.Struct, frozen=True):
    """A function that a client offers, the schema of its arguments, and where in the body that stands."""

    name: str
    schema: CallerSchema
    is_legacy: bool


def called(chat: ChatRequest) -> ChatRequest:
    """Return a request that says which function is called, if one is: its arguments are then what is asked for.

    It is the one that the client names, or the only one that it offers, or where it demands a call, the first.
    """
    messages = chat.extraction.messages
    if messages and messages[-1].role in RESULTS:
        return chat
    choice = chat.parameters.get("tool_choice") or chat.parameters.get("function_call")
    functions = list(_functions(chat.parameters))
    wanted = _named(choice)
    if wanted is not None:
        found = next((each for each in functions if each.name == wanted), None)
    elif choice == "none":
        found = None
    else:
        must = choice in MUST_CALL
        is_free = must or chat.extraction.schema is None
        found = functions[0] if functions and is_free and (must or len(functions) == 1) else None
    if found is None:
        return chat
    extraction = msgspec.structs.replace(chat.extraction, schema=found.schema)
    return msgspec.structs.replace(chat, extraction=extraction, call=FunctionCall(found.name, found.is_legacy))


def _named(choice: Any) -> str | None:
    """Return the function that a client names; Anthropic's spelling is understood, too."""
    if not isinstance(choice, dict):
        return None
    function = choice.get("function")
    name = (function if isinstance(function, dict) else choice).get("name")
    return name if isinstance(name, str) else None


def _functions(parameters: Mapping[str, Any]) -> Iterator[Function]:
    for index, tool in enumerate(_list(parameters.get("tools"))):
        function = tool.get("function") if isinstance(tool, dict) else None
        yield from _function(function, ("body", "tools", index, "function", "parameters"), is_legacy=False)
    for index, function in enumerate(_list(parameters.get("functions"))):
        yield from _function(function, ("body", "functions", index, "parameters"), is_legacy=True)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _function(function: Any, place: Place, *, is_legacy: bool) -> Iterator[Function]:
    if isinstance(function, dict) and isinstance(function.get("name"), str):
        schema = function.get("parameters")
        if not isinstance(schema, dict) or not (schema.get("properties") or schema.keys() - SAYING_NOTHING):
            schema = NO_PARAMETERS
        yield Function(function["name"], CallerSchema(schema, place), is_legacy)


def with_call(completion: dict[str, Any], call: FunctionCall, seed: Seed) -> dict[str, Any]:
    """Return a completion whose content is the arguments of a call instead."""
    choice = completion["choices"][0]
    function = {"name": call.name, "arguments": choice["message"]["content"]}
    if call.is_legacy:
        message, reason = {**choice["message"], "content": None, "function_call": function}, "function_call"
    else:
        call_id = f"call_{seed.digest('call', str(completion['id'])).hex()[:24]}"
        tool_calls = [{"id": call_id, "type": "function", "function": function}]
        message, reason = {**choice["message"], "content": None, "tool_calls": tool_calls}, "tool_calls"
    return {**completion, "choices": [{**choice, "message": message, "finish_reason": reason}]}
