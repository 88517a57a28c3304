"""Schemas as people write them, in seven languages, and what a reader expects of each; the table is beside it."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from vlmrun_mock.schema.generate import generate
from vlmrun_mock.schema.validation import violations
from vlmrun_mock.seed import Seed

TABLE: list[dict[str, Any]] = json.loads((Path(__file__).parent / "peoples_schemas.json").read_text(encoding="utf-8"))
PATTERNS: Mapping[str, str] = {
    "DATE": r"20\d\d-\d\d-\d\d",
    "PHONE": r"\(\d{3}\) 555-01\d\d",
    "EMAIL": r"[\w.'-]+@[\w.-]+",
}
BY_ID = {row["of"]: row for row in TABLE}


@pytest.fixture(scope="module")
def seeds(request: pytest.FixtureRequest) -> range:
    return range(50 if request.config.getoption("--campaign") else 6)


def schema_of(short: Any) -> dict[str, Any]:
    """Return the JSON Schema of the table's short form: a type, a list of one item, an object, or `$` with keywords."""
    if isinstance(short, str):
        kinds = short.split("|")
        return {"type": kinds[0] if len(kinds) == 1 else kinds}
    if isinstance(short, list):
        return {"type": "array", "items": schema_of(short[0])}
    if "$" in short:
        keywords = {"description" if name == "d" else name: value for name, value in short.items() if name != "$"}
        return {"type": short["$"], **keywords}
    fields = {name: schema_of(inner) for name, inner in short.items()}
    return {"type": "object", "properties": fields, "required": list(fields)}


def at(answer: Any, path: str) -> Any:
    for name in path.split("."):
        answer = answer[name]
    return answer


def test_there_are_at_least_sixty() -> None:
    assert len(BY_ID) == len(TABLE) >= 60


@pytest.mark.parametrize("name", BY_ID)
def test_a_schema_gets_what_its_reader_expects(name: str, seeds: range) -> None:
    row = BY_ID[name]
    schema = schema_of(row["fields"])

    answers = [generate(schema, seed=Seed(seed)) for seed in seeds]

    for answer in answers:
        assert violations(schema, answer) == []
        for path, pattern in row.get("expect", {}).items():
            found = str(at(answer, path))
            assert re.fullmatch(PATTERNS.get(pattern, pattern), found), f"{path}: {found}"
        _check_sums(row, answer)


def _check_sums(row: Mapping[str, Any], answer: Any) -> None:
    """Assert the sums, the products and the orders that a row of the table names."""
    if "sum" in row:
        total, *parts = row["sum"]
        added = sum(-answer[part[1:]] if part.startswith("-") else answer[part] for part in parts)
        assert answer[total] == pytest.approx(added, abs=0.005)
    if "product" in row:
        total, one, other = row["product"]
        assert answer[total] == pytest.approx(answer[one] * answer[other], abs=0.005)
    if "lines" in row:
        total, lines, amount = row["lines"]
        assert answer[total] == pytest.approx(sum(line[amount] for line in answer[lines]), abs=0.005)
    if "order" in row:
        first, last = (at(answer, path) for path in row["order"])
        assert first < last
    if "age" in row:
        age, birth = (answer[name] for name in row["age"])
        assert abs(age - (2024 - dt.date.fromisoformat(birth).year)) <= 2
