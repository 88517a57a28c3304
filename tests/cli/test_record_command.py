"""`vlmrun-mock record` as its users run it: with the real clients, over TLS, killed at work, and on a full disk."""

from __future__ import annotations

import json
import random
import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
import trustme
from vlmrun.client import VLMRun

from tests.asking import ask, content
from tests.process import PATIENCE, ServeProcess, run, serving
from tests.real_api import KEY, RealApi, real_api, real_api_with_certificate, says_content
from tests.serving import CHAT, begun, picture
from vlmrun_mock.fixtures.domains import packaged
from vlmrun_mock.fixtures.folders import TEMPORARY
from vlmrun_mock.fixtures.loader import load

ROUNDS = 2
CAMPAIGN_ROUNDS = 40
INVOICE = {"vlmrun": {"domain": "document.invoice"}}


@pytest.fixture
def api() -> Iterator[RealApi]:
    """Return a real API of the test's own."""
    with real_api() as api:
        yield api


def _sdk(process: ServeProcess) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{process.url}/v1/openai", api_key=KEY, max_retries=0)


def _files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def _output(command: list[str]) -> Any:
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)


def test_it_prints_what_it_does_and_at_the_end_what_it_has_done(tmp_path: Path, api: RealApi) -> None:
    folder = tmp_path / "deep" / "recordings"
    with serving(tmp_path, "--upstream", f"{api.url}/v1", "--out", str(folder), command="record") as process:
        first = process.output
        _sdk(process).chat.completions.create(model="vlm-1", messages=ask(), extra_body=INVOICE)
        code, _ = process.stop()

    assert first.startswith("vlmrun-mock ")
    assert f"listens on {process.url} and records {api.url} into {folder} (mode new, 0 fixtures so far)" in first
    assert f"export OPENAI_BASE_URL={process.url}/v1/openai\nexport VLMRUN_BASE_URL={process.url}/v1\n" in first
    assert "# OPENAI_API_KEY and VLMRUN_API_KEY stay your real ones" in first
    assert process.output.endswith(f"Recorded 1 fixture into {folder}.\n")
    assert (code, process.errors) == (0, "")
    assert KEY not in process.output


def _used(process: ServeProcess) -> list[Any]:
    """Return what each of the real clients is told."""
    curl = shutil.which("curl")
    assert curl
    sdk, native = _sdk(process), VLMRun(api_key=KEY, base_url=f"{process.url}/v1")
    photo = picture(5, kind="JPEG")
    body = json.dumps({"messages": [{"content": "By curl"}], "domain": "custom.slip"})
    command = [curl, "-s", f"{process.url}{CHAT}", "-H", f"X-Api-Key: {KEY}", "-d", body]
    return [
        content(sdk.chat.completions.create(model="vlm-1", messages=ask("By SDK", photo), extra_body=INVOICE)),
        content(
            native.agent.completions.create(
                model="vlmrun-orion-1:auto", messages=[{"role": "user", "content": "By VLM Run's"}]
            )
        ),
        json.loads(_output(command)["choices"][0]["message"]["content"]),
    ]


@pytest.fixture(params=["HTTP", "TLS"])
def reached(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[RealApi, dict[str, str]]]:
    """Return a real API over HTTP or TLS, and the variables with which it is trusted."""
    if request.param == "HTTP":
        with real_api() as api:
            yield api, {}
    else:
        with _over_tls(tmp_path) as api:
            yield api, {"SSL_CERT_FILE": str(tmp_path / "ca.pem")}


@contextmanager
def _over_tls(folder: Path) -> Iterator[RealApi]:
    """Serve a real API over TLS, by a certificate of the authority whose own is `ca.pem` in a folder."""
    authority, certificate, key = trustme.CA(), folder / "server.pem", folder / "server.key"
    issued = authority.issue_cert("localhost")
    issued.cert_chain_pems[0].write_to_path(certificate)
    issued.private_key_pem.write_to_path(key)
    authority.cert_pem.write_to_path(folder / "ca.pem")
    with real_api_with_certificate(certificate, key) as api:
        yield api


