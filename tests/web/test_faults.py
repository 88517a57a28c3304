"""Every fault on a real socket: what its bytes are, what the OpenAI SDK makes of it, and that the server goes on."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeAlias

import httpx
import openai
import pytest
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from vlmrun.hub.schemas.document.invoice import Invoice

from scripts.reference import REFERENCE
from tests.conftest import Put, Serve
from tests.process import PATIENCE, serving
from tests.serving import CHAT, RunningMock, begun, content, listening, text
from vlmrun_mock.fixtures.domains import packaged
from vlmrun_mock.mock import fault_format
from vlmrun_mock.mock.faults import KINDS, Fault
from vlmrun_mock.mock.journal import Entry
from vlmrun_mock.mock.mock import Mock
from vlmrun_mock.mock.scopes import Scopes
from vlmrun_mock.mock.settings import Settings
from vlmrun_mock.schema import validation
from vlmrun_mock.web.app import application
from vlmrun_mock.web.faults import HANDLERS
from vlmrun_mock.web.server import running, url_of

Drill: TypeAlias = "Callable[..., DrilledServer]"

BODY: dict[str, Any] = {"messages": [{"role": "user", "content": "Extract"}], "domain": "document.invoice"}
ASK: dict[str, Any] = {
    "model": "vlm-1",
    "messages": [{"role": "user", "content": "Extract"}],
    "extra_body": {"vlmrun": {"domain": "document.invoice"}},
}
DOMAINS = packaged()
IMPATIENT = 0.5
"""Seconds that a client waits where it is left hanging."""

STATUS = {"error": 429, "disconnect": 0, "hang": 0, "failed": 500}
UNCOUNTED = {"prompt_tokens": 1, "completion_tokens": 1}
"""Figures that spare the mock to count the tokens of megabytes."""

ROWS = {
    cells[0].strip("`"): cells[1:]
    for cells in (
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for line in (REFERENCE / "faults.md").read_text(encoding="utf-8").partition("## On a stream")[0].splitlines()
    )
    if cells[0].strip("|` ") in KINDS and len(cells) == 4
}
"""The table in the reference: what is on the wire, what is raised, and whether the SDK tries again, by kind."""


def fault(kind: str, **further: Any) -> Fault:
    """Return a fault that strikes once."""
    needed: dict[str, Any] = {"latency": {"latency_ms": 20}, "error": {"status": 429}}.get(kind, {})
    return fault_format.parse({"kind": kind, **needed, **further}, "fault")


class DrilledServer(RunningMock):
    """A running mock as one test's key sees it, with that key's faults and journal."""

    def __init__(self, url: str, lines: list[str], key: str, mock: Mock) -> None:
        super().__init__(url, lines)
        self.key = key
        self.mock = mock
        self._before = len(lines)
        self.http.headers["Authorization"] = f"Bearer {key}"

    @property
    def entries(self) -> list[Entry]:
        """Return what the journal of the key holds."""
        return list(self.mock.journal)

    def logged(self, pattern: str) -> str:
        """Wait for a line with a pattern that was logged since the test began, and return it."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            found = [line for line in self.lines[self._before :] if re.search(pattern, line)]
            if found:
                return found[0]
            time.sleep(0.01)
        raise AssertionError(f"no line with {pattern!r} in {self.lines[self._before :]}")

    def sdk(self, **options: Any) -> openai.OpenAI:
        """Return the official SDK's client, with its own retries unless told otherwise."""
        return openai.OpenAI(base_url=self.openai_url, api_key=self.key, **{"timeout": PATIENCE, **options})


@pytest.fixture(scope="module", params=[HttpToolsProtocol, H11Protocol])
def host(request: pytest.FixtureRequest) -> Iterator[tuple[str, list[str], Scopes]]:
    """Return a server on each of uvicorn's HTTP protocols: its URL, its log, and its mocks."""
    lines: list[str] = []
    scopes = Scopes()
    with listening(application(scopes, log=lines.append), request.param) as listener:
        yield url_of(listener), lines, scopes


