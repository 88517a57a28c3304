"""A stand-in for the real API, for the tests that record: a server whose answer depends on the whole message."""

from __future__ import annotations

import asyncio
import hashlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.process import PATIENCE
from tests.serving import CHAT
from vlmrun_mock.web import server

IDENTIFYING = ("messages", "vlmrun", "domain", "json_schema", "response_format")

KEY = "sk-the-real-key-1234567890"


class RealApi:
    """What it was asked, and what it says: `say` replaces its own answer, `wait` is in seconds.

    To set `wait` anew also ends or prolongs the waiting that is under way.
    """

    def __init__(self) -> None:
        self.url = ""
        self.app = Starlette(routes=[Route(CHAT, self._chat, methods=["POST"])])
        self.reset()

    def reset(self) -> None:
        """Forget what was asked and told."""
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.say: Callable[[Request, dict[str, Any]], Response] = completion
        self.wait = 0.0

    @property
    def asked(self) -> int:
        """Return how often it was asked."""
        return len(self.bodies)

    def wait_until_asked(self, times: int) -> None:
        """Wait until it was asked so often."""
        deadline = time.monotonic() + PATIENCE
        while self.asked < times:
            assert time.monotonic() < deadline
            time.sleep(0.005)

    async def _chat(self, request: Request) -> Response:
        try:
            raw = await request.body()
        except ClientDisconnect:  # a recorder that was killed
            return Response()
        self.bodies.append(raw)
        self.headers.append(dict(request.headers))
        began = time.monotonic()
        while (left := began + self.wait - time.monotonic()) > 0:  # noqa: ASYNC110 - a test's thread sets `wait`
            await asyncio.sleep(min(left, 0.02))
        return self.say(request, json.loads(raw))


def completion(request: Request, body: dict[str, Any]) -> Response:
    """Return a completion that no other message gets, and that tells the key in its body, a header and a cookie."""
    asked = {name: body.get(name) for name in (*IDENTIFYING, "model")}
    digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
    key = request.headers.get("authorization", "") or request.headers.get("x-api-key", "")
    content = {"invoice_id": digest[:12], "total_amount": 12.5, "notes": f"Für {key}"}
    response = JSONResponse(
        {
            "id": f"chatcmpl-{digest[:8]}",
            "object": "chat.completion",
            "created": 1700000000,
            "model": "vlm-1-2026",
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": json.dumps(content)},
                    "finish_reason": "stop",
                }
            ],
            "usage": {"prompt_tokens": 700, "completion_tokens": 30, "total_tokens": 730, "credits_used": 3},
            "system_fingerprint": "2026-01-01",
            "debug": {"authorization": key, "token": key.removeprefix("Bearer ")},
        },
        status_code=201,
        headers={"x-echo": key, "retry-after": "0"},
    )
    response.set_cookie("session", key.removeprefix("Bearer "))
    return response


def says(content: str | bytes, status: int = 201, media_type: str = "application/json") -> Callable[..., Response]:
    """Return what answers everything with the same text."""
    return lambda _request, _body: Response(content, status, media_type=media_type)


def says_content(text: str | None, **further: Any) -> Callable[..., Response]:
    """Return what answers everything with the same message, and further keys in the body."""
    message = {"role": "assistant", "content": text}
    body = {"id": "chatcmpl-1", "object": "chat.completion", "choices": [{"index": 0, "message": message}], **further}
    return says(json.dumps(body))


@contextmanager
def real_api() -> Iterator[RealApi]:
    """Serve for the length of a `with` block."""
    api = RealApi()
    with server.running(api.app) as url:
        api.url = url
        yield api
        api.wait = 0


@contextmanager
def real_api_with_certificate(certificate: Path, key: Path) -> Iterator[RealApi]:
    """Serve over TLS for the length of a `with` block."""
    api = RealApi()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(api.app, ssl_certfile=certificate, ssl_keyfile=key, log_level="error", lifespan="off")
        serving = uvicorn.Server(config)
        thread = threading.Thread(target=serving.run, args=([listener],), daemon=True)
        thread.start()
        api.url = f"https://localhost:{listener.getsockname()[1]}"
        try:
            yield api
        finally:
            serving.should_exit = True
            thread.join()
