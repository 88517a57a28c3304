"""`/_mock/` over HTTP: what a browser test, or a client in another language, does with the mock."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from tests.conftest import Put, Serve
from tests.serving import CHAT, RunningMock, content, data_url, image_message, picture, source

INVOICE = {"match": {"domain": "document.invoice"}, "answer": {"content": {"invoice_id": "MINE"}}}
ROUTES = {
    "/_mock/requests": ("GET", "DELETE"),
    "/_mock/fixtures": ("GET", "POST", "DELETE"),
    "/_mock/faults": ("GET", "POST", "DELETE"),
    "/_mock/reset": ("POST",),
    "/_mock/verdict": ("GET",),
}


@pytest.fixture
def mine(serve: Serve) -> RunningMock:
    """Return a server of the test's own."""
    return serve()


def keyless(served: RunningMock, method: str, path: str, **options: Any) -> httpx.Response:
    """Send a request without a key."""
    return served.http.request(method, path, headers={"Authorization": ""}, **options)


def as_key(served: RunningMock, key: str, method: str, path: str, **options: Any) -> httpx.Response:
    """Send a request with a key."""
    return served.http.request(method, path, headers={"Authorization": f"Bearer {key}"}, **options)


def listed(served: RunningMock, **parameters: Any) -> list[dict[str, Any]]:
    """Return the journal's entries."""
    answer = served.http.get("/_mock/requests", params=parameters)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["requests"])


def test_a_registered_fixture_answers_from_the_next_request_on(mine: RunningMock) -> None:
    before = mine.chat(domain="document.invoice")

    registered = mine.http.post("/_mock/fixtures", json=INVOICE)

    after = mine.chat(domain="document.invoice")
    assert registered.status_code == 201
    assert source(after) == ("fixture", registered.json()["fixtures"][0])
    assert content(after) == {"invoice_id": "MINE"}
    assert content(before) != content(after)


def test_a_picture_is_registered_by_its_data_url(mine: RunningMock) -> None:
    fixture = {"match": {"documents": [data_url(picture(7))]}, "answer": {"content": {"seen": "seven"}}}

    mine.http.post("/_mock/fixtures", json=fixture)

    seven = mine.chat(messages=image_message(picture(7)), domain="document.invoice")
    eight = mine.chat(messages=image_message(picture(8)), domain="document.invoice")
    assert content(seven) == {"seen": "seven"}
    assert source(eight) == ("fixture", "document.invoice/answer.json")


def test_of_two_equal_fixtures_the_one_registered_last_answers(mine: RunningMock) -> None:
    mine.http.post("/_mock/fixtures", json=[INVOICE, {**INVOICE, "answer": {"content": {"invoice_id": "LATER"}}}])

    assert content(mine.chat(domain="document.invoice")) == {"invoice_id": "LATER"}


def test_a_list_of_fixtures_is_registered_whole_or_not_at_all(mine: RunningMock) -> None:
    wrong = {"match": {"domain": "document.invoice"}, "answer": {"content": {"total_amount": "a lot"}}}

    refused = mine.http.post("/_mock/fixtures", json=[INVOICE, wrong])

    assert refused.status_code == 422
    assert refused.json()["detail"][0]["loc"] == ["body", 1, "answer", "content", "total_amount"]
    assert mine.http.get("/_mock/fixtures").json() == {"fixtures": []}


@pytest.mark.parametrize(
    ("raw", "place", "reason"),
    [
        (b"", ["body"], "is not JSON"),
        (b"{", ["body"], "is not JSON"),
        (b"\xff", ["body"], "is not JSON"),
        (b"[" * 100_000, ["body"], "is not JSON"),
        (b'{"answer": {}, "answer": {}}', ["body"], "stands twice"),
        (b'"text"', ["body"], "should be an object"),
        (b"[1]", ["body", 0], "should be an object"),
        (b'{"answers": []}', ["body", "answers"], "at least 1 item"),
        (b'{"answer": {"content": {}, "merge": {}}}', ["body", "answer"], "exactly one of content, merge and error"),
        (b'{"answer": {"contents": {}}}', ["body", "answer", "contents"], "this key is unknown"),
        (
            b'{"match": {"documents": ["a.jpg"]}, "answer": {"content": {}}}',
            ["body", "match", "documents", 0],
            "'a.jpg' is a path",
        ),
        (
            b'{"match": {"documents": ["data:image/png;base64,@"]}, "answer": {"content": {}}}',
            ["body", "match", "documents", 0],
            "not base64",
        ),
        (b'{"answer": {"merge": {}}}', ["body", "answer", "merge"], "match.domain must name a documented domain"),
    ],
)
def test_a_fixture_that_cannot_be_used_is_a_422_that_says_where_and_why(
    served: RunningMock, raw: bytes, place: list[str | int], reason: str
) -> None:
    answer = served.http.post("/_mock/fixtures", content=raw)

    assert answer.status_code == 422, answer.text
    (problem,) = answer.json()["detail"]
    assert problem["loc"] == place
    assert reason in problem["msg"]
    assert len(answer.text) < 1_000


