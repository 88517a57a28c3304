"""What a terminal shows of a text that others wrote."""

from __future__ import annotations

import pytest

from vlmrun_mock.display import count, printable, shortened


@pytest.mark.parametrize(
    ("text", "most", "shown"),
    [
        ("plain", None, "plain"),
        ("a\x1b[31mb\n", None, "a�[31mb�"),
        ("abcdef", 3, "abc…"),
        ("abc", 3, "abc"),
        ("größe ✓", 60, "größe ✓"),
    ],
)
def test_a_text_of_others_is_short_and_without_controls(text: str, most: int | None, shown: str) -> None:
    assert printable(text, most) == shown


def test_a_text_is_cut_only_where_it_is_too_long() -> None:
    assert (shortened("abc\n", 4), shortened("abcde", 4), shortened("abcde", None)) == ("abc\n", "abcd…", "abcde")


def test_a_number_of_things_is_said_in_words() -> None:
    assert count(1, "fixture") == "1 fixture"
    assert count(0, "fixture") == "0 fixtures"
    assert count(1200, "fixture") == "1,200 fixtures"
    assert count(2, "entry", "entries") == "2 entries"
