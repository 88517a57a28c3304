"""What every answer of the chat endpoint must look like, whatever was sent."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx

from tests.serving import CHAT, RunningMock

KEY = "sk-a-key-that-nobody-must-see"
LONGEST_ERROR = 10_000
"""Characters: no error repeats what was sent at length."""


def not_a_number(name: str) -> float:
    """Refuse what Python's json module reads and JSON does not have."""
    raise AssertionError(f"{name} is not JSON")


def checked(response: httpx.Response) -> int:
    """Check that an answer is in the API's shape, and return its status."""
    body = json.loads(response.content, parse_constant=not_a_number)
    assert response.status_code < 500, body
    assert KEY not in response.text
    if response.is_success:
        assert body["object"] == "chat.completion"
        assert isinstance(body["choices"][0]["message"]["content"], str)
        assert body["usage"]["total_tokens"] == body["usage"]["prompt_tokens"] + body["usage"]["completion_tokens"]
        return response.status_code
    assert 400 <= response.status_code < 500
    assert set(body) == {"error", "detail"}
    assert {"message", "type", "param", "code"} <= set(body["error"])
    assert body["error"]["message"]
    assert isinstance(body["detail"], list) == (response.status_code == 422)
    for item in body["detail"] if isinstance(body["detail"], list) else ():
        assert set(item) == {"type", "loc", "msg"}
        assert item["loc"][0] == "body"
    assert len(response.text) < LONGEST_ERROR
    return response.status_code


def post(served: RunningMock, content: bytes | Iterator[bytes], **headers: str) -> int:
    """Send a body, and return the status of a checked answer."""
    return checked(served.http.post(CHAT, content=content, headers={"Authorization": f"Bearer {KEY}", **headers}))
