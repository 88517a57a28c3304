"""What a client did, judged from its journal: scripted cases, and real clients against a real server."""

from __future__ import annotations

import itertools
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import openai
import pytest
from vlmrun.client import VLMRun

from tests.conftest import Serve
from tests.effort import calls
from tests.process import environment
from tests.serving import CHAT, RunningMock
from vlmrun_mock.api.chat_parser import parse
from vlmrun_mock.mock.journal import Entry
from vlmrun_mock.mock.rate_limit import RateLimit
from vlmrun_mock.mock.request_summary import summarise
from vlmrun_mock.mock.verdict import FINDINGS, POLLING, Verdict, together, verdict

NUMBERS = itertools.count(1)


def entry(at: float, status: int = 201, *, about: str = "a", seconds: float = 0.1, **facts: Any) -> Entry:
    """Return a request for something, begun at a time and answered a tenth of a second later."""
    request = parse(b'{"messages": [{"content": "%s"}]}' % about.encode()).extraction
    return Entry(f"r{next(NUMBERS)}", at, seconds, status, summarise(request), **facts)


def codes(judged: Verdict) -> list[str]:
    """Return the codes of the findings, in order."""
    return [finding.code for finding in judged.findings]


NOTHING_WRONG = {
    "nothing at all": [],
    "successes": [entry(0), entry(0.11), entry(0.22), entry(0.33), entry(0.44)],
    "a retry in time": [entry(0, 429, retry_after=1.0), entry(1.1)],
    "a retry a hair early": [entry(0, 429, retry_after=1.0), entry(1.08)],
    "a retry at once, where that was asked for": [entry(0, 429, retry_after=0.0), entry(0.1)],
    "patient retries without a hint": [entry(0, 503), entry(0.7, 503), entry(2, 503), entry(5, 503), entry(11)],
    "two quick retries": [entry(0, 500), entry(0.11, 500), entry(0.22)],
    "giving up after some tries": [entry(0, 503), entry(1, 503), entry(3, 503)],
    "not retrying what is final": [entry(0, 401), entry(1, 422, about="b"), entry(2, 404, about="c")],
    "side by side": [
        entry(0, 503),
        entry(0.01, 503),
        entry(0.02, 503),
        entry(0.03, 503),
        *[entry(1 + n) for n in range(4)],
    ],
    "another request after a final error": [entry(0, 422), entry(0.2, about="b")],
    "the same again after success": [entry(0), entry(9, 503), entry(10)],
    "a slow answer": [entry(0, fault="latency")],
    "a body that was never read": [Entry("x", 0, 0.1, 401), Entry("y", 0.2, 0.1, 401)],
}


@pytest.mark.parametrize("case", NOTHING_WRONG)
def test_a_client_that_behaves_gets_no_finding(case: str) -> None:
    judged = verdict(NOTHING_WRONG[case])

    assert judged.ok, judged
    assert judged.requests == len(NOTHING_WRONG[case])


FOUND = {
    "a retry too early": (
        [entry(0, 429, retry_after=2.0), entry(1.1)],
        "retried_too_early",
        "retried a 429 after 1.00 s, where Retry-After had asked for 2 s",
        [0, 1],
    ),
    "a 503 with Retry-After": (
        [entry(0, 503, retry_after=1.5), entry(0.6)],
        "retried_too_early",
        "retried a 503 after 0.50 s, where Retry-After had asked for 1.5 s",
        [0, 1],
    ),
    "a 422 again": ([entry(0, 422), entry(1)], "retried_in_vain", "retried a 422 once", [0, 1]),
    "a 401 twice again": (
        [entry(0, 401), entry(1, 401), entry(3, 401)],
        "retried_in_vain",
        "retried a 401 2 times, which the same request gets again",
        [0, 1, 2],
    ),
    "an unreadable body again": (
        [Entry("u1", 0, 0.1, 422, digest="d"), Entry("u2", 1, 0.1, 422, digest="d")],
        "retried_in_vain",
        "retried a 422 once",
        [0, 1],
    ),
    "giving up after a 503": ([entry(0, 503), entry(3, about="b")], "gave_up", "gave up after one 503", [0]),
    "giving up after a 429": ([entry(0, 429, retry_after=1.0)], "gave_up", "gave up after one 429", [0]),
    "giving up after a cut": ([entry(0, 0)], "gave_up", "gave up after one cut connection", [0]),
    "hammering": (
        [entry(0, 503), entry(0.11, 503), entry(0.22, 503), entry(0.33)],
        "hammered",
        "sent the same request 3 times again within 0.23 s",
        [0, 1, 2, 3],
    ),
    "hammering after spoilt answers": (
        [entry(0.11 * n, fault="invalid-json") for n in range(5)],
        "hammered",
        "4 times again",
        [0, 1, 2, 3, 4],
    ),
    "a parameter": (
        [entry(0, ignored=("n",)), entry(1, about="b"), entry(2, about="c", ignored=("n",))],
        "parameter_without_effect",
        "sent n, which has no effect",
        [0, 2],
    ),
    "a refused parameter": (
        [entry(0, 400, error="unsupported_parameter", param="stop")],
        "parameter_without_effect",
        "sent stop, which has no effect",
        [0],
    ),
    "a stream": ([entry(0, ignored=("stream",))], "streamed", "asked for a stream", [0]),
}


