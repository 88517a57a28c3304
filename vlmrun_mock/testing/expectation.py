"""Comparing the requests that a test expects with those in the journal, and explaining the difference."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vlmrun_mock.display import shortened
from vlmrun_mock.documents.identity import Document
from vlmrun_mock.fixtures.difference import Difference
from vlmrun_mock.fixtures.match import Match
from vlmrun_mock.json_text import quoted
from vlmrun_mock.mock.journal import Entry, EnvelopeKind

LISTED = 20
"""The number of requests, the latest, that an explanation lists."""

TEXT_SHOWN = 60
"""The number of characters of a text that a line shows."""

DIGEST_SHOWN = len("sha256:") + 12
"""The number of characters of a document's identity that a line shows."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """Expects `times` requests that match, or at least one if that is None."""

    match: Match
    times: int | None = None
    kind: EnvelopeKind | None = None

    def explained(self, entries: Sequence[Entry], dropped: int = 0) -> str:
        """Return how a journal's entries differ from the expectation, or "" if they meet it.

        `dropped` is the number of entries that the journal no longer has.
        """
        found = sum(map(self.is_met_by, entries))
        if found == self.times or (self.times is None and found):
            return ""
        return "\n".join(self._lines(entries, found, dropped))

    def is_met_by(self, entry: Entry) -> bool:
        """Return whether a request matches."""
        return not self._differences(entry)

    def _differences(self, entry: Entry) -> list[Difference]:
        found = self.match.difference(entry)
        if self.kind in (None, entry.kind):
            return found
        return [Difference("kind", self.kind, entry.kind, f"it is of the kind {entry.kind}, not {self.kind}"), *found]

    def _lines(self, entries: Sequence[Entry], found: int, dropped: int) -> Iterator[str]:
        parts = [*([f"kind {self.kind}"] if self.kind else []), *_parts(self.match)]
        described = f" with {' and '.join(parts)}" if parts else ""
        count = {0: "was none", 1: "was 1"}.get(found, f"were {found}")
        wanted = {None: "a request", 0: "no request", 1: "exactly 1 request"}.get(
            self.times, f"exactly {self.times} requests"
        )
        yield f"expected {wanted}{described}, but there {count}"
        others = [(entry, differences) for entry in entries if (differences := self._differences(entry))]
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


def line(entry: Entry) -> str:
    """Return a request on one line: id, status, domain, documents, text, and how it was answered."""
    outcome = (entry.fixture or entry.source, entry.error, f"fault: {entry.fault}" if entry.fault else None)
    return "  ".join((entry.id, str(entry.status or "cut"), *_request(entry), *filter(None, outcome)))


def _request(entry: Entry) -> Iterator[str]:
    if entry.request is None:
        yield f"no {entry.kind} request"
        return
    yield entry.domain or "no domain"
    yield ", ".join(map(_shown, entry.documents)) or "no document"
    yield quoted(shortened(entry.text, TEXT_SHOWN))
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
        yield from (f"a text that contains {quoted(needle)}" for needle in match.text.contains)
        if match.text.equals is not None:
            yield f"text {quoted(match.text.equals)}"
    if match.model is not None:
        yield f"model {match.model}"
    yield from (f"metadata.{name} {quoted(value)}" for name, value in match.metadata.items())
