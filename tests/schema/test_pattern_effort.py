"""What it takes to compile a pattern is known beforehand, and bounds what is compiled and what is kept."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.effort import calls
from vlmrun_mock.schema import generate, pattern_effort
from vlmrun_mock.schema.generate.budget import MOST_EFFORT
from vlmrun_mock.schema.generate.node import MOST_VALIDATORS, VALIDATORS
from vlmrun_mock.schema.pattern_effort import (
    BETWEEN,
    BLANK,
    CLASS_EFFORT,
    LATE,
    LEAST,
    MATCHERS,
    MEMBER,
    MOST,
    MOST_AT_LOAD,
    MOST_KEPT,
    NARROW,
    TOKEN,
    WIDE,
    compiled,
    effort,
    in_json,
)
from vlmrun_mock.schema.references import SchemaProblem
from vlmrun_mock.schema.validation import KEPT, MOST_SCHEMAS, NamePatterns, load
from vlmrun_mock.schema.violation import LONGEST_MESSAGE
from vlmrun_mock.seed import Seed

GROUP = BETWEEN
DIGITS = "9" * 308
IN_A_COMMENT = f"(?x)^z$#a{{{DIGITS}}}{{{DIGITS}}}{{0}}"
EFFORTS: dict[str, float] = {
    "": 0,
    "^$": 2 * BETWEEN,
    "abc": 3 * NARROW,
    r"\d\.\[": 3 * NARROW,
    "[a-z]{30}": 30 * NARROW,
    "[a-z]{1,30}": 30 * NARROW,
    "[a-z]{30,}": 30 * NARROW,
    "[a-z]{ 1 , 30 }": 30 * NARROW,
    "[a-z]*x+y?": 3 * NARROW,
    r"\p{L}": 1,
    r"\PN{4}": 4,
    r"[\p{L}\p{N} ]{10}": 20,
    r"\\p{L}": 5 * NARROW,
    ".{100}": 100 * WIDE,
    ".{100}{0}": 100 * WIDE,
    ".{100}^{0}": 100 * WIDE + BETWEEN,
    "[^a]{100}": 100 * WIDE,
    r"\S\D\W": 3 * WIDE,
    r"\s{10}": 10 * BLANK,
    r"[\s,]{10}": 10 * BLANK,
    r"[\S]": WIDE,
    r"[.\]x]{2}": 2 * NARROW,
    "[éß]{3}": 3 * (WIDE + 2 * MEMBER),
    r"[\u00e0-\uffff]": WIDE + 2 * MEMBER,
    r"[\x{80}-\x{10ffff}]{3}": 3 * (WIDE + 2 * MEMBER),
    "(.{10}){10}": 10 * (GROUP + 10 * WIDE),
    "((.{2}a){3}b){4}": 4 * (GROUP + 3 * (GROUP + 2 * WIDE + NARROW) + NARROW),
    "(a": GROUP + NARROW,
    "a)": NARROW,
    "{3}": 0,
    "[a": NARROW,
    r"\p{L": 1,
}


@pytest.mark.parametrize(("pattern", "expected"), EFFORTS.items(), ids=EFFORTS)
def test_a_part_counts_as_often_as_it_is_repeated(pattern: str, expected: float) -> None:
    assert effort(pattern) == pytest.approx(LEAST + expected)


@given(st.text(st.sampled_from("a.^$|()[]{}\\*+?,0123456789pLsSé#-i "), max_size=60))
def test_every_text_takes_something(text: str) -> None:
    assert LEAST <= effort(text) <= MOST


@pytest.mark.parametrize(
    "pattern",
    ["a{" + "1" * 400 + "}", IN_A_COMMENT, "." * 5_001, "(.{999}){999}{999}{999}"],
    ids=["a long count", "counts in a comment", "long", "counts of counts"],
)
def test_what_cannot_be_counted_takes_too_much(pattern: str) -> None:
    assert MOST_AT_LOAD < effort(pattern) <= MOST


@pytest.mark.parametrize("text", ["[", "[[", r"\p{", "(", "{1", r"[\p{"], ids=repr)
def test_a_long_pattern_without_an_end_is_looked_at_once(text: str) -> None:
    short, long = (text * (size // len(text)) for size in (2_000, 4_000))

    assert steps_of(long) < 3 * max(steps_of(short), 10)


def steps_of(pattern: str) -> int:
    """Return how many parts are found in a pattern, and the letters in them: what looking at it takes."""
    return sum(1 + len(token[0]) for token in TOKEN.finditer(pattern))


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


def early(*patterns: str) -> float:
    """Return what is compiled when a schema with these patterns is loaded."""
    return compiled({pattern: (pattern,) for pattern in patterns}, {})[1]


@pytest.mark.parametrize("wrong", ["(", "a{3,1}", "[a", r"\p{Nothing}", "a{2}{", "(?=a"])
def test_a_wrong_pattern_among_costly_ones_is_wrong_from_the_start(wrong: str) -> None:
    with pytest.raises(ValueError, match="is not a"):
        jsonschema_rs.Draft202012Validator({"pattern": wrong})

    with pytest.raises(SchemaProblem):
        load(form(*COSTLY[:20], wrong))


def test_few_patterns_are_compiled_at_once_and_many_late() -> None:
    assert compiled({COSTLY[0]: ()}, {})[0] is None
    assert compiled(dict.fromkeys(COSTLY, ()), {})[0] is LATE
    assert early(*COSTLY) < 20
    assert early(*COSTLY, "^.{0,6000}$") < 200


@pytest.mark.parametrize(
    "patterns",
    [
        [f"^.{{0,{4090 + each}}}$" for each in range(5)],
        [*(f"^.{{1,{200 + each}}}$" for each in range(60)), "^.{1,4001}$"],
        [r"^[\s\S]{1,10000}$", r"^[\s\S]{1,9999}$"],
        [f"^[\\p{{L}} ]{{1,{100 + each}}}$" for each in range(10)],
    ],
    ids=["texts of thousands", "short texts and a long one", "any text", "names"],
)
def test_usual_patterns_are_answered(patterns: list[str]) -> None:
    schema = form(*patterns)

    answer = generate.generate(schema, seed=Seed(0))

    assert isinstance(answer, dict)
    assert len(answer) > 1
    assert load(schema).violations(answer) == []


@pytest.mark.parametrize(
    "schema",
    [
        {"patternProperties": {f"\\s{{1000}}{each}": {} for each in range(300)}},
        {"patternProperties": {"[" * 60_000: {}}},
        {"$ref": "#/x/y", "x": {"y": {"patternProperties": {f".{{7000}}{each}": {} for each in range(30)}}}},
        {"$ref": "#/x/y", "x": {"y": form(*(f".{{7000}}{each}" for each in range(30)))}},
        form(*(f"(?x).{{ 3000 }}{each}" for each in range(200)), "(?x).{ 9000 }1", "(?x).{ 9000 }2", "(?x).{ 9000 }3"),
        form(*(r"\s" * (1_500 + each) for each in range(60))),
        form("a{" + "1" * 400 + "}"),
        {"patternProperties": {IN_A_COMMENT: {}}},
    ],
    ids=[
        "blanks",
        "no end",
        "names behind a reference",
        "behind a reference",
        "blanks in braces",
        "written out",
        "a long count",
        "counts in a comment",
    ],
)
def test_patterns_that_take_too_long_are_refused_wherever_they_stand(schema: dict[str, Any]) -> None:
    with pytest.raises(SchemaProblem, match="to compile"):
        load(schema)


@pytest.mark.parametrize(
    ("schema", "name"),
    [
        ({"patternProperties": {"": {"type": "integer"}}, "required": ["a"]}, "a"),
        ({"patternProperties": {"2024": {"type": "integer"}}, "required": ["y2024"]}, "y2024"),
        ({"patternProperties": {"1": {"type": "integer"}}, "required": ["a1"], "additionalProperties": False}, "a1"),
        ({"patternProperties": {"^a": {"type": "integer"}, "b$": {"minimum": 7}}, "required": ["ab"]}, "ab"),
    ],
    ids=["the empty pattern", "digits", "a digit", "two that match"],
)
def test_a_name_has_the_schemas_of_the_patterns_that_match_it(schema: dict[str, Any], name: str) -> None:
    answer = generate.generate({"type": "object", **schema}, seed=Seed(0))

    assert isinstance(answer, dict)
    assert isinstance(answer[name], int)
    assert load({"type": "object", **schema}).violations(answer) == []


def test_names_are_compiled_once_for_all_that_is_looked_up() -> None:
    tables: list[dict[str, Any]] = [
        {"patternProperties": {f"^[^a]{{9}}{table}{each}$": {} for each in range(7)}} for table in range(20)
    ]
    schema = {"type": "object", "allOf": tables, **form(*("a",) * 40)}

    assert calls(lambda: generate.generate(schema, seed=Seed(0)), of=NamePatterns.__init__) == len(tables)


def test_a_wrong_pattern_in_what_is_no_keyword_of_a_draft_is_no_defect() -> None:
    schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "properties": {"a": {"type": "string"}},
        "dependentSchemas": {"a": {"type": "object", "patternProperties": {"(": {}}}},
    }

    assert load(schema).violations(generate.generate(schema, seed=Seed(0))) == []


@pytest.mark.parametrize(
    ("text", "keywords", "takes"),
    [
        (r'{"pattern": "^\\p{L}$"}', LATE, 0),
        ('{"pattern": ".{20}"}', LATE, 0),
        (r'{"pattern": "\"[a-z]{99}"}', None, LEAST + 100 * NARROW),
        ('{"allOf": [{"pattern": "a"}, {"pattern": "b"}]}', None, 2 * (LEAST + NARROW)),
        ('{"const": ".{900}"}', None, 0),
    ],
)
def test_the_text_of_a_schema_tells_what_its_patterns_take(text: str, keywords: object, takes: float) -> None:
    found = in_json(text)

    assert found[0] is keywords
    assert found[1] == pytest.approx(takes)


def test_equal_requests_with_many_patterns_compile_them_once() -> None:
    schema = form(*(f"^.{{1,{300 + each}}}$" for each in range(40)))
    generate.generate(schema, seed=Seed(0))
    before = dict(MATCHERS.values)

    generate.generate(schema, seed=Seed(0))

    assert before
    assert all(MATCHERS.values[pattern] is kept for pattern, kept in before.items())


def test_what_is_kept_of_many_schemas_is_bounded() -> None:
    for number in range(40):
        generate.generate(form(*(f"^.{{80{each}}}{number}$" for each in range(6))), seed=Seed(0))
        generate.generate(form(*(f"^\\p{{L}}{{9{each}}}{number}$" for each in range(3))), seed=Seed(0))

    for number in range(200):
        not_met = {"allOf": [{"pattern": f"^\\s{{30}}{number}-{each}$"} for each in range(20)]}
        generate.generate({"type": "string", "not": not_met}, seed=Seed(0))

    assert MATCHERS.weight <= MOST_KEPT
    assert VALIDATORS.weight <= MOST_VALIDATORS
    assert KEPT.weight <= MOST_SCHEMAS
