"""What it takes to compile a pattern is known beforehand, and bounds what is compiled and what is kept."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest

from tests.effort import calls
from vlmrun_mock.schema import generate, pattern_effort
from vlmrun_mock.schema.generate.budget import MOST_EFFORT
from vlmrun_mock.schema.pattern_effort import CLASS_EFFORT, MATCHERS, MOST_KEPT, effort, is_long, late
from vlmrun_mock.schema.validation import KEPT, load
from vlmrun_mock.schema.validation import MOST_KEPT as MOST_SCHEMAS
from vlmrun_mock.schema.violation import LONGEST_MESSAGE
from vlmrun_mock.seed import Seed

WIDE, NARROW, LEAST = 1 / 40, 1 / 800, 1 / 40

EFFORTS: dict[str, float] = {
    "": 0,
    "^$": 0,
    "abc": 3 * NARROW,
    r"^\d\.\[$": 3 * NARROW,
    "[a-z]{30}": 30 * NARROW,
    "[a-z]{1,30}": 30 * NARROW,
    "[a-z]{30,}": 30 * NARROW,
    "[a-z]*x+y?": 3 * NARROW,
    r"\p{L}": 1,
    r"\PN{4}": 4,
    r"[\p{L}\p{N} ]{10}": 20,
    r"\\p{L}": 5 * NARROW,
    ".{100}": 100 * WIDE,
    "[^a]{100}": 100 * WIDE,
    r"\S\D\W": 3 * WIDE,
    r"[\S]": WIDE,
    r"[.\]x]{2}": 2 * NARROW,
    "[é]": WIDE,
    r"[\u00e0-\uffff]": WIDE,
    "(.{10}){10}": 100 * WIDE,
    "((.{2}a){3}b){4}": 24 * WIDE + 12 * NARROW + 4 * NARROW,
    "(?:a|b){5}": 5 * 2 * NARROW + 5 * NARROW,
    "(a": NARROW,
    "a)": NARROW,
    "{3}": 0,
}


@pytest.mark.parametrize(("pattern", "expected"), EFFORTS.items(), ids=EFFORTS)
def test_a_part_counts_as_often_as_it_is_repeated(pattern: str, expected: float) -> None:
    assert effort(pattern) == pytest.approx(LEAST + expected)


def form(*patterns: str) -> dict[str, Any]:
    """Return a schema of an object with a property for each pattern."""
    return {"type": "object", "properties": {f"p{number}": {"pattern": each} for number, each in enumerate(patterns)}}


COSTLY = [f"^.{{900}}{number}$" for number in range(300)]


@pytest.mark.parametrize(
    "patterns", [COSTLY, [f"^\\p{{L}}{{90}}{number}$" for number in range(100)]], ids=["any letter", "classes"]
)
def test_of_many_costly_patterns_as_many_are_compiled_as_may_be(patterns: list[str]) -> None:
    schema = form(*patterns)

    answer = generate.generate(schema, seed=Seed(0))

    assert isinstance(answer, dict)
    assert 1 < len(answer) < 100
    assert sum(effort(schema["properties"][name]["pattern"]) for name in answer) * CLASS_EFFORT < 2 * MOST_EFFORT
    assert load(schema).violations(answer) == []


def test_no_costly_pattern_is_compiled_before_a_text_has_to_match_it() -> None:
    loaded = calls(lambda: load(form(*(f"{each}loaded" for each in COSTLY))), of=pattern_effort._matcher)

    assert loaded == 0


def test_patterns_that_are_compiled_late_say_what_they_said() -> None:
    late_form = load(form(*COSTLY))

    for text in ("x" * 900 + "7", "x" * 900 + "8", "x"):
        alone = jsonschema_rs.Draft202012Validator(form(*COSTLY[:10]))
        assert [each.message for each in late_form.violations({"p7": text})] == [
            error.message[:LONGEST_MESSAGE] for error in alone.iter_errors({"p7": text})
        ]


@pytest.mark.parametrize("wrong", ["(", "a{3,1}", "[a", r"\p{Nothing}", "a{2}{"])
def test_a_wrong_pattern_among_costly_ones_is_wrong_from_the_start(wrong: str) -> None:
    alone = pytest.raises(ValueError, match="is not a")
    with alone:
        jsonschema_rs.Draft202012Validator({"pattern": wrong})

    assert late([*COSTLY, wrong]) is None
    assert late(COSTLY) is not None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r'{"pattern": "^\\p{L}$"}', True),
        ('{"pattern": ".{20}"}', True),
        (r'{"pattern": "\"[a-z]{99}"}', False),
        ('{"allOf": [{"pattern": "a"}, {"pattern": ".{900}"}]}', True),
        ('{"const": ".{900}"}', False),
    ],
)
def test_the_text_of_a_schema_tells_whether_a_pattern_takes_long(text: str, expected: object) -> None:
    assert is_long(text) is expected


def test_what_is_kept_of_many_schemas_is_bounded() -> None:
    for number in range(40):
        generate.generate(form(*(f"^.{{80{each}}}{number}$" for each in range(6))), seed=Seed(0))
        generate.generate(form(*(f"^\\p{{L}}{{9{each}}}{number}$" for each in range(3))), seed=Seed(0))

    assert MATCHERS.weight <= MOST_KEPT
    assert KEPT.weight <= MOST_SCHEMAS
