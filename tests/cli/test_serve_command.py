"""`vlmrun-mock serve` as its users meet it: what it prints first, and how its options act."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.process import PATIENCE, free_port, serving
from tests.samples import SAMPLES
from tests.serving import CHAT, image_message, picture

Write = Callable[[str, str | bytes], Path]
SECRET = "sk-do-not-tell-1234567890"
INVOICE = {"messages": image_message(picture()), "domain": "document.invoice"}


def test_it_prints_where_it_listens_and_the_lines_to_paste(tmp_path: Path) -> None:
    with serving(tmp_path) as process:
        printed = process.output
        healthy = process.http.get("/_mock/health").status_code

    assert healthy == 200
    assert re.fullmatch(
        r"vlmrun-mock \S+ listens on (http://127\.0\.0\.1:\d+) \(\d+ domains, 0 fixtures of yours\)\. "
        r"Ctrl-C stops it\.\n"
        r"\nexport OPENAI_BASE_URL=\1/v1/openai\nexport OPENAI_API_KEY=local\n"
        r"export VLMRUN_BASE_URL=\1/v1\nexport VLMRUN_API_KEY=local\n\n",
        printed,
    )


def test_the_lines_to_paste_are_shell_and_reach_the_server(tmp_path: Path) -> None:
    tail = 'echo "$OPENAI_BASE_URL|$OPENAI_API_KEY|$VLMRUN_BASE_URL|$VLMRUN_API_KEY"'
    with serving(tmp_path, "--api-key", SECRET) as process:
        exports = "\n".join(line for line in process.output.splitlines() if line.startswith("export "))
        shell = subprocess.run(  # noqa: S603 - the lines are the server's own
            ["/bin/sh", "-c", f"{exports}\n{tail}"], capture_output=True, text=True, check=True
        )

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
        time.sleep(0.1)
        logged = len(re.findall(r"^\d\d:\d\d:\d\d  20[01]  ", process.output, re.MULTILINE))

    assert wrong == []
    assert logged == len(names) + 8 * 50
