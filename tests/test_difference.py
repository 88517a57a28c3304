"""How two values of what identifies a request differ is told in words and as data."""

from __future__ import annotations

from typing import Any

import pytest

from vlmrun_mock.difference import IN_ANOTHER_CASE, ORDINARY, PARTICULARS, same

HELLO = {"role": "user", "content": "Hello"}
SCHEMA = {"type": "object", "properties": {"total": {"type": "number"}, "parts": {"enum": [1, 2]}}}

EXPLAINED: list[tuple[str, Any, Any, list[tuple[str, str]]]] = [
    ("generation", "vlm-1", "orion", [("generation", "the generation is orion, not vlm-1")]),
    ("messages", [HELLO], [], [("messages", "the request has no messages, not 1")]),
    ("messages", [HELLO], [HELLO, HELLO], [("messages", "the request has 2 messages, not 1")]),
    (
        "messages",
        [HELLO],
        [{"role": "system", "content": ["a", "b"]}],
        [
            ("messages[0].role", "message 1 is from system, not user"),
            ("messages[0].content", 'message 1 says "[\\"a\\", \\"b\\"]", not "Hello"'),
        ],
    ),
    ("places", [1, 3], [2, 3], [("places[0]", "document 1 stands in message 2, not in message 1")]),
    ("places", [1], [1, 1], [("places", "the request has 2 documents, not 1")]),
    ("schema", SCHEMA, {}, [("schema", "the request has no schema of its own")]),
    ("schema", {}, SCHEMA, [("schema", "the request has a schema of its own, not none")]),
    (
        "schema",
        SCHEMA,
        {**SCHEMA, "properties": {**SCHEMA["properties"], "total": {"type": "string"}}},  # type: ignore[dict-item]  # a JSON value
        [("schema.properties.total.type", 'schema.properties.total.type is "string", not "number"')],
    ),
    (
        "schema",
        SCHEMA,
        {**SCHEMA, "properties": {**SCHEMA["properties"], "parts": {"enum": [1, 3]}}},  # type: ignore[dict-item]  # a JSON value
        [("schema.properties.parts.enum.1", "schema.properties.parts.enum.1 is 3, not 2")],
    ),
    ("schema", SCHEMA, {**SCHEMA, "title": "T"}, [("schema.title", 'schema.title is "T", and should not be given')]),
    (
        "config",
        {"grounding": True},
        {"prompt": "p"},
        [
            ("config.grounding", "config.grounding is not given, and should be true"),
            ("config.prompt", 'config.prompt is "p", and should not be given'),
        ],
    ),
    ("json_object", True, False, [("json_object", "the request does not ask for a JSON object")]),
    ("json_object", False, True, [("json_object", "the request asks for a JSON object")]),
]


@pytest.mark.parametrize(("part", "wanted", "actual", "expected"), EXPLAINED)
def test_a_difference_names_its_place_and_both_sides(
    part: str, wanted: Any, actual: Any, expected: list[tuple[str, str]]
) -> None:
    found = PARTICULARS[part](wanted, actual)

    assert [(each.part, each.message) for each in found] == expected
    assert all(each.as_json()["message"] == each.message for each in found)


def test_a_text_in_another_case_weighs_less() -> None:
    found = PARTICULARS["messages"]([HELLO], [{"role": "user", "content": "HELLO"}])

    assert [(each.message, each.weight) for each in found] == [
        ('message 1 says "HELLO" in another case', IN_ANOTHER_CASE)
    ]
    assert PARTICULARS["messages"]([HELLO], [{"role": "user", "content": "Hi"}])[0].weight == ORDINARY


@pytest.mark.parametrize(
    ("left", "right", "are_same"),
    [
        ({"a": 1, "b": [True]}, {"b": [True], "a": 1.0}, True),
        (1, True, False),
        (0, False, False),
        ([1, 2], [2, 1], False),
        ({"a": None}, {}, False),
        ([], {}, False),
    ],
)
def test_values_are_the_same_as_json(left: Any, right: Any, *, are_same: bool) -> None:
    assert same(left, right) is are_same
