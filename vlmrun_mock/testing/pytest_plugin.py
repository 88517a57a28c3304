"""The pytest fixtures `vlmrun_mock` and `vlmrun_mock_session`: one server, and a clean start for each test."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from vlmrun_mock.lazy import lazy
from vlmrun_mock.mock.options import INI
from vlmrun_mock.mock.options.option import Kind
from vlmrun_mock.mock.options.upstream import MODES
from vlmrun_mock.mock.proxies import exempting

# Every test session of every project in the environment imports this module, so that nothing heavy loads before a test
# uses a fixture of it.
if TYPE_CHECKING:
    from vlmrun_mock.address import Address
    from vlmrun_mock.mock import keywords
    from vlmrun_mock.mock.keywords import Configuration
    from vlmrun_mock.recording import recorder
    from vlmrun_mock.recording import settings as recording_settings
    from vlmrun_mock.testing import expectation, mock_server
    from vlmrun_mock.testing.control import Control
    from vlmrun_mock.testing.mock_server import MockServer
else:
    keywords = lazy("vlmrun_mock.mock.keywords")
    recorder = lazy("vlmrun_mock.recording.recorder")
    recording_settings = lazy("vlmrun_mock.recording.settings")
    expectation = lazy("vlmrun_mock.testing.expectation")
    mock_server = lazy("vlmrun_mock.testing.mock_server")

MARKER = "vlmrun_mock"

INI_TYPES: Mapping[Kind, Literal["string", "paths", "linelist", "bool"]] = {
    "folders": "paths",
    "keys": "linelist",
    "names": "linelist",
    "faults": "linelist",
    "flag": "bool",
}
"""The type of each kind of option in the configuration file; other kinds are strings."""

NUMBERS: Mapping[Kind, Callable[[str], float]] = {"integer": int, "bytes": int, "seconds": float, "share": float}
"""The function that reads a number of each kind."""

WITHOUT_KEY = "VLMRUN_API_KEY is not set, so nothing was asked of the upstream and nothing recorded"

WIDER = (
    "vlmrun_mock starts anew for each test. A fixture of a wider scope asks for vlmrun_mock_session instead, which\n"
    "has the address and a key for the whole session. What is asked with that key during a test counts as the test's."
)
"""What to do where pytest says ScopeMismatch."""

CONTROL = pytest.StashKey["Control"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the configuration file and of the command line."""
    parser.getgroup("vlmrun-mock").addoption(
        "--vlmrun-mock-record",
        choices=MODES,
        help="Record as this mode says, in every test that has a folder of fixtures; needs VLMRUN_API_KEY.",
    )
    for name, option in INI.items():
        kind = INI_TYPES.get(option.kind, "string")
        parser.addini(f"vlmrun_mock_{name}", option.explanation, type=kind, default=None)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    _keep_compiled(config)
    config.addinivalue_line(
        "markers",
        f"{MARKER}({', '.join(f'{name}=...' for name in INI)}): start the test with vlmrun-mock in these settings.",
    )


