"""What the control API is sent, checked: the parameters that choose entries of the journal, and JSON to register."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vlmrun_mock.api.errors import InvalidRequest, Problem
from vlmrun_mock.api.native_bodies import Purpose
from vlmrun_mock.documents.identity import from_base64
from vlmrun_mock.fixtures.errors import FixtureError
from vlmrun_mock.json_text import dotted, strict
from vlmrun_mock.mock.faults import FaultKind
from vlmrun_mock.mock.journal import EnvelopeKind, JournalQuery
from vlmrun_mock.validation_error import mistakes

MOST_LISTED = 1_000
"""How many entries one answer lists at most."""

LONGEST_ID = 200

Instant = Annotated[float, Field(allow_inf_nan=False)]
ThingT = TypeVar("ThingT")


class QueryBody(BaseModel):
    """The parameters that choose entries; they come as text."""

    model_config = ConfigDict(extra="forbid")

    id: str | None = None
    kind: EnvelopeKind | None = None
    domain: str | None = None
    status: Annotated[int, Field(ge=0, le=599)] | None = None
    source: Literal["fixture", "generated", "upstream"] | None = None
    fault: FaultKind | None = None
    since: Instant | None = None
    until: Instant | None = None

    def query(self) -> JournalQuery:
        """Return the query."""
        return JournalQuery(**{name: getattr(self, name) for name in QueryBody.model_fields})


class PageBody(QueryBody):
    """The parameters that choose a page of entries as well."""

    limit: Annotated[int, Field(ge=1, le=MOST_LISTED)] = 100
    offset: Annotated[int, Field(ge=0)] = 0


BodyT = TypeVar("BodyT", bound=BaseModel)


def parameters(model: type[BodyT], given: Sequence[tuple[str, str]]) -> BodyT:
    """Return the parameters of a query string; raises InvalidRequest for one that is unknown, malformed or repeated."""
    repeated = [name for name, count in Counter(name for name, _ in given).items() if count > 1]
    if repeated:
        raise InvalidRequest([Problem(("query", name), "This parameter is given more than once") for name in repeated])
    try:
        return model.model_validate(dict(given))
    except ValidationError as error:
        words = {"extra_forbidden": f"This parameter is unknown; known are: {', '.join(model.model_fields) or 'none'}"}
        problems = [Problem(("query", *each.place), each.message, each.kind) for each in mistakes(error, words)]
        raise InvalidRequest(problems) from None


def single(raw: bytes, model: type[BodyT]) -> BodyT:
    """Return one JSON object, checked by a model; raises InvalidRequest."""
    try:
        return model.model_validate(strict(raw))
    except ValidationError as error:
        words = {"extra_forbidden": f"This key is unknown; known are: {', '.join(model.model_fields)}"}
        problems = [Problem(("body", *each.place), each.message, each.kind) for each in mistakes(error, words)]
        raise InvalidRequest(problems) from None
    except ValueError as error:
        raise InvalidRequest([Problem(("body",), f"is not JSON: {error}", "json_invalid")]) from None


def several(raw: bytes, read: Callable[[Mapping[str, Any]], ThingT]) -> list[ThingT]:
    """Return what one JSON object, or each of a list of them, stands for; raises InvalidRequest for the first bad one.

    `read` makes a thing of an object or raises FixtureError.
    """
    try:
        data = strict(raw)
    except ValueError as error:
        raise InvalidRequest([Problem(("body",), f"is not JSON: {error}", "json_invalid")]) from None
    if not isinstance(data, list):
        return [_thing((), data, read)]
    return [_thing((index,), item, read) for index, item in enumerate(data)]


class FileSeed(BaseModel):
    """A file to keep: its bytes in base64, or as a text."""

    model_config = ConfigDict(extra="forbid")

    id: Annotated[str, Field(min_length=1, max_length=LONGEST_ID)] | None = None
    filename: str = "file"
    purpose: Purpose = "assistants"
    base64: str | None = None
    text: str | None = None

    @property
    def data(self) -> bytes:
        """Return the bytes."""
        return (self.text or "").encode() if self.base64 is None else from_base64(self.base64)


class PredictionSeed(BaseModel):
    """A prediction to keep."""

    model_config = ConfigDict(extra="forbid")

    id: Annotated[str, Field(min_length=1, max_length=LONGEST_ID)] | None = None
    domain: str | None = None
    response: Any = None
    status: Literal["completed", "failed", "pending"] = "completed"


def file(data: Mapping[str, Any]) -> FileSeed:
    """Return a file to keep; raises FixtureError."""
    seed = _seed(FileSeed, data)
    try:
        found = seed.data
    except ValueError as problem:
        raise FixtureError("file", "base64", str(problem)) from None
    if not found:
        raise FixtureError("file", "", "it needs `text` or `base64`, which is not empty")
    return seed


def prediction(data: Mapping[str, Any]) -> PredictionSeed:
    """Return a prediction to keep; raises FixtureError."""
    return _seed(PredictionSeed, data)


def _seed(model: type[BodyT], data: Mapping[str, Any]) -> BodyT:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        words = {"extra_forbidden": f"This key is unknown; known are: {', '.join(model.model_fields)}"}
        first = next(mistakes(error, words))
        raise FixtureError("seed", dotted(first.place), first.message) from None


def _thing(place: tuple[int, ...], item: Any, read: Callable[[Mapping[str, Any]], ThingT]) -> ThingT:
    if not isinstance(item, dict):
        raise InvalidRequest([Problem(("body", *place), "it should be an object, or the whole a list of objects")])
    try:
        return read(item)
    except FixtureError as error:
        steps = (int(step) if step.isdecimal() else step for step in error.place.split(".") if step)
        raise InvalidRequest([Problem(("body", *place, *steps), error.reason)]) from None
