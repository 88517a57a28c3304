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
from tests.serving import CHAT, Served, data_url, picture
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


def pairs(table: Mapping[str, tuple[Any, ...]]) -> list[tuple[str, Any]]:
    """Return each parameter of a table with each of its values."""
    return [(parameter, value) for parameter, values in table.items() for value in values]


def invoice(served: Served, **further: object) -> httpx.Response:
    """Ask for an invoice."""
    return served.chat(domain="document.invoice", **further)


def detailed(detail: object) -> list[dict[str, Any]]:
    """Return messages with a picture that asks for a level of detail."""
    url = {"url": data_url(picture()), "detail": detail}
    return [{"content": [{"type": "text", "text": "Extract"}, {"type": "image_url", "image_url": url}]}]


@pytest.fixture
def rejecting(serve: Serve) -> Served:
    """Return a server that refuses what the API does not support."""
    return serve(unsupported="reject")


def test_the_table_has_every_documented_difference_with_its_effect() -> None:
    parameters = [quirk.parameter for quirk in QUIRKS]

    assert sorted(parameters) == sorted(["max_tokens", "image_url.detail", *DOCUMENTED])
    assert [quirk.parameter for quirk in QUIRKS if quirk.supported] == ["max_tokens"]
    assert all(quirk.documented in ("not supported", "not respected") and quirk.effect for quirk in QUIRKS)


@pytest.mark.parametrize(("parameter", "value"), pairs(DOCUMENTED))
def test_an_unsupported_parameter_changes_nothing_and_is_named(parameter: str, value: object, served: Served) -> None:
    plain = invoice(served)

    answer = invoice(served, **{parameter: value})

    assert answer.status_code == 201
    assert answer.content == plain.content
    assert answer.headers[IGNORED] == parameter
    assert f"[ignored: {parameter}]" in served.lines[-1]
    assert IGNORED not in plain.headers


@pytest.mark.parametrize(("parameter", "value"), pairs(NEUTRAL))
def test_a_neutral_value_is_not_named(parameter: str, value: object, served: Served) -> None:
    answer = invoice(served, **{parameter: value})

    assert answer.status_code == 201
    assert IGNORED not in answer.headers
    assert "ignored" not in served.lines[-1]


@pytest.mark.parametrize(("parameter", "value"), pairs(DOCUMENTED))
def test_rejecting_refuses_an_unsupported_parameter_by_its_name(
    parameter: str, value: object, rejecting: Served
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


def test_rejecting_lets_every_neutral_value_pass(rejecting: Served) -> None:
    answers = {pair: invoice(rejecting, **{pair[0]: pair[1]}).status_code for pair in map(_hashable, pairs(NEUTRAL))}

    assert set(answers.values()) == {201}
    assert len(answers) >= len(NEUTRAL)


def _hashable(pair: tuple[str, Any]) -> tuple[str, Any]:
    return pair[0], pair[1] if not isinstance(pair[1], list | dict) else None


@pytest.mark.parametrize("detail", ["low", "high", "anything", ""])
def test_the_detail_of_a_picture_changes_neither_output_nor_usage(detail: str, served: Served) -> None:
    plain = invoice(served, messages=detailed("auto"))

    answer = invoice(served, messages=detailed(detail))

    assert answer.content == plain.content
    assert IGNORED not in plain.headers
    assert answer.headers.get(IGNORED) == ("image_url.detail" if detail else None)


def test_rejecting_refuses_a_level_of_detail_other_than_auto(rejecting: Served) -> None:
    refused = invoice(rejecting, messages=detailed("high"))
    accepted = [invoice(rejecting, messages=detailed(detail)).status_code for detail in ("auto", None)]

    assert refused.status_code == 400
    assert refused.json()["error"]["param"] == "image_url.detail"
    assert accepted == [201, 201]


def test_a_detail_is_found_in_whichever_picture_and_message_it_stands(rejecting: Served) -> None:
    messages = [{}, *detailed("auto"), {"content": "words"}, *detailed(None), *detailed("low")]

    answer = invoice(rejecting, messages=messages)

    assert answer.json()["error"]["param"] == "image_url.detail"


def test_max_tokens_is_named_from_exactly_the_token_that_exceeds_it(served: Served) -> None:
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


def test_max_tokens_is_never_refused(rejecting: Served) -> None:
    answers = [invoice(rejecting, max_tokens=limit) for limit in (1, 0, -1, 10**30, None)]

    assert [answer.status_code for answer in answers] == [201] * 5
    assert answers[0].headers[IGNORED] == "max_tokens"


def test_everything_at_once_is_named_in_one_header_and_one_line(served: Served) -> None:
    values = {parameter: values[0] for parameter, values in DOCUMENTED.items()}

    answer = invoice(served, messages=detailed("low"), max_tokens=1, **values)

    assert answer.status_code == 201
    assert answer.headers[IGNORED] == ", ".join(quirk.parameter for quirk in QUIRKS)
    assert served.lines[-1].count("ignored") == 1


def test_asking_for_several_choices_gets_one(served: Served) -> None:
    assert len(invoice(served, n=5).json()["choices"]) == 1


def test_asking_for_log_probabilities_gets_null(served: Served) -> None:
    assert invoice(served, logprobs=True, top_logprobs=3).json()["choices"][0]["logprobs"] is None


def test_a_stop_sequence_does_not_cut_the_output(served: Served) -> None:
    content = invoice(served, stop=["invoice", "{", "}"]).json()["choices"][0]["message"]["content"]

    assert json.loads(content)["invoice_id"]


def test_a_streamed_request_gets_one_json_body_and_the_log_warns(served: Served) -> None:
    answer = invoice(served, stream=True, stream_options={"include_usage": True})

    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["object"] == "chat.completion"
    assert "sees no chunk" in served.lines[-1]


def test_the_official_client_reads_a_refusal(rejecting: Served) -> None:
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


def test_what_is_documented_elsewhere_is_no_quirk(rejecting: Served) -> None:
    further = {"temperature": 0.2, "top_p": 0.5, "top_k": 4, "seed": 7, "user": "me", "tools": [], "metadata": {}}

    answer = rejecting.http.post(CHAT, json={"messages": [{}], "domain": "document.invoice", **further})

    assert answer.status_code == 201
    assert IGNORED not in answer.headers
