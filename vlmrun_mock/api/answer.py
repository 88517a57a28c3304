"""What the mock decided to reply, before it is put into an envelope."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import msgspec

SourceName: TypeAlias = Literal["fixture", "generated", "upstream"]


class ErrorAnswer(msgspec.Struct, frozen=True):
    """An answer that is an error: its status, message and further headers.

    `body` is what is sent, as text, where that is not to be the API's own way of saying the message.
    """

    status: int
    message: str
    headers: Mapping[str, str] = {}
    body: str | None = None


class UpstreamResponse(msgspec.Struct, frozen=True):
    """What the upstream sent: its status, the headers that are passed on, its body, and the seconds that it took.

    `complete` is false where the connection ended before the body did; `declared` is how long that was to be.
    `arrivals` say how many bytes had come after how many seconds.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float
    complete: bool = True
    declared: int | None = None
    arrivals: tuple[tuple[int, float], ...] = ()


class Answer(msgspec.Struct, frozen=True):
    """An answer, whoever made it.

    `text` is the message's content; with an `error` there is none. `fixture` is a name, `usage` holds figures that
    replace the counted ones, `latency` is in seconds. `status` and `completion`, a body without its content, are
    recorded, and stand for those that the mock would make. An `upstream` response is sent as it came.
    `chunks` are those of a recorded stream: how many characters of the text each has, and how many seconds after the
    one before it came. `repeatable`: the same request gets the same answer again. `notes` are for the log: what a user
    may not have meant. `guesses` say how the caller's schema had to be read where it names no dialect that is known.
    `re_encoded`: a document of the request was known again by what it shows, not by its bytes.
    """

    text: str
    source: SourceName
    fixture: str | None = None
    error: ErrorAnswer | None = None
    usage: Mapping[str, int] = {}
    latency: float = 0.0
    status: int | None = None
    completion: Mapping[str, Any] | None = None
    upstream: UpstreamResponse | None = None
    chunks: tuple[tuple[int, float], ...] = ()
    repeatable: bool = True
    notes: tuple[str, ...] = ()
    guesses: tuple[str, ...] = ()
    re_encoded: bool = False
