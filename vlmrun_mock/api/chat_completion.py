"""Chat completions: an answer in the envelope that the API documents, with its token usage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeGuard

from msgspec import Raw

from vlmrun_mock.api.chat_request import ChatRequest
from vlmrun_mock.api.errors import BodyTooLarge
from vlmrun_mock.api.request import ExtractionRequest
from vlmrun_mock.api.tokens import MOST_UNBROKEN, Tokenizer, Unbroken, image_tokens, message_tokens
from vlmrun_mock.seed import Stamp

SYSTEM_FINGERPRINT = "2024-08-01"
"""A release date, as the documentation's own example has."""

STATUS = {"vlm-1": 201, "agents": 200, "orion": 200}
"""The success status by generation: documented for vlm-1, recorded for Orion."""


SUCCESSFUL = range(200, 300)

FIGURES = ("prompt_tokens", "completion_tokens", "total_tokens")

UNBROKEN = (
    f"The texts have more than {MOST_UNBROKEN:,} characters far from any letter or digit that stands before a sign, a "
    "blank or one of the other: their tokens would take too long to count"
)
"""What is said of a text whose tokens are not counted."""


def usage(
    request: ExtractionRequest, text: str, given: Mapping[str, Any], tokenizer: Tokenizer, *, at_once: bool = False
) -> dict[str, int]:
    """Return the token figures of an answer: those `given` by a fixture, the others counted.

    Prompt: texts with OpenAI's overhead per message, and pictures by its tile rule. Completion: the content, exactly.
    Raises BodyTooLarge for a text of the prompt that would take too long to count, and with `at_once` TakesLong for
    what is better counted in a thread.
    """
    given = {name: given[name] for name in FIGURES if isinstance(given.get(name), int)} if given else given
    if "prompt_tokens" in given:
        prompt = given["prompt_tokens"]
    else:
        try:
            messages = [(message.role, message.texts) for message in request.messages]
            prompt = message_tokens(tokenizer, messages, at_once=at_once)
        except Unbroken:
            raise BodyTooLarge(UNBROKEN) from None
        for document in request.documents:
            prompt += image_tokens(document.width, document.height)
    if "completion_tokens" in given:
        completion = given["completion_tokens"]
    else:
        completion = tokenizer.count_at_once(text) if at_once else tokenizer.count(text)
    total = given.get("total_tokens", prompt + completion)
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": total}


def chat_completion(chat: ChatRequest, text: str | Raw, figures: Mapping[str, int], stamp: Stamp) -> dict[str, Any]:
    """Return the body of a successful answer, whose text may be JSON already."""
    return {
        "id": chat.id or stamp.completion_id(chat.extraction.fingerprint),
        "object": "chat.completion",
        "created": stamp.created(),
        "model": chat.extraction.model,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": dict(figures),
        "system_fingerprint": SYSTEM_FINGERPRINT,
    }


def is_completion(body: object) -> TypeGuard[dict[str, Any]]:
    """Return whether a JSON value is a chat completion: it has choices, of which the first has a message."""
    choices = body.get("choices") if isinstance(body, dict) else None
    first = choices[0] if isinstance(choices, list) and choices else None
    return isinstance(first, dict) and isinstance(first.get("message"), dict)


def recorded_usage(completion: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the usage in a body as it was recorded, vendor's own keys included; nothing if there is none."""
    found = completion.get("usage")
    return found if isinstance(found, dict) else {}


def split_content(completion: Mapping[str, Any]) -> tuple[dict[str, Any], str | None]:
    """Return a body without the text of its first choice's message, and that text; the way back is `with_content`.

    Without a text, what is in its place stays; null stands for nothing there.
    """
    first, *others = completion["choices"]
    message, text = dict(first["message"]), first["message"].get("content")
    if isinstance(text, str):
        del message["content"]
    else:
        message["content"] = text
    rest = {**completion, "choices": [{**first, "message": message}, *others]}
    return rest, text if isinstance(text, str) else None


def with_content(completion: Mapping[str, Any], text: str, given: Mapping[str, int]) -> dict[str, Any]:
    """Return a body as it was recorded, with its content back in place, and the usage that a fixture gives.

    A `content` that is left in the recorded message, such as null, stays.
    """
    first, *others = completion["choices"]
    message = {**first["message"], "content": first["message"].get("content", text)}
    body = {**completion, "choices": [{**first, "message": message}, *others]}
    return {**body, "usage": {**recorded_usage(completion), **given}} if given else body
