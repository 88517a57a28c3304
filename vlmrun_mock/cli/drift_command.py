"""`vlmrun-mock drift`."""

from __future__ import annotations

import asyncio
import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from vlmrun_mock.cli.options import folders_argument, options_of
from vlmrun_mock.display import count, escaped
from vlmrun_mock.lazy import lazy
from vlmrun_mock.recording.settings import KEY_VARIABLE, UpstreamSettings, key_of_environment

if TYPE_CHECKING:
    from vlmrun_mock import redaction
    from vlmrun_mock.fixtures import domains
    from vlmrun_mock.fixtures import folders as document_folders
    from vlmrun_mock.recording import candidates
    from vlmrun_mock.recording import drift as recording_drift
    from vlmrun_mock.recording.candidates import Candidate
    from vlmrun_mock.recording.drift import Drift, DriftOutcome
else:
    domains = lazy("vlmrun_mock.fixtures.domains")
    redaction = lazy("vlmrun_mock.redaction")
    document_folders = lazy("vlmrun_mock.fixtures.folders")
    candidates = lazy("vlmrun_mock.recording.candidates")
    recording_drift = lazy("vlmrun_mock.recording.drift")

INTERRUPTED = 130
"""The exit status of a command that Ctrl-C has ended, by the convention of shells."""

MOST_LINES = 20
"""How many differences of a fixture are printed; JSON has them all."""

DIFFER = ("value differs", "values differ")
"""What a count of values is called: of one, and of several."""

WIDTH = len("not asked")


@click.command()
@folders_argument
@options_of("drift")
def drift(
    *,
    folders: tuple[Path, ...],
    upstream: str,
    documents: tuple[Path, ...],
    timeout: float,
    values: bool,
    layout: Literal["text", "json"],
) -> None:
    """Ask the real API again for what was recorded.

    Exit status: 0 if everything was asked and its shape (keys, types, status) is as recorded, 1 if a shape differs,
    3 if none does, but something could not be asked.
    """
    settings = UpstreamSettings(upstream, _key(), timeout)
    try:
        status = _report(folders, documents, settings, values=values, as_json=layout == "json")
    except KeyboardInterrupt:
        status = INTERRUPTED
    click.get_current_context().exit(status)


def _key() -> str:
    """Return the key to the real API; ends the command if there is none that can be sent."""
    try:
        key = key_of_environment()
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    if not key:
        raise click.UsageError(f"{KEY_VARIABLE} is not set: it holds the key that the real API is asked with")
    return key


def _report(
    recordings: Sequence[Path], documents: Sequence[Path], settings: UpstreamSettings, *, values: bool, as_json: bool
) -> int:
    """Ask for every recording in the folders, print what became of it, and return the exit status."""
    printer = _Printer(settings.key or "", as_json=as_json)
    found = candidates.read_all(recordings, domains.packaged())
    if not found:
        printer.note(f"There is no recording in {' and '.join(map(os.fspath, recordings))}.")
    searched = document_folders.search(documents, candidates.sizes(found))
    for problem in searched.problems:
        printer.note(problem)
    asked = recording_drift.Drift(settings, searched, printer.note)
    return asyncio.run(_outcomes(asked, found, printer, values=values))


async def _outcomes(asked: Drift, found: Sequence[Candidate], printer: _Printer, *, values: bool) -> int:
    """Print what becomes of each fixture while they are asked for, and then a summary; return the exit status."""
    outcomes = []
    for candidate in found:
        outcomes.append(await asked.outcome(candidate))
        for line in _lines(outcomes[-1], values=values):
            printer.line(line)
    fixtures = [outcome.as_json(values=values) for outcome in outcomes]
    printer.end(_summary(outcomes, values=values), {**_counts(outcomes), "fixtures": fixtures})
    return recording_drift.exit_status(outcomes)


class _Printer:
    """Prints a report without the key, even where an answer repeats it, and without control characters."""

    def __init__(self, key: str, *, as_json: bool) -> None:
        self._notes: list[str] = []
        self._redaction = redaction.Redaction([key])
        self._as_json = as_json

    def line(self, text: str) -> None:
        """Print a line of the report: on standard error if the report itself is JSON."""
        self._print(text, err=self._as_json)

    def note(self, text: str) -> None:
        """Print a line that is about no fixture."""
        self._notes.append(text)
        self._print(text, err=True)

    def end(self, summary: str, data: dict[str, Any]) -> None:
        """Print the summary, or the whole as data."""
        if self._as_json:
            click.echo(json.dumps(self._redaction.value({**data, "notes": self._notes}), indent=2))
        elif data["fixtures"]:
            self.line("")
            self.line(summary)

    def _print(self, text: str, *, err: bool) -> None:
        click.echo(escaped(self._redaction.text(text)), err=err)


def _lines(outcome: DriftOutcome, *, values: bool) -> Iterator[str]:
    """Yield a line that says what became of a fixture, and one for each difference that is to be listed."""
    head = f"{outcome.verdict:<{WIDTH}}  {outcome.folder / outcome.name}"
    if outcome.reason:
        yield f"{head}: {outcome.reason}"
        return
    yield f"{head} ({count(len(outcome.values), *DIFFER)})" if outcome.values else head
    listed = [f"shape: {change.message}" for change in outcome.shape]
    listed += [f"value: {change.message}" for change in outcome.values] if values else []
    more = [f"… and {len(listed) - MOST_LINES:,} more"] if len(listed) > MOST_LINES else []
    for line in (*listed[:MOST_LINES], *more, *(f"note: {note}" for note in outcome.notes)):
        yield f"{'':<{WIDTH}}  {line}"


def _counts(outcomes: Sequence[DriftOutcome]) -> dict[str, int]:
    verdicts = Counter(outcome.verdict for outcome in outcomes)
    return {"same": verdicts["same"], "differs": verdicts["differs"], "not_asked": verdicts["not asked"]}


def _summary(outcomes: Sequence[DriftOutcome], *, values: bool) -> str:
    counts, differing = _counts(outcomes), sum(len(outcome.values) for outcome in outcomes)
    same = f"{counts['same']} {'has' if counts['same'] == 1 else 'have'} the recorded shape"
    others = f"{counts['differs']} {'differs' if counts['differs'] == 1 else 'differ'}"
    hint = "" if values or not differing else "; --values lists them"
    return f"{same}, {others}, {counts['not_asked']} could not be asked. {count(differing, *DIFFER)}{hint}."
