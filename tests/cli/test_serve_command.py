"""`vlmrun-mock serve` as its users meet it: what it prints first, and how its options act."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
import httpx
import pytest

from tests.process import COMMAND, PATIENCE, environment, free_port, serving
from tests.samples import SAMPLES
from tests.serving import CHAT, image_message, picture
from vlmrun_mock import cli

Write = Callable[[str, str | bytes], Path]
EVERYWHERE = ("--host", "0.0.0.0")  # noqa: S104 - what the tests are about
SECRET = "sk-do-not-tell-1234567890"
INVOICE = {"messages": image_message(picture()), "domain": "document.invoice"}


def test_it_prints_where_it_listens_and_the_lines_to_paste(tmp_path: Path) -> None:
    with serving(tmp_path) as process:
        printed = process.output
        healthy = process.http.get("/_mock/health").status_code

    assert healthy == 200
    assert re.fullmatch(
        r"vlmrun-mock \S+ listens on (http://127\.0\.0\.1:\d+) \(\d+ domains, 0 fixtures of yours, seed 0\)\. "
        r"Ctrl-C stops it\.\n"
        r"Every document of a domain gets the same answer; --vary gives each its own\.\n"
        r"Look at the requests at \1/_mock/\.\n"
        r"\nexport OPENAI_BASE_URL=\1/v1/openai\nexport OPENAI_API_KEY=local\n"
        r"export VLMRUN_BASE_URL=\1/v1\nexport VLMRUN_API_KEY=local\n\n",
        printed,
    )


def test_it_names_what_it_was_started_with(tmp_path: Path, write: Write) -> None:
    first = write("first/a.json", '{"answer": {"content": "first"}}').parent
    second = write("second/b.json", '{"answer": {"content": "second"}}').parent
    options = ("--fixtures", str(first), "--fixtures", str(second), "--watch", "--strict", "--seed", "7")

    with serving(tmp_path / "served", *options) as process:
        printed = process.output.splitlines()

    assert "2 fixtures of yours, seed 7). Ctrl-C stops it." in printed[0]
    assert printed[1] == (
        f"Fixtures: {first}, {second} (watched). Strict: a request that no fixture matches is an error."
    )


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (("--fixtures", "{}", "--strict"), "Fixtures: {}. Strict: a request that no fixture matches is an error."),
        (
            ("--fixtures", "{}", "--watch", "--rate-limit", "9/h"),
            "Fixtures: {} (watched).\nRate limit: 9/hour for each key.",
        ),
        ((), "Every document of a domain gets the same answer; --vary gives each its own."),
    ],
)
def test_it_names_only_what_was_chosen(options: tuple[str, ...], line: str, tmp_path: Path, write: Write) -> None:
    folder = str(write("mine/a.json", '{"answer": {"content": "mine"}}').parent)

    with serving(tmp_path / "served", *(each.format(folder) for each in options)) as process:
        printed = process.output.splitlines()

    assert "\n".join(printed[1 : 2 + line.count("\n")]) == line.format(folder)


@pytest.mark.parametrize("command", ["serve", "record"])
def test_the_lines_are_those_of_the_shell_that_an_option_names(command: str, tmp_path: Path) -> None:
    port = str(free_port())
    out = ("--out", str(tmp_path / "out")) if command == "record" else ()
    arguments = [*COMMAND, command, *out, "--shell", "powershell", "--port", port]
    popen = subprocess.Popen(
        arguments, env=environment(http_proxy="http://proxy.example"), stdout=subprocess.PIPE, text=True
    )

    assert popen.stdout
    with popen.stdout:
        printed = [line.strip() for line in itertools.takewhile(lambda line: "no_proxy" not in line, popen.stdout)]
        popen.terminate()
    popen.wait(PATIENCE)

    assert f"$env:VLMRUN_BASE_URL = 'http://127.0.0.1:{port}/v1'" in printed
    assert "$env:NO_PROXY = '127.0.0.1'" in printed
    assert [line for line in printed if line.startswith("export")] == []


def test_the_lines_to_paste_are_shell_and_reach_the_server(tmp_path: Path) -> None:
    tail = 'echo "$OPENAI_BASE_URL|$OPENAI_API_KEY|$VLMRUN_BASE_URL|$VLMRUN_API_KEY"'
    with serving(tmp_path, "--api-key", SECRET) as process:
        exports = "\n".join(line for line in process.output.splitlines() if line.startswith("export "))
        shell = subprocess.run(["/bin/sh", "-c", f"{exports}\n{tail}"], capture_output=True, text=True, check=True)

    url, key, own_url, own_key = shell.stdout.strip().split("|")
    assert (url, own_url) == (f"{process.url}/v1/openai", f"{process.url}/v1")
    assert key == own_key != SECRET


def test_an_option_wins_over_its_environment_variable(tmp_path: Path) -> None:
    port = free_port()
    with serving(tmp_path, "--port", str(port), changes={"VLMRUN_MOCK_PORT": "1"}) as process:
        answer = process.http.post(CHAT, json=INVOICE)

    assert process.url == f"http://127.0.0.1:{port}"
    assert answer.status_code == 201


def test_every_option_can_stand_in_the_environment(tmp_path: Path, write: Write) -> None:
    first = write("first/invoice.json", '{"match": {"domain": "document.invoice"}, "answer": {"content": "first"}}')
    second = write("second/all.json", '{"answer": {"content": "second"}}')
    options = {
        "HOST": "localhost",
        "PORT": str(free_port()),
        "FIXTURES": os.pathsep.join((str(first.parent), str(second.parent))),
        "UNSUPPORTED": "reject",
        "API_KEY": f"{SECRET} another",
        "CLOCK": "wall",
        "IDS": "random",
        "MAX_BODY": "10kB",
    }
    with serving(tmp_path / "served", changes=_variables(options)) as process:
        key, other, wrong = ({"Authorization": f"Bearer {name}"} for name in (SECRET, "another", "wrong"))
        answers = [process.http.post(CHAT, json=INVOICE, headers=headers) for headers in (key, other)]
        elsewhere = process.http.post(CHAT, json={"messages": [{}]}, headers=key)
        refused = [
            process.http.post(CHAT, json=INVOICE, headers=wrong),
            process.http.post(CHAT, json={**INVOICE, "n": 2}, headers=key),
            process.http.post(CHAT, content=b" " * 10_001, headers=key),
        ]

    assert process.url.endswith(f":{options['PORT']}")
    assert [_content(answer) for answer in (*answers, elsewhere)] == ["first", "first", "second"]
    assert answers[0].json()["id"] != answers[1].json()["id"]
    assert answers[0].json()["created"] > 1750000000
    assert [answer.status_code for answer in refused] == [401, 400, 413]


@pytest.mark.parametrize("command", ["serve", "record"])
@pytest.mark.parametrize("address", ["tcp://10.0.0.1:8000", "udp://10.0.0.1:53", "sctp://[fd00::1]:80", "TCP://h:1"])
def test_the_address_of_a_kubernetes_service_is_no_port(
    command: str, address: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VLMRUN_MOCK_PORT", address)
    arguments = ["--out", "recordings"] if command == "record" else []

    context = cli.command(command).make_context(command, arguments)

    assert context.params["port"] == 8000
    assert capsys.readouterr().err == (
        f"VLMRUN_MOCK_PORT={address} is the address of a service, as Kubernetes sets it, and is ignored; "
        "--port gives another value.\n"
    )


def test_a_server_starts_among_the_variables_of_a_service_of_its_name(tmp_path: Path) -> None:
    port = str(free_port())
    kubernetes = {
        "PORT": "tcp://10.0.0.1:8000",
        "SERVICE_HOST": "10.0.0.1",
        "SERVICE_PORT": "8000",
        "SERVICE_PORT_HTTP": "8000",
        "PORT_8000_TCP": "tcp://10.0.0.1:8000",
        "PORT_8000_TCP_PROTO": "tcp",
        "PORT_8000_TCP_PORT": "8000",
        "PORT_8000_TCP_ADDR": "10.0.0.1",
    }

    with serving(tmp_path, "--port", port, changes=_variables(kubernetes)) as process:
        assert process.url == f"http://127.0.0.1:{port}"
        assert process.errors == ""


def test_a_port_that_is_no_number_is_still_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLMRUN_MOCK_PORT", "http")

    with pytest.raises(click.BadParameter, match="'http' is not a valid"):
        cli.command("serve").make_context("serve", [])


def test_the_other_options_can_stand_in_the_environment_too(tmp_path: Path) -> None:
    slip = SAMPLES["an unknown domain"]
    with serving(tmp_path / "strict", changes=_variables({"STRICT": "1"})) as process:
        miss = process.http.post(CHAT, json=INVOICE)
    with serving(tmp_path / "zero", changes=_variables({"UNKNOWN_DOMAIN": "generate"})) as process:
        zero = process.http.post(CHAT, json=slip)
    with serving(tmp_path / "one", changes=_variables({"UNKNOWN_DOMAIN": "generate", "SEED": "1"})) as process:
        one = process.http.post(CHAT, json=slip)

    assert (miss.status_code, miss.json()["error"]["code"]) == (404, "no_fixture")
    assert (zero.status_code, one.status_code) == (201, 201)
    assert _content(zero) != _content(one)


def _variables(options: Mapping[str, str]) -> dict[str, str]:
    return {f"VLMRUN_MOCK_{name}": value for name, value in options.items()}


def _content(answer: httpx.Response) -> str:
    return str(answer.json()["choices"][0]["message"]["content"])


def _has_ipv6() -> bool:
    with contextlib.suppress(OSError), socket.create_server(("::1", 0), family=socket.AF_INET6):
        return True
    return False


@pytest.mark.skipif(not _has_ipv6(), reason="this machine has no IPv6 loopback")
def test_an_ipv6_host_is_printed_so_that_clients_understand_it(tmp_path: Path) -> None:
    with serving(tmp_path, "--host", "::1") as process:
        answer = process.http.post(CHAT, json=INVOICE)

    assert re.fullmatch(r"http://\[::1\]:\d+", process.url)
    assert answer.status_code == 201


def test_listening_everywhere_prints_an_address_that_can_be_used(tmp_path: Path) -> None:
    with serving(tmp_path, "--host", "0.0.0.0") as process:  # noqa: S104 - what is tested
        answer = process.http.post(CHAT, json=INVOICE)

    assert process.url.startswith("http://127.0.0.1:")
    assert answer.status_code == 201
    port = process.url.rpartition(":")[2]
    assert process.output.startswith(
        f"Warning: listening on 0.0.0.0:{port}, other machines can reach this server, by its address or a name without "
        "a dot.\n--allow-host NAME lets them use a name with dots; leave out --host to listen on this machine alone.\n"
    )


@pytest.mark.parametrize(
    ("options", "is_kept"),
    [
        ((), True),
        (("--no-inspect",), False),
        (EVERYWHERE, False),
        ((*EVERYWHERE, "--inspect"), True),
    ],
)
def test_bodies_are_kept_for_the_inspector_where_no_other_machine_sees_them(
    options: tuple[str, ...], *, is_kept: bool, tmp_path: Path
) -> None:
    with serving(tmp_path, *options) as process:
        process.http.post(CHAT, json={"messages": image_message(picture())})
        row = process.http.get("/_mock/inspector/requests").json()["requests"][0]
        told = process.http.get(f"/_mock/inspector/requests/{row['id']}").json()

    assert told["kept"] == is_kept
    assert ("Look at the requests at" in process.output) == is_kept


def test_a_browser_is_opened_at_the_inspector_if_that_is_asked_for(tmp_path: Path) -> None:
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/opened\n', encoding="utf-8")
    browser.chmod(0o755)

    with serving(tmp_path / "served", "--open", changes={"BROWSER": f"{browser} %s"}) as process:
        deadline = time.monotonic() + PATIENCE
        opened = ""
        while not opened.endswith("\n") and time.monotonic() < deadline:
            time.sleep(0.01)
            with contextlib.suppress(FileNotFoundError):
                opened = (tmp_path / "opened").read_text(encoding="utf-8")

    assert opened == f"{process.url}/_mock/\n"


def test_an_open_page_ends_with_the_server_at_once(tmp_path: Path) -> None:
    with serving(tmp_path) as process, httpx.stream("GET", f"{process.url}/_mock/inspector/events") as events:
        pieces = events.iter_raw()
        first = next(pieces)
        process.popen.send_signal(signal.SIGINT)
        rest = b"".join(pieces)  # in order, where a connection that is cut would raise
        status = process.popen.wait(PATIENCE)

    assert first.startswith(b"event: hello")
    assert b"event" not in rest
    assert status == 0


def test_eight_threads_get_the_right_answers(tmp_path: Path) -> None:
    names = [name for name in SAMPLES if not name.startswith("an unknown domain")]
    with serving(tmp_path) as process:
        expected = {name: process.http.post(CHAT, json=SAMPLES[name]).content for name in names}

        def ask(thread: int) -> list[str]:
            with httpx.Client(base_url=process.url, headers={"X-Api-Key": "k"}, timeout=PATIENCE) as http:
                asked = [names[(thread * 7 + step) % len(names)] for step in range(50)]
                return [name for name in asked if http.post(CHAT, json=SAMPLES[name]).content != expected[name]]

        with ThreadPoolExecutor(8) as pool:
            wrong = [name for names in pool.map(ask, range(8)) for name in names]
        process.stop()
        logged = len(re.findall(r"^\d\d:\d\d:\d\d  20[01]  ", process.output, re.MULTILINE))

    assert wrong == []
    assert logged == len(names) + 8 * 50


def test_where_a_proxy_is_set_the_exports_lead_past_it(tmp_path: Path) -> None:
    with serving(tmp_path, changes={"http_proxy": "http://proxy.example:3128", "NO_PROXY": "a.example"}) as process:
        found = [line for line in process.output.splitlines() if "proxy" in line.lower()]

    assert found == ["export NO_PROXY=a.example,127.0.0.1", "export no_proxy=a.example,127.0.0.1"]
