"""What the server tells of itself: health, models, domains and schemas."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from vlmrun.hub.registry import registry

from tests.conftest import Serve
from tests.serving import RunningMock
from vlmrun_mock.fixtures.domains import ALIASES, packaged

DOMAINS = packaged().names()


@pytest.mark.parametrize("path", ["/v1/health", "/v1/openai/health", "/_mock/health"])
def test_health_is_200_with_and_without_a_key(served: RunningMock, path: str) -> None:
    assert served.http.get(path).status_code == 200
    assert served.http.get(path, headers={"Authorization": ""}).status_code == 200


def test_health_refuses_a_wrong_key(serve: Serve) -> None:
    served = serve(api_keys=frozenset({"right"}))

    assert served.http.get("/v1/health", headers={"Authorization": "Bearer right"}).status_code == 200
    assert served.http.get("/v1/health", headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert served.http.get("/_mock/health", headers={"Authorization": "Bearer wrong"}).status_code == 200


@pytest.mark.parametrize("path", ["/v1/openai/models", "/v1/models", "/v1/domains", "/v1/files"])
def test_a_list_needs_a_key(served: RunningMock, path: str) -> None:
    answer = served.http.get(path, headers={"Authorization": ""})

    assert answer.status_code == 401
    assert answer.json()["detail"] == "Invalid API key"


def test_models_are_listed_as_openai_does(served: RunningMock) -> None:
    listed = served.http.get("/v1/openai/models").json()

    assert listed["object"] == "list"
    assert listed["data"][0]["id"] == "vlm-1"
    for model in listed["data"]:
        assert set(model) == {"id", "object", "created", "owned_by"}
        assert served.http.get(f"/v1/openai/models/{model['id']}").json() == model


@pytest.mark.parametrize("name", ["gpt-4o", "Qwen/Qwen3-VL", "vlm-1:latest"])
def test_a_model_is_known_by_any_name_that_chat_takes(name: str, served: RunningMock) -> None:
    model = served.openai().models.retrieve(name)

    assert (model.id, model.object) == (name, "model")


@pytest.mark.parametrize("path", ["/v1/hub/domains", "/v1/hub/info", "/v1/experimental/health"])
def test_the_hub_and_health_need_no_key(served: RunningMock, path: str) -> None:
    assert served.http.get(path, headers={"Authorization": ""}).status_code == 200


def test_the_documented_pairs_of_model_and_domain_are_listed(served: RunningMock) -> None:
    listed = served.http.get("/v1/models").json()

    names = [each["domain"] for each in listed]
    assert {each["model"] for each in listed} == {"vlm-1"}
    assert len(names) == 17
    assert set(names) - set(DOMAINS) == {"vlm-1-embeddings"}


def test_a_schema_of_the_request_is_described_instead_of_the_domains(served: RunningMock) -> None:
    schema = {"type": "object", "properties": {"total": {"type": "number"}}}

    answer = served.http.post("/v1/schema", json={"domain": "custom.bill", "config": {"json_schema": schema}}).json()

    assert answer["json_schema"] == schema
    assert answer["gql_stmt"] == "{ total }"


def test_domains_are_listed_with_a_description(served: RunningMock) -> None:
    listed = served.http.get("/v1/domains").json()

    assert [each["domain"] for each in listed] == DOMAINS
    assert all(len(each["description"]) >= 20 for each in listed)


def test_hub_domains_are_those_of_the_installed_hub(served: RunningMock) -> None:
    listed = served.http.get("/v1/hub/domains").json()

    assert [each["domain"] for each in listed] == registry.list_schemas()


@pytest.mark.parametrize("path", ["/v1/schema", "/v1/hub/schema"])
@pytest.mark.parametrize("domain", [*DOMAINS, *ALIASES])
def test_every_domain_has_a_schema_and_a_statement_that_selects_all_of_it(
    served: RunningMock, path: str, domain: str
) -> None:
    answer = served.http.post(path, json={"domain": domain}).json()

    assert answer["domain"] == ALIASES.get(domain, domain)
    assert set(answer) == {
        "domain",
        "description",
        "schema_version",
        "schema_hash",
        "gql_stmt",
        "json_schema",
        "json_sample",
    }
    assert len(answer["schema_hash"]) == 8
    config = {"gql_stmt": answer["gql_stmt"]}
    selected = served.chat(vlmrun={"domain": domain, "config": config})
    assert selected.status_code == 201, selected.text
    if "patternProperties" not in answer["json_schema"]:  # a statement cannot name keys that only a pattern declares
        assert selected.json()["choices"] == served.chat(domain=domain).json()["choices"]


@pytest.mark.parametrize("body", [{"gql_stmt": "{ invoice_id }"}, {"config": {"gql_stmt": "{ invoice_id }"}}])
def test_a_schema_is_reduced_to_the_selected_fields(served: RunningMock, body: dict[str, Any]) -> None:
    answer = served.http.post("/v1/schema", json={"domain": "document.invoice", **body}).json()

    assert list(answer["json_schema"]["properties"]) == ["invoice_id"]
    assert answer["gql_stmt"] == "{ invoice_id }"


def test_an_unknown_schema_is_a_404_that_names_the_closest(served: RunningMock) -> None:
    answer = served.http.post("/v1/schema", json={"domain": "document.invoic"})

    assert answer.status_code == 404
    assert "document.invoice" in answer.json()["detail"]


@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b'{"domain": 1}', b'{"domain": "x", "config": 1}', b"\xff"])
def test_a_malformed_schema_request_is_a_422(served: RunningMock, raw: bytes) -> None:
    answer = served.http.post("/v1/schema", content=raw)

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"][0] == "body"


def test_a_statement_that_cannot_be_read_is_a_422(served: RunningMock) -> None:
    answer = served.http.post("/v1/schema", json={"domain": "document.invoice", "gql_stmt": "{ a"})

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "config", "gql_stmt"]


def test_the_health_of_the_mock_counts_fixtures(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"answer": {"content": {}}}', encoding="utf-8")

    health = serve(fixtures=(tmp_path,)).http.get("/_mock/health").json()

    assert health["status"] == "ok"
    assert health["fixtures"] == 1
