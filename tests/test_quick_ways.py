"""What is quick never changes an answer: requests are asked in a usual spelling and in one that nothing speeds up.

The second spelling is never the same twice, so that no response is remembered; has too many lists to be decoded at
once; and escapes a letter of each data URL, so that none is taken out of the text before it is parsed.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.types import ASGIApp, Message

from tests.corpus.documents import data_url, png
from tests.serving import CHAT
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
PADDING: list[list[object]] = [[]] * (MOST_BRACKETS + 1)


def write_fixture(folder: Path, number: int, version: int) -> None:
    """Write a fixture for one word; one of ten has several answers, and one of ten is an error."""
    said = {"content": f"number {number}, version {version}"}
    error = {"error": {"status": 418, "message": f"teapot {version}"}}
    answer: dict[str, Any] = {"answers": [said, {"content": "again"}]} if number % 10 == 0 else {"answer": said}
    match = {"domain": DOMAINS[number % 4], "text": {"contains": f"<{number}>"}}
    fixture = {"match": match, **({"answer": error} if number % 10 == 5 else answer)}
    (folder / f"{number:04}.json").write_text(json.dumps(fixture), encoding="utf-8")


def body(source: random.Random) -> dict[str, Any]:
    """Return a body: usual ones mostly, and all that is read, decoded and remembered in ways of its own."""
    text = source.choice(
        ("Extract", f"Extract <{source.randrange(FIXTURES)}>", f"No. {source.randrange(10_000)}", "ä€😀")
    )
    parts: list[dict[str, Any]] = [{"type": "text", "text": text}]
    parts += (
        {"type": "image_url", "image_url": {"url": url}} for url in source.sample(PICTURES, source.choice((0, 0, 1, 2)))
    )
    made: dict[str, Any] = {"model": "vlm-1", "messages": [{"role": "user", "content": parts}]}
    made["vlmrun"] = {"domain": source.choice(DOMAINS), "metadata": {"session_id": source.choice(("a", "b", None))}}
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

    def __init__(self, folder: Path) -> None:
        self.lines: list[str] = []
        self.scopes = Scopes(Settings(fixtures=(folder,)))
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
        return sent[0]["status"], sorted(sent[0]["headers"]), sent[1]["body"]

    def journals(self) -> Iterator[Any]:
        """Yield what each journal says, but for the time and the digests of bodies that cannot be read."""
        for key in KEYS:
            for entry in self.scopes.of(key).journal:
                data = entry.as_json()
                yield {name: data[name] for name in data if name not in ("time", "seconds", "fingerprint")}
                yield entry.request and entry.fingerprint

    def log(self) -> list[str]:
        """Return the lines without the time of day and the milliseconds, and without the message of a bad body."""
        return [re.sub(r"^\S+|\d+ ms|validation_error: .*", "", line) for line in self.lines]


async def compare(quick: Client, slow: Client, folder: Path, count: int) -> int:
    """Ask for so many answers in both ways, with faults and other fixtures now and then; return how many differ."""
    source = random.Random(9)
    recent: list[dict[str, Any]] = []
    wrong = 0
    versions = itertools.count(1)
    for number in range(count):
        key, chance = source.choice(KEYS), source.random()
        if chance < 0.01:
            raw = json.dumps(source.choice(FAULTS)).encode()
            answers = [await client.ask("/_mock/faults", key, raw) for client in (quick, slow)]
        else:
            if chance < 0.013:
                write_fixture(folder, source.randrange(FIXTURES), next(versions))
                quick.scopes.store.reload()
                slow.scopes.store.reload()
            asked = source.choice(recent) if recent and source.random() < 0.6 else body(source)
            recent = [*recent[-30:], asked]
            raws = spellings(asked, number)
            answers = [await client.ask(CHAT, key, raw) for client, raw in zip((quick, slow), raws, strict=True)]
        wrong += answers[0] != answers[1]
    return wrong


def test_mixed_requests_are_answered_logged_and_noted_as_in_the_plain_way(
    tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    for number in range(FIXTURES):
        write_fixture(tmp_path, number, 0)
    quick, slow = Client(tmp_path), Client(tmp_path)

    wrong = asyncio.run(compare(quick, slow, tmp_path, 10_000 if pytestconfig.getoption("campaign") else 300))

    assert wrong == 0
    assert list(quick.journals()) == list(slow.journals())
    assert quick.log() == slow.log()
