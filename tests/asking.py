"""What the tests of the SDKs send and read, in the SDKs' own types."""

from __future__ import annotations

import json
from typing import Any

from openai.types.chat import ChatCompletion, ChatCompletionMessageParam

from tests.serving import data_url
from vlmrun_mock.fixtures.domains import packaged

INVOICE = {"vlmrun": {"domain": "document.invoice"}}


def ask(text: str = "Extract the data", *pictures: bytes) -> list[ChatCompletionMessageParam]:
    """Return the messages of one user, with JPEG pictures."""
    parts: list[Any] = [{"type": "text", "text": text}]
    parts += [{"type": "image_url", "image_url": {"url": data_url(each, "image/jpeg")}} for each in pictures]
    return [{"role": "user", "content": parts}]


def content(completion: ChatCompletion) -> Any:
    """Return what the model said, read as JSON."""
    return json.loads(completion.choices[0].message.content or "")


def answer_of(domain: str) -> dict[str, Any]:
    """Return a domain's packaged answer."""
    found = packaged().get(domain)
    assert found is not None
    return found.content
