"""Folders of fixture files: found, their documents hashed, checked against their domains, turned into fixtures."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vlmrun_mock import documents
from vlmrun_mock.domains import Domain, Domains
from vlmrun_mock.fixture_error import FixtureError, FixtureFolderError
from vlmrun_mock.fixture_file import IDENTITY, AnswerBody, FixtureBody, MatchBody, contents, merge_patch, read
from vlmrun_mock.fixtures import ErrorAnswer, Fixture, FixtureAnswer, Match, TextMatch

USER_ORIGIN = 1
"""The origin of the first folder's fixtures; the next folder's is one more. 0 is for those registered at run time."""

PACKAGED_ORIGIN = 1_000_000

OUTSIDE = "it leads out of the fixture folders"


def load(folders: Sequence[Path], domains: Domains) -> list[Fixture]:
    """Return the fixture in every .json file of the folders and below; raises FixtureFolderError."""
    roots = tuple(folder.resolve() for folder in folders)
    loaded: list[Fixture] = []
    problems: list[FixtureError] = []
    for position, root in enumerate(roots):
        if not root.is_dir():
            problems.append(FixtureError(str(root), "", "is no folder"))
        for path in _files(root):
            # A file's name need not be valid Unicode; what is sent and printed must be.
            name = path.relative_to(root).as_posix().encode("utf-8", "backslashreplace").decode()
            builder = FixtureBuilder(name, domains, path.parent, roots)
            try:
                loaded.append(builder.from_file(path, USER_ORIGIN + position))
            except FixtureError as problem:
                problems.append(problem)
    if problems:
        raise FixtureFolderError(problems)
    return loaded


def packaged_fixture(domain: Domain, domains: Domains) -> Fixture:
    """Return a domain's packaged answer as a fixture; all others take precedence over it."""
    return FixtureBuilder(domain.fixture_name, domains).fixture(domain.fixture, PACKAGED_ORIGIN)


def _files(root: Path) -> Iterator[Path]:
    """Yield the .json files below a folder in a stable order, but not hidden ones."""
    for path in sorted(root.rglob("*.json")):
        hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
        if not hidden and not path.is_dir():
            yield path


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

    def from_file(self, path: Path, origin: int) -> Fixture:
        """Return the fixture in a file."""
        if not _is_inside(path, self.roots):
            raise FixtureError(self.name, "", f"cannot be read: {OUTSIDE}")
        return self.fixture(read(path, self.name), origin)

    def fixture(self, body: FixtureBody, origin: int) -> Fixture:
        """Return the fixture."""
        match = self._match(body.match)
        given = [body.answer] if body.answer else list(body.answers or [])
        places = ["answer"] if body.answer else [f"answers.{index}" for index in range(len(given))]
        answers = tuple(self._answer(answer, match, place) for answer, place in zip(given, places, strict=True))
        return Fixture(self.name, match, answers, origin, body.description)

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
        if entry.startswith(("http://", "https://", "file:")):
            return entry
        if self.folder is None:
            raise FixtureError(self.name, place, f"{entry!r} is neither sha256:<digest> nor an http(s) URL")
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