@pytest.fixture
def drill(host: tuple[str, list[str], Scopes]) -> Iterator[Drill]:
    """Return a function that arms faults for a key of the test's own."""
    url, lines, scopes = host
    with ExitStack() as stack:

        def arm(*faults: Fault, **settings: Any) -> DrilledServer:
            key = uuid.uuid4().hex
            drilled = DrilledServer(url, lines, key, scopes.open(key, Settings(faults=faults, **settings)))
            stack.callback(drilled.http.close)
            return drilled

        yield arm


def sent(url: str, key: str = "test", count: int = 1) -> socket.socket:
    """Return a bare socket on which a request was sent, or several at once."""
    return begun(url, BODY, key, count, IMPATIENT)


def received_from(client: socket.socket) -> tuple[bytes, str]:
    """Return all that comes from a socket, and how the connection ended."""
    received = b""
    try:
        while chunk := client.recv(65536):
            received += chunk
    except ConnectionResetError:
        return received, "reset"
    except TimeoutError:
        return received, "open"
    return received, "closed"


def exchanged(served: DrilledServer) -> tuple[bytes, str]:
    """Send a request on a bare socket, and return all that came back, and how the connection ended."""
    with sent(served.url, served.key) as client:
        return received_from(client)


def split(answer: bytes) -> tuple[int, dict[str, str], bytes]:
    """Return the status, headers and body of raw bytes."""
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    return int(status.split()[1]), dict(line.split(": ", 1) for line in lines), body


def whole(served: RunningMock) -> bytes:
    """Return the body of the answer that no fault touched."""
    answer = served.http.post(CHAT, json=BODY)
    assert answer.status_code == 201
    return answer.content


def application_of_a_user(client: openai.OpenAI, seen: list[object]) -> int:
    """Do what applications do with an invoice; what the SDK returned is added to `seen`."""
    completion = client.chat.completions.create(**ASK)
    seen.append(completion)
    Invoice.model_validate(json.loads(completion.choices[0].message.content or ""))
    usage: Any = completion.usage
    return int(usage.total_tokens)


def raised_by(function: Callable[[], object]) -> str | None:
    """Return the name of what a function raises, if anything."""
    try:
        function()
    except Exception as error:  # noqa: BLE001 - whatever it is, the table must say so
        return type(error).__name__
    return None


