"""The pytest fixture `vlmrun_mock`: a server for the session, and a clean start for each test."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import pytest

from vlmrun_mock.mock.options import INI, MODES, Kind
from vlmrun_mock.testing.assertion_rewriting import keep_compiled

# Nothing heavy here: every test session of every project in the environment imports this.
if TYPE_CHECKING:
    from vlmrun_mock.mock.keywords import Configuration
    from vlmrun_mock.mock.settings import Settings
    from vlmrun_mock.testing.control import Control
    from vlmrun_mock.testing.mock_server import MockServer

MARKER = "vlmrun_mock"

INI_TYPES: Mapping[Kind, Literal["string", "paths", "linelist", "bool"]] = {
    "folders": "paths",
    "keys": "linelist",
    "faults": "linelist",
    "flag": "bool",
}
"""What an option of each kind is in the configuration file; all others are strings."""

NUMBERS: Mapping[Kind, Callable[[str], float]] = {"integer": int, "bytes": int, "seconds": float}
"""What reads a number of each kind."""

WITHOUT_KEY = "VLMRUN_API_KEY is not set, so nothing was asked of the upstream and nothing recorded"

CONTROL = pytest.StashKey["Control"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the configuration file, and the one of the command line."""
    parser.getgroup("vlmrun-mock").addoption(
        "--vlmrun-mock-record",
        choices=MODES,
        help="Record as this mode says, in every test that has a folder of fixtures; needs VLMRUN_API_KEY.",
    )
    for name, option in INI.items():
        kind = INI_TYPES.get(option.kind, "string")
        parser.addini(f"vlmrun_mock_{name}", option.explanation, type=kind, default=None)


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    keep_compiled("vlmrun_mock", config)
    config.addinivalue_line(
        "markers",
        f"{MARKER}({', '.join(f'{name}=...' for name in INI)}): start the test with vlmrun-mock in these settings.",
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Show with a failed test what it asked the mock for."""
    control = item.stash.get(CONTROL, None)
    if control is not None and call.when == "call" and call.excinfo is not None and control.requests:
        from vlmrun_mock.testing.expectation import line  # noqa: PLC0415 - only once the fixture is used

        item.add_report_section("call", "vlmrun-mock", "\n".join(map(line, control.requests)))
    return (yield)


@pytest.fixture(scope="session")
def _vlmrun_mock_server() -> Iterator[MockServer]:
    """Return the server that the tests of this process share; each test has a scope of its own in it."""
    from vlmrun_mock.testing.mock_server import MockServer  # noqa: PLC0415 - heavy: imported when first needed

    with MockServer() as server:
        yield server


@pytest.fixture
def vlmrun_mock(request: pytest.FixtureRequest, _vlmrun_mock_server: MockServer) -> Iterator[Control]:
    """Return VLM Run's API, mocked: its address, verbs to script it, and assertions on what it was asked.

    OPENAI_BASE_URL, OPENAI_API_KEY, VLMRUN_BASE_URL and VLMRUN_API_KEY lead to it for the length of the test.
    """
    item: pytest.Item = request.node
    with ExitStack() as stack:
        problem, offline = "", False
        try:
            start = _configuration(item)
            offline = _is_offline(start.settings)
            if offline:
                start = replace(start, settings=replace(start.settings, record="none"))
            control = stack.enter_context(_vlmrun_mock_server.opened(start, item.path.parent))
        except ValueError as error:  # a setting or a fixture that is wrong, and says so
            problem = f"{error}\n{WITHOUT_KEY}" if offline else str(error)
        if problem:
            pytest.fail(f"vlmrun_mock: {problem}", pytrace=False)
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        for name, value in control.environment.items():
            patch.setenv(name, value)
        item.stash[CONTROL] = control
        yield control
        if start.settings.strict or start.settings.record:
            _expect_no_miss(control, WITHOUT_KEY if offline else "")
        if start.settings.record:
            _tell_what_was_not_recorded(control)


@pytest.fixture(autouse=True)
def _vlmrun_mock_marked(request: pytest.FixtureRequest) -> None:
    """Start the mock for a test that has the marker, whether or not it names the fixture."""
    if request.node.get_closest_marker(MARKER):
        request.getfixturevalue("vlmrun_mock")


def _configuration(item: pytest.Item) -> Configuration:
    """Return the settings of a test: those of its markers, the closest first, then those of the configuration file."""
    from vlmrun_mock.mock.keywords import SettingsError, configuration  # noqa: PLC0415 - only once the fixture is used
    from vlmrun_mock.recording.settings import key_of_environment  # noqa: PLC0415 - only once the fixture is used

    settings = _of_the_file(item.config)
    for marker in reversed(list(item.iter_markers(MARKER))):
        if marker.args:
            raise SettingsError(f"the marker takes settings by name, such as strict=True, not {marker.args[0]!r:.100}")
        settings |= marker.kwargs
    start = configuration(settings, item.path.parent)
    mode = item.config.getoption("--vlmrun-mock-record") if start.settings.fixtures else None
    recorder = replace(start.settings, record=mode or start.settings.record)
    if recorder.record:
        recorder = replace(recorder, upstream_key=recorder.upstream_key or key_of_environment())
    return replace(start, settings=recorder)


def _is_offline(settings: Settings) -> bool:
    """Return whether a test would record if it only had a key."""
    return settings.record in ("once", "new", "all") and not settings.upstream_key


def _of_the_file(config: pytest.Config) -> dict[str, Any]:
    """Return the settings of the configuration file."""
    given = {name: config.getini(f"vlmrun_mock_{name}") for name in INI}
    given = {name: value for name, value in given.items() if value not in (None, "", [])}
    for name, value in given.items():
        if read := NUMBERS.get(INI[name].kind):
            with suppress(ValueError):  # what is no number is explained with the other settings
                given[name] = read(value)
    return given


def _tell_what_was_not_recorded(control: Control) -> None:
    """Warn of what the next run will lack, and fail for what the folder should have and could not be given."""
    from vlmrun_mock.recording.recorder import UNWRITTEN  # noqa: PLC0415 - only once the fixture is used
    from vlmrun_mock.testing.expectation import line  # noqa: PLC0415 - only once the fixture is used

    told = [(entry, note) for entry in control.requests for note in entry.notes]
    for entry, note in told:
        if note.startswith("not recorded"):
            warnings.warn(pytest.PytestWarning(f"vlmrun_mock: {note}\n{line(entry)}"), stacklevel=2)
    unwritten = [f"{line(entry)}\n    {note}" for entry, note in told if note.startswith(UNWRITTEN)]
    if unwritten:
        pytest.fail("an answer of the real API could not be written:\n" + "\n".join(unwritten), pytrace=False)


def _expect_no_miss(control: Control, hint: str) -> None:
    """Fail a strict test that asked for something that no fixture answers, even if the application hid the error."""
    from vlmrun_mock.testing.expectation import line  # noqa: PLC0415 - only once the fixture is used

    missed = [entry for entry in control.requests if entry.error == "no_fixture"]
    if missed:
        explained = (f"{line(entry)}\n    {entry.message}" for entry in missed)
        lines = ("the test is strict, and no fixture matched:", *explained, *filter(None, [hint]))
        pytest.fail("\n".join(lines), pytrace=False)
