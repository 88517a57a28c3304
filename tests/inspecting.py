"""A running mock with its inspector, as tests use it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.serving import RunningMock
from vlmrun_mock.mock.scopes import Scopes
from vlmrun_mock.mock.settings import Settings
from vlmrun_mock.web import server
from vlmrun_mock.web.app import application
from vlmrun_mock.web.inspector.inspection import Inspection

MEBIBYTE = 1024 * 1024


@contextmanager
def inspected(*folders: Path, most_bytes: int = 64 * MEBIBYTE, **settings: object) -> Iterator[RunningMock]:
    """Serve with an inspector for the length of a `with` block."""
    lines: list[str] = []
    scopes = Scopes(Settings(fixtures=folders, **settings))  # type: ignore[arg-type]  # each test names what it means
    inspection = Inspection(most_bytes)
    app = application(scopes, log=lines.append, inspection=inspection)
    with server.running(app, on_stop=inspection.feed.close) as url:
        served = RunningMock(url, lines)
        yield served
        served.http.close()
