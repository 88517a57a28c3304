"""OpenAI's Python SDK, over a real socket: what its users do, and what they get."""

from __future__ import annotations

import asyncio
import io
from enum import Enum
from typing import Literal

import jsonschema_rs
import openai
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionMessageParam
from PIL import Image, ImageDraw
from pydantic import BaseModel

from tests.asking import INVOICE, answer_of, ask, content
from tests.serving import RunningMock

PORTRAIT = (600, 800)
PORTRAIT_TOKENS = 85 + 4 * 170
"""A 600 x 800 picture needs no shrinking and covers four tiles of 512 pixels."""


@pytest.fixture(scope="session")
def invoice_picture() -> bytes:
    """Return a JPEG of an invoice, drawn here."""
    page = Image.new("RGB", PORTRAIT, "white")
    pen = ImageDraw.Draw(page)
    pen.text((40, 40), "INVOICE  No. 4711")
    pen.rectangle((40, 120, 560, 160), fill="lightgrey")
    for row, line in enumerate(("2 x Oak board      120.00", "1 x Delivery        30.00", "Total              150.00")):
        pen.text((50, 200 + 30 * row), line, fill="black")
    buffer = io.BytesIO()
    page.save(buffer, "JPEG")
    return buffer.getvalue()


@pytest.fixture
def client(served: RunningMock) -> openai.OpenAI:
    """Return the official SDK's client for the shared server."""
    return served.openai()