@pytest.mark.parametrize("case", FOUND)
def test_it_finds_and_names_the_requests_that_it_rests_on(case: str) -> None:
    entries, code, words, places = FOUND[case]

    judged = verdict(entries)

    assert not judged.ok
    (finding,) = judged.findings
    assert finding.code == code
    assert words in finding.message
    assert finding.requests == tuple(entries[place].id for place in places)


def test_every_kind_of_finding_has_a_case() -> None:
    assert {code for _, code, _, _ in FOUND.values()} == set(FINDINGS) - set(POLLING)


def test_the_order_of_the_journal_does_not_matter() -> None:
    entries = [entry(0, 429, retry_after=2.0), entry(1.1, 500), entry(4, about="b", ignored=("n",)), entry(9)]

    assert verdict(reversed(entries)) == verdict(entries)


def test_of_requests_side_by_side_each_is_judged_by_its_own_retry() -> None:
    patient = [entry(0, 429, retry_after=1.0), entry(1.1)]
    hasty = [entry(0.05, 429, retry_after=5.0), entry(1.2)]

    judged = verdict([*patient, *hasty])

    (finding,) = judged.findings
    assert finding.requests == (hasty[0].id, hasty[1].id)


def test_it_reads_well_where_an_assertion_fails() -> None:
    entries = [entry(0, 429, retry_after=2.0), entry(1.1, ignored=("n",)), entry(2, 503, about="b")]

    judged = verdict(entries)

    first, second, third = (each.id for each in entries)
    assert str(judged).splitlines() == [
        "in 3 requests the client",
        f"- retried_too_early: retried a 429 after 1.00 s, where Retry-After had asked for 2 s ({first}, {second})",
        f"- gave_up: gave up after one 503 ({third})",
        f"- parameter_without_effect: sent n, which has no effect ({second})",
    ]
    assert str(verdict([])) == "ok: nothing to find fault with in 0 requests"


def test_a_long_verdict_is_cut_in_words_and_whole_as_data() -> None:
    judged = verdict([entry(n, 503, about=f"thing {n}") for n in range(100)])

    assert len(str(judged).splitlines()) == 22
    assert str(judged).endswith("- and 80 more")
    assert len(judged.as_json()["findings"]) == 100


def test_a_parameter_that_was_refused_and_left_out_is_not_tried_in_vain() -> None:
    refused = entry(0, 400, error="unsupported_parameter", param="n")
    refused_again = entry(2, 400, error="unsupported_parameter", param="n")

    assert codes(verdict([refused, entry(1)])) == ["parameter_without_effect"]
    assert codes(verdict([refused, refused_again])) == ["retried_in_vain", "parameter_without_effect"]


def test_pytest_shows_it_whole(tmp_path: Path) -> None:
    test = tmp_path / "test_it.py"
    test.write_text(
        "from vlmrun_mock.mock.verdict import ClientFinding, Verdict\n\n\ndef test_it():\n"
        "    found = [ClientFinding('gave_up', f'thing {number} ' + 'x' * 100, ()) for number in range(5)]\n"
        "    verdict = Verdict(9, found)\n"
        "    assert verdict.ok, verdict\n"
    )

    finished = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(test)],
        env=environment(PYTEST_DISABLE_PLUGIN_AUTOLOAD="1"),
        capture_output=True,
        text=True,
        check=False,
    )

    assert finished.returncode == 1
    for number in range(5):
        assert f"- gave_up: thing {number} {'x' * 100}" in finished.stdout


def test_a_copy_says_the_same() -> None:
    judged = verdict([entry(0, 503)])

    copied = pickle.loads(pickle.dumps(judged))  # noqa: S301 - written in the line itself

    assert copied == judged
    assert copied.findings == judged.findings
    assert copied.requests == 1


def test_it_is_true_only_if_nothing_was_found() -> None:
    assert verdict([entry(0)])
    assert not verdict([entry(0, 503)])


def test_several_clients_are_judged_each_for_itself() -> None:
    judged = together([verdict([entry(0, 422)]), verdict([entry(1, 422), entry(2, 503, about="b")])])

    assert judged.requests == 3
    assert codes(judged) == ["gave_up"]


