"""The command line is a thin shell: clear lines, honest exit statuses, nothing secret and no tracebacks."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.process import run
from vlmrun_mock import __version__
from vlmrun_mock.cli import command, main
from vlmrun_mock.fixtures.domains import packaged
from vlmrun_mock.seed import Seed

Write = Callable[[str, str | bytes], Path]
OPTIONS = [parameter for parameter in command("serve").params if parameter.name != "help"]


def invoke(*arguments: str, **changes: str) -> tuple[int, str, str]:
    """Run a command in this process; return its exit status, its output and its errors."""
    result = CliRunner().invoke(main, arguments, env=changes, catch_exceptions=False)
    return result.exit_code, result.stdout, result.stderr


def test_help_lists_the_commands_and_every_option_with_its_default() -> None:
    status, commands, _ = invoke("--help")
    _, options, _ = invoke("serve", "-h")

    assert status == 0
    assert all(f"  {name} " in commands for name in ("serve", "domains", "hash"))
    assert all(parameter.opts[0] in options for parameter in OPTIONS)
    assert "64MiB" in options


def test_every_option_has_an_environment_variable_of_its_name() -> None:
    expected = {
        parameter.opts[0]: f"VLMRUN_MOCK_{parameter.opts[0][2:].replace('-', '_').upper()}" for parameter in OPTIONS
    }

    assert {parameter.opts[0]: parameter.envvar for parameter in OPTIONS} == expected
    assert len(expected) >= 11


def test_the_version_is_told() -> None:
    assert invoke("--version") == (0, f"vlmrun-mock, version {__version__}\n", "")


def test_the_module_is_the_command() -> None:
    ended = run("--version")

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, f"vlmrun-mock, version {__version__}\n", "")


def test_domains_are_listed_one_a_line_with_what_they_are() -> None:
    status, output, errors = invoke("domains")

    names = [line.split()[0] for line in output.splitlines()]
    assert (status, errors) == (0, "")
    assert names == packaged().names()
    assert all(len(line.split()) >= 3 for line in output.splitlines())


@pytest.mark.parametrize("name", ["document.invoice", "accounting.form-w2"])
def test_a_domain_prints_its_packaged_answer(name: str) -> None:
    status, output, errors = invoke("domains", name)

    domain = packaged().get(name)
    assert domain is not None
    assert (status, errors) == (0, "")
    assert json.loads(output) == domain.content


def test_a_domain_prints_the_varied_answer_of_a_seed() -> None:
    one, again, other = (invoke("domains", "document.invoice", "--vary", "--seed", seed) for seed in ("3", "3", "4"))

    domain = packaged().get("document.invoice")
    assert domain is not None
    assert json.loads(one[1]) == domain.varied(Seed(3))
    assert one == again != other


def test_a_data_set_has_a_varied_answer_a_line_or_is_one_list() -> None:
    arguments = ("domains", "document.receipt", "--count", "5", "--seed", "7", "--format")

    lines, listed = (invoke(*arguments, layout) for layout in ("jsonl", "json"))

    answers = [json.loads(line) for line in lines[1].splitlines()]
    assert len({answer["receipt_id"] for answer in answers}) == 5
    assert json.loads(listed[1]) == answers
    assert lines[2] == ""


def test_to_vary_needs_a_domain() -> None:
    status, _, errors = invoke("domains", "--count", "5")

    assert status == 2
    assert "name the domain" in errors


def test_a_domain_is_found_by_its_old_spelling() -> None:
    assert invoke("domains", "document.w2-form") == invoke("domains", "accounting.form-w2")


@pytest.mark.parametrize(
    ("asked", "closest"),
    [
        ("document.invoce", "document.invoice"),
        ("invoice", "document.invoice"),
        ("Document.Invoice", "document.invoice"),
    ],
)
def test_a_misspelt_domain_is_one_line_that_names_the_closest(asked: str, closest: str) -> None:
    status, output, errors = invoke("domains", asked)

    assert (status, output) == (1, "")
    assert errors.startswith(f"Error: unknown domain '{asked}'; closest: {closest}")
    assert errors.count("\n") == 1


@pytest.mark.parametrize("asked", ["", "\x1b[31mred", "nothing like it at all", "x" * 100_000])
def test_a_domain_that_resembles_none_is_one_safe_line(asked: str) -> None:
    status, output, errors = invoke("domains", asked)

    assert (status, output) == (1, "")
    assert errors.startswith("Error: unknown domain ")
    assert errors.rstrip("\n").isprintable()
    assert len(errors) < 500


def test_hash_prints_what_sha256sum_does(write: Write) -> None:
    contents = {"empty": b"", "a.png": b"\x89PNG", "name with blanks.pdf": os.urandom(200_000), "ключ.jpg": b"key"}
    files = [str(write(name, content)) for name, content in contents.items()]

    status, output, errors = invoke("hash", *files)

    lines = [line.split("  ", 1) for line in output.splitlines()]
    assert (status, errors) == (0, "")
    assert lines == [
        [f"sha256:{hashlib.sha256(content).hexdigest()}", file]
        for file, content in zip(files, contents.values(), strict=True)
    ]


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="sha256sum is not installed")
def test_hash_agrees_with_the_tool_of_that_name(write: Write) -> None:
    file = write("picture.jpg", os.urandom(100_000))

    _, output, _ = invoke("hash", str(file))
    theirs = subprocess.run(["sha256sum", file], capture_output=True, text=True, check=True)  # noqa: S607 - coreutils

    assert output == f"sha256:{theirs.stdout}"


def test_hash_refuses_what_it_cannot_read(tmp_path: Path) -> None:
    missing = invoke("hash", str(tmp_path / "missing"))
    folder = invoke("hash", str(tmp_path))
    nothing = invoke("hash")

    assert [status for status, _, _ in (missing, folder, nothing)] == [2, 2, 2]
    assert "does not exist" in missing[2]
    assert "is a directory" in folder[2]
    assert "Missing argument" in nothing[2]


BAD_OPTIONS: list[tuple[list[str], str]] = [
    (["--port", "65536"], "'--port'"),
    (["--port", "-1"], "'--port'"),
    (["--port", "http"], "'--port'"),
    (["--seed", "1.5"], "'--seed'"),
    (["--seed", "9" * 5000], "'--seed'"),
    (["--max-body", "0"], "'--max-body'"),
    (["--max-body", "-1"], "'--max-body'"),
    (["--max-body", "64XiB"], "'--max-body'"),
    (["--max-body", "1.5MiB"], "'--max-body'"),
    (["--max-body", "9" * 5000], "'--max-body'"),
    (["--max-body", ""], "'--max-body'"),
    (["--unsupported", "refuse"], "'--unsupported'"),
    (["--unknown-domain", "guess"], "'--unknown-domain'"),
    (["--clock", "utc"], "'--clock'"),
    (["--ids", "fresh"], "'--ids'"),
    (["--fixtures", "/nonexistent"], "'--fixtures'"),
    (["--fixtures", __file__], "'--fixtures'"),
    (["--nonsense"], "--nonsense"),
    (["surplus"], "surplus"),
]


@pytest.mark.parametrize(("arguments", "named"), BAD_OPTIONS, ids=lambda value: str(value)[:40])
def test_a_bad_option_is_a_clear_line_and_exit_status_2(arguments: list[str], named: str) -> None:
    status, output, errors = invoke("serve", *arguments)

    assert (status, output) == (2, "")
    assert errors.splitlines()[-1].startswith("Error: ")
    assert named in errors.splitlines()[-1]
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PORT", "many"),
        ("SEED", "x"),
        ("MAX_BODY", "lots"),
        ("UNSUPPORTED", "x"),
        ("UNKNOWN_DOMAIN", "x"),
        ("CLOCK", "x"),
        ("IDS", "x"),
        ("STRICT", "perhaps"),
        ("FIXTURES", "/nonexistent"),
    ],
)
def test_a_bad_environment_variable_is_as_clear(variable: str, value: str) -> None:
    status, _, errors = invoke("serve", **{f"VLMRUN_MOCK_{variable}": value})

    assert status == 2
    assert f"'--{variable.lower().replace('_', '-')}'" in errors.splitlines()[-1]


@pytest.mark.parametrize("host", ["no-such-host.invalid", "192.0.2.1", "a" * 100 + ".invalid", "::g", "\udcff", " "])
def test_an_address_that_cannot_be_listened_on_is_one_line(host: str) -> None:
    status, output, errors = invoke("serve", "--port", "0", "--host", host)

    assert (status, output) == (1, "")
    assert re.fullmatch(r"Error: cannot listen on .+:0: .+\n", errors)


def test_the_host_can_stand_in_the_environment() -> None:
    status, _, errors = invoke("serve", VLMRUN_MOCK_HOST="no-such-host.invalid", VLMRUN_MOCK_PORT="0")

    assert (status, errors[:46]) == (1, "Error: cannot listen on no-such-host.invalid:0")


def test_a_taken_port_is_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        ended = run("serve", "--port", str(port))

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == f"Error: cannot listen on 127.0.0.1:{port}: Address already in use\n"


BROKEN_FIXTURES: dict[str, tuple[str | bytes, str]] = {
    "no JSON": ('{"answer":', "is not JSON"),
    "not UTF-8": (b'{"answer": {"content": "\xff"}}', "is not JSON"),
    "no object": ("[]", ""),
    "no answer": ("{}", "answer"),
    "an unknown key": ('{"answer": {"content": "x"}, "mach": {}}', "mach"),
    "a wrong type": ('{"match": {"domain": 5}, "answer": {"content": "x"}}', "match.domain"),
    "a missing document": ('{"match": {"documents": ["gone.png"]}, "answer": {"content": "x"}}', "gone.png"),
    "nested too deeply": ("[" * 100_000, "is not JSON"),
    "control characters": ('{"\\u001b[31m": 1, "answer": {"content": "x"}}', ""),
}


@pytest.mark.parametrize("name", BROKEN_FIXTURES)
def test_a_broken_fixture_is_one_clear_line_and_the_server_does_not_start(name: str, write: Write) -> None:
    content, reason = BROKEN_FIXTURES[name]
    folder = write("fixtures/broken.json", content).parent

    status, output, errors = invoke("serve", "--port", "0", "--fixtures", str(folder))

    heading, line = errors.splitlines()
    assert (status, output) == (1, "")
    assert heading == "Error: fixtures do not load:"
    assert line.startswith("broken.json: ")
    assert reason in line
    assert line.isprintable()
    assert len(line) < 500
