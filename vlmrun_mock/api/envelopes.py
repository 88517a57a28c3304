"""The answer inside an envelope: a chat completion, a prediction or an execution."""

from __future__ import annotations

import json
from typing import Any


def content_of(data: Any) -> tuple[Any, bool]:
    """Return the answer inside of its envelope, and whether there is one: of a chat, a prediction or an execution."""
    if not isinstance(data, dict):
        return None, False
    choices = data.get("choices")
    if isinstance(choices, list) and choices and isinstance(choices[0], dict):
        message = choices[0].get("message")
        said = message.get("content") if isinstance(message, dict) else None
        return parsed(said) if isinstance(said, str) else (None, False)
    if "response" in data and "status" in data:
        return data["response"], data["response"] is not None
    return None, False


def parsed(text: str) -> tuple[Any, bool]:
    """Return the JSON value that a text is, else the text, and whether it says anything."""
    try:
        return json.loads(text), True
    except (ValueError, RecursionError):
        return text, bool(text)
