"""How the tests run, and what most of them need: a real server on a real socket."""

from __future__ import annotations

import gc
import json
import signal
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme
from hypothesis import settings

from tests.process import PATIENCE
from tests.serving import RunningMock
from vlmrun_mock.mock.scopes import Scopes
from vlmrun_mock.mock.settings import Settings
from vlmrun_mock.web import server
from vlmrun_mock.web.app import application

# A first answer may take longer than httpx's own five seconds on a machine that is busy with something else.
for phase in ("connect", "read", "write", "pool"):
    setattr(httpx._config.DEFAULT_TIMEOUT_CONFIG, phase, PATIENCE)

Serve = Callable[..., RunningMock]
Put = Callable[..., Path]

# What any input may break is tried in depth in a campaign; every run of a kind tries the same inputs.
settings.register_profile("quick", max_examples=40, deadline=None, derandomize=True)
settings.register_profile("campaign", max_examples=200, deadline=None, derandomize=True)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options that CI turns on."""
    parser.addoption("--browser", action="store_true", help="run the tests of the inspector's page in a browser")
    parser.addoption("--campaign", action="store_true", help="run long campaigns in full, and the tests of packaging")
    parser.addoption(
        "--mixed-requests", type=int, metavar="N", help="how many requests the mixed ones are, such as 100000"
    )


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for no garbage while thousands of tests are made, nor ever again among them: a third of a worker's start."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Use every core where pytest-xdist is installed, unless options say how, or single files or tests are named."""
    option = config.option
    parallel = getattr(option, "numprocesses", 0) is None and option.dist == "no" and not option.tx
    watched = option.usepdb or option.collectonly
    is_worker = hasattr(config, "workerinput")  # which calls this hook, too, and would start workers of its own
    if parallel and not watched and not is_worker and all(Path(argument).is_dir() for argument in config.args):
        # Two more than there are cores, as many tests wait for a process, a clock or a file.
        option.numprocesses = 2 + config.hook.pytest_xdist_auto_num_workers(config=config)
        option.dist = "worksteal"


def pytest_configure(config: pytest.Config) -> None:
    """Choose the depth of the campaigns, and let processes that the tests start end by Ctrl-C and a closed terminal.

    A shell ignores SIGINT in what it starts in the background, and nohup SIGHUP; so would every process from there on.
    """
    settings.load_profile("campaign" if config.getoption("campaign") else "quick")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    hangup = getattr(signal, "SIGHUP", None)  # Windows has none
    if hangup is not None and signal.getsignal(hangup) is signal.SIG_IGN:
        signal.signal(hangup, signal.SIG_DFL)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what only a campaign runs."""
    if not config.getoption("campaign"):
        for item in items:
            if item.get_closest_marker("campaign"):
                item.add_marker(pytest.mark.skip(reason="only with --campaign"))


@pytest.fixture(scope="session", autouse=True)
def _one_authority(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[None]:
    """Let clients trust one authority: to load the world's takes each new client longer than most tests.

    A campaign installs packages from a network, and needs the world's.
    """
    with pytest.MonkeyPatch.context() as patch:
        if not pytestconfig.getoption("campaign"):
            file = tmp_path_factory.mktemp("authority") / "authority.pem"
            trustme.CA().cert_pem.write_to_path(file)
            patch.setenv("SSL_CERT_FILE", str(file))
        yield


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Return a function that starts a server with settings of the test's own."""
    with ExitStack() as stack:

        def start(**settings: object) -> RunningMock:
            lines: list[str] = []
            mock = Scopes(Settings(**settings))  # type: ignore[arg-type]  # each test names the settings that it means
            served = RunningMock(stack.enter_context(server.running(application(mock, log=lines.append))), lines)
            stack.callback(served.http.close)
            return served

        yield start


@pytest.fixture(scope="session")
def served() -> Iterator[RunningMock]:
    """Return a server with the default settings, shared by the tests."""
    lines: list[str] = []
    with server.running(application(Scopes(), log=lines.append)) as url:
        shared = RunningMock(url, lines)
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


@pytest.fixture(scope="session")
def many(pytestconfig: pytest.Config) -> int:
    """Return how many fixtures are many: 10,000 in a campaign."""
    return 10_000 if pytestconfig.getoption("campaign") else 1_000
