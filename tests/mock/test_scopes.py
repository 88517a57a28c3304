"""Tests that share a server do not see each other: each key has fixtures, faults, a journal and counts of its own."""

from __future__ import annotations

import concurrent.futures
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import Put, Serve
from tests.in_process import answer_to
from tests.process import ROOT, environment, serving
from tests.serving import CHAT, RunningMock, content, data_url, image_message, picture
from vlmrun_mock.api.request import ExtractionRequest
from vlmrun_mock.fixtures.fixture import Fixture, FixtureAnswer
from vlmrun_mock.fixtures.format import checked
from vlmrun_mock.fixtures.match import Match
from vlmrun_mock.mock.mock import Mock
from vlmrun_mock.mock.scopes import MOST_SCOPES, Scopes
from vlmrun_mock.mock.settings import Settings
from vlmrun_mock.web import server
from vlmrun_mock.web.app import application

KEYS = tuple(f"key-{number}" for number in range(8))
BODY = {"messages": [{"role": "user", "content": "Extract"}], "domain": "document.invoice"}


class Tenant:
    """One of several users of a server, known by a key."""

    def __init__(self, url: str, key: str) -> None:
        self.key = key
        self.http = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"} if key else {}, timeout=60)

    def register(self, *fixtures: dict[str, Any]) -> None:
        """Register fixtures."""
        assert self.http.post("/_mock/fixtures", json=list(fixtures)).status_code == 201

    def fail(self, **fault: Any) -> None:
        """Arm a fault."""
        assert self.http.post("/_mock/faults", json=fault).status_code == 201

    def ask(self, **body: Any) -> httpx.Response:
        """Ask for an invoice."""
        return self.http.post(CHAT, json={**BODY, **body})

    def invoice(self, **body: Any) -> str:
        """Return the invoice's id in an answer."""
        return str(content(self.ask(**body))["invoice_id"])

    def journal(self, **parameters: Any) -> dict[str, Any]:
        """Return a page of the journal."""
        return dict(self.http.get("/_mock/requests", params={"limit": 1000, **parameters}).json())

    def __enter__(self) -> Tenant:  # noqa: PYI034 - Self needs Python 3.11
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()


def invoice(name: str, **match: Any) -> dict[str, Any]:
    """Return a fixture that answers with an invoice of that id."""
    return {"match": {"domain": "document.invoice", **match}, "answer": {"content": {"invoice_id": name}}}


def in_turn(*names: str, **match: Any) -> dict[str, Any]:
    """Return a fixture that answers with invoices one after the other."""
    answers = [{"content": {"invoice_id": name}} for name in names]
    return {"match": {"domain": "document.invoice", **match}, "answers": answers}


def test_eight_threads_with_eight_keys_never_get_each_others_answers(serve: Serve) -> None:
    served = serve()
    begin = threading.Barrier(len(KEYS))

    def use(number: int) -> list[str]:
        wrong = []
        with Tenant(served.url, KEYS[number]) as tenant:
            tenant.register(
                invoice(f"{tenant.key}-plain"),
                invoice(f"{tenant.key}-picture", documents=[data_url(picture(1))]),
                in_turn(*(f"{tenant.key}-{turn}" for turn in range(15)), text={"contains": "next"}),
            )
            tenant.fail(status=430 + number, every=4, domain="document.receipt")
            begin.wait()
            for turn in range(15):
                wrong += [
                    f"{tenant.key}: {got} instead of {wanted}"
                    for got, wanted in (
                        (tenant.invoice(), f"{tenant.key}-plain"),
                        (tenant.invoice(messages=image_message(picture(1))), f"{tenant.key}-picture"),
                        (tenant.invoice(messages=[{"content": "the next"}]), f"{tenant.key}-{turn}"),
                        (tenant.ask(domain="document.receipt").status_code, 430 + number if turn % 4 == 3 else 201),
                    )
                    if got != wanted
                ]
            wrong += [f"{tenant.key}: {total} entries" for total in [tenant.journal()["total"]] if total != 60]
        return wrong

    with concurrent.futures.ThreadPoolExecutor(len(KEYS)) as pool:
        wrong = [line for lines in pool.map(use, range(len(KEYS))) for line in lines]

    assert wrong == []
    with Tenant(served.url, "") as observer:
        everything = observer.journal()
    assert everything["total"] == 480
    assert len({entry["id"] for entry in everything["requests"]}) == 480


@pytest.fixture
def served(serve: Serve) -> RunningMock:
    """Return a server of the test's own."""
    return serve()


def test_a_fixture_of_one_key_answers_no_other(served: RunningMock) -> None:
    with Tenant(served.url, "a") as a, Tenant(served.url, "b") as b:
        packaged = b.invoice()
        a.register(invoice("A"))

        assert a.invoice() == "A"
        assert b.invoice() == packaged


