"""Requests of every kind, each in a usual spelling and in one that nothing speeds up, and what to ask with them.

The second spelling is never the same twice, so that no response is remembered; has too many lists to be decoded at
once; and escapes a letter of each data URL, so that none is taken out of the text before it is parsed.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp, Message

from tests.corpus.documents import data_url, png
from vlmrun_mock.api.bodies import MOST_BRACKETS
from vlmrun_mock.mock.scopes import Scopes
from vlmrun_mock.mock.settings import Settings
from vlmrun_mock.web.app import application

KEYS = [f"key-{number}" for number in range(8)]
DOMAINS = ("document.invoice", "document.receipt", "document.resume", "healthcare.patient-referral", "document.unknown")
FIXTURES = 1_000
PICTURES = [data_url(png(10 + number, 20) + bytes(number * 3_000)) for number in range(8)]
SCHEMA = {"type": "object", "properties": {"total": {"type": "number"}, "vendor": {"type": "string"}}}
FAULTS = (
    {"status": 429},
    {"status": 503, "every": 3, "times": 2},
    {"kind": "invalid-json"},
    {"kind": "invalid-schema", "domain": "document.invoice"},
    {"kind": "empty-choices"},
    {"kind": "no-usage", "times": 3},
    {"kind": "truncate"},
)
PADDING: list[object] = json.loads("[" * MOST_BRACKETS + "]" * MOST_BRACKETS)
"""Nested so deeply that a body is decoded in the way that takes longest."""


def fixture(number: int, version: int) -> str:
    """Return the file of a fixture for one word; one of ten has several answers, and one of ten is an error.

    A version has three digits, which are one token.
    """
    said = {"content": f"number {number}, version {version:03}"}
    error = {"error": {"status": 418, "message": f"teapot, version {version:03}"}}
    answer: dict[str, Any] = {"answers": [said, {"content": "again"}]} if number % 10 == 0 else {"answer": said}
    match = {"domain": DOMAINS[number % 4], "text": {"contains": f"<{number}>"}}
    return json.dumps({"match": match, **({"answer": error} if number % 10 == 5 else answer)})


def write_fixture(folder: Path, number: int, version: int) -> None:
    """Write the file of a fixture."""
    (folder / f"{number:04}.json").write_text(fixture(number, version), encoding="utf-8")


def body(source: random.Random) -> dict[str, Any]:
    """Return a body: usual ones mostly, and all that is read, decoded and remembered in ways of its own."""
    number = source.randrange(FIXTURES)
    text = source.choice(("Extract", f"Extract <{number}>", f"No. {source.randrange(10_000)}", "ä€😀"))
    parts: list[dict[str, Any]] = [{"type": "text", "text": text}]
    parts += (
        {"type": "image_url", "image_url": {"url": url}} for url in source.sample(PICTURES, source.choice((0, 0, 1, 2)))
    )
    made: dict[str, Any] = {"model": "vlm-1", "messages": [{"role": "user", "content": parts}]}
    domain = source.choice((DOMAINS[number % 4], *DOMAINS))
    made["vlmrun"] = {"domain": domain, "metadata": {"session_id": source.choice(("a", "b", None))}}
    chance = source.random()
    if chance < 0.02:
        made["response_format"] = {"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA}}
    elif chance < 0.1:
        made |= source.choice(({"max_tokens": 5}, {"max_tokens": "7"}, {"n": 2.0}, {"stop": ["x"]}, {"stream": True}))
    elif chance < 0.13:
        made["vlmrun"]["config"] = source.choice(({"confidence": True}, {"detail": "hi"}, {"skills": [1.0]}, None))
    elif chance < 0.16:
        made |= source.choice(({"messages": 5}, {"vlmrun": []}, {"temperature": "hot"}, {"id": "my-own"}))
    return made


def spellings(body: dict[str, Any], number: int) -> tuple[bytes, bytes]:
    """Return a body as clients write it, and in the spelling that nothing speeds up."""
    slow = json.dumps({**body, "padding": PADDING}).replace('"data:', '"d\\u0061ta:')
    return json.dumps(body).encode(), (slow + f"\n{' ' * (number % 97)}\n{' ' * (number // 97 % 97)}\n").encode()


class Client:
    """An application with a log, asked without a server."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.lines: list[str] = []
        self.scopes = Scopes(Settings(fixtures=(folder,), **settings))
        self._app: ASGIApp = application(self.scopes, self.lines.append)

    async def ask(self, path: str, key: str, raw: bytes) -> tuple[Any, ...]:
        """Return the status, the headers and the body that a request is answered with."""
        sent: list[Message] = []
        headers = [(b"authorization", f"Bearer {key}".encode())]
        scope = {"type": "http", "method": "POST", "path": path, "headers": headers, "query_string": b""}

        async def receive() -> Message:
            return {"type": "http.request", "body": raw, "more_body": False}

        async def send(message: Message) -> None:
            sent.append(message)

        await self._app(scope, receive, send)
        return sent[0]["status"], sorted(sent[0]["headers"]), b"".join(message["body"] for message in sent[1:])

    def journal(self, key: str) -> Iterator[Any]:
        """Yield what the journal of a key says, but for the time and the digests of bodies that cannot be read."""
        for entry in self.scopes.of(key).journal:
            data = entry.as_json()
            yield {name: data[name] for name in data if name not in ("time", "seconds", "fingerprint")}
            yield entry.request and entry.fingerprint

    def log(self) -> list[str]:
        """Return the lines as they can be compared."""
        return list(map(comparable, self.lines))


def comparable(line: str) -> str:
    """Return a line of a log without the time of day and the milliseconds, and without the message of a bad body."""
    return re.sub(r"^\S+|\d+ ms|validation_error: .*", "", line)
