"""The data behind the inspector's page: what is kept and shown, what is told live, how fixtures are saved."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import Put, Serve
from tests.inspecting import inspected
from tests.serving import RunningMock, content, data_url, image_message, picture
from vlmrun_mock.documents.identity import identity
from vlmrun_mock.web.exchange import Exchange, Exchanges
from vlmrun_mock.web.inspector import page

PAGE = "/_mock/inspector"
INVOICE = {"vlmrun": {"domain": "document.invoice"}}
HTML = {"Accept": "text/html,*/*"}
CONTENT = {"invoice_id": "INV-7"}


@pytest.fixture
def looked_at(tmp_path: Path) -> Iterator[RunningMock]:
    """Return a server with an inspector and an empty folder of fixtures."""
    with inspected(tmp_path) as served:
        yield served


def latest(served: RunningMock) -> str:
    """Return the id of the latest request."""
    found: str = served.http.get(f"{PAGE}/requests").json()["requests"][0]["id"]
    return found


def shown(served: RunningMock, request_id: str | None = None) -> Any:
    """Return all that is shown of a request, or of the latest one."""
    return served.http.get(f"{PAGE}/requests/{request_id or latest(served)}").json()


def fixture_text(**match: Any) -> str:
    return json.dumps({"match": match, "answer": {"content": CONTENT}}, indent=2) + "\n"


def save(served: RunningMock, name: str, text: str, **more: Any) -> httpx.Response:
    return served.http.post(f"{PAGE}/fixtures", json={"name": name, "text": text, **more})


def test_a_browser_gets_the_page_and_a_tool_the_404_of_a_path_that_is_none(served: RunningMock) -> None:
    page_of_browser, of_tool = served.http.get("/_mock/", headers=HTML), served.http.get("/_mock/")

    assert page_of_browser.headers["content-type"].startswith("text/html")
    assert of_tool.status_code == 404
    assert of_tool.json()["detail"].startswith("There is no /_mock.")


def test_the_page_may_load_its_own_files_alone_and_has_no_script_or_style_in_itself(served: RunningMock) -> None:
    answers = [
        served.http.get("/_mock/", headers=HTML),
        *(served.http.get(f"{PAGE}/files/{name}") for name in page.files()),
    ]

    for answer in answers:
        assert answer.status_code == 200
        assert answer.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self';")
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert "<style" not in answers[0].text
    assert answers[0].text.count("<script") == answers[0].text.count('<script type="module" src=') == 1
    assert "innerHTML" not in "".join(answer.text for answer in answers)


def test_files_beside_the_page_are_not_served(served: RunningMock) -> None:
    names = ("page.py", "..%2fapi.py", "%2e%2e%2fapi.py", "none.js")

    assert {served.http.get(f"{PAGE}/files/{name}").status_code for name in names} == {404}


def test_the_list_has_the_latest_request_first(looked_at: RunningMock) -> None:
    looked_at.chat(**INVOICE)
    looked_at.chat(vlmrun={"domain": "document.nothing"}, messages=image_message(picture(1)))

    told = looked_at.http.get(f"{PAGE}/requests").json()

    assert [(row["status"], row["domain"]) for row in told["requests"]] == [
        (422, "document.nothing"),
        (201, "document.invoice"),
    ]
    assert told["requests"][0]["documents"][0]["width"] == 64


def test_a_request_is_shown_with_what_was_sent_and_answered(looked_at: RunningMock) -> None:
    sent = picture(1)
    answer = looked_at.chat(**INVOICE, messages=image_message(sent))

    told = shown(looked_at)

    assert told["kept"]
    url = told["request"]["body"]["messages"][0]["content"][1]["image_url"]["url"]
    assert url.startswith("data:image/png;base64,…(")
    assert identity(sent) in url
    assert told["answer"]["content"] == content(answer)
    assert told["answer"]["body"] == answer.json()
    assert ["x-request-id", told["row"]["id"]] in told["answer"]["headers"]
    assert told["schema"]["of"] == "the domain document.invoice"


def test_the_picture_of_a_request_is_shown_as_it_was_sent_and_can_do_nothing(looked_at: RunningMock) -> None:
    sent = picture(1, kind="JPEG")
    looked_at.chat(**INVOICE, messages=image_message(sent))

    answer = looked_at.http.get(f"{PAGE}/requests/{latest(looked_at)}/documents/0")

    assert answer.content == sent
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>", "image/svg+xml"),
        (b"<script>", "text/html"),
    ],
)
def test_what_may_hold_a_script_is_never_sent_as_a_picture(
    data: bytes, media_type: str, looked_at: RunningMock
) -> None:
    part = {"type": "image_url", "image_url": {"url": data_url(data, media_type)}}
    looked_at.chat(**INVOICE, messages=[{"role": "user", "content": [part]}])

    answer = looked_at.http.get(f"{PAGE}/requests/{latest(looked_at)}/documents/0")

    assert answer.status_code == 404
    assert shown(looked_at)["documents"][0]["pages"] == 0


def test_a_document_that_was_uploaded_is_shown(looked_at: RunningMock) -> None:
    sent = picture(3)
    uploaded = looked_at.http.post("/v1/files", files={"file": ("a.png", sent)}).json()["id"]
    looked_at.http.post("/v1/document/generate", json={"file_id": uploaded, "domain": "document.invoice"})

    answer = looked_at.http.get(f"{PAGE}/requests/{latest(looked_at)}/documents/0")

    assert answer.content == sent


@pytest.mark.parametrize("place", ["1", "9999", "-1", "x", "0.5"])
def test_a_document_that_is_none_is_a_404(place: str, looked_at: RunningMock) -> None:
    looked_at.chat(**INVOICE, messages=image_message(picture()))

    assert looked_at.http.get(f"{PAGE}/requests/{latest(looked_at)}/documents/{place}").status_code == 404


def test_the_page_of_a_pdf_is_a_picture_where_the_reader_is_installed(looked_at: RunningMock) -> None:
    pdfium = pytest.importorskip("pypdfium2")
    pdf = pdfium.PdfDocument.new()
    pdf.new_page(200, 300)
    buffer = io.BytesIO()
    pdf.save(buffer)
    part = {"type": "image_url", "image_url": {"url": data_url(buffer.getvalue(), "application/pdf")}}
    looked_at.chat(**INVOICE, messages=[{"role": "user", "content": [part]}])
    where = f"{PAGE}/requests/{latest(looked_at)}/documents/0"

    first, second = looked_at.http.get(where), looked_at.http.get(where, params={"page": 1})

    assert first.content.startswith(b"\x89PNG")
    assert second.status_code == 404


def test_a_pdf_that_is_none_is_no_failure(looked_at: RunningMock) -> None:
    part = {"type": "image_url", "image_url": {"url": data_url(b"%PDF-1.7 and no more", "application/pdf")}}
    looked_at.chat(**INVOICE, messages=[{"role": "user", "content": [part]}])

    assert looked_at.http.get(f"{PAGE}/requests/{latest(looked_at)}/documents/0").status_code == 404


def test_the_clients_key_is_nowhere_in_what_is_shown(looked_at: RunningMock) -> None:
    key = "sk-secret-key-of-a-client-123456"
    messages = [{"role": "user", "content": f"Extract with {key}"}]
    looked_at.http.post(
        "/v1/openai/chat/completions",
        json={**INVOICE, "messages": messages, "metadata": {"note": key}},
        headers={"Authorization": f"Bearer {key}", "Cookie": "session=abcdefgh1234"},
    )

    told = json.dumps(looked_at.http.get(f"{PAGE}/requests", headers={"Authorization": ""}).json())
    request_id = json.loads(told)["requests"][0]["id"]
    detail = looked_at.http.get(f"{PAGE}/requests/{request_id}", headers={"Authorization": ""}).text

    assert key not in told + detail
    assert "abcdefgh1234" not in detail
    assert ["authorization", "Bearer <redacted>"] in json.loads(detail)["request"]["headers"]


def test_a_domain_is_shown_with_a_printed_document(looked_at: RunningMock) -> None:
    told = looked_at.http.get(f"{PAGE}/domains/document.bank-check").json()
    picture_of_it = looked_at.http.get(f"{PAGE}/domains/document.bank-check/printed")

    assert told["printable"] is True
    assert picture_of_it.headers["content-type"] == "image/png"
    assert picture_of_it.content.startswith(b"\x89PNG")
    assert looked_at.http.get(f"{PAGE}/domains/document.nothing/printed").status_code == 404


def test_the_boxes_of_a_fixture_are_shown_although_the_answer_was_asked_for_without_them(
    looked_at: RunningMock,
) -> None:
    answer = {
        "content": {"a/b": {"total": 12.5}},
        "boxes": {"/a~1b/total": [{"page": 0, "xywh": [0.1, 0.2, 0.3, 0.1]}]},
    }
    fixture = {"match": {"domain": "custom.form"}, "answer": answer}
    assert looked_at.http.post("/_mock/fixtures", json=fixture).status_code == 201

    looked_at.chat(domain="custom.form", messages=[{}])

    assert shown(looked_at)["boxes"] == [
        {"pointer": "/a~1b/total", "confidence": None, "boxes": [{"page": 0, "xywh": [0.1, 0.2, 0.3, 0.1]}]}
    ]


def test_the_boxes_and_the_confidence_of_fields_are_told_by_their_places(looked_at: RunningMock) -> None:
    config = {"grounding": True, "confidence": True}
    looked_at.chat(vlmrun={"domain": "document.invoice", "config": config}, messages=image_message(picture()))

    told = shown(looked_at)

    boxes = {each["pointer"]: each for each in told["boxes"]}
    metadata = told["answer"]["content"]["invoice_id_metadata"]
    assert boxes["/invoice_id"]["confidence"] == metadata["confidence"]
    assert [each["xywh"] for each in boxes["/invoice_id"]["boxes"]] == [each["xywh"] for each in metadata["bboxes"]]
    assert "/issuer_address/street" in boxes


def test_a_miss_is_explained_by_the_nearest_fixture(tmp_path: Path, put: Put) -> None:
    put("acme.json", {"content": CONTENT}, domain="document.invoice", text={"contains": "ACME"})
    with inspected(tmp_path, strict=True) as served:
        served.chat(**INVOICE)

        told = shown(served)

    assert told["row"]["missed"]
    assert told["nearest"]["nearest"] == "acme.json"
    assert told["nearest"]["answers_now"] is None
    assert [each["part"] for each in told["nearest"]["differences"]] == ["text"]


def test_a_stream_is_shown_by_its_chunks_with_their_times(looked_at: RunningMock) -> None:
    looked_at.chat(model="vlmrun-orion-1", stream=True, **INVOICE)

    told = shown(looked_at)

    chunks = told["answer"]["chunks"]
    assert json.loads("".join(each["text"] for each in chunks)) == told["answer"]["content"]
    assert chunks[-1]["is_end"]
    assert [each["seconds"] for each in chunks] == sorted(each["seconds"] for each in chunks)


def test_a_prediction_is_shown_with_its_readings_and_its_webhook(looked_at: RunningMock) -> None:
    body = {"images": [data_url(picture())], "domain": "document.invoice", "batch": True}
    made = looked_at.http.post("/v1/image/generate", json={**body, "callback_url": "https://example.com/hook"}).json()
    looked_at.http.get(f"/v1/predictions/{made['id']}")

    told = shown(looked_at)

    assert told["row"]["kind"] == "prediction"
    assert [each["status"] for each in told["reads"]] == ["completed"]
    assert "example.com is another machine" in told["webhooks"][0]["skipped"]


def test_the_findings_about_a_request_are_told(looked_at: RunningMock) -> None:
    for _ in range(2):
        looked_at.chat(vlmrun={"domain": "document.nothing"})

    assert {each["code"] for each in shown(looked_at)["findings"]} == {"retried_in_vain"}


def test_the_call_to_paste_in_python_sends_the_same_request(looked_at: RunningMock, tmp_path: Path) -> None:
    looked_at.chat(**INVOICE, messages=image_message(picture(5), text='A "quoted" text'))
    before = shown(looked_at)
    (tmp_path / "document.jpg").write_bytes(picture(5))

    code = before["calls"]["python"].replace('"document.jpg"', repr(str(tmp_path / "document.jpg")))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VLMRUN_API_KEY", "test")
        exec(compile(code, "call", "exec"), {})  # noqa: S102 - it is what a user pastes

    after = shown(looked_at)
    assert after["row"]["id"] != before["row"]["id"]
    assert after["entry"]["fingerprint"] == before["entry"]["fingerprint"]


def test_without_an_inspector_no_bytes_are_kept_and_nothing_is_written(
    served: RunningMock, serve: Serve, put: Put
) -> None:
    folder = put("a.json", {"content": CONTENT}, domain="document.invoice")
    plain = serve(fixtures=(folder,))
    plain.chat(**INVOICE, messages=image_message(picture()))

    told = shown(plain)
    saved = save(plain, "b.json", fixture_text())

    assert not told["kept"]
    assert told["request"] is None
    assert told["documents"][0]["pages"] == 0
    assert saved.status_code == 409
    assert not (folder / "b.json").exists()
    assert served.http.get(f"{PAGE}/events").status_code == 409


def test_a_reset_and_a_cleared_journal_forget_the_bytes(looked_at: RunningMock) -> None:
    for forget in (("POST", "/_mock/reset"), ("DELETE", "/_mock/requests")):
        looked_at.chat(**INVOICE, messages=image_message(picture()))
        assert looked_at.http.get(f"{PAGE}/state").json()["kept_bytes"] > 1_000

        looked_at.http.request(*forget)

        assert looked_at.http.get(f"{PAGE}/state").json()["kept_bytes"] == 0


def test_the_oldest_bytes_make_room_and_the_entry_says_so(tmp_path: Path) -> None:
    with inspected(tmp_path, most_bytes=40_000) as served:
        for seed in range(5):
            served.chat(**INVOICE, messages=image_message(picture(seed)), user="x" * 10_000)
        rows = served.http.get(f"{PAGE}/requests").json()["requests"]
        first, last = shown(served, rows[-1]["id"]), shown(served, rows[0]["id"])
        kept = served.http.get(f"{PAGE}/state").json()["kept_bytes"]

    assert (first["kept"], last["kept"]) == (False, True)
    assert "--inspect-memory" in first["why"]
    assert kept <= 40_000


def test_an_exchange_larger_than_the_bound_is_not_kept() -> None:
    exchanges, exchange = Exchanges(1_000), Exchange("POST", "/v1/x", b"", ())
    exchange.received.append(b"x" * 2_000)

    exchanges.keep(exchange)

    assert not exchange.is_kept
    assert exchange.received == []
    assert exchanges.bytes == 0


def test_an_exchange_that_has_gone_is_counted_no_more_once_it_is_the_oldest() -> None:
    exchanges = Exchanges(100_000)
    for _ in range(3):
        exchange = Exchange("POST", "/v1/x", b"", ())
        exchanges.keep(exchange)

    assert len(exchanges) == 1


def test_what_happens_is_told_live(looked_at: RunningMock) -> None:
    with looked_at.http.stream("GET", f"{PAGE}/events") as events:
        lines = events.iter_lines()
        assert next(lines) == "event: hello"
        looked_at.chat(**INVOICE)
        looked_at.http.post("/_mock/reset")

        told = [line for line in (next(lines) for _ in range(6)) if line]

    assert told[1] == "event: request"
    assert json.loads(told[2].removeprefix("data: "))["domain"] == "document.invoice"
    assert told[3] == "event: changed"


def test_a_page_with_a_key_is_told_of_that_key_alone(looked_at: RunningMock) -> None:
    with looked_at.http.stream("GET", f"{PAGE}/events", headers={"Authorization": "Bearer mine"}) as events:
        lines = events.iter_lines()
        assert next(lines) == "event: hello"
        for key, domain in (("theirs", "document.receipt"), ("mine", "document.invoice")):
            headers = {"Authorization": f"Bearer {key}"}
            looked_at.http.post(
                "/v1/openai/chat/completions",
                json={"messages": [{"role": "user", "content": "x"}], "vlmrun": {"domain": domain}},
                headers=headers,
            )

        told = next(line for line in lines if line.startswith('data: {"id"'))

    assert json.loads(told.removeprefix("data: "))["domain"] == "document.invoice"


def test_an_open_page_does_not_hold_up_the_end_of_the_server(tmp_path: Path) -> None:
    with httpx.Client(timeout=30) as client:
        with inspected(tmp_path) as served:
            events = client.send(client.build_request("GET", f"{served.url}{PAGE}/events"), stream=True)
            rest = events.iter_raw()
            assert next(rest).startswith(b"event: hello")
            stopped = time.monotonic()

        left = b"".join(rest)  # it ends in order: a connection that is cut would raise

    assert b"event" not in left
    assert time.monotonic() - stopped < 30


def test_a_fixture_is_checked_as_it_is_typed(looked_at: RunningMock) -> None:
    looked_at.chat(**INVOICE, messages=image_message(picture()))
    request_id = latest(looked_at)

    def checked(text: str, name: str = "a.json") -> Any:
        return looked_at.http.post(f"{PAGE}/check", json={"name": name, "text": text, "request": request_id}).json()

    broken = checked("{\n  oops")
    wrong = checked(fixture_text(domain="document.invoice").replace('"INV-7"', "7"))
    other = checked(fixture_text(domain="document.receipt").replace("INV-7", "INV-8"))
    good = checked(shown(looked_at)["draft"]["text"])

    assert broken["position"] == {"line": 2, "column": 3, "message": broken["position"]["message"]}
    assert [(each["code"], each["place"]) for each in wrong["findings"]] == [("schema", "answer.content.invoice_id")]
    assert not wrong["servable"]
    assert [each["part"] for each in other["request"]["differences"]] == ["domain"]
    assert good["ok"]
    assert good["servable"]
    assert good["request"]["matches"]


def test_a_miss_is_made_a_fixture_that_answers_from_then_on(tmp_path: Path) -> None:
    with inspected(tmp_path, strict=True) as served:
        missed = served.chat(**INVOICE, messages=image_message(picture(9)))
        draft = shown(served)["draft"]
        draft["text"] = draft["text"].replace("HB-2025-0347", "INV-9")

        saved = save(served, draft["name"], draft["text"])
        again = served.chat(**INVOICE, messages=image_message(picture(9)))

    assert missed.status_code == 404
    assert saved.status_code == 201, saved.text
    assert (tmp_path / draft["name"]).read_text(encoding="utf-8") == draft["text"]
    assert content(again)["invoice_id"] == "INV-9"


def test_a_file_is_written_over_only_after_its_difference_was_shown(looked_at: RunningMock, tmp_path: Path) -> None:
    standing = tmp_path / "a.json"
    standing.write_text(fixture_text(domain="document.invoice"), encoding="utf-8")
    text = fixture_text(domain="document.invoice", model="vlm-1")

    blind = save(looked_at, "a.json", text)
    told = looked_at.http.post(f"{PAGE}/check", json={"name": "a.json", "text": text}).json()["standing"]
    standing.write_text(fixture_text(domain="document.invoice", model="another"), encoding="utf-8")
    late = save(looked_at, "a.json", text, replaces=told["digest"])
    kept = standing.read_text(encoding="utf-8")
    seen = looked_at.http.post(f"{PAGE}/check", json={"name": "a.json", "text": text}).json()["standing"]
    done = save(looked_at, "a.json", text, replaces=seen["digest"])

    assert (blind.status_code, late.status_code, done.status_code) == (409, 409, 201), done.text
    assert "another" in kept
    assert '+    "model": "vlm-1"' in told["difference"]
    assert standing.read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    "name",
    ["../a.json", "/etc/a.json", "a/../../b.json", "a.txt", "", ".json", ".hidden/a.json", "con.json", "a\\b.json",
     "a//b.json", "a\0b.json", "x/" * 20 + "a.json", "link/a.json"],
)  # fmt: skip  # several a line
def test_no_path_leads_out_of_the_folder(name: str, tmp_path: Path) -> None:
    folder, outside = tmp_path / "fixtures", tmp_path / "outside"
    folder.mkdir()
    outside.mkdir()
    (folder / "link").symlink_to(outside)
    with inspected(folder) as served:
        answer = save(served, name, fixture_text())

    assert answer.status_code == 422
    assert list(outside.iterdir()) == []
    assert [path.name for path in folder.rglob("*")] == ["link"]


def test_the_picture_is_saved_beside_its_fixture_and_named_by_its_path(looked_at: RunningMock, tmp_path: Path) -> None:
    looked_at.chat(**INVOICE, messages=image_message(picture(4)))
    picture_of = {"request": latest(looked_at), "document": 0, "name": "pictures/four.png"}
    text = fixture_text(domain="document.invoice", documents=["pictures/four.png"])

    saved = save(looked_at, "invoices/four.json", text, picture=picture_of)
    outside = save(looked_at, "five.json", text, picture={**picture_of, "name": "../four.png"})

    assert saved.status_code == 201, saved.text
    assert outside.status_code == 422
    assert (tmp_path / "invoices" / "pictures" / "four.png").read_bytes() == picture(4)
    assert content(looked_at.chat(**INVOICE, messages=image_message(picture(4)))) == CONTENT


def test_a_fixture_that_no_server_would_load_is_not_written(looked_at: RunningMock, tmp_path: Path) -> None:
    texts = ("{", "[]", "{}", fixture_text(domain="document.invoice").replace('"INV-7"', "7"))

    answers = [save(looked_at, "a.json", text) for text in texts]

    assert {answer.status_code for answer in answers} == {422}
    assert list(tmp_path.iterdir()) == []


def test_without_a_folder_nothing_is_written_and_the_reason_is_told() -> None:
    with inspected() as served:
        answer = save(served, "a.json", fixture_text())

    assert answer.status_code == 409
    assert "--fixtures" in answer.json()["detail"]


def test_a_document_that_is_dropped_gets_a_fixture_to_begin_with(looked_at: RunningMock) -> None:
    dropped = picture(6)

    answer = looked_at.http.post(
        f"{PAGE}/skeleton", params={"filename": "Lunch 12.png", "domain": "document.receipt"}, content=dropped
    ).json()
    empty = looked_at.http.post(f"{PAGE}/skeleton", content=b"")

    match = json.loads(answer["text"])["match"]
    assert match["domain"] == "document.receipt"
    assert match["documents"][0]["identity"] == identity(dropped)
    assert match["documents"][0]["filename"] == "Lunch 12.png"
    assert answer["name"] == "document.receipt/lunch-12.json"
    assert looked_at.http.post(f"{PAGE}/check", json={"name": answer["name"], "text": answer["text"]}).json()["ok"]
    assert empty.status_code == 422


def test_the_state_tells_unused_fixtures_from_used_ones_and_no_key(tmp_path: Path, put: Put) -> None:
    put("used.json", {"content": CONTENT}, domain="document.invoice")
    put("unused.json", {"content": CONTENT}, domain="document.invoice", text={"contains": "never"})
    with inspected(tmp_path, webhook_secret="a-secret-of-webhooks") as served:
        served.http.post("/_mock/faults", json={"status": 429, "domain": "document.receipt"})
        served.chat(**INVOICE)
        answer = served.http.get(f"{PAGE}/state", headers={"Authorization": ""})
    told = answer.json()

    assert {each["name"]: each["used"] for each in told["fixtures"]} == {"used.json": 1, "unused.json": 0}
    assert told["folder"] == str(tmp_path)
    assert [each["status"] for each in told["faults"]] == [429]
    assert len(told["keys"]) == 1
    assert "a-secret-of-webhooks" not in answer.text
    assert "Bearer" not in answer.text


def test_where_keys_are_set_the_page_is_open_and_its_data_are_not(tmp_path: Path) -> None:
    with inspected(tmp_path, api_keys=frozenset({"right-key"})) as served:
        routes = ("requests", "events", "state", "domains/document.invoice", "requests/req_1")
        statuses = {served.http.get(f"{PAGE}/{route}").status_code for route in routes}
        page_status = served.http.get("/_mock/", headers=HTML).status_code
        allowed = served.http.get(f"{PAGE}/requests", headers={"Authorization": "Bearer right-key"}).status_code
        written = save(served, "a.json", fixture_text()).status_code

    assert (statuses, page_status, allowed, written) == ({401}, 200, 200, 401)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("headers", [{"Origin": "http://localhost:3000"}, {"Host": "evil.example"}])
def test_no_other_page_and_no_foreign_host_reaches_the_data(headers: dict[str, str], looked_at: RunningMock) -> None:
    answers = [
        looked_at.http.get(f"{PAGE}/requests", headers=headers),
        looked_at.http.get("/_mock/", headers={**HTML, **headers}),
        looked_at.http.post(f"{PAGE}/fixtures", json={"name": "a.json", "text": fixture_text()}, headers=headers),
    ]

    assert {answer.status_code for answer in answers} == {403}


@pytest.mark.parametrize("body", [b"{", b"[]", b"null", b'{"name": 1, "text": ""}', b'{"name": "a.json"}', b"\xff"])
def test_a_body_that_is_none_is_a_422(body: bytes, looked_at: RunningMock) -> None:
    answers = [looked_at.http.post(f"{PAGE}/{route}", content=body) for route in ("check", "fixtures")]

    assert {answer.status_code for answer in answers} == {422}


def test_the_requests_of_the_page_are_not_logged_and_those_of_clients_are(looked_at: RunningMock) -> None:
    looked_at.http.get(f"{PAGE}/state")
    looked_at.chat(**INVOICE)

    assert len(looked_at.lines) == 1
    assert "document.invoice" in looked_at.lines[0]


def test_a_picture_is_not_left_behind_by_a_fixture_that_is_refused(looked_at: RunningMock, tmp_path: Path) -> None:
    looked_at.chat(**INVOICE, messages=image_message(picture(4)))
    picture_of = {"request": latest(looked_at), "document": 0, "name": "four.png"}
    assert save(looked_at, "there.json", fixture_text(domain="document.invoice")).status_code == 201

    wrong = save(
        looked_at, "wrong.json", fixture_text(domain="document.invoice", documents=["5.png"]), picture=picture_of
    )
    there = save(looked_at, "there.json", fixture_text(documents=["four.png"]), picture=picture_of)

    assert (wrong.status_code, there.status_code) == (422, 409)
    assert list(tmp_path.rglob("*.png")) == []
