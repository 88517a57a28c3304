"""Something wrong with a fixture, as `check` reports it: where, what kind, how bad, and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

from vlmrun_mock.secret import SHORTEST, Redaction

Level: TypeAlias = Literal["error", "warning"]

CODES: Mapping[str, str] = {
    "malformed": "the file, or what it names, cannot be loaded",
    "schema": "the content is not as its schema says",
    "unknown_field": "the content has a field that its domain's schema does not have: renamed, removed, or misspelt",
    "unknown_domain": "the domain's name is close to a documented one, or no longer documented",
    "tie": "another fixture matches the same requests, or some, and only the file's name decides between the two",
    "shadow": "the fixture never answers: another one does before it, or no request can match",
    "secret": "something looks like a key, a token or a password",
    "leftover": "something is left of an interrupted recording, or of content that was changed since",
    "empty": "the folder has no fixture",
}
"""What may be found, and what it means."""

LONGEST_MESSAGE = 400


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong: the file as it was found, the place in it (may be empty), one of CODES, how bad, a sentence."""

    file: str
    place: str
    code: str
    level: Level
    message: str

    def as_json(self) -> dict[str, str]:
        """Return the finding as data."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Report:
    """What was found in how many fixture files, and by which release of vlmrun-hub."""

    files: int
    hub: str
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Return whether there is no error; there may be warnings."""
        return not self.count("error")

    def count(self, level: Level) -> int:
        """Return how many findings there are of a level."""
        return sum(finding.level == level for finding in self.findings)

    def as_json(self) -> dict[str, Any]:
        """Return the report as data."""
        findings = [finding.as_json() for finding in self.findings]
        return {"ok": self.ok, "files": self.files, "hub": self.hub, "findings": findings}


class Subject:
    """A file that findings are about, and the secrets in it that no finding may tell, besides what looks like one."""

    def __init__(self, file: str, secrets: Iterable[str] = ()) -> None:
        self.file = file
        self._redaction = Redaction(tuple(secrets), SHORTEST)

    def finding(self, place: str, code: str, message: str, level: Level = "error") -> Finding:
        """Return a finding; its message is cut after the secrets are out, as half of one would not be known."""
        message = self._redaction.text(message)
        message = message if len(message) <= LONGEST_MESSAGE else message[:LONGEST_MESSAGE] + "…"
        return Finding(self.file, self._redaction.text(place), code, level, message)
