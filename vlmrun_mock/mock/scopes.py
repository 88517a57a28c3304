"""One mock per API key, so that tests that share a server do not see each other."""

from __future__ import annotations

import contextlib
import hashlib
from collections import OrderedDict
from dataclasses import replace
from threading import Lock

from vlmrun_mock.fixtures.store import Library
from vlmrun_mock.mock.mock import Mock
from vlmrun_mock.mock.settings import Settings

MOST_SCOPES = 256
"""How many keys are told apart; one that was not used for long makes room, first of those with nothing registered."""


class Scopes:
    """The mocks of a server: `everyone` for requests without a key, and one for each key.

    What is registered with `everyone` applies to all; what is registered with a key's mock answers that key alone.
    While `for_others` is set, it answers every key that was neither seen nor opened before.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        """Load the fixtures of the settings; raises FixtureFolderError."""
        self.settings = settings or Settings()
        self.library = _library(self.settings)
        # Its own faults strike all keys together; those of the settings are each key's.
        self.everyone = Mock(replace(self.settings, faults=()), self.library)
        self.for_others: Mock | None = None
        self._mocks: OrderedDict[bytes, Mock] = OrderedDict()
        self._closed: set[bytes] = set()
        self._libraries = {self.settings.fixtures: self.library}
        self._lock = Lock()

    @property
    def api_keys(self) -> frozenset[str]:
        """Return the keys that are accepted now; any is if there are none."""
        return (self.for_others or self.everyone).settings.api_keys

    def of(self, key: str) -> Mock:
        """Return the mock of a key, made when it is first seen; of an empty key, everyone's."""
        if not key:
            return self.everyone
        digest = _digest(key)
        with self._lock:
            mock = self._mocks.get(digest)
            if mock is None and self.for_others and digest not in self._closed:
                return self.for_others
            if mock is None:
                mock = Mock(self.settings, self.library, self.everyone)
                self._keep(digest, mock)
            self._mocks.move_to_end(digest)
        return mock

    def open(self, key: str, settings: Settings) -> Mock:
        """Return a new mock for a key, with settings of its own; raises FixtureFolderError.

        Folders are loaded once, however many keys are opened with them.
        """
        library = self._libraries.get(settings.fixtures)
        if library is None:
            library = self._libraries[settings.fixtures] = _library(settings, self.library)
        mock = Mock(settings, library, self.everyone)
        digest = _digest(key)
        with self._lock:
            self._closed.discard(digest)
            self._keep(digest, mock)
        return mock

    def close(self, key: str) -> None:
        """Forget the mock of a key; whoever still sends the key is not taken for another's."""
        digest = _digest(key)
        with self._lock:
            self._mocks.pop(digest, None)
            self._closed.add(digest)

    def all(self) -> list[Mock]:
        """Return everyone's mock and those of all keys."""
        with self._lock:
            return [self.everyone, *self._mocks.values()]

    def reset(self) -> None:
        """Return to how the server was started, for every key."""
        for mock in self.all():
            mock.reset()

    def _keep(self, digest: bytes, mock: Mock) -> None:
        self._mocks[digest] = mock
        self._mocks.move_to_end(digest)
        if len(self._mocks) > MOST_SCOPES:
            idle = (each for each, kept in self._mocks.items() if each != digest and not self._is_prepared(kept))
            del self._mocks[next(idle, next(iter(self._mocks)))]

    def _is_prepared(self, mock: Mock) -> bool:
        return mock.settings is not self.settings or mock.is_prepared


def _library(settings: Settings, beside: Library | None = None) -> Library:
    """Return the fixtures of settings, in a folder that is made if there is something to record; see Library."""
    if settings.record not in (None, "none") and settings.fixtures:
        with contextlib.suppress(OSError):  # that it is no folder is said when it is loaded
            settings.fixtures[0].mkdir(parents=True, exist_ok=True)
    return beside.beside(settings.fixtures) if beside else Library(settings.fixtures)


def _digest(key: str) -> bytes:
    """Return what a key is known by: only a digest is kept, so that no dump of the process's state shows a key."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
