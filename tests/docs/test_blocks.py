"""Each code block of the README and of docs/ runs and prints what it says, or is named with the reason why not."""

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
from markdown_it import MarkdownIt

from scripts.reference import ROOT, cli
from tests.docs.blocks import BLOCKS, PAGES
from tests.process import ServeProcess, environment, serving
from tests.real_api import real_api
from tests.serving import data_url, picture

PRINTING = {
    "first-request": "default",
    "first-miss": "strict",
    "miss": "strict",
    "schema": "default",
    "selection": "default",
    "vlmrun-client": "default",
    "native": "default",
    "mock-server": "default",
    "asgi": "default",
    "drill": "drill",
    "verdict": "default",
}
"""The blocks that run as they stand and print their `.output`, with the server that they ask."""

PASSING = ("first-test", "tests", "session", "documents-test")
"""The blocks of tests, which pass."""

RECORDING = ("record", "record-and-replay")
"""The blocks that record, check and replay, line by line."""

TESTED_BELOW = (
    "control",
    "curl",
    "data-sets",
    "documents",
    "documents-boxes",
    "documents-schema",
    "documents-score",
    "exports",
    "fixture-acme",
    "fixture-boxes",
    "fixture-retry",
    "log-line",
    "print",
    "recorded-line",
    "reloaded",
    "serve-faults",
)
"""The blocks that have a test of their own in this file."""

NOT_RUN = {
    "install": "pip asks the network; .ci/run installs",
    "check-in-ci": "a step of GitHub's workflows; its command line is checked below",
    "check-in-ci.output": "of fixtures with faults that tests/cli/test_check_command.py finds one by one",
    "drift": "asks the real API with a key; its command line is checked below",
    "drift.output": "of an API that has changed; tests/recording/test_drift.py finds each difference",
    "recording-test": "asks the real API with a key; tests/testing records with a stand-in",
}
"""The blocks that cannot run, and why."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder as the reader has it: a photo of an invoice, and the fixtures of the examples."""
    home = tmp_path_factory.mktemp("reader")
    (home / "invoice.jpg").write_bytes(picture(size=(1275, 1650), kind="JPEG"))
    (home / "fixtures" / "pictures").mkdir(parents=True)
    (home / "fixtures" / "pictures" / "acme.jpg").write_bytes(picture(1, kind="JPEG"))
    for name in ("acme", "retry"):
        (home / "fixtures" / f"{name}.json").write_text(BLOCKS[f"fixture-{name}"].content, encoding="utf-8")
    return home


@pytest.fixture(scope="module")
def default(folder: Path) -> Iterator[ServeProcess]:
    """Return the server that the README starts first."""
    with serving(folder / "default") as process:
        yield process


@pytest.fixture(scope="module")
def strict(folder: Path) -> Iterator[ServeProcess]:
    """Return the server of the sections on misses."""
    with serving(folder / "strict", "--strict", "--fixtures", str(folder / "fixtures")) as process:
        yield process


@pytest.fixture(scope="module")
def drill(folder: Path) -> Iterator[ServeProcess]:
    """Return the server of the page on failures, with the options that it shows."""
    with serving(folder / "drill", *shlex.split(BLOCKS["serve-faults"].content)[2:]) as process:
        yield process


def exported(process: ServeProcess) -> dict[str, str]:
    """Return the environment that the lines printed at start ask for."""
    return {**os.environ, **dict(re.findall(r"^export (\w+)=(\S+)$", process.output, re.MULTILINE))}


