"""What all servers answer: the invoice that this project packages, as long for each of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

INVOICE = Path(__file__).parent.parent / "fixtures" / "document.invoice" / "answer.json"


def invoice() -> str:
    """Return the content of an answer to any request."""
    return json.dumps(json.loads(INVOICE.read_bytes())["answer"]["content"], separators=(",", ":"))


def numbered(number: int) -> str:
    """Return the content that the fixture of this number answers."""
    return json.dumps({"invoice_id": f"INV-{number}"}, separators=(",", ":"))


def completion(model: str) -> dict[str, Any]:
    """Return a chat completion with the invoice."""
    message = {"role": "assistant", "content": invoice()}
    return {
        "id": "chatcmpl-0",
        "object": "chat.completion",
        "created": 1735689600,
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 100, "total_tokens": 200},
    }
