"""The lines to paste set variables in the shell that reads them."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from vlmrun_mock.cli.shells import lines

VARIABLES = {"OPENAI_BASE_URL": "http://127.0.0.1:8000/v1/openai", "OPENAI_API_KEY": "local"}
AWKWARD = ["a b", "<a key>", "it's", "$HOME", "`id`", '"', "*.example,127.0.0.1", "a;b", "a&b", "", "\\", "ü"]


@pytest.mark.parametrize("value", AWKWARD)
def test_a_shell_reads_each_value_as_it_is(value: str) -> None:
    show = f"{sys.executable} -c 'import json, os; print(json.dumps(os.environ[\"NAME\"]))'"
    script = "\n".join((*lines({"NAME": value}, "sh", "posix"), show))

    shell = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True, encoding="utf-8")

    assert json.loads(shell.stdout) == value


@pytest.mark.parametrize(
    ("shell", "printed"),
    [
        (
            "powershell",
            ["$env:OPENAI_BASE_URL = 'http://127.0.0.1:8000/v1/openai'", "$env:OPENAI_API_KEY = 'local'", "# said"],
        ),
        (
            "cmd",
            ['set "OPENAI_BASE_URL=http://127.0.0.1:8000/v1/openai"', 'set "OPENAI_API_KEY=local"', "rem said"],
        ),
        (
            "sh",
            ["export OPENAI_BASE_URL=http://127.0.0.1:8000/v1/openai", "export OPENAI_API_KEY=local", "# said"],
        ),
    ],
)
@pytest.mark.parametrize("platform", ["nt", "posix"])
def test_a_shell_that_is_named_gets_its_own_lines(shell: str, printed: list[str], platform: str) -> None:
    assert list(lines(VARIABLES, shell, platform, "said")) == printed


def test_a_quote_is_doubled_in_powershell() -> None:
    assert list(lines({"NO_PROXY": "it's"}, "powershell", "nt")) == ["$env:NO_PROXY = 'it''s'"]


def test_on_windows_the_lines_of_both_shells_are_printed() -> None:
    assert list(lines({"A": "b"}, "auto", "nt")) == ["In PowerShell:", "$env:A = 'b'", "", "In cmd:", 'set "A=b"']


def test_elsewhere_the_lines_are_those_of_the_usual_shell() -> None:
    assert list(lines({"A": "b"}, "auto", "posix")) == ["export A=b"]
