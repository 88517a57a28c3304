"""`/_mock/openapi.json` describes the routes as they are."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pytest
from starlette.routing import Route

from tests.conftest import Serve
from tests.samples import SAMPLES
from tests.serving import CHAT, RunningMock
from vlmrun_mock.mock.scopes import Scopes
from vlmrun_mock.web.openapi import REF, document
from vlmrun_mock.web.routes import routes

DOCUMENT = json.loads(document())


def component(name: str) -> jsonschema_rs.Validator:
    """Return the validator of a component."""
    return jsonschema_rs.Draft202012Validator({"$ref": REF + name, "components": DOCUMENT["components"]})


def operations() -> dict[str, Any]:
    return {f"{verb.upper()} {path}": each for path, verbs in DOCUMENT["paths"].items() for verb, each in verbs.items()}


def test_every_control_route_and_every_route_with_a_body_is_described() -> None:
    known = {
        f"{method} {route.path}"
        for route in routes(Scopes())
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
        if route.path.startswith("/_mock/") or method == "POST"
    }

    assert set(operations()) == known


def test_it_is_served_without_a_key_and_with_one_where_keys_are_given(served: RunningMock, serve: Serve) -> None:
    closed = serve(api_keys=frozenset({"right-key"}))

    answers = [
        served.http.get("/_mock/openapi.json", headers={"Authorization": ""}),
        closed.http.get("/_mock/openapi.json"),
        closed.http.get("/_mock/openapi.json", headers={"Authorization": "Bearer right-key"}),
    ]

    assert [answer.status_code for answer in answers] == [200, 401, 200]
    assert answers[0].json() == answers[2].json() == DOCUMENT
    assert DOCUMENT["openapi"] == "3.1.0"


def test_every_schema_in_it_is_one() -> None:
    for schema in DOCUMENT["components"]["schemas"].values():
        jsonschema_rs.meta.validate(schema)
    for name in DOCUMENT["components"]["schemas"]:
        component(name)  # each reference leads somewhere


@pytest.mark.parametrize("name", SAMPLES)
def test_a_body_that_is_answered_meets_its_schema(name: str, served: RunningMock) -> None:
    answer = served.http.post(CHAT, json=SAMPLES[name])

    status = DOCUMENT["paths"][CHAT]["post"]["responses"][str(answer.status_code)]
    assert component("chat.ChatBody").is_valid(SAMPLES[name]) or answer.status_code == 422
    kind = status["content"]["application/json"]["schema"]
    assert kind == {"type": "object"} or component("error").is_valid(answer.json())


@pytest.mark.parametrize(
    ("route", "name", "body", "status"),
    [
        ("/_mock/fixtures", "control.FixtureBody", {"answer": {"content": "x"}}, 201),
        ("/_mock/fixtures", "control.FixtureBody", {"answers": [{"content": 1}]}, 422),
        ("/_mock/fixtures", "control.FixtureBody", {}, 422),
        ("/_mock/fixtures", "control.FixtureBody", {"answer": {"content": "x"}, "more": 1}, 422),
        ("/_mock/faults", "control.FaultBody", {"status": 503, "times": 2}, 201),
        ("/_mock/faults", "control.FaultBody", {"status": 200}, 422),
        ("/_mock/faults", "control.FaultBody", {"kind": "hung"}, 422),
        ("/_mock/faults", "control.FaultBody", {"share": 0}, 422),
        ("/v1/schema", "chat.SchemaBody", {"domain": "document.invoice"}, 200),
        ("/v1/schema", "chat.SchemaBody", {}, 422),
        (CHAT, "chat.ChatBody", {"messages": [{}]}, 201),
        (CHAT, "chat.ChatBody", {"messages": [{"role": "robot"}]}, 422),
        (CHAT, "chat.ChatBody", {}, 422),
    ],
)
def test_a_schema_says_what_its_route_takes(
    route: str, name: str, body: dict[str, Any], status: int, served: RunningMock
) -> None:
    answer = served.http.post(route, json=body)
    served.http.post("/_mock/reset")

    assert answer.status_code == status
    assert component(name).is_valid(body) is (status != 422)
    assert status != 422 or component("error").is_valid(answer.json())


def test_the_parameters_are_those_of_the_journal(served: RunningMock) -> None:
    names = {
        verb: [each["name"] for each in operations()[f"{verb} /_mock/requests"]["parameters"]]
        for verb in ("GET", "DELETE")
    }

    told = served.http.get("/_mock/requests?nothing=1").json()["detail"][0]["msg"]

    assert told == f"This parameter is unknown; known are: {', '.join(names['GET'])}"
    assert set(names["GET"]) - set(names["DELETE"]) == {"limit", "offset"}
