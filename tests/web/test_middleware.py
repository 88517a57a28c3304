"""Errors at the edge: every one is JSON in the API's shape, and the log has a line for each request."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from tests.serving import RunningMock
from vlmrun_mock.mock.scopes import Scopes
from vlmrun_mock.web.chat import ChatEndpoint
from vlmrun_mock.web.middleware import Middleware
from vlmrun_mock.web.origins import Origins


def test_an_unknown_path_is_a_404_whose_data_lists_what_exists(served: RunningMock) -> None:
    answer = served.http.get("/v1/openai/nothing")

    error = answer.json()["error"]
    assert answer.status_code == 404
    assert error["code"] == "not_found"
    assert "POST /v1/openai/chat/completions" in error["routes"]
    assert error["message"].startswith("There is no /v1/openai/nothing. Of OpenAI's API this server has")


@pytest.mark.parametrize("path", ["/v2", "/v1/openai/chat/completions/x", "/v1/nothing", "/v1/../etc/passwd"])
def test_any_other_path_has_a_detail(served: RunningMock, path: str) -> None:
    answer = served.http.get(path)

    assert answer.status_code == 404
    assert isinstance(answer.json()["detail"], str)


def test_a_wrong_method_is_a_405_that_names_the_right_one(served: RunningMock) -> None:
    answer = served.http.get("/v1/openai/chat/completions")

    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    assert answer.json()["error"]["code"] == "method_not_allowed"
    assert "POST" in answer.json()["detail"]


def test_head_is_answered_without_a_body(served: RunningMock) -> None:
    known, unknown = served.http.head("/_mock/health"), served.http.head("/nothing")

    assert (known.status_code, known.content) == (200, b"")
    assert (unknown.status_code, unknown.content) == (404, b"")


def test_a_defect_is_a_500_without_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    class Broken(ChatEndpoint):
        async def __call__(self, *_: object) -> None:
            raise RuntimeError("a secret detail")

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(Middleware(Broken(Scopes()), list, Origins(), None))
        async with httpx.AsyncClient(transport=transport, base_url="http://mock") as client:
            return await client.post("/v1/openai/chat/completions")

    answer = asyncio.run(ask())

    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "internal_error"
    assert "secret" not in answer.text
    assert "RuntimeError: a secret detail" in capsys.readouterr().err


def test_each_request_is_one_line(served: RunningMock) -> None:
    before = len(served.lines)

    served.chat(domain="document.invoice", n=3)
    served.http.get("/nothing")

    answered, missing = served.lines[before:]
    for part in ("201", "document.invoice", "no document", "fixture document.invoice/answer.json", "tokens"):
        assert part in answered
    assert "[ignored: n]" in answered
    assert "404" in missing
    assert "GET /nothing" in missing


def test_a_line_shows_no_control_characters(served: RunningMock) -> None:
    served.chat(domain="a\x1b[31m\nb" + "c" * 500)

    assert served.lines[-1].isprintable()
    assert len(served.lines[-1]) < 600


def test_the_clients_own_number_for_a_request_comes_back_beside_ours(served: RunningMock) -> None:
    numbered, plain = (served.http.get("/v1/health", headers=headers) for headers in ({"X-Request-Id": "mine-7"}, {}))

    assert numbered.headers["x-client-request-id"] == "mine-7"
    assert numbered.headers["x-request-id"].startswith("req_")
    assert "x-client-request-id" not in plain.headers
