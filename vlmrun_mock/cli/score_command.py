"""`vlmrun-mock score`."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from xml.etree import ElementTree as ET

import click

from vlmrun_mock import __version__
from vlmrun_mock.cli.options import FOLDER, options_of
from vlmrun_mock.display import count, escaped, printable
from vlmrun_mock.lazy import lazy

if TYPE_CHECKING:
    from vlmrun_mock.fixtures import score
    from vlmrun_mock.fixtures.score import Score
else:
    score = lazy("vlmrun_mock.fixtures.score")

MOST_LINES = 20
"""How many wrong values are printed; `--format json` and `--junit` have them all."""


@dataclass(frozen=True, slots=True)
class ScoredDocument:
    """A document by its name, and how well it was read; without a score there is no answer for it."""

    name: str
    score: Score
    is_answered: bool


@click.command("score")
@click.argument("truth", metavar="TRUTH_DIR", type=FOLDER)
@click.argument("answers", metavar="ANSWERS_DIR", type=FOLDER)
@options_of("score")
def score_(truth: Path, answers: Path, *, at_least: float, junit: Path | None, layout: Literal["text", "json"]) -> None:
    """Compare what an application stored with the truth, field by field.

    TRUTH_DIR holds fixtures, such as `documents` writes, or plain JSON. ANSWERS_DIR holds a JSON file of the same name
    for each: what the application stored, or a whole chat completion or prediction. Exit status: 0 if the score is at
    least the wanted one, else 1.
    """
    try:
        scored = list(_scored(truth, answers))
    except ModuleNotFoundError:
        raise click.ClickException(score.EXTRA) from None
    if not scored:
        raise click.ClickException(f"{truth} holds no .json file")
    fields = sum(len(each.score.fields) for each in scored)
    total = math.fsum(field.score for each in scored for field in each.score.fields) / fields if fields else 1.0
    if junit:
        _write_junit(junit, scored, at_least)
    for line in _as_json(scored, total) if layout == "json" else _as_text(scored, total, at_least):
        click.echo(line)
    click.get_current_context().exit(0 if total >= at_least else 1)


def _scored(truth: Path, answers: Path) -> Iterator[ScoredDocument]:
    """Yield how well each document was read; ends the command for a file that cannot be used."""
    for path in sorted(truth.rglob("*.json")):
        name = path.relative_to(truth)
        try:
            wanted = score.truth_of(_read(path))
        except ValueError as error:
            raise click.ClickException(f"{escaped(str(path))}: {error}") from None
        found = answers / name
        given = score.told(_read(found)) if found.is_file() else None
        yield ScoredDocument(escaped(name.with_suffix("").as_posix()), score.score(given, wanted), found.is_file())


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise click.ClickException(f"{escaped(str(path))} is not JSON: {error}") from None
    except OSError as error:
        raise click.ClickException(f"{escaped(str(path))} cannot be read: {error.strerror}") from None


def _as_text(scored: Sequence[ScoredDocument], total: float, at_least: float) -> Iterator[str]:
    found = [each for each in score.summaries([each.score for each in scored]) if each.mean < 1]
    if found:
        width = max(len("field"), *(len(printable(each.field)) for each in found))
        yield f"{'field':<{width}}  compared   right    of   score"
        for each in found:
            yield f"{printable(each.field):<{width}}  {each.kind:<8}  {each.right:>6}  {each.count:>4}  {each.mean:.4f}"
        yield ""
    answered = [each for each in scored if each.is_answered]
    wrong = [f"{each.name}: {printable(str(field))}" for each in answered for field in each.score.wrong]
    yield from wrong[:MOST_LINES]
    if len(wrong) > MOST_LINES:
        yield f"… and {len(wrong) - MOST_LINES:,} more"
    yield from (f"{each.name}: there is no answer" for each in scored if not each.is_answered)
    right = sum(len(each.score.fields) - len(each.score.wrong) for each in scored)
    fields = sum(len(each.score.fields) for each in scored)
    further = len({name for each in scored for name in each.score.further})
    below = f", less than {at_least:g}" if total < at_least else ""
    told = f"{right:,} of {count(fields, 'field')} in {count(len(scored), 'document')} are right"
    yield f"Score {total:.4f}{below}: {told}."
    if further:
        yield f"{count(further, 'name')} in the answers, which the truth does not have, did not count."


def _as_json(scored: Sequence[ScoredDocument], total: float) -> Iterator[str]:
    documents = [
        {
            "name": each.name,
            "answered": each.is_answered,
            "score": each.score.total,
            "wrong": [asdict(field) for field in each.score.wrong],
            "further": list(each.score.further),
        }
        for each in scored
    ]
    fields = [asdict(each) for each in score.summaries([each.score for each in scored])]
    yield json.dumps({"score": total, "fields": fields, "documents": documents}, indent=2)


def _write_junit(path: Path, scored: Sequence[ScoredDocument], at_least: float) -> None:
    """Write a test case a document, which fails below the wanted score or without an answer."""
    suite = ET.Element("testsuite", name=f"vlmrun-mock score {__version__}", tests=str(len(scored)))
    failures = 0
    for each in scored:
        case = ET.SubElement(suite, "testcase", classname="score", name=printable(each.name), time="0")
        if each.score.total < at_least or not each.is_answered:
            failures += 1
            message = f"score {each.score.total:.4f}" if each.is_answered else "there is no answer"
            failure = ET.SubElement(case, "failure", message=message)
            failure.text = "\n".join(printable(str(field)) for field in each.score.wrong)
    suite.set("failures", str(failures))
    try:
        path.write_bytes(ET.tostring(suite, encoding="utf-8", xml_declaration=True))
    except OSError as error:
        raise click.ClickException(f"{escaped(str(path))} cannot be written: {error.strerror}") from None
