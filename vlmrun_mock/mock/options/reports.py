"""Options of the commands that report: `check` and `score`."""

from __future__ import annotations

from collections.abc import Sequence

from vlmrun_mock.mock.options.option import Option

REPORTS: Sequence[Option] = (
    Option(
        "layout",
        "word",
        "text",
        "What is printed; github is shown as annotations by GitHub Actions.",
        words=("text", "json", "github"),
        commands=("check",),
        flag="format",
    ),
    Option("at_least", "share", 0.0, "Fail below this score, from 0 to 1.", commands=("score",)),
    Option("junit", "file", None, "Write a JUnit report to this file.", commands=("score",)),
    Option(
        "layout",
        "word",
        "text",
        "What is printed; json has all that is wrong, text the first of it.",
        words=("text", "json"),
        commands=("score",),
        flag="format",
        own_variable=True,
    ),
)
