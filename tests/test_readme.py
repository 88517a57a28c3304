"""The README keeps its promises: its tables match the code, and each of its blocks runs and prints what it says."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from click import Option
from markdown_it import MarkdownIt
from starlette.routing import Route

from scripts.readme_tables import README, rendered
from tests.process import ServeProcess, environment, serving
from tests.real_api import real_api
from tests.serving import data_url, picture
from vlmrun_mock.api import errors
from vlmrun_mock.cli import serve as serve_command
from vlmrun_mock.fixtures.check.finding import CODES
from vlmrun_mock.mock.scopes import Scopes
from vlmrun_mock.mock.settings import Settings
from vlmrun_mock.testing.control import Control
from vlmrun_mock.web.app import routes

TEXT = README.read_text(encoding="utf-8")
FENCES = [token for token in MarkdownIt().parse(TEXT) if token.type == "fence"]
BLOCKS = [(token.info, token.content) for token in FENCES]
AFTER = dict(zip((content for _, content in BLOCKS), [*BLOCKS[1:], ("", "")], strict=True))
PYTHON = [content for info, content in BLOCKS if info == "python" and "def test_" not in content]
TESTS = [content for info, content in BLOCKS if info == "python" and "def test_" in content]
SHELL = [content for info, content in BLOCKS if info == "sh"]
FIXTURES = [content for info, content in BLOCKS if info == "json" and '"match"' in content]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder as the README's reader has it: a photo of an invoice, and the fixtures of its examples."""
    home = tmp_path_factory.mktemp("readme")
    (home / "invoice.jpg").write_bytes(picture(size=(1275, 1650), kind="JPEG"))
    (home / "fixtures" / "pictures").mkdir(parents=True)
    (home / "fixtures" / "pictures" / "acme.jpg").write_bytes(picture(1, kind="JPEG"))
    for name, content in zip(("acme.json", "retry.json"), FIXTURES, strict=True):
        (home / "fixtures" / name).write_text(content, encoding="utf-8")
    return home


@pytest.fixture(scope="module")
def default(folder: Path) -> Iterator[ServeProcess]:
    """Return the server that the README starts first."""
    with serving(folder / "default") as process:
        yield process


@pytest.fixture(scope="module")
def strict(folder: Path) -> Iterator[ServeProcess]:
    """Return the server of the section on misses."""
    with serving(folder / "strict", "--strict", "--fixtures", str(folder / "fixtures")) as process:
        yield process


@pytest.fixture(scope="module")
def drill(folder: Path) -> Iterator[ServeProcess]:
    """Return the server of the section on failures, with the options that it shows."""
    (block,) = (block for block in SHELL if "--fault" in block)
    with serving(folder / "drill", *shlex.split(block)[2:]) as process:
        yield process


def exported(process: ServeProcess) -> dict[str, str]:
    """Return the environment that the lines printed at start ask for."""
    return {**os.environ, **dict(re.findall(r"^export (\w+)=(\S+)$", process.output, re.MULTILINE))}


def output(command: list[str], process: ServeProcess, folder: Path) -> str:
    """Return what a command prints in the README's folder, with the server's environment."""
    finished = subprocess.run(  # noqa: S603 - the README's own blocks
        command, cwd=folder, env=exported(process), capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def test_the_tables_made_from_the_code_are_current() -> None:
    assert rendered(TEXT) == TEXT, "run python -m scripts.readme_tables"


def test_every_option_and_variable_is_named() -> None:
    options = [option for option in serve_command.params if isinstance(option, Option) and option.envvar]

    assert len(options) >= 11
    for option in options:
        assert f"`{option.opts[0]}" in TEXT
        assert f"`{option.envvar}`" in TEXT


def test_every_route_is_named() -> None:
    for route in routes(Scopes()):
        assert isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}:
            assert f"`{method} {route.path.replace(':path', '')}`" in TEXT


def test_every_error_code_and_its_status_are_named() -> None:
    kinds = [getattr(errors, name) for name in errors.__all__]
    codes = {
        (kind.code, kind.status) for kind in kinds if issubclass(kind, errors.ApiError) and kind is not errors.ApiError
    }

    assert len(codes) >= 9
    for code, status in codes:
        row = "any" if code == "scripted_error" else str(status)
        assert f"| {row} | `{code}` |" in TEXT


