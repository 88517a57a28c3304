"""How figures are compared, and how a run is kept."""

from __future__ import annotations

from benchmarks.results import Result, Row, Run


def result(*, more_is_better: bool) -> Result:
    row = Row("row", "a row", "/s", more_is_better=more_is_better)
    return Result(row, {"mine": [10, 30, 20], "theirs": [20, 20, 20]}, {"other": "answers 400"})


def test_a_ratio_is_the_median_of_the_rounds_ratios() -> None:
    assert result(more_is_better=True).ratio("mine", "theirs") == 1.0
    assert result(more_is_better=True).ratio("theirs", "mine") == 1.0
    assert result(more_is_better=True).median("mine") == 20


def test_above_one_is_ahead_whichever_way_is_better() -> None:
    row = Row("row", "a row", "ms")
    quick_and_slow = Result(row, {"quick": [10, 10], "slow": [40, 20]}, {})

    assert quick_and_slow.ratio("quick", "slow") == 3.0
    assert (
        Result(Row("row", "a row", "/s", more_is_better=True), quick_and_slow.figures, {}).ratio("slow", "quick") == 3.0
    )


def test_a_peer_without_figures_has_neither_median_nor_ratio() -> None:
    assert result(more_is_better=True).median("other") is None
    assert result(more_is_better=True).ratio("mine", "other") is None


def test_a_run_is_read_as_it_was_written() -> None:
    versions = {"mine": "mine 1", "theirs": "theirs 2", "other": "other 3"}
    run = Run("python -m benchmarks", "2026-01-01", 3, "mine", {"cores": "2"}, versions, [result(more_is_better=True)])

    assert Run.from_json(run.to_json()) == run
