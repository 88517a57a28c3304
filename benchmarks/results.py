"""What was measured, and how two servers compare in it."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    key: str
    """What `--only` calls it."""

    title: str
    unit: str
    more_is_better: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """The figures of a row: one a round for each peer, or the reason why a peer has none."""

    row: Row
    figures: Mapping[str, Sequence[float]]
    reasons: Mapping[str, str]

    def median(self, peer: str) -> float | None:
        """Return the median of a peer's rounds."""
        return statistics.median(self.figures[peer]) if self.figures.get(peer) else None

    def ratio(self, subject: str, peer: str) -> float | None:
        """Return how many times as good as the peer the subject is: the median over the rounds, each by itself."""
        pairs = list(zip(self.figures.get(subject, ()), self.figures.get(peer, ()), strict=False))
        if not pairs:
            return None
        if self.row.more_is_better:
            return statistics.median(mine / theirs for mine, theirs in pairs)
        return statistics.median(theirs / mine for mine, theirs in pairs)


@dataclass(frozen=True, slots=True)
class Run:
    """All results of one run, and what a reader needs to judge them."""

    command: str
    date: str
    rounds: int
    subject: str
    machine: Mapping[str, str]
    versions: Mapping[str, str]
    """The version of each peer that was measured, in the order of the columns."""

    results: Sequence[Result]

    def to_json(self) -> str:
        """Return the run as JSON, which `from_json` reads."""
        return json.dumps(asdict(self), indent=2) + "\n"

    @classmethod
    def from_json(cls, written: str) -> Run:
        """Return the run that `to_json` wrote."""
        values: dict[str, Any] = json.loads(written)
        results = [Result(Row(**each["row"]), each["figures"], each["reasons"]) for each in values.pop("results")]
        return cls(**values, results=results)