def output(command: list[str], process: ServeProcess, folder: Path) -> str:
    """Return what a command prints in the reader's folder, with the server's environment."""
    finished = subprocess.run(
        command, cwd=folder, env=exported(process), capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def test_every_block_has_an_id() -> None:
    fences = [
        token
        for page in PAGES
        for token in MarkdownIt().parse(page.read_text(encoding="utf-8"))
        if token.type == "fence"
    ]

    assert [fence.content for fence in fences] == [block.content for block in BLOCKS.values()]


def test_every_block_is_tested_or_named_with_a_reason() -> None:
    outputs = [f"{name}.output" for name in PRINTING]

    assert sorted(BLOCKS) == sorted([*PRINTING, *outputs, *PASSING, *RECORDING, *TESTED_BELOW, *NOT_RUN])


EACH = """
import contextlib, io, json, os, sys, traceback

def printed(code, changes):
    os.environ.update(changes)
    with contextlib.redirect_stdout(io.StringIO()) as written:
        try:
            exec(compile(code, "block", "exec"), {"__name__": "__main__"})
        except Exception:
            traceback.print_exc(file=written)
    return written.getvalue()

print(json.dumps({name: printed(*block) for name, block in json.load(sys.stdin).items()}))
"""
"""Runs blocks one after the other, each with an environment: to import the clients takes longer than a block.

One test runs them all, as tests in other processes would need three servers each.
"""


def test_the_blocks_print_their_outputs(
    folder: Path, default: ServeProcess, strict: ServeProcess, drill: ServeProcess
) -> None:
    servers = {"default": default, "strict": strict, "drill": drill}
    blocks = {name: (BLOCKS[name].content, exported(servers[server])) for name, server in PRINTING.items()}
    ended = subprocess.run(
        [sys.executable, "-c", EACH],
        cwd=folder,
        input=json.dumps(blocks),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )

    assert json.loads(ended.stdout) == {name: BLOCKS[f"{name}.output"].content for name in PRINTING}


def test_the_blocks_of_tests_pass(folder: Path) -> None:
    names = [f"test_block_{number}.py" for number, _ in enumerate(PASSING)]
    contents = [BLOCKS[name].content for name in PASSING]
    for name, content in zip(names, contents, strict=True):
        (folder / name).write_text(content, encoding="utf-8")
    plugin = () if entry_points(group="pytest11", name="vlmrun_mock") else ("-p", "vlmrun_mock.testing.pytest_plugin")
    command = [sys.executable, "-m", "pytest", "-q", *plugin, "-p", "no:cacheprovider", *names]

    ended = subprocess.run(
        command, cwd=folder, env=environment(), capture_output=True, text=True, encoding="utf-8", check=False
    )

    count = sum(content.count("def test_") for content in contents)
    assert re.search(rf"^{count} passed", ended.stdout, re.MULTILINE), ended.stdout


@pytest.mark.parametrize("name", RECORDING)
def test_a_block_on_recording_records_checks_and_replays(name: str, tmp_path: Path) -> None:
    record, export, _, check, replay = BLOCKS[name].content.splitlines()
    line = BLOCKS["recorded-line"].content
    body = {"messages": [{"content": "Extract the invoice."}], "domain": "document.invoice"}

    with real_api() as api:
        changes = {"VLMRUN_MOCK_UPSTREAM": api.url}
        options = shlex.split(record)[2:]
        with serving(tmp_path / "a", *options, command="record", changes=changes, within=tmp_path) as process:
            recorded = process.http.post("/v1/openai/chat/completions", json=body)
            logged = process.line("recorded")
            variables = re.findall(r"^export (\w+)=http://[^/]+(.*)$", process.output, re.MULTILINE)
    with serving(tmp_path / "b", *shlex.split(replay)[2:], within=tmp_path) as process:
        checked = output([sys.executable, "-m", "vlmrun_mock", *shlex.split(check)[1:]], process, tmp_path)
        replayed = process.http.post("/v1/openai/chat/completions", json=body)

    assert export == "export " + " ".join(f"{name}=http://127.0.0.1:8000{path}" for name, path in variables)
    assert recorded.json()["id"] == replayed.json()["id"]
    assert checked.startswith("1 fixture checked against vlmrun-hub ")
    varies = re.compile(r"^[\d:]+|document\.invoice  .*?  (?=upstream)|\d+(?=\+| tokens| ms)|-[0-9a-f]{10}(?=\.json)")
    assert varies.sub("", logged).partition("]")[0] == varies.sub("", line).partition("]")[0]


def test_the_curl_block_answers(default: ServeProcess, folder: Path) -> None:
    completion = json.loads(output(["bash", "-c", BLOCKS["curl"].content], default, folder))

    assert json.loads(completion["choices"][0]["message"]["content"])["family_name"]


def test_the_data_sets_are_written(default: ServeProcess, folder: Path) -> None:
    printed = output(["bash", "-c", BLOCKS["data-sets"].content], default, folder)

    invoices = [json.loads(line) for line in (folder / "invoices.jsonl").read_text(encoding="utf-8").splitlines()]
    receipts = json.loads((folder / "receipts.json").read_text(encoding="utf-8"))
    assert json.loads(printed) == invoices[3]
    assert (len(invoices), len(receipts)) == (20, 20)
    assert {each["merchant_address"]["country"] for each in receipts} == {"France"}


def test_the_documents_are_printed(default: ServeProcess, folder: Path) -> None:
    (folder / "delivery-note.json").write_text('{"type": "object", "properties": {"to": {"type": "string"}}}')

    printed = output(["bash", "-c", BLOCKS["documents"].content + BLOCKS["documents-schema"].content], default, folder)

    fixtures = sorted((folder / "documents").glob("*.json"))
    (folder / "stored").mkdir()
    for path in fixtures:
        (folder / "stored" / path.name).write_text(json.dumps(json.loads(path.read_bytes())["answer"]["content"]))
    scored = output(["bash", "-c", BLOCKS["documents-score"].content], default, folder)
    lease = json.loads(fixtures[-1].read_text(encoding="utf-8"))
    invoice = json.loads(fixtures[0].read_text(encoding="utf-8"))
    (box,) = json.loads(BLOCKS["documents-boxes"].content)["boxes"]["/total_amount"]
    assert [line.partition(" ")[0] for line in printed.splitlines()] == ["6", "1", "10"]
    assert len(fixtures) == 7
    assert lease["match"]["documents"][0].endswith("-1.png")
    assert scored.startswith("Score 1.0000: ")
    assert (folder / "score.xml").is_file()
    assert invoice["answer"]["boxes"]["/total_amount"][0].keys() == box.keys()


def test_the_documents_of_the_readme_are_printed(default: ServeProcess, folder: Path) -> None:
    printing, _ = BLOCKS["print"].content.splitlines()

    output(["bash", "-c", printing], default, folder)

    assert len(list((folder / "invoices").glob("*.pdf"))) == len(list((folder / "invoices").glob("*.json"))) == 3


def test_the_calls_of_the_control_api_are_answered(default: ServeProcess, folder: Path) -> None:
    printed = output(["bash", "-c", BLOCKS["control"].content], default, folder)

    fixtures, faults, journal, reset = json_values(printed)

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
    printed = "".join(line + "\n" for line in default.output.splitlines() if line.startswith("export"))

    assert re.sub(r":\d+/", ":8000/", printed) == BLOCKS["exports"].content


def test_the_log_line_is_what_serve_prints(default: ServeProcess, folder: Path) -> None:
    output([sys.executable, "-c", BLOCKS["first-request"].content], default, folder)

    line = default.line(r"document\.invoice  jpeg")
    varies = re.compile(r"^[\d:]+|\d+ (?=kB|ms)")
    assert varies.sub("", line) == varies.sub("", BLOCKS["log-line"].content.strip())


def test_the_fixture_with_boxes_answers_with_them(default: ServeProcess, folder: Path) -> None:
    boxes = json.loads(BLOCKS["fixture-boxes"].content)["answer"]["boxes"]
    url = data_url((folder / "fixtures/pictures/acme.jpg").read_bytes(), "image/jpeg")
    fixture = json.loads(BLOCKS["fixture-boxes"].content.replace("pictures/bill.jpg", url))
    key = {"Authorization": "Bearer boxes"}
    part = {"type": "image_url", "image_url": {"url": url}}
    asked = {"messages": [{"content": [part]}], "domain": "document.invoice", "vlmrun": {"config": {"grounding": True}}}

    default.http.post("/_mock/fixtures", json=fixture, headers=key)
    answer = default.http.post("/v1/openai/chat/completions", json=asked, headers=key).json()

    content = json.loads(answer["choices"][0]["message"]["content"])
    assert content["total_amount_metadata"]["bboxes"] == boxes["/total_amount"]


def test_the_lines_about_changed_fixtures_are_what_serve_prints(tmp_path: Path) -> None:
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
    assert times.sub("", f"{changed}\n{broken}\n") == times.sub("", BLOCKS["reloaded"].content)


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


@pytest.mark.parametrize("name", ["install", "check-in-ci", "drift", "print", "record", "serve-faults"])
def test_the_options_of_a_command_line_exist(name: str) -> None:
    for line in re.findall(r"vlmrun-mock (.*)", BLOCKS[name].content):
        command, *arguments = shlex.split(line)
        known = {option for parameter in cli.command(command).params for option in parameter.opts}
        assert {argument for argument in arguments if argument.startswith("--")} <= known


def test_the_install_and_test_commands_are_those_of_continuous_integration() -> None:
    script = (ROOT / ".ci/run").read_text(encoding="utf-8")
    coverage = (ROOT / "scripts/coverage").read_text(encoding="utf-8")
    contributing = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")

    install, test = re.findall(r"^(python -m pip .+?) && (python -m pytest)\b", contributing, re.MULTILINE)[0]
    assert install.removeprefix("python -m pip install ") in script
    assert test in script
    assert test.removeprefix("python ") in coverage
