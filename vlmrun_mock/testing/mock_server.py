"""A mock on a port, for unittest, scripts and notebooks, and for applications in the same process."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import islice
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from vlmrun_mock.address import Address
from vlmrun_mock.fixtures.fixture import USER_ORIGIN
from vlmrun_mock.lazy import lazy
from vlmrun_mock.mock.keywords import Configuration, configuration
from vlmrun_mock.mock.mock import Mock
from vlmrun_mock.mock.scopes import Scopes
from vlmrun_mock.testing import arguments
from vlmrun_mock.testing.control import Control
from vlmrun_mock.web.app import application

if TYPE_CHECKING:
    from typing_extensions import Self

    from vlmrun_mock.fixtures import loader
    from vlmrun_mock.web import server
    from vlmrun_mock.web.middleware import Log
else:
    loader = lazy("vlmrun_mock.fixtures.loader")
    server = lazy("vlmrun_mock.web.server")

COMMON_WARMUP = 2
"""The first steps of warming up, which nearly every answer needs: not the table of tokens, and not the generator."""

LOCAL_KEY = "local"
"""The key to send if the server accepts any."""


class MockServer(Control):
    """A server with verbs that act on the requests of every key.

    It runs once, for the length of a `with` or `async with` block. `fixtures` are folders, and mappings in the format
    of a fixture file, which win over the folders; a reset keeps both. The other settings are the options of
    `vlmrun-mock serve`, by their names in Settings. `port` 0 is a free port; `log` gets one line for each request.

    Raises SettingsError, FixtureFolderError and FixtureError, which name the fixture, the place and the reason, and at
    the start OSError if the port is taken.
    """

    def __init__(
        self,
        *,
        fixtures: str | PathLike[str] | Mapping[str, Any] | Iterable[str | PathLike[str] | Mapping[str, Any]] = (),
        host: str = "127.0.0.1",
        port: int = 0,
        log: Log | None = None,
        **settings: Any,
    ) -> None:
        start = configuration({"fixtures": fixtures, **settings})
        self.scopes = Scopes(start.settings)
        super().__init__(application(self.scopes, log), self.scopes.everyone, _key(start, LOCAL_KEY))
        start_with(self.scopes.everyone, start)
        self._address = (host, port)
        self._running = ExitStack()
        self._started = False
        self._url = ""
        self._numbers = itertools.count(1)

    @property
    def url(self) -> str:
        """Return the server's address, such as `http://127.0.0.1:41234`; raises RuntimeError unless it is running."""
        if not self._url:
            raise RuntimeError("The server is not running: use it inside its `with` block, or call start()")
        return self._url

    def start(self) -> None:
        """Serve in a thread until `stop`; raises RuntimeError if called again."""
        if self._started:
            raise RuntimeError("A MockServer runs once: make another one")
        self._started = True
        # Meanwhile, load what the first request needs.
        self._running.enter_context(server.beside(islice(self.scopes.everyone.warm(), COMMON_WARMUP)))
        self._url = self._running.enter_context(server.running(self.app, *self._address))

    def stop(self) -> None:
        """Stop the server; its requests stay available."""
        self._url = ""
        self._running.close()

    @contextmanager
    def opened(self, start: Configuration, folder: Path | None = None, owner: str = "a block") -> Iterator[Control]:
        """Open a scope for the length of a block, with a key of its own; it also serves all other keys.

        `owner` names the test that the key belongs to, for clients that still send it later. Paths of documents in
        fixtures are relative to `folder`. Raises FixtureFolderError and FixtureError.
        """
        key = _key(start, f"{LOCAL_KEY}-{next(self._numbers)}")
        mock = self.scopes.open(key, start.settings)
        try:
            start_with(mock, start, folder)
            self.scopes.everyone.reset()
            self.scopes.for_others = mock
            yield KeyControl(self, mock, key)
        finally:
            self.scopes.for_others = None
            self.scopes.close(key, owner)

    @contextmanager
    def between(self, start: Configuration, folder: Path | None = None) -> Iterator[Address]:
        """Serve, for the length of a block, all keys while no scope is open; return the address and a key.

        Raises FixtureFolderError and FixtureError.
        """
        mock = self.scopes.made(start.settings)
        start_with(mock, start, folder)
        self.scopes.between = mock
        try:
            yield Address(self.url, _key(start, f"{LOCAL_KEY}-session"))
        finally:
            self.scopes.between = None

    def _mocks(self) -> list[Mock]:
        return self.scopes.all()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        # In a thread, so that requests in progress in this event loop can end first.
        await asyncio.to_thread(self.stop)


class KeyControl(Control):
    """The verbs on the scope of one key of a server, which includes the requests without a key."""

    def __init__(self, server: MockServer, mock: Mock, api_key: str) -> None:
        super().__init__(server.app, mock, api_key)
        self._server = server

    @property
    def url(self) -> str:
        """Return the server's address, such as `http://127.0.0.1:41234`."""
        return self._server.url

    def _mocks(self) -> list[Mock]:
        return [self._mock, self._server.scopes.everyone]


def start_with(mock: Mock, start: Configuration, folder: Path | None = None) -> None:
    """Give a mock the fixtures that the settings hold as mappings; raises FixtureError."""
    fixtures = []
    for index, data in enumerate(start.fixtures):
        name = f"fixtures[{index}]"
        body = arguments.fixture_body(data, name, folder)
        fixture = loader.FixtureBuilder(name, mock.domains).fixture(body, USER_ORIGIN)
        known = (*fixture.originals, *arguments.originals(data, folder))
        fixtures.append(replace(fixture, number=-index, originals=known))  # the first of equal fixtures wins
    mock.start_with(*fixtures)


def _key(start: Configuration, otherwise: str) -> str:
    """Return a key that the settings accept."""
    return min(start.settings.api_keys, default=otherwise)
