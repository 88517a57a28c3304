"""Fixtures written in the page: checked as `vlmrun-mock check` does, compared with what stands there, and saved."""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vlmrun_mock.api.errors import Conflict, InvalidRequest, Problem
from vlmrun_mock.api.request import ExtractionRequest
from vlmrun_mock.documents import identity
from vlmrun_mock.fixtures.errors import FixtureError, FixtureFolderError
from vlmrun_mock.fixtures.fixture import USER_ORIGIN, Fixture
from vlmrun_mock.fixtures.folders import contents, is_inside, real_folders
from vlmrun_mock.fixtures.format import parse
from vlmrun_mock.lazy import lazy
from vlmrun_mock.mock.mock import Mock
from vlmrun_mock.recording.store import RESERVED, write_bytes

if TYPE_CHECKING:
    from vlmrun_mock.fixtures import loader
    from vlmrun_mock.fixtures.check import file_check, hub, overlap
    from vlmrun_mock.fixtures.check.file_check import FileCheck
else:
    loader = lazy("vlmrun_mock.fixtures.loader")
    file_check = lazy("vlmrun_mock.fixtures.check.file_check")
    hub = lazy("vlmrun_mock.fixtures.check.hub")
    overlap = lazy("vlmrun_mock.fixtures.check.overlap")

STEP = re.compile(r"[^\x00-\x1f<>:\"/\\|?*\x7f]{1,100}")
"""The names that a file or a folder may have on every system."""

MOST_STEPS = 8

MOST_COMPARED = 2_000
"""Fixtures with which one is compared while it is typed; of more, `vlmrun-mock check` tells."""

MEANS = {
    "shadow": "{} answers all that this one matches, and comes first",
    "same": "{} matches the same requests",
    "tie": "{} matches some of the same requests, and only the file's name decides",
    "texts": "{} asks for another text; where both are in one request, only the file's name decides",
}
"""What is said of a fixture that another one gets in the way of."""

NO_FOLDER = "The server has no folder of fixtures: start it with --fixtures DIR, or register the fixture for this run."


@dataclass(frozen=True, slots=True)
class Draft:
    """A fixture as it is typed: the path of its file in the first folder, and its text."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A document that goes beside a fixture: its path from the fixture's file, and its bytes."""

    name: str
    data: bytes