def test_what_is_registered_without_a_key_answers_all_and_a_key_of_its_own_wins(served: RunningMock) -> None:
    with Tenant(served.url, "a") as a, Tenant(served.url, "b") as b, Tenant(served.url, "") as everyone:
        a.register(invoice("A"))
        everyone.register(invoice("ALL"))

        assert (a.invoice(), b.invoice()) == ("A", "ALL")


def test_answers_in_turn_are_counted_for_each_key_whoever_registered_them(put: Put, serve: Serve) -> None:
    folder = put("turns.json", in_turn("1", "2")["answers"], domain="document.invoice", text={"contains": "folder"})
    served = serve(fixtures=(folder,))

    with Tenant(served.url, "a") as a, Tenant(served.url, "b") as b, Tenant(served.url, "") as everyone:
        everyone.register(in_turn("1", "2", text={"contains": "everyone"}))
        a.register(in_turn("1", "2", text={"contains": "own"}))

        for text in ("folder", "everyone"):
            said = [tenant.invoice(messages=[{"content": text}]) for tenant in (a, b, a, b)]
            assert said == ["1", "1", "2", "2"]
        assert [a.invoice(messages=[{"content": "own"}]) for _ in range(3)] == ["1", "2", "2"]


def test_a_fixture_registered_anew_starts_its_turns_anew(served: RunningMock) -> None:
    with Tenant(served.url, "a") as a, Tenant(served.url, "") as everyone:
        for tenant in (a, everyone):
            tenant.register(in_turn("1", "2"))
            first = a.invoice()
            tenant.http.delete("/_mock/fixtures")
            tenant.register(in_turn("1", "2"))

            assert (first, a.invoice(), a.invoice()) == ("1", "1", "2")
            tenant.http.delete("/_mock/fixtures")


def test_a_fault_of_one_key_strikes_no_other(served: RunningMock) -> None:
    with Tenant(served.url, "a") as a, Tenant(served.url, "b") as b:
        a.fail(status=503)

        assert [tenant.ask().status_code for tenant in (b, a, b, a)] == [201, 503, 201, 201]


def test_a_fault_without_a_key_strikes_the_next_requests_of_all(served: RunningMock) -> None:
    with Tenant(served.url, "a") as a, Tenant(served.url, "b") as b, Tenant(served.url, "") as everyone:
        everyone.fail(status=503, times=2)

        assert [tenant.ask().status_code for tenant in (a, b, a, b)] == [503, 503, 201, 201]


def test_the_journal_of_a_key_holds_its_own_requests(served: RunningMock) -> None:
    with Tenant(served.url, "a") as a, Tenant(served.url, "b") as b, Tenant(served.url, "") as everyone:
        for _ in range(3):
            a.ask()
        b.ask()
        everyone.ask()

        assert [tenant.journal()["total"] for tenant in (a, b, everyone)] == [3, 1, 5]
        assert everyone.journal(status=401)["total"] == 1


def test_resetting_one_key_leaves_the_others(served: RunningMock) -> None:
    with Tenant(served.url, "a") as a, Tenant(served.url, "b") as b, Tenant(served.url, "") as everyone:
        everyone.register(invoice("ALL"))
        for tenant in (a, b):
            tenant.register(in_turn("1", "2"))
            tenant.ask()

        a.http.post("/_mock/reset")

        assert (a.invoice(), b.invoice()) == ("ALL", "2")
        assert (a.journal()["total"], b.journal()["total"]) == (1, 2)


def test_a_reset_without_a_key_resets_all(served: RunningMock) -> None:
    with Tenant(served.url, "a") as a, Tenant(served.url, "") as everyone:
        packaged = a.invoice()
        everyone.register(invoice("ALL"))
        everyone.fail(status=503)
        a.register(invoice("A"))
        a.fail(status=500)

        everyone.http.post("/_mock/reset")

        assert everyone.journal()["total"] == 0
        assert a.invoice() == packaged


def test_a_request_that_is_under_way_at_a_reset_is_not_in_the_new_journal(served: RunningMock) -> None:
    with Tenant(served.url, "a") as a, Tenant(served.url, "a") as again:
        a.fail(kind="latency", latency_ms=300)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            late = pool.submit(a.ask)
            while not again.http.get("/_mock/faults").json()["faults"][0]["struck"]:
                time.sleep(0.005)
            again.http.post("/_mock/reset")

            assert late.result().status_code == 201
        assert again.journal()["total"] == 0


def test_a_change_is_seen_by_the_very_next_request_under_load(served: RunningMock) -> None:
    """A remembered answer must not outlive what it was made from."""
    stop = threading.Event()

    def keep_asking() -> None:
        with Tenant(served.url, "a") as noisy:
            while not stop.is_set():
                noisy.ask()

    with concurrent.futures.ThreadPoolExecutor(3) as pool, Tenant(served.url, "a") as a, Tenant(served.url, "") as all_:
        noise = [pool.submit(keep_asking) for _ in range(3)]
        said = []
        for turn in range(40):
            tenant = (a, all_)[turn % 2]
            a.http.delete("/_mock/fixtures")
            tenant.register(invoice(f"{turn}"))
            said.append(a.invoice())
        stop.set()
        for each in noise:
            each.result()

    assert said == [str(turn) for turn in range(40)]


