"""One HTTP request on its way, and what the log and the journal say of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import quote

from vlmrun_mock.display import printable
from vlmrun_mock.mock.journal import SHOWN, Entry, Journal, RequestSummary

NOTHING_KNOWN = Entry()


@dataclass(slots=True)
class RequestLog:
    """A request on its way: `entry` holds all that is known of it and of its answer so far.

    `journal` is where it is recorded: chat requests are, in that of their key's scope. `seconds` is how long the whole
    took, and `recorded` when the answer was about to be sent, in seconds since 1970.
    """

    request_id: str
    method: str
    path: str
    started: float
    status: int = 0
    seconds: float = 0.0
    entry: Entry = field(default=NOTHING_KNOWN)
    journal: Journal | None = None
    recorded: float = 0.0

    @property
    def request(self) -> RequestSummary | None:
        """Return what is kept of the request."""
        return self.entry.request

    def note(self, *notes: str) -> None:
        """Add notes."""
        self.entry = replace(self.entry, notes=(*self.entry.notes, *notes))

    def line(self, time: str) -> str:
        """Return the request on one line: time, status, what was asked and who answered, milliseconds, notes."""
        what = self.entry.summary or f"{self.method} {printable(self.path, SHOWN)}"
        notes = "".join(f"  [{note}]" for note in self.entry.notes)
        return f"{time}  {self.status}  {what}  {self.seconds * 1000:.0f} ms{notes}"

    def record(self, now: float) -> None:
        """Write the request into the journal, once, and before the client can see the answer."""
        journal, self.journal = self.journal, None
        if journal is not None:
            self.recorded = now
            journal.add(self)

    def complete_entry(self) -> Entry:
        """Return the journal's entry; nothing that it shows changes once it is recorded."""
        return replace(
            self.entry,
            id=self.request_id,
            time=self.started,
            seconds=self.recorded - self.started,
            status=self.status,
        )


def seconds_of(headers: Mapping[str, str]) -> float | None:
    """Return what a Retry-After header asks for, in seconds; a date is not read."""
    wanted = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    return float(wanted) if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", wanted) else None


def header_safe(text: str) -> str:
    """Return text as a header's value: what is not plain ASCII is percent-encoded."""
    return quote(text, safe=" !#$&'()*+,/:;=?@[]^`{|}~")
