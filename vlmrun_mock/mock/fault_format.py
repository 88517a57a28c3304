"""Faults as they are written down, in JSON or on the command line: read, checked, and explained when wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, ValidationError, model_validator

from vlmrun_mock.fixtures.bodies import Headers, StrictObject
from vlmrun_mock.fixtures.domains import ALIASES
from vlmrun_mock.fixtures.errors import FixtureError
from vlmrun_mock.fixtures.format import EXPLAINED, decoded
from vlmrun_mock.mock.faults import DEFAULT_MESSAGE, Fault, FaultKind, RouteFamily
from vlmrun_mock.validation_error import reasons

LONGEST_LATENCY = 600_000
"""In milliseconds, as in a fixture."""

Milliseconds = Annotated[float, Field(ge=0, le=LONGEST_LATENCY, allow_inf_nan=False)]
OF_AN_ERROR = ("status", "message", "headers", "retry_after")
TEXTS = ("kind", "message", "domain", "route")
"""The keys whose values are text, even if it looks like a number."""


class FaultError(FixtureError):
    """A fault that cannot be used: what it is called, where in it, and why."""


class FaultBody(StrictObject):
    """A fault: what goes wrong (`kind` and what belongs to it), and when.

    Which requests it strikes, `domain`, `route`, `times`, `every` and `share` say.

    `status`, `message`, `headers` and `retry_after` (seconds) make it an error, `latency_ms` alone a latency; any kind
    may have a `latency_ms`, a number or a range `[from, to]`, and waits for that long first. `times` is how many
    requests it strikes, and null all of them: 1, or all where `every` or `share` says which.
    """

    kind: FaultKind | None = None
    status: Annotated[int, Field(ge=400, le=599)] | None = None
    message: str | None = None
    headers: Headers = Field(default_factory=dict)
    retry_after: Annotated[float, Field(ge=0, le=999_999_999, allow_inf_nan=False)] | None = None
    latency_ms: Milliseconds | Annotated[list[Milliseconds], Field(min_length=2, max_length=2)] | None = None
    domain: Annotated[str, Field(min_length=1)] | None = None
    route: RouteFamily | None = None
    times: Annotated[int, Field(ge=1)] | None = None
    every: Annotated[int, Field(ge=1)] | None = None
    share: Annotated[float, Field(gt=0, le=1)] | None = None

    @model_validator(mode="after")
    def _agrees(self) -> FaultBody:
        allowed = ("message",) if self.kind in ("failed", "error-event") else ()
        given = [name for name in OF_AN_ERROR if getattr(self, name) not in (None, {}) and name not in allowed]
        if given and self.kind not in (None, "error"):
            raise ValueError(f"{' and '.join(given)} can only stand in an error, not in {self.kind}")
        if self.kind == "latency" and self.latency_ms is None:
            raise ValueError("a latency needs latency_ms: milliseconds, or a range [from, to]")
        if isinstance(self.latency_ms, list) and self.latency_ms[0] > self.latency_ms[1]:
            raise ValueError("latency_ms: a range begins with the smaller number")
        if self.retry_after is not None and "retry-after" in map(str.lower, self.headers):
            raise ValueError("retry_after and the header Retry-After say the same: give one of them")
        return self

    def fault(self) -> Fault:
        """Return the fault."""
        kind = self._kind()
        return Fault(
            kind=kind,
            status=self.status or 500,
            message=DEFAULT_MESSAGE if self.message is None else self.message,
            headers=self._headers(),
            latency=self._latency(),
            domain=ALIASES.get(self.domain, self.domain) if self.domain else None,
            route=self.route,
            times=self._times(),
            every=self.every or 1,
            share=1.0 if self.share is None else self.share,
        )

    def _kind(self) -> FaultKind:
        if self.kind:
            return self.kind
        an_error = any(getattr(self, name) not in (None, {}) for name in OF_AN_ERROR)
        return "latency" if self.latency_ms is not None and not an_error else "error"

    def _headers(self) -> dict[str, str]:
        """Return the error's headers; a 429 says when to come back, as HTTP asks of it."""
        seconds = self.retry_after
        if seconds is None and self.status == 429 and "retry-after" not in map(str.lower, self.headers):  # noqa: PLR2004 - HTTP's own number
            seconds = 1
        return dict(self.headers) if seconds is None else {**self.headers, "Retry-After": _plain(seconds)}

    def _latency(self) -> tuple[float, float]:
        """Return the range of the wait, in seconds."""
        given = self.latency_ms
        shortest, longest = given if isinstance(given, list) else (given or 0, given or 0)
        return shortest / 1000, longest / 1000

    def _times(self) -> int | None:
        if "times" in self.model_fields_set:
            return self.times
        return None if self.every or self.share else 1


WORDS = {**EXPLAINED, "extra_forbidden": f"this key is unknown; a fault has {', '.join(FaultBody.model_fields)}"}


def parse(raw: bytes | Mapping[str, Any], name: str) -> Fault:
    """Return the fault in a JSON text or in a mapping; raises FaultError, which calls it by `name`."""
    try:
        data = decoded(raw, name) if isinstance(raw, bytes) else _as_json(raw)
    except FixtureError as error:
        raise FaultError(name, error.place, error.reason) from None
    try:
        return FaultBody.model_validate(data).fault()
    except ValidationError as error:
        place, reason = reasons(error, WORDS)[0]
        raise FaultError(name, place, reason) from None


def _as_json(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a mapping with a list for each tuple: Python's callers write a range as either."""
    return {key: list(value) if isinstance(value, tuple) else value for key, value in given.items()}


def parse_option(text: str, name: str) -> Fault:
    """Return the fault of a command line; raises FaultError.

    It is a JSON object, or pairs such as `status=429,times=2`, of which a kind needs no key: `hang,times=2`. A range
    is `latency_ms=100..500`, and `times=always` strikes every request.
    """
    if text.lstrip().startswith(("{", "[")):
        return parse(text.encode("utf-8", "surrogateescape"), name)
    pairs: dict[str, Any] = {}
    for pair in text.split(","):
        key, equals, value = (part.strip() for part in pair.partition("="))
        key, value = (key, value) if equals else ("kind", key)
        if key in pairs:
            raise FaultError(name, key, "this key is given twice")
        pairs[key] = value if key in TEXTS else _value(value)
    return parse(pairs, name)


def _value(text: str) -> Any:
    """Return what a value of a pair means: a range, `always`, or a JSON value; else the text itself."""
    if ".." in text:
        return [_value(end) for end in text.split("..")]
    if text == "always":
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text


def _plain(seconds: float) -> str:
    """Return seconds without the `.0` that a whole number of them would have."""
    return str(int(seconds)) if float(seconds).is_integer() else str(seconds)
