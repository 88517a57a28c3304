"""One fixture file examined: all that is wrong with it by itself."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vlmrun_mock.conformity import Conformity
from vlmrun_mock.domains import ALIASES, Domains
from vlmrun_mock.finding import Finding, Level, Subject
from vlmrun_mock.fixture_error import FixtureError
from vlmrun_mock.fixture_file import AnswerBody, FixtureBody, is_current, parse
from vlmrun_mock.fixture_folder import FixtureBuilder
from vlmrun_mock.fixtures import Fixture, FixtureAnswer
from vlmrun_mock.hub import Hub, release_of
from vlmrun_mock.match import Match
from vlmrun_mock.overlap import contradiction
from vlmrun_mock.references import Place, SchemaProblem
from vlmrun_mock.secret import NAMES, REPLACEMENT, Secret, found_in

OWN_DOMAINS = "custom."
"""How the names of domains begin that are nobody's misspelling."""

ALIKE = 0.92
"""From which likeness on, of 1, an undocumented domain's name is taken for a misspelling."""


@dataclass(frozen=True, slots=True)
class Examined:
    """What findings of a file are about, those that there are, and the file's fixture if it can be loaded."""

    subject: Subject
    findings: tuple[Finding, ...]
    fixture: Fixture | None = None


class Examiner:
    """Examines files by a release of vlmrun-hub."""

    def __init__(self, domains: Domains, hub: Hub) -> None:
        self._domains = domains
        self._hub = hub
        self._conformity = Conformity(domains, hub)

    def examined(self, file: str, path: Path, builder: FixtureBuilder, origin: int) -> Examined:
        """Return what is wrong with a file, called `file` in findings, and the fixture that a builder makes of it."""
        subject = Subject(file)
        findings: list[Finding] = []
        try:
            raw = builder.raw(path)
            subject, findings = _without_secrets(file, raw)
            body = parse(raw, builder.name)
        except FixtureError as problem:
            return Examined(subject, (*findings, *_malformed(subject, problem)))
        lenient = replace(builder, checks_content=False)
        fixture, refusal = _built(lenient, body, origin)
        # A document that cannot be read is no reason to be silent about the content.
        judged = fixture or _built(lenient, _without_documents(body), origin)[0]
        findings += _malformed(subject, refusal) if refusal else ()
        findings += self._of_fixture(subject, body, judged) if judged else ()
        findings += self._unservable(subject, body, builder, findings) if fixture else ()
        return Examined(subject, tuple(dict.fromkeys(findings)), fixture)

    def _of_fixture(self, subject: Subject, body: FixtureBody, fixture: Fixture) -> Iterator[Finding]:
        reason = contradiction(fixture.match)
        if reason:
            yield subject.finding("match", "shadow", f"no request can match: {reason}; remove one of the two")
        yield from self._of_domain(subject, fixture.match.domain or "")
        for (place, answer), built in zip(body.placed_answers, fixture.answers, strict=True):
            if not is_current(answer):
                message = "it says something else than content does, and is not sent: remove it"
                yield subject.finding(f"{place}.verbatim", "leftover", message)
            yield from self._of_content(subject, fixture.match, place, answer, built)

    def _of_domain(self, subject: Subject, name: str) -> Iterator[Finding]:
        if name in self._hub.schemas or name.startswith(OWN_DOMAINS):
            return
        if name in self._domains.hub["domains"]:
            message = f"{self._hub.release} has no domain {name} any more: see what it is called now"
            yield subject.finding("match.domain", "unknown_domain", message, "warning")
        elif not self._domains.get(name):
            known = [*self._domains.names(), *ALIASES, *self._hub.schemas]
            for closest in difflib.get_close_matches(_plain(name), known, n=1, cutoff=ALIKE):
                meant = self._domains.canonical(closest)
                message = (
                    f"there is no domain {name}; the closest is {meant}: name it, unless {name} is one of your own"
                )
                yield subject.finding("match.domain", "unknown_domain", message, "warning")

    def _of_content(
        self, subject: Subject, match: Match, place: str, answer: AnswerBody, built: FixtureAnswer
    ) -> Iterator[Finding]:
        kind = "content" if answer.merge is None else "merge"
        try:
            disagreements = self._conformity.disagreements(match, built)
        except SchemaProblem as problem:
            message = f"no request can have this schema: {problem.message}"
            yield subject.finding(_dotted(("match", "schema", *problem.place)), "schema", message)
            return
        for each in disagreements:
            is_packaged = answer.merge is not None and not _is_patched(answer.merge, each.place)
            hint = "; it is in the packaged answer, change it in the patch" if is_packaged else ""
            level: Level = "error" if each.is_certain else "warning"
            yield subject.finding(_dotted((place, kind, *each.place)), each.kind, f"{each.message}{hint}", level)

    def _unservable(
        self, subject: Subject, body: FixtureBody, builder: FixtureBuilder, findings: Iterable[Finding]
    ) -> Iterator[Finding]:
        """Yield what a server refuses all the same, because its schemas are not of the release that is installed."""
        packaged = release_of(self._domains)
        refusal = None if self._hub.release == packaged else _built(builder, body, origin=0)[1]
        if refusal and not any(finding.place.startswith(refusal.place) for finding in findings):
            message = f"{refusal.reason}: serve refuses it, as its schemas are of {packaged}; update vlmrun-mock"
            yield subject.finding(refusal.place, "malformed", message)


def _malformed(subject: Subject, problem: FixtureError) -> Iterator[Finding]:
    for place, reason in ((problem.place, problem.reason), *problem.further):
        yield subject.finding(place, "malformed", reason)


def _without_secrets(file: str, raw: bytes) -> tuple[Subject, list[Finding]]:
    """Return a file as a subject of findings that tell none of its secrets, and a finding for each of these."""
    try:
        data = json.loads(raw)
        secrets = list(found_in(data))
    except (ValueError, RecursionError):  # what is no JSON is refused when it is parsed
        return Subject(file), []
    subject = Subject(file, _named(data, secrets))
    message = f"remove it, or write {REPLACEMENT} in its place"
    findings = [
        subject.finding(_dotted(each.place), "secret", f"this looks like {each.kind}: {message}") for each in secrets
    ]
    return subject, findings


def _named(data: Any, secrets: Iterable[Secret]) -> Iterator[str]:
    """Yield the secrets in a JSON value that are known as such by their keys alone."""
    for each in secrets:
        if NAMES.fullmatch(str(each.place[-1])):
            value = data
            for step in each.place:
                value = value[step]
            yield from [value] if isinstance(value, str) else ()


def _built(builder: FixtureBuilder, body: FixtureBody, origin: int) -> tuple[Fixture | None, FixtureError | None]:
    """Return the fixture of a body, or why there is none."""
    try:
        return builder.fixture(body, origin), None
    except FixtureError as problem:
        return None, problem


def _without_documents(body: FixtureBody) -> FixtureBody:
    return body.model_copy(update={"match": body.match.model_copy(update={"documents": None})})


def _is_patched(patch: Any, place: Place) -> bool:
    """Return whether a merge patch says something of a place, or of what is in it."""
    for step in place:
        if not isinstance(patch, Mapping):
            return True
        if step not in patch:
            return False
        patch = patch[step]
    return True


def _plain(name: str) -> str:
    return name[:100].lower().replace("_", "-")


def _dotted(place: Place) -> str:
    return ".".join(map(str, place))
