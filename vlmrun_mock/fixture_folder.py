"""Folders of fixture files: found, their documents hashed, checked against their domains, turned into fixtures."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, TypeAlias
from unicodedata import category

from vlmrun_mock import documents
from vlmrun_mock.domains import Domain, Domains
from vlmrun_mock.fixture_error import FixtureError, FixtureFolderError
from vlmrun_mock.fixture_file import IDENTITY, AnswerBody, FixtureBody, MatchBody, contents, merge_patch, parse
from vlmrun_mock.fixtures import ErrorAnswer, Fixture, FixtureAnswer, Match, TextMatch

USER_ORIGIN = 1
"""The origin of the first folder's fixtures; the next folder's is one more. 0 is for those registered at run time."""

PACKAGED_ORIGIN = 1_000_000

OUTSIDE = "it leads out of the fixture folders"

UNSHOWN = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""The Unicode categories that are escaped in a fixture's name: controls, halves of characters, and line breaks."""

Stamp: TypeAlias = tuple[int, ...]
"""What a file system says of a file that changes whenever the file does."""

SETTLED = 2_000_000_000
"""Nanoseconds: of a file that changed later than this before it was read, the next change may leave the same stamp."""


def load(folders: Sequence[Path], domains: Domains) -> list[Fixture]:
    """Return the fixture in every .json file of the folders and below; raises FixtureFolderError."""
    return FixtureFolders(folders, domains).load()


class FixtureFolders:
    """Folders that can be loaded again and again.

    A file that is as it was is not read again, and a fixture that is as it was stays the same object.
    """

    def __init__(self, folders: Sequence[Path], domains: Domains) -> None:
        self._folders = tuple(folders)
        self._domains = domains
        self._kept: dict[tuple[int, str], Loaded] = {}

    def load(self, between: Callable[[], None] = lambda: None) -> list[Fixture]:
        """Return the fixture in every .json file of the folders and below; raises FixtureFolderError.

        `between` is called before each file, and what it raises ends the loading.
        """
        roots = tuple(Path(os.path.realpath(folder)) for folder in self._folders)
        problems = [FixtureError(_shown(str(root)), "", "is no folder") for root in roots if not os.path.isdir(root)]  # noqa: PTH112 - Path.is_dir raises where a parent may not be read
        kept: dict[tuple[int, str], Loaded] = {}
        for origin, root in enumerate(roots, USER_ORIGIN):
            for path in _files(root):
                between()
                name = path.relative_to(root).as_posix()
                builder = FixtureBuilder(_shown(name), self._domains, path.parent, roots)
                try:
                    kept[origin, name] = builder.from_file(path, origin, self._kept.get((origin, name)))
                except FixtureError as problem:
                    problems.append(problem)
        self._kept = {**self._kept, **kept} if problems else kept
        if problems:
            raise FixtureFolderError(problems)
        return [each.fixture for each in kept.values()]


def packaged_fixture(domain: Domain, domains: Domains) -> Fixture:
    """Return a domain's packaged answer as a fixture; all others take precedence over it."""
    return FixtureBuilder(domain.fixture_name, domains).fixture(domain.fixture, PACKAGED_ORIGIN)


def _files(root: Path) -> Iterator[Path]:
    """Yield the .json files below a folder in a stable order, but not hidden ones; a folder may go away meanwhile."""
    for folder, subfolders, files in os.walk(root):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        for name in sorted(files):
            if fnmatch(name, "*.json") and not name.startswith("."):
                yield Path(folder, name)


def _shown(name: str) -> str:
    """Return a file's name fit to be sent and printed: it need not be valid Unicode, nor fit on one line."""
    return "".join(
        character.encode("unicode_escape").decode() if category(character) in UNSHOWN else character
        for character in name
    )


def _stamp(path: Path) -> Stamp | None:
    """Return the stamp of a file, or of what a link leads to; None if it cannot be had."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino, found.st_dev)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A fixture, the identity of its file's bytes, and the stamps of the file and its documents before they were read.

    `settled`: all of them are old enough that any change leaves another stamp.
    """

    fixture: Fixture
    identity: str
    stamps: dict[Path, Stamp | None]
    settled: bool

    def is_current(self, path: Path) -> bool:
        """Return whether nothing has changed since, for a fixture in a file."""
        return self.settled and path in self.stamps and all(_stamp(each) == was for each, was in self.stamps.items())


def _is_inside(path: Path, roots: Sequence[Path]) -> bool:
    """Return whether a path stays in the folders when links are followed; raises ValueError for what is no path."""
    target = Path(os.path.realpath(path))
    return any(target.is_relative_to(root) for root in roots)


