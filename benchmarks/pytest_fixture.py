"""Twenty tests with one call each through a mock's pytest fixture, against the same with stubllm and LLMock.

Run `python -m benchmarks.pytest_fixture [ROUNDS]`. Each of the three gets a virtual environment of its own, which pip
makes in a temporary folder, with nothing but itself and pytest; they are run in turn. The calls are made by the
standard library. The figures are the medians of what pytest reports for the whole session, after one round that is not
counted, in which the caches of compiled modules are filled.
"""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import tempfile
import venv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent

TESTS = """\
import json
import os
import urllib.request

import pytest


def ask(url):
    body = {"model": "MODEL", "messages": [{"role": "user", "content": "Extract"}]} | BODY
    headers = {"Authorization": "Bearer " + os.environ.get("OPENAI_API_KEY", "key"), "Content-Type": "application/json"}
    request = urllib.request.Request(f"{url}/chat/completions", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["choices"][0]["message"]["content"]


@pytest.mark.parametrize("number", range(20))
def test_one_call(FIXTURE, number):
    assert ask(URL)
"""


@dataclass(frozen=True, slots=True)
class Peer:
    """A package with a pytest fixture, and how its URL and its requests are written."""

    package: str
    fixture: str
    url: str
    model: str = "gpt-4o"
    body: str = "{}"

    @property
    def tests(self) -> str:
        """Return the module of tests."""
        words = {"FIXTURE": self.fixture, "URL": self.url, "MODEL": self.model, "BODY": self.body}
        return re.sub("|".join(rf"\b{word}\b" for word in words), lambda found: words[found[0]], TESTS)


PEERS: Mapping[str, Peer] = {
    "vlmrun-mock": Peer(
        str(ROOT), "vlmrun_mock", "vlmrun_mock.openai_url", "vlm-1", '{"vlmrun": {"domain": "document.invoice"}}'
    ),
    "stubllm": Peer("stubllm", "stubllm_server", 'stubllm_server.url + "/v1"'),
    "llmock": Peer("llmock", "llmock", 'llmock.base_url("openai")'),
}


def prepared(folder: Path, peer: Peer) -> list[str]:
    """Make an environment and the tests in a folder, and return the command that runs them."""
    folder.mkdir()
    venv.create(folder / "venv", with_pip=True)
    python = str(folder / "venv" / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "--quiet", "pytest", peer.package], check=True)  # noqa: S603 - our own command
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    (folder / "test_calls.py").write_text(peer.tests, encoding="utf-8")
    return [python, "-m", "pytest", "-q", str(folder)]


def seconds(command: list[str]) -> float:
    """Return how long pytest says that the tests took."""
    ended = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own command
    found = re.search(r"20 passed(?:, \d+ warnings?)? in ([\d.]+)s", ended.stdout)
    if not found:
        raise RuntimeError(f"the tests did not pass:\n{ended.stdout}\n{ended.stderr}")
    return float(found[1])


def main() -> None:
    """Print the medians, and the ratios round by round."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    with tempfile.TemporaryDirectory() as folder:
        commands = {name: prepared(Path(folder, name), peer) for name, peer in PEERS.items()}
        taken = [{name: seconds(command) for name, command in commands.items()} for _ in range(rounds + 1)][1:]
    for name in PEERS:
        median = statistics.median(each[name] for each in taken)
        ratio = statistics.median(each["vlmrun-mock"] / each[name] for each in taken)
        print(
            f"{name:<12} {median:.2f} s" + ("" if name == "vlmrun-mock" else f", vlmrun-mock takes {ratio:.2f} of it")
        )


if __name__ == "__main__":
    main()
