"""The chat completions endpoint over a real socket: status, headers, keys and the shape of what comes back."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Put, Serve
from tests.serving import CHAT, RunningMock, content, data_url, image_message, picture


def test_an_answer_has_the_documented_status_keys_and_order(served: RunningMock) -> None:
    answer = served.chat(vlmrun={"domain": "document.invoice"})

    body = answer.json()
    assert answer.status_code == 201
    assert list(body) == ["id", "object", "created", "model", "choices", "usage", "system_fingerprint"]
    assert body["object"] == "chat.completion"
    assert body["id"].startswith("chatcmpl-")
    assert body["created"] == 1735689600
    assert body["model"] == "vlm-1"
    assert body["system_fingerprint"] == "2024-08-01"
    (choice,) = body["choices"]
    assert choice["index"] == 0
    assert choice["finish_reason"] == "stop"
    assert choice["logprobs"] is None
    assert list(choice["message"]) == ["role", "content"]
    assert json.loads(choice["message"]["content"])["invoice_id"]


def test_content_is_compact_json_without_a_fence(served: RunningMock) -> None:
    text = served.chat(vlmrun={"domain": "document.invoice"}).json()["choices"][0]["message"]["content"]

    assert text == json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":"))


@pytest.mark.parametrize(
    ("model", "status"),
    [
        ("vlm-1", 201),
        ("gpt-4o-mini", 201),
        ("Qwen/Qwen2-VL-7B", 201),
        ("vlm-agent-1", 200),
        ("vlm-agent-1:pro", 200),
        ("vlmrun-orion-1:auto", 200),
        ("vlmrun-orion-2", 200),
    ],
)
def test_any_model_is_answered_echoed_and_decides_the_status(served: RunningMock, model: str, status: int) -> None:
    answer = served.chat(model=model, vlmrun={"domain": "document.receipt"})

    assert answer.status_code == status
    assert answer.json()["model"] == model


def test_an_id_sent_by_the_client_is_the_completions_id(served: RunningMock) -> None:
    assert served.chat(id="mine", domain="document.invoice").json()["id"] == "mine"


@pytest.mark.parametrize(
    "headers",
    [{"Authorization": "Bearer any"}, {"Authorization": "bearer any"}, {"X-Api-Key": "any"}],
)
def test_any_key_is_accepted_in_both_headers(served: RunningMock, headers: dict[str, str]) -> None:
    served.http.headers.pop("Authorization")
    try:
        answer = served.http.post(CHAT, json={"messages": [{}]}, headers=headers)
    finally:
        served.http.headers["Authorization"] = "Bearer test"

    assert answer.status_code == 201


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": ""}, {"Authorization": "Bearer"}, {"Authorization": "Basic abc"}, {"X-Api-Key": ""}],
)
def test_a_request_without_a_key_is_a_401(served: RunningMock, headers: dict[str, str]) -> None:
    served.http.headers.pop("Authorization")
    try:
        answer = served.http.post(CHAT, json={"messages": [{}]}, headers=headers)
    finally:
        served.http.headers["Authorization"] = "Bearer test"

    assert answer.status_code == 401
    assert answer.json() == {
        "error": {
            "message": "Invalid API key",
            "type": "authentication_error",
            "param": None,
            "code": "invalid_api_key",
        },
        "detail": "Invalid API key",
    }


def test_only_the_given_keys_are_accepted(serve: Serve) -> None:
    served = serve(api_keys=frozenset({"first", "sécond"}))

    statuses = [
        served.http.post(
            CHAT, json={"messages": [{}]}, headers={b"Authorization": f"Bearer {key}".encode()}
        ).status_code
        for key in ("first", "sécond", "third", "firs", "first2")
    ]

    assert statuses == [201, 201, 401, 401, 401]


def test_headers_say_where_an_answer_came_from(serve: Serve, write: Callable[[str, str], Path]) -> None:
    folder = write("f/größe/a.json", '{"match": {"domain": "document.receipt"}, "answer": {"content": "x"}}').parents[1]
    served = serve(fixtures=(folder,))

    own = served.chat(domain="document.receipt").headers
    packaged = served.chat(domain="document.invoice").headers
    generated = served.chat(json_schema={"type": "object"}).headers

    assert own["x-vlmrun-mock-source"] == "fixture"
    assert own["x-vlmrun-mock-fixture"] == "gr%C3%B6%C3%9Fe/a.json"
    assert packaged["x-vlmrun-mock-source"] == "fixture"
    assert packaged["x-vlmrun-mock-fixture"] == "document.invoice/answer.json"
    assert generated["x-vlmrun-mock-source"] == "generated"
    assert "x-vlmrun-mock-fixture" not in generated
    assert len({each["x-request-id"] for each in (own, packaged, generated)}) == 3


@pytest.mark.parametrize(
    "spelling",
    [
        {"vlmrun": {"domain": "document.receipt"}},
        {"domain": "document.receipt"},
        {"vlmrun": {"domain": "document.receipt"}, "domain": "document.invoice"},
        {"vlmrun": {"metadata": {"environment": "dev"}}, "domain": "document.receipt"},
    ],
)
def test_a_domain_is_found_in_every_spelling(served: RunningMock, spelling: dict[str, object]) -> None:
    answer = served.chat(**spelling)

    assert answer.headers["x-vlmrun-mock-fixture"] == "document.receipt/answer.json"


def test_without_domain_and_schema_one_sentence_says_what_to_do(served: RunningMock) -> None:
    plain = served.chat().json()["choices"][0]["message"]["content"]
    wrapped = served.chat(response_format={"type": "json_object"}).json()["choices"][0]["message"]["content"]

    assert "document.invoice" in plain
    assert json.loads(wrapped) == {"message": plain}


SCHEMA = {"type": "object", "properties": {"invoice_id": {"type": "string"}}, "required": ["invoice_id"]}


@pytest.mark.parametrize(
    "spelling",
    [
        {"vlmrun": {"config": {"json_schema": SCHEMA}}},
        {"vlmrun": {"json_schema": SCHEMA}},
        {"json_schema": SCHEMA},
        {"schema": SCHEMA},
        {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA, "strict": True}}},
        {"response_format": {"type": "json_schema", "schema": SCHEMA}},
    ],
)
def test_a_callers_schema_is_filled_from_the_domain_in_every_spelling(
    served: RunningMock, spelling: dict[str, object]
) -> None:
    answer = served.chat(domain="document.invoice", **spelling)

    packaged = json.loads(served.chat(domain="document.invoice").json()["choices"][0]["message"]["content"])
    content = json.loads(answer.json()["choices"][0]["message"]["content"])
    assert content == {"invoice_id": packaged["invoice_id"]}
    assert answer.headers["x-vlmrun-mock-source"] == "generated"


def _only(name: str) -> dict[str, object]:
    return {"type": "object", "properties": {name: {"type": "string"}}, "required": [name]}


def test_the_schema_nearest_to_the_domain_wins(served: RunningMock) -> None:
    body: dict[str, object] = {
        "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": _only("e")}},
        "schema": _only("d"),
        "json_schema": _only("c"),
        "vlmrun": {"json_schema": _only("b"), "config": {"json_schema": _only("a")}},
    }
    winners = []
    for step in ("config", "vlmrun", "json_schema", "schema", "response_format"):
        winners += json.loads(served.chat(**body).json()["choices"][0]["message"]["content"])
        if step == "config":
            body["vlmrun"] = {"json_schema": _only("b")}
        else:
            body.pop(step)

    assert winners == ["a", "b", "c", "d", "e"]


def test_an_unmeetable_schema_is_a_422_that_names_the_place(served: RunningMock) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer", "minimum": 5, "maximum": 3}}, "required": ["a"]}

    answer = served.chat(vlmrun={"config": {"json_schema": schema}})

    loc = answer.json()["detail"][0]["loc"]
    assert answer.status_code == 422
    assert loc[:6] == ["body", "vlmrun", "config", "json_schema", "properties", "a"]


def test_a_selection_returns_the_selected_fields_only(served: RunningMock) -> None:
    statement = "{ invoice_id customer_billing_address { city } items { quantity } }"

    answer = served.chat(vlmrun={"domain": "document.invoice", "config": {"gql_stmt": statement}})

    content = json.loads(answer.json()["choices"][0]["message"]["content"])
    assert list(content) == ["invoice_id", "customer_billing_address", "items"]
    assert list(content["customer_billing_address"]) == ["city"]
    assert {tuple(item) for item in content["items"]} == {("quantity",)}


def test_a_selection_of_an_unknown_field_is_a_422(served: RunningMock) -> None:
    answer = served.chat(vlmrun={"domain": "document.invoice", "config": {"gql_stmt": "{ invoice_idd }"}})

    problem = answer.json()["detail"][0]
    assert answer.status_code == 422
    assert problem["loc"] == ["body", "vlmrun", "config", "gql_stmt"]
    assert "invoice_id" in problem["msg"]


@pytest.mark.parametrize(("config", "boxes"), [({"grounding": True}, True), ({"confidence": True}, False)])
def test_grounding_and_confidence_add_metadata_after_the_fields(
    served: RunningMock,
    config: dict[str, bool],
    boxes: bool,
) -> None:
    answer = served.chat(vlmrun={"domain": "document.us-drivers-license", "config": config})

    content = json.loads(answer.json()["choices"][0]["message"]["content"])
    plain = json.loads(
        served.chat(domain="document.us-drivers-license").json()["choices"][0]["message"]["content"],
    )
    assert list(content)[: len(plain)] == list(plain)
    metadata = content["license_number_metadata"]
    assert metadata["confidence"] in ("hi", "med", "low")
    assert ("bboxes" in metadata) == boxes


def test_markdown_has_no_grounding(served: RunningMock) -> None:
    plain = served.chat(domain="document.markdown").json()["choices"]

    assert served.chat(vlmrun={"domain": "document.markdown", "config": {"grounding": True}}).json()["choices"] == plain


def test_usage_counts_texts_pictures_and_the_content(served: RunningMock) -> None:
    small = served.http.post(
        CHAT, json={"messages": image_message(picture(size=(100, 100))), "domain": "image.caption"}
    )
    large = served.http.post(
        CHAT, json={"messages": image_message(picture(size=(2048, 1024))), "domain": "image.caption"}
    )

    prompts = [answer.json()["usage"]["prompt_tokens"] for answer in (small, large)]
    assert prompts == [8 + 85 + 170, 8 + 85 + 6 * 170]
    for answer in (small, large):
        figures = answer.json()["usage"]
        assert figures["total_tokens"] == figures["prompt_tokens"] + figures["completion_tokens"]


def test_every_kind_of_content_part_is_accepted(served: RunningMock) -> None:
    url = "https://example.com/a"
    parts = [
        {"type": "text", "text": "Extract"},
        {"type": "image_url", "image_url": {"url": data_url(picture()), "detail": "auto"}},
        {"type": "video_url", "video_url": {"url": url}},
        {"type": "audio_url", "audio_url": {"url": url}},
        {"type": "file_url", "file_url": {"url": url}},
        {"type": "input_file", "input_file": {"file_id": "abc"}},
        {"type": "input_file", "input_file": {"file_url": url}},
        {"type": "input_file", "file_id": "abc"},
    ]

    answer = served.chat(messages=[{"role": "user", "content": parts}, {}, {"role": "system", "content": None}])

    assert answer.status_code == 201
    assert "7 documents" in served.lines[-1]


def test_a_repeated_request_is_answered_alike_and_from_memory(served: RunningMock) -> None:
    body = {"messages": image_message(picture(7)), "vlmrun": {"domain": "document.invoice"}}

    first, second = (served.http.post(CHAT, json=body) for _ in range(2))

    assert first.content == second.content
    assert first.headers["x-request-id"] != second.headers["x-request-id"]


def test_latency_is_kept_for_a_repeated_request_too(serve: Serve, write: Callable[[str, str], Path]) -> None:
    folder = write("f/a.json", '{"answer": {"content": {}, "latency_ms": 120}}').parent
    served = serve(fixtures=(folder,))

    for _ in range(2):
        started = time.perf_counter()
        served.chat()
        assert time.perf_counter() - started >= 0.12


@pytest.mark.parametrize("identifier", ["http://[bad", "::::", 5, "http://exa mple/%"])
@pytest.mark.parametrize("place", ["root", "property"])
def test_a_selection_beside_a_schema_with_an_unusable_identifier_is_answered(
    serve: Serve, put: Put, identifier: object, place: str
) -> None:
    served = serve(fixtures=(put("a.json", {"content": {"a": 1, "b": 2}}, domain="document.invoice"),))
    inner = {"$id": identifier, "type": "object"}
    schema = {"type": "object", "properties": {"a": inner}} if place == "property" else inner

    answer = served.chat(vlmrun={"domain": "document.invoice", "json_schema": schema, "config": {"gql_stmt": "{ a }"}})

    assert content(answer) == {"a": 1}


def test_the_status_of_success_can_be_200_for_clients_that_take_no_other(serve: Serve) -> None:
    documented, plain = serve(), serve(success="200")

    assert documented.chat(domain="document.invoice").status_code == 201
    assert plain.chat(domain="document.invoice").status_code == 200
    assert plain.chat(domain="document.invoic").status_code == 422
