"""The server as unittest, scripts, notebooks and async applications use it."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

import vlmrun_mock
from tests.conftest import Put
from tests.process import environment
from tests.serving import CHAT, picture
from vlmrun_mock import MockServer
from vlmrun_mock.fixtures.errors import FixtureError, FixtureFolderError
from vlmrun_mock.mock.keywords import SettingsError

INVOICE = {"invoice_id": "INV-1", "total_amount": 12.5}
FIXTURE = {"match": {"domain": "document.invoice"}, "answer": {"content": INVOICE}}


def ask(server: MockServer, domain: str = "document.invoice", key: str = "any", text: str = "Extract") -> Any:
    """Return the content of an answer, asked for with the standard library's client."""
    body = json.dumps({"messages": [{"content": text}], "domain": domain}).encode()
    request = urllib.request.Request(f"{server.url}{CHAT}", body, {"Authorization": f"Bearer {key}"})  # noqa: S310 - the server's own URL
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - likewise
        return json.loads(json.load(answer)["choices"][0]["message"]["content"])


def test_it_serves_for_the_length_of_a_block() -> None:
    with MockServer() as server:
        url = server.url
        answered = ask(server)

    assert answered["invoice_id"] == "HB-2025-0347"
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


def test_what_was_asked_can_be_read_after_the_end() -> None:
    with MockServer() as server:
        ask(server)

    assert len(server.assert_requested("document.invoice")) == 1
    with pytest.raises(RuntimeError, match="not running"):
        _ = server.url


def test_a_server_runs_once() -> None:
    with MockServer() as server:
        pass

    with pytest.raises(RuntimeError, match="make another one"):
        server.start()


def test_before_the_block_there_is_no_address_and_the_verbs_work() -> None:
    server = MockServer()

    server.add("document.invoice", content=INVOICE)

    with pytest.raises(RuntimeError, match="not running"):
        _ = server.openai_url
    with server:
        assert ask(server) == INVOICE


def test_the_environment_leads_the_official_clients_to_it() -> None:
    with MockServer() as server:
        found = server.environment

        assert found == {
            "OPENAI_BASE_URL": f"{server.url}/v1/openai",
            "OPENAI_API_KEY": "local",
            "VLMRUN_BASE_URL": f"{server.url}/v1",
            "VLMRUN_API_KEY": "local",
        }
        client = openai.OpenAI(base_url=found["OPENAI_BASE_URL"], api_key=found["OPENAI_API_KEY"])
        assert "vlm-1" in [model.id for model in client.models.list()]


def test_fixtures_are_folders_and_mappings(put: Put, tmp_path: Path) -> None:
    folder = put("folder/receipt.json", {"content": "from the folder"}, domain="document.receipt") / "folder"
    (tmp_path / "acme.png").write_bytes(picture(1))
    by_path = {"match": {"documents": [tmp_path / "acme.png"]}, "answer": {"content": "acme"}}

    with MockServer(fixtures=[folder, FIXTURE, by_path]) as server:
        assert ask(server) == INVOICE
        names = [entry.fixture for entry in server.requests]
        server.assert_not_requested(documents=tmp_path / "acme.png")
        reply = httpx.post(
            f"{server.url}{CHAT}", json={"messages": [{}], "domain": "document.receipt"}, headers={"X-Api-Key": "k"}
        )

    assert names == ["fixtures[0]"]
    assert reply.json()["choices"][0]["message"]["content"] == "from the folder"


def test_one_folder_or_mapping_may_stand_for_itself(put: Put) -> None:
    folder = put("invoice.json", {"content": INVOICE}, domain="document.invoice")

    with (
        MockServer(fixtures=folder) as one,
        MockServer(fixtures=str(folder)) as two,
        MockServer(fixtures=FIXTURE) as three,
    ):
        assert [ask(server) for server in (one, two, three)] == [INVOICE] * 3


def test_given_fixtures_survive_a_reset_and_give_way_to_added_ones() -> None:
    with MockServer(fixtures=FIXTURE) as server:
        server.add(content="added")
        server.reset()
        after_reset = ask(server)
        server.add("document.invoice", content={**INVOICE, "invoice_id": "added"})
        after_adding = ask(server)
        httpx.delete(f"{server.url}/_mock/fixtures")
        after_deleting = ask(server)

    assert (after_reset, after_adding["invoice_id"], after_deleting) == (INVOICE, "added", INVOICE)


def test_of_given_fixtures_the_more_constrained_wins_then_the_first() -> None:
    def fixture(content: str, **match: Any) -> dict[str, Any]:
        return {
            "match": {"domain": "document.invoice", **match},
            "answer": {"content": {**INVOICE, "invoice_id": content}},
        }

    given = [*(fixture(f"number {number}") for number in range(12)), fixture("special", text={"contains": "special"})]

    with MockServer(fixtures=given) as server:
        assert ask(server)["invoice_id"] == "number 0"
        assert ask(server, text="special")["invoice_id"] == "special"


