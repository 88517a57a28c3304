"""Texts are made for the patterns of JSON Schema, whatever of ECMAScript's syntax they use."""

from __future__ import annotations

from typing import Any

import pytest

from vlmrun_mock.schema.generate import generate
from vlmrun_mock.schema.validation import violations
from vlmrun_mock.seed import Seed

PATTERNS = [
    "abc",
    "^abc$",
    "^$",
    "^[A-Z]{2}\\d{4,}$",
    "^\\d+(\\.\\d{2})?$",
    "^(foo|bar|baz)-[0-9]$",
    "^[^0-9]+$",
    "^[^A-Za-z0-9]{2}$",
    "^[^\\w\\s]{2}$",
    "^\\S+@\\S+\\.\\S+$",
    "^\\D\\W\\s$",
    "^.{5}$",
    "^.*$",
    "^a?b*c+?d{2}e{1,3}?$",
    "^\\u0041\\u00e9\\x42$",
    "^\\u{1F600}$",
    "^\\t\\n$",
    "^\\cA$",
    "^\\/path\\/\\w+$",
    "^[\\w.+-]+$",
    "^[a\\-z]+$",
    "^[\\]\\\\]$",
    "^[\\u0041-\\u0044]{3}$",
    "^[+-]?[0-9]{3}$",
    "^\\p{L}+$",
    "^\\p{Lu}\\p{Ll}\\p{N}$",
    "^\\P{L}+$",
    "^[\\p{L} ]{4}$",
    "^\\p{Letter}$",
    "^\\p{Script=Greek}{3}$",
    "^(?:a|b)+$",
    "^(?<year>\\d{4})-(?<month>\\d{2})$",
    "^(a|b)\\1$",
    "^(?=.*\\d)(?=.*[a-z])(?=.*[A-Z]).{8,20}$",
    "^(?!INV)[A-Z]{3}$",
    "\\bword\\b",
    "^(a*)*$",
    "^((a{0,9}){0,9}){0,9}b$",
    "(^a|b$)",
    "^\\$\\{\\}$",
    "^[$.^*]{3}$",
    "(?i)^abc$",
    "^\\d{3}-\\d{2}-\\d{4}$",
    "^(\\([0-9]{3}\\))?[0-9]{3}-[0-9]{4}$",
    "^#([0-9a-f]{6}|[0-9a-f]{3})$",
    "^([01][0-9]|2[0-3]):[0-5][0-9]$",
    "^日本$",
    "^[a-z]{150}$",
    "^(ab|cd){250,}$",
    "^(?:x[0-9]{120,130}){2}$",
    "^(a{300}){20}$",
    "^(?:a|){101}b$",
]


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("number", range(3))
def test_a_text_matches_its_pattern(pattern: str, number: int) -> None:
    schema = {"type": "string", "pattern": pattern}

    value = generate(schema, seed=Seed(number))

    assert isinstance(value, str)
    assert violations(schema, value) == []


@pytest.mark.parametrize(
    ("pattern", "bounds"),
    [
        ("^[a-z]+$", {"minLength": 40, "maxLength": 42}),
        ("^[a-z]*$", {"maxLength": 1}),
        ("^[a-z]*$", {"maxLength": 0}),
        ("abc", {"minLength": 300, "maxLength": 300}),
        ("^abc", {"minLength": 20}),
        ("abc$", {"minLength": 20}),
        ("^[A-Z]{2}[0-9]*$", {"minLength": 1500}),
        ("^(ab)+$", {"minLength": 10, "maxLength": 12}),
        ("^\\w+ \\w+$", {"maxLength": 3}),
        (f"^{'(' * 40}a{'*)' * 40}$", {"minLength": 300}),
    ],
)
def test_a_text_keeps_the_length_beside_its_pattern(pattern: str, bounds: dict[str, int]) -> None:
    schema: dict[str, Any] = {"type": "string", "pattern": pattern, **bounds}

    value = generate(schema, seed=Seed(1))

    assert violations(schema, value) == []


def test_what_repeats_without_end_stays_short() -> None:
    value = generate({"type": "string", "pattern": "^[a-z]+$"}, seed=Seed(1))

    assert isinstance(value, str)
    assert len(value) <= 12


def test_a_believable_value_is_taken_where_the_pattern_allows_it() -> None:
    schema = {
        "properties": {
            "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
            "invoice_date": {"type": "string", "pattern": "^\\d{4}-\\d{2}-\\d{2}$"},
        }
    }

    value: Any = generate(schema, seed=Seed(1))

    assert value["currency"] == "USD"
    assert value["invoice_date"][:4] in {"2023", "2024", "2025"}


@pytest.mark.parametrize(("pattern", "text"), [(r"^a\s*b$", "ab"), (r"^a\s+b$", "a b"), (r"^a\sb$", "a b")])
def test_white_space_is_one_blank_where_it_must_be_and_none_where_it_may(pattern: str, text: str) -> None:
    assert generate({"type": "string", "pattern": pattern}, seed=Seed(1)) == text
