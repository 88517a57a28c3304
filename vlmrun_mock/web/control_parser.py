"""What the control API is sent, checked: the parameters that choose entries of the journal, and JSON to register."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vlmrun_mock.api.errors import InvalidRequest, Problem
from vlmrun_mock.fixtures.errors import FixtureError
from vlmrun_mock.fixtures.format import decoded
from vlmrun_mock.mock.faults import FaultKind
from vlmrun_mock.mock.journal import Query

MOST_LISTED = 1_000
"""How many entries one answer lists at most."""

Instant = Annotated[float, Field(allow_inf_nan=False)]
ThingT = TypeVar("ThingT")


class QueryBody(BaseModel):
    """The parameters that choose entries; they come as text."""

    model_config = ConfigDict(extra="forbid")

    id: str | None = None
    domain: str | None = None
    status: Annotated[int, Field(ge=0, le=599)] | None = None
    source: Literal["fixture", "generated", "upstream"] | None = None
    fault: FaultKind | None = None
    since: Instant | None = None
    until: Instant | None = None

    def query(self) -> Query:
        """Return the query."""
        return Query(**{name: getattr(self, name) for name in QueryBody.model_fields})


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
        raise InvalidRequest(list(_problems(error, model))) from None


def _problems(error: ValidationError, model: type[BaseModel]) -> Iterator[Problem]:
    for item in error.errors(include_url=False, include_context=False, include_input=False):
        message = item["msg"]
        if item["type"] == "extra_forbidden":
            known = ", ".join(model.model_fields) or "none"
            message = f"This parameter is unknown; known are: {known}"
        yield Problem(("query", *item["loc"]), message, item["type"])


def several(raw: bytes, what: str, read: Callable[[Mapping[str, Any]], ThingT]) -> list[ThingT]:
    """Return what one JSON object, or each of a list of them, stands for; raises InvalidRequest for the first bad one.

    `read` makes a thing of an object or raises FixtureError; `what` is what the thing is called.
    """
    try:
        data = decoded(raw, what)
    except FixtureError as error:
        raise InvalidRequest([Problem(("body",), error.reason, "json_invalid")]) from None
    if not isinstance(data, list):
        return [_thing((), data, read)]
    return [_thing((index,), item, read) for index, item in enumerate(data)]


def _thing(place: tuple[int, ...], item: Any, read: Callable[[Mapping[str, Any]], ThingT]) -> ThingT:
    if not isinstance(item, dict):
        raise InvalidRequest([Problem(("body", *place), "it should be an object, or the whole a list of objects")])
    try:
        return read(item)
    except FixtureError as error:
        steps = (int(step) if step.isdecimal() else step for step in error.place.split(".") if step)
        raise InvalidRequest([Problem(("body", *place, *steps), error.reason)]) from None