def test_registering_from_threads_loses_nothing_and_shows_no_stale_answer() -> None:
    """The Python verbs change a mock from other threads than the one that answers."""
    scopes = Scopes()
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)

    with server.running(application(scopes)) as url:

        def use(number: int) -> list[str]:
            stale = []
            mock = scopes.of("shared")
            with Tenant(url, "shared") as tenant:
                for turn in range(25):
                    text = f"thread {number} turn {turn} "
                    before = tenant.ask(messages=[{"content": text}])
                    mock.register(mock.built(checked(invoice(text, text={"contains": text}), "it")))
                    after = tenant.invoice(messages=[{"content": text}])
                    stale += [after] if after != text or before.status_code != 201 else []
            return stale

        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            stale = [each for found in pool.map(use, range(6)) for each in found]

    sys.setswitchinterval(interval)
    assert stale == []
    registered = list(scopes.of("shared").registered)
    assert len(registered) == 150
    assert len({fixture.name for fixture in registered}) == 150


@pytest.mark.parametrize("delay", [0.01, 0.03, 0.06, 0.1, 0.2])
def test_an_answer_that_is_overtaken_by_a_change_is_not_remembered(delay: float) -> None:
    scopes = Scopes()
    mock = scopes.of("a")
    messages = [{"content": "word " * 150_000}]  # its tokens take long enough to count

    with server.running(application(scopes)) as url, Tenant(url, "a") as a, Tenant(url, "a") as again:
        a.ask()  # whatever is loaded at first use is loaded now
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            overtaken = pool.submit(a.ask, messages=messages)
            time.sleep(delay)
            mock.register(mock.built(checked(invoice("NEW"), "it")))

            assert overtaken.result().status_code == 201
            assert again.invoice(messages=messages) == "NEW"


def test_fixtures_of_one_name_take_turns_each_for_itself() -> None:
    everyone = Mock()
    mock = Mock(everyone.settings, everyone.store, everyone)
    turns = (FixtureAnswer("1"), FixtureAnswer("2"))
    everyone.register(Fixture("same", Match(model="everyone's"), turns))
    mock.register(Fixture("same", Match(model="own"), turns))

    models = ("everyone's", "own", "everyone's", "own")
    said = [answer_to(mock, ExtractionRequest(model=model)).text for model in models]

    assert said == ["1", "1", "2", "2"]


PROCESS = """
import sys
import httpx

url, key = sys.argv[1:]
http = httpx.Client(base_url=url, headers={"X-Api-Key": key}, timeout=60)
fixture = {"match": {"domain": "document.invoice"}, "answer": {"content": {"invoice_id": key}}}
assert http.post("/_mock/fixtures", json=fixture).status_code == 201
for _ in range(100):
    answer = http.post("/v1/openai/chat/completions", json={"messages": [{}], "domain": "document.invoice"})
    print(answer.status_code, answer.json()["choices"][0]["message"]["content"])
"""


def test_two_processes_share_one_serve(tmp_path: Path) -> None:
    with serving(tmp_path / "serve") as process:
        users = [
            subprocess.Popen(
                [sys.executable, "-c", PROCESS, process.url, key],
                env=environment(),
                cwd=ROOT,
                stdout=subprocess.PIPE,
                text=True,
            )
            for key in ("first", "second")
        ]

        printed = [Counter(user.communicate(timeout=60)[0].splitlines()) for user in users]

        assert printed == [{f'201 {{"invoice_id":"{key}"}}': 100} for key in ("first", "second")]
        assert process.http.get("/_mock/requests", headers={"Authorization": ""}).json()["total"] == 200


def test_of_too_many_keys_those_without_a_registration_are_forgotten_first() -> None:
    scopes = Scopes()
    prepared = scopes.of("prepared")
    prepared.register(prepared.built(checked(invoice("A"), "it")))
    strict = scopes.open("strict", Settings(strict=True))
    idle = scopes.of("idle")

    for number in range(2 * MOST_SCOPES):
        scopes.of(f"key {number}")

    assert scopes.of("prepared") is prepared
    assert scopes.of("strict") is strict
    assert scopes.of("idle") is not idle
    assert len(scopes.all()) == MOST_SCOPES + 1


def test_keys_with_something_registered_are_bounded_as_well() -> None:
    scopes = Scopes()

    for number in range(MOST_SCOPES + 10):
        mock = scopes.of(f"key {number}")
        mock.register(mock.built(checked(invoice("A"), "it")))

    assert len(scopes.all()) == MOST_SCOPES + 1
    assert len(scopes.of(f"key {MOST_SCOPES + 9}").registered) == 1
    assert len(scopes.of("key 0").registered) == 0


def test_no_key_is_kept_in_memory() -> None:
    scopes = Scopes()

    scopes.of("sk-very-secret")

    assert "sk-very-secret" not in repr(vars(scopes))
