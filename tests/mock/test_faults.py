"""Faults: how they are written, which requests they strike, and that the same seed strikes the same."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.conftest import Serve
from tests.process import ServeProcess, serving
from tests.serving import CHAT
from vlmrun_mock.api import chat_parser
from vlmrun_mock.cli import main
from vlmrun_mock.mock.fault_format import FaultError, parse, parse_option
from vlmrun_mock.mock.faults import KINDS, Fault, FaultScript
from vlmrun_mock.mock.scopes import Scopes
from vlmrun_mock.mock.settings import Settings
from vlmrun_mock.seed import Seed


def struck(script: FaultScript, count: int, domain: str | None = None) -> list[int]:
    """Return which of the next requests a fault strikes, from 1."""
    return [number for number in range(1, count + 1) if script.draw(domain)]


def script(*written: dict[str, Any], seed: int = 0) -> FaultScript:
    """Return the script of faults as they stand in JSON."""
    return FaultScript(Seed(seed), [parse(each, "fault") for each in written])


WRITTEN = {
    "status=429": Fault(status=429, headers={"Retry-After": "1"}),
    "status=503,message=Back soon": Fault(status=503, message="Back soon"),
    "status=503, retry_after=2.5": Fault(status=503, headers={"Retry-After": "2.5"}),
    "status=429,retry_after=30": Fault(status=429, headers={"Retry-After": "30"}),
    "message=12": Fault(message="12"),
    "error": Fault(),
    "hang": Fault("hang"),
    "kind=hang,times=3": Fault("hang", times=3),
    "truncate,times=always": Fault("truncate", times=None),
    "truncate,times=null": Fault("truncate", times=None),
    "latency_ms=250": Fault("latency", latency=(0.25, 0.25)),
    "latency_ms=100..500": Fault("latency", latency=(0.1, 0.5)),
    "latency_ms=100..500,status=500": Fault(latency=(0.1, 0.5)),
    "no-usage,every=3": Fault("no-usage", every=3, times=None),
    "no-usage,share=0.25": Fault("no-usage", share=0.25, times=None),
    "no-usage,share=0.25,times=2": Fault("no-usage", share=0.25, times=2),
    "hang,domain=document.invoice": Fault("hang", domain="document.invoice"),
    "hang,domain=document.w2-form": Fault("hang", domain="accounting.form-w2"),
    '{"status": 429, "headers": {"retry-after": "7"}}': Fault(status=429, headers={"retry-after": "7"}),
    '{"latency_ms": [1, 2], "message": "a, b"}': Fault(message="a, b", latency=(0.001, 0.002)),
    '{"kind": "hang", "times": null}': Fault("hang", times=None),
}


@pytest.mark.parametrize("text", WRITTEN)
def test_a_fault_is_written_as_pairs_or_as_json(text: str) -> None:
    assert parse_option(text, "fault") == WRITTEN[text]


def test_every_kind_can_be_written_by_its_name() -> None:
    written = [parse_option("latency_ms=1" if kind == "latency" else kind, "fault") for kind in KINDS]

    assert tuple(fault.kind for fault in written) == KINDS


def test_a_range_may_be_a_tuple() -> None:
    assert parse({"latency_ms": (100, 500)}, "fault").latency == (0.1, 0.5)


def test_json_bytes_are_read_like_a_mapping() -> None:
    assert parse(b'{"status": 503, "times": 2}', "fault") == parse({"status": 503, "times": 2}, "fault")


BROKEN = {
    "": "kind: Input should be 'error', 'latency', 'disconnect'",
    "hung": "kind: Input should be 'error', 'latency', 'disconnect'",
    "statuz=429": "statuz: this key is unknown; a fault has kind, status, message, headers, retry_after, latency_ms",
    "status=200": "status: Input should be greater than or equal to 400",
    "status=600": "status: Input should be less than or equal to 599",
    "status=4.5": "status: Input should be a valid integer",
    "status=true": "status: Input should be a valid integer",
    "status=429,status=500": "status: this key is given twice",
    "hang,error": "kind: this key is given twice",
    "hang,status=429": "status can only stand in an error, not in hang",
    "disconnect,retry_after=1,message=x": "message and retry_after can only stand in an error, not in disconnect",
    "disconnect,retry_after=0": "retry_after can only stand in an error, not in disconnect",
    "latency": "a latency needs latency_ms",
    "latency_ms=-1": "latency_ms: Input should be greater than or equal to 0",
    "latency_ms=5..1": "a range begins with the smaller number",
    "latency_ms=1..": "latency_ms",
    "latency_ms=1..2..3": "latency_ms",
    "latency_ms=NaN": "latency_ms",
    "latency_ms=3600000": "latency_ms: Input should be less than or equal to 600000",
    "retry_after=-1": "retry_after: Input should be greater than or equal to 0",
    "times=0": "times: Input should be greater than or equal to 1",
    "every=0": "every: Input should be greater than or equal to 1",
    "share=0": "share: Input should be greater than 0",
    "share=1.5": "share: Input should be less than or equal to 1",
    "hang,domain=": "domain: String should have at least 1 character",
    '{"headers": {"Content-Length": "3"}}': "Content-Length is for the server alone to say",
    '{"headers": {"a": "x\\r\\ny"}}': "headers.a: String should match pattern",
    '{"retry_after": 1, "headers": {"Retry-After": "2"}}': "say the same: give one of them",
    '{"status": 429, "status": 500}': 'is not JSON: the key "status" stands twice in one object',
    '{"status": 429': "is not JSON",
    "[1]": "it should be an object",
}


@pytest.mark.parametrize("text", BROKEN)
def test_a_fault_that_is_wrong_is_explained(text: str) -> None:
    with pytest.raises(FaultError) as caught:
        parse_option(text, "a fault")

    assert str(caught.value).startswith("a fault: ")
    assert BROKEN[text] in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ({"status": 500}, [1]),
        ({"status": 500, "times": 3}, [1, 2, 3]),
        ({"status": 500, "times": None}, [1, 2, 3, 4, 5, 6, 7]),
        ({"status": 500, "every": 3}, [3, 6]),
        ({"status": 500, "every": 2, "times": 2}, [2, 4]),
    ],
)
def test_a_schedule_strikes_the_requests_that_it_names(written: dict[str, Any], expected: list[int]) -> None:
    assert struck(script(written), 7) == expected


def test_a_share_strikes_about_that_part() -> None:
    assert 230 < len(struck(script({"status": 500, "share": 0.25}), 1000)) < 270


def test_a_share_with_times_ends() -> None:
    assert len(struck(script({"status": 500, "share": 0.5, "times": 3}), 1000)) == 3


def test_the_same_seed_draws_the_same_and_another_does_not() -> None:
    written = {"share": 0.5, "latency_ms": [1, 1000]}

    first, again, other = (
        [drawn and drawn.latency for drawn in (faults.draw(None) for _ in range(50))]
        for faults in (script(written, seed=7), script(written, seed=7), script(written, seed=8))
    )

    assert first == again
    assert first != other


def test_a_latency_is_drawn_from_all_of_its_range() -> None:
    faults = script({"latency_ms": [100, 300], "times": None})

    drawn = [fault.latency for fault in (faults.draw(None) for _ in range(200)) if fault]

    assert all(shortest == longest and 0.1 <= shortest <= 0.3 for shortest, longest in drawn)
    assert min(drawn) < (0.11, 0.11)
    assert max(drawn) > (0.29, 0.29)


def test_of_those_due_the_first_strikes_and_the_others_do_not_count_the_request() -> None:
    faults = script({"status": 501, "times": 2}, {"status": 502, "every": 2})

    drawn = [fault and fault.status for fault in (faults.draw(None) for _ in range(6))]

    assert drawn == [501, 501, None, 502, None, 502]


def test_a_fault_for_a_domain_neither_strikes_nor_counts_others() -> None:
    faults = script({"status": 500, "domain": "document.invoice", "every": 2})

    drawn = [bool(faults.draw(domain)) for domain in ("document.invoice", None, "document.receipt", "document.invoice")]

    assert drawn == [False, False, False, True]


def test_a_script_is_live_until_its_faults_are_spent() -> None:
    faults = script({"status": 500}, {"status": 500, "times": 2})

    lives = [faults.live for _ in range(4) if faults.draw(None) or True]

    assert lives == [True, True, False, False]


def test_a_fault_reads_well() -> None:
    texts = [
        str(parse_option(text, "fault"))
        for text in (
            "status=429,times=2,domain=document.invoice",
            "hang",
            "latency_ms=100..500,times=always",
            "status=503,latency_ms=20,share=0.005",
            "no-usage,every=3,times=4",
        )
    ]

    assert texts == [
        "error 429 for document.invoice, 2 times",
        "hang, once",
        "latency of 100 to 500 ms, always",
        "error 503 after 20 ms, 0.5% of requests",
        "no-usage, 1 request in 3, 4 times",
    ]


def test_each_key_has_the_faults_of_the_start_for_itself(serve: Serve) -> None:
    served = serve(faults=(parse({"status": 503, "times": 2}, "fault"),))

    statuses = {
        key: [
            served.http.post(CHAT, json={"messages": [{}]}, headers={"Authorization": f"Bearer {key}"}).status_code
            for _ in range(4)
        ]
        for key in ("one", "two")
    }

    assert statuses == {"one": [503, 503, 201, 201], "two": [503, 503, 201, 201]}


def test_a_fault_of_everyone_strikes_whoever_comes_first_and_a_keys_own_comes_before_it() -> None:
    scopes = Scopes(Settings())
    scopes.everyone.faults.add(parse({"status": 503, "times": 2}, "fault"))
    scopes.of("two").faults.add(parse({"status": 504}, "fault"))
    request = chat_parser.parse(b'{"messages": [{}]}').extraction

    drawn = [scopes.of(key).fault(request) for key in ("two", "one", "two", "one", "two")]

    assert [fault and fault.status for fault in drawn] == [504, 503, 503, None, None]
    assert [scopes.of(key).faulty for key in ("one", "two")] == [False, False]


def test_an_old_spelling_of_a_domain_is_struck(serve: Serve) -> None:
    served = serve(faults=(parse({"status": 503, "domain": "document.w2-form", "times": None}, "fault"),))

    statuses = [served.chat(domain=name).status_code for name in ("document.w2-form", "accounting.form-w2")]

    assert statuses == [503, 503]


def test_a_wrong_key_and_a_malformed_body_use_up_no_fault(serve: Serve) -> None:
    served = serve(faults=(parse({"status": 503}, "fault"),), api_keys=frozenset({"test"}))

    refused = served.http.post(CHAT, json={"messages": [{}]}, headers={"Authorization": "Bearer other"})
    malformed = served.http.post(CHAT, content=b"{")

    assert [refused.status_code, malformed.status_code, served.chat().status_code] == [401, 422, 503]


def test_faults_from_the_command_line_strike_and_are_in_the_banner(tmp_path: Path) -> None:
    options = ("--fault", "status=429,times=2,domain=document.invoice", "--fault", '{"kind": "no-usage"}')
    with serving(tmp_path, *options) as process:
        answers = [process.http.post(CHAT, json={"messages": [{}], "domain": "document.invoice"}) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [429, 429, 201, 201]
    assert ["usage" in answer.json() for answer in answers[2:]] == [False, True]
    assert "Faults: error 429 for document.invoice, 2 times; no-usage, once.\n" in process.output


@pytest.mark.parametrize(
    "value",
    [
        "status=503 status=504,times=2",
        '[{"status": 503}, {"status": 504, "times": 2}]',
    ],
)
def test_a_variable_holds_several_faults(value: str, tmp_path: Path) -> None:
    with serving(tmp_path, changes={"VLMRUN_MOCK_FAULT": value}) as process:
        statuses = [process.http.post(CHAT, json={"messages": [{}]}).status_code for _ in range(4)]

    assert statuses == [503, 504, 504, 201]


def test_a_variable_may_hold_one_object(tmp_path: Path) -> None:
    value = '{"status": 503, "message": "Back soon, really"}'
    with serving(tmp_path, changes={"VLMRUN_MOCK_FAULT": value}) as process:
        answer = process.http.post(CHAT, json={"messages": [{}]})

    assert (answer.status_code, answer.json()["detail"]) == (503, "Back soon, really")


@pytest.mark.parametrize(
    ("arguments", "changes", "reason"),
    [
        (
            ("--fault", "statuz=429"),
            {},
            "'--fault': 'statuz=429': statuz: this key is unknown; a fault has kind, status",
        ),
        (("--fault", "hung"), {}, "kind: Input should be 'error', 'latency'"),
        ((), {"VLMRUN_MOCK_FAULT": "status=9"}, "'status=9': status: Input should be greater"),
        ((), {"VLMRUN_MOCK_FAULT": '[{"status": 503},'}, "is not JSON"),
        ((), {"VLMRUN_MOCK_FAULT": "[5]"}, "kind: Input should be"),
    ],
)
def test_a_wrong_option_ends_with_a_clear_line(
    arguments: tuple[str, ...], changes: dict[str, str], reason: str
) -> None:
    finished = CliRunner().invoke(main, ["serve", "--port", "0", *arguments], env=changes, catch_exceptions=False)

    assert finished.exit_code == 2
    assert reason in finished.stderr


def test_the_same_seed_fails_the_same_in_two_processes(tmp_path: Path) -> None:
    def failures(process: ServeProcess) -> list[tuple[str, str]]:
        for _ in range(40):
            process.http.post(CHAT, json={"messages": [{}]})
        process.stop()
        return re.findall(r"  (\d+)  no domain.*?(?:\[fault: (.*?)\]|$)", process.output, re.MULTILINE)

    options = ("--fault", "status=503,share=0.4", "--fault", "latency_ms=0..20,every=2")
    outcomes = []
    for name, seed in (("first", "7"), ("again", "7"), ("other", "8")):
        with serving(tmp_path / name, "--seed", seed, *options) as process:
            outcomes.append(failures(process))

    first, again, other = outcomes
    assert len(first) == 40
    assert first == again
    assert first != other
    assert {status for status, _ in first} == {"201", "503"}


def test_a_fault_comes_back_with_a_reset() -> None:
    scopes = Scopes(Settings(faults=(parse({"status": 503}, "fault"),)))
    mock = scopes.of("k")

    drawn = [bool(mock.faults.draw(None)) for _ in range(2)]
    mock.reset()
    drawn.append(bool(mock.faults.draw(None)))

    assert drawn == [True, False, True]
