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
from vlmrun_mock.fixture_file import (
    IDENTITY,
    AnswerBody,
    ErrorBody,
    FixtureBody,
    MatchBody,
    contents,
    exact_text,
    merge_patch,
    parse,
)
from vlmrun_mock.fixtures import PACKAGED_ORIGIN, USER_ORIGIN, ErrorAnswer, Fixture, FixtureAnswer
from vlmrun_mock.layout import written
from vlmrun_mock.match import Match, TextMatch

NO_FOLDER = "is no folder"
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
        roots = real_folders(self._folders)
        problems = [FixtureError(shown(str(root)), "", NO_FOLDER) for root in roots if not is_folder(root)]
        kept: dict[tuple[int, str], Loaded] = {}
        for origin, root in enumerate(roots, USER_ORIGIN):
            for path in fixture_files(root):
                between()
                name = path.relative_to(root).as_posix()
                builder = FixtureBuilder(shown(name), self._domains, path.parent, roots)
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


def real_folders(folders: Sequence[Path]) -> tuple[Path, ...]:
    """Return where folders really are: the roots outside which nothing is read."""
    return tuple(Path(os.path.realpath(folder)) for folder in folders)


def is_folder(root: Path) -> bool:
    """Return whether there is a folder, as far as can be seen."""
    return os.path.isdir(root)  # noqa: PTH112 - Path.is_dir raises where a parent may not be read


def fixture_files(root: Path) -> Iterator[Path]:
    """Yield the .json files below a folder in a stable order, but not hidden ones; a folder may go away meanwhile."""
    return (path for path in files(root) if fnmatch(path.name, "*.json") and not path.name.startswith("."))


def files(root: Path) -> Iterator[Path]:
    """Yield all files below a folder in a stable order, but not those in hidden folders."""
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        yield from (Path(folder, name) for name in sorted(names))


def shown(name: str) -> str:
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


def is_inside(path: Path, roots: Sequence[Path]) -> bool:
    """Return whether a path stays in the folders when links are followed; raises ValueError for what is no path."""
    target = Path(os.path.realpath(path))
    return any(target.is_relative_to(root) for root in roots)