def test_settings_are_those_of_the_command_line() -> None:
    with MockServer(strict=True, fixtures=FIXTURE, api_keys=["b", "a"]) as server:
        statuses = [
            httpx.post(f"{server.url}{CHAT}", json={"messages": [{}]}, headers={"X-Api-Key": key}).status_code
            for key in ("a", "wrong")
        ]

    assert server.api_key == "a"
    assert statuses == [404, 401]


def test_faults_and_a_rate_limit_are_written_as_on_the_command_line() -> None:
    with MockServer(faults=["status=500", {"kind": "no-usage"}], rate_limit="3/min") as server:
        statuses = [
            httpx.post(f"{server.url}{CHAT}", json={"messages": [{}]}, headers={"X-Api-Key": "k"}).status_code
            for _ in range(4)
        ]

    assert statuses == [500, 201, 201, 429]
    assert [entry.fault for entry in server.requests][:3] == ["error", "no-usage", None]


@pytest.mark.parametrize(
    ("settings", "explained"),
    [
        (
            {"strikt": True},
            r"no setting 'strikt' \(did you mean 'strict'\?\); there are fixtures, strict, exact_documents, seed",
        ),
        ({"zzz": True}, r"no setting 'zzz'; there are fixtures"),
        ({"strict": "yes"}, "strict is True or False, not 'yes'"),
        ({"seed": True}, "seed is a whole number, not True"),
        ({"seed": "1"}, "seed is a whole number, not '1'"),
        ({"max_body": 0}, "max_body is a positive number of bytes, not 0"),
        ({"clock": "real"}, "clock is 'frozen' or 'wall', not 'real'"),
        ({"ids": ["stable"]}, "ids is 'stable' or 'random'"),
        ({"unsupported": "accept"}, "unsupported is 'ignore' or 'reject'"),
        ({"unknown_domain": None}, "unknown_domain is 'reject' or 'generate'"),
        ({"api_keys": ["a", ""]}, "api_keys is keys that are not empty"),
        ({"api_keys": 5}, "api_keys is keys that are not empty"),
        ({"rate_limit": "10"}, "rate_limit: '10' is not a rate limit such as 10/min"),
        ({"faults": [5]}, "faults is faults such as"),
        ({"fixtures": [5]}, "fixtures is folders, or fixtures as mappings, not 5"),
    ],
)
def test_a_wrong_setting_says_which_are_valid(settings: dict[str, Any], explained: str) -> None:
    with pytest.raises(SettingsError, match=explained):
        MockServer(**settings)


def test_a_wrong_fixture_or_fault_says_where_and_why(tmp_path: Path) -> None:
    with pytest.raises(FixtureError, match=r"fixtures\[1\]: answer: exactly one of content"):
        MockServer(fixtures=[FIXTURE, {"answer": {}}])
    with pytest.raises(FixtureFolderError, match="is no folder"):
        MockServer(fixtures=[tmp_path / "nowhere"])
    with pytest.raises(FixtureError, match="faults: kind: "):
        MockServer(faults="hung")


def test_a_port_that_is_taken_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server = MockServer(port=taken.getsockname()[1])

        with pytest.raises(OSError, match="in use"):
            server.start()


def test_the_log_gets_a_line_a_request() -> None:
    lines: list[str] = []
    with MockServer(log=lines.append) as server:
        ask(server)

    assert len(lines) == 1
    assert "201  document.invoice  no document" in lines[0]


def test_several_servers_do_not_see_each_other() -> None:
    with MockServer() as one, MockServer() as other:
        one.add("document.invoice", content=INVOICE)

        answers = [ask(one), ask(other)]

    assert answers[0] == INVOICE
    assert answers[1] != INVOICE
    assert (len(one.requests), len(other.requests)) == (1, 1)


def test_threads_may_ask_and_register_at_once() -> None:
    with MockServer() as server:

        def work(number: int) -> str:
            server.add("document.invoice", text=f"<{number}>", content={**INVOICE, "invoice_id": str(number)})
            answer: str = ask(server, key=f"key-{number % 4}", text=f"<{number}>")["invoice_id"]
            return answer

        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(work, range(60)))

    assert answers == [str(number) for number in range(60)]
    assert len(server.requests) == 60


def test_an_async_application_is_served() -> None:
    async def application() -> list[str | None]:
        async with (
            MockServer(fixtures=FIXTURE) as server,
            openai.AsyncOpenAI(base_url=server.openai_url, api_key=server.api_key) as client,
        ):
            calls = (
                client.chat.completions.create(
                    model="vlm-1",
                    messages=[{"role": "user", "content": str(number)}],
                    extra_body={"domain": "document.invoice"},
                )
                for number in range(10)
            )
            completions = await asyncio.gather(*calls)
            server.assert_requested(times=10)
        return [completion.choices[0].message.content for completion in completions]

    contents = asyncio.run(application())

    assert [json.loads(content or "") for content in contents] == [INVOICE] * 10


