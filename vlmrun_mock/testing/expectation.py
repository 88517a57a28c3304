"""What a test expects to have been asked, compared with what was, and explained when it is not so."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from vlmrun_mock.display import shortened
from vlmrun_mock.documents.identity import Document
from vlmrun_mock.fixtures.match import Match
from vlmrun_mock.mock.journal import Entry

LISTED = 20
"""How many requests an explanation lists, the latest."""

TEXT_SHOWN = 60
"""How many characters of a request's text its line shows."""

DIGEST_SHOWN = len("sha256:") + 12
"""How many characters of a document's digest a line shows."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """Requests that match, and how many of them: `times`, or None for at least one."""

    match: Match
    times: int | None = None

    def explained(self, entries: Sequence[Entry], dropped: int = 0) -> str:
        """Return why the entries of a journal are not as expected, or nothing if they are.

        `dropped` is how many entries the journal did not keep.
        """
        found = sum(map(self.is_met_by, entries))
        if found == self.times or (self.times is None and found):
            return ""
        return "\n".join(self._lines(entries, found, dropped))

    def is_met_by(self, entry: Entry) -> bool:
        """Return whether a request is one of those that match."""
        return not self.match.difference(entry)

    def _lines(self, entries: Sequence[Entry], found: int, dropped: int) -> Iterator[str]:
        yield f"expected {_wanted(self.times)}{self._of_what()}, but there {_count(found)}"
        others = [(entry, differences) for entry in entries if (differences := self.match.difference(entry))]
        if others and found < (1 if self.times is None else self.times):
            nearest, differences = min(others, key=lambda other: len(other[1]))
            yield f"the nearest other is {nearest.id}: {'; '.join(each.message for each in differences)}"
        if not entries:
            yield "nothing was asked"
            return
        yield "what was asked (* is one of them):" if found else "what was asked instead:"
        hidden = max(0, len(entries) - LISTED) + dropped
        if hidden:
            yield f"    {hidden} more before"
        for entry in entries[-LISTED:]:
            yield f"  {'*' if self.is_met_by(entry) else ' '} {line(entry)}"

    def _of_what(self) -> str:
        """Return what the requests are like, such as ` with domain document.invoice and text "Extract"`."""
        parts = list(_parts(self.match))
        return f" with {' and '.join(parts)}" if parts else ""


def line(entry: Entry) -> str:
    """Return a request on one line: id, status, domain, documents, text, and what became of it."""
    became = (entry.fixture or entry.source, entry.error, f"fault: {entry.fault}" if entry.fault else None)
    return "  ".join((entry.id, str(entry.status or "cut"), *_asked(entry), *filter(None, became)))


def _asked(entry: Entry) -> Iterator[str]:
    if entry.request is None:
        yield "no chat request"
        return
    yield entry.domain or "no domain"
    yield ", ".join(map(_shown, entry.documents)) or "no document"
    yield _quoted(shortened(entry.text, TEXT_SHOWN))
    if entry.request.truncated:
        yield f"(not kept whole: {', '.join(entry.request.truncated)})"


def _shown(document: Document) -> str:
    identity = document.identity
    if identity.startswith("sha256:"):
        identity = shortened(identity, DIGEST_SHOWN)
    words = (document.media_type, f"{document.width}x{document.height}" if document.width else None, identity)
    return " ".join(filter(None, words))


def _parts(match: Match) -> Iterator[str]:
    if match.domain is not None:
        yield f"domain {match.domain}"
    if match.documents is not None:
        yield f"documents [{', '.join(match.documents)}]"
    if match.text is not None:
        yield from (f"a text that contains {_quoted(needle)}" for needle in match.text.contains)
        if match.text.equals is not None:
            yield f"text {_quoted(match.text.equals)}"
    if match.model is not None:
        yield f"model {match.model}"
    yield from (f"metadata.{name} {_quoted(value)}" for name, value in match.metadata.items())


def _quoted(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _wanted(times: int | None) -> str:
    if times is None:
        return "a request"
    return {0: "no request", 1: "exactly 1 request"}.get(times, f"exactly {times} requests")


def _count(found: int) -> str:
    return {0: "was none", 1: "was 1"}.get(found, f"were {found}")