def test_the_readme_has_a_row_for_each_kind() -> None:
    assert list(ROWS) == list(KINDS)
    assert sorted(HANDLERS) == sorted(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_the_sdk_raises_what_the_readme_says(kind: str, drill: Drill) -> None:
    served = drill(fault(kind))
    client = served.sdk(max_retries=0, timeout=IMPATIENT if kind == "hang" else PATIENCE)
    returned: list[object] = []

    raised = raised_by(lambda: application_of_a_user(client, returned))
    (entry,) = served.entries

    said = ROWS[kind][1]
    named = re.findall(r"`(\w+Error)`", said)
    assert raised == (named[0] if named and kind != "latency" else None)
    assert bool(returned) == said.startswith("nothing")
    assert (entry.status, entry.fault, entry.domain) == (STATUS.get(kind, 201), kind, "document.invoice")
    assert application_of_a_user(client, []) > 1000
    assert served.logged(rf"\[fault: {kind}[],]")


@pytest.mark.parametrize("kind", KINDS)
def test_the_sdk_tries_again_by_default_where_the_readme_says_so(kind: str, drill: Drill) -> None:
    served = drill(fault(kind))
    client = served.sdk(timeout=IMPATIENT if kind == "hang" else PATIENCE)

    raised_by(lambda: client.chat.completions.create(**ASK))

    assert [entry.fault for entry in served.entries] == ([kind, None] if ROWS[kind][2] == "yes" else [kind])


@pytest.mark.parametrize("kind", KINDS)
def test_the_async_sdk_raises_the_same(kind: str, drill: Drill) -> None:
    served = drill(fault(kind))

    async def ask() -> None:
        timeout = IMPATIENT if kind == "hang" else PATIENCE
        async with openai.AsyncOpenAI(
            base_url=served.openai_url, api_key=served.key, max_retries=0, timeout=timeout
        ) as client:
            await client.chat.completions.create(**ASK)

    raised = raised_by(lambda: asyncio.run(ask()))

    said = ROWS[kind][1]
    assert raised == (None if said.startswith("nothing") else re.findall(r"`(\w+Error)`", said)[0])


def test_latency_past_the_timeout_is_a_timeout_that_is_tried_again(drill: Drill) -> None:
    served = drill(fault("latency", latency_ms=1000, times=2))
    client = served.sdk(timeout=0.2, max_retries=1)

    raised = raised_by(lambda: client.chat.completions.create(**ASK))

    assert raised == "APITimeoutError"
    while [armed.struck for armed in served.mock.faults.armed] != [2]:
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("status", "expected"),
    {
        400: "BadRequestError",
        401: "AuthenticationError",
        402: "APIStatusError",
        403: "PermissionDeniedError",
        404: "NotFoundError",
        409: "ConflictError",
        422: "UnprocessableEntityError",
        429: "RateLimitError",
        500: "InternalServerError",
        504: "InternalServerError",
        599: "InternalServerError",
    }.items(),
)
def test_any_status_is_the_sdks_error_for_it(status: int, expected: str, serve: Serve) -> None:
    served = serve(faults=(fault("error", status=status, message="On purpose"),))

    with pytest.raises(openai.APIStatusError) as caught:
        served.openai().chat.completions.create(**ASK)

    assert (type(caught.value).__name__, caught.value.status_code) == (expected, status)
    assert "On purpose" in str(caught.value)
    assert caught.value.body["code"] == "scripted_error"  # type: ignore[index]  # the SDK leaves it untyped
    assert caught.value.response.headers["x-request-id"]


def test_an_error_has_its_headers_and_a_429_says_when_to_come_back(serve: Serve) -> None:
    given = fault("error", status=503, headers={"X-Reason": "maintenance"}, retry_after=2.5)
    served = serve(faults=(fault("error", status=429), given))

    limited, broken = served.chat(), served.chat()

    assert (limited.status_code, limited.headers["retry-after"]) == (429, "1")
    assert (broken.status_code, broken.headers["retry-after"], broken.headers["x-reason"]) == (
        503,
        "2.5",
        "maintenance",
    )


def test_a_422_has_the_list_that_fastapi_gives(serve: Serve) -> None:
    served = serve(faults=(fault("error", status=422, message="No"),))

    answer = served.chat()

    assert answer.json()["detail"] == [{"type": "value_error", "loc": ["body"], "msg": "No"}]


def test_a_disconnect_sends_not_one_byte(drill: Drill) -> None:
    served = drill(fault("disconnect"))

    assert exchanged(served) == (b"", "closed")
    assert len(whole(served)) > 1000


