"""A client with a wrong base URL is told the right one."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from tests.serving import CHAT, RunningMock
from vlmrun_mock import MockServer, __version__


@pytest.mark.parametrize(
    "path",
    [
        "/chat/completions",
        "/v1/chat/completions",
        "/openai/chat/completions",
        "/v1/openai/openai/chat/completions",
        "/v1/openai/v1/chat/completions",
    ],
)
def test_a_wrong_base_url_is_answered_with_the_right_one(path: str, served: RunningMock) -> None:
    answer = served.http.post(path, json={"messages": [{}]}, headers={"Host": "localhost:8000"})

    body = answer.json()
    message = body["error"]["message"] if "error" in body else body["detail"]
    assert answer.status_code == 404
    assert message == (
        f"There is no {path}. The nearest route is POST /v1/openai/chat/completions; "
        "set the client's base URL to http://localhost:8000/v1/openai."
    )
    assert len(served.lines[-1]) < 300


@pytest.mark.parametrize(
    "path", ["/v1//openai/chat/completions", "/v1/openai/chat/completions/", "//v1/openai//chat/completions//"]
)
def test_slashes_too_many_do_no_harm(path: str, served: RunningMock) -> None:
    body = {"messages": [{}], "domain": "document.invoice"}
    answer, plain = (served.http.post(each, json=body) for each in (served.url + path, CHAT))

    assert (answer.status_code, answer.content) == (plain.status_code, plain.content)


def test_slashes_too_many_open_no_way_around_a_check(served: RunningMock) -> None:
    page, paths = {"Origin": "http://localhost:3000"}, ("//_mock/requests", "/_mock//requests/")

    answers = [served.http.get(served.url + path, headers=page) for path in paths]

    assert [answer.status_code for answer in answers] == [403, 403]


def test_another_api_below_the_right_base_url_is_told_what_there_is(served: RunningMock) -> None:
    responses, completions = (
        served.http.post(f"/v1/openai/{name}", json={}).json()["detail"] for name in ("responses", "completions")
    )

    assert responses == (
        "There is no /v1/openai/responses. Of OpenAI's API this server has POST /v1/openai/chat/completions and "
        "GET /v1/openai/models."
    )
    assert completions == "There is no /v1/openai/completions. The nearest route is POST /v1/openai/chat/completions."


def test_the_base_url_of_the_official_client_is_told_for_its_own_routes(served: RunningMock) -> None:
    message = served.http.get("/v1/v1/domains", headers={"Host": "localhost:8000"}).json()["detail"]

    assert "GET /v1/domains; set the client's base URL to http://localhost:8000/v1." in message


def test_a_path_like_no_route_is_sent_to_the_front(served: RunningMock) -> None:
    message = served.http.get("/favicon.ico").json()["detail"]

    assert message == "There is no /favicon.ico. GET / says what this server is and which base URLs it has."


def test_the_front_says_what_the_server_is_without_a_key(served: RunningMock) -> None:
    answer = served.http.get("/", headers={"Host": "localhost:8000", "Authorization": ""})

    assert answer.status_code == 200
    assert answer.json()["name"] == "vlmrun-mock"
    assert answer.json()["version"] == __version__
    assert answer.json()["base_urls"] == {
        "OPENAI_BASE_URL": "http://localhost:8000/v1/openai",
        "VLMRUN_BASE_URL": "http://localhost:8000/v1",
    }
    assert "docs/" in answer.json()["documentation"]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_base_urls_have_the_scheme_of_the_connection(scheme: str) -> None:
    app = MockServer().app

    async def ask() -> tuple[Any, Any]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=f"{scheme}://localhost:8000") as http:
            front = await http.get("/", headers={"Host": "mock.localhost"})
            return front.json(), (await http.post("/v1/chat/completions")).json()

    front, lost = asyncio.run(ask())

    assert front["base_urls"] == {
        "OPENAI_BASE_URL": f"{scheme}://mock.localhost/v1/openai",
        "VLMRUN_BASE_URL": f"{scheme}://mock.localhost/v1",
    }
    assert f"set the client's base URL to {scheme}://localhost:8000/v1/openai." in lost["detail"]


@pytest.mark.parametrize(
    "header",
    [
        {"X-Forwarded-Proto": "https"},
        {"X-Forwarded-Host": "evil.example"},
        {"Forwarded": "proto=https;host=evil.example"},
        {"X-Forwarded-Ssl": "on"},
        {"Front-End-Https": "on"},
        {"X-Forwarded-Prefix": "/evil"},
        {"X-Url-Scheme": "https"},
    ],
)
def test_what_a_proxy_says_of_the_connection_is_not_believed(header: dict[str, str], served: RunningMock) -> None:
    front = served.http.get("/", headers={"Host": "localhost:8000", **header}).json()

    assert front["base_urls"]["VLMRUN_BASE_URL"] == "http://localhost:8000/v1"
