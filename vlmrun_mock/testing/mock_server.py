"""A mock on a port, for unittest, scripts and notebooks, and for applications in the same process."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import islice
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

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
    from vlmrun_mock.fixtures.fixture import Fixture
    from vlmrun_mock.web import server
    from vlmrun_mock.web.middleware import Log
else:
    loader = lazy("vlmrun_mock.fixtures.loader")
    server = lazy("vlmrun_mock.web.server")

NEEDED_BY_ALL = 3
"""Steps of warming up that nearly every answer needs; the generator of values, the last one, is not among them."""

LOCAL_KEY = "local"
"""The key to send where any is accepted."""


class MockServer(Control):
    """A server with verbs that act on all of it, whatever key a request has.

    It serves for the length of a `with` or `async with` block, once. `fixtures` are folders, and fixtures as mappings
    in the format of a file, which win over the folders; both stay after a reset. The other settings are the options of
    `vlmrun-mock serve`, by the names of Settings. `port` 0 is a free one; `log` gets one line a request.

    Raises SettingsError, FixtureFolderError and FixtureError (both say which fixture, where and why), and when it
    starts OSError if the port is taken.
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
        """Return where the server is, such as `http://127.0.0.1:41234`; raises RuntimeError unless it is running."""
        if not self._url:
            raise RuntimeError("The server is not running: it does for the length of a `with` block")
        return self._url

    def start(self) -> None:
        """Serve in a thread until `stop`; raises RuntimeError for a second time."""
        if self._started:
            raise RuntimeError("A MockServer runs once: make another one")
        self._started = True
        # What the first request will need is loaded meanwhile.
        self._running.enter_context(server.beside(islice(self.scopes.everyone.warm(), NEEDED_BY_ALL)))
        self._url = self._running.enter_context(server.running(self.app, *self._address))

    def stop(self) -> None:
        """End the server; what was asked can still be read."""
        self._url = ""
        self._running.close()

    @contextmanager
    def opened(self, start: Configuration, folder: Path | None = None) -> Iterator[Control]:
        """Open a scope for the length of a block: with a key of its own, and for any key that is not known from before.

        Raises FixtureFolderError and FixtureError. `folder` is what paths to documents in fixtures are relative to.
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
            self.scopes.close(key)

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
        # In a thread: a request that is under way in this event loop has to end first.
        await asyncio.to_thread(self.stop)


class KeyControl(Control):
    """The verbs on the scope of one key of a server, which also sees the requests that came without any key."""

    def __init__(self, server: MockServer, mock: Mock, api_key: str) -> None:
        super().__init__(server.app, mock, api_key)
        self._server = server

    @property
    def url(self) -> str:
        """Return where the server is, such as `http://127.0.0.1:41234`."""
        return self._server.url

    def _mocks(self) -> list[Mock]:
        return [self._mock, self._server.scopes.everyone]


def start_with(mock: Mock, start: Configuration, folder: Path | None = None) -> None:
    """Give a mock the fixtures that were written in place; raises FixtureError."""
    mock.start_with(*(_built(mock, data, index, folder) for index, data in enumerate(start.fixtures)))


def _built(mock: Mock, data: Mapping[str, Any], index: int, folder: Path | None) -> Fixture:
    name = f"fixtures[{index}]"
    fixture = loader.FixtureBuilder(name, mock.domains).fixture(arguments.fixture_body(data, name, folder), USER_ORIGIN)
    return replace(fixture, number=-index)  # of equals, the first wins


def _key(start: Configuration, otherwise: str) -> str:
    """Return a key that is accepted."""
    return min(start.settings.api_keys, default=otherwise)