def test_every_header_of_ours_is_named() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in (README.parent / "vlmrun_mock").rglob("*.py"))

    headers = set(re.findall(r'b?"(x-[a-z-]+)"', sources)) - {"x-api-key", "x-should-retry"}  # those of others

    assert len(headers) == 4
    for header in headers:
        assert f"| `{header}` |" in TEXT


@pytest.mark.parametrize("block", PYTHON, ids=[f"block {index}" for index in range(len(PYTHON))])
def test_a_python_block_runs_and_prints_what_follows_it(
    block: str, default: ServeProcess, strict: ServeProcess, drill: ServeProcess, folder: Path
) -> None:
    process = strict if "NotFoundError" in block else drill if "RateLimitError" in block else default

    printed = output([sys.executable, "-c", block], process, folder)

    info, expected = AFTER[block]
    assert info in ("text", "json")
    assert printed == expected


@pytest.mark.parametrize("block", TESTS, ids=[f"tests {index}" for index in range(len(TESTS))])
def test_a_block_of_tests_passes(block: str, folder: Path) -> None:
    (folder / "test_block.py").write_text(block, encoding="utf-8")
    plugin = () if entry_points(group="pytest11", name="vlmrun_mock") else ("-p", "vlmrun_mock.testing.pytest_plugin")
    command = [sys.executable, "-m", "pytest", "-q", *plugin, "-p", "no:cacheprovider", "test_block.py"]

    ended = subprocess.run(  # noqa: S603 - the README's own block
        command, cwd=folder, env=environment(), capture_output=True, text=True, encoding="utf-8", check=False
    )

    assert re.search(rf"^{block.count('def test_')} passed", ended.stdout, re.MULTILINE), ended.stdout


def test_the_block_on_recording_records_checks_and_replays(tmp_path: Path) -> None:
    (block,) = (block for block in SHELL if "vlmrun-mock record" in block)
    (line,) = (content for info, content in BLOCKS if info == "text" and "[recorded" in content)
    record, export, _, check, replay = block.splitlines()
    body = {"messages": [{"content": "Extract the invoice."}], "domain": "document.invoice"}

    with real_api() as api:
        changes = {"VLMRUN_MOCK_UPSTREAM": api.url}
        options = shlex.split(record)[2:]
        with serving(tmp_path / "a", *options, command="record", changes=changes, within=tmp_path) as process:
            heard = process.http.post("/v1/openai/chat/completions", json=body)
            logged = process.line("recorded")
            variables = re.findall(r"^export (\w+)=http://[^/]+(.*)$", process.output, re.MULTILINE)
    with serving(tmp_path / "b", *shlex.split(replay)[2:], within=tmp_path) as process:
        checked = output([sys.executable, "-m", "vlmrun_mock", *shlex.split(check)[1:]], process, tmp_path)
        replayed = process.http.post("/v1/openai/chat/completions", json=body)

    assert export == "export " + " ".join(f"{name}=http://127.0.0.1:8000{path}" for name, path in variables)
    assert heard.json()["id"] == replayed.json()["id"]
    assert checked.startswith("1 fixture checked against vlmrun-hub ")
    varies = re.compile(r"^[\d:]+|document\.invoice  .*?  (?=upstream)|\d+(?=\+| tokens| ms)|-[0-9a-f]{10}(?=\.json)")
    assert varies.sub("", logged).partition("]")[0] == varies.sub("", line).partition("]")[0]


def test_every_code_of_a_finding_is_named() -> None:
    assert all(f"| `{code}` |" in TEXT for code in CODES)


def test_every_attribute_and_verb_of_the_fixture_and_every_setting_is_named() -> None:
    section = TEXT.partition("## In pytest")[2].partition("## Without pytest")[0]

    public = [name for name in vars(Control) if not name.startswith("_")]
    assert len(public) >= 10
    for name in (*public, "app", "api_key", *Settings.__dataclass_fields__):
        assert f"`{name}" in section


def test_the_curl_block_answers(default: ServeProcess, folder: Path) -> None:
    (block,) = (block for block in SHELL if "curl" in block and "/_mock" not in block)

    completion = json.loads(output(["bash", "-c", block], default, folder))

    assert json.loads(completion["choices"][0]["message"]["content"])["family_name"]


