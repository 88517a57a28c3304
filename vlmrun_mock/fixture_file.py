"""The format of a fixture file, whoever wrote it: read, checked, and explained when it is wrong."""

from __future__ import annotations

import errno
import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import pydantic_core
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from vlmrun_mock.fixture_error import FixtureError

IDENTITY = re.compile(r"sha256:[0-9a-f]{64}")
HEADER_NAME = r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"
HEADER_VALUE = r"^[\t\x20-\x7e]*$"
FRAMING = ("content-length", "transfer-encoding")
"""Headers that say where a body ends: another value than the server's own would break the connection."""

EXPLAINED = {
    "dict_type": "it should be an object",
    "extra_forbidden": "this key is unknown",
    "list_type": "it should be a list",
    "missing": "this key is required",
    "model_type": "it should be an object",
    "string_type": "it should be a string",
}
"""What pydantic says in the words of Python, in those of JSON."""


def _one_of(*names: str) -> dict[str, Any]:
    """Return JSON Schema for: exactly one of these is given, where null is not given."""
    return {"oneOf": [{"required": [name], "properties": {name: {"not": {"type": "null"}}}} for name in names]}


def _in_any_case(word: str) -> str:
    """Return a pattern; that of a JSON Schema has no flag to ignore case."""
    return "".join(f"[{letter}{letter.upper()}]" if letter.isalpha() else letter for letter in word)


def _not_framing(name: str) -> str:
    if name.lower() in FRAMING:
        raise ValueError(f"{name} is for the server alone to say")
    return name


Headers = dict[
    Annotated[str, Field(pattern=HEADER_NAME), AfterValidator(_not_framing)],
    Annotated[str, Field(pattern=HEADER_VALUE)],
]
DocumentName = Annotated[
    str,
    Field(
        description="An identity, an http(s) or data: URL, file: and a file's id, or a path from the fixture's file.",
        json_schema_extra={"if": {"pattern": "^sha256:"}, "then": {"pattern": f"^{IDENTITY.pattern}$"}},
    ),
]


class Exact(BaseModel):
    """An object in which an unknown key is a mistake."""

    # Building the validators is put off until the first file: it is a third of what the import would cost.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


class TextBody(Exact):
    """What the request's texts, joined by line breaks, must contain (one string, or all of a list) or be equal to."""

    contains: str | list[str] | None = None
    equals: str | None = None


class MatchBody(Exact):
    """Which requests are answered. Every key is optional; none of them matches every request."""

    domain: Annotated[str, Field(min_length=1)] | None = None
    documents: list[DocumentName] | None = None
    text: TextBody | None = None
    model: str | None = None
    metadata: dict[str, Any] | None = None


class ErrorBody(Exact):
    """An error instead of an answer."""

    status: Annotated[int, Field(ge=400, le=599)]
    message: str = "An error scripted by a fixture"
    headers: Headers = Field(
        default_factory=dict,
        json_schema_extra={
            "additionalProperties": False,
            "propertyNames": {"not": {"pattern": f"^({'|'.join(map(_in_any_case, FRAMING))})$"}},
        },
    )


class UsageBody(Exact):
    """Token figures that replace the counted ones."""

    prompt_tokens: Annotated[int, Field(ge=0)] | None = None
    completion_tokens: Annotated[int, Field(ge=0)] | None = None
    total_tokens: Annotated[int, Field(ge=0)] | None = None


class AnswerBody(Exact):
    """One answer: exactly one of `content`, `merge` and `error`."""

    model_config = ConfigDict(json_schema_extra=_one_of("content", "merge", "error"))

    content: dict[str, Any] | list[Any] | str | None = None
    merge: dict[str, Any] | None = None
    error: ErrorBody | None = None
    usage: UsageBody | None = None
    latency_ms: Annotated[float, Field(ge=0, le=600_000, allow_inf_nan=False)] | None = None

    @model_validator(mode="after")
    def _has_one_kind(self) -> AnswerBody:
        given = [name for name in ("content", "merge", "error") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(
                f"exactly one of content, merge and error is required, not {' and '.join(given) or 'none'}"
            )
        return self


class FixtureBody(Exact):
    """A fixture: which requests it answers, and its answer, or several that are used one after the other."""

    model_config = ConfigDict(title="vlmrun-mock fixture", json_schema_extra=_one_of("answer", "answers"))

    schema_: str | None = Field(None, alias="$schema")
    description: str | None = None
    match: MatchBody = Field(default_factory=MatchBody)
    answer: AnswerBody | None = None
    answers: Annotated[list[AnswerBody], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _has_answers_once(self) -> FixtureBody:
        if (self.answer is None) == (self.answers is None):
            raise ValueError("exactly one of answer and answers is required")
        return self


def read(path: Path, name: str) -> FixtureBody:
    """Return the fixture in a file; raises FixtureError, which calls the file by `name`."""
    try:
        raw = contents(path)
    except OSError as error:
        raise FixtureError(name, "", f"cannot be read: {error.strerror}") from None
    return parse(raw, name)


def contents(path: Path) -> bytes:
    """Return what a file holds; raises OSError, also for a pipe or a device, whose reading might never end."""
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it is not a file")
    return path.read_bytes()


def parse(raw: bytes, name: str) -> FixtureBody:
    """Return the fixture in a JSON text; raises FixtureError."""
    return checked(decoded(raw, name), name)


def checked(data: Any, name: str) -> FixtureBody:
    """Return the fixture in a JSON value; raises FixtureError."""
    try:
        return FixtureBody.model_validate(data)
    except ValidationError as error:
        raise FixtureError(name, *explained(error)) from None


def decoded(raw: bytes, name: str) -> Any:
    """Return the value of a JSON text; raises FixtureError."""
    try:
        data = pydantic_core.from_json(raw.removeprefix(b"\xef\xbb\xbf"), allow_inf_nan=False)
        # It lets pass what nobody means to write: the last of two equal keys, and 1e999 as infinity.
        json.loads(raw, object_pairs_hook=_without_duplicates, parse_float=_finite)
    except ValueError as error:
        raise FixtureError(name, "", f"is not JSON: {error}") from None
    return data


def _without_duplicates(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        key, _ = Counter(key for key, _ in pairs).most_common(1)[0]
        raise ValueError(f"the key {json.dumps(key)} stands twice in one object")
    return found


def _finite(digits: str) -> float:
    if math.isinf(float(digits)):
        raise ValueError(f"{digits[:40]} is too large a number")
    return float(digits)


def explained(error: ValidationError) -> tuple[str, str]:
    """Return the first place at fault, and why, by each branch of a union that was tried there."""
    reasons: dict[str, list[str]] = {}
    for item in error.errors(include_url=False, include_input=False):
        place = ".".join(str(step) for step in item["loc"] if not _is_branch(str(step)))
        reasons.setdefault(place, []).append(EXPLAINED.get(item["type"], item["msg"].removeprefix("Value error, ")))
    place, first = next(iter(reasons.items()))
    return place, ", or ".join(first)


def _is_branch(step: str) -> bool:
    """Return whether a step of pydantic's place names a branch of a union rather than a key of the file."""
    return step in ("str", "[key]", "constrained-float") or step.startswith(("dict[", "list["))


def merge_patch(target: Any, patch: Any) -> Any:
    """Return a JSON value with a merge patch (RFC 7396) applied; neither is changed."""
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(target) if isinstance(target, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged
