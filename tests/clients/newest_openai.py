"""The newest `openai`, which cannot share an environment with `vlmrun`; run by scripts/test-clients.

The server is the one that `OPENAI_BASE_URL` names, and only what a user of the SDK has is imported.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionMessageParam
from pydantic import BaseModel

INVOICE = {"vlmrun": {"domain": "document.invoice"}}
INVOICE_ID = "HB-2025-0347"
PIXEL = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAACAkQBADs="
"""A picture of 1 x 1: one tile."""


@pytest.fixture
def client() -> Iterator[openai.OpenAI]:
    """Return the SDK's client, configured by the variables that `vlmrun-mock serve` prints."""
    with openai.OpenAI(max_retries=0) as found:
        yield found


def ask(*urls: str) -> list[ChatCompletionMessageParam]:
    """Return the messages of one user."""
    parts: list[Any] = [{"type": "text", "text": "Extract the data"}]
    parts += [{"type": "image_url", "image_url": {"url": url}} for url in urls]
    return [{"role": "user", "content": parts}]


def content(completion: ChatCompletion) -> Any:
    """Return what the model said, read as JSON."""
    return json.loads(completion.choices[0].message.content or "")


def test_this_is_a_newer_release_than_the_other_tests_use() -> None:
    assert int(openai.__version__.split(".")[0]) > 1


def test_a_picture_is_answered_with_201_and_paid_for_in_tokens(client: openai.OpenAI) -> None:
    create = client.chat.completions.with_raw_response.create

    with_picture = create(model="vlm-1", messages=ask(PIXEL), extra_body=INVOICE)
    without = create(model="vlm-1", messages=ask(), extra_body=INVOICE)

    usages = (with_picture.parse().usage, without.parse().usage)
    assert (with_picture.status_code, without.status_code) == (201, 201)
    assert with_picture.headers["x-vlmrun-mock-fixture"] == "document.invoice/answer.json"
    assert content(with_picture.parse())["invoice_id"] == INVOICE_ID
    assert usages[0]
    assert usages[1]
    assert usages[0].prompt_tokens - usages[1].prompt_tokens == 85 + 170


def test_the_async_client_gets_the_very_same_completion(client: openai.OpenAI) -> None:
    async def create() -> ChatCompletion:
        async with openai.AsyncOpenAI(max_retries=0) as asynchronous:
            return await asynchronous.chat.completions.create(model="vlm-1", messages=ask(PIXEL), extra_body=INVOICE)

    asynchronous = asyncio.run(create())
    synchronous = client.chat.completions.create(model="vlm-1", messages=ask(PIXEL), extra_body=INVOICE)

    assert asynchronous.model_dump() == synchronous.model_dump()


class Line(BaseModel):
    """One line of an invoice."""

    description: str
    total_price: float


class Invoice(BaseModel):
    """An application's own view of an invoice."""

    invoice_id: str
    items: list[Line]
    approved_by: str | None


def test_parse_fills_a_pydantic_model(client: openai.OpenAI) -> None:
    completion = client.chat.completions.parse(
        model="vlm-1", messages=ask(PIXEL), response_format=Invoice, extra_body=INVOICE
    )

    parsed = completion.choices[0].message.parsed
    assert parsed is not None
    assert (parsed.invoice_id, len(parsed.items)) == (INVOICE_ID, 5)
    assert parsed.approved_by


def test_a_streaming_client_sees_no_chunk(client: openai.OpenAI) -> None:
    with client.chat.completions.create(model="vlm-1", messages=ask(), extra_body=INVOICE, stream=True) as stream:
        chunks = list(stream)

    assert chunks == []
    assert stream.response.headers["x-vlmrun-mock-ignored"] == "stream"


def test_an_error_has_a_status_a_code_a_parameter_and_a_readable_message(client: openai.OpenAI) -> None:
    with pytest.raises(openai.UnprocessableEntityError, match=r"document\.invoice") as caught:
        client.chat.completions.create(
            model="vlm-1", messages=ask(), extra_body={"vlmrun": {"domain": "document.invoce"}}
        )

    error = caught.value
    assert (error.status_code, error.code, error.param) == (422, "unknown_domain", "vlmrun.domain")
    assert error.request_id


def test_the_models_are_listed(client: openai.OpenAI) -> None:
    assert "vlm-1" in [model.id for model in client.models.list()]


def test_another_api_of_openai_is_not_found_and_says_what_is_there(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="POST /v1/openai/chat/completions"):
        client.responses.create(model="vlm-1", input="Extract the data")


@pytest.mark.parametrize("options", [{}, {"stream_options": {"include_usage": True}}])
def test_a_stream_from_orion_is_together_the_plain_answer(client: openai.OpenAI, options: dict[str, Any]) -> None:
    create: Any = client.chat.completions.create
    ask_orion = {"model": "vlmrun-orion-1:auto", "messages": ask(PIXEL), "extra_body": INVOICE}

    plain = create(**ask_orion)
    chunks = list(create(**ask_orion, stream=True, **options))

    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == plain.choices[0].message.content
    assert chunks[-1].usage == plain.usage
