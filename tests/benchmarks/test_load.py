"""What counts as a figure."""

from __future__ import annotations

import pytest

from benchmarks.load import measured
from benchmarks.server import Unmeasured

COUNTED = {"requests": 3000, "microseconds": 1_500_000, "p99": 4200, "refused": 0, "broken": 0}


def test_figures_are_requests_a_second_and_milliseconds() -> None:
    figures = measured(COUNTED)

    assert figures.per_second == 2000
    assert figures.p99_milliseconds == 4.2


@pytest.mark.parametrize(
    ("counted", "reason"),
    [
        ({"refused": 1}, "refuses 1 of 3,000 requests"),
        ({"broken": 2}, "breaks 2 connections"),
        ({"requests": 0}, "answers nothing in time"),
    ],
)
def test_one_answer_that_is_no_success_leaves_no_figure(counted: dict[str, int], reason: str) -> None:
    with pytest.raises(Unmeasured, match=reason):
        measured(COUNTED | counted)
