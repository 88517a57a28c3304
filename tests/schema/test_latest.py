"""The latest values are kept as long as they weigh no more than they may together."""

from __future__ import annotations

from vlmrun_mock.schema.latest import Latest


def test_what_was_asked_for_last_is_kept() -> None:
    latest: Latest[int] = Latest(3)
    for number, text in enumerate("abc"):
        latest.put(text, number, 1)

    assert latest.get("a") == 0
    latest.put("d", 3, 1)

    assert [latest.get(text) for text in "abcd"] == [0, None, 2, 3]
    assert latest.weight == 3


def test_a_heavy_value_takes_the_place_of_several() -> None:
    latest: Latest[int] = Latest(10)
    for number in range(10):
        latest.put(str(number), number, 1)

    latest.put("heavy", 10, 7)

    assert [latest.get(str(number)) for number in range(10)] == [None] * 7 + [7, 8, 9]
    assert latest.get("heavy") == 10


def test_a_value_that_weighs_too_much_is_not_kept() -> None:
    latest: Latest[int] = Latest(10)
    latest.put("small", 1, 1)

    latest.put("large", 2, 11)

    assert latest.get("large") is None
    assert latest.weight == 0


def test_a_value_that_is_kept_again_weighs_once() -> None:
    latest: Latest[int] = Latest(10)

    for number in range(100):
        latest.put("same", number, 4)

    assert latest.get("same") == 99
    assert latest.weight == 4