def test_a_body_over_the_limit_is_a_413(serve: Serve) -> None:
    small = serve(max_body=1_000)

    for path in ("/_mock/fixtures", "/_mock/faults"):
        assert small.http.post(path, content=b" " * 1_001).status_code == 413


@pytest.mark.parametrize("path", ROUTES)
def test_another_method_is_a_405_that_names_those_allowed(served: RunningMock, path: str) -> None:
    for method in {"GET", "POST", "DELETE", "PUT", "PATCH"} - set(ROUTES[path]):
        answer = served.http.request(method, path)

        assert answer.status_code == 405
        assert set(ROUTES[path]) <= set(answer.headers["allow"].split(", "))


@pytest.mark.parametrize("path", [path for path, methods in ROUTES.items() if "GET" in methods])
def test_head_is_a_get_without_its_body(served: RunningMock, path: str) -> None:
    answer = served.http.head(path)

    assert answer.status_code == 200
    assert answer.content == b""


def test_an_unknown_path_names_the_nearest_route(served: RunningMock) -> None:
    answer = served.http.get("/_mock/fixture")

    assert answer.status_code == 404
    assert "GET /_mock/fixtures" in answer.json()["detail"]


def test_fixtures_are_listed_in_the_order_in_which_they_are_asked(put: Put, serve: Serve) -> None:
    served = serve(fixtures=(put("folder.json", {"merge": {}}, domain="document.receipt"),))
    keyless(served, "POST", "/_mock/fixtures", json={"match": {"model": "vlm-1"}, "answer": {"content": "all"}})
    served.http.post("/_mock/fixtures", json={"description": "My own", **INVOICE})

    fixtures = served.http.get("/_mock/fixtures").json()["fixtures"]

    assert [(each["of"], each["match"]) for each in fixtures] == [
        ("key", {"domain": "document.invoice"}),
        ("everyone", {"model": "vlm-1"}),
        ("folder", {"domain": "document.receipt"}),
    ]
    assert fixtures[0]["description"] == "My own"
    assert fixtures[2]["name"] == "folder.json"
    assert keyless(served, "GET", "/_mock/fixtures").json()["fixtures"] == fixtures[1:]


def test_registered_fixtures_are_deleted_and_those_of_folders_stay(put: Put, serve: Serve) -> None:
    served = serve(fixtures=(put("folder.json", {"content": {"invoice_id": "FOLDER"}}, domain="document.invoice"),))
    served.http.post("/_mock/fixtures", json=[INVOICE, INVOICE])
    served.chat(domain="document.invoice")

    deleted = served.http.delete("/_mock/fixtures").json()

    assert deleted == {"deleted": 2}
    assert content(served.chat(domain="document.invoice")) == {"invoice_id": "FOLDER"}


def test_a_fault_strikes_the_next_request_and_says_so(mine: RunningMock) -> None:
    armed = mine.http.post("/_mock/faults", json={"status": 429, "retry_after": 3, "domain": "document.w2-form"})

    other = mine.chat(domain="document.invoice")
    struck = mine.chat(domain="accounting.form-w2")
    again = mine.chat(domain="accounting.form-w2")

    assert armed.status_code == 201
    assert [other.status_code, struck.status_code, again.status_code] == [201, 429, 201]
    assert struck.headers["retry-after"] == "3"
    (fault,) = mine.http.get("/_mock/faults").json()["faults"]
    assert (fault["kind"], fault["status"], fault["domain"]) == ("error", 429, "accounting.form-w2")
    assert fault["struck"] == 1


def test_faults_are_armed_whole_or_not_at_all_and_disarmed(mine: RunningMock) -> None:
    refused = mine.http.post("/_mock/faults", json=[{"status": 500}, {"kind": "hangs"}])
    armed = mine.http.post("/_mock/faults", json=[{"status": 500}, {"latency_ms": [1, 2]}])
    disarmed = mine.http.delete("/_mock/faults")

    assert refused.status_code == 422
    assert refused.json()["detail"][0]["loc"] == ["body", 1, "kind"]
    assert "'hang'" in refused.json()["detail"][0]["msg"]
    assert [fault["kind"] for fault in armed.json()["faults"]] == ["error", "latency"]
    assert armed.json()["faults"][1]["latency_ms"] == [1, 2]
    assert disarmed.json() == {"deleted": 2}
    assert mine.chat(domain="document.invoice").status_code == 201


