"""The rate limit: so many requests with one key in any stretch of time, and a 429 that says when to come back."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.conftest import Serve
from tests.process import run, serving
from tests.serving import CHAT
from vlmrun_mock.mock.rate_limit import RateLimit, RateLimitError, Window, parse
from vlmrun_mock.mock.scopes import Scopes
from vlmrun_mock.mock.settings import Settings
from vlmrun_mock.web import server
from vlmrun_mock.web.app import application


class Clock:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        """Return the time in seconds."""
        return self.now


@pytest.mark.parametrize(
    ("text", "expected"),
    {
        "10/min": RateLimit(10, 60),
        "100/minute": RateLimit(100, 60),
        "2/s": RateLimit(2, 1),
        " 5 / SEC ": RateLimit(5, 1),
        "1000/hour": RateLimit(1000, 3600),
        "1000/h": RateLimit(1000, 3600),
    }.items(),
)
def test_a_limit_is_a_number_in_a_unit_of_time(text: str, expected: RateLimit) -> None:
    assert parse(text) == expected
    assert parse(str(expected)) == expected


@pytest.mark.parametrize(
    "text", ["", "10", "10/", "/min", "0/min", "-1/min", "1.5/min", "10/day", "10/min/min", "\u0661/min"]
)
def test_another_text_is_refused(text: str) -> None:
    with pytest.raises(RateLimitError, match="is not a rate limit such as 10/min, 2/s or 1000/hour"):
        parse(text)


def test_without_a_limit_everything_is_admitted() -> None:
    window = Window(None)

    assert [window.admit() for _ in range(1000)] == [0] * 1000


def test_the_window_slides() -> None:
    clock = Clock()
    window = Window(RateLimit(2, 60), clock)

    waits = []
    for seconds in (0, 20, 10, 29.5, 0.5, 0.5, 19.5, 0):
        clock.now += seconds
        waits.append(window.admit())

    assert waits == [0, 0, 30, 1, 0, 20, 0, 40]


@pytest.mark.parametrize("seconds", [0.0, 0.1, 1 / 3, 29.7, 59.999])
def test_who_waits_as_told_is_admitted(seconds: float) -> None:
    clock = Clock()
    window = Window(RateLimit(1, 60), clock)

    window.admit()
    clock.now += seconds
    wait = window.admit()
    clock.now += wait

    assert wait >= 1
    assert window.admit() == 0


def test_refused_requests_do_not_count() -> None:
    clock = Clock()
    window = Window(RateLimit(1, 60), clock)
    window.admit()

    for _ in range(59):
        clock.now += 1
        assert window.admit() == 60 - (clock.now - 1_000_000)
    clock.now += 1

    assert window.admit() == 0


def test_threads_get_exactly_the_limit_between_them() -> None:
    window = Window(RateLimit(100, 3600))
    waits: list[int] = []

    threads = [threading.Thread(target=lambda: waits.extend(window.admit() for _ in range(50))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(waits) == 400
    assert waits.count(0) == 100


def test_beyond_the_limit_is_a_429_in_the_apis_shape(serve: Serve) -> None:
    served = serve(rate_limit=RateLimit(2, 60))

    answers = [served.chat(domain="document.invoice") for _ in range(3)]

    refused = answers[2]
    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.json()["error"]["code"] == "rate_limit_exceeded"
    assert refused.json()["error"]["type"] == "rate_limit_error"
    assert refused.json()["detail"] == refused.json()["error"]["message"]
    assert "2/min" in refused.json()["detail"]
    assert "429  document.invoice" in served.lines[2]
    assert "rate_limit_exceeded" in served.lines[2]


def test_each_key_has_a_limit_of_its_own(serve: Serve) -> None:
    served = serve(rate_limit=RateLimit(1, 60))

    statuses = [
        served.http.post(CHAT, json={"messages": [{}]}, headers={"Authorization": f"Bearer {key}"}).status_code
        for key in ("one", "one", "two", "two")
    ]

    assert statuses == [201, 429, 201, 429]


def test_only_chat_completions_count(serve: Serve) -> None:
    served = serve(rate_limit=RateLimit(1, 60))

    others = [served.http.get(path).status_code for path in ("/v1/health", "/v1/models", "/v1/openai/models") * 3]

    assert others == [200] * 9
    assert served.chat().status_code == 201


def test_the_journal_says_what_was_refused() -> None:
    scopes = Scopes(Settings(rate_limit=RateLimit(1, 60)))
    with server.running(application(scopes)) as url:
        client = openai.OpenAI(base_url=f"{url}/v1/openai", api_key="k", max_retries=0)
        ask: dict[str, Any] = {"model": "vlm-1", "messages": [], "extra_body": {"domain": "document.invoice"}}
        client.chat.completions.create(**ask)
        with pytest.raises(openai.RateLimitError):
            client.chat.completions.create(**ask)
    _, refused = scopes.of("k").journal

    assert (refused.status, refused.error, refused.domain) == (429, "rate_limit_exceeded", "document.invoice")
    assert refused.retry_after is not None


def test_the_sdk_waits_as_told_and_gets_its_answer(serve: Serve) -> None:
    served = serve(rate_limit=RateLimit(1, 1))
    client = openai.OpenAI(base_url=served.openai_url, api_key="test")
    started = time.monotonic()

    for _ in range(2):
        client.chat.completions.create(model="vlm-1", messages=[{"role": "user", "content": "x"}])

    assert time.monotonic() - started >= 1
    assert sum("rate_limit_exceeded" in line for line in served.lines) == 1


def test_a_malformed_body_counts_and_is_refused_like_any_other(serve: Serve) -> None:
    served = serve(rate_limit=RateLimit(1, 60))

    statuses = [served.http.post(CHAT, content=b"{").status_code for _ in range(2)]

    assert statuses == [422, 429]


def test_the_command_line_sets_it_and_the_banner_says_it(tmp_path: Path) -> None:
    with serving(tmp_path / "option", "--rate-limit", "1/hour", "--fault", "hang,domain=x") as process:
        statuses = [process.http.post(CHAT, json={"messages": [{}]}).status_code for _ in range(2)]
    with serving(tmp_path / "variable", changes={"VLMRUN_MOCK_RATE_LIMIT": "100/min"}) as other:
        pass

    assert statuses == [201, 429]
    assert "Faults: hang for x, once. Rate limit: 1/hour for each key.\n" in process.output
    assert "Rate limit: 100/min for each key.\n" in other.output


def test_a_wrong_limit_ends_with_a_clear_line() -> None:
    finished = run("serve", "--port", "0", "--rate-limit", "10/day")

    assert finished.returncode == 2
    assert "'--rate-limit': '10/day' is not a rate limit such as 10/min" in finished.stderr
