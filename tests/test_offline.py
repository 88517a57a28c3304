"""The mock never reaches out: no network, no downloads, nothing left on disk."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.process import COMMAND, ROOT, environment, serving
from tests.samples import SAMPLES
from tests.serving import CHAT

GUARD = """\
import ipaddress, os, sys

def refuse(event, arguments):
    # Writes down and refuses every look-up of a name, and every connection that leaves the machine.
    if event == "socket.getaddrinfo":
        host = arguments[0]
    elif event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        host = arguments[1][0] if isinstance(arguments[1], tuple) else ""
    elif event.startswith("socket.gethostby"):
        host = arguments[0]
    else:
        return
    host = host.decode() if isinstance(host, bytes) else host
    try:
        harmless = not host or ipaddress.ip_address(host).is_loopback
    except ValueError:
        harmless = False
    if not harmless:
        with open(os.environ["GUARD_LOG"], "a") as log:
            print(event, host, file=log)
        raise OSError(f"no network in this test: {event} {host}")

sys.addaudithook(refuse)
"""

REACHING_OUT = {
    "picture": {"content": [{"type": "image_url", "image_url": {"url": "http://vlmrun-mock.invalid/a.png"}}]},
    "address": {"content": [{"type": "image_url", "image_url": {"url": "http://192.0.2.1/a.png"}}]},
    "file": {"content": [{"type": "input_file", "file_url": "https://vlmrun-mock.invalid/a.pdf"}]},
}
REMOTE_SCHEMAS = {
    "a remote reference": {"properties": {"a": {"$ref": "http://vlmrun-mock.invalid/schema.json"}}},
    "a remote reference to an address": {"$ref": "https://192.0.2.1/schema.json#/$defs/a"},
    "a relative reference": {"$id": "http://vlmrun-mock.invalid/root.json", "$ref": "other.json"},
    "a file": {"$ref": "file:///etc/hostname"},
    "a remote dialect": {"$schema": "http://vlmrun-mock.invalid/dialect", "type": "object", "properties": {"a": {}}},
}


def guarded(folder: Path) -> dict[str, str]:
    """Return changes to the environment of a process under which it can reach loopback alone."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sitecustomize.py").write_text(GUARD, encoding="utf-8")
    return {"PYTHONPATH": f"{folder}:{ROOT}", "GUARD_LOG": str(folder / "reached")}


def test_the_guard_of_these_tests_refuses_and_writes_down_what_leaves_the_machine(tmp_path: Path) -> None:
    tries = "import urllib.request as u; u.urlopen('http://192.0.2.1/', timeout=1)"

    ended = subprocess.run(
        [sys.executable, "-c", tries], env=environment(**guarded(tmp_path)), capture_output=True, text=True, check=False
    )

    assert "no network in this test" in ended.stderr
    assert "192.0.2.1" in (tmp_path / "reached").read_text(encoding="utf-8")


def test_every_kind_of_request_is_answered_with_usage_without_a_network(tmp_path: Path) -> None:
    guard = guarded(tmp_path / "guard")
    with serving(tmp_path / "served", "--unknown-domain", "generate", changes=guard) as process:
        answers = {name: process.http.post(CHAT, json=body) for name, body in SAMPLES.items()}

    assert [name for name, answer in answers.items() if not answer.is_success] == []
    usages = [answer.json()["usage"] for answer in answers.values()]
    assert min(usage["completion_tokens"] for usage in usages) > 0
    assert min(usage["prompt_tokens"] for usage in usages) > 0
    assert not (tmp_path / "guard" / "reached").exists()


def test_what_a_request_points_at_is_never_fetched(tmp_path: Path) -> None:
    guard = guarded(tmp_path / "guard")
    with serving(tmp_path / "served", changes=guard) as process:
        pointing = [
            process.http.post(CHAT, json={"messages": [message], "domain": "document.invoice"})
            for message in REACHING_OUT.values()
        ]
        schemas = {
            name: process.http.post(CHAT, json={"messages": [{}], "vlmrun": {"json_schema": schema}})
            for name, schema in REMOTE_SCHEMAS.items()
        }

    assert [answer.status_code for answer in pointing] == [201, 201, 201]
    assert {name: answer.status_code for name, answer in schemas.items()} == {
        **dict.fromkeys(REMOTE_SCHEMAS, 422),
        "a remote dialect": 201,
    }
    assert schemas["a remote reference"].json()["detail"][0]["loc"][:3] == ["body", "vlmrun", "json_schema"]
    assert not (tmp_path / "guard" / "reached").exists()


def test_nothing_is_written_to_home_the_temporary_folder_or_the_working_directory(tmp_path: Path) -> None:
    folders = {name: tmp_path / name for name in ("home", "temporary", "working")}
    for folder in folders.values():
        folder.mkdir()
    changes = {
        "HOME": str(folders["home"]),
        "XDG_CACHE_HOME": str(folders["home"] / "cache"),
        "TMPDIR": str(folders["temporary"]),
    }
    with serving(tmp_path / "served", changes=changes, within=folders["working"]) as process:
        answers = [process.http.post(CHAT, json=body) for body in SAMPLES.values()]
        process.stop()

    assert sum(answer.is_success for answer in answers) >= len(SAMPLES) - 2
    assert {name: list(folder.rglob("*")) for name, folder in folders.items()} == {name: [] for name in folders}


INSIDE = """\
import fcntl, json, re, socket, struct, subprocess, sys, urllib.request

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
    fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh22x", b"lo", 1))  # SIOCSIFFLAGS, IFF_UP
    try:
        any_socket.connect(("192.0.2.1", 80))
        print("there is a network")
    except OSError as error:
        print(error.strerror)
server = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, text=True)
try:
    url = next(found[1] for line in server.stdout if (found := re.match("export OPENAI_BASE_URL=(.*)", line)))
    body = json.dumps({"messages": [{"content": "Extract"}], "domain": "document.invoice"}).encode()
    request = urllib.request.Request(f"{url}/chat/completions", body, {"Authorization": "Bearer test"})
    with urllib.request.urlopen(request) as answer:
        print(answer.status, json.load(answer)["usage"]["completion_tokens"] > 100)
finally:
    server.terminate()
    server.communicate()
"""
CUT_OFF = ("unshare", "--map-root-user", "--net")


def _can_cut_off() -> bool:
    """Return whether this machine lets this user make a network namespace."""
    try:
        return subprocess.run([*CUT_OFF, "true"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


# Where a namespace cannot be made, the report says so; the tests above refuse the same sockets from within.
@pytest.mark.skipif(not _can_cut_off(), reason="this machine does not let this user make a network namespace")
def test_it_serves_in_a_network_namespace_that_has_only_loopback() -> None:
    command = [*CUT_OFF, sys.executable, "-c", INSIDE, *COMMAND, "serve", "--port", "0"]

    ended = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=60, check=False)

    assert ended.stdout.splitlines() == ["Network is unreachable", "201 True"], ended.stderr
