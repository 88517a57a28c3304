"""A mock without a server, and requests for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from vlmrun_mock.api import chat_parser
from vlmrun_mock.api.request import ChatRequest
from vlmrun_mock.mock.mock import Mock
from vlmrun_mock.mock.settings import Settings

INVOICE: dict[str, Any] = {"domain": "document.invoice"}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"invoice_id": {"type": "string"}, "shelf_number": {"type": "integer"}},
    "required": ["invoice_id", "shelf_number"],
    "additionalProperties": False,
}


def strict(*folders: Path) -> Mock:
    """Return a strict mock with the fixtures of some folders."""
    return Mock(Settings(fixtures=folders, strict=True))


def asked(content: object = "Extract", **body: Any) -> ChatRequest:
    """Return a request of one message."""
    return chat_parser.parse(json.dumps({"messages": [{"role": "user", "content": content}], **body}).encode())
