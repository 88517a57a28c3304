"""Two JSON values: what is a difference of shape, and what only one of value."""

from __future__ import annotations

from typing import Any

import pytest

from vlmrun_mock.recording.json_diff import dotted, excerpt, shape_changes, value_changes

OF_SHAPE: dict[str, tuple[Any, Any, list[str]]] = {
    "a key that went": ({"a": 1, "b": 2}, {"a": 1}, ["it.b is missing"]),
    "a key that came": ({}, {"a": {}}, ["it.a is new: an object"]),
    "a key that came without a value": ({}, {"a": None}, ["it.a is new: null"]),
    "a number as text": ({"a": 1}, {"a": "1"}, ["it.a is a string, and was a number"]),
    "a truth as number": ({"a": True}, {"a": 1}, ["it.a is a number, and was a boolean"]),
    "a list as object": ({"a": []}, {"a": {}}, ["it.a is an object, and was a list"]),
    "far below": ({"a": [{"b": [[1]]}]}, {"a": [{"b": [["1"]]}]}, ["it.a[].b[][] is a string, and was a number"]),
    "one item of another type": ({"a": [1, 2]}, {"a": [1, "2"]}, ["it.a[] is a number or a string, and was a number"]),
    "a key that some items lost": (
        {"a": [{"b": 1}, {"b": 2}]},
        {"a": [{"b": 1}, {}, {}]},
        ["it.a[].b is missing in 2 of 3"],
    ),
    "a key that all items lost": ({"a": [{"b": 1}]}, {"a": [{}, {}]}, ["it.a[].b is missing"]),
    "a key that one item got": ({"a": [{}, {}]}, {"a": [{}, {"b": "x"}]}, ["it.a[].b is new: a string"]),
    "keys that need quotes": ({"a.b": {"": 1}}, {"a.b": {"": ""}}, ['it["a.b"][""] is a string, and was a number']),
    "a key to mislead a terminal": ({}, {"\x1b[31m\u2028": 1}, ['it["\\u001b[31m\\u2028"] is new: a number']),
}

OF_VALUE: dict[str, tuple[Any, Any, list[str]]] = {
    "another text": ({"a": "x"}, {"a": "y"}, ['it.a is "y", and was "x"']),
    "a fraction": ({"a": 1}, {"a": 1.5}, ["it.a is 1.5, and was 1"]),
    "a value where there was none": ({"a": None}, {"a": {"b": 1}}, ['it.a is {"b": 1}, and was null']),
    "no value where there was one": ({"a": [1]}, {"a": None}, ["it.a is null, and was [1]"]),
    "fewer items": ({"a": [1, 2]}, {"a": [1]}, ["the length of it.a is 1, and was 2"]),
    "the first items": ({"a": []}, {"a": [{"b": 1}]}, ["the length of it.a is 1, and was 0"]),
    "an item": ({"a": [{"b": 1}, {"b": 2}]}, {"a": [{"b": 1}, {"b": 3}]}, ["it.a[1].b is 3, and was 2"]),
    "types that change places": (
        {"a": [1, "x"]},
        {"a": ["x", 1]},
        ['it.a[0] is "x", and was 1', 'it.a[1] is 1, and was "x"'],
    ),
    "a key that only some items had": ({"a": [{"b": 1}, {}]}, {"a": [{}, {}]}, ["it.a[0].b is missing"]),
    "a long text": ({"a": "x" * 500}, {"a": ""}, [f'it.a is "", and was "{"x" * 99}…']),
}

EQUAL: dict[str, tuple[Any, Any]] = {
    "the same": ({"a": [1, {"b": None}]}, {"a": [1, {"b": None}]}),
    "another order of keys": ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    "a whole number with a point": ({"a": 1}, {"a": 1.0}),
}


def messages(recorded: Any, now: Any) -> tuple[list[str], list[str]]:
    """Return what is said of the shapes of two values, and what of their values."""
    shape = list(shape_changes([recorded], [now], ("it",)))
    values = value_changes(recorded, now, {change.place for change in shape}, ("it",))
    return [change.message for change in shape], [change.message for change in values]


@pytest.mark.parametrize("name", OF_SHAPE)
def test_keys_and_types_are_the_shape(name: str) -> None:
    recorded, now, expected = OF_SHAPE[name]

    shape, values = messages(recorded, now)

    assert shape == expected
    assert all("length" in message for message in values)


@pytest.mark.parametrize("name", OF_VALUE)
def test_everything_else_is_value(name: str) -> None:
    recorded, now, expected = OF_VALUE[name]

    assert messages(recorded, now) == ([], expected)


@pytest.mark.parametrize("name", EQUAL)
def test_what_is_equal_as_json_does_not_differ(name: str) -> None:
    assert messages(*EQUAL[name]) == ([], [])


def test_a_value_beside_a_lost_key_is_still_compared() -> None:
    recorded, now = {"a": [{"b": 1}, {"b": 2}]}, {"a": [{"b": 9}, {}]}

    assert messages(recorded, now) == (["it.a[].b is missing in 1 of 2"], ["it.a[0].b is 9, and was 1"])


def test_a_change_is_data_too() -> None:
    (change,) = shape_changes([{"a": [1]}], [{"a": ["x", {}]}])

    assert change.as_json() == {
        "place": "a[]",
        "recorded": "number",
        "now": "object or string",
        "message": "a[] is an object or a string, and was a number",
    }


def test_what_is_shown_is_short() -> None:
    assert len(dotted(("k" * 1_000, "-" * 1_000))) < 300
    assert len(excerpt(["x" * 1_000_000])) < 200
