"""What every scope of a server shares: domains, tokenizer, the fixtures of its folders and the packaged ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from vlmrun_mock.domains import Domains, packaged
from vlmrun_mock.fixtures import USER_ORIGIN, Fixture, FixtureSet
from vlmrun_mock.tokens import Tokenizer

if TYPE_CHECKING:
    from vlmrun_mock.fixture_folder import FixtureFolders


@dataclass(frozen=True, slots=True)
class Swap:
    """What became of the folders' fixtures: how many there are now, and what is not as it was."""

    fixtures: int
    added: int
    changed: int
    removed: int

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)

    def __str__(self) -> str:
        counts = {"added": self.added, "changed": self.changed, "removed": self.removed}
        found = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
        return f"{self.fixtures} ({found or 'none changed'})"


class Library:
    """Loaded once, read by many; `reload` swaps the folders' fixtures whole.

    `version` changes with every swap, so that what was made from the old set can be told from the new.
    """

    def __init__(
        self,
        folders: Sequence[Path] = (),
        domains: Domains | None = None,
        tokenizer: Tokenizer | None = None,
    ) -> None:
        """Load the folders; raises FixtureFolderError."""
        self.folders = tuple(folders)
        self.domains = domains or packaged()
        self.tokenizer = tokenizer or Tokenizer()
        self.version = 0
        self._folders = self._found() if folders else None
        self._reloading = Lock()
        self.fixtures = FixtureSet(self._folders.load() if self._folders else ())
        # The first folder alone: it is the one that is recorded into.
        self.began_empty = not any(fixture.origin == USER_ORIGIN for fixture in self.fixtures)
        self._packaged: dict[str, Fixture] = {}

    def beside(self, folders: Sequence[Path]) -> Library:
        """Return the library of other folders, with all else in common; raises FixtureFolderError."""
        return Library(folders, self.domains, self.tokenizer)

    def reload(self, between: Callable[[], None] = lambda: None) -> Swap:
        """Load what has changed in the folders; raises FixtureFolderError, and then keeps the last good set.

        `between` is called before each file, and what it raises ends the loading. Requests are answered meanwhile, each
        from one set. A fixture that is as it was stays the same object.
        """
        with self._reloading:
            loaded = self._folders.load(between) if self._folders else []
            swap = _swap(self.fixtures, loaded)
            if swap:
                fixtures = FixtureSet(loaded)
                # In this order, who reads the version first may get newer fixtures than it says, but never older ones.
                self.fixtures = fixtures
                self.version += 1
        return swap

    def add(self, fixture: Fixture) -> None:
        """Add a fixture of a folder that cannot be loaded again, because of another one that is broken."""
        with self._reloading:
            others = [each for each in self.fixtures if (each.origin, each.name) != (fixture.origin, fixture.name)]
            self.fixtures = FixtureSet([*others, fixture])
            self.version += 1

    def packaged(self, name: str) -> Fixture | None:
        """Return the packaged fixture of a domain, or None if it is not a documented one."""
        domain = self.domains.get(name)
        if domain is None:
            return None
        if name not in self._packaged:
            from vlmrun_mock import fixture_folder  # noqa: PLC0415 - heavy (pydantic): imported when first needed

            self._packaged[name] = fixture_folder.packaged_fixture(domain, self.domains)
        return self._packaged[name]

    def _found(self) -> FixtureFolders:
        from vlmrun_mock import fixture_folder  # noqa: PLC0415 - heavy (pydantic): imported when first needed

        return fixture_folder.FixtureFolders(self.folders, self.domains)


def _swap(before: FixtureSet, loaded: Sequence[Fixture]) -> Swap:
    """Return how fixtures differ from a set."""
    had = {(fixture.origin, fixture.name): fixture for fixture in before}
    has = {(fixture.origin, fixture.name): fixture for fixture in loaded}
    return Swap(
        fixtures=len(has),
        added=len(has.keys() - had.keys()),
        changed=sum(fixture is not had[key] for key, fixture in has.items() if key in had),
        removed=len(had.keys() - has.keys()),
    )
