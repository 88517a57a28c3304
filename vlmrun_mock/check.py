"""All that is wrong with folders of fixtures, found before a server or a test comes upon it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from vlmrun_mock.domains import Domains
from vlmrun_mock.examination import Examined, Examiner
from vlmrun_mock.finding import Finding, Report, Subject
from vlmrun_mock.fixture_folder import (
    NO_FOLDER,
    FixtureBuilder,
    files,
    fixture_files,
    is_folder,
    real_folders,
    shown,
)
from vlmrun_mock.fixtures import USER_ORIGIN
from vlmrun_mock.hub import Hub
from vlmrun_mock.overlap import MOST_OTHERS, Kind, Overlap, overlaps
from vlmrun_mock.recording_file import TEMPORARY

OVERLAPS: Mapping[Kind, str] = {
    "shadow": (
        "it never answers: all that it matches is answered by {}, which comes first; remove it, or say in match what "
        "tells it apart"
    ),
    "same": "{} matches the same requests, and only the file's name decides which one answers: remove one of them",
    "tie": (
        "{} matches some of the same requests, and only the file's name decides which one answers: say more in the "
        "match of one"
    ),
    "texts": (
        "{} asks for another text, and where both are in one, only the file's name decides which one answers: if that "
        "can be, say more in the match of one"
    ),
}
"""What is said of a fixture that another one gets in the way of."""


def check(folders: Sequence[Path], domains: Domains, hub: Hub) -> Report:
    """Return all that is wrong with the fixtures of folders, of which the first takes precedence.

    What is wrong with one file hides nothing of the others. A file that is in two of the folders is of the first.
    """
    roots = real_folders(folders)
    examiner = Examiner(domains, hub)
    findings: list[Finding] = []
    examined: dict[Path, Examined] = {}
    for origin, (folder, root) in enumerate(zip(folders, roots, strict=True), USER_ORIGIN):
        findings += _of_folder(folder, root)
        for path in fixture_files(root) if is_folder(root) else ():
            if path not in examined:
                name = path.relative_to(root)
                builder = FixtureBuilder(shown(name.as_posix()), domains, path.parent, roots)
                examined[path] = examiner.examined(_called(folder / name), path, builder, origin)
    between = _by_file(_between(examined.values()))
    for each in examined.values():
        findings += [*each.findings, *between.get(each.subject.file, ())]
    return Report(len(examined), str(hub), tuple(findings))


def _called(path: Path) -> str:
    """Return what findings call a file or a folder."""
    return shown(path.as_posix())


def _of_folder(folder: Path, root: Path) -> Iterator[Finding]:
    """Yield what is wrong with a folder, but for its fixtures."""
    called = Subject(_called(folder))
    if not is_folder(root):
        yield called.finding("", "malformed", f"it {NO_FOLDER}")
        return
    for path in files(root):
        if path.name.startswith(".") and path.name.endswith(TEMPORARY):
            left = Subject(_called(folder / path.relative_to(root)))
            yield left.finding("", "leftover", "an interrupted recording has left this file: remove it")
    if next(fixture_files(root), None) is None:
        yield called.finding("", "empty", "there is no fixture in it: see whether it is the right folder", "warning")


def _between(examined: Collection[Examined]) -> Iterator[Finding]:
    """Yield the fixtures that get in each other's way."""
    subjects = {(each.fixture.origin, each.fixture.name): each.subject for each in examined if each.fixture}
    for found in overlaps(each.fixture for each in examined if each.fixture):
        subject, other = (subjects[each.origin, each.name] for each in (found.fixture, found.other))
        message = OVERLAPS[found.kind].format(f"{other.file}{_further(found)}")
        code = "shadow" if found.kind == "shadow" else "tie"
        yield subject.finding("match", code, message, "warning" if found.kind == "texts" else "error")


def _further(found: Overlap) -> str:
    """Return how many others there are."""
    if found.others == MOST_OTHERS:
        return " (and many more)"
    return f" (and {found.others - 1} more)" if found.others > 1 else ""


def _by_file(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = {}
    for each in findings:
        found.setdefault(each.file, []).append(each)
    return found
