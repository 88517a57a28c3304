"""What the mock decided to reply, before it is put into an envelope."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

SourceName: TypeAlias = Literal["fixture", "generated", "upstream"]


@dataclass(frozen=True, slots=True)
class ErrorAnswer:
    """An answer that is an error: its status, message and further headers.

    `body` is what is sent, as text, where that is not to be the API's own way of saying the message.
    """

    status: int
    message: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None


@dataclass(frozen=True, slots=True)
class UpstreamResponse:
    """What the upstream sent: its status, the headers that are passed on, its body, and the seconds that it took.

    `complete` is false where the connection ended before the body did; `declared` is how long that was to be.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float
    complete: bool = True
    declared: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, whoever made it.

    `text` is the message's content; with an `error` there is none. `fixture` is a name, `usage` holds figures that
    replace the counted ones, `latency` is in seconds. `status` and `completion`, a body without its content, are
    recorded, and stand for those that the mock would make. An `upstream` response is sent as it came.
    `repeatable`: the same request gets the same answer again. `notes` are for the log: what a user may not have meant.
    """

    text: str
    source: SourceName
    fixture: str | None = None
    error: ErrorAnswer | None = None
    usage: Mapping[str, int] = field(default_factory=dict)
    latency: float = 0.0
    status: int | None = None
    completion: Mapping[str, Any] | None = None
    upstream: UpstreamResponse | None = None
    repeatable: bool = True
    notes: tuple[str, ...] = ()
