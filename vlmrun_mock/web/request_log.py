"""One HTTP request on its way, and what the log and the journal say of it."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec
from msgspec.structs import replace

from vlmrun_mock.display import printable
from vlmrun_mock.mock.journal import Entry, Journal, without_key
from vlmrun_mock.mock.request_summary import SHOWN, RequestSummary
from vlmrun_mock.redaction import Redaction
from vlmrun_mock.web.exchange import Exchange
from vlmrun_mock.web.head import Head

if TYPE_CHECKING:
    from vlmrun_mock.web.eager import EagerCoroutine
    from vlmrun_mock.web.memo import AnyResponse
    from vlmrun_mock.web.transport import RawHeaders, Whole

NOTHING_KNOWN = Entry()


class RequestLog(msgspec.Struct, eq=False):
    """A request on its way: `entry` holds all that is known of it and of its answer so far.

    `journal` is where it is recorded: chat requests are, in that of their key's scope. `seconds` is how long the whole
    took since it `began` by the clock for that; `started` and `recorded`, when the answer was about to be sent, are in
    seconds since 1970. `key` is the client's, which neither log nor journal shows. `remark` is a note on this very
    request, whatever is known of its like. `exchange` holds the bytes of both sides, where an inspector is to show
    them. `answering` makes the response, where that was begun as soon as the request was read.
    """

    request_id: str
    head: Head
    started: float
    began: float = 0.0
    status: int = 0
    seconds: float = 0.0
    entry: Entry = NOTHING_KNOWN
    journal: Journal | None = None
    recorded: float = 0.0
    key: str = ""
    remark: str = ""
    exchange: Exchange | None = None
    answering: EagerCoroutine[AnyResponse] | None = None

    def __repr__(self) -> str:
        """Return what may be shown: not the key."""
        return f"RequestLog({self.request_id!r}, {self.head!r})"

    @property
    def request(self) -> RequestSummary | None:
        """Return what is kept of the request."""
        return self.entry.request

    @property
    def further_headers(self) -> RawHeaders:
        """Return the headers of the answer that are about this very request."""
        return ((b"x-request-id", self.request_id.encode()), *self.head.named, *self.head.told)

    def note(self, *notes: str) -> None:
        """Add notes."""
        self.entry = replace(self.entry, notes=(*self.entry.notes, *notes))

    def line(self, time_of_day: str) -> str:
        """Return the request on one line: time, status, what was asked and who answered, milliseconds, notes.

        The line has none of the client's credentials.
        """
        what = self.entry.summary
        notes = "".join(f"  [{note}]" for note in told) if (told := self._notes) else ""
        if what and self.key:
            what = _without_known(self.key, what)
        if notes or not what:
            known = tuple(sorted(self.head.credentials))
            what = what or f"{self.head.method} {_clean(known, printable(self.head.path, SHOWN))}"
            notes = notes and _clean(known, notes)
        return f"{time_of_day}  {self.status}  {what}  {self.seconds * 1000:.0f} ms{notes}"

    def received(self, body: bytes) -> None:
        """Keep the body, if it is to be shown: of a request that is recorded, and of no upload."""
        if self.exchange is not None and self.journal is not None and body:
            self.exchange.received.append(body)

    @property
    def _notes(self) -> tuple[str, ...]:
        return (self.remark, *self.entry.notes) if self.remark else self.entry.notes

    def begin_answer(self, status: int) -> None:
        """Note the status of an answer that is about to be sent, and write the request into the journal."""
        self.status = status
        self.record(time.time())

    def keep_answer(self, response: Whole, further: RawHeaders) -> None:
        """Keep a whole response with its further headers, if it is to be shown."""
        if self.exchange is not None:
            self.exchange.begin((*response.headers, *further))
            self.exchange.send(*response.pieces)

    def record(self, now: float) -> None:
        """Write the request into the journal, once, and before the client can see the answer."""
        journal, self.journal = self.journal, None
        if journal is not None:
            self.recorded = now
            journal.add(self)

    def complete_entry(self) -> Entry:
        """Return the journal's entry; nothing that it shows changes once it is recorded."""
        entry = replace(self.entry, notes=self._notes) if self.remark else self.entry
        return replace(
            without_key(entry, self.key) if self.key else entry,
            id=self.request_id,
            time=self.started,
            seconds=self.recorded - self.started,
            status=self.status,
        )


@lru_cache(maxsize=1_000)
def _without_known(key: str, text: str) -> str:
    """Return a part of a line without the key; most parts come again and again."""
    redaction = Redaction([key])
    return redaction.line(text) if redaction.holds_known(text) else text


@lru_cache(maxsize=1_000)
def _clean(known: tuple[str, ...], text: str) -> str:
    """Return a part of a line without secrets, those that are known and those that look like one."""
    return Redaction(known).line(text)


def seconds_of(headers: Mapping[str, str]) -> float | None:
    """Return what a Retry-After header asks for, in seconds; a date is not read."""
    wanted = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    return float(wanted) if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", wanted) else None


@lru_cache(maxsize=1_000)
def header_safe(text: str) -> str:
    """Return text as a header's value: what is not plain ASCII is percent-encoded."""
    return quote(text, safe=" !#$&'()*+,/:;=?@[]^`{|}~")
