"""What a fixture answers reaches the client as it was written: content, patch, error, figures and pauses."""

from __future__ import annotations

import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.conftest import Put, Serve
from tests.in_process import INVOICE, SCHEMA, answer_to, asked, strict
from tests.serving import RunningMock, begun, content, source, text
from vlmrun_mock.mock.mock import Mock
from vlmrun_mock.mock.settings import Settings


def test_content_is_sent_as_compact_json_and_a_text_verbatim(put: Put, serve: Serve) -> None:
    put("object.json", {"content": {"b": [1.5, None], "a": "é"}}, text={"equals": "object"})
    put("list.json", {"content": []}, text={"equals": "list"})
    folder = put("text.json", {"content": '```json\n{"broken": \n```'}, text={"equals": "text"})
    server = serve(fixtures=(folder,))

    texts = [text(server.chat(messages=[{"content": name}])) for name in ("object", "list", "text")]

    assert texts == ['{"b":[1.5,null],"a":"é"}', "[]", '```json\n{"broken": \n```']


def test_a_text_is_not_changed_by_what_the_request_configures(put: Put, serve: Serve) -> None:
    server = serve(fixtures=(put("a.json", {"content": "not even JSON"}, **INVOICE),))
    config = {"gql_stmt": "{ invoice_id }", "grounding": True, "json_schema": SCHEMA}

    response = server.chat(vlmrun={**INVOICE, "config": config})

    assert text(response) == "not even JSON"


def test_selection_and_grounding_apply_to_a_fixtures_content(put: Put, serve: Serve) -> None:
    folder = put("a.json", {"content": {"invoice_id": "INV-1", "subtotal": 5.0}}, **INVOICE)
    server = serve(fixtures=(folder,))
    config = {"gql_stmt": "{ invoice_id }", "confidence": True}

    answer = content(server.chat(vlmrun={**INVOICE, "config": config}))

    assert answer["invoice_id"] == "INV-1"
    assert answer["invoice_id_metadata"].keys() == {"confidence"}
    assert answer.keys() == {"invoice_id", "invoice_id_metadata"}


def test_a_merge_keeps_what_the_packaged_answer_has(put: Put, served: RunningMock, serve: Serve) -> None:
    patch = {"invoice_id": "INV-1", "issuer_address": {"city": "Leeds"}, "notes": None}
    server = serve(fixtures=(put("a.json", {"merge": patch}, **INVOICE),))
    packaged = content(served.chat(vlmrun=INVOICE))

    merged = content(server.chat(vlmrun=INVOICE))

    assert merged["issuer_address"] == {**packaged["issuer_address"], "city": "Leeds"}
    assert {key for key in packaged if packaged[key] != merged.get(key)} == {"invoice_id", "issuer_address", "notes"}


def test_a_callers_schema_is_filled_from_merged_and_packaged_answers(
    put: Put, served: RunningMock, serve: Serve
) -> None:
    server = serve(fixtures=(put("a.json", {"merge": {"invoice_id": "INV-1"}}, **INVOICE),))
    caller = {**INVOICE, "json_schema": SCHEMA}
    packaged = content(served.chat(vlmrun=INVOICE))

    merged, generated = content(server.chat(vlmrun=caller)), content(served.chat(vlmrun=caller))

    assert merged["invoice_id"] == "INV-1"
    assert generated["invoice_id"] == packaged["invoice_id"]
    assert {type(answer["shelf_number"]) for answer in (merged, generated)} == {int}
    assert merged.keys() == generated.keys() == {"invoice_id", "shelf_number"}


def test_several_answers_are_used_one_after_the_other_and_the_last_repeats(put: Put, serve: Serve) -> None:
    scripted = [{"error": {"status": 429, "headers": {"retry-after": "0"}}}, {"content": "second"}, {"content": "last"}]
    server = serve(fixtures=(put("a.json", scripted),))

    responses = [server.chat() for _ in range(4)]

    assert [response.status_code for response in responses] == [429, 201, 201, 201]
    assert [text(response) for response in responses[1:]] == ["second", "last", "last"]


def test_the_official_client_retries_into_the_next_answer(put: Put, serve: Serve) -> None:
    busy = {"error": {"status": 503, "headers": {"retry-after-ms": "1"}}}
    server = serve(fixtures=(put("a.json", [busy, busy, {"content": "at last"}]),))
    client = server.openai().with_options(max_retries=2)

    completion = client.chat.completions.create(model="vlm-1", messages=[{"role": "user", "content": "Extract"}])

    assert completion.choices[0].message.content == "at last"


def test_fixtures_count_apart_even_if_they_are_called_the_same(put: Put, tmp_path: Path) -> None:
    scripted = [{"content": "first"}, {"content": "later"}]
    put("one/a.json", scripted, model="one")
    put("two/a.json", scripted, model="two")
    mock = Mock(Settings(fixtures=(tmp_path / "one", tmp_path / "two")))

    texts = [answer_to(mock, asked(model=model)).text for model in ("one", "two", "two", "one")]

    assert texts == ["first", "first", "later", "later"]