@pytest.mark.parametrize("raw", [b"", b"1", b"[null]", b'{"kind": 1}', b'{"colour": "red"}', b'{"status": 200}'])
def test_a_fault_that_cannot_be_used_is_a_422(served: RunningMock, raw: bytes) -> None:
    answer = served.http.post("/_mock/faults", content=raw)

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"][0] == "body"


def test_the_journal_says_what_was_asked_and_answered(mine: RunningMock) -> None:
    mine.chat(
        messages=image_message(picture(3), text="Read it"),
        vlmrun={"domain": "document.w2-form", "metadata": {"environment": "dev"}},
        n=2,
    )

    (entry,) = listed(mine)

    assert entry["domain"] == "accounting.form-w2"
    assert entry["text"] == "Read it"
    assert entry["metadata"]["environment"] == "dev"
    assert (entry["status"], entry["source"]) == (201, "fixture")
    assert entry["ignored"] == ["n"]
    assert entry["usage"]["total_tokens"] > 0
    (document,) = entry["documents"]
    assert (document["media_type"], document["width"], document["height"]) == ("image/png", 64, 48)
    assert document["size"] == len(picture(3))


def test_every_entry_has_the_same_keys_whatever_was_sent(mine: RunningMock) -> None:
    mine.chat(domain="document.invoice")
    mine.chat(domain="document.invoic")
    mine.http.post(CHAT, content=b"{")
    keyless(mine, "POST", CHAT, json={})

    entries = keyless(mine, "GET", "/_mock/requests").json()["requests"]

    assert [entry["status"] for entry in entries] == [201, 422, 422, 401]
    assert len({tuple(entry) for entry in entries}) == 1


def test_the_journal_knows_neither_keys_nor_the_bytes_of_documents(mine: RunningMock) -> None:
    mine.http.post(
        CHAT, json={"messages": image_message(picture(3))}, headers={"Authorization": "Bearer sk-very-secret"}
    )

    journal = keyless(mine, "GET", "/_mock/requests")

    assert journal.json()["total"] == 1
    assert "secret" not in journal.text
    assert data_url(picture(3)).partition(",")[2][:40] not in journal.text


@pytest.fixture
def asked(mine: RunningMock) -> RunningMock:
    """Return a server that was asked for four things."""
    mine.chat(domain="document.invoice")
    mine.chat(domain="document.w2-form")
    mine.chat(messages=[{"content": "What is it?"}])
    mine.http.post("/_mock/faults", json={"status": 503})
    mine.chat(domain="document.invoice")
    return mine


@pytest.mark.parametrize(
    ("parameters", "found"),
    [
        ({}, [0, 1, 2, 3]),
        ({"domain": "document.invoice"}, [0, 3]),
        ({"domain": "document.w2-form"}, [1]),
        ({"domain": "no.such-domain"}, []),
        ({"status": 201}, [0, 1, 2]),
        ({"status": 503}, [3]),
        ({"source": "generated"}, [2]),
        ({"fault": "error"}, [3]),
        ({"domain": "document.invoice", "status": 201}, [0]),
        ({"limit": 2}, [0, 1]),
        ({"limit": 2, "offset": 3}, [3]),
        ({"offset": 9}, []),
        ({"since": 0}, [0, 1, 2, 3]),
        ({"until": 0}, []),
    ],
)
def test_the_journal_is_filtered_and_paged(asked: RunningMock, parameters: dict[str, Any], found: list[int]) -> None:
    everything = listed(asked)

    assert listed(asked, **parameters) == [everything[place] for place in found]


def test_the_journal_is_filtered_by_time_and_by_id(asked: RunningMock) -> None:
    time.sleep(0.01)
    now = time.time()
    asked.chat(domain="document.receipt")
    (latest,) = listed(asked, since=now)

    assert latest["domain"] == "document.receipt"
    assert listed(asked, id=latest["id"]) == [latest]
    assert len(listed(asked, until=now)) == 4


def test_a_page_tells_how_many_entries_there_are_in_all(asked: RunningMock) -> None:
    page = asked.http.get("/_mock/requests", params={"status": 201, "limit": 1}).json()

    assert len(page["requests"]) == 1
    assert page["total"] == 3
    assert page["dropped"] == 0


