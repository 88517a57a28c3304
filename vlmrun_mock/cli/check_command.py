"""`vlmrun-mock check`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vlmrun_mock.cli.options import folders_argument, options_of
from vlmrun_mock.display import count, escaped
from vlmrun_mock.lazy import lazy

if TYPE_CHECKING:
    from vlmrun_mock.fixtures import domains
    from vlmrun_mock.fixtures.check import check as checker
    from vlmrun_mock.fixtures.check import hub
    from vlmrun_mock.fixtures.check.finding import Finding, Report
else:
    domains = lazy("vlmrun_mock.fixtures.domains")
    checker = lazy("vlmrun_mock.fixtures.check.check")
    hub = lazy("vlmrun_mock.fixtures.check.hub")


@click.command()
@folders_argument
@options_of("check")
def check(*, folders: tuple[Path, ...], layout: str) -> None:
    """Check folders of fixtures.

    Do they load, agree with the schemas, keep out of each other's way, and hold no secret? The folders are in the order
    in which they are served; the first wins. If vlmrun-hub is installed, its schemas are the ones that count. Exit
    status: 0 if there is no error, else 1; warnings are no errors.
    """
    known = domains.packaged()
    report = checker.check(folders, known, hub.current(known))
    for line in LAYOUTS[layout](report):
        click.echo(line)
    click.get_current_context().exit(0 if report.ok else 1)


def _as_text(report: Report) -> Iterator[str]:
    for finding in report.findings:
        yield _safe(f"{finding.level}: {finding.file}: {_sentence(finding)} [{finding.code}]")
    yield _summary(report)


def _as_json(report: Report) -> Iterator[str]:
    yield json.dumps(report.as_json(), indent=2)


def _as_github(report: Report) -> Iterator[str]:
    """Yield workflow commands.

    https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands#setting-an-error-message
    """
    for finding in report.findings:
        file, title = _property(finding.file), _property(f"vlmrun-mock check ({finding.code})")
        yield f"::{finding.level} file={file},title={title}::{_data(_sentence(finding))}"
    yield _summary(report)


LAYOUTS: Mapping[str, Callable[[Report], Iterator[str]]] = {"text": _as_text, "json": _as_json, "github": _as_github}


def _sentence(finding: Finding) -> str:
    return f"{finding.place}: {finding.message}" if finding.place else finding.message


def _summary(report: Report) -> str:
    counts = [(report.count("error"), "error"), (report.count("warning"), "warning")]
    found = " and ".join(count(number, level) for number, level in counts if number)
    return _safe(f"{count(report.files, 'fixture')} checked against {report.hub}: {found or 'all is well'}.")


def _data(text: str) -> str:
    """Return a text as the message of a workflow command."""
    return _safe(text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A"))


def _property(text: str) -> str:
    """Return a text as the value of a workflow command's property."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _safe(line: str) -> str:
    """Return a line without what a terminal or GitHub would obey: controls, and `##[` anywhere, an old command."""
    return escaped(line).replace("##[", "#\\x23[")