def test_the_real_clients_record_and_replay(tmp_path: Path, reached: tuple[RealApi, dict[str, str]]) -> None:
    (api, trusting), folder = reached, tmp_path / "recordings"
    options = ("--upstream", api.url, "--out", str(folder))

    with serving(tmp_path / "record", *options, command="record", changes=trusting) as process:
        heard = _used(process)
    with serving(tmp_path / "serve", "--fixtures", str(folder), "--strict") as process:
        replayed = _used(process)

    assert api.asked == 3
    assert [each["invoice_id"] for each in heard] == [each["invoice_id"] for each in replayed]
    assert all(KEY in each["notes"] for each in heard)
    assert [each["notes"] for each in replayed] == ["Für Bearer <redacted>", "Für Bearer <redacted>", "Für <redacted>"]
    assert [name.partition("/")[0] for name in _files(folder)] == ["custom.slip", "document.invoice", "no-domain"]


def test_an_upstream_whose_authority_is_not_trusted_is_refused(tmp_path: Path) -> None:
    body = {"messages": [{"content": "Extract"}], **INVOICE}

    with _over_tls(tmp_path) as api:
        options = ("--upstream", api.url, "--out", str(tmp_path / "recordings"))
        with serving(tmp_path / "not", *options, command="record") as process:
            refused = process.http.post(CHAT, json=body)
        with serving(tmp_path / "none", *options, command="record", changes={"SSL_CERT_FILE": "/nowhere"}) as process:
            missing = process.http.post(CHAT, json=body)

    assert (refused.status_code, missing.status_code, api.asked) == (502, 502, 0)
    assert refused.json()["detail"].endswith("SSL_CERT_FILE names the certificates to trust")
    assert "the certificates that SSL_CERT_FILE names cannot be read: No such file" in missing.json()["detail"]


def test_every_option_can_stand_in_the_environment(tmp_path: Path, api: RealApi) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "own.json").write_text('{"match": {"domain": "document.receipt"}, "answer": {"content": "own"}}')
    variables = {
        "VLMRUN_MOCK_UPSTREAM": api.url,
        "VLMRUN_MOCK_OUT": str(tmp_path / "recordings"),
        "VLMRUN_MOCK_MODE": "once",
        "VLMRUN_MOCK_FIXTURES": str(own),
        "VLMRUN_MOCK_RECORD_ERRORS": "1",
        "VLMRUN_MOCK_WATCH": "1",
        "VLMRUN_MOCK_TIMEOUT": "0.3",
        "VLMRUN_MOCK_MAX_BODY": "1kB",
    }
    with serving(tmp_path, command="record", changes=variables) as process:
        own_answer = process.http.post(CHAT, json={"messages": [{}], "domain": "document.receipt"})
        (own / "own.json").write_text('{"match": {"domain": "document.receipt"}, "answer": {"content": "edited"}}')
        process.line("fixtures reloaded: 1 \\(1 changed\\)")
        edited = process.http.post(CHAT, json={"messages": [{}], "domain": "document.receipt"})
        api.say = says_content(None)
        heard = process.http.post(CHAT, json={"messages": [{}], **INVOICE})
        api.wait = 2
        late = process.http.post(CHAT, json={"messages": [{}]})
        large = process.http.post(CHAT, content=b" " * 1001)

    assert own_answer.json()["choices"][0]["message"]["content"] == "own"
    assert edited.json()["choices"][0]["message"]["content"] == "edited"
    assert heard.headers["x-vlmrun-mock-source"] == "upstream"
    assert (late.status_code, large.status_code) == (504, 413)
    assert len(_files(tmp_path / "recordings")) == 1


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--mode", "newest"], "'newest' is not one of 'once', 'new', 'all', 'none'"),
        (["--upstream", "api.vlm.run"], "'api.vlm.run' is no address of a server such as https://api.vlm.run"),
        (["--upstream", "https://me:secret@api.vlm.run"], "the address holds a user name"),
        (["--timeout", "0"], "0"),
        (["--out", "/dev/null/x"], "cannot write into /dev/null/x: "),
        (["--fixtures", "/nowhere"], "'/nowhere' does not exist"),
    ],
)
def test_a_wrong_option_is_a_clear_end(tmp_path: Path, options: list[str], reason: str) -> None:
    ended = run("record", "--port", "0", "--out", str(tmp_path / "recordings"), *options)

    assert ended.returncode != 0
    assert reason in ended.stderr
    assert "secret" not in ended.stderr
    assert "Traceback" not in ended.stderr