def test_entries_are_deleted_all_or_by_a_filter(asked: RunningMock) -> None:
    by_filter = asked.http.delete("/_mock/requests", params={"domain": "document.invoice"}).json()
    left = listed(asked)
    the_rest = asked.http.delete("/_mock/requests").json()

    assert by_filter == {"deleted": 2}
    assert [entry["domain"] for entry in left] == ["accounting.form-w2", None]
    assert the_rest == {"deleted": 2}
    assert listed(asked) == []


@pytest.mark.parametrize(
    "query",
    [
        "domian=document.invoice",
        "status=ok",
        "status=1000",
        "status=",
        "source=fixtures",
        "fault=hangs",
        "since=yesterday",
        "since=nan",
        "until=inf",
        "limit=0",
        "limit=1001",
        "offset=-1",
        "status=201&status=429",
        "%ff=1",
    ],
)
def test_a_parameter_that_is_unknown_malformed_or_repeated_is_a_422(served: RunningMock, query: str) -> None:
    answer = served.http.get(f"/_mock/requests?{query}")

    assert answer.status_code == 422
    (problem,) = answer.json()["detail"]
    assert problem["loc"][0] == "query"
    assert set(problem) == {"type", "loc", "msg"}


def test_a_page_cannot_be_deleted(served: RunningMock) -> None:
    answer = served.http.delete("/_mock/requests", params={"limit": 1})

    assert answer.status_code == 422
    assert "known are: id, kind, domain, status" in answer.json()["detail"][0]["msg"]


def test_control_requests_are_in_the_log_and_not_in_the_journal(mine: RunningMock) -> None:
    mine.http.post("/_mock/fixtures", json=INVOICE)
    mine.http.get("/_mock/verdict")

    assert listed(mine) == []
    assert any("201  POST /_mock/fixtures" in line for line in mine.lines)


def test_a_reset_returns_to_how_the_server_was_started(mine: RunningMock) -> None:
    mine.http.post("/_mock/fixtures", json=INVOICE)
    mine.http.post("/_mock/faults", json={"status": 500})
    mine.chat(domain="document.invoice")

    reset = mine.http.post("/_mock/reset")

    assert reset.json() == {"status": "ok"}
    assert listed(mine) == []
    assert mine.http.get("/_mock/faults").json() == {"faults": []}
    assert source(mine.chat(domain="document.invoice")) == ("fixture", "document.invoice/answer.json")


def test_without_a_key_the_journals_of_all_are_read_in_the_order_of_answers(mine: RunningMock) -> None:
    for key, domain in (("a", "document.invoice"), ("b", "document.receipt"), ("a", "document.us-passport")):
        as_key(mine, key, "POST", CHAT, json={"messages": [{}], "domain": domain})

    merged = keyless(mine, "GET", "/_mock/requests").json()["requests"]
    own = as_key(mine, "a", "GET", "/_mock/requests").json()["requests"]

    assert [entry["domain"] for entry in merged] == ["document.invoice", "document.receipt", "document.us-passport"]
    assert own == [merged[0], merged[2]]


def test_the_verdict_is_on_the_client_of_the_key_and_without_a_key_on_all(mine: RunningMock) -> None:
    body = {"messages": [{}], "domain": "document.invoice", "stream": True}
    as_key(mine, "a", "POST", CHAT, json=body)
    as_key(mine, "b", "POST", CHAT, json={**body, "stream": False})

    of_a, of_b, of_all = (
        as_key(mine, "a", "GET", "/_mock/verdict").json(),
        as_key(mine, "b", "GET", "/_mock/verdict").json(),
        keyless(mine, "GET", "/_mock/verdict").json(),
    )

    assert of_b == {"ok": True, "requests": 1, "findings": []}
    assert [finding["code"] for finding in of_a["findings"]] == ["streamed"]
    assert of_a["findings"][0]["requests"] == [as_key(mine, "a", "GET", "/_mock/requests").json()["requests"][0]["id"]]
    assert of_all == {"ok": False, "requests": 2, "findings": of_a["findings"]}


@pytest.mark.parametrize("path", ROUTES)
def test_where_keys_are_set_one_of_them_is_needed(serve: Serve, path: str) -> None:
    strict = serve(api_keys=frozenset({"right"}))
    method = ROUTES[path][0]

    assert as_key(strict, "right", method, path).status_code == 200
    assert as_key(strict, "wrong", method, path).status_code == 401
    assert keyless(strict, method, path).status_code == 401


def test_the_key_may_come_as_x_api_key(mine: RunningMock) -> None:
    mine.http.post("/_mock/fixtures", json=INVOICE, headers={"Authorization": "", "X-Api-Key": "test"})

    assert content(mine.chat(domain="document.invoice")) == {"invoice_id": "MINE"}
