"""A running mock as tests use it, and the pictures that they send to it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import io
import json
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import uvicorn
from PIL import Image
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from vlmrun_mock.web.connection import knowing_transport
from vlmrun_mock.web.server import bind

CHAT = "/v1/openai/chat/completions"


class RunningMock:
    """A running mock, a plain HTTP client for it, and the lines that it logged."""

    def __init__(self, url: str, lines: list[str]) -> None:
        self.url = url
        self.openai_url = f"{url}/v1/openai"
        self.lines = lines
        self.http = httpx.Client(base_url=url, headers={"Authorization": "Bearer test"}, timeout=30)

    def chat(self, **body: object) -> httpx.Response:
        """Send a chat completion; the messages are a single word unless given."""
        before, deadline = len(self.lines), time.monotonic() + 30
        response = self.http.post(CHAT, json={"messages": [{"role": "user", "content": "Extract"}], **body})
        # A line is logged when its answer is on the way, which may be just after it is here.
        while len(self.lines) == before and time.monotonic() < deadline:
            time.sleep(0.001)
        return response

    def openai(self, api_key: str = "test") -> openai.OpenAI:
        """Return the official SDK's client."""
        return openai.OpenAI(base_url=self.openai_url, api_key=api_key, max_retries=0)


@contextlib.contextmanager
def listening(
    app: ASGIApp, protocol: type[asyncio.Protocol] = HttpToolsProtocol, *, idle_seconds: int = 75, **changes: Any
) -> Iterator[socket.socket]:
    """Serve an application on one of uvicorn's protocols, with changes to what is made of it; gives the socket."""
    config = uvicorn.Config(
        app,
        http=type("Changed", (knowing_transport(protocol),), changes),
        ws="none",
        proxy_headers=False,
        log_level="critical",
        log_config=None,
        timeout_keep_alive=idle_seconds,
    )
    server = uvicorn.Server(config)
    with bind() as listener:
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        while not server.started:
            time.sleep(0.005)
        yield listener
        server.should_exit = True
        thread.join()


def begun(url: str, body: object, key: str = "test", count: int = 1, patience: float = 30) -> socket.socket:
    """Return a bare socket on which a request was sent, or several at once; its answer is waited for so long."""
    raw = json.dumps(body).encode()
    head = f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nContent-Length: {len(raw)}\r\n\r\n"
    host, port = url.removeprefix("http://").split(":")
    client = socket.create_connection((host, int(port)), timeout=patience)
    client.sendall((head.encode() + raw) * count)
    return client


def picture(seed: int = 0, size: tuple[int, int] = (64, 48), kind: str = "PNG") -> bytes:
    """Return the bytes of a picture of one colour."""
    buffer = io.BytesIO()
    Image.new("RGB", size, (seed % 256, seed // 256 % 256, 128)).save(buffer, kind)
    return buffer.getvalue()


def data_url(data: bytes, media_type: str = "image/png") -> str:
    """Return bytes as a data URL."""
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


def image_message(*pictures: bytes, text: str = "Extract") -> list[dict[str, object]]:
    """Return the messages of a request with a text and pictures."""
    parts = [{"type": "image_url", "image_url": {"url": data_url(each)}} for each in pictures]
    return [{"role": "user", "content": [{"type": "text", "text": text}, *parts]}]


def text(response: httpx.Response) -> str:
    """Return the message of a successful answer."""
    assert response.status_code == 201, response.text
    content: str = response.json()["choices"][0]["message"]["content"]
    return content


def content(response: httpx.Response) -> Any:
    """Return the JSON in the message of a successful answer."""
    return json.loads(text(response))


def source(response: httpx.Response) -> tuple[str | None, str | None]:
    """Return where an answer came from: its source, and its fixture's name."""
    return response.headers.get("x-vlmrun-mock-source"), response.headers.get("x-vlmrun-mock-fixture")
