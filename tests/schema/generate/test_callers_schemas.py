"""A value is generated for each schema in tests/schemas, valid by two validators, and none for the unmeetable ones."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it ships no types
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlmrun_mock.schema.generate import generate
from vlmrun_mock.schema.references import SchemaProblem
from vlmrun_mock.schema.validation import violations
from vlmrun_mock.seed import Seed

TESTS = Path(__file__).parent.parent.parent
SCHEMAS = sorted((TESTS / "schemas").glob("*.json"))
UNMEETABLE = sorted((TESTS / "schemas" / "unmeetable").glob("*.json"))
DOMAINS = sorted((TESTS.parent / "fixtures").glob("*/schema.json"))
SEEDS = [Seed(0), Seed(1), Seed(2024)]
READ_BY_ONE = {"patterns_of_unicode_properties"}  # jsonschema reads patterns as Python does, which has no \p


def read(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))


def independent_errors(schema: dict[str, Any], value: object) -> list[str]:
    known = {keyword: part for keyword, part in schema.items() if keyword != "$schema" or "json-schema.org" in part}
    validator = jsonschema.validators.validator_for(known, default=jsonschema.Draft202012Validator)
    errors = validator(known, format_checker=validator.FORMAT_CHECKER).iter_errors(value)
    return [error.message for error in errors]


def leaves(value: Any) -> Iterator[Any]:
    children = list(value.values()) if isinstance(value, dict) else value
    if isinstance(children, list):
        for child in children:
            yield from leaves(child)
    else:
        yield value


def test_there_are_enough_schemas_to_trust_the_generator() -> None:
    assert len(SCHEMAS) >= 45
    assert len(UNMEETABLE) >= 25
    assert len(DOMAINS) >= 31


@pytest.mark.parametrize("seed", SEEDS, ids=str)
@pytest.mark.parametrize("file", SCHEMAS, ids=lambda file: file.stem)
def test_a_callers_schema_gets_a_valid_value(file: Path, seed: Seed) -> None:
    schema = read(file)

    value = generate(schema, seed=seed)

    assert violations(schema, value) == []
    assert file.stem in READ_BY_ONE or independent_errors(schema, value) == []


@pytest.mark.parametrize("file", SCHEMAS, ids=lambda file: file.stem)
def test_the_same_seed_and_facts_give_the_same_value(file: Path) -> None:
    schema = read(file)

    first = generate(schema, seed=Seed(5), facts=["one"])
    second = generate(read(file), seed=Seed(5), facts=["one"])

    assert json.dumps(first) == json.dumps(second)


@pytest.mark.parametrize("file", UNMEETABLE, ids=lambda file: file.stem)
def test_a_schema_nobody_can_meet_is_a_problem_that_names_its_place(file: Path) -> None:
    case = read(file)

    with pytest.raises(SchemaProblem) as caught:
        generate(case["schema"], seed=Seed(1))

    assert case["place"] is None or list(caught.value.place) == case["place"]
    assert caught.value.message


@pytest.mark.parametrize("file", DOMAINS, ids=lambda file: file.parent.name)
def test_a_domains_schema_gets_a_valid_value_with_few_nulls(file: Path) -> None:
    schema = read(file)

    value = generate(schema, seed=Seed(1))

    found = list(leaves(value))
    assert violations(schema, value) == []
    assert len(found) >= 1
    assert found.count(None) <= 0.05 * len(found)


@given(
    schema=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda children: st.lists(children) | st.dictionaries(st.text(), children),
        max_leaves=8,
    )
)
def test_any_json_value_as_a_schema_gives_a_value_or_a_problem(schema: Any) -> None:
    try:
        value = generate(schema, seed=Seed(1))
    except SchemaProblem as found:
        assert found.message  # noqa: PT017  # either outcome is right, nothing else is
    else:
        assert violations(schema, value) == []


subschemas = st.recursive(
    st.sampled_from([True, {"type": "string"}, {"type": "integer"}, {"enum": [1, "b", None]}, {"$ref": "#/$defs/r"}]),
    lambda children: st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(["object", "array", "string", "number", ["string", "null"]]),
            "properties": st.dictionaries(st.sampled_from(["a", "name", "total"]), children, max_size=2),
            "required": st.lists(st.sampled_from(["a", "name", "email"]), unique=True),
            "additionalProperties": children,
            "unevaluatedProperties": children,
            "patternProperties": st.dictionaries(st.sampled_from(["^a", "l$"]), children, max_size=1),
            "dependentSchemas": st.dictionaries(st.sampled_from(["a", "name"]), children, max_size=1),
            "anyOf": st.lists(children, min_size=1, max_size=3),
            "oneOf": st.lists(children, min_size=1, max_size=3),
            "allOf": st.lists(children, min_size=1, max_size=3),
            "not": children,
            "if": children,
            "then": children,
            "else": children,
            "items": children,
            "contains": children,
            "prefixItems": st.lists(children, min_size=1, max_size=2),
            "uniqueItems": st.booleans(),
            "minItems": st.integers(0, 4),
            "maxProperties": st.integers(0, 4),
            "minLength": st.integers(0, 9),
            "multipleOf": st.sampled_from([1, 0.01, 7]),
            "maximum": st.integers(-5, 50),
        },
    ),
    max_leaves=6,
)


@given(root=subschemas, referred=subschemas)
def test_any_mix_of_keywords_gives_a_valid_value_or_a_problem(root: Any, referred: Any) -> None:
    schema = {"allOf": [root], "$defs": {"r": referred}}

    try:
        value = generate(schema, seed=Seed(1))
    except SchemaProblem as found:
        assert found.message  # noqa: PT017  # either outcome is right, nothing else is
    else:
        assert independent_errors(schema, value) == []
