"""What most tests need: a real server on a real socket."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.campaign import CAMPAIGN
from tests.serving import Served
from vlmrun_mock.mock.scopes import Scopes
from vlmrun_mock.mock.settings import Settings
from vlmrun_mock.web import server
from vlmrun_mock.web.app import application

FEW = 2
"""Up to how many processes run the whole suite at once by default; `-n` says otherwise."""

Serve = Callable[..., Served]
Put = Callable[..., Path]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that lets the long tests go all the way."""
    parser.addoption("--campaign", action="store_true", help="Let the long tests go all the way, as CI does.")


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Run the whole suite in several processes where pytest-xdist is installed, unless the command line says how."""
    is_whole = list(config.args) == config.getini("testpaths") and not config.option.keyword
    if is_whole and getattr(config.option, "numprocesses", 0) is None and not config.option.collectonly:
        config.option.numprocesses = min(FEW, os.cpu_count() or 1)
        config.option.dist = "worksteal"


def pytest_configure(config: pytest.Config) -> None:
    """Tell the long tests, before they are imported, how far they go."""
    CAMPAIGN.is_on = config.getoption("--campaign")


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Return a function that starts a server with settings of the test's own."""
    with ExitStack() as stack:

        def start(**settings: object) -> Served:
            lines: list[str] = []
            mock = Scopes(Settings(**settings))  # type: ignore[arg-type]  # each test names the settings that it means
            served = Served(stack.enter_context(server.running(application(mock, log=lines.append))), lines)
            stack.callback(served.http.close)
            return served

        yield start


@pytest.fixture(scope="session")
def served() -> Iterator[Served]:
    """Return a server with the default settings, shared by the tests."""
    lines: list[str] = []
    with server.running(application(Scopes(), log=lines.append)) as url:
        shared = Served(url, lines)
        yield shared
        shared.http.close()


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    """Return a function that writes a file below the test's folder."""

    def put(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return put


@pytest.fixture
def put(tmp_path: Path) -> Put:
    """Return a function that writes a fixture below the test's folder, and returns that folder."""

    def write(name: str, answer: dict[str, Any] | list[dict[str, Any]], **match: Any) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        key = "answers" if isinstance(answer, list) else "answer"
        path.write_text(json.dumps({"match": match, key: answer}), encoding="utf-8")
        return tmp_path

    return write