def _keep_compiled(config: pytest.Config) -> None:
    """Keep pytest from compiling this package anew, through a private name of pytest's, if it still has that name.

    pytest rewrites the assertions in all modules of a plugin's distribution. This package has none, and without a
    cache the compilation takes half a second, which `PYTEST_DONT_REWRITE` does not prevent.
    """
    rewritten: set[str] = getattr(getattr(config.pluginmanager, "rewrite_hook", None), "_must_rewrite", set())
    rewritten.discard("vlmrun_mock")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Show the requests of a failed test in its report, and what to do about a fixture of a wider scope."""
    error = call.excinfo.value if call.excinfo is not None else None
    if isinstance(error, pytest.fail.Exception) and _is_mismatch(str(error)):
        item.add_report_section(call.when, "vlmrun-mock", WIDER)
    control = item.stash.get(CONTROL, None)
    if control is not None and call.when == "call" and call.excinfo is not None and control.requests:
        item.add_report_section("call", "vlmrun-mock", "\n".join(map(expectation.line, control.requests)))
    return (yield)


def _is_mismatch(message: str) -> bool:
    """Return whether pytest says that a fixture of a wider scope asks for `vlmrun_mock`."""
    return message.startswith("ScopeMismatch") and "fixture vlmrun_mock with" in message


@pytest.fixture(scope="session")
def _vlmrun_mock_server() -> Iterator[MockServer]:
    """Return the server that all tests of this process share, each with a scope of its own."""
    with mock_server.MockServer() as server:
        yield server


@pytest.fixture(scope="session")
def vlmrun_mock_session(pytestconfig: pytest.Config, _vlmrun_mock_server: MockServer) -> Iterator[Address]:
    """Return the mock's address and a key for the whole session, for fixtures of a wider scope than a test.

    What is asked with the key while a test uses `vlmrun_mock` counts as that test's. At other times the settings of
    the configuration file apply.
    """
    with ExitStack() as stack:
        problem = ""
        try:
            start, _ = _configuration(pytestconfig, pytestconfig.rootpath, {})
            address = stack.enter_context(_vlmrun_mock_server.between(start, pytestconfig.rootpath))
        except ValueError as error:  # of a setting or a fixture; its message explains it
            problem = str(error)
        if problem:
            pytest.fail(f"vlmrun_mock_session: {problem}", pytrace=False)
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        for name, value in exempting("127.0.0.1", os.environ).items():
            patch.setenv(name, value)
        yield address


@pytest.fixture
def vlmrun_mock(request: pytest.FixtureRequest, _vlmrun_mock_server: MockServer) -> Iterator[Control]:
    """Return VLM Run's API, mocked: its address, verbs to script it, and assertions on what it was asked.

    OPENAI_BASE_URL, OPENAI_API_KEY, VLMRUN_BASE_URL and VLMRUN_API_KEY lead to it for the length of the test.
    """
    item: pytest.Item = request.node
    with ExitStack() as stack:
        problem, offline = "", False
        try:
            start, offline = _configuration(item.config, item.path.parent, _marked(item))
            control = stack.enter_context(_vlmrun_mock_server.opened(start, item.path.parent, item.nodeid))
        except ValueError as error:  # of a setting or a fixture; its message explains it
            problem = f"{error}\n{WITHOUT_KEY}" if offline else str(error)
        if problem:
            pytest.fail(f"vlmrun_mock: {problem}", pytrace=False)
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        for name, value in {**control.environment, **exempting("127.0.0.1", os.environ)}.items():
            patch.setenv(name, value)
        item.stash[CONTROL] = control
        yield control
        if start.settings.strict or start.settings.record:
            _expect_no_miss(control, WITHOUT_KEY if offline else "")
        if start.settings.record:
            _report_unrecorded(control)


@pytest.fixture(autouse=True)
def _vlmrun_mock_marked(request: pytest.FixtureRequest) -> None:
    """Start the mock for a test that has the marker, whether or not it names the fixture."""
    if request.node.get_closest_marker(MARKER):
        request.getfixturevalue("vlmrun_mock")


def _marked(item: pytest.Item) -> dict[str, Any]:
    """Return the settings of a test's markers, of which the closest wins."""
    settings: dict[str, Any] = {}
    for marker in reversed(list(item.iter_markers(MARKER))):
        if marker.args:
            given = f"{marker.args[0]!r:.100}"
            raise keywords.SettingsError(f"the marker takes settings by name, such as strict=True, not {given}")
        settings |= marker.kwargs
    return settings


def _configuration(config: pytest.Config, folder: Path, marked: Mapping[str, Any]) -> tuple[Configuration, bool]:
    """Return settings, of markers before those of the configuration file, and whether a key to record is missing."""
    start = keywords.configuration({**_ini_settings(config), **marked}, folder)
    mode = config.getoption("--vlmrun-mock-record") if start.settings.fixtures else None
    settings = replace(start.settings, record=mode or start.settings.record)
    if settings.record:
        settings = replace(settings, upstream_key=settings.upstream_key or recording_settings.key_of_environment())
    offline = settings.record in ("once", "new", "all") and not settings.upstream_key
    return replace(start, settings=replace(settings, record="none") if offline else settings), offline


def _ini_settings(config: pytest.Config) -> dict[str, Any]:
    given = {name: config.getini(f"vlmrun_mock_{name}") for name in INI}
    given = {name: value for name, value in given.items() if value not in (None, "", [])}
    for name, value in given.items():
        if read := NUMBERS.get(INI[name].kind):
            with suppress(ValueError):  # an invalid number is reported with the other settings
                given[name] = read(value)
    return given


def _report_unrecorded(control: Control) -> None:
    """Warn of requests that were not recorded, and fail if a recording could not be written."""
    notes = [(entry, note) for entry in control.requests for note in entry.notes]
    for entry, note in notes:
        if note.startswith("not recorded"):
            warnings.warn(pytest.PytestWarning(f"vlmrun_mock: {note}\n{expectation.line(entry)}"), stacklevel=2)
    lost = [(entry, note) for entry, note in notes if note.startswith(recorder.UNWRITTEN)]
    if lost:
        lines = (f"{expectation.line(entry)}\n    {note}" for entry, note in lost)
        pytest.fail("\n".join(("an answer of the real API could not be written:", *lines)), pytrace=False)


def _expect_no_miss(control: Control, hint: str) -> None:
    """Fail a strict test with a request that no fixture matches, even if the application hides the error."""
    missed = [entry for entry in control.requests if entry.error == "no_fixture"]
    if missed:
        explained = (f"{expectation.line(entry)}\n    {entry.message}" for entry in missed)
        lines = ("the test is strict, and no fixture matched:", *explained, *filter(None, [hint]))
        pytest.fail("\n".join(lines), pytrace=False)