def test_the_guides_own_example_is_answered(client: openai.OpenAI) -> None:
    url = "https://example.com/slides/page-7.jpg"

    completion = client.chat.completions.create(
        model="vlm-1",
        messages=[{"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}],
        temperature=0,
        max_tokens=16,
        extra_body={
            "vlmrun": {
                "domain": "document.presentation",
                "metadata": {"allow_training": False, "environment": "dev", "session_id": "session-1"},
            }
        },
    )

    assert content(completion) == answer_of("document.presentation")
    assert completion.id.startswith("chatcmpl-")
    assert (completion.object, completion.model) == ("chat.completion", "vlm-1")
    assert [(choice.index, choice.finish_reason) for choice in completion.choices] == [(0, "stop")]


def test_a_picture_of_an_invoice_is_answered_and_paid_for_in_tokens(
    client: openai.OpenAI, invoice_picture: bytes
) -> None:
    def cost(messages: list[ChatCompletionMessageParam]) -> ChatCompletion:
        return client.chat.completions.create(model="vlm-1", messages=messages, extra_body=INVOICE)

    with_picture = cost(ask("Extract", invoice_picture))
    without = cost(ask("Extract"))

    assert content(with_picture) == answer_of("document.invoice")
    assert with_picture.usage
    assert without.usage
    assert without.usage.prompt_tokens > 0
    assert with_picture.usage.prompt_tokens - without.usage.prompt_tokens == PORTRAIT_TOKENS
    assert with_picture.usage.total_tokens == with_picture.usage.prompt_tokens + with_picture.usage.completion_tokens


def test_the_async_client_gets_the_very_same_completion(
    served: RunningMock, client: openai.OpenAI, invoice_picture: bytes
) -> None:
    messages = ask("Extract", invoice_picture)

    async def several() -> list[ChatCompletion]:
        async with openai.AsyncOpenAI(base_url=served.openai_url, api_key="test") as asynchronous:
            create = asynchronous.chat.completions.create
            calls = (create(model="vlm-1", messages=messages, extra_body=INVOICE) for _ in range(8))
            return await asyncio.gather(*calls)

    answers = asyncio.run(several())
    synchronous = client.chat.completions.create(model="vlm-1", messages=messages, extra_body=INVOICE)

    assert [each.model_dump() for each in answers] == [synchronous.model_dump()] * 8


def test_a_raw_response_shows_the_status_and_where_the_answer_came_from(client: openai.OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(
        model="vlm-1", messages=ask(), extra_body=INVOICE, logprobs=True, n=2
    )

    assert raw.status_code == 201
    assert raw.headers["content-type"] == "application/json"
    assert raw.headers["x-vlmrun-mock-source"] == "fixture"
    assert raw.headers["x-vlmrun-mock-fixture"] == "document.invoice/answer.json"
    assert raw.headers["x-vlmrun-mock-ignored"] == "logprobs, n"
    assert content(raw.parse()) == answer_of("document.invoice")
    assert raw.headers["x-request-id"] == raw.parse()._request_id


class Currency(Enum):
    """What the invoice is paid in; EUR first, so that the first choice is not the right one."""

    EUR = "EUR"
    USD = "USD"


class Address(BaseModel):
    """An address inside an invoice."""

    city: str
    postal_code: str | None


class Line(BaseModel):
    """One line of an invoice."""

    description: str
    total_price: float
    kind: Literal["goods", "service"]


class Invoice(BaseModel):
    """An application's own view of an invoice: fields of the domain's, and some that are not."""

    invoice_id: str
    invoice_issue_date: str
    issuer_name: str
    currency: Currency
    total_amount: float
    issuer_address: Address
    items: list[Line]
    approved_by: str | None
    page_count: int


def test_parse_fills_a_pydantic_model_from_the_domain_and_generates_the_rest(
    client: openai.OpenAI, invoice_picture: bytes
) -> None:
    expected = answer_of("document.invoice")

    completion = client.chat.completions.parse(
        model="vlm-1", messages=ask("Extract", invoice_picture), response_format=Invoice, extra_body=INVOICE
    )

    parsed = completion.choices[0].message.parsed
    assert parsed is not None
    assert parsed.model_dump(include={"invoice_id", "invoice_issue_date", "issuer_name", "total_amount"}) == {
        name: expected[name] for name in ("invoice_id", "invoice_issue_date", "issuer_name", "total_amount")
    }
    assert parsed.currency is Currency.USD
    assert parsed.issuer_address == Address(city="Worcester", postal_code="01608")
    assert [line.description for line in parsed.items] == [line["description"] for line in expected["items"]]
    assert {line.kind for line in parsed.items} <= {"goods", "service"}
    assert parsed.approved_by


def test_parse_works_without_a_domain(client: openai.OpenAI) -> None:
    completion = client.chat.completions.parse(model="vlm-1", messages=ask(), response_format=Invoice)

    parsed = completion.choices[0].message.parsed
    assert isinstance(parsed, Invoice)
    assert parsed.items
    assert parsed.issuer_name.strip()


def test_parse_works_asynchronously(served: RunningMock) -> None:
    async def parse() -> Invoice | None:
        async with openai.AsyncOpenAI(base_url=served.openai_url, api_key="test") as asynchronous:
            completion = await asynchronous.chat.completions.parse(
                model="vlm-1", messages=ask(), response_format=Invoice, extra_body=INVOICE
            )
            return completion.choices[0].message.parsed

    parsed = asyncio.run(parse())

    assert parsed is not None
    assert parsed.invoice_id == answer_of("document.invoice")["invoice_id"]


def test_a_json_schema_decides_the_shape_of_the_answer(client: openai.OpenAI) -> None:
    schema: dict[str, object] = {
        "type": "object",
        "properties": {"vendor_name": {"type": "string"}, "iban": {"type": "string"}, "score": {"type": "integer"}},
        "required": ["vendor_name", "iban", "score"],
        "additionalProperties": False,
    }

    completion = client.chat.completions.create(
        model="vlm-1",
        messages=ask(),
        response_format={"type": "json_schema", "json_schema": {"name": "payment", "schema": schema, "strict": True}},
    )

    jsonschema_rs.validator_for(schema).validate(content(completion))


def test_a_json_object_is_an_object_even_without_a_domain(client: openai.OpenAI) -> None:
    completion = client.chat.completions.create(model="vlm-1", messages=ask(), response_format={"type": "json_object"})

    assert "No domain was given" in content(completion)["message"]


def test_a_streaming_client_sees_no_chunk_and_the_log_says_why(served: RunningMock, client: openai.OpenAI) -> None:
    before = len(served.lines)

    stream = client.chat.completions.create(model="vlm-1", messages=ask("stream"), extra_body=INVOICE, stream=True)
    chunks = list(stream)

    assert chunks == []
    assert stream.response.headers["x-vlmrun-mock-ignored"] == "stream"
    assert any("sees no chunk" in line for line in served.lines[before:])


def test_parameters_that_the_api_does_not_name_are_accepted(client: openai.OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(
        model="gpt-4o-mini",
        messages=ask(),
        extra_body=INVOICE,
        seed=7,
        user="someone",
        store=False,
        metadata={"team": "a"},
        reasoning_effort="low",
        tools=[{"type": "function", "function": {"name": name}} for name in ("save", "send")],
        tool_choice="auto",
        parallel_tool_calls=False,
    )

    completion = raw.parse()
    assert content(completion) == answer_of("document.invoice")
    assert completion.model == "gpt-4o-mini"
    assert completion.choices[0].message.tool_calls is None
    assert raw.headers["x-vlmrun-mock-ignored"] == "tools, parallel_tool_calls, seed, reasoning_effort"


def test_the_models_are_listed_and_retrieved(client: openai.OpenAI) -> None:
    names = [model.id for model in client.models.list()]

    assert {"vlm-1", "vlmrun-orion-1:auto"} <= set(names)
    assert [client.models.retrieve(name).id for name in names] == names
    assert client.models.retrieve("vlm-9").id == "vlm-9"