def test_the_calls_of_the_control_api_are_answered(default: ServeProcess, folder: Path) -> None:
    (block,) = (block for block in SHELL if "/_mock" in block)

    fixtures, faults, journal, reset = json_values(output(["bash", "-c", block], default, folder))

    assert len(fixtures["fixtures"]) == 1
    assert [fault["kind"] for fault in faults["faults"]] == ["hang", "error"]
    assert journal == {"requests": [], "total": 0, "dropped": 0}
    assert reset == {"status": "ok"}


def json_values(text: str) -> Iterator[Any]:
    """Yield the JSON values that follow each other in a text."""
    while text:
        value, end = json.JSONDecoder().raw_decode(text)
        text = text[end:].lstrip()
        yield value


def test_the_export_lines_are_what_serve_prints(default: ServeProcess) -> None:
    (shown,) = (content for info, content in BLOCKS if info == "text" and "export" in content)

    printed = "".join(line + "\n" for line in default.output.splitlines() if line.startswith("export"))

    assert re.sub(r":\d+/", ":8000/", printed) == shown


def test_the_log_line_is_what_serve_prints(default: ServeProcess, folder: Path) -> None:
    (shown,) = (content for info, content in BLOCKS if info == "text" and "tokens" in content and "fixture" in content)

    output([sys.executable, "-c", PYTHON[0]], default, folder)

    line = default.line(r"document\.invoice  jpeg")
    varies = re.compile(r"^[\d:]+|\d+ (?=kB|ms)")
    assert varies.sub("", line) == varies.sub("", shown.strip())


def test_the_lines_about_changed_fixtures_are_what_serve_prints(tmp_path: Path) -> None:
    (shown,) = (content for info, content in BLOCKS if info == "text" and "reloaded" in content)
    acme = '{"match": {"domain": "document.invoice"}, "answer": {"content": {"total_amount": %s}}}'
    fixtures = tmp_path / "fixtures"
    fixtures.mkdir()
    for number in range(10):
        (fixtures / f"{number}.json").write_text('{"answer": {"content": "text"}}', encoding="utf-8")
    (fixtures / "acme.json").write_text(acme % "11", encoding="utf-8")

    with serving(tmp_path / "served", "--fixtures", str(fixtures), "--watch") as process:
        (fixtures / "acme.json").write_text(acme % "12", encoding="utf-8")
        (fixtures / "retry.json").write_text('{"answer": {"content": "text"}}', encoding="utf-8")
        changed = process.line("fixtures reloaded")
        (fixtures / "acme.json").write_text(acme % '"12"', encoding="utf-8")
        broken = process.line("fixtures not reloaded")

    times = re.compile(r"^\d\d:\d\d:\d\d", re.MULTILINE)
    assert times.sub("", f"{changed}\n{broken}\n") == times.sub("", shown)


def test_the_fixtures_answer_as_they_say(strict: ServeProcess, folder: Path) -> None:
    def ask(**body: object) -> tuple[int, object]:
        answer = strict.http.post("/v1/openai/chat/completions", json=body)
        return answer.status_code, answer.json()

    url = data_url((folder / "fixtures/pictures/acme.jpg").read_bytes(), "image/jpeg")
    part = {"type": "image_url", "image_url": {"url": url}}
    status, acme = ask(messages=[{"content": [part]}], domain="document.invoice")
    retried = [ask(messages=[{"content": "please try again"}], domain="document.receipt") for _ in range(3)]

    assert status == 201
    assert '{"invoice_id":"INV-1","total_amount":12.5}' in str(acme)
    assert [status for status, _ in retried] == [429, 503, 201]
    assert "Corner Shop" in str(retried[2][1])


def test_the_install_and_test_commands_are_those_of_continuous_integration() -> None:
    script = (README.parent / ".ci/run").read_text(encoding="utf-8")
    coverage = (README.parent / "scripts/coverage").read_text(encoding="utf-8")

    (develop,) = (block for block in SHELL if "-e" in block)

    install, test = develop.strip().split(" && ")
    assert install.removeprefix("python -m pip install ") in script
    assert test.removeprefix("python ") in coverage


def test_every_link_leads_somewhere() -> None:
    anchors = {
        re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", TEXT, re.MULTILINE)
    }

    for target in re.findall(r"\]\(([^)]+)\)", TEXT):
        if target.startswith("#"):
            assert target[1:] in anchors
        elif not target.startswith("https://"):
            assert (README.parent / target).exists()
