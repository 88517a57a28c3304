"""What Orion says where neither a domain nor a schema asks for data: sentences that name the documents; ours."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from vlmrun_mock.api import refs
from vlmrun_mock.api.request import CallerSchema, ExtractionRequest
from vlmrun_mock.mock import content
from vlmrun_mock.seed import Seed

NOTHING_SENT = (
    "I see no document. Send one, and I will tell what is in it: as data, with a domain such as document.invoice or a "
    "JSON schema."
)

ASKS_FOR_JSON = re.compile(r"\bjson\b", re.IGNORECASE)

QUOTED = re.compile(r"[`\"']([a-z][a-z0-9_]{1,40})[`\"']", re.IGNORECASE)
SNAKE = re.compile(r"\b([a-z][a-z0-9]*(?:_[a-z0-9]+)+)\b")
LISTED = re.compile(r"\b(?:fields|keys|columns|properties)\b[:\s]+(?:are\s+)?([\w\s,]+)", re.IGNORECASE)
LINK = re.compile(r"\s*(?:,|\band\b)\s*")
ITEM = re.compile(r"[a-z]\w*(?: \w+){0,2}", re.IGNORECASE)

NUMERIC = re.compile(r"(?:amount|total|price|subtotal|tax|quantity|count|rate|balance|age)$", re.IGNORECASE)

MOST_FIELDS = 30

NO_FIELDS = frozenset({"json", "object", "true", "false", "null"})


def prose(request: ExtractionRequest, seed: Seed, generic: Mapping[str, Any]) -> str:
    """Return sentences about the documents of a request; with an object where JSON is asked for."""
    if not request.documents:
        return NOTHING_SENT
    named = [f"{refs.NAMES[refs.kind_of(each)]} `{refs.ref(each)}`" for each in request.documents]
    listed = " and the ".join(filter(None, (", the ".join(named[:-1]), named[-1])))
    if ASKS_FOR_JSON.search(request.text):
        found = json.dumps(plausible(request, seed, generic), indent=2, ensure_ascii=False)
        return f"Here is what I found in the {listed}:\n\n```json\n{found}\n```"
    facts = content.filled(CallerSchema(generic, ()), request, seed, None).value
    title = facts.get("title") if isinstance(facts, dict) else None
    summary = facts.get("summary") if isinstance(facts, dict) else None
    return f"This is what I see in the {listed}: {title}. {summary}"


def plausible(request: ExtractionRequest, seed: Seed, generic: Mapping[str, Any]) -> Any:
    """Return an object with the fields that a request's text names, or else a generic one."""
    names = fields(request.text)
    properties = {name: {"type": "number" if NUMERIC.search(name) else "string"} for name in names}
    schema = {"type": "object", "properties": properties, "required": names} if names else generic
    return content.filled(CallerSchema(schema, ()), request, seed, None).value


def fields(text: str) -> list[str]:
    """Return the fields that a text names: in quotes, in snake case, or in a list after a word such as `fields`."""
    found = [*QUOTED.findall(text), *SNAKE.findall(text)]
    for listed in LISTED.findall(text):
        items = (item.strip() for item in LINK.split(listed))
        found += [item.replace(" ", "_") for item in items if ITEM.fullmatch(item)]
    return [name for name in dict.fromkeys(found) if name.lower() not in NO_FIELDS][:MOST_FIELDS]


def with_refs(value: Any, request: ExtractionRequest, seed: Seed, place: tuple[str, ...] = ()) -> Any:
    """Return a value with real references in the places of strings that were made to look like some."""
    if isinstance(value, dict):
        return {key: with_refs(child, request, seed, (*place, key)) for key, child in value.items()}
    if isinstance(value, list):
        return [with_refs(child, request, seed, (*place, str(index))) for index, child in enumerate(value)]
    shaped = refs.SHAPED.fullmatch(value) if isinstance(value, str) else None
    if shaped is None:
        return value
    inputs = [known for each in request.documents if (known := refs.ref(each)).startswith(shaped[1])]
    return inputs[0] if inputs else f"{shaped[1]}_{seed.digest('ref', *request.subject, *place).hex()[:6]}"
