"""No secret of a client is in a log line or an error, whichever route it asks and wherever the secret stands."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from tests.conftest import Serve
from tests.serving import CHAT, RunningMock

KEY = "sk-do-not-tell-1234567890"
LOOKALIKE = "AKIAQ3EGRT5UVWXYZ7AB"
SPELLINGS = {
    "as it is": KEY,
    "percent-encoded": "".join(f"%{each:02x}" for each in KEY.encode()),
    "backwards": KEY[::-1],
    "in hexadecimal": KEY.encode().hex(),
    "by its first letters": KEY[:20],
}
ROUTES: list[tuple[str, str, Any]] = [
    ("GET", "/{}", None),
    ("GET", "/v1/{}/models", None),
    ("GET", "/v1/openai/models/{}", None),
    ("PUT", "/v1/openai/models/{}", None),
    ("DELETE", "/v1/domains/{}", None),
    ("GET", "/_mock/requests?{}=1", None),
    ("GET", "/_mock/requests?status={}", None),
    ("POST", "/v1/schema", {"domain": "{}"}),
    ("POST", "/_mock/fixtures", {"{}": 1}),
    ("POST", "/_mock/fixtures", {"match": {"documents": ["{}"]}, "answer": {"content": 1}}),
    ("POST", "/_mock/faults", {"kind": "{}"}),
    ("POST", CHAT, {"messages": [{}], "domain": "{}"}),
    ("POST", CHAT, {"messages": [{"{}": 1, "role": "{}"}]}),
]


def ask(served: RunningMock, route: tuple[str, str, Any], secret: str, **options: Any) -> str:
    """Ask with a secret in the path, the query or the body; return the lines that were logged, and an error."""
    method, path, body = route
    before = len(served.lines)
    content = None if body is None else json.dumps(body).replace("{}", secret)
    answer = served.http.request(method, path.format(secret), content=content, **options)
    served.http.get("/v1/health")  # its line comes after those of the request
    # An answer that is no error may repeat what was asked for, such as the name of a model.
    return "\n".join([*served.lines[before:], answer.text if answer.is_error else ""])


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route[0]} {route[1]}")
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_no_spelling_of_the_clients_key_is_logged_or_answered(
    spelling: str, route: tuple[str, str, Any], served: RunningMock
) -> None:
    told = ask(served, route, SPELLINGS[spelling], headers={"Authorization": f"Bearer {KEY}"})

    assert [each for each in (KEY, KEY[::-1], KEY.encode().hex(), KEY[:20]) if each in told] == []


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route[0]} {route[1]}")
def test_what_looks_like_a_secret_is_not_logged(route: tuple[str, str, Any], served: RunningMock) -> None:
    before = len(served.lines)

    ask(served, route, LOOKALIKE)

    assert LOOKALIKE not in "\n".join(served.lines[before:])


@pytest.mark.parametrize(
    "given",
    [
        {"headers": {"Api-Key": KEY}},
        {"headers": {"X-Auth-Token": KEY}},
        {"headers": {"X-Api-Key": KEY}},
        {"headers": {"Authorization": f"Token {KEY}"}},
        {"headers": {"Proxy-Authorization": f"Bearer {KEY}"}},
        {"headers": {"Cookie": f"session={KEY}"}},
        {"params": {"api_key": KEY}},
        {"params": {"key": KEY}},
        {"params": {"access_token": KEY}},
        {"params": {"code": KEY}},
    ],
    ids=str,
)
@pytest.mark.parametrize("path", ["/v1/{}", f"/v1/{quote('{}', safe='')}", "/v1/openai/models/{}"])
def test_a_key_is_the_clients_wherever_it_sends_it(path: str, given: dict[str, Any], served: RunningMock) -> None:
    told = ask(served, ("GET", path.replace("%7B%7D", "{}"), None), KEY, **given)

    assert KEY not in told


def test_a_path_without_a_secret_is_logged_as_it_is(served: RunningMock) -> None:
    told = ask(served, ("GET", "/v1/{}?page=2", None), "nowhere", headers={"Authorization": f"Bearer {KEY}"})

    assert "404  GET /v1/nowhere  " in told
    assert "There is no /v1/nowhere." in told


def test_an_error_of_a_fixtures_own_is_answered_without_the_key(serve: Serve) -> None:
    served = serve()
    error = {"status": 400, "message": "no", "body": f"your key {KEY} is wrong"}
    registered = served.http.post("/_mock/fixtures", json={"answer": {"error": error}})

    answer = served.http.post(CHAT, json={"messages": [{}]}, headers={"X-Session-Token": KEY})

    assert registered.status_code == 201
    assert answer.text == "your key <redacted> is wrong"