def test_a_disconnect_midway_resets_the_connection_after_half_of_the_body(drill: Drill) -> None:
    served = drill(fault("disconnect-midway"))

    answer, end = exchanged(served)

    status, headers, body = split(answer)
    expected = whole(served)
    assert (status, end) == (201, "reset")
    assert int(headers["content-length"]) == len(expected)
    assert body == expected[: len(expected) // 2]


def test_an_undeclared_truncation_is_an_orderly_end_after_half_of_the_body(drill: Drill) -> None:
    served = drill(fault("truncate-undeclared"))

    answer, end = exchanged(served)

    status, headers, body = split(answer)
    expected = whole(served)
    assert (status, end) == (201, "closed")
    assert int(headers["content-length"]) == len(expected)
    assert body == expected[: len(expected) // 2]


def test_a_truncation_declares_its_length_and_keeps_the_connection(drill: Drill) -> None:
    served = drill(fault("truncate"))

    answer, end = exchanged(served)

    status, headers, body = split(answer)
    expected = whole(served)
    assert (status, end) == (201, "open")
    assert int(headers["content-length"]) == len(body)
    assert body == expected[: len(expected) // 2]


def test_a_character_is_never_cut_in_two(put: Put, serve: Serve) -> None:
    folder = put("umlauts.json", {"content": "ä€😀" * 500})
    served = serve(fixtures=(folder,), faults=tuple(fault("truncate") for _ in range(8)))

    halves = [served.chat(id="x" * length).content for length in range(8)]

    assert len({len(half) for half in halves}) > 1
    assert all(half.decode().startswith('{"id":') for half in halves)


def test_a_hang_sends_nothing_and_ends_when_the_client_leaves(drill: Drill) -> None:
    served = drill(fault("hang"))

    answer = exchanged(served)
    at_once = served.entries
    line = served.logged(r"\[fault: hang\]")

    assert answer == (b"", "open")
    assert [(entry.status, entry.fault, entry.domain) for entry in at_once] == [(0, "hang", "document.invoice")]
    assert re.search(r"  0  document\.invoice .*\[the client closed the connection\]", line)


def test_the_wait_before_any_kind_is_in_the_log(drill: Drill) -> None:
    served = drill(fault("error", latency_ms=120))

    started = time.monotonic()
    answer = served.chat()

    assert answer.status_code == 429
    assert time.monotonic() - started >= 0.12
    assert served.logged(r"  429  .*\[fault: error, 120 ms\]")


@pytest.mark.parametrize("kind", ["disconnect", "disconnect-midway", "truncate-undeclared"])
def test_a_large_request_and_answer_can_be_cut(kind: str, put: Put, drill: Drill) -> None:
    folder = put("large.json", {"content": "x" * 3_000_000, "usage": UNCOUNTED})
    served = drill(fault(kind), fixtures=(folder,))
    picture = "data:image/png;base64," + "A" * 5_000_000
    body = {"messages": [{"content": [{"type": "image_url", "image_url": {"url": picture}}]}]}

    with pytest.raises(httpx.TransportError):
        served.http.post(CHAT, json=body)

    assert len(served.http.post(CHAT, json=body).content) > 3_000_000


def test_faults_struck_from_many_threads_leave_the_server_whole(drill: Drill) -> None:
    kinds = [kind for kind in KINDS if kind != "hang"]
    served = drill(*(fault(kind, times=5) for kind in kinds))
    outcomes: list[str | None] = []

    def ask() -> None:
        client = served.sdk(max_retries=0)
        outcomes.extend(raised_by(lambda: application_of_a_user(client, [])) for _ in range(5))

    threads = [threading.Thread(target=ask) for _ in kinds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(outcomes) == 5 * len(kinds)
    assert {entry.fault for entry in served.entries} == set(kinds)
    assert len(whole(served)) > 1000


def test_a_fault_comes_before_the_fixture_whose_answers_it_does_not_use_up(put: Put, serve: Serve) -> None:
    folder = put("steps.json", [{"error": {"status": 402}}, {"content": "done"}])
    served = serve(fixtures=(folder,), faults=(fault("error", status=503), fault("latency", latency_ms=1)))

    answers = [served.chat() for _ in range(3)]

    assert [answer.status_code for answer in answers] == [503, 402, 201]
    assert [("fault" in line) for line in served.lines[:2]] == [True, True]


@pytest.mark.parametrize("kind", ["truncate", "disconnect-midway", "invalid-json", "empty-choices"])
def test_what_is_an_error_anyway_goes_out_whole(kind: str, put: Put, serve: Serve) -> None:
    folder = put("error.json", {"error": {"status": 402, "message": "No credits"}})
    served = serve(fixtures=(folder,), faults=(fault(kind),))

    answer = served.chat()

    assert (answer.status_code, answer.json()["detail"]) == (402, "No credits")


def test_a_spoilt_answer_is_not_remembered(serve: Serve) -> None:
    served = serve(faults=(fault("empty-choices"), fault("no-usage")))

    answers = [served.chat(domain="document.invoice").json() for _ in range(4)]

    assert [len(answer["choices"]) for answer in answers] == [0, 1, 1, 1]
    assert ["usage" in answer for answer in answers] == [True, False, True, True]
    assert answers[2] == answers[3]


def test_the_figures_count_the_content_that_was_sent(serve: Serve) -> None:
    served = serve(faults=(fault("invalid-json"),))

    spoilt, sound = (served.chat(domain="document.invoice").json() for _ in range(2))

    assert spoilt["usage"]["completion_tokens"] > sound["usage"]["completion_tokens"]


def test_an_unparseable_content_cannot_be_read_between_the_braces_either(serve: Serve) -> None:
    served = serve(faults=(fault("invalid-json"),))

    sent = text(served.chat(domain="document.invoice"))

    between = sent[sent.index("{") : sent.rindex("}") + 1]
    with pytest.raises(json.JSONDecodeError):
        json.loads(sent)
    with pytest.raises(json.JSONDecodeError):
        json.loads(between)


CALLERS: dict[str, dict[str, Any]] = {
    "a field": {"type": "object", "properties": {"total": {"type": "number"}}, "required": ["total"]},
    "an optional field": {"type": "object", "properties": {"name": {"type": ["string", "null"]}}},
    "anything but an array": {"not": {"type": "array"}},
    "an open object": {"type": "object"},
    "a list": {"type": "array", "items": {"type": "integer"}, "minItems": 1},
    "a text": {"type": "string"},
    "a reference": {
        "$ref": "#/$defs/a",
        "$defs": {"a": {"type": "object", "required": ["x"], "properties": {"x": {}}}},
    },
    "one constant": {"const": {"a": 1}},
}


@pytest.mark.parametrize("name", CALLERS)
def test_content_violates_the_callers_schema(name: str, serve: Serve) -> None:
    served = serve(faults=(fault("invalid-schema"),))
    body = {"messages": [{}], "json_schema": CALLERS[name]}

    spoilt, sound = (content(served.http.post(CHAT, json=body)) for _ in range(2))

    assert validation.violations(CALLERS[name], spoilt)
    assert not validation.violations(CALLERS[name], sound)


@pytest.fixture(scope="module")
def invalid() -> Iterator[RunningMock]:
    """Return a server all of whose content violates its schema."""
    scopes, lines = Scopes(Settings(faults=(fault("invalid-schema", times=None),))), list[str]()
    with running(application(scopes, log=lines.append)) as url:
        served = RunningMock(url, lines)
        yield served
        served.http.close()


@pytest.mark.parametrize("domain", DOMAINS.names())
def test_content_violates_the_schema_of_every_domain(domain: str, invalid: RunningMock) -> None:
    known = DOMAINS.get(domain)
    assert known is not None

    spoilt = content(invalid.chat(domain=domain))

    assert validation.violations(known.schema, spoilt)
    assert isinstance(spoilt, dict)


def test_without_a_schema_an_object_is_expected_and_a_list_or_scalar_comes(serve: Serve) -> None:
    served = serve(faults=(fault("invalid-schema"), fault("invalid-schema")))

    sentence = content(served.chat())
    listed = content(served.chat(response_format={"type": "json_object"}))

    assert not isinstance(sentence, str)
    assert isinstance(listed, list)


@pytest.mark.parametrize("kind", ["disconnect", "disconnect-midway", "truncate-undeclared"])
def test_a_cut_drops_the_requests_that_wait_behind_it(kind: str, drill: Drill) -> None:
    served = drill(fault(kind))

    with sent(served.url, served.key, count=3) as client:
        received, end = received_from(client)

    assert received.count(b"HTTP/1.1 ") == (0 if kind == "disconnect" else 1)
    assert end != "open"
    assert [entry.fault for entry in served.entries] == [kind]


def test_clients_that_leave_during_the_wait_are_no_trouble(tmp_path: Path) -> None:
    waiting = [f"--fault={'status=500' if kind == 'error' else kind},latency_ms=200" for kind in KINDS]
    with serving(tmp_path, *waiting) as process:
        for number in range(2 * len(KINDS)):
            with sent(process.url, count=1 + number % 2):
                time.sleep(0.02)
        process.line("fault: hang")
        answer = process.http.post(CHAT, json=BODY)
        ended, _ = process.stop()

    assert answer.status_code == 201
    assert (ended, process.errors) == (0, "")


def test_in_process_a_cut_is_a_connection_error() -> None:
    app = application(Scopes(Settings(faults=(fault("disconnect"), fault("disconnect-midway")))))

    async def ask() -> list[str | None]:
        http = httpx.AsyncClient(transport=httpx.ASGITransport(app))
        outcomes: list[str | None] = []
        async with openai.AsyncOpenAI(
            base_url="http://mock/v1/openai", api_key="k", http_client=http, max_retries=0
        ) as client:
            for _ in range(3):
                try:
                    await client.chat.completions.create(**ASK)
                    outcomes.append(None)
                except openai.APIConnectionError as error:
                    outcomes.append(type(error.__cause__).__name__)
        return outcomes

    assert asyncio.run(ask()) == ["ConnectionResetError", "ConnectionResetError", None]


def test_in_process_a_hang_lasts_until_the_caller_is_cancelled() -> None:
    scopes = Scopes(Settings(faults=(fault("hang"),)))

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(application(scopes))
        async with httpx.AsyncClient(transport=transport, headers={"X-Api-Key": "k"}) as client:
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(client.post(f"http://mock{CHAT}", json=BODY), 0.1)
            return await client.post(f"http://mock{CHAT}", json=BODY)

    after = asyncio.run(ask())

    assert after.status_code == 201
    assert [(entry.status, entry.fault) for entry in scopes.of("k").journal] == [(0, "hang"), (201, None)]


def test_nothing_is_printed_but_the_log_lines(tmp_path: Path) -> None:
    written = [{"latency": "latency_ms=1", "error": "status=500"}.get(kind, kind) for kind in KINDS]
    with serving(tmp_path, *(f"--fault={each}" for each in written)) as process:
        client = openai.OpenAI(base_url=f"{process.url}/v1/openai", api_key="k", timeout=2, max_retries=0)
        for _ in KINDS:
            raised_by(lambda: client.chat.completions.create(**ASK))
        process.line("fault: hang")
        ended, _ = process.stop()

    assert (ended, process.errors) == (0, "")
    assert re.findall(r"\[fault: ([a-z-]+)", process.output) == list(KINDS)


def test_a_hang_ends_with_the_server(tmp_path: Path) -> None:
    with serving(tmp_path, "--fault", "hang") as process:
        outcome: list[int] = []
        asking = threading.Thread(target=lambda: outcome.append(process.http.post(CHAT, json=BODY).status_code))
        asking.start()
        while not process.http.get("/_mock/faults").json()["faults"][0]["struck"]:
            time.sleep(0.01)
        ended, _ = process.stop(signal.SIGTERM)
        asking.join()

    assert (ended, process.errors, outcome) == (0, "", [503])


def test_the_server_ends_while_a_client_leaves_a_cut_answer_unread(put: Put, tmp_path: Path) -> None:
    folder = put("fixtures/large.json", {"content": "x" * 20_000_000, "usage": UNCOUNTED})
    with (
        serving(
            tmp_path / "served", "--fixtures", str(folder / "fixtures"), "--fault", "truncate-undeclared"
        ) as process,
        sent(process.url),
    ):
        process.line("fault: truncate-undeclared")
        ended, _ = process.stop()

    assert (ended, process.errors) == (0, "")
