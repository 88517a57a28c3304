"""Sessions of pytest whose tests ask a peer's fixture once each."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.machine import Cores
from benchmarks.peers import PytestFixture
from benchmarks.server import Unmeasured

TESTS = """\
import json
import urllib.request

import pytest

BODY = {{"model": "vlm-1", "messages": [{{"role": "user", "content": "Extract"}}], **{extra!r}}}
HEADERS = {{"Authorization": "Bearer key", "Content-Type": "application/json"}}


@pytest.mark.parametrize("number", range({count}))
def test_one_call({fixture}, number):
    request = urllib.request.Request({url} + "/chat/completions", json.dumps(BODY).encode(), HEADERS)
    with urllib.request.urlopen(request) as answer:
        assert json.load(answer)["choices"][0]["message"]["content"]
"""


class Session:
    """A project of one test file in a folder, with nothing installed but pytest and the peer."""

    def __init__(self, fixture: PytestFixture, extra: Mapping[str, Any], folder: Path, count: int) -> None:
        folder.mkdir(parents=True)
        (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
        tests = TESTS.format(extra=dict(extra), count=count, fixture=fixture.name, url=fixture.url)
        (folder / "test_calls.py").write_text(tests, encoding="utf-8")
        self._folder = folder
        self._passed = f"{count} passed"
        self._variables = fixture.environment.variables()
        self._command = [str(fixture.environment.python), "-m", "pytest", "-q"]

    def seconds(self, cores: Cores) -> float:
        """Return how long the process takes, on all cores; raises Unmeasured unless all tests pass."""
        started = time.perf_counter()
        ended = subprocess.run(
            [*cores.unpinned(), *self._command],
            cwd=self._folder,
            env=self._variables,
            check=False,
            capture_output=True,
            text=True,
        )
        taken = time.perf_counter() - started
        if self._passed not in ended.stdout:
            raise Unmeasured(f"its tests do not pass: {ended.stdout[-500:]}{ended.stderr[-500:]}")
        return taken
