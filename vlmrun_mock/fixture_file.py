"""The format of a fixture file, whoever wrote it: read, checked, and explained when it is wrong."""

from __future__ import annotations

import errno
import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeGuard

import pydantic_core
from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationError, model_validator

from vlmrun_mock.difference import same
from vlmrun_mock.fixture_error import FixtureError
from vlmrun_mock.layout import USUAL, Layout, written

IDENTITY = re.compile(r"sha256:[0-9a-f]{64}")
HEADER_NAME = r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"
HEADER_VALUE = r"^[\t\x20-\x7e]*$"
UNSUCCESSFUL = 400
"""The first status of HTTP that says that a request has failed."""

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


Milliseconds = Annotated[float, Field(ge=0, le=600_000, allow_inf_nan=False)]

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
Identity = Annotated[
    str,
    Field(
        description="An identity, an http(s) URL, or file: and a file's id.",
        pattern=r"^(sha256:[0-9a-f]{64}$|[hH][tT][tT][pP][sS]?://|file:)",
    ),
]
Content = dict[str, Any] | list[Any] | str


def is_completion(body: object) -> TypeGuard[dict[str, Any]]:
    """Return whether a JSON value is a chat completion: it has choices, of which the first has a message."""
    choices = body.get("choices") if isinstance(body, dict) else None
    first = choices[0] if isinstance(choices, list) and choices else None
    return isinstance(first, dict) and isinstance(first.get("message"), dict)


def _has_a_message(completion: dict[str, Any]) -> dict[str, Any]:
    if not is_completion(completion):
        raise ValueError("it has choices, a list of which the first has a message")
    return completion


