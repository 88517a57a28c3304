"""A mock without a server, and requests for it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from vlmrun_mock.api import chat_parser
from vlmrun_mock.api.answer import Answer
from vlmrun_mock.api.request import ExtractionRequest
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


def asked(content: object = "Extract", **body: Any) -> ExtractionRequest:
    """Return a request of one message."""
    raw = json.dumps({"messages": [{"role": "user", "content": content}], **body}).encode()
    return chat_parser.parse(raw).extraction


def answer_to(mock: Mock, request: ExtractionRequest) -> Answer:
    """Return a mock's answer to a request, whose domain may have an old spelling; raises ApiError."""
    return asyncio.run(mock.answer(mock.present(request)))
