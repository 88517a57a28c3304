"""An answer goes out in the documented envelope, with token figures that add up."""

from __future__ import annotations

import itertools
import uuid

import pytest

from vlmrun_mock.api.chat_completion import STATUS, chat_completion, usage
from vlmrun_mock.api.chat_request import ChatRequest
from vlmrun_mock.api.request import ExtractionRequest, Message
from vlmrun_mock.api.tokens import Tokenizer
from vlmrun_mock.documents.identity import Document
from vlmrun_mock.seed import Seed, Stamp

FIGURES = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    """Return a tokenizer that the tests share, since it takes a moment to load."""
    return Tokenizer()


def test_the_envelope_is_the_documented_one() -> None:
    request = ExtractionRequest(messages=(Message("user", ("Extract",)),), domain="document.invoice")

    body = chat_completion(ChatRequest(request), '{"total":1}', FIGURES, Stamp(Seed()))

    assert uuid.UUID(body.pop("id").removeprefix("chatcmpl-")).version == 4
    assert body == {
        "object": "chat.completion",
        "created": 1735689600,
        "model": "vlm-1",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": '{"total":1}'},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": FIGURES,
        "system_fingerprint": "2024-08-01",
    }


def test_a_client_may_choose_the_id_and_its_model_is_echoed() -> None:
    request = ChatRequest(ExtractionRequest(model="Qwen/Qwen2-VL"), id="mine")

    body = chat_completion(request, "", FIGURES, Stamp(Seed(), random_ids=True))

    assert (body["id"], body["model"]) == ("mine", "Qwen/Qwen2-VL")


def test_every_generation_has_its_documented_status() -> None:
    models = ("vlm-1", "gpt-4o-mini", "vlm-agent-1", "vlm-agent-1:pro", "vlmrun-orion-1:fast", "vlmrun-orion-2")

    statuses = [STATUS[ExtractionRequest(model=model).generation] for model in models]

    assert statuses == [201, 201, 200, 200, 200, 200]


def test_usage_counts_texts_pictures_and_content(tokenizer: Tokenizer) -> None:
    messages = (Message("system", ("You read documents.",)), Message("user", ("Extract", "the total")))
    pictures = (
        Document("sha256:0", "image_url", width=512, height=512),
        Document("https://example.com/a", "image_url"),
    )

    bare = usage(ExtractionRequest(), "", {}, tokenizer)
    worded = usage(ExtractionRequest(messages=messages), "", {}, tokenizer)
    pictured = usage(ExtractionRequest(messages=messages, documents=pictures), '{"total":1}', {}, tokenizer)

    counted = tokenizer.count("You read documents.") + tokenizer.count("Extract") + tokenizer.count("the total")
    assert bare == {"prompt_tokens": 3, "completion_tokens": 0, "total_tokens": 3}
    assert worded["prompt_tokens"] == 3 + (3 + 1) + (3 + 1) + counted
    assert pictured["prompt_tokens"] == worded["prompt_tokens"] + (85 + 170) + (85 + 4 * 170)
    assert pictured["completion_tokens"] == tokenizer.count('{"total":1}') > 0
    assert pictured["total_tokens"] == pictured["prompt_tokens"] + pictured["completion_tokens"]


@pytest.mark.parametrize(
    "given",
    [
        {name: 100 + index for index, name in enumerate(names)}
        for count in range(1, 4)
        for names in itertools.combinations(FIGURES, count)
    ],
)
def test_given_figures_replace_the_counted_ones_and_the_total_follows(
    given: dict[str, int], tokenizer: Tokenizer
) -> None:
    counted = usage(ExtractionRequest(), "words", {}, tokenizer)

    figures = usage(ExtractionRequest(), "words", given, tokenizer)

    parts = {name: given.get(name, counted[name]) for name in ("prompt_tokens", "completion_tokens")}
    assert figures == {**parts, "total_tokens": given.get("total_tokens", sum(parts.values()))}


def test_a_given_zero_is_a_figure(tokenizer: Tokenizer) -> None:
    figures = usage(ExtractionRequest(), "words", {"prompt_tokens": 0, "completion_tokens": 0}, tokenizer)

    assert figures == {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