Completion = Annotated[
    dict[str, Any],
    AfterValidator(_has_a_message),
    Field(
        json_schema_extra={
            "required": ["choices"],
            "properties": {
                "choices": {
                    "type": "array",
                    "minItems": 1,
                    "prefixItems": [
                        {"type": "object", "required": ["message"], "properties": {"message": {"type": "object"}}}
                    ],
                }
            },
        }
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


class DocumentBody(Exact):
    """A document by its identity, with what else is known of it: that is for the reader, and matches nothing."""

    identity: Identity
    kind: str | None = None
    media_type: str | None = None
    size: Annotated[int, Field(ge=0)] | None = None
    filename: str | None = None


class PlaceBody(Exact):
    """Where a document stands: its number in `documents`, of which the first is 1."""

    document: Annotated[int, Field(ge=1)]


SpokenPart = Annotated[
    Annotated[str, Tag("<text>")] | Annotated[PlaceBody, Tag("<object>")],
    Discriminator(lambda part: "<object>" if isinstance(part, (dict, PlaceBody)) else "<text>"),
]

Spoken = str | list[SpokenPart]

# The tags name the branch that was tried; `explained` leaves them out of a place by their brackets.
DocumentEntry = Annotated[
    Annotated[DocumentName, Tag("<name>")] | Annotated[DocumentBody, Tag("<object>")],
    Discriminator(lambda entry: "<object>" if isinstance(entry, (dict, DocumentBody)) else "<name>"),
]


class MessageBody(Exact):
    """A message: who says it, and its text, or a list of its texts and of the places of documents among them."""

    role: Literal["system", "user", "assistant"] = "user"
    content: Spoken = Field(default_factory=list)

    @property
    def parts(self) -> tuple[str | int, ...]:
        """Return the texts and the numbers of the documents in the message, in order."""
        content = [self.content] if isinstance(self.content, str) else self.content
        return tuple(each if isinstance(each, str) else each.document for each in content)

    def as_json(self) -> dict[str, Any]:
        """Return the message as requests have it."""
        texts = [part for part in self.parts if isinstance(part, str)]
        return {"role": self.role, "content": texts[0] if len(texts) == 1 else texts}


class MatchBody(Exact):
    """Which requests are answered. Every key is optional; none of them matches every request.

    An empty domain, schema or config matches a request without one.
    """

    domain: str | None = None
    documents: list[DocumentEntry] | None = None
    text: TextBody | None = None
    model: str | None = None
    metadata: dict[str, Any] | None = None
    generation: Literal["vlm-1", "agents", "orion"] | None = None
    messages: list[MessageBody] | None = None
    schema_: dict[str, Any] | None = Field(default=None, alias="schema")
    config: dict[str, Any] | None = None
    json_object: bool | None = None

    @model_validator(mode="after")
    def _has_its_documents_in_order(self) -> MatchBody:
        numbers = self.numbers
        if numbers and [number for _, number in numbers] != list(range(1, 1 + len(self.documents or numbers))):
            raise ValueError("messages name each of the documents once, and in order")
        return self

    @property
    def numbers(self) -> list[tuple[int, int]]:
        """Return the number of each document that a message names, after the number of that message."""
        messages = enumerate(self.messages or (), 1)
        return [(place, part) for place, each in messages for part in each.parts if isinstance(part, int)]

    @property
    def places(self) -> list[int] | None:
        """Return in which message each document stands; None if that is left open."""
        if self.messages is None or (self.documents != [] and not self.numbers):
            return None
        return [place for place, _ in self.numbers]

    @property
    def identities(self) -> list[str] | None:
        """Return what names each document."""
        if self.documents is None:
            return None
        return [each if isinstance(each, str) else each.identity for each in self.documents]


class ErrorBody(Exact):
    """An error instead of an answer.

    A `body` is sent instead of the API's own: a string verbatim, and all else as compact JSON. The status, at least 400
    otherwise, can then be any that has a body.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [
                {"properties": {"status": {"minimum": UNSUCCESSFUL}}},
                {"required": ["body"], "properties": {"body": {"not": {"type": "null"}}}},
            ]
        }
    )

    status: Annotated[int, Field(ge=200, le=599)]
    message: str = "An error scripted by a fixture"
    headers: Headers = Field(
        default_factory=dict,
        json_schema_extra={
            "additionalProperties": False,
            "propertyNames": {"not": {"pattern": f"^({'|'.join(map(_in_any_case, FRAMING))})$"}},
        },
    )
    body: Content | None = None

    @model_validator(mode="after")
    def _is_an_error(self) -> ErrorBody:
        if self.status < UNSUCCESSFUL and self.body is None:
            raise ValueError(f"an error without a body has a status from {UNSUCCESSFUL} to 599, not {self.status}")
        return self


class UsageBody(Exact):
    """Token figures that replace the counted ones."""

    prompt_tokens: Annotated[int, Field(ge=0)] | None = None
    completion_tokens: Annotated[int, Field(ge=0)] | None = None
    total_tokens: Annotated[int, Field(ge=0)] | None = None


BESIDE_CONTENT = ("status", "layout", "verbatim", "completion")
"""What is only said of an answer that has content."""


class AnswerBody(Exact):
    """One answer: exactly one of `content`, `merge` and `error`.

    The rest is what the real API said beside it. `layout` is how it writes JSON, compact unless given; `verbatim`, for
    what has no such layout, is the content's exact text, sent while it says the same. `completion` is all else in the
    body, sent instead of the mock's own. `took_ms` is waited for if the mock is told to.
    """

    model_config = ConfigDict(
        json_schema_extra={
            **_one_of("content", "merge", "error"),
            "dependentRequired": {name: ["content"] for name in BESIDE_CONTENT},
        }
    )

    content: Content | None = None
    merge: dict[str, Any] | None = None
    error: ErrorBody | None = None
    usage: UsageBody | None = None
    latency_ms: Milliseconds | None = None
    status: Annotated[int, Field(ge=200, le=299)] | None = None
    layout: Layout | None = None
    verbatim: str | None = None
    completion: Completion | None = None
    took_ms: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None

    @model_validator(mode="after")
    def _has_one_kind(self) -> AnswerBody:
        given = [name for name in ("content", "merge", "error") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(
                f"exactly one of content, merge and error is required, not {' and '.join(given) or 'none'}"
            )
        beside = [name for name in BESIDE_CONTENT if getattr(self, name) is not None]
        if beside and self.content is None:
            raise ValueError(f"{beside[0]} goes with content")
        return self


class AskedBody(Exact):
    """What else a recorded request asked for: it matches nothing, and is asked for again."""

    model: str | None = None


class FixtureBody(Exact):
    """A fixture: which requests it answers, and its answer, or several that are used one after the other."""

    model_config = ConfigDict(title="vlmrun-mock fixture", json_schema_extra=_one_of("answer", "answers"))

    schema_: str | None = Field(None, alias="$schema")
    description: str | None = None
    asked: AskedBody | None = None
    match: MatchBody = Field(default_factory=MatchBody)
    answer: AnswerBody | None = None
    answers: Annotated[list[AnswerBody], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _has_answers_once(self) -> FixtureBody:
        if (self.answer is None) == (self.answers is None):
            raise ValueError("exactly one of answer and answers is required")
        return self

    @property
    def placed_answers(self) -> list[tuple[str, AnswerBody]]:
        """Return the answers with their places in the file."""
        if self.answer is not None:
            return [("answer", self.answer)]
        return [(f"answers.{index}", answer) for index, answer in enumerate(self.answers or ())]


def exact_text(body: AnswerBody) -> str:
    """Return what an answer's content is sent as: its recorded text, unless the content was changed since."""
    if isinstance(body.content, str):
        return body.content
    if body.verbatim is not None and is_current(body):
        return body.verbatim
    return written(body.content, body.layout or USUAL)


def is_current(body: AnswerBody) -> bool:
    """Return whether an answer's verbatim text, if it has one, says the same as its content."""
    try:
        return body.verbatim is None or same(json.loads(body.verbatim), body.content)
    except (ValueError, RecursionError):
        return False


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
        (place, reason), *further = explanations(error)
        raise FixtureError(name, place, reason, further) from None


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
    """Return the first place at fault, and why."""
    return explanations(error)[0]


def explanations(error: ValidationError) -> list[tuple[str, str]]:
    """Return each place at fault, and why, by each branch of a union that was tried there."""
    reasons: dict[str, list[str]] = {}
    for item in error.errors(include_url=False, include_input=False):
        place = ".".join(str(step) for step in item["loc"] if not _is_branch(str(step)))
        reasons.setdefault(place, []).append(EXPLAINED.get(item["type"], item["msg"].removeprefix("Value error, ")))
    return [(place, ", or ".join(found)) for place, found in reasons.items()]


def _is_branch(step: str) -> bool:
    """Return whether a step of pydantic's place names a branch of a union rather than a key of the file."""
    return step in ("str", "[key]", "constrained-float") or step.startswith(("dict[", "list[", "<"))


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
