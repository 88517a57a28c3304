"""`vlmrun-mock score` compares a folder of stored answers with the truth, for people, for tools and for CI."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner

from vlmrun_mock.cli import main

TRUTH = {"total": 12.5, "issued": "2023-01-31"}


def invoke(*arguments: str | Path) -> tuple[int, str]:
    """Run the command in this process; return its exit status and all that it prints."""
    result = CliRunner().invoke(main, ["score", *map(str, arguments)], catch_exceptions=False)
    return result.exit_code, result.output


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Return a folder of truths, a fixture among them, and one of answers: one right, one half right, one missing."""
    truth, answers = tmp_path / "truth", tmp_path / "answers"
    files: dict[Path, Any] = {
        truth / "a.json": {"match": {"documents": ["a.pdf"]}, "answer": {"content": TRUTH}},
        truth / "more/b.json": TRUTH,
        truth / "c.json": TRUTH,
        answers / "a.json": {"status": "completed", "response": {"total": "$12.50", "issued": "31.01.2023"}},
        answers / "more/b.json": {"total": 12.6, "issued": "2023-01-31", "id": 1},
    }
    for path, data in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(data), encoding="utf-8")
    return truth, answers


def test_it_prints_the_fields_that_are_read_worst_and_what_is_wrong(folders: tuple[Path, Path]) -> None:
    status, output = invoke(*folders)

    assert status == 0
    assert output.splitlines() == [
        "field   compared   right    of   score",
        "total   number         1     3  0.3333",
        "issued  date           2     3  0.6667",
        "",
        "more/b: total: 12.6 instead of 12.5 (0.00)",
        "c: there is no answer",
        "Score 0.5000: 3 of 6 fields in 3 documents are right.",
        "1 name in the answers, which the truth does not have, did not count.",
    ]


@pytest.mark.parametrize(("at_least", "status"), [("0.5", 0), ("0.51", 1), ("1", 1)])
def test_a_lower_score_than_the_wanted_one_is_a_failure(folders: tuple[Path, Path], at_least: str, status: int) -> None:
    ended, output = invoke(*folders, "--at-least", at_least)

    assert ended == status
    assert (f"less than {at_least}" in output) == bool(status)


def test_it_can_be_data(folders: tuple[Path, Path]) -> None:
    _, output = invoke(*folders, "--format", "json")

    data = json.loads(output)
    assert data["score"] == 0.5
    assert [(each["name"], each["answered"], each["score"]) for each in data["documents"]] == [
        ("a", True, 1.0),
        ("c", False, 0.0),
        ("more/b", True, 0.5),
    ]
    assert data["fields"][0]["field"] == "total"


def test_junit_has_a_case_a_document(folders: tuple[Path, Path], tmp_path: Path) -> None:
    invoke(*folders, "--junit", tmp_path / "report.xml", "--at-least", "0.9")

    suite = ET.parse(tmp_path / "report.xml").getroot()  # noqa: S314 - our own
    failures = {case.get("name"): case.find("failure") for case in suite.iter("testcase")}
    told = {name: failure.get("message") for name, failure in failures.items() if failure is not None}
    assert (suite.get("tests"), suite.get("failures")) == ("3", "2")
    assert told == {"c": "there is no answer", "more/b": "score 0.5000"}


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("answers/a.json", "{", "is not JSON"),
        ("truth/a.json", "[", "is not JSON"),
        ("truth/a.json", '{"match": {}, "answer": {"error": {"status": 500}}}', "whose answer has no content"),
    ],
)
def test_a_file_that_cannot_be_used_is_a_clear_end(
    folders: tuple[Path, Path], tmp_path: Path, name: str, text: str, reason: str
) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")

    status, output = invoke(*folders)

    assert status == 1
    assert name in output
    assert reason in output


def test_a_folder_without_truths_is_a_clear_end(tmp_path: Path) -> None:
    status, output = invoke(tmp_path, tmp_path)

    assert (status, "holds no .json file" in output) == (1, True)


def test_what_a_file_says_reaches_no_terminal_as_it_is(folders: tuple[Path, Path]) -> None:
    (folders[1] / "a.json").write_text(json.dumps({"total": "\x1b[31m9"}), encoding="utf-8")

    _, output = invoke(*folders)

    assert "\x1b" not in output
