"""Recording in pytest: one run with a key asks the real API, every other run is offline."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import Put
from tests.real_api import KEY, RealApi, real_api, says_content
from tests.testing.conftest import Imports
from tests.testing.test_pytest_plugin import Run, prepared
from vlmrun_mock import MockServer
from vlmrun_mock.mock.keywords import SettingsError

pytest_plugins = ["pytester"]

MARKED = """
    @pytest.mark.vlmrun_mock(record="new", fixtures="recordings", upstream={url!r})
    def test_recorded(vlmrun_mock):
        assert "invoice_id" in ask()
        assert "invoice_id" in ask(text="Another")
"""


@pytest.fixture
def api() -> Iterator[RealApi]:
    """Return a real API of the test's own."""
    with real_api() as api:
        yield api


@pytest.fixture
def run(imports: Imports, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return what runs the tests in a source, without a key."""
    monkeypatch.delenv("VLMRUN_API_KEY", raising=False)
    return prepared(pytester, imports)


def _files(run: Run) -> list[Path]:
    return sorted((run.pytester.path / "recordings").rglob("*.json"))


def test_a_run_with_a_key_records_and_every_other_run_is_offline(
    run: Run, api: RealApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VLMRUN_API_KEY", KEY)
    recorded = run(MARKED.format(url=api.url))
    monkeypatch.delenv("VLMRUN_API_KEY")
    asked = api.asked

    replayed = run.again()

    for result in (recorded, replayed):
        result.assert_outcomes(passed=1)
    assert (asked, api.asked) == (2, 2)
    assert {headers["authorization"] for headers in api.headers} == {f"Bearer {KEY}"}
    assert len(_files(run)) == 2
    assert KEY not in "".join(path.read_text(encoding="utf-8") for path in _files(run))


def test_without_a_key_nothing_is_asked_and_what_is_not_recorded_fails_the_test(run: Run, api: RealApi) -> None:
    run.pytester.mkdir("recordings")

    result = run(f"""
    @pytest.mark.vlmrun_mock(record="new", fixtures="recordings", upstream={api.url!r})
    def test_hidden(vlmrun_mock):
        assert ask() == 404  # the application hides the error

    @pytest.mark.vlmrun_mock(record="new", fixtures="nowhere", upstream={api.url!r})
    def test_without_a_folder(vlmrun_mock):
        pass
    """)

    result.assert_outcomes(passed=1, errors=2)
    assert api.asked == 0
    hint = "VLMRUN_API_KEY is not set, so nothing was asked of the upstream and nothing recorded"
    result.stdout.fnmatch_lines(["*No fixture matches: none is loaded.*", hint, "*nowhere: is no folder", hint])


def test_what_was_not_recorded_is_a_warning_and_what_could_not_be_written_a_failure(
    run: Run, api: RealApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VLMRUN_API_KEY", KEY)
    (run.pytester.mkdir("recordings") / "document.invoice").write_bytes(b"a file where a folder belongs")

    result = run(
        f"""
    @pytest.mark.vlmrun_mock(record="new", fixtures="recordings", upstream={api.url!r})
    def test_unrecordable(vlmrun_mock):
        assert "invoice_id" in ask("document.receipt", text="my key is {KEY}")

    @pytest.mark.vlmrun_mock(record="new", fixtures="recordings", upstream={api.url!r})
    def test_unwritable(vlmrun_mock):
        assert "invoice_id" in ask()
    """,
        "-W",
        "default",
    )

    result.assert_outcomes(passed=2, errors=1, warnings=1)
    result.stdout.fnmatch_lines(
        ["an answer of the real API could not be written:", "*NOT RECORDED: cannot write into *recordings: *"]
    )
    assert "not recorded: the request itself holds the key" in result.stdout.str()
    assert KEY not in result.stdout.str().replace(f"my key is {KEY}", "")


def test_the_command_line_records_anew_in_every_test_that_has_a_folder(
    run: Run, api: RealApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VLMRUN_API_KEY", KEY)
    source = f"""
    def test_without_a_folder(vlmrun_mock):
        assert "HB-2025-0347" in ask()

    @pytest.mark.vlmrun_mock(fixtures="recordings", strict=True, upstream={api.url!r})
    def test_strict(vlmrun_mock):
        vlmrun_mock.add("document.receipt", content="my own")
        assert ask("document.receipt") == "my own"
        assert ask() == "second"
    """
    run.pytester.mkdir("recordings")
    api.say = says_content("first")
    failed = run(source, "--vlmrun-mock-record=new")
    api.say = says_content("second")

    kept = run.again("--vlmrun-mock-record=new")
    passed = run.again("--vlmrun-mock-record=all")
    offline = run.again()

    for result in (failed, kept):
        result.assert_outcomes(passed=1, failed=1)
    for result in (passed, offline):
        result.assert_outcomes(passed=2)
    assert api.asked == 2
    (path,) = _files(run)
    assert json.loads(path.read_text(encoding="utf-8"))["answer"]["content"] == "second"


def test_the_configuration_file_can_record(run: Run, api: RealApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLMRUN_API_KEY", KEY)
    run.pytester.makefile(
        ".ini",
        pytest=f"""
        [pytest]
        vlmrun_mock_record = once
        vlmrun_mock_fixtures = recordings
        vlmrun_mock_upstream = {api.url}/v1
        vlmrun_mock_record_errors = true
        vlmrun_mock_timeout = 0.5
        vlmrun_mock_latency = recorded
        """,
    )

    result = run("""
    def test_first(vlmrun_mock):
        assert "invoice_id" in ask()

    def test_second(vlmrun_mock):
        assert "invoice_id" in ask(text="Another")
        settings = vlmrun_mock._mock.settings
        assert (settings.record_errors, settings.timeout, settings.latency) == (True, 0.5, "recorded")
    """)

    result.assert_outcomes(passed=2)
    assert api.asked == len(_files(run)) == 2


def test_workers_can_record_into_one_folder(run: Run, api: RealApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLMRUN_API_KEY", KEY)

    result = run(
        f"""
    @pytest.mark.vlmrun_mock(record="new", fixtures="recordings", upstream={api.url!r})
    @pytest.mark.parametrize("number", range(8))
    def test_recorded(number, vlmrun_mock):
        assert "invoice_id" in ask(text=f"text {{number}}")
        assert "invoice_id" in ask()
    """,
        "-n",
        "2",
        apart=True,
    )

    result.assert_outcomes(passed=8)
    assert len(_files(run)) == 9


@pytest.mark.parametrize(
    ("marker", "explained"),
    [
        ("record='sometimes', fixtures='.'", "record is 'once' or 'new' or 'all' or 'none', not 'sometimes'"),
        ("record='new'", "record needs fixtures: a folder that recordings are written into, and replayed from"),
        ("record='new', fixtures='.', upstream='vlm.run'", "upstream: 'vlm.run' is no address of a server such as"),
        ("record='new', fixtures='.', timeout=0", "timeout is a positive number of seconds, not 0"),
        ("latency='real'", "latency is 'scripted' or 'recorded', not 'real'"),
    ],
)
def test_a_wrong_setting_is_a_clear_error(marker: str, explained: str, run: Run) -> None:
    result = run(f"""
    @pytest.mark.vlmrun_mock({marker})
    def test_marked(vlmrun_mock):
        pass
    """)

    result.assert_outcomes(errors=1)
    assert explained in result.stdout.str()


def test_a_mode_that_is_misspelt_on_the_command_line_ends_the_run(run: Run) -> None:
    result = run("def test_it(): pass", "--vlmrun-mock-record=alll")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "invalid choice: 'alll' (choose from" in result.stderr.str()


def test_a_server_records_with_the_clients_key_or_with_its_own(api: RealApi, tmp_path: Path, put: Put) -> None:
    put("recordings/own.json", {"content": "my own"}, domain="document.receipt")
    settings: dict[str, Any] = {"record": "new", "fixtures": tmp_path / "recordings", "upstream": api.url}

    for further in ({}, {"upstream_key": KEY, "record": "all"}):
        with MockServer(**{**settings, **further}) as server:
            answered = _ask(server)
            server.assert_requested("document.invoice", times=1)
            (entry,) = server.requests
            assert (entry.source, entry.status, answered["usage"]["credits_used"]) == ("upstream", 201, 3)

    assert [headers["authorization"] for headers in api.headers] == ["Bearer local", f"Bearer {KEY}"]
    assert KEY not in repr(server.scopes.settings)


def test_a_key_that_is_none_is_refused_without_being_shown(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"^upstream_key is a key of plain characters that is not empty, or None$"):
        MockServer(record="new", fixtures=tmp_path, upstream_key=12345)


def _ask(server: MockServer) -> Any:
    """Return the body of an answer."""
    body = {"messages": [{"content": "Extract"}], "domain": "document.invoice"}
    headers = {"Authorization": f"Bearer {server.api_key}"}
    return httpx.post(f"{server.openai_url}/chat/completions", json=body, headers=headers, timeout=30).json()