def test_no_answer_is_skipped_or_given_twice_when_threads_ask_together(put: Put) -> None:
    mock = strict(put("a.json", [{"content": str(number)} for number in range(500)]))
    request = asked()

    with ThreadPoolExecutor(16) as pool:
        texts = list(pool.map(lambda _: answer_to(mock, request).text, range(600)))

    assert Counter(texts) == Counter({**{str(number): 1 for number in range(499)}, "499": 101})


def test_a_scripted_error_reaches_the_official_client_with_its_headers(put: Put, serve: Serve) -> None:
    headers = {
        "Retry-After": "7",
        "WWW-Authenticate": 'Bearer realm="100%", <x>',
        "Content-Type": "application/problem+json",
    }
    error = {"status": 429, "message": "Slow down, please: ü", "headers": headers}
    server = serve(fixtures=(put("a.json", {"error": error}),))

    with pytest.raises(openai.RateLimitError) as caught:
        server.openai().chat.completions.create(model="vlm-1", messages=[{"role": "user", "content": "x"}])

    received = caught.value.response.headers
    assert {name: received.get_list(name) for name in headers} == {name: [value] for name, value in headers.items()}
    assert caught.value.body == {
        "message": "Slow down, please: ü",
        "type": "rate_limit_error",
        "param": None,
        "code": "scripted_error",
    }


@pytest.mark.parametrize(("status", "kind"), [(400, str), (401, str), (402, str), (418, str), (422, list), (504, str)])
def test_a_scripted_error_has_the_body_that_clients_of_its_status_read(
    put: Put, serve: Serve, status: int, kind: type
) -> None:
    server = serve(fixtures=(put("a.json", {"error": {"status": status, "message": "As told"}}),))

    response = server.chat()

    assert response.status_code == status
    assert response.json()["error"]["message"] == "As told"
    assert isinstance(response.json()["detail"], kind)
    assert "As told" in json.dumps(response.json()["detail"])


def test_usage_can_be_set_and_the_rest_is_counted(put: Put, serve: Serve) -> None:
    put("none.json", {"content": "four words of text"}, text={"equals": "none"})
    put("prompt.json", {"content": "four words of text", "usage": {"prompt_tokens": 1000}}, text={"equals": "prompt"})
    put("total.json", {"content": "four words of text", "usage": {"total_tokens": 9}}, text={"equals": "total"})
    figures = {"prompt_tokens": 1, "completion_tokens": 0, "total_tokens": 5}
    folder = put("all.json", {"content": "four words of text", "usage": figures}, text={"equals": "all"})
    server = serve(fixtures=(folder,))

    usages = {
        name: server.chat(messages=[{"content": name}]).json()["usage"] for name in ("none", "prompt", "total", "all")
    }

    counted = usages["none"]
    assert counted["total_tokens"] == counted["prompt_tokens"] + counted["completion_tokens"]
    assert counted["completion_tokens"] == 4
    assert usages["prompt"] == {"prompt_tokens": 1000, "completion_tokens": 4, "total_tokens": 1004}
    assert usages["total"]["total_tokens"] == 9
    assert usages["total"]["completion_tokens"] == 4
    assert usages["all"] == figures


@pytest.mark.parametrize("answer", [{"content": "slow"}, {"error": {"status": 500}}])
def test_latency_is_waited_for_each_time(put: Put, serve: Serve, answer: dict[str, Any]) -> None:
    server = serve(fixtures=(put("a.json", {**answer, "latency_ms": 100}, **INVOICE),))

    def seconds() -> float:
        started = time.perf_counter()
        server.chat(vlmrun=INVOICE)
        return time.perf_counter() - started

    assert min(seconds(), seconds()) >= 0.1


@pytest.mark.parametrize("answer", [{"content": "slow"}, {"error": {"status": 500}}])
def test_latency_holds_up_no_other_answer_whether_that_waits_or_not(
    put: Put, serve: Serve, answer: dict[str, Any]
) -> None:
    put("a.json", {**answer, "latency_ms": 600_000}, **INVOICE)
    server = serve(fixtures=(put("b.json", {"content": "brief", "latency_ms": 1}, domain="document.receipt"),))

    with ExitStack() as slow:
        for _ in range(8):
            slow.enter_context(begun(server.url, {"messages": [{}], **INVOICE}))
        brief = server.chat(domain="document.receipt")
        at_once = server.chat()
        logged = len(server.lines)

    assert (text(brief), at_once.status_code) == ("brief", 201)
    assert logged == 2


def test_a_fixtures_name_beyond_ascii_is_sent_percent_encoded(put: Put, serve: Serve) -> None:
    server = serve(fixtures=(put('Köln/100% "東京".json', {"content": "x"}),))

    response = server.chat()

    assert source(response) == ("fixture", "K%C3%B6ln/100%25 %22%E6%9D%B1%E4%BA%AC%22.json")


def test_a_fixtures_name_with_a_line_break_stays_on_one_line(put: Put, serve: Serve) -> None:
    server = serve(fixtures=(put("evil\nname.json", {"content": "x"}),))

    response = server.chat()

    assert source(response) == ("fixture", "evil%5Cnname.json")
    (line,) = [each for each in server.lines if "evil" in each]
    assert "fixture evil\\nname.json" in line
    assert "\n" not in line
