"""A run as Markdown: the table, the reasons for what is missing in it, and where it was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.environments import ROOT
from benchmarks.results import Result, Run

PAGE = ROOT / "docs" / "benchmarks.md"
CHART = PAGE.with_suffix(".png")
BEGIN = "<!-- begin: written by python -m benchmarks --write-docs -->"
END = "<!-- end -->"

LONGEST_REASON = 200


def markdown(run: Run) -> str:
    """Return all that is to be said of a run."""
    notes = _notes(run)
    table = _table(run, list(notes))
    reasons = [f"{number}. {', '.join(names)}: {reason}" for number, (reason, names) in enumerate(notes.items(), 1)]
    machine = ", ".join(f"{name} {value}" for name, value in run.machine.items())
    versions = ", ".join(f"{name} ({version})" for name, version in run.versions.items())
    about = [
        f"- Command: `{run.command}`, {run.date}, medians over {run.rounds} rounds, fewer where one takes long",
        f"- Machine: {machine}",
        f"- Versions: {versions}",
    ]
    return "\n".join([*table, "", *([*reasons, ""] if reasons else []), *about]) + "\n"


def rewritten(page: str, report: str) -> str:
    """Return a page with another report between its marks; raises ValueError if it has none."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page lacks the marks {BEGIN} and {END}")
    return f"{before}{begin}\n\n{report}\n{end}{after}"


def write_docs(run: Run, page: Path = PAGE) -> None:
    """Put the report of a run, and its chart, into the page of the documents."""
    report = f"{markdown(run)}\n![The ratios of the table on a logarithmic axis]({CHART.name})\n"
    page.write_text(rewritten(page.read_text(encoding="utf-8"), report), encoding="utf-8")


def figure(value: float, unit: str) -> str:
    """Return a figure with its unit: three digits, and all before the point."""
    digits = 0 if value >= 100 else 1 if value >= 10 else 2  # noqa: PLR2004 - powers of ten
    return f"{value:,.{digits}f}" + (unit if unit.startswith("/") else f" {unit}")


def _table(run: Run, notes: Sequence[str]) -> list[str]:
    others = [name for name in run.versions if name != run.subject]
    lines = [_line(["measured", run.subject, *others]), _line(["---", *["---:"] * (1 + len(others))])]
    for result in run.results:
        own = result.median(run.subject)
        cells = [figure(own, result.row.unit) if own is not None else _note(result, run.subject, notes)]
        cells += [_cell(result, run.subject, name, notes) for name in others]
        lines.append(_line([result.row.title, *cells]))
    return lines


def _cell(result: Result, subject: str, peer: str, notes: Sequence[str]) -> str:
    median, ratio = result.median(peer), result.ratio(subject, peer)
    if median is None:
        return _note(result, peer, notes)
    absolute = figure(median, result.row.unit)
    return absolute if ratio is None else f"**{figure(ratio, '').strip()}** ({absolute})"


def _notes(run: Run) -> Mapping[str, Sequence[str]]:
    """Return the reasons for all empty cells, in the order of the table, and the peers that each is true of."""
    notes: dict[str, list[str]] = {}
    for result in run.results:
        for name in run.versions:
            names = notes.setdefault(_reason(result, name), []) if result.median(name) is None else [name]
            if name not in names:
                names.append(name)
    return notes


def _note(result: Result, peer: str, notes: Sequence[str]) -> str:
    return f"none [{notes.index(_reason(result, peer)) + 1}]"


def _reason(result: Result, peer: str) -> str:
    return _shortened(result.reasons.get(peer, "was not measured"))


def _shortened(reason: str) -> str:
    return reason if len(reason) <= LONGEST_REASON else reason[:LONGEST_REASON] + "…"


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"
