"""One mock per API key, so that tests that share a server do not see each other."""

from __future__ import annotations

import contextlib
import hashlib
import secrets
from collections import OrderedDict
from dataclasses import replace
from threading import Lock

import xxhash

from vlmrun_mock.api.errors import KeyOfPastTest
from vlmrun_mock.fixtures.store import FixtureStore
from vlmrun_mock.mock.files import StoredFile
from vlmrun_mock.mock.mock import Mock
from vlmrun_mock.mock.settings import Settings

SEED = secrets.randbits(64)
"""The seed of the digests of keys: nobody outside the process can make two keys with the same digest."""

MOST_SCOPES = 256
"""How many keys are told apart; one that was not used for long makes room, first of those with nothing registered."""


class Scopes:
    """The mocks of a server: `everyone` for requests without a key, and one for each key.

    What is registered with `everyone` applies to all; what is registered with a key's mock answers that key alone.
    While `for_others` is set, it answers every key that is not open, also one that was; without it `between` does, if
    that is set.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        """Load the fixtures of the settings; raises FixtureFolderError."""
        self.settings = settings or Settings()
        self.store = _store(self.settings)
        # Its own faults strike all keys together; those of the settings are each key's.
        self.everyone = Mock(replace(self.settings, faults=()), self.store)
        self.for_others: Mock | None = None
        self.between: Mock | None = None
        self._mocks: OrderedDict[bytes, Mock] = OrderedDict()
        self._open: set[bytes] = set()
        self._closed: dict[bytes, str] = {}
        self._stores = {self.settings.fixtures: self.store}
        self._lock = Lock()

    @property
    def api_keys(self) -> frozenset[str]:
        """Return the keys that are accepted now; any is if there are none."""
        return (self.for_others or self.between or self.everyone).settings.api_keys

    def of(self, key: str) -> Mock:
        """Return the mock of a key, made when it is first seen; of an empty key, everyone's.

        Raises KeyOfPastTest for a key that is closed, while there is no mock for others.
        """
        if not key:
            return self.everyone
        digest = _digest(key)
        with self._lock:
            if digest not in self._open:
                if self.for_others:
                    return self.for_others
                if digest in self._closed:
                    raise KeyOfPastTest(self._closed[digest])
                if self.between:
                    return self.between
            mock = self._mocks.get(digest)
            if mock is None:
                mock = Mock(self.settings, self.store, self.everyone, _mark(key))
                self._keep(digest, mock)
            self._mocks.move_to_end(digest)
        return mock

    def open(self, key: str, settings: Settings) -> Mock:
        """Return a new mock for a key, with settings of its own; raises FixtureFolderError.

        Folders are loaded once, however many keys are opened with them.
        """
        digest = _digest(key)
        mock = self.made(settings, _mark(key))
        with self._lock:
            self._closed.pop(digest, None)
            self._open.add(digest)
            self._keep(digest, mock)
        return mock

    def made(self, settings: Settings, mark: str = "") -> Mock:
        """Return a new mock with settings of its own, for no key yet; raises FixtureFolderError."""
        store = self._stores.get(settings.fixtures)
        if store is None:
            store = self._stores[settings.fixtures] = _store(settings, self.store)
        return Mock(settings, store, self.everyone, mark)

    def file(self, file_id: str) -> tuple[Mock, StoredFile] | None:
        """Return a file that some key uploaded or announced, and whose it is."""
        found = ((mock, mock.files.get(file_id)) for mock in self.all())
        return next(((mock, file) for mock, file in found if file), None)

    def close(self, key: str, owner: str) -> None:
        """Forget the mock of a key, and remember whose it was."""
        digest = _digest(key)
        with self._lock:
            self._mocks.pop(digest, None)
            self._open.discard(digest)
            self._closed[digest] = owner

    def past_owner(self, key: str) -> str:
        """Return whose a key was that is closed, or nothing."""
        return self._closed.get(_digest(key), "") if self._closed else ""

    def all(self) -> list[Mock]:
        """Return everyone's mock and those of all keys."""
        with self._lock:
            return [self.everyone, *filter(None, [self.between]), *self._mocks.values()]

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


def _store(settings: Settings, beside: FixtureStore | None = None) -> FixtureStore:
    """Return the fixtures of settings, in a folder that is made if there is something to record; see FixtureStore."""
    if settings.record not in (None, "none") and settings.fixtures:
        with contextlib.suppress(OSError):  # that it is no folder is said when it is loaded
            settings.fixtures[0].mkdir(parents=True, exist_ok=True)
    return beside.beside(settings.fixtures) if beside else FixtureStore(settings.fixtures)


def _mark(key: str) -> str:
    """Return what a scope's addresses hold of it: nothing that leads back to the key."""
    digest = hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
    return hashlib.sha256(digest).hexdigest()


def _digest(key: str) -> bytes:
    """Return what a key is known by: only a digest is kept, so that no dump of the process's state shows a key."""
    return xxhash.xxh3_128_digest(key.encode("utf-8", "surrogateescape"), SEED)
