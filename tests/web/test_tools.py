"""Function calls: the arguments of a function that a client offers, by the SDK, whole and in a stream."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import BaseModel

from tests.asking import answer_of
from tests.conftest import Put, Serve
from tests.serving import RunningMock, image_message, picture

ORION = "vlmrun-orion-1:auto"
INVOICE = {"vlmrun": {"domain": "document.invoice"}}


def tool(name: str = "save_invoice") -> dict[str, Any]:
    """Return a function that an application offers."""
    properties = {"invoice_id": {"type": "string"}, "total_amount": {"type": "number"}}
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    return {"type": "function", "function": {"name": name, "description": "Saves it", "parameters": schema}}


def ask(served: RunningMock, **body: Any) -> Any:
    """Ask for an invoice with further parameters."""
    answer = served.chat(**{"messages": image_message(picture(1)), **INVOICE, **body})
    assert answer.status_code in (200, 201), answer.text
    return answer


def call_of(answer: Any) -> Any:
    """Return the only call in an answer."""
    (choice,) = answer.json()["choices"]
    (call,) = choice["message"]["tool_calls"]
    assert (choice["finish_reason"], choice["message"]["content"], call["type"]) == ("tool_calls", None, "function")
    return call


@pytest.mark.parametrize("model", ["vlm-1", ORION])
@pytest.mark.parametrize(
    "choice", [None, "auto", "required", {"type": "function", "function": {"name": "save_invoice"}}]
)
def test_the_only_function_is_called_with_arguments_of_its_schema(choice: Any, model: str, served: RunningMock) -> None:
    answer = ask(served, model=model, tools=[tool()], tool_choice=choice)

    call, expected = call_of(answer), answer_of("document.invoice")
    arguments = json.loads(call["function"]["arguments"])
    assert call["function"]["name"] == "save_invoice"
    assert arguments == {name: expected[name] for name in ("invoice_id", "total_amount")}
    assert answer.headers["x-vlmrun-mock-called"] == "save_invoice"
    assert "x-vlmrun-mock-ignored" not in answer.headers


def test_of_several_functions_the_named_one_is_called_and_else_none(served: RunningMock) -> None:
    several = [tool("first"), tool("second")]

    named = ask(served, tools=several, tool_choice={"type": "function", "function": {"name": "second"}})
    required = ask(served, tools=several, tool_choice="required")
    free = ask(served, tools=several)
    unknown = ask(served, tools=several, tool_choice={"type": "function", "function": {"name": "third"}})

    assert call_of(named)["function"]["name"] == "second"
    assert call_of(required)["function"]["name"] == "first"
    for answer in (free, unknown):
        assert json.loads(answer.json()["choices"][0]["message"]["content"])["invoice_id"]
        assert "tools" in answer.headers["x-vlmrun-mock-ignored"]


@pytest.mark.parametrize(
    "further",
    [
        {"tool_choice": "none"},
        {
            "messages": [
                {"role": "user", "content": "x"},
                {"role": "tool", "tool_call_id": "call_1", "content": "saved"},
            ]
        },
        {
            "response_format": {
                "type": "json_schema",
                "schema": {"type": "object", "properties": {"a": {"type": "null"}}},
            }
        },
    ],
    ids=["no call is wanted", "a result came", "another schema"],
)
def test_no_function_is_called(further: dict[str, Any], served: RunningMock) -> None:
    message = ask(served, tools=[tool()], **further).json()["choices"][0]["message"]

    assert message["content"]
    assert not message.get("tool_calls")


def test_an_option_leaves_tools_without_effect(serve: Serve) -> None:
    answer = ask(serve(tools="ignore"), tools=[tool()])

    assert answer.json()["choices"][0]["finish_reason"] == "stop"
    assert answer.headers["x-vlmrun-mock-ignored"] == "tools"


def test_a_function_without_parameters_and_one_of_the_old_kind_are_called(served: RunningMock) -> None:
    bare = ask(served, vlmrun=None, tools=[{"type": "function", "function": {"name": "stop"}}])
    old = ask(served, functions=[tool()["function"]]).json()["choices"][0]

    assert json.loads(call_of(bare)["function"]["arguments"]) == {}
    assert old["finish_reason"] == "function_call"
    assert json.loads(old["message"]["function_call"]["arguments"])["invoice_id"]


def test_a_wrong_schema_is_a_422_at_its_place(served: RunningMock) -> None:
    function = {"name": "a", "parameters": {"properties": {"a": {"type": "nonsense"}}}}

    answer = served.chat(tools=[{"type": "function", "function": function}])

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"][:5] == ["body", "tools", 0, "function", "parameters"]


def test_a_fixture_says_what_the_arguments_are(serve: Serve, put: Put) -> None:
    content = {"invoice_id": "Z-1", "total_amount": 2}
    served = serve(fixtures=(put("a.json", {"content": content}, domain="document.invoice"),))

    assert json.loads(call_of(ask(served, tools=[tool()]))["function"]["arguments"]) == content


class Invoice(BaseModel):
    """What an application wants to know."""

    invoice_id: str
    total_amount: float


def test_the_sdk_parses_a_call_and_goes_on_with_its_result(served: RunningMock) -> None:
    client = served.openai()
    tools: Any = [tool()]
    messages: Any = image_message(picture(1))

    first = client.chat.completions.create(model="vlm-1", messages=messages, tools=tools, extra_body=INVOICE)
    call = (first.choices[0].message.tool_calls or [])[0]
    messages += [first.choices[0].message, {"role": "tool", "tool_call_id": call.id, "content": "saved"}]
    second = client.chat.completions.create(model="vlm-1", messages=messages, tools=tools, extra_body=INVOICE)

    assert Invoice.model_validate_json(call.function.arguments)  # type: ignore[union-attr]
    assert second.choices[0].finish_reason == "stop"
    assert Invoice.model_validate_json(second.choices[0].message.content or "")


@pytest.mark.parametrize("offered", ["tools", "functions"])
def test_the_sdk_puts_a_streamed_call_together(offered: str, served: RunningMock) -> None:
    further: Any = {"tools": [tool()]} if offered == "tools" else {"functions": [tool()["function"]]}
    messages: Any = image_message(picture(1))
    create = served.openai().chat.completions.create

    plain = create(model=ORION, messages=messages, extra_body=INVOICE, **further).choices[0].message
    with create(model=ORION, messages=messages, extra_body=INVOICE, stream=True, **further) as stream:
        deltas = [(chunk.choices[0].delta, chunk.choices[0].finish_reason) for chunk in stream]

    if offered == "tools":
        parts = [delta.tool_calls[0] for delta, _ in deltas if delta.tool_calls]
        arguments = "".join(part.function.arguments or "" for part in parts if part.function)
        assert arguments == plain.tool_calls[0].function.arguments
        assert parts[0].id == plain.tool_calls[0].id
        assert deltas[-1][1] == "tool_calls"
    else:
        assert "".join(delta.function_call.arguments or "" for delta, _ in deltas if delta.function_call) == (
            plain.function_call.arguments
        )


def test_the_sdks_own_helper_accumulates_the_stream(served: RunningMock) -> None:
    messages: Any = image_message(picture(1))
    tools: Any = [tool()]

    client = served.openai()
    with client.chat.completions.stream(model=ORION, messages=messages, tools=tools, extra_body=INVOICE) as stream:
        for _ in stream:
            pass
        completion = stream.get_final_completion()

    call = (completion.choices[0].message.tool_calls or [])[0]
    assert Invoice.model_validate_json(call.function.arguments)
