"""Every documented difference from OpenAI is reproduced, named when it has an effect, and refused when asked to."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from tests.conftest import Serve
from tests.serving import CHAT, RunningMock, data_url, picture
from vlmrun_mock.api.quirks import QUIRKS

IGNORED = "x-vlmrun-mock-ignored"

DOCUMENTED: Mapping[str, tuple[Any, ...]] = {
    "logprobs": (True, 5, 1, 0),
    "top_logprobs": (1, 20),
    "logit_bias": ({"50256": -100},),
    "presence_penalty": (0.5, -2, 1e-9),
    "frequency_penalty": (0.1, -1),
    "n": (2, 0, 100),
    "stop": ("}", ["\n", "}"], ""),
    "stream": (True,),
}
"""What the documentation calls not supported, with values that ask for something."""

NEUTRAL: Mapping[str, tuple[Any, ...]] = {
    "logprobs": (None, False),
    "top_logprobs": (None, 0),
    "logit_bias": (None, {}),
    "presence_penalty": (None, 0, 0.0),
    "frequency_penalty": (None, 0, 0.0),
    "n": (None, 1),
    "stop": (None, []),
    "stream": (None, False),
    "max_tokens": (None, 100_000),
}
"""Values that ask for nothing."""


OURS: Mapping[str, tuple[Any, ...]] = {
    "tools": ([{"type": "function", "function": {"name": name}} for name in ("save", "send")],),
    "tool_choice": ("required", {"type": "function", "function": {"name": "save"}}),
    "parallel_tool_calls": (False,),
    "functions": ([{"name": "save"}, {"name": "send"}],),
    "function_call": ({"name": "save"},),
    "seed": (7, 0),
    "audio": ({"voice": "alloy", "format": "wav"},),
    "modalities": (["text", "audio"],),
    "prediction": ({"type": "content", "content": "x"},),
    "stream_options": ({"include_usage": True},),
    "store": (True,),
    "reasoning_effort": ("low",),
    "verbosity": ("high",),
    "service_tier": ("flex",),
    "web_search_options": ({},),
    "max_completion_tokens": (1, 0, "many"),
}
"""What the documentation does not name and the mock does not act on, with values that ask for something."""

OURS_NEUTRAL: Mapping[str, tuple[Any, ...]] = {
    **dict.fromkeys(OURS, (None,)),
    "tools": (None, []),
    "tool_choice": (None, "auto", "none"),
    "parallel_tool_calls": (None, True),
    "functions": (None, []),
    "function_call": (None, "auto", "none"),
    "modalities": (None, ["text"]),
    "stream_options": (None, {}, {"include_usage": False}),
    "store": (None, False),
    "verbosity": (None, "medium"),
    "service_tier": (None, "auto", "default"),
    "max_completion_tokens": (None, 100_000),
}
"""Values of these that ask for nothing."""


def pairs(table: Mapping[str, tuple[Any, ...]]) -> list[tuple[str, Any]]:
    """Return each parameter of a table with each of its values."""
    return [(parameter, value) for parameter, values in table.items() for value in values]


def invoice(served: RunningMock, **further: object) -> httpx.Response:
    """Ask for an invoice."""
    return served.chat(domain="document.invoice", **further)


def detailed(detail: object) -> list[dict[str, Any]]:
    """Return messages with a picture that asks for a level of detail."""
    url = {"url": data_url(picture()), "detail": detail}
    return [{"content": [{"type": "text", "text": "Extract"}, {"type": "image_url", "image_url": url}]}]


@pytest.fixture
def rejecting(serve: Serve) -> RunningMock:
    """Return a server that refuses what the API does not support."""
    return serve(unsupported="reject")


def test_the_table_has_every_documented_difference_with_its_effect() -> None:
    documented = [quirk for quirk in QUIRKS if quirk.source != "ours"]

    assert sorted(quirk.parameter for quirk in documented) == sorted(["max_tokens", "image_url.detail", *DOCUMENTED])
    assert [quirk.parameter for quirk in documented if quirk.supported] == ["max_tokens"]
    assert all(quirk.documented in ("not supported", "not respected") and quirk.effect for quirk in documented)


def test_the_rows_of_ours_are_never_refused() -> None:
    ours = [quirk for quirk in QUIRKS if quirk.source == "ours"]

    assert sorted(quirk.parameter for quirk in ours) == sorted(OURS)
    assert all(quirk.supported and quirk.documented == "not named" and quirk.effect for quirk in ours)


@pytest.mark.parametrize(("parameter", "value"), pairs(OURS))
def test_a_parameter_that_only_openai_names_is_named_and_let_through(
    parameter: str, value: object, rejecting: RunningMock
) -> None:
    answer = invoice(rejecting, **{parameter: value})

    (entry,) = rejecting.http.get("/_mock/requests").json()["requests"]
    assert answer.status_code == 201
    assert answer.headers[IGNORED] == parameter
    assert f"[ignored: {parameter}]" in rejecting.lines[-2]
    assert entry["ignored"] == [parameter]


@pytest.mark.parametrize(
    ("response_format", "remark"),
    [
        ({"type": "json_object", "json_schema": {"schema": {}}}, 'its type must be "json_schema"'),
        (
            {"type": "json_schema", "json_schema": {"schema": {"total": {"type": "number"}}}},
            'no keyword of JSON Schema (total): its fields belong below "properties"',
        ),
        ({"type": "json_schema", "schema": {"a": 1, "b": 2, "c": 3, "d": 4}}, "(a, b, c)"),
    ],
)
def test_the_log_remarks_on_a_schema_without_effect(
    response_format: dict[str, Any], remark: str, served: RunningMock
) -> None:
    answer = invoice(served, response_format=response_format)

    assert answer.status_code == 201
    assert remark in served.lines[-1]


@pytest.mark.parametrize(
    "response_format",
    [{"type": "json_object"}, {"type": "json_schema", "schema": {"description": "anything", "total": {}}}],
)
def test_the_log_is_silent_about_a_schema_with_a_keyword_and_about_none(
    response_format: dict[str, Any], served: RunningMock
) -> None:
    invoice(served, response_format=response_format)

    assert "response_format" not in served.lines[-1]
    assert "keyword" not in served.lines[-1]


@pytest.mark.parametrize(("parameter", "value"), pairs(DOCUMENTED))
def test_an_unsupported_parameter_changes_nothing_and_is_named(
    parameter: str, value: object, served: RunningMock
) -> None:
    plain = invoice(served)

    answer = invoice(served, **{parameter: value})

    assert answer.status_code == 201
    assert answer.content == plain.content
    assert answer.headers[IGNORED] == parameter
    assert f"[ignored: {parameter}]" in served.lines[-1]
    assert IGNORED not in plain.headers


@pytest.mark.parametrize(("parameter", "value"), pairs(NEUTRAL) + pairs(OURS_NEUTRAL))
def test_a_neutral_value_is_not_named(parameter: str, value: object, served: RunningMock) -> None:
    answer = invoice(served, **{parameter: value})

    assert answer.status_code == 201
    assert IGNORED not in answer.headers
    assert "ignored" not in served.lines[-1]


@pytest.mark.parametrize(("parameter", "value"), pairs(DOCUMENTED))
def test_rejecting_refuses_an_unsupported_parameter_by_its_name(
    parameter: str, value: object, rejecting: RunningMock
) -> None:
    answer = invoice(rejecting, **{parameter: value})

    error = answer.json()["error"]
    assert answer.status_code == 400
    assert (error["param"], error["code"], error["type"]) == (
        parameter,
        "unsupported_parameter",
        "invalid_request_error",
    )
    assert f"'{parameter}'" in error["message"]
    assert "--unsupported reject" in error["message"]
    assert answer.json()["detail"] == error["message"]


def test_rejecting_lets_every_neutral_value_pass(rejecting: RunningMock) -> None:
    answers = {pair: invoice(rejecting, **{pair[0]: pair[1]}).status_code for pair in map(_hashable, pairs(NEUTRAL))}

    assert set(answers.values()) == {201}
    assert len(answers) >= len(NEUTRAL)


def _hashable(pair: tuple[str, Any]) -> tuple[str, Any]:
    return pair[0], pair[1] if not isinstance(pair[1], list | dict) else None


@pytest.mark.parametrize("detail", ["low", "high", "anything", ""])
def test_the_detail_of_a_picture_changes_neither_output_nor_usage(detail: str, served: RunningMock) -> None:
    plain = invoice(served, messages=detailed("auto"))

    answer = invoice(served, messages=detailed(detail))

    assert answer.content == plain.content
    assert IGNORED not in plain.headers
    assert answer.headers.get(IGNORED) == ("image_url.detail" if detail else None)


def test_rejecting_refuses_a_level_of_detail_other_than_auto(rejecting: RunningMock) -> None:
    refused = invoice(rejecting, messages=detailed("high"))
    accepted = [invoice(rejecting, messages=detailed(detail)).status_code for detail in ("auto", None)]

    assert refused.status_code == 400
    assert refused.json()["error"]["param"] == "image_url.detail"
    assert accepted == [201, 201]


def test_a_detail_is_found_in_whichever_picture_and_message_it_stands(rejecting: RunningMock) -> None:
    messages = [{}, *detailed("auto"), {"content": "words"}, *detailed(None), *detailed("low")]

    answer = invoice(rejecting, messages=messages)

    assert answer.json()["error"]["param"] == "image_url.detail"


def test_max_tokens_is_named_from_exactly_the_token_that_exceeds_it(served: RunningMock) -> None:
    tokens = invoice(served).json()["usage"]["completion_tokens"]

    answers = {limit: invoice(served, max_tokens=limit) for limit in (tokens + 1, tokens, tokens - 1, 1, 0, -1)}

    named = {limit: answer.headers.get(IGNORED) for limit, answer in answers.items()}
    assert named == {
        tokens + 1: None,
        tokens: None,
        tokens - 1: "max_tokens",
        1: "max_tokens",
        0: "max_tokens",
        -1: "max_tokens",
    }
    assert {answer.content for answer in answers.values()} == {invoice(served).content}
    assert {answer.json()["choices"][0]["finish_reason"] for answer in answers.values()} == {"stop"}


def test_max_tokens_is_never_refused(rejecting: RunningMock) -> None:
    answers = [invoice(rejecting, max_tokens=limit) for limit in (1, 0, -1, 10**30, None)]

    assert [answer.status_code for answer in answers] == [201] * 5
    assert answers[0].headers[IGNORED] == "max_tokens"


def test_everything_at_once_is_named_in_one_header_and_one_line(serve: Serve) -> None:
    served = serve(tools="ignore")
    values = {parameter: values[0] for parameter, values in {**DOCUMENTED, **OURS}.items()}

    answer = invoice(served, messages=detailed("low"), max_tokens=1, **values)

    assert answer.status_code == 201
    assert answer.headers[IGNORED] == ", ".join(quirk.parameter for quirk in QUIRKS)
    assert served.lines[-1].count("ignored") == 1


def test_asking_for_several_choices_gets_one(served: RunningMock) -> None:
    assert len(invoice(served, n=5).json()["choices"]) == 1


def test_asking_for_log_probabilities_gets_null(served: RunningMock) -> None:
    assert invoice(served, logprobs=True, top_logprobs=3).json()["choices"][0]["logprobs"] is None


def test_a_stop_sequence_does_not_cut_the_output(served: RunningMock) -> None:
    content = invoice(served, stop=["invoice", "{", "}"]).json()["choices"][0]["message"]["content"]

    assert json.loads(content)["invoice_id"]


def test_a_streamed_request_gets_one_json_body_and_the_log_warns(served: RunningMock) -> None:
    answer = invoice(served, stream=True, stream_options={"include_usage": True})

    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["object"] == "chat.completion"
    assert "sees no chunk" in served.lines[-1]


def test_the_official_client_reads_a_refusal(rejecting: RunningMock) -> None:
    with rejecting.openai() as client, pytest.raises(openai.BadRequestError, match="'stop'") as caught:
        client.chat.completions.create(model="vlm-1", messages=[{"role": "user", "content": "x"}], stop=["."])

    assert caught.value.param == "stop"


def test_rejecting_also_holds_where_a_fixture_would_answer(
    serve: Serve, write: Callable[[str, str | bytes], Path]
) -> None:
    folder = write("fixtures/all.json", '{"answer": {"content": "anything"}}').parent
    served = serve(fixtures=(folder,), unsupported="reject")

    refused, answered = served.chat(n=2), served.chat()

    assert refused.status_code == 400
    assert answered.json()["choices"][0]["message"]["content"] == "anything"


def test_what_is_documented_elsewhere_is_no_quirk(rejecting: RunningMock) -> None:
    further = {"temperature": 0.2, "top_p": 0.5, "top_k": 4, "user": "me", "tools": [], "metadata": {}}

    answer = rejecting.http.post(CHAT, json={"messages": [{}], "domain": "document.invoice", **further})

    assert answer.status_code == 201
    assert IGNORED not in answer.headers