@dataclass(frozen=True, slots=True)
class FixtureBuilder:
    """Turns the body of a fixture into a fixture; raises FixtureError, which calls it by `name`.

    `folder` is what paths to documents are relative to, `roots` the folders outside which nothing is read. Without
    them a document can only be named by its identity or URL. `checks_content`: content has to meet its domain's schema.
    """

    name: str
    domains: Domains
    folder: Path | None = None
    roots: tuple[Path, ...] = ()
    checks_content: bool = True

    def from_file(self, path: Path, origin: int, before: Loaded | None = None) -> Loaded:
        """Return the fixture in a file, with `before` as it was loaded the last time."""
        if before and before.is_current(path):
            return before
        now, stamps = time.time_ns(), {path: _stamp(path)}
        raw = self.raw(path)
        body, identity = parse(raw, self.name), documents.identity(raw)
        stamps |= {document: _stamp(document) for document in self._paths(body.match)}
        fixture = self.fixture(body, origin)
        if before and before.identity == identity and before.fixture.match == fixture.match:
            fixture = before.fixture
        settled = all(stamp and max(stamp[:2]) < now - SETTLED for stamp in stamps.values())
        return Loaded(fixture, identity, stamps, settled)

    def raw(self, path: Path) -> bytes:
        """Return what a file of a fixture holds."""
        if not is_inside(path, self.roots):
            raise FixtureError(self.name, "", f"cannot be read: {OUTSIDE}")
        try:
            return contents(path)
        except OSError as error:
            raise FixtureError(self.name, "", f"cannot be read: {error.strerror}") from None

    def _paths(self, match: MatchBody) -> list[Path]:
        """Return the documents that are files."""
        if self.folder is None:
            return []
        names = match.identities or ()
        return [self.folder / name for name in names if documents.is_path(name)]

    def fixture(self, body: FixtureBody, origin: int) -> Fixture:
        """Return the fixture."""
        match = self._match(body.match)
        answers = tuple(self._answer(answer, match, place) for place, answer in body.placed_answers)
        return Fixture(self.name, match, answers, origin, description=body.description)

    def _match(self, body: MatchBody) -> Match:
        identities = None
        if body.identities is not None:
            identities = tuple(self._identity(name, index) for index, name in enumerate(body.identities))
        return Match(
            domain=self.domains.canonical(body.domain) if body.domain else body.domain,
            documents=identities,
            text=_text(body),
            model=body.model,
            metadata=body.metadata or {},
            particulars=_particulars(body),
        )

    def _identity(self, entry: str, index: int) -> str:
        """Return the identity of a document that is named by identity, URL, file id, or a path to hash."""
        place = f"match.documents.{index}"
        if entry.startswith("sha256:"):
            if not IDENTITY.fullmatch(entry):
                raise FixtureError(self.name, place, "sha256: is followed by 64 lower-case hexadecimal digits")
            return entry
        if not documents.is_path(entry):
            return self._identity_of_data(entry, place) if entry[:5].lower() == "data:" else entry
        if self.folder is None:
            instead = "name it by sha256:<digest> or a data: or http(s) URL"
            raise FixtureError(
                self.name, place, f"{entry[:100]!r} is a path, and there is no file it is relative to: {instead}"
            )
        path = self.folder / entry
        try:
            data = contents(path) if is_inside(path, self.roots) else None
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
        took = (body.took_ms or 0) / 1000
        if body.error:
            return FixtureAnswer(error=_error(body.error), usage=usage, latency=latency, took=took)
        domain = self.domains.get(match.domain) if match.domain else None
        kind = "content" if body.merge is None else "merge"
        content = body.content if body.merge is None else self._merged(body.merge, domain, f"{place}.merge")
        if domain and self.checks_content and self._is_checked(body, content, match, domain):
            self._check(content, domain, f"{place}.{kind}")
        if match.particulars.get("config") is not None and kind == "content":
            content = exact_text(body)
        return FixtureAnswer(
            content=content,
            merged=kind == "merge",
            usage=usage,
            latency=latency,
            status=body.status,
            completion=body.completion,
            took=took,
        )

    def _is_checked(self, body: AnswerBody, content: object, match: Match, domain: Domain) -> bool:
        """Return whether content has to meet its domain's schema for the fixture to load.

        The hub's schemas are VLM Run's own; the others are ours. What was recorded is what it is, and what follows a
        schema or a config of the caller's need not follow the domain's.
        """
        for_another_schema = match.particulars.get("schema") or match.particulars.get("config")
        is_recorded = body.completion is not None
        is_hubs = domain.id in self.domains.hub["domains"]
        return is_hubs and not (is_recorded or for_another_schema or isinstance(content, str))

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


def _error(body: ErrorBody) -> ErrorAnswer:
    text = body.body if body.body is None or isinstance(body.body, str) else written(body.body)
    return ErrorAnswer(body.status, body.message, body.headers, text)


def _particulars(body: MatchBody) -> dict[str, Any]:
    """Return what a match says of the particulars of a request, in the form that requests have them in."""
    given = {
        "generation": body.generation,
        "messages": None if body.messages is None else [message.as_json() for message in body.messages],
        "places": body.places,
        "schema": body.schema_,
        "config": body.config,
        "json_object": body.json_object,
    }
    return {name: value for name, value in given.items() if value is not None}


def _text(body: MatchBody) -> TextMatch | None:
    if body.text is None:
        return None
    contains = body.text.contains
    needles = (contains,) if isinstance(contains, str) else tuple(contains or ())
    return TextMatch(needles, body.text.equals) if needles or body.text.equals is not None else None