def test_an_application_in_the_same_process_needs_no_socket() -> None:
    server = MockServer(fixtures=FIXTURE)
    server.fail(times=1, retry_after=0)

    async def application() -> str | None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(server.app)) as http:
            client = openai.AsyncOpenAI(base_url="http://mock/v1/openai", api_key="any", http_client=http)
            completion = await client.chat.completions.create(
                model="vlm-1", messages=[{"role": "user", "content": "x"}], extra_body={"domain": "document.invoice"}
            )
        return completion.choices[0].message.content

    assert json.loads(asyncio.run(application()) or "") == INVOICE
    assert [entry.status for entry in server.requests] == [429, 201]


def test_in_the_same_process_a_cut_connection_is_a_reset() -> None:
    server = MockServer()
    server.fail("disconnect")

    async def application() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(server.app), base_url="http://mock") as http:
            await http.post(CHAT, json={"messages": [{}]}, headers={"X-Api-Key": "k"})

    with pytest.raises(ConnectionResetError):
        asyncio.run(application())
    assert [entry.status for entry in server.requests] == [0]


def test_no_server_thread_is_left_behind() -> None:
    def threads() -> set[threading.Thread]:
        return {thread for thread in threading.enumerate() if thread.name == "vlmrun-mock"}

    before = threads()
    with MockServer() as server:
        ask(server)
        during = threads()

    assert len(during - before) == 1
    assert threads() <= before


UNITTEST = """\
import json, os, unittest, urllib.request
from vlmrun_mock import MockServer

class InvoiceTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.mock = MockServer(strict=True)
        cls.mock.start()
        cls.addClassCleanup(cls.mock.stop)

    def setUp(self):
        self.mock.reset()

    def test_total(self):
        self.mock.add("document.invoice", content={"invoice_id": "INV-1"})
        body = json.dumps({"messages": [{}], "domain": "document.invoice"}).encode()
        headers = {"Authorization": "Bearer k"}
        request = urllib.request.Request(self.mock.openai_url + "/chat/completions", body, headers)
        urllib.request.urlopen(request).close()
        self.mock.assert_requested("document.invoice", times=1)

    def test_miss(self):
        with self.assertRaisesRegex(AssertionError, "nothing was asked"):
            self.mock.assert_requested("document.invoice")

unittest.main()
"""


def test_unittest_uses_it(tmp_path: Path) -> None:
    script = tmp_path / "invoices.py"
    script.write_text(UNITTEST, encoding="utf-8")

    ended = subprocess.run(
        [sys.executable, "-W", "error", script], env=environment(), capture_output=True, text=True, check=False
    )

    assert ended.stderr.splitlines()[-3].startswith("Ran 2 tests")
    assert ended.stderr.splitlines()[-1] == "OK"


def test_the_package_itself_imports_nothing() -> None:
    script = "import sys, vlmrun_mock; print(sorted(name for name in sys.modules if name.startswith('vlmrun_mock')))"

    ended = subprocess.run(
        [sys.executable, "-c", script], env=environment(), capture_output=True, text=True, check=True
    )

    assert ended.stdout.strip() == "['vlmrun_mock']"


def test_the_names_of_the_package_are_found_when_they_are_asked_for() -> None:
    assert set(vlmrun_mock.__all__) <= set(dir(vlmrun_mock))
    assert {name: getattr(vlmrun_mock, name).__name__ for name in ("Control", "MockServer")} == {
        "Control": "Control",
        "MockServer": "MockServer",
    }
    with pytest.raises(AttributeError, match="has no attribute 'Server'"):
        _ = vlmrun_mock.Server


def test_a_process_that_forgets_to_stop_it_ends_all_the_same(tmp_path: Path) -> None:
    script = "from vlmrun_mock import MockServer; server = MockServer(); server.start(); print(server)"

    ended = subprocess.run(
        [sys.executable, "-c", script],
        env=environment(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert (ended.returncode, ended.stdout) == (0, "<MockServer with the key 'local'>" + os.linesep)


def test_the_first_answer_needs_nothing_that_makes_answers() -> None:
    script = (
        "import httpx, sys, vlmrun_mock\n"
        "with vlmrun_mock.MockServer() as server:\n"
        "    body = {'messages': [{}], 'vlmrun': {'domain': 'document.invoice'}}\n"
        "    url = f'{server.openai_url}/chat/completions'\n"
        "    assert httpx.post(url, json=body, headers={'Authorization': 'Bearer k'}).status_code == 201\n"
        "print(sorted(name for name in sys.modules if name.startswith('vlmrun_mock.schema.generate')))"
    )

    ended = subprocess.run(
        [sys.executable, "-c", script], env=environment(), capture_output=True, text=True, check=True
    )

    assert ended.stdout.strip() == "[]"
