"""Only local hosts and local web pages get an answer, and below `/_mock/` only pages of the mock itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import cache

import httpx
import pytest
from starlette.types import ASGIApp

from tests.serving import CHAT, RunningMock
from vlmrun_mock.mock.scopes import Scopes
from vlmrun_mock.mock.settings import Settings
from vlmrun_mock.web.app import application

Serve = Callable[..., RunningMock]

CONTROL = "/_mock/requests"
HOST = "127.0.0.1:8000"
BODY = {"messages": [{"role": "user", "content": "Extract"}], "vlmrun": {"domain": "document.invoice"}}

LOCAL_HOSTS = (
    "localhost", "LOCALHOST:8000", "localhost.", "127.0.0.1:8000", "127.8.9.1", "[::1]:8000", "192.168.1.7:80",
    "10.0.0.1", "mock", "vlmrun-mock:8000", "my_mock", "app.localhost:3000", "host.docker.internal:8000",
)  # fmt: skip  # several a line
FOREIGN_HOSTS = (
    "evil.example", "EVIL.example:8000", "127.0.0.1.evil.example", "localhost.evil.example", "evil.localhost.example",
    "127.0.0.1.nip.io", "local.host", "evil.example.", "a@evil.example", "[::1", "[::1].evil.example", " ",
    "mock/evil.example", "127.0.0.1\\.evil.example", "xn--lcalhost-54a.example", "b\xe4r.example",
)  # fmt: skip
LOCAL_ORIGINS = (
    "http://localhost:3000",
    "http://127.0.0.1:5173",
    "https://localhost",
    "http://[::1]:8080",
    "http://web:3000",
)
FOREIGN_ORIGINS = (
    "https://evil.example", "http://evil.example:8000", "null", "file://", "http://localhost.evil.example", "",
    "http://127.0.0.1.nip.io", "chrome-extension://abc", "moz-extension://localhost", "localhost", "http://a@evil.example",
)  # fmt: skip


@cache
def mock(settings: tuple[tuple[str, frozenset[str]], ...]) -> ASGIApp:
    """Return an application with some settings."""
    return application(Scopes(Settings(**dict(settings))))  # type: ignore[arg-type]  # all of them are names


def ask(method: str, path: str, headers: Mapping[str, str], **settings: frozenset[str]) -> httpx.Response:
    """Ask a mock with settings of its own; the headers are all that is sent beside the key."""
    app = mock(tuple(settings.items()))

    async def asked() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}") as client:
            given = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
            json = BODY if (method, path) == ("POST", CHAT) else None
            return await client.request(method, path, headers=[(b"x-api-key", b"k"), *given], json=json)

    return asyncio.run(asked())


def code(response: httpx.Response) -> str:
    """Return the code of an error of the chat endpoint."""
    found: str = response.json()["error"]["code"]
    return found


@pytest.mark.parametrize("host", LOCAL_HOSTS)
def test_a_local_host_is_answered_for(host: str) -> None:
    assert ask("POST", CHAT, {"host": host}).status_code == 201
    assert ask("GET", CONTROL, {"host": host}).status_code == 200


@pytest.mark.parametrize("host", FOREIGN_HOSTS)
def test_a_host_that_may_be_anyones_is_refused(host: str) -> None:
    response = ask("POST", CHAT, {"host": host})

    assert response.status_code == 403
    assert code(response) == "host_not_allowed"
    assert "--allow-host" in response.text
    assert ask("GET", CONTROL, {"host": host}).status_code == 403


@pytest.mark.parametrize("allowed", ["mock.example", "Mock.Example", "*"])
def test_a_host_can_be_allowed(allowed: str) -> None:
    assert ask("POST", CHAT, {"host": "mock.example:8000"}, allow_hosts=frozenset({allowed})).status_code == 201


@pytest.mark.parametrize("allowed", ["evil.example", "*"])
def test_an_allowed_host_lets_no_page_in(allowed: str) -> None:
    hosts = frozenset({allowed})

    assert ask("POST", CHAT, {"origin": "https://evil.example"}, allow_hosts=hosts).status_code == 403
    assert ask("GET", CONTROL, {"origin": "https://evil.example"}, allow_hosts=hosts).status_code == 403


def test_a_host_is_not_allowed_by_a_part_of_its_name() -> None:
    hosts = frozenset({"mock.example"})

    assert ask("POST", CHAT, {"host": "a.mock.example"}, allow_hosts=hosts).status_code == 403
    assert ask("POST", CHAT, {"host": "example"}, allow_hosts=hosts).status_code == 201


@pytest.mark.parametrize("origin", LOCAL_ORIGINS)
def test_a_local_page_may_ask_the_api_and_read_the_answer(origin: str) -> None:
    response = ask("POST", CHAT, {"origin": origin, "sec-fetch-site": "cross-site"})

    assert response.status_code == 201
    assert response.headers["access-control-allow-origin"] == origin
    assert response.headers["vary"] == "Origin"
    assert "x-vlmrun-mock-source" in response.headers["access-control-expose-headers"]


def test_a_local_page_can_read_an_error_as_well() -> None:
    response = ask("GET", "/v1/nowhere", {"origin": "http://localhost:3000"})

    assert response.status_code == 404
    assert response.headers["access-control-allow-origin"] == "http://localhost:3000"


@pytest.mark.parametrize("origin", FOREIGN_ORIGINS)
def test_a_page_of_the_internet_is_refused(origin: str) -> None:
    response = ask("POST", CHAT, {"origin": origin})

    assert response.status_code == 403
    assert code(response) == "origin_not_allowed"
    assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize(
    "path", ["/_mock/requests", "/_mock/fixtures", "/_mock/faults", "/_mock/reset", "/_mock/verdict"]
)
@pytest.mark.parametrize("origin", [*LOCAL_ORIGINS, *FOREIGN_ORIGINS])
def test_no_other_page_reaches_the_control_api(origin: str, path: str) -> None:
    for method in ("GET", "POST", "DELETE"):
        assert ask(method, path, {"origin": origin, "content-type": "text/plain"}).status_code == 403


def test_a_page_of_the_mock_itself_reaches_the_control_api() -> None:
    assert ask("GET", CONTROL, {"origin": f"http://{HOST}", "sec-fetch-site": "same-origin"}).status_code == 200


def test_a_request_across_sites_without_an_origin_is_refused() -> None:
    """An image or a script of a page sends no Origin."""
    assert ask("GET", CONTROL, {"sec-fetch-site": "cross-site"}).status_code == 403
    assert ask("GET", "/v1/models", {"sec-fetch-site": "cross-site"}).status_code == 403


@pytest.mark.parametrize("site", ["none", "same-origin", "same-site"])
def test_an_address_that_a_person_opens_is_answered(site: str) -> None:
    assert ask("GET", CONTROL, {"sec-fetch-site": site}).status_code == 200


@pytest.mark.parametrize("allowed", ["https://app.example", "https://APP.example/", "*"])
def test_an_origin_can_be_allowed_also_for_the_control_api(allowed: str) -> None:
    origins = frozenset({allowed})
    headers = {"origin": "https://app.example"}

    assert ask("POST", CHAT, headers, allow_origins=origins).status_code == 201
    assert ask("GET", CONTROL, headers, allow_origins=origins).status_code == 200
    assert ask("POST", CHAT, {"origin": "http://app.example:1"}, allow_origins=origins).status_code == (
        201 if allowed == "*" else 403
    )


def test_a_preflight_of_a_local_page_says_what_it_may_send() -> None:
    asked = {
        "origin": "http://localhost:3000",
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type,x-stainless-os",
        "access-control-request-private-network": "true",
    }

    response = ask("OPTIONS", CHAT, asked)

    assert response.status_code == 204
    assert response.content == b""
    assert response.headers["access-control-allow-origin"] == "http://localhost:3000"
    assert "POST" in response.headers["access-control-allow-methods"]
    assert response.headers["access-control-allow-headers"] == "authorization,content-type,x-stainless-os"
    assert response.headers["access-control-allow-private-network"] == "true"
    assert response.headers["access-control-max-age"] == "600"


@pytest.mark.parametrize(("path", "origin"), [(CHAT, "https://evil.example"), (CONTROL, "http://localhost:3000")])
def test_any_other_preflight_is_refused(path: str, origin: str) -> None:
    assert ask("OPTIONS", path, {"origin": origin, "access-control-request-method": "POST"}).status_code == 403


def test_an_options_request_that_is_not_a_preflight_is_a_405() -> None:
    assert ask("OPTIONS", CHAT, {}).status_code == 405


def test_every_answer_of_a_server_forbids_browsers_to_guess_and_to_embed(served: RunningMock) -> None:
    for path in ("/v1/health", "/_mock/requests", "/nowhere", "/v1/models"):
        headers = served.http.get(path).headers

        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-resource-policy"] == "same-origin"


def test_a_refused_host_is_logged_without_what_a_terminal_obeys(served: RunningMock) -> None:
    served.http.get("/v1/health", headers=[(b"host", b"evil\x9b[31m.example")])

    assert "host_not_allowed" in served.lines[-1]
    assert served.lines[-1].isprintable()
