"""Frameworks that are made for OpenAI's API, each against the mock; run by scripts/test-clients --frameworks.

Each runs in an environment of its own, where the others are not installed. The server is the one that OPENAI_BASE_URL
names. docs/frameworks.md says what works and how.
"""

from __future__ import annotations

import asyncio
import os
from typing import Any

import pytest
from pydantic import BaseModel

INVOICE_ID = "HB-2025-0347"
VLMRUN = {"vlmrun": {"domain": "document.invoice"}}
ORION = "vlmrun-orion-1:auto"
ASK: list[dict[str, Any]] = [{"role": "user", "content": "Extract the invoice"}]


class Invoice(BaseModel):
    """What an application wants to know of an invoice."""

    invoice_id: str
    total_amount: float


@pytest.mark.parametrize("mode", ["TOOLS", "JSON", "MD_JSON", "JSON_SCHEMA", "TOOLS_STRICT"])
def test_instructor(mode: str) -> None:
    instructor = pytest.importorskip("instructor")
    import openai

    client = instructor.from_openai(openai.OpenAI(), mode=getattr(instructor.Mode, mode))
    found = client.chat.completions.create(
        model="vlm-1", messages=ASK, response_model=Invoice, extra_body=VLMRUN, max_retries=0
    )

    assert found.invoice_id == INVOICE_ID


@pytest.mark.parametrize("method", ["function_calling", "json_schema", "json_mode"])
def test_langchain(method: str) -> None:
    langchain = pytest.importorskip("langchain_openai")

    model = langchain.ChatOpenAI(model="vlm-1", extra_body=VLMRUN, max_retries=0)
    found = model.with_structured_output(Invoice, method=method).invoke("Extract the invoice as JSON")

    assert found.invoice_id == INVOICE_ID


def test_langchain_streams() -> None:
    langchain = pytest.importorskip("langchain_openai")

    model = langchain.ChatOpenAI(model=ORION, extra_body=VLMRUN, max_retries=0)
    chunks = [chunk.content for chunk in model.stream("Extract the invoice")]

    assert len(chunks) > 10
    assert INVOICE_ID in "".join(chunks)


@pytest.mark.parametrize("stream", [False, True])
def test_litellm(stream: bool) -> None:
    litellm = pytest.importorskip("litellm")

    answer = litellm.completion(
        model=f"openai/{ORION}",
        messages=ASK,
        api_base=os.environ["OPENAI_BASE_URL"],
        api_key=os.environ["OPENAI_API_KEY"],
        extra_body=VLMRUN,
        stream=stream,
    )
    text = (
        "".join(chunk.choices[0].delta.content or "" for chunk in answer)
        if stream
        else answer.choices[0].message.content
    )

    assert INVOICE_ID in text


def test_pydantic_ai() -> None:
    agents = pytest.importorskip("pydantic_ai")
    from pydantic_ai.models.openai import OpenAIChatModel

    agent = agents.Agent(OpenAIChatModel("vlm-1"), output_type=Invoice, model_settings={"extra_body": VLMRUN})

    assert agent.run_sync("Extract the invoice").output.invoice_id == INVOICE_ID


def test_openai_agents() -> None:
    agents = pytest.importorskip("agents")
    import openai

    agents.set_tracing_disabled(True)
    model = agents.OpenAIChatCompletionsModel(model="vlm-1", openai_client=openai.AsyncOpenAI())
    settings = agents.ModelSettings(extra_body=VLMRUN)
    agent = agents.Agent(name="reader", model=model, output_type=Invoice, model_settings=settings)

    found = asyncio.run(agents.Runner.run(agent, "Extract the invoice"))

    assert found.final_output.invoice_id == INVOICE_ID


def test_dspy() -> None:
    dspy = pytest.importorskip("dspy")

    lm = dspy.LM(
        f"openai/{ORION}",
        api_base=os.environ["OPENAI_BASE_URL"],
        api_key=os.environ["OPENAI_API_KEY"],
        extra_body=VLMRUN,
        cache=False,
    )

    assert INVOICE_ID in lm("Extract the invoice")[0]


def test_haystack() -> None:
    pytest.importorskip("haystack")
    from haystack.components.generators.chat import OpenAIChatGenerator
    from haystack.dataclasses import ChatMessage

    generator = OpenAIChatGenerator(model=ORION, generation_kwargs={"extra_body": VLMRUN})

    assert INVOICE_ID in generator.run([ChatMessage.from_user("Extract the invoice")])["replies"][0].text


@pytest.mark.parametrize("way", ["complete", "stream", "structured"])
def test_llamaindex(way: str) -> None:
    pytest.importorskip("llama_index.llms.openai_like")
    from llama_index.core.prompts import PromptTemplate
    from llama_index.llms.openai_like import OpenAILike

    llm = OpenAILike(
        model=ORION,
        api_base=os.environ["OPENAI_BASE_URL"],
        api_key=os.environ["OPENAI_API_KEY"],
        is_chat_model=True,
        is_function_calling_model=True,
        additional_kwargs={"extra_body": VLMRUN},
        max_retries=0,
    )
    if way == "complete":
        text = str(llm.complete("Extract the invoice"))
    elif way == "stream":
        text = [str(each) for each in llm.stream_complete("Extract the invoice")][-1]
    else:
        text = llm.structured_predict(Invoice, PromptTemplate("Extract the invoice")).invoice_id

    assert INVOICE_ID in text
