"""The rounds: every peer in turn, so that what slows the machine slows all of them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks.cases import Case, Measure
from benchmarks.machine import Cores
from benchmarks.peers import Peer
from benchmarks.results import Result
from benchmarks.server import Unmeasured


def measured(case: Case, peers: Sequence[Peer], *, rounds: int, folder: Path, cores: Cores) -> list[Result]:
    """Return a case's results. A peer that cannot do it drops out, and its reason is kept."""
    figures: dict[str, dict[str, list[float]]] = {row.key: {} for row in case.rows}
    reasons: dict[str, str] = {}
    with ExitStack() as stack:
        measures: dict[str, Measure] = {}
        for peer in peers:
            try:
                measures[peer.name] = stack.enter_context(case.prepared(peer, folder / peer.name, cores))
            except Unmeasured as error:
                reasons[peer.name] = str(error)
        for number in range(min(rounds, case.most_rounds)):
            # Each second round runs backwards: nobody always follows the same one.
            for name in list(measures)[:: -1 if number % 2 else 1]:
                try:
                    taken = measures[name]()
                except Unmeasured as error:
                    reasons[name] = str(error)
                    del measures[name]
                else:
                    for key, figure in taken.items():
                        figures[key].setdefault(name, []).append(figure)
    for by_peer in figures.values():
        for name in reasons:
            by_peer.pop(name, None)
    return [Result(row, figures[row.key], reasons) for row in case.rows]