def test_there_is_no_recording_without_a_folder() -> None:
    ended = run("record", "--port", "0")

    assert (ended.returncode, "Missing option '--out'" in ended.stderr) == (2, True)


@pytest.mark.skipif(sys.platform != "linux", reason="the limit of another process can be set on Linux alone")
def test_on_a_full_disk_clients_get_their_answers_and_the_operator_a_clear_error(tmp_path: Path, api: RealApi) -> None:
    folder = tmp_path / "recordings"
    with serving(tmp_path, "--upstream", api.url, "--out", str(folder), command="record") as process:
        small = process.http.post(CHAT, json={"messages": [{"content": "small"}], **INVOICE})
        # A file may not grow beyond this: as if the disk were full for all that is larger.
        before = resource.prlimit(process.popen.pid, resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
        api.say = says_content(json.dumps({"notes": "large " * 10_000}))
        large = process.http.post(CHAT, json={"messages": [{"content": "large"}], **INVOICE})
        line = process.line("NOT RECORDED")
        resource.prlimit(process.popen.pid, resource.RLIMIT_FSIZE, before)
        code, _ = process.stop()

    assert (small.status_code, large.status_code) == (201, 201)
    assert len(large.json()["choices"][0]["message"]["content"]) > 50_000
    assert f"[NOT RECORDED: cannot write into {folder}: File too large]" in line
    assert code == 1
    assert process.errors == f"Error: 1 fixture could not be written into {folder}\n"
    assert [name.partition("-")[0] for name in _files(folder)] == ["document.invoice/small"]


def test_a_replay_needs_an_existing_folder_and_no_right_to_write(tmp_path: Path) -> None:
    missing = tmp_path / "recordings"

    ended = run("record", "--port", "0", "--mode", "none", "--out", str(missing))

    assert ended.returncode == 1
    assert "recordings: is no folder" in ended.stderr
    assert not missing.exists()


def test_ctrl_c_waits_for_what_is_paid_for(tmp_path: Path, api: RealApi) -> None:
    api.wait = 3_600
    folder, statuses = tmp_path / "recordings", list[int]()
    with serving(tmp_path, "--upstream", api.url, "--out", str(folder), command="record") as process:

        def stay() -> None:
            body = {"messages": [{"content": "stay"}], **INVOICE}
            statuses.append(process.http.post(CHAT, json=body).status_code)

        client = threading.Thread(target=stay)
        client.start()
        with begun(process.url, {"messages": [{"content": "leave"}], **INVOICE}):
            api.wait_until_asked(2)
        process.popen.send_signal(signal.SIGINT)
        process.line("Waiting for 2 answers")
        api.wait = 0
        code = process.popen.wait(PATIENCE)
        client.join()

    assert (code, statuses, process.errors) == (0, [201], "")
    assert "Waiting for 2 answers of the upstream; Ctrl-C again does not.\n" in process.output
    assert f"Recorded 2 fixtures into {folder}.\n" in process.output
    assert len(_files(folder)) == 2


def test_a_second_ctrl_c_does_not_wait_and_says_what_is_lost(tmp_path: Path, api: RealApi) -> None:
    api.wait = 3_600
    with serving(tmp_path, "--upstream", api.url, "--out", str(tmp_path / "recordings"), command="record") as process:
        with begun(process.url, {"messages": [{"content": "leave"}], **INVOICE}):
            api.wait_until_asked(1)
        process.popen.send_signal(signal.SIGINT)
        process.line("Waiting for an answer of the upstream")
        code, _ = process.stop()

    assert code == 1
    assert process.errors == "Error: the answers to 1 request were not waited for, and are lost\n"


def test_the_upstream_is_not_the_recorder_itself(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    ended = run("record", "--port", str(port), "--upstream", f"http://localhost:{port}", "--out", str(tmp_path / "r"))

    assert ended.returncode == 1
    assert f"http://localhost:{port} is this recorder itself" in ended.stderr


class Clients:
    """Threads that ask for something new again and again, and keep what they were answered."""

    def __init__(self, url: str, name: str) -> None:
        self.answered: dict[str, str] = {}
        self._url = url
        self._name = name
        self._threads = [threading.Thread(target=self._ask, args=(number,)) for number in range(4)]
        for thread in self._threads:
            thread.start()

    def wait(self, answers: int) -> None:
        """Wait until there are so many answers."""
        deadline = time.monotonic() + PATIENCE
        while len(self.answered) < answers:
            assert time.monotonic() < deadline
            time.sleep(0.005)

    def join(self) -> dict[str, str]:
        """Wait until the server is gone, and return the message that each text was answered with."""
        for thread in self._threads:
            thread.join()
        return self.answered

    def _ask(self, number: int) -> None:
        with httpx.Client(headers={"Authorization": f"Bearer {KEY}"}, timeout=30) as http:
            for turn in range(10_000):
                text = f"{self._name} {number} {turn}"
                try:
                    answer = http.post(f"{self._url}{CHAT}", json={"messages": [{"content": text}], **INVOICE})
                except httpx.HTTPError:
                    return
                if answer.status_code != 201:
                    return
                self.answered[text] = answer.json()["id"]


@pytest.fixture
def rounds(pytestconfig: pytest.Config) -> int:
    """Return how often a recorder is killed: a few times, and in a campaign a hundred."""
    return CAMPAIGN_ROUNDS if pytestconfig.getoption("campaign") else ROUNDS


def test_killed_again_and_again_it_leaves_no_broken_file_and_loses_no_answer(
    tmp_path: Path, api: RealApi, rounds: int
) -> None:
    """Only a campaign meets the rare moments: by default there are two rounds instead of a hundred."""
    folder, draw = tmp_path / "recordings", random.Random(7)
    options = ("--upstream", api.url, "--out", str(folder))
    answered: dict[str, str] = {}
    api.say = says_content(json.dumps({"notes": "x" * 100_000}))

    for number in range(rounds):
        with serving(tmp_path / "round", *options, command="record") as process:
            clients = Clients(process.url, f"round {number}")
            clients.wait(draw.randint(1, 8))
            time.sleep(draw.uniform(0, 0.02))
            process.stop(signal.SIGKILL)
            answered |= clients.join()
        for path in folder.rglob("*.json"):
            if f"round-{number}-" in path.name:
                json.loads(path.read_text(encoding="utf-8"))

    with serving(tmp_path / "round", *options, command="record") as process:
        clients = Clients(process.url, "the last round")
        clients.wait(20)
        process.stop(signal.SIGINT)
        answered |= clients.join()
        printed = process.output

    loaded = load([folder], packaged())
    recorded = {message["content"] for fixture in loaded for message in fixture.match.parts.messages or ()}
    assert len(answered) > rounds
    assert answered.keys() - recorded == set()
    assert "Recorded " in printed
    assert all(name.endswith((".json", TEMPORARY)) for name in _files(folder))
