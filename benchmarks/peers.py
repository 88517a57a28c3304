"""The peers: how each is installed, started, and taught what to answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.answers import invoice, numbered
from benchmarks.bodies import note
from benchmarks.environments import OWN, Environment, NodeEnvironment, PythonEnvironment

SUBJECT = "vlmrun-mock"
"""The name of the peer that the others are compared with."""

Fixtures = Callable[[Path, int], Sequence[str]]
"""Writes that many fixtures into a folder, and one for all else; returns the options that load them."""


@dataclass(frozen=True, slots=True)
class PytestFixture:
    """A pytest fixture of a peer, and the expression for the URL before `/chat/completions`."""

    environment: PythonEnvironment
    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Peer:
    """Something that answers chat completions.

    `command` starts it, followed by the options of `fixtures` and by `port_option` with the port.
    """

    name: str
    environment: Environment
    package: str
    command: Sequence[str]
    port_option: str = "--port"
    path: str = "/v1/chat/completions"
    fixtures: Fixtures | None = None
    pytest: PytestFixture | None = None
    extra: dict[str, Any] = field(default_factory=lambda: {"vlmrun": {"domain": "document.invoice"}})
    """What its requests say beside OpenAI's own keys."""

    def start(self, folder: Path, port: int, fixtures: int) -> Sequence[str]:
        """Return the command that serves on a port with that many fixtures, whose files go into the folder."""
        options = self.fixtures(folder, fixtures) if self.fixtures else ()
        return [*self.command, *options, self.port_option, str(port)]


def _write(file: Path, content: Any) -> str:
    file.write_text(json.dumps(content), encoding="utf-8")
    return str(file)


def _own(folder: Path, count: int) -> Sequence[str]:
    files = folder / "fixtures"
    files.mkdir()
    for number in range(count):
        match = {"domain": "document.invoice", "text": {"contains": note(number)}}
        _write(files / f"{number}.json", {"match": match, "answer": {"content": json.loads(numbered(number))}})
    return ["--fixtures", str(files)] if count else ()


def _aimock(folder: Path, count: int) -> Sequence[str]:
    listed = [
        {"match": {"userMessage": note(number)}, "response": {"content": numbered(number)}} for number in range(count)
    ]
    listed.append({"match": {}, "response": {"content": invoice()}})
    return ["-f", _write(folder / "fixtures.json", {"fixtures": listed})]


def _stubllm(folder: Path, count: int) -> Sequence[str]:
    listed: list[dict[str, Any]] = [
        {
            "name": f"note-{number}",
            "match": {"provider": "openai", "messages": [{"role": "user", "content": {"contains": note(number)}}]},
            "response": {"content": numbered(number)},
        }
        for number in range(count)
    ]
    listed.append({"name": "all", "match": {"provider": "any"}, "response": {"content": invoice()}})
    return ["--fixture-file", _write(folder / "fixtures.json", {"fixtures": listed})]


def _mocktopus(folder: Path, count: int) -> Sequence[str]:
    rules: list[dict[str, Any]] = [
        {"type": "llm.openai", "when": {"messages_contains": note(number)}, "respond": {"content": numbered(number)}}
        for number in range(count)
    ]
    rules.append({"type": "llm.openai", "when": {"model": "*"}, "respond": {"content": invoice()}})
    return ["-s", _write(folder / "scenario.yaml", {"version": 1, "rules": rules})]  # JSON is YAML


def _fakellm(folder: Path, count: int) -> Sequence[str]:
    rules: list[dict[str, Any]] = [
        {"name": f"note-{number}", "when": {"messages_contain": note(number)}, "respond": {"content": numbered(number)}}
        for number in range(count)
    ]
    rules.append({"name": "all", "when": {}, "respond": {"content": invoice()}})
    return ["--config", _write(folder / "fakellm.yaml", {"version": 1, "rules": rules})]


def peers() -> Sequence[Peer]:
    """Return all peers, this project first; each logs as little as its options allow."""
    aimock = NodeEnvironment("aimock", "@copilotkit/aimock")
    stubllm = PythonEnvironment("stubllm", ["stubllm", "pytest"])
    llmock = PythonEnvironment("llmock", ["llmock", "pytest"])
    mocktopus = PythonEnvironment("mocktopus", ["mocktopus"])
    fakellm = PythonEnvironment("fakellm", ["fakellm"])
    python = str(OWN.python)
    uvicorn = [python, "-m", "uvicorn", "--no-access-log", "--log-level", "warning"]
    return (
        Peer(
            SUBJECT,
            OWN,
            "vlmrun-mock",
            [python, "-m", "vlmrun_mock", "serve"],
            path="/v1/openai/chat/completions",
            fixtures=_own,
            pytest=PytestFixture(OWN, "vlmrun_mock", "vlmrun_mock.openai_url"),
        ),
        Peer("bare", OWN, "uvicorn", [*uvicorn, "benchmarks.applications:bare"]),
        Peer("Starlette", OWN, "starlette", [*uvicorn, "benchmarks.applications:json_reader"]),
        Peer(
            "aimock",
            aimock,
            aimock.package,
            ["node", str(aimock.folder / "dist" / "cli.js"), "--log-level", "silent"],
            fixtures=_aimock,
        ),
        Peer(
            "stubllm",
            stubllm,
            "stubllm",
            [stubllm.script("stubllm"), "serve", "--log-level", "warning"],
            fixtures=_stubllm,
            pytest=PytestFixture(stubllm, "stubllm_server", 'stubllm_server.url + "/v1"'),
        ),
        Peer(
            "LLMock",
            llmock,
            "llmock",
            [llmock.script("llmock"), "serve", "--log-level", "warning"],
            pytest=PytestFixture(llmock, "llmock", 'llmock.base_url("openai")'),
        ),
        Peer("mocktopus", mocktopus, "mocktopus", [mocktopus.script("mocktopus"), "serve"], fixtures=_mocktopus),
        Peer("fakellm", fakellm, "fakellm", [fakellm.script("fakellm"), "serve"], fixtures=_fakellm),
    )