@dataclass(frozen=True, slots=True)
class FixtureBuilder:
    """Turns the body of a fixture into a fixture; raises FixtureError, which calls it by `name`.

    `folder` is what paths to documents are relative to, `roots` the folders outside which nothing is read. Without
    them a document can only be named by its identity or URL.
    """

    name: str
    domains: Domains
    folder: Path | None = None
    roots: tuple[Path, ...] = ()

    def from_file(self, path: Path, origin: int, before: Loaded | None = None) -> Loaded:
        """Return the fixture in a file, with `before` as it was loaded the last time."""
        if before and before.is_current(path):
            return before
        now, stamps = time.time_ns(), {path: _stamp(path)}
        raw = self._raw(path)
        body, identity = parse(raw, self.name), documents.identity(raw)
        stamps |= {document: _stamp(document) for document in self._paths(body.match)}
        fixture = self.fixture(body, origin)
        if before and before.identity == identity and before.fixture.match == fixture.match:
            fixture = before.fixture
        settled = all(stamp and max(stamp[:2]) < now - SETTLED for stamp in stamps.values())
        return Loaded(fixture, identity, stamps, settled)

    def _raw(self, path: Path) -> bytes:
        if not _is_inside(path, self.roots):
            raise FixtureError(self.name, "", f"cannot be read: {OUTSIDE}")
        try:
            return contents(path)
        except OSError as error:
            raise FixtureError(self.name, "", f"cannot be read: {error.strerror}") from None

    def _paths(self, match: MatchBody) -> list[Path]:
        """Return the documents that are files."""
        if self.folder is None:
            return []
        return [self.folder / entry for entry in match.documents or () if not entry.startswith(documents.NOT_A_PATH)]

    def fixture(self, body: FixtureBody, origin: int) -> Fixture:
        """Return the fixture."""
        match = self._match(body.match)
        given = [body.answer] if body.answer else list(body.answers or [])
        places = ["answer"] if body.answer else [f"answers.{index}" for index in range(len(given))]
        answers = tuple(self._answer(answer, match, place) for answer, place in zip(given, places, strict=True))
        return Fixture(self.name, match, answers, origin, description=body.description)

    def _match(self, body: MatchBody) -> Match:
        identities = None
        if body.documents is not None:
            identities = tuple(self._identity(entry, index) for index, entry in enumerate(body.documents))
        return Match(
            domain=self.domains.canonical(body.domain),
            documents=identities,
            text=_text(body),
            model=body.model,
            metadata=body.metadata or {},
        )

    def _identity(self, entry: str, index: int) -> str:
        """Return the identity of a document that is named by identity, URL, file id, or a path to hash."""
        place = f"match.documents.{index}"
        if entry.startswith("sha256:"):
            if not IDENTITY.fullmatch(entry):
                raise FixtureError(self.name, place, "sha256: is followed by 64 lower-case hexadecimal digits")
            return entry
        if entry.startswith(documents.NOT_A_PATH):
            return self._identity_of_data(entry, place) if entry.startswith("data:") else entry
        if self.folder is None:
            instead = "name it by sha256:<digest> or a data: or http(s) URL"
            raise FixtureError(
                self.name, place, f"{entry[:100]!r} is a path, and there is no file it is relative to: {instead}"
            )
        path = self.folder / entry
        try:
            data = contents(path) if _is_inside(path, self.roots) else None
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is no path"
            raise FixtureError(self.name, place, f"{entry!r} cannot be read: {reason}") from None
        if not data:
            reason = OUTSIDE if data is None else "it is empty"
            raise FixtureError(self.name, place, f"{entry!r} cannot be read: {reason}")
        return documents.identity(data)

    def _identity_of_data(self, url: str, place: str) -> str:
        try:
            return documents.from_url(url).identity
        except documents.DocumentProblem as problem:
            raise FixtureError(self.name, place, str(problem)) from None

    def _answer(self, body: AnswerBody, match: Match, place: str) -> FixtureAnswer:
        usage = body.usage.model_dump(exclude_none=True) if body.usage else {}
        latency = (body.latency_ms or 0) / 1000
        if body.error:
            error = ErrorAnswer(body.error.status, body.error.message, body.error.headers)
            return FixtureAnswer(error=error, usage=usage, latency=latency)
        domain = self.domains.get(match.domain) if match.domain else None
        kind = "content" if body.merge is None else "merge"
        content = body.content if body.merge is None else self._merged(body.merge, domain, f"{place}.merge")
        # The hub's schemas are VLM Run's own; the others are ours, and a recorded answer may differ from them.
        if domain and domain.id in self.domains.hub["domains"] and not isinstance(content, str):
            self._check(content, domain, f"{place}.{kind}")
        return FixtureAnswer(content=content, merged=kind == "merge", usage=usage, latency=latency)

    def _merged(self, patch: dict[str, Any], domain: Domain | None, place: str) -> Any:
        if domain is None:
            reason = "there is no packaged answer to merge into: match.domain must name a documented domain"
            raise FixtureError(self.name, place, reason)
        return merge_patch(domain.content, patch)

    def _check(self, content: object, domain: Domain, place: str) -> None:
        violation = domain.violation(content)
        if violation:
            where = ".".join([place, *map(str, violation.place)])
            raise FixtureError(self.name, where, f"{violation.message} (by the schema of {domain.id})")


def _text(body: MatchBody) -> TextMatch | None:
    if body.text is None:
        return None
    contains = body.text.contains
    needles = (contains,) if isinstance(contains, str) else tuple(contains or ())
    return TextMatch(needles, body.text.equals) if needles or body.text.equals is not None else None
