"""The sources of answers: their order, and which of them a mock has."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from vlmrun_mock.api.errors import NoFixture
from vlmrun_mock.api.request import CallerSchema, ExtractionRequest
from vlmrun_mock.fixtures.bodies import FixtureBody
from vlmrun_mock.mock.mock import Mock
from vlmrun_mock.mock.settings import Settings
from vlmrun_mock.mock.sources import CallersSchema, Fixtures, PackagedAnswers, Upstream
from vlmrun_mock.recording.upstream import UpstreamRequest

ORIGINAL = UpstreamRequest(b"{}", (), "key")
STREAM = UpstreamRequest(b"{}", (), "key", unrecordable="a stream")
INVOICE = ExtractionRequest(domain="document.invoice")


def sources(settings: dict[str, Any], original: UpstreamRequest | None = None) -> list[type]:
    """Return the kinds of sources that a mock with some settings has."""
    mock = Mock(Settings(**settings))
    mock.register(mock.built(FixtureBody.model_validate({"answer": {"content": "registered"}})))
    return [type(each) for each in mock.sources(original)]


def test_a_mock_answers_from_fixtures_then_by_itself() -> None:
    assert sources({}) == [Fixtures, CallersSchema, PackagedAnswers]


def test_a_mock_without_fixtures_looks_for_none() -> None:
    found: list[type] = [type(each) for each in Mock().sources()]

    assert found == [CallersSchema, PackagedAnswers]


def test_a_strict_mock_answers_from_fixtures_alone() -> None:
    assert sources({"strict": True}) == [Fixtures]


@pytest.mark.parametrize("mode", ["new", "once", "all"])
def test_a_recorder_asks_the_upstream_for_what_no_fixture_answers(mode: str, tmp_path: Path) -> None:
    settings = {"record": mode, "fixtures": (tmp_path,)}

    assert sources(settings, ORIGINAL) == [Fixtures, Fixtures, Upstream]


def test_a_recorder_passes_on_what_it_cannot_record_without_looking_for_a_fixture(tmp_path: Path) -> None:
    assert sources({"record": "new", "fixtures": (tmp_path,)}, STREAM) == [Upstream]


def test_a_recorder_that_only_replays_has_no_upstream(tmp_path: Path) -> None:
    assert sources({"record": "none", "fixtures": (tmp_path,)}, ORIGINAL) == [Fixtures, Fixtures]


def test_the_callers_schema_is_asked_before_the_packaged_answer() -> None:
    schema = CallerSchema({"type": "object", "properties": {"a": {"const": 1}}, "required": ["a"]}, ())

    answer = asyncio.run(Mock().answer(ExtractionRequest(domain="document.invoice", schema=schema)))

    assert (answer.source, answer.text) == ("generated", '{"a":1}')


def test_a_source_that_has_no_answer_leaves_the_request_to_the_next() -> None:
    mock = Mock()
    first, *_, packaged = mock.sources()

    assert asyncio.run(first.answer(INVOICE)) is None
    found = asyncio.run(packaged.answer(INVOICE))
    assert found is not None
    assert found.fixture == "document.invoice/answer.json"


def test_what_no_source_answers_is_a_miss() -> None:
    with pytest.raises(NoFixture):
        asyncio.run(Mock(Settings(strict=True)).answer(INVOICE))
