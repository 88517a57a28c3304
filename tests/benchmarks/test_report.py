"""The table of a run, and its place in the documents."""

from __future__ import annotations

import pytest

from benchmarks.report import BEGIN, END, PAGE, figure, markdown, rewritten
from benchmarks.results import Result, Row, Run

RUN = Run(
    command="python -m benchmarks",
    date="2026-01-01",
    rounds=1,
    subject="mine",
    machine={"processor": "A", "cores": "2"},
    versions={"mine": "mine 1.0", "theirs": "theirs 2.0"},
    results=[
        Result(Row("text", "texts", "/s", more_is_better=True), {"mine": [6000.0], "theirs": [4000.0]}, {}),
        Result(Row("large", "a picture", "ms"), {"mine": [20.0]}, {"theirs": "answers 400"}),
        Result(Row("ready", "start", "ms"), {"theirs": [300.0]}, {"mine": "does not start"}),
    ],
)


def test_a_cell_has_the_ratio_first_and_then_the_figure() -> None:
    table = markdown(RUN).splitlines()

    assert table[0] == "| measured | mine | theirs |"
    assert table[2] == "| texts | 6,000/s | **1.50** (4,000/s) |"


def test_a_cell_without_a_figure_points_at_the_reason() -> None:
    lines = markdown(RUN).splitlines()

    assert lines[3] == "| a picture | 20.0 ms | none [1] |"
    assert "1. theirs: answers 400" in lines


def test_without_the_subjects_figure_the_others_stand_alone() -> None:
    assert "| start | none [2] | 300 ms |" in markdown(RUN).splitlines()


def test_the_report_names_command_machine_and_versions() -> None:
    report = markdown(RUN)

    assert "`python -m benchmarks`" in report
    assert "processor A, cores 2" in report
    assert "theirs (theirs 2.0)" in report


@pytest.mark.parametrize(
    ("value", "written"), [(4530.4, "4,530 ms"), (29.04, "29.0 ms"), (3.456, "3.46 ms"), (0.456, "0.46 ms")]
)
def test_a_figure_has_three_digits(value: float, written: str) -> None:
    assert figure(value, "ms") == written


def test_only_what_is_between_the_marks_is_rewritten() -> None:
    page = f"before\n{BEGIN}\nold\n{END}\nafter\n"

    assert rewritten(page, "new") == f"before\n{BEGIN}\n\nnew\n{END}\nafter\n"
    assert rewritten(rewritten(page, "old"), "new") == rewritten(page, "new")


def test_a_page_without_marks_is_left_alone() -> None:
    with pytest.raises(ValueError, match="lacks the marks"):
        rewritten("before\nafter\n", "new")


def test_the_page_of_the_documents_has_the_marks() -> None:
    page = PAGE.read_text(encoding="utf-8")

    assert page.count(BEGIN) == page.count(END) == 1
