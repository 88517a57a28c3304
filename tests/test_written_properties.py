"""Whatever a user writes is used, or refused in words: a fixture file, a call of the control API, a command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import click
import httpx
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from tests.test_properties import VALUES, VARIED
from vlmrun_mock import MockServer
from vlmrun_mock.cli import command as command_of
from vlmrun_mock.cli import main
from vlmrun_mock.fixtures import format as file_format
from vlmrun_mock.fixtures.errors import FixtureError
from vlmrun_mock.mock import fault_format
from vlmrun_mock.mock.options import OPTIONS
from vlmrun_mock.mock.options.option import Option


def one_of(*names: str) -> st.SearchStrategy[str]:
    """Return one of several names, or of the words in them."""
    return st.sampled_from(" ".join(names).split())


KEYS = one_of(
    "$schema description asked match answer answers domain documents text model metadata messages schema config",
    "generation parts contains equals content merge error usage latency_ms status completion took_ms message headers",
    "body identity kind size filename prompt_tokens role document",
)
NESTED = st.recursive(
    VALUES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
FIXTURES = st.fixed_dictionaries(
    {"answer": st.dictionaries(KEYS, NESTED, max_size=3)},
    optional={
        "match": st.dictionaries(KEYS, NESTED, max_size=4),
        "answers": NESTED,
        "description": NESTED,
        "$schema": NESTED,
    },
)
FAULTS = st.dictionaries(
    one_of("kind status message headers retry_after latency_ms domain times every share more"),
    VALUES | st.sampled_from(["error", "hang", "latency", "truncated", 429, 503, 0, 1, -1, 0.5, [1, 2], {"a": "b"}]),
    max_size=4,
)
# No command line and no variable can hold a null.
WORDS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12) | one_of(
    "0 -1 1e9 65536 64MiB 10/min 0/s status=503 kind=, none http:// ftp://a http://[::1 [::1] * . .. / ~ nan inf"
)
CALLS = st.sampled_from(["POST fixtures", "POST faults", "DELETE requests", "GET requests", "POST reset"])
QUERIES = st.dictionaries(one_of("id domain status source fault since until limit offset x"), WORDS, max_size=3)


@pytest.fixture(scope="module")
def apart() -> Iterator[httpx.Client]:
    """Return a client of a server that no other test uses."""
    with MockServer() as server, httpx.Client(base_url=server.url, headers={"X-Api-Key": "any"}, timeout=60) as http:
        yield http


@given(NESTED | FIXTURES)
@VARIED
def test_any_fixture_is_read_or_refused_with_its_name(value: Any) -> None:
    body, problem = None, ""
    try:
        body = file_format.parse(json.dumps(value).encode(), "it.json")
    except FixtureError as error:
        problem = str(error)

    assert body or problem.startswith("it.json: ")
    assert body is None or (body.answer is None) != (body.answers is None)


@given(st.binary(max_size=60))
@VARIED
def test_bytes_that_are_no_json_are_refused_with_their_name(raw: bytes) -> None:
    with pytest.raises(FixtureError, match=r"it\.json"):
        file_format.parse(raw, "it.json")


@given(FAULTS)
@VARIED
def test_any_fault_is_read_or_refused(value: dict[str, Any]) -> None:
    fault, problem = None, ""
    try:
        fault = fault_format.parse(value, "fault")
    except FixtureError as error:
        problem = str(error)

    assert fault or problem.startswith("fault")


@given(call=CALLS, value=NESTED | FIXTURES | FAULTS | st.lists(FIXTURES | FAULTS, max_size=3), query=QUERIES)
@VARIED
def test_any_call_of_the_control_api_is_done_or_refused(
    call: str, value: Any, query: dict[str, str], apart: httpx.Client
) -> None:
    method, _, path = call.partition(" ")

    answer = apart.request(method, f"/_mock/{path}", content=json.dumps(value), params=query)

    assert answer.status_code in (200, 201, 422)
    assert answer.status_code != 422 or {"type", "loc", "msg"} <= answer.json()["detail"][0].keys()


WITHOUT_VALUE = ("flag", "switch")
ARGUMENTS = {"record": ["--out", "out"], "check": ["."], "drift": ["."], "score": [".", "."]}
PAIRS = [(command, option) for option in OPTIONS for command in option.commands if option.kind not in WITHOUT_VALUE]


@pytest.mark.parametrize(("command", "option"), PAIRS, ids=[f"{command} {option.written}" for command, option in PAIRS])
@given(value=WORDS)
@VARIED
def test_any_value_of_an_option_is_taken_or_refused_in_a_sentence(command: str, option: Option, value: str) -> None:
    taken, problem = {}, ""
    try:
        taken = command_of(command).make_context(command, [*ARGUMENTS.get(command, ()), option.written, value]).params
    except click.UsageError as error:
        problem = error.format_message()

    assert option.name in taken or option.written in problem


@given(st.lists(WORDS, max_size=4))
@VARIED
def test_any_words_after_a_command_end_in_an_answer_or_in_a_sentence(words: list[str]) -> None:
    result = CliRunner().invoke(main, ["hash", *words])

    assert result.exit_code in (0, 1, 2)
    assert result.exception is None or isinstance(result.exception, SystemExit)
