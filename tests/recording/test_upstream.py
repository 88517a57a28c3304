"""While it records, the mock passes on what the real API says as it came, and writes down what can be replayed."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import socket
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.responses import RedirectResponse, Response

from tests.conftest import Put, Serve
from tests.effort import is_linear
from tests.real_api import KEY, RealApi, completion, says, says_content
from tests.serving import CHAT, RunningMock, begun, image_message, picture
from vlmrun_mock.api import chat_parser
from vlmrun_mock.api.answer import Answer, UpstreamResponse
from vlmrun_mock.api.errors import UpstreamAnswerTooLarge, UpstreamTimeout, UpstreamUnreachable
from vlmrun_mock.api.request import ExtractionRequest
from vlmrun_mock.fixtures.domains import packaged
from vlmrun_mock.mock.mock import Mock
from vlmrun_mock.mock.settings import Settings
from vlmrun_mock.recording import address
from vlmrun_mock.recording.address import AddressProblem
from vlmrun_mock.recording.recording import record
from vlmrun_mock.recording.settings import UpstreamSettings
from vlmrun_mock.recording.upstream import UpstreamRequest, ask

INVOICE: dict[str, Any] = {"messages": image_message(picture(1)), "domain": "document.invoice"}
WITH_KEY = {"Authorization": f"Bearer {KEY}"}


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _source(answer: httpx.Response) -> str:
    return answer.headers["x-vlmrun-mock-source"]


def test_what_the_client_sends_arrives_and_what_comes_back_is_passed_on(recorder: RunningMock, api: RealApi) -> None:
    raw = json.dumps({**INVOICE, "max_tokens": 7, "odd": {"key": [1.50]}}, indent=1).encode()
    headers = {**WITH_KEY, "Content-Type": "application/json", "X-Custom": "kept", "Accept-Encoding": "gzip"}

    answer = recorder.http.post(CHAT, content=raw, headers=headers)

    sent = api.headers[0]
    assert api.bodies == [raw]
    assert (sent["authorization"], sent["x-custom"]) == (f"Bearer {KEY}", "kept")
    assert (sent["host"], sent["accept-encoding"]) == (api.url.removeprefix("http://"), "identity")
    assert answer.status_code == 201
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["retry-after"] == "0"
    assert "set-cookie" not in answer.headers
    assert "x-echo" not in answer.headers
    assert answer.json()["usage"]["credits_used"] == 3
    assert answer.json()["debug"]["token"] == KEY
    assert _source(answer) == "upstream"
    assert answer.headers["x-vlmrun-mock-fixture"].startswith("document.invoice/extract-")


def test_neither_the_key_nor_a_cookie_nor_a_header_is_written_or_logged(
    recorder: RunningMock, api: RealApi, folder: Path
) -> None:
    api_key = {"X-Api-Key": f"{KEY}-other"}
    cookie = {"Cookie": "session=crumbs-0123456789"}

    recorder.http.post(CHAT, json=INVOICE, headers={**WITH_KEY, **cookie})
    recorder.http.post(CHAT, json={**INVOICE, "domain": "document.receipt"}, headers={"Authorization": "", **api_key})

    written = "".join(path.read_text(encoding="utf-8") for path in _files(folder))
    assert api.asked == 2
    assert written.count("<redacted>") >= 6
    for secret in (KEY, "crumbs", "x-echo", "session", "cookie", "x-api-key"):
        assert secret not in written.lower()
        assert secret not in "".join(recorder.lines).lower()
    assert "[recorded document.invoice/extract-" in recorder.lines[0]
    assert "secrets in it replaced]" in recorder.lines[0]


def test_a_request_that_holds_a_secret_is_passed_on_and_not_recorded(recorder: RunningMock, folder: Path) -> None:
    signed = "https://bucket.s3.amazonaws.com/a.png?X-Amz-Signature=0123456789abcdef"
    requests: list[dict[str, Any]] = [
        {"messages": [{"content": f"My key is {KEY}"}]},
        {"messages": [{"content": [{"type": "image_url", "image_url": {"url": signed}}]}]},
        {"messages": [{"content": "Extract"}], "json_schema": {"type": "object", "password": "hunter22"}},
    ]

    answers = [recorder.http.post(CHAT, json=body, headers=WITH_KEY) for body in requests]

    assert [_source(answer) for answer in answers] == ["upstream"] * 3
    assert _files(folder) == []
    assert "[not recorded: the request itself holds the key]" in recorder.lines[0]
    assert (
        "[not recorded: the request holds what looks like a signed URL, at documents.0.identity]" in recorder.lines[1]
    )
    assert "the value of 'password', at schema.password]" in recorder.lines[2]
    assert KEY not in "".join(recorder.lines)


def test_no_credential_of_the_client_is_written(recorder: RunningMock, api: RealApi, folder: Path) -> None:
    sent = {"Authorization": "Basic c29tZWJvZHk6c2VjcmV0", "X-Api-Key": "Zk93hd72hfQ", "Cookie": "a=1; sid=Crumbs99999"}
    api.say = lambda request, _body: Response(
        json.dumps({"detail": [request.headers[name.lower()] for name in sent]}), 400, media_type="text/x-Crumbs99999"
    )
    api_with_errors = {**INVOICE, "domain": "document.receipt"}

    recorder.http.post(CHAT, json=INVOICE, headers=sent)
    api.say = says_content("Zk93hd72hfQ, sid=Crumbs99999 and c29tZWJvZHk6c2VjcmV0")
    recorder.http.post(CHAT, json=api_with_errors, headers=sent)

    (path,) = _files(folder)
    written = path.read_text(encoding="utf-8")
    assert json.loads(written)["answer"]["content"] == "<redacted>, sid=<redacted> and <redacted>"
    for secret in ("Zk93hd72hfQ", "Crumbs99999", "c29tZWJvZHk6c2VjcmV0"):
        assert secret not in written
        assert secret not in "".join(recorder.lines)


def test_a_secret_in_a_recorded_errors_header_is_replaced(serve: Serve, api: RealApi, folder: Path) -> None:
    api.say = says("no", 503, f"text/x-{KEY}")
    recorder = serve(record="new", fixtures=(folder,), upstream=api.url, record_errors=True)

    recorder.http.post(CHAT, json=INVOICE, headers=WITH_KEY)

    (path,) = _files(folder)
    assert json.loads(path.read_text(encoding="utf-8"))["answer"]["error"]["headers"]["content-type"].startswith(
        "text/x-<redacted>"
    )


def test_a_password_in_content_is_replaced_and_the_rest_stays_as_it_was_written(
    recorder: RunningMock, api: RealApi, folder: Path
) -> None:
    api.say = says_content('{"user": "acme", "password": "hunter22", "total": 12}')

    _, replayed = (recorder.http.post(CHAT, json=INVOICE) for _ in range(2))

    (path,) = _files(folder)
    assert "hunter22" not in path.read_text(encoding="utf-8")
    assert replayed.json()["choices"][0]["message"]["content"] == (
        '{"user": "acme", "password": "<redacted>", "total": 12}'
    )


@pytest.mark.parametrize("key", ["local", "test", "dummy"])
def test_a_placeholder_for_a_key_spoils_no_recording(key: str, recorder: RunningMock, api: RealApi) -> None:
    api.say = says_content(f'{{"notes":"a {key} tax"}}')

    answers = [
        recorder.chat(messages=[{"content": f"a {key} text"}], domain="document.invoice", vlmrun=None) for _ in range(2)
    ]

    assert [answer.json()["choices"][0]["message"]["content"] for answer in answers] == [
        f'{{"notes":"a {key} tax"}}'
    ] * 2
    assert [_source(answer) for answer in answers] == ["upstream", "fixture"]


def test_what_was_written_by_hand_is_not_written_over(serve: Serve, api: RealApi, folder: Path) -> None:
    serve(record="new", fixtures=(folder,), upstream=api.url).http.post(CHAT, json=INVOICE)
    (path,) = _files(folder)
    edited = json.loads(path.read_text(encoding="utf-8"))
    edited["match"]["messages"][0]["content"] = ["Extract everything", {"document": 1}]
    path.write_text(json.dumps(edited), encoding="utf-8")
    recorder = serve(record="new", fixtures=(folder,), upstream=api.url)

    again = recorder.http.post(CHAT, json=INVOICE)

    assert (_source(again), api.asked) == ("upstream", 2)
    assert json.loads(path.read_text(encoding="utf-8")) == edited
    assert _files(folder) == [path.with_name(f"{path.stem}-2.json"), path]
    assert _source(recorder.http.post(CHAT, json=INVOICE)) == "fixture"


def test_mode_all_keeps_a_description_and_leaves_alone_what_is_scripted(
    serve: Serve, api: RealApi, folder: Path
) -> None:
    new = serve(record="new", fixtures=(folder,), upstream=api.url)
    for domain in ("document.invoice", "document.receipt"):
        new.http.post(CHAT, json={**INVOICE, "domain": domain})
    invoice, receipt = _files(folder)
    described, scripted = (json.loads(path.read_text(encoding="utf-8")) for path in (invoice, receipt))
    described["description"] = "Acme's invoice"
    scripted["answers"] = [{"error": {"status": 503}}, scripted.pop("answer")]
    invoice.write_text(json.dumps(described), encoding="utf-8")
    receipt.write_text(json.dumps(scripted), encoding="utf-8")
    recorder = serve(record="all", fixtures=(folder,), upstream=api.url)

    answers = [
        recorder.http.post(CHAT, json={**INVOICE, "domain": f"document.{name}"}) for name in ("invoice", "receipt")
    ]

    assert [(answer.status_code, _source(answer)) for answer in answers] == [(201, "upstream"), (503, "fixture")]
    assert json.loads(invoice.read_text(encoding="utf-8"))["description"] == "Acme's invoice"
    assert json.loads(receipt.read_text(encoding="utf-8")) == scripted


def test_a_recording_of_another_folder_is_no_name_to_write_at(
    serve: Serve, api: RealApi, folder: Path, tmp_path: Path
) -> None:
    serve(record="new", fixtures=(tmp_path / "other",), upstream=api.url).http.post(CHAT, json=INVOICE)
    (recorded,) = _files(tmp_path / "other")
    recorded.rename(tmp_path / "other" / "my.json")
    own = folder / "my.json"
    folder.mkdir()
    own.write_text('{"match": {"domain": "document.receipt"}, "answer": {"content": "own"}}', encoding="utf-8")
    recorder = serve(record="all", fixtures=(folder, tmp_path / "other"), upstream=api.url)

    answer = recorder.http.post(CHAT, json=INVOICE)

    assert _source(answer) == "fixture"
    assert json.loads(own.read_text(encoding="utf-8"))["answer"] == {"content": "own"}


def test_a_stream_that_is_no_completion_is_passed_on_and_never_taken_for_a_plain_answer(
    recorder: RunningMock, api: RealApi
) -> None:
    plain = {**INVOICE, "model": "vlmrun-orion-1:auto"}
    sse = b'data: {"choices": []}\n\ndata: [DONE]\n\n'

    api.say = says(sse, 200, "text/event-stream")
    streams = [recorder.http.post(CHAT, json={**plain, "stream": True}) for _ in range(2)]
    api.say = completion
    first = recorder.http.post(CHAT, json=plain)
    again = recorder.http.post(CHAT, json=plain)

    assert [answer.content for answer in streams] == [sse, sse]
    assert "[not recorded: " in recorder.lines[1]
    assert (again.json()["id"], _source(again)) == (first.json()["id"], "fixture")


ODD_BODIES = {
    "an infinite figure": (
        b'{"choices":[{"message":{"content":"x"}}],'
        b'"usage":{"prompt_tokens":1e999,"completion_tokens":1,"total_tokens":1}}'
    ),
    "NaN": b'{"choices":[{"message":{"content":"x"}}],"score":NaN}',
    "half a character": b'{"choices":[{"message":{"content":"x"}}],"note":"\\ud800"}',
}


@pytest.mark.parametrize("name", ODD_BODIES)
def test_a_body_that_no_file_can_hold_is_passed_on_and_the_reason_is_told(
    name: str, recorder: RunningMock, api: RealApi, folder: Path
) -> None:
    api.say = says(ODD_BODIES[name])

    answer = recorder.http.post(CHAT, json=INVOICE)

    assert (answer.status_code, answer.content) == (201, ODD_BODIES[name])
    assert "[not recorded: it cannot be written as " in recorder.lines[0]
    assert _files(folder) == []


def test_a_message_without_content_is_replayed_without_one(recorder: RunningMock, api: RealApi) -> None:
    api.say = says(json.dumps({"choices": [{"message": {"role": "assistant", "tool_calls": []}}]}))

    _, replayed = (recorder.http.post(CHAT, json=INVOICE) for _ in range(2))

    assert _source(replayed) == "fixture"
    assert replayed.json()["choices"][0]["message"] == {"role": "assistant", "tool_calls": [], "content": None}


def test_a_header_that_cannot_be_sent_is_left_out(serve: Serve, folder: Path) -> None:
    url, listener = _talking(
        b"HTTP/1.1 503 Busy\r\ncontent-type: text/\x1b[31m\r\nretry-after: 3\r\ncontent-length: 2\r\n\r\nno"
    )
    recorder = serve(record="new", fixtures=(folder,), upstream=url)

    with listener:
        answer = recorder.http.post(CHAT, json=INVOICE)

    assert (answer.status_code, answer.content, answer.headers["retry-after"]) == (503, b"no", "3")
    assert "\x1b" not in recorder.lines[0]


def test_a_proxy_that_cannot_be_used_is_a_502_of_ours(
    serve: Serve, api: RealApi, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = serve(record="new", fixtures=(folder,), upstream=api.url)
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")

    answer = recorder.http.post(CHAT, json=INVOICE)

    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream_unreachable")


@pytest.mark.parametrize(
    ("kind", "spoilt"),
    [
        ("invalid-json", "Here is the data"),
        ("invalid-schema", "unexpected"),
        ("empty-choices", '"choices":[]'),
        ("no-usage", '"choices":[{"index":0'),
    ],
)
def test_a_fault_strikes_what_is_passed_on_and_not_what_is_recorded(
    kind: Any, spoilt: str, recorder: RunningMock, api: RealApi
) -> None:
    recorder.http.post("/_mock/faults", json={"kind": kind}).raise_for_status()

    struck, replayed = (recorder.http.post(CHAT, json=INVOICE) for _ in range(2))

    assert spoilt in struck.text
    assert ("usage" in struck.json()) == (kind != "no-usage")
    assert (_source(replayed), replayed.json()["usage"]["credits_used"]) == ("fixture", 3)
    assert api.asked == 1


def test_a_fault_on_an_answer_that_ended_early_cuts_no_further(serve: Serve, folder: Path) -> None:
    url, listener = _talking(START + b"content-length: 100\r\n\r\n{}")
    recorder = serve(record="new", fixtures=(folder,), upstream=url)
    recorder.http.post("/_mock/faults", json={"latency_ms": 10}).raise_for_status()

    with listener, pytest.raises(httpx.RemoteProtocolError):
        recorder.http.post(CHAT, json=INVOICE)

    assert "internal_error" not in recorder.lines[-1]


def test_a_folder_that_leads_elsewhere_is_not_written_into(
    recorder: RunningMock, api: RealApi, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (folder / "document.invoice").symlink_to(tmp_path / "elsewhere")

    answer = recorder.http.post(CHAT, json=INVOICE)

    assert (answer.status_code, api.asked) == (201, 1)
    assert f"[NOT RECORDED: cannot write into {folder}: it leads out of the fixture folders]" in recorder.lines[-1]
    assert _files(tmp_path / "elsewhere") == []


def test_what_another_recorder_has_written_is_not_asked_again(serve: Serve, api: RealApi, folder: Path) -> None:
    first, second = (serve(record="new", fixtures=(folder,), upstream=api.url) for _ in range(2))
    first.http.post(CHAT, json=INVOICE)

    answer = second.http.post(CHAT, json=INVOICE)

    assert (_source(answer), api.asked) == ("fixture", 1)


def test_the_query_of_a_request_arrives(recorder: RunningMock, api: RealApi) -> None:
    queries: list[str] = []

    def say(request: Any, body: dict[str, Any]) -> Response:
        queries.append(str(request.url.query))
        return completion(request, body)

    api.say = say
    recorder.http.post(f"{CHAT}?api-version=2&x=%20", json=INVOICE)

    assert queries == ["api-version=2&x=%20"]


def test_the_log_shows_no_secret_of_a_url(recorder: RunningMock) -> None:
    for url in ("https://x.io/a.png?access_token=tok-99999999", "https://me:secretpw1@x.io/a.png"):
        recorder.chat(messages=[{"content": [{"type": "image_url", "image_url": {"url": url}}]}])

    assert "tok-999" not in "".join(recorder.lines)
    assert "secretpw1" not in "".join(recorder.lines)


def test_the_journal_says_what_became_of_it_and_what_the_upstream_asked_for(
    recorder: RunningMock, api: RealApi
) -> None:
    api.say = lambda _request, _body: Response(b"{}", 429, {"retry-after": "7"})
    recorder.http.post(CHAT, json=INVOICE)

    (entry,) = recorder.http.get("/_mock/requests?source=upstream").json()["requests"]

    assert (entry["status"], entry["retry_after"]) == (429, 7)
    assert entry["notes"][0].startswith("not recorded: the answer is no chat completion (429")


NO_COMPLETIONS = {
    "an error": (429, "application/json", b'{"detail":"Slow down","error":{"message":"Slow down"}}'),
    "an error of a proxy": (503, "text/html", b"<html><body>Bad gateway</body></html>"),
    "a page": (200, "text/html; charset=utf-8", b"<h1>Welcome</h1>"),
    "garbage": (201, "application/json", b'{"choices": [{"message": '),
    "other JSON": (200, "application/json", b'{"choices": []}'),
    "a stream": (200, "text/event-stream", b'data: {"choices": []}\n\ndata: [DONE]\n\n'),
    "nothing": (201, "application/json", b""),
    "bytes that are no text": (500, "application/octet-stream", b"\xff\xfe\x00"),
}


@pytest.mark.parametrize("name", NO_COMPLETIONS)
def test_an_answer_that_is_no_completion_is_passed_on_unchanged_and_not_recorded(
    name: str, recorder: RunningMock, api: RealApi, folder: Path
) -> None:
    status, media_type, body = NO_COMPLETIONS[name]
    api.say = says(body, status, media_type)

    first, second = (recorder.http.post(CHAT, json=INVOICE) for _ in range(2))

    for answer in (first, second):
        assert (answer.status_code, answer.content) == (status, body)
        assert answer.headers["content-type"].startswith(media_type)
    assert api.asked == 2
    assert _files(folder) == []
    assert "[not recorded: the answer is no chat completion (" in recorder.lines[0]


def _value(answer: httpx.Response) -> Any:
    """Return the JSON of an answer, whose spacing a recording does not keep, or any other body as it is."""
    try:
        return answer.json()
    except ValueError:
        return answer.content


@pytest.mark.parametrize("name", sorted(NO_COMPLETIONS.keys() - {"bytes that are no text"}))
def test_an_answer_that_is_no_completion_is_recorded_with_record_errors(
    name: str, serve: Serve, api: RealApi, folder: Path
) -> None:
    status, media_type, body = NO_COMPLETIONS[name]
    api.say = lambda _request, _body: Response(body, status, {"retry-after": "7"}, media_type)
    recorder = serve(record="new", fixtures=(folder,), upstream=api.url, record_errors=True)

    heard = recorder.http.post(CHAT, json=INVOICE)
    again = recorder.http.post(CHAT, json=INVOICE)
    replayed = serve(fixtures=(folder,), strict=True).http.post(CHAT, json=INVOICE)

    assert (api.asked, heard.content) == (1, body)
    for answer in (again, replayed):
        assert (answer.status_code, answer.headers["retry-after"]) == (status, "7")
        assert answer.headers["content-type"] == heard.headers["content-type"]
        assert _source(answer) == "fixture"
        assert _value(answer) == _value(heard)


def test_a_body_that_is_no_text_is_not_recorded_even_then(serve: Serve, api: RealApi, folder: Path) -> None:
    api.say = says(b"\xff\xfe\x00", 500)
    recorder = serve(record="new", fixtures=(folder,), upstream=api.url, record_errors=True)

    answer = recorder.http.post(CHAT, json=INVOICE)

    assert (answer.status_code, answer.content) == (500, b"\xff\xfe\x00")
    assert "and its body is no text]" in recorder.lines[0]
    assert _files(folder) == []


def test_an_upstream_that_is_down_is_a_502_of_ours(serve: Serve, folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"

    answer = serve(record="new", fixtures=(folder,), upstream=url).http.post(CHAT, json=INVOICE, headers=WITH_KEY)

    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (502, "upstream_unreachable")
    assert error["message"].startswith(f"Nothing came from {url}: ")
    assert KEY not in answer.text


def test_an_upstream_that_is_slow_is_a_504_of_ours(serve: Serve, api: RealApi, folder: Path) -> None:
    api.wait = 5
    recorder = serve(record="new", fixtures=(folder,), upstream=api.url, timeout=0.2)

    answer = recorder.http.post(CHAT, json=INVOICE)

    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "upstream_timeout")
    assert answer.json()["detail"] == f"Nothing came from {api.url} within 0.2 s"


def _talking(*said: bytes, stalls: float = 0) -> tuple[str, socket.socket]:
    """Return the address of a server that says so much to each request, waits, and hangs up."""
    listener = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()

    def answer() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(1_000_000)
                for each in said:
                    connection.sendall(each)
                ended.wait(stalls)

    threading.Thread(target=answer, daemon=True).start()
    return f"http://127.0.0.1:{listener.getsockname()[1]}", listener


START = b"HTTP/1.1 201 Created\r\ncontent-type: application/json\r\n"


@pytest.mark.parametrize("length", [b"content-length: 100\r\n", b"transfer-encoding: chunked\r\n"])
def test_an_answer_that_ends_early_is_passed_on_so_far_and_not_recorded(
    length: bytes, serve: Serve, folder: Path
) -> None:
    chunk = b'a\r\n{"choices"\r\n' if b"chunked" in length else b'{"choices"'
    url, listener = _talking(START + length + b"\r\n" + chunk)
    recorder = serve(record="new", fixtures=(folder,), upstream=url, record_errors=True)

    with listener, recorder.http.stream("POST", CHAT, json=INVOICE) as answer:
        chunks = answer.iter_raw()
        came = next(chunks)
        with pytest.raises(httpx.RemoteProtocolError):
            next(chunks)

    assert (answer.status_code, came) == (201, b'{"choices"')
    assert _files(folder) == []
    assert "[the answer ended early: " in recorder.lines[0]
    assert "[not recorded: the answer is not whole]" in recorder.lines[0]


def test_an_answer_that_stalls_is_passed_on_so_far(serve: Serve, folder: Path) -> None:
    url, listener = _talking(START + b"content-length: 100\r\n\r\n{}", stalls=10)
    recorder = serve(record="new", fixtures=(folder,), upstream=url, timeout=0.5)

    with listener, pytest.raises(httpx.RemoteProtocolError):
        recorder.http.post(CHAT, json=INVOICE)

    assert "within 0.5 s]" in recorder.lines[0]


@pytest.mark.parametrize(
    "said",
    [b"", b"\x16\x03\x01\x02", b"HTTP/1.1 what\r\n\r\n", b"HTTP/1.1 999 Odd\r\ncontent-length: 0\r\n\r\n"],
)
def test_an_upstream_that_speaks_no_http_is_a_502_of_ours(said: bytes, serve: Serve, folder: Path) -> None:
    url, listener = _talking(said)

    with listener:
        answer = serve(record="new", fixtures=(folder,), upstream=url).http.post(CHAT, json=INVOICE)

    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream_unreachable")


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_that_has_no_body_is_passed_on(status: int, recorder: RunningMock, api: RealApi) -> None:
    api.say = lambda _request, _body: Response(status_code=status)

    answers = [recorder.http.post(CHAT, json=INVOICE) for _ in range(2)]

    assert [(answer.status_code, answer.content) for answer in answers] == [(status, b"")] * 2


def test_an_odd_header_is_passed_on(serve: Serve, folder: Path) -> None:
    url, listener = _talking(
        b"HTTP/1.1 503 Busy\r\ncontent-type: text/plain; charset=\xe2\x82\xac\r\ncontent-length: 2\r\n\r\nno"
    )
    recorder = serve(record="new", fixtures=(folder,), upstream=url, record_errors=True)

    with listener:
        answer = recorder.http.post(CHAT, json=INVOICE)

    assert (answer.status_code, answer.content) == (503, b"no")
    assert answer.headers["content-type"].endswith("=€")
    assert "[not recorded: it cannot be written as a fixture: " in recorder.lines[0]


def test_an_answer_that_is_compressed_unasked_for_is_recorded(
    recorder: RunningMock, api: RealApi, folder: Path
) -> None:
    api.say = lambda request, body: Response(
        gzip.compress(bytes(completion(request, body).body)),
        201,
        {"content-encoding": "gzip"},
        "application/json",
    )

    heard, replayed = (recorder.http.post(CHAT, json=INVOICE) for _ in range(2))

    assert "content-encoding" not in heard.headers
    assert heard.json()["id"] == replayed.json()["id"]
    assert len(_files(folder)) == 1


@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd", "made-up"])
def test_what_cannot_be_decompressed_is_passed_on_as_it_came(
    encoding: str, recorder: RunningMock, api: RealApi
) -> None:
    api.say = lambda _request, _body: Response(b"no gzip", 201, {"content-encoding": encoding})

    with recorder.http.stream("POST", CHAT, json=INVOICE) as answer:
        raw = b"".join(answer.iter_raw())

    assert (answer.headers["content-encoding"], raw) == (encoding, b"no gzip")


def test_a_redirect_is_not_followed_and_the_operator_is_told(recorder: RunningMock, api: RealApi) -> None:
    api.say = lambda _request, _body: RedirectResponse(f"{api.url}/elsewhere")

    answer = recorder.http.post(CHAT, json=INVOICE)

    assert (answer.status_code, api.asked) == (307, 1)
    assert "a redirect, which is not followed: give its target to --upstream]" in recorder.lines[0]


def test_a_body_that_cannot_be_read_here_is_passed_on_and_not_recorded(
    recorder: RunningMock, api: RealApi, folder: Path
) -> None:
    body = {"messages": [{"role": "robot", "content": "x"}]}

    answer = recorder.http.post(CHAT, json=body)

    assert (answer.status_code, _source(answer)) == (201, "upstream")
    assert [json.loads(raw) for raw in api.bodies] == [body]
    assert "[not recorded: this mock cannot read the request: body.messages.0.role: " in recorder.lines[0]
    assert _files(folder) == []


def test_a_request_without_a_key_and_one_that_is_too_large_do_not_reach_the_upstream(
    serve: Serve, api: RealApi, folder: Path
) -> None:
    recorder = serve(record="new", fixtures=(folder,), upstream=api.url, max_body=100)

    statuses = [
        httpx.post(f"{recorder.url}{CHAT}", json={"messages": [{}]}).status_code,
        recorder.http.post(CHAT, json=INVOICE).status_code,
    ]

    assert (statuses, api.asked) == ([401, 413], 0)


def test_the_same_request_sent_many_times_at_once_is_asked_once(
    recorder: RunningMock, api: RealApi, folder: Path
) -> None:
    api.wait = 0.5

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: recorder.http.post(CHAT, json=INVOICE, headers=WITH_KEY), range(12)))

    assert api.asked == 1
    assert len({answer.content for answer in answers}) == 1
    assert {_source(answer) for answer in answers} == {"upstream"}
    assert len(_files(folder)) == 1


def test_the_same_request_sent_again_and_again_while_it_is_recorded_is_asked_once(
    recorder: RunningMock, api: RealApi
) -> None:
    api.wait = 0.02

    def ask(number: int) -> None:
        headers = {"Authorization": f"Bearer sk-the-key-of-client-{number % 3}"}
        body = {**INVOICE, "domain": f"custom.turn-{number // 40}"}
        recorder.http.post(CHAT, json=body, headers=headers).raise_for_status()

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(ask, range(400)))

    assert api.asked == 10


def test_what_was_recorded_between_a_look_and_the_question_is_not_asked(api: RealApi, folder: Path, put: Put) -> None:
    put("recordings/other.json", {"content": "x"}, domain="document.receipt")
    mock = Mock(Settings(record="new", fixtures=(folder,), upstream=api.url))
    version = mock.store.version
    put("recordings/new.json", {"content": "x"}, domain="document.invoice")
    mock.store.reload()
    request, original = ExtractionRequest(domain="document.invoice"), UpstreamRequest(b"{}", (), KEY)

    answer = asyncio.run(
        mock.recorder.ask(original, request, mock.settings.upstream_settings, mock.store, version=version)
    )

    assert answer is None
    assert asyncio.run(mock.answer(request, original)).fixture == "new.json"
    assert api.asked == 0


def test_a_key_never_sees_what_the_upstream_told_another_key(recorder: RunningMock, api: RealApi) -> None:
    api.wait = 0.5
    keys = [f"sk-somebodys-key-{number:010}" for number in range(6)]

    with ThreadPoolExecutor(6) as pool:
        answers = list(
            pool.map(
                lambda key: recorder.http.post(CHAT, json=INVOICE, headers={"Authorization": f"Bearer {key}"}), keys
            )
        )

    assert api.asked == 1
    assert sorted(map(_source, answers)) == ["fixture"] * 5 + ["upstream"]
    for key, answer in zip(keys, answers, strict=True):
        assert not any(other in answer.text for other in keys if other != key)


def test_a_refusal_of_one_key_is_not_shared_with_another_key(recorder: RunningMock, api: RealApi) -> None:
    api.wait = 0.3
    api.say = lambda request, body: (
        Response(b'{"detail":"Invalid API key"}', 401)
        if "wrong" in request.headers["authorization"]
        else completion(request, body)
    )

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(recorder.http.post, CHAT, json=INVOICE, headers={"Authorization": "Bearer wrong"})
        api.wait_until_asked(1)
        answered = recorder.http.post(CHAT, json=INVOICE, headers=WITH_KEY)
        refused = first.result()

    assert (refused.status_code, answered.status_code) == (401, 201)


def test_a_client_that_leaves_does_not_end_what_is_paid_for(recorder: RunningMock, api: RealApi, folder: Path) -> None:
    api.wait = 0.3

    with begun(recorder.url, INVOICE):
        api.wait_until_asked(1)
    answer = recorder.http.post(CHAT, json=INVOICE)

    assert api.asked == 1
    assert answer.status_code == 201
    assert len(_files(folder)) == 1


def test_mode_all_asks_again_and_writes_the_same_file(serve: Serve, api: RealApi, folder: Path, put: Put) -> None:
    serve(record="new", fixtures=(folder,), upstream=api.url).http.post(CHAT, json=INVOICE)
    (path,) = _files(folder)
    renamed = path.rename(path.with_name("my-invoice.json"))
    api.say = says_content('{"total_amount":99}')
    put("own/own.json", {"content": "my own"}, domain="document.receipt")
    recorder = serve(record="all", fixtures=(folder, folder.parent / "own"), upstream=api.url)

    sources = [_source(recorder.http.post(CHAT, json=INVOICE)) for _ in range(2)]
    own = recorder.http.post(CHAT, json={**INVOICE, "domain": "document.receipt"})

    assert sources == ["upstream", "upstream"]
    assert (_source(own), api.asked) == ("fixture", 3)
    assert _files(folder) == [renamed]
    assert json.loads(renamed.read_text(encoding="utf-8"))["answer"]["content"] == {"total_amount": 99}


def test_mode_once_records_into_an_empty_folder_and_then_no_more(serve: Serve, api: RealApi, folder: Path) -> None:
    first = serve(record="once", fixtures=(folder,), upstream=api.url)
    recorded = [first.http.post(CHAT, json={**INVOICE, "domain": f"custom.{name}"}) for name in ("a", "b")]
    second = serve(record="once", fixtures=(folder,), upstream=api.url)

    replayed = second.http.post(CHAT, json={**INVOICE, "domain": "custom.a"})
    missed = second.http.post(CHAT, json={**INVOICE, "domain": "custom.c"})

    assert [answer.status_code for answer in recorded] == [201, 201]
    assert (replayed.status_code, _source(replayed)) == (201, "fixture")
    assert (missed.status_code, missed.json()["error"]["code"]) == (404, "no_fixture")
    assert "The upstream was not asked: in the mode once nothing is recorded now." in missed.json()["detail"]
    assert api.asked == 2


def test_mode_none_never_asks(serve: Serve, api: RealApi, folder: Path, put: Put) -> None:
    put("recordings/own.json", {"content": "my own"}, domain="document.receipt")
    recorder = serve(record="none", fixtures=(folder,), upstream=api.url)

    answers = [recorder.http.post(CHAT, json=body) for body in (INVOICE, {**INVOICE, "domain": "document.receipt"})]

    assert [answer.status_code for answer in answers] == [404, 201]
    assert api.asked == 0


def test_what_cannot_be_written_is_answered_all_the_same_and_the_operator_is_told(
    recorder: RunningMock, api: RealApi, folder: Path
) -> None:
    (folder / "document.invoice").write_bytes(b"a file where a folder belongs")

    answers = [recorder.http.post(CHAT, json=INVOICE) for _ in range(2)]

    assert [(answer.status_code, _source(answer)) for answer in answers] == [(201, "upstream")] * 2
    assert api.asked == 2
    assert f"[NOT RECORDED: cannot write into {folder}: " in recorder.lines[0]
    assert _files(folder) == [folder / "document.invoice"]


def test_a_fixture_that_broke_meanwhile_is_named_and_nothing_is_lost(recorder: RunningMock, folder: Path) -> None:
    (folder / "broken.json").write_bytes(b"{")

    answer = recorder.http.post(CHAT, json=INVOICE)

    assert answer.status_code == 201
    assert "[fixtures not reloaded: broken.json: is not JSON: " in recorder.lines[0]
    assert len(_files(folder)) == 2
    assert _source(recorder.http.post(CHAT, json=INVOICE)) == "fixture"


def test_an_answer_that_is_nested_absurdly_is_passed_on(recorder: RunningMock, api: RealApi, folder: Path) -> None:
    nested = "[" * 900 + "]" * 900
    api.say = says_content("text", nested=json.loads(nested))
    not_recorded = recorder.http.post(CHAT, json=INVOICE)
    api.say = says_content(nested)

    contents = [recorder.http.post(CHAT, json=INVOICE).json()["choices"][0]["message"]["content"] for _ in range(2)]

    assert not_recorded.status_code == 201
    assert "[not recorded: " in recorder.lines[0]
    assert contents == [nested, nested]
    assert len(_files(folder)) == 1


def test_a_url_in_capitals_is_recorded_and_replayed(recorder: RunningMock, api: RealApi) -> None:
    part = {"type": "image_url", "image_url": {"url": "HTTPS://example.com/a.png"}}

    sources = [_source(recorder.chat(messages=[{"content": [part]}])) for _ in range(2)]

    assert (sources, api.asked) == (["upstream", "fixture"], 1)


def test_two_servers_that_record_the_same_write_one_file(serve: Serve, api: RealApi, folder: Path) -> None:
    servers = [serve(record="new", fixtures=(folder,), upstream=api.url) for _ in range(2)]

    for each in servers:
        assert each.http.post(CHAT, json=INVOICE).status_code == 201

    assert len(_files(folder)) == 1


@pytest.mark.parametrize(
    ("text", "folder_and_slug"),
    [
        (
            "Read the total, s'il vous plaît: all of it, to the last cent and then some more",
            "document.invoice/read-the-total-s-il-vous-plait-all-of-it",
        ),
        ("x" * 300, "document.invoice/" + "x" * 40),
        ("../../etc/passwd", "document.invoice/etc-passwd"),
        ("发票", "document.invoice/request"),
    ],
)
def test_a_file_is_called_by_its_domain_and_text(
    text: str, folder_and_slug: str, recorder: RunningMock, folder: Path
) -> None:
    recorder.chat(messages=[{"content": text}], domain="document.invoice")

    (path,) = _files(folder)
    name = path.relative_to(folder).as_posix()
    assert name.rpartition("-")[0] == folder_and_slug
    assert len(name.rpartition("-")[2]) == len("0123456789.json")


@pytest.mark.parametrize(
    ("domain", "name"),
    [(None, "no-domain"), ("custom.Ünï/../slip", "custom.n.slip"), ("..", "domain"), ("a" * 500, "a" * 100)],
)
def test_a_folder_is_called_by_a_domain_that_may_be_anything(
    domain: str | None, name: str, recorder: RunningMock, folder: Path
) -> None:
    answer = recorder.chat(domain=domain)

    (path,) = _files(folder)
    assert answer.status_code == 201
    assert path.parent == folder / name
    assert recorder.chat(domain=domain).headers["x-vlmrun-mock-source"] == "fixture"


@pytest.mark.parametrize(
    ("given", "base"),
    [
        ("https://api.vlm.run", "https://api.vlm.run"),
        ("https://api.vlm.run/", "https://api.vlm.run"),
        ("https://api.vlm.run/v1", "https://api.vlm.run"),
        ("https://api.vlm.run/v1/openai/", "https://api.vlm.run"),
        ("http://[::1]:8000/v1/openai/chat/completions", "http://[::1]:8000"),
        ("https://proxy.example/vlm/v1", "https://proxy.example/vlm"),
    ],
)
def test_an_address_may_have_the_paths_of_the_api(given: str, base: str) -> None:
    assert address.base(given) == base


@pytest.mark.parametrize(
    "given",
    [
        *("", "api.vlm.run", "ftp://api.vlm.run", "https://", "https://a:99999", "https://a?b"),
        *("https://me:pw@a", "https://me:pw@a:99999", "https://me:pw@a?b", "me:pw@a"),
    ],
)
def test_an_invalid_address_is_refused_without_showing_a_password(given: str) -> None:
    with pytest.raises(AddressProblem) as refused:
        address.base(given)

    assert "pw" not in str(refused.value)


LARGEST = 100_000
"""Bytes of an answer in the tests of what is larger."""


def _asked(url: str, timeout: float = 20) -> Answer:
    settings = UpstreamSettings(url, timeout=timeout, largest=LARGEST)
    return asyncio.run(ask(settings, UpstreamRequest(b"{}", (), "k"), ()))


def _endless(piece: bytes, pause: float = 0) -> tuple[str, socket.socket]:
    """Return the address of a server that says the same again and again, until nobody listens or a minute is over."""
    listener = socket.create_server(("127.0.0.1", 0))
    end = time.monotonic() + 60

    def answer() -> None:
        with contextlib.suppress(OSError):
            connection, _ = listener.accept()
            with connection:
                connection.recv(1_000_000)
                connection.sendall(START if piece.startswith(b"1") else b"")
                connection.sendall(b"transfer-encoding: chunked\r\n\r\n" if piece.startswith(b"1") else b"")
                while time.monotonic() < end:
                    connection.sendall(piece)
                    ended.wait(pause)

    ended = threading.Event()
    threading.Thread(target=answer, daemon=True).start()
    return f"http://127.0.0.1:{listener.getsockname()[1]}", listener


BOMBS = {
    "gzip": gzip.compress(bytes(50_000_000)),
    "deflate": zlib.compress(bytes(50_000_000)),
}


@pytest.mark.parametrize("encoding", BOMBS)
def test_a_compressed_answer_that_is_too_large_unpacked_is_a_clear_error(encoding: str, api: RealApi) -> None:
    api.say = lambda _request, _body: Response(BOMBS[encoding], headers={"content-encoding": encoding})

    with pytest.raises(UpstreamAnswerTooLarge, match="larger than 100,000 bytes: it is neither passed on nor recorded"):
        _asked(api.url)


@pytest.mark.parametrize("size", [LARGEST, LARGEST + 1])
def test_an_answer_may_have_as_many_bytes_as_the_limit(size: int, api: RealApi) -> None:
    api.say = lambda _request, _body: Response(bytes(size))

    if size == LARGEST:
        answer = _asked(api.url)
        assert answer.upstream
        assert len(answer.upstream.body) == LARGEST
    else:
        with pytest.raises(UpstreamAnswerTooLarge):
            _asked(api.url)


def test_a_length_beyond_the_limit_is_not_waited_for() -> None:
    url, listener = _talking(START + b"content-length: 1000000000000\r\n\r\n", stalls=20)

    with listener, pytest.raises(UpstreamAnswerTooLarge):
        _asked(url)


def test_an_answer_without_an_end_is_a_clear_error() -> None:
    url, listener = _endless(b"1000\r\n" + b"x" * 4096 + b"\r\n")

    with listener, pytest.raises(UpstreamAnswerTooLarge):
        _asked(url)


@pytest.mark.parametrize(
    "piece", [b"1\r\nx\r\n", b"HTTP/1.1 103 Early Hints\r\n\r\n", b"H"], ids=["body", "hints", "status"]
)
def test_the_timeout_is_kept_however_slowly_something_comes(piece: bytes) -> None:
    url, listener = _endless(piece, 0.01)

    with listener:
        if piece.startswith(b"1"):
            answer = _asked(url, 0.3)
            assert answer.upstream
            assert not answer.upstream.complete
        else:
            with pytest.raises((UpstreamTimeout, UpstreamUnreachable)):
                _asked(url, 0.3)


def test_a_large_answer_is_recorded_in_linear_time() -> None:
    request = chat_parser.parse(json.dumps({"messages": [{"content": "Extract"}]}).encode()).extraction
    domains = packaged()

    def record_so_many(items: int) -> None:
        text = json.dumps({"items": [{"description": f"Widget {each}", "total": each / 4} for each in range(items)]})
        body = json.dumps({"choices": [{"message": {"content": text}}]}).encode()
        record(request, UpstreamResponse(200, {}, body, 1.0), domains, keys=[KEY])

    assert is_linear(record_so_many, 8_000)