class Authoring:
    """Checks drafts, and writes them into the first folder of a server's fixtures."""

    def __init__(self, mock: Mock) -> None:
        self._mock = mock
        self._folder = mock.settings.fixtures[0] if mock.settings.fixtures else None
        self._root = real_folders(mock.settings.fixtures[:1])[0] if self._folder else None

    @property
    def folder(self) -> str | None:
        """Return what the folder is called, if there is one."""
        return str(self._folder) if self._folder else None

    @cached_property
    def _file_check(self) -> FileCheck:
        return file_check.FileCheck(self._mock.domains, hub.current(self._mock.domains))

    def check(self, draft: Draft, request: ExtractionRequest | None, picture: Picture | None) -> dict[str, Any]:
        """Return what is wrong with a draft, what it would replace, and whether it would answer a request.

        A picture that is to be saved beside it counts as if it was there.
        """
        path_problem = self._path_problem(draft.name)
        text = _as_if_saved(draft.text, picture)
        builder = self._builder(draft.name if path_problem is None else "fixture.json")
        checked = self._file_check.check_text(draft.name, text.encode(), builder, USER_ORIGIN)
        findings = [each.as_json() for each in checked.findings]
        if checked.fixture is not None:
            findings += self._overlaps(draft.name, checked.fixture)
        standing = self._standing(draft.name) if path_problem is None else None
        return {
            "findings": findings,
            "ok": checked.fixture is not None and not any(each["level"] == "error" for each in findings),
            "servable": self._is_servable(draft.name, text, builder),
            "position": _position(draft.text),
            "path": path_problem,
            "standing": None
            if standing is None
            else {"digest": identity.identity(standing), "difference": _difference(standing, draft)},
            "request": _would_answer(checked.fixture, request),
        }

    def save(self, draft: Draft, replaces: str | None, picture: Picture | None) -> dict[str, Any]:
        """Write a draft, and a picture beside it if there is one; load the folders again. Raises ApiError.

        A file that stands there is only written over if `replaces` is the identity of what it holds.
        """
        if self._folder is None:
            raise Conflict(NO_FOLDER)
        problem = self._path_problem(draft.name)
        if problem:
            raise InvalidRequest([Problem(("body", "name"), problem)])
        try:
            body = parse(_as_if_saved(draft.text, picture).encode(), draft.name)
            fixture = self._builder(draft.name).fixture(body, USER_ORIGIN)
        except FixtureError as error:
            steps = (int(step) if step.isdecimal() else step for step in error.place.split(".") if step)
            raise InvalidRequest([Problem(("body", "text", *steps), error.reason)]) from None
        self._expect_seen(draft.name, self._standing(draft.name), draft.text.encode(), replaces)
        if picture is not None:
            self._save_picture(draft.name, picture)
        self._write(draft.name, draft.text.encode(), replaces)
        return {"path": str(self._folder / draft.name), **self._loaded(fixture)}

    def _loaded(self, fixture: Fixture) -> dict[str, Any]:
        """Load the folders again; where another file is broken, the new fixture answers all the same."""
        try:
            self._mock.store.reload()
        except FixtureFolderError as error:
            self._mock.store.add(fixture)
            return {"loaded": True, "message": f"Other fixtures do not load: {str(error)[:300]}"}
        return {"loaded": True, "message": None}

    def _expect_seen(self, name: str, standing: bytes | None, data: bytes, replaces: str | None) -> None:
        """Raise Conflict for a file that holds something else, of which the difference was not shown."""
        if standing is not None and standing != data and identity.identity(standing) != replaces:
            raise Conflict(f"{name} is there already, or has changed since: look at the difference first")

    def _write(self, name: str, data: bytes, replaces: str | None) -> None:
        def content(target: Path) -> bytes:
            self._expect_seen(name, contents(target) if target.exists() else None, data, replaces)
            return data

        if self._folder is None:
            raise Conflict(NO_FOLDER)
        try:
            write_bytes(self._folder, name, content, self._root)
        except OSError as error:
            raise Conflict(f"{name} cannot be written: {error.strerror or error}") from None

    def _save_picture(self, name: str, picture: Picture) -> None:
        """Write a picture beside the file of a fixture."""
        path = f"{name.rpartition('/')[0]}/{picture.name}".lstrip("/")
        problem = self._path_problem(path, ending="")
        if problem:
            raise InvalidRequest([Problem(("body", "picture"), problem)])
        self._write(path, picture.data, None)

    def _path_problem(self, name: str, ending: str = ".json") -> str | None:
        """Return why a path is none for a file below the first folder, or None."""
        steps = name.split("/")
        if not name.endswith(ending) or len(steps) > MOST_STEPS:
            return f"The name of the file ends with {ending}, and it stands in at most {MOST_STEPS - 1} folders."
        for step in steps:
            hidden = step.startswith(".") or step.endswith((".", " "))
            if not STEP.fullmatch(step) or hidden or RESERVED.fullmatch(step.lower()):
                return f"{step!r} cannot be the name of a file or a folder: the path stays in the folder of fixtures."
        if self._folder is not None and self._root is not None and not is_inside(self._folder / name, (self._root,)):
            return "The path leads out of the folder of fixtures."
        return None

    def _builder(self, name: str) -> loader.FixtureBuilder:
        folder = (self._folder / name).parent if self._folder else None
        return loader.FixtureBuilder(name, self._mock.domains, folder, real_folders(self._mock.settings.fixtures))

    def _is_servable(self, name: str, text: str, builder: loader.FixtureBuilder) -> bool:
        """Return whether a server would load a draft."""
        try:
            builder.fixture(parse(text.encode(), name), USER_ORIGIN)
        except FixtureError:
            return False
        return True

    def _standing(self, name: str) -> bytes | None:
        """Return what the file of a draft holds, if it is there."""
        try:
            return contents(self._folder / name) if self._folder else None
        except OSError:
            return None

    def _overlaps(self, name: str, fixture: Fixture) -> list[dict[str, Any]]:
        others = [each for each in self._mock.fixtures if (each.origin, each.name) != (USER_ORIGIN, name)]
        if len(others) > MOST_COMPARED:
            return []
        found = []
        for each in overlap.overlaps([*others, fixture]):
            pair = [each.fixture.name, each.other.name]
            if name in pair and fixture in (each.fixture, each.other):
                other = pair[0] if pair[1] == name else pair[1]
                is_other_shadowed = each.kind == "shadow" and each.fixture is not fixture
                words = "all that {} matches is answered by this one, which comes first" if is_other_shadowed else ""
                message = (words or MEANS[each.kind]).format(other)
                code = "shadow" if each.kind == "shadow" else "tie"
                found.append({"file": name, "place": "match", "code": code, "level": "warning", "message": message})
        return found


def _as_if_saved(text: str, picture: Picture | None) -> str:
    """Return the text of a fixture that loads before the picture beside it is saved."""
    if picture is None:
        return text
    return text.replace(json.dumps(picture.name), json.dumps(identity.identity(picture.data)))


def _difference(standing: bytes, draft: Draft) -> list[str]:
    """Return how a draft differs from what stands in its file, line by line."""
    before = standing.decode("utf-8", "replace").splitlines()
    return list(difflib.unified_diff(before, draft.text.splitlines(), "as it is", "as it will be", lineterm=""))


def _position(text: str) -> dict[str, Any] | None:
    """Return where a text stops being JSON, counted from 1."""
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return {"line": error.lineno, "column": error.colno, "message": error.msg}
    except RecursionError:
        return {"line": 1, "column": 1, "message": "It is nested too deeply"}
    return None


def _would_answer(fixture: Fixture | None, request: ExtractionRequest | None) -> dict[str, Any] | None:
    """Return whether a fixture matches a request, and if not, how they differ."""
    if fixture is None or request is None:
        return None
    differences = [each.as_json() for each in fixture.match.difference(request)]
    return {"matches": not differences, "differences": differences}