def test_a_full_journal_is_judged_in_linear_time() -> None:
    def journal(size: int) -> list[Entry]:
        return [entry(n * 0.11, 503) for n in range(size // 2)] + [entry(0, 503) for _ in range(size // 2)]

    quarter, full = journal(250), journal(1_000)

    assert verdict(full).requests == 1_000
    assert calls(lambda: verdict(full)) < 6 * calls(lambda: verdict(quarter))


BODY = {"messages": [{"role": "user", "content": "Extract"}], "domain": "document.invoice"}


def judged(served: RunningMock) -> dict[str, Any]:
    """Return the verdict on the client of the test's key."""
    answer = served.http.get("/_mock/verdict")
    assert answer.status_code == 200
    return dict(answer.json())


def found(served: RunningMock) -> list[str]:
    """Return the codes that the server found."""
    return [finding["code"] for finding in judged(served)["findings"]]


def fail(served: RunningMock, **fault: Any) -> None:
    """Arm a fault."""
    assert served.http.post("/_mock/faults", json=fault).status_code == 201


def ask(client: openai.OpenAI) -> None:
    """Ask for an invoice with the SDK."""
    client.chat.completions.create(
        model="vlm-1",
        messages=[{"role": "user", "content": "Extract"}],
        extra_body={"vlmrun": {"domain": "document.invoice"}},
    )


@pytest.mark.parametrize(
    "fault", [{"status": 429, "retry_after": 1}, {"status": 503, "times": 2}, {"kind": "disconnect"}]
)
def test_the_openai_sdk_with_its_own_retries_behaves(serve: Serve, fault: dict[str, Any]) -> None:
    served = serve()
    fail(served, **fault)

    ask(served.openai().with_options(max_retries=2))

    verdict_on_it = judged(served)
    assert verdict_on_it["ok"], verdict_on_it
    assert verdict_on_it["requests"] == fault.get("times", 1) + 1


def test_the_openai_sdk_without_retries_gives_up(serve: Serve) -> None:
    served = serve()
    fail(served, status=503)

    with pytest.raises(openai.InternalServerError):
        ask(served.openai())

    assert found(served) == ["gave_up"]


def test_the_vlmrun_client_comes_back_too_early_from_a_long_pause(serve: Serve) -> None:
    served = serve()
    fail(served, status=429, retry_after=30)
    client = VLMRun(base_url=f"{served.url}/v1", api_key="test")

    # It waits for a second or more, whatever Retry-After says.
    client.requestor.request("POST", "openai/chat/completions", data=BODY)

    assert found(served) == ["retried_too_early"]


def test_the_vlmrun_client_waits_between_its_tries(serve: Serve) -> None:
    served = serve()
    fail(served, status=503)
    client = VLMRun(base_url=f"{served.url}/v1", api_key="test")

    client.requestor.request("POST", "openai/chat/completions", data=BODY)

    assert judged(served)["requests"] == 2
    assert found(served) == []


def test_a_naive_loop_hammers_and_comes_too_early(serve: Serve) -> None:
    served = serve()
    fail(served, status=429, retry_after=1, times=5)

    while served.http.post(CHAT, json=BODY).status_code != 201:
        pass

    assert set(found(served)) == {"hammered", "retried_too_early"}
    (hammered,) = (each for each in judged(served)["findings"] if each["code"] == "hammered")
    assert len(hammered["requests"]) == 6


def test_a_loop_over_a_refused_body_is_in_vain(serve: Serve) -> None:
    served = serve()

    for _ in range(2):
        served.http.post(CHAT, content=b'{"messages": 1}')

    assert found(served) == ["retried_in_vain"]


def test_a_client_that_streams_is_told_why_it_reads_nothing(serve: Serve) -> None:
    served = serve()

    chunks = list(
        served.openai().chat.completions.create(
            model="vlm-1", messages=[{"role": "user", "content": "Extract"}], stream=True, temperature=0, stop=["\n"]
        )
    )

    assert chunks == []
    assert set(found(served)) == {"streamed", "parameter_without_effect"}


def test_a_refused_parameter_is_found_as_well(serve: Serve) -> None:
    served = serve(unsupported="reject")

    served.chat(domain="document.invoice", n=2)
    served.chat(domain="document.invoice", stream=True)

    assert found(served) == ["parameter_without_effect", "streamed"]


def test_a_client_that_runs_into_the_rate_limit_and_waits_behaves(serve: Serve) -> None:
    served = serve(rate_limit=RateLimit(1, 1))

    for _ in range(2):
        ask(served.openai().with_options(max_retries=3))

    assert judged(served)["requests"] == 3
    assert found(served) == []
