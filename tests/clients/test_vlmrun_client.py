"""VLM Run's own Python SDK, constructed against the mock: what it asks for and how it reads the answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import pytest
from openai.types.chat import ChatCompletion
from vlmrun.client import VLMRun
from vlmrun.client.exceptions import APIError, AuthenticationError, ResourceNotFoundError
from vlmrun.client.hub import get_response_model
from vlmrun.client.types import GenerationConfig, RequestMetadata
from vlmrun.hub.registry import registry

from tests.asking import INVOICE, answer_of, ask, content
from tests.conftest import Serve
from tests.serving import RunningMock
from vlmrun_mock.fixtures.domains import packaged

# The SDK makes models with datamodel-code-generator, which still calls what pydantic has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:datamodel_code_generator")

HUB_DOMAINS = registry.list_schemas()


@pytest.fixture(autouse=True)
def _fresh_cache() -> Iterator[None]:
    """Empty the module-level cache of the hub client, which would answer in place of the server."""
    get_response_model.cache.clear()
    yield
    get_response_model.cache.clear()


@pytest.fixture
def client(served: RunningMock) -> VLMRun:
    """Return VLM Run's client for the shared server; constructing it calls `GET /v1/health`."""
    return VLMRun(api_key="test", base_url=f"{served.url}/v1", max_retries=1)


def test_the_client_is_constructed_with_a_key_that_is_accepted(serve: Serve) -> None:
    served = serve(api_keys=frozenset({"right"}))

    client = VLMRun(api_key="right", base_url=f"{served.url}/v1", max_retries=1)

    assert client.healthcheck() is True
    assert len(served.lines) == 2


def test_the_client_refuses_to_be_constructed_with_a_wrong_key(serve: Serve) -> None:
    served = serve(api_keys=frozenset({"right"}))

    with pytest.raises(AuthenticationError, match="Invalid API key"):
        VLMRun(api_key="wrong", base_url=f"{served.url}/v1", max_retries=1)


def test_the_client_finds_the_mock_by_its_environment_variables(
    served: RunningMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VLMRUN_BASE_URL", f"{served.url}/v1")
    monkeypatch.setenv("VLMRUN_API_KEY", "local")

    assert VLMRun(max_retries=1).healthcheck() is True


def test_every_domain_is_listed(client: VLMRun) -> None:
    names = [each.domain for each in client.list_domains()]

    assert names == packaged().names()
    assert set(HUB_DOMAINS) < set(names)


def test_the_documented_models_are_listed(client: VLMRun) -> None:
    models = client.models.list()

    assert len(models) == 17
    assert {each.model for each in models} == {"vlm-1"}


def test_the_model_made_from_a_schema_parses_the_packaged_answer(client: VLMRun) -> None:
    schema = client.get_schema("document.invoice")

    parsed = schema.response_model.model_validate_json(json.dumps(answer_of("document.invoice")))

    assert schema.domain == "document.invoice"
    assert schema.json_schema["title"] == schema.response_model.__name__
    assert (
        parsed.model_dump(mode="json", exclude_unset=True)["invoice_id"] == answer_of("document.invoice")["invoice_id"]
    )


def test_a_selection_reduces_the_schema_and_the_answer_alike(client: VLMRun) -> None:
    config = GenerationConfig(gql_stmt="{ invoice_id total_amount issuer_address { city } }")

    schema = client.get_schema("document.invoice", config=config)
    completion = client.agent.completions.create(
        model="vlm-1",
        messages=ask(),
        extra_body={"vlmrun": {"domain": "document.invoice", "config": config.model_dump()}},
    )

    expected = answer_of("document.invoice")
    assert list(schema.json_schema["properties"]) == ["invoice_id", "total_amount", "issuer_address"]
    assert content(completion) == {
        "invoice_id": expected["invoice_id"],
        "total_amount": expected["total_amount"],
        "issuer_address": {"city": expected["issuer_address"]["city"]},
    }
    assert schema.response_model.model_validate(content(completion)).model_dump()["issuer_address"] == {
        "city": expected["issuer_address"]["city"]
    }
    assert schema.schema_hash != client.get_schema("document.invoice").schema_hash


def test_the_statement_of_a_schema_selects_the_whole_answer(client: VLMRun) -> None:
    statement = client.get_schema("document.invoice").gql_stmt

    completion = client.agent.completions.create(
        model="vlm-1",
        messages=ask(),
        extra_body={"vlmrun": {"domain": "document.invoice", "config": {"gql_stmt": statement}}},
    )

    assert content(completion) == answer_of("document.invoice")


def test_the_type_of_a_domain_is_its_response_model(client: VLMRun) -> None:
    model = client.get_type("document.receipt")

    assert set(model.model_fields) == set(answer_of("document.receipt"))


def test_an_unknown_schema_is_not_found(client: VLMRun) -> None:
    with pytest.raises(ResourceNotFoundError, match=r"'document\.invoce' not found; closest: document\.invoice"):
        client.get_schema("document.invoce")


def test_a_broken_selection_is_explained(client: VLMRun) -> None:
    with pytest.raises(APIError, match="gql_stmt") as caught:
        client.get_schema("document.invoice", config=GenerationConfig(gql_stmt="{ invoice_id"))

    assert caught.value.http_status == 422


def test_the_hub_names_its_release_and_domains(client: VLMRun) -> None:
    assert client.hub.info().version == packaged().hub["version"]
    assert [each.domain for each in client.hub.list_domains()] == HUB_DOMAINS


def test_the_hub_gives_a_schema_by_domain_and_by_selection(client: VLMRun) -> None:
    whole = client.hub.get_schema("document.us-passport")
    part = client.hub.get_schema("document.us-passport", gql_stmt="{ family_name }")

    assert set(whole.json_schema["properties"]) == set(answer_of("document.us-passport"))
    assert (list(part.json_schema["properties"]), part.gql_stmt) == (["family_name"], "{ family_name }")


@pytest.mark.parametrize("domain", ["document.bank-check", "document.resume", "media.nba-game-state"])
def test_the_hubs_pydantic_model_parses_the_packaged_answer(client: VLMRun, domain: str) -> None:
    model = client.hub.get_pydantic_model(domain)

    parsed = model.model_validate_json(json.dumps(answer_of(domain)))

    assert set(parsed.model_fields_set) == set(answer_of(domain))


def test_a_domain_that_the_hub_does_not_know_has_no_pydantic_model(client: VLMRun) -> None:
    with pytest.raises(APIError, match="not found"):
        client.hub.get_pydantic_model("document.nothing")


def test_completions_take_what_the_sdks_own_types_hold(client: VLMRun) -> None:
    raw = client.agent.completions.with_raw_response.create(
        model="vlm-1",
        messages=ask(),
        extra_body={
            "vlmrun": {
                "domain": "document.invoice",
                "config": GenerationConfig(grounding=True, confidence=True, detail="hi").model_dump(),
                "metadata": RequestMetadata(environment="staging").model_dump(),
            }
        },
    )

    answer = content(raw.parse())
    assert raw.status_code == 201
    assert answer["invoice_id_metadata"]["bboxes"][0]["page"] == 0
    assert answer["invoice_id_metadata"]["confidence"] in {"hi", "med", "low"}
    assert {name: value for name, value in answer.items() if name in {"invoice_id", "currency"}} == {
        "invoice_id": answer_of("document.invoice")["invoice_id"],
        "currency": "USD",
    }


def test_an_orion_model_answers_with_its_own_status_and_takes_the_agents_arguments(client: VLMRun) -> None:
    raw = client.agent.completions.with_raw_response.create(
        model="vlmrun-orion-1:auto",
        messages=ask(),
        extra_body={**INVOICE, "toolsets": ["core"], "skills": []},
    )
    patched = client.agent.completions.create(
        model="vlmrun-orion-1:auto",
        messages=ask(),
        toolsets=["core", "document"],
        extra_body=INVOICE,
    )

    assert raw.status_code == 200
    assert raw.parse().model == "vlmrun-orion-1:auto"
    assert content(raw.parse()) == content(patched) == answer_of("document.invoice")


def test_an_orion_model_without_a_domain_says_how_to_name_one(client: VLMRun) -> None:
    completion = client.agent.completions.create(model="vlmrun-orion-1:fast", messages=ask())

    assert "document.invoice" in (completion.choices[0].message.content or "")


def test_asynchronous_completions_are_the_same(client: VLMRun) -> None:
    async def create() -> ChatCompletion:
        completions = client.agent.async_completions
        async with completions._client:
            completion: ChatCompletion = await completions.create(model="vlm-1", messages=ask(), extra_body=INVOICE)
            return completion

    asynchronous = asyncio.run(create())
    synchronous = client.agent.completions.create(model="vlm-1", messages=ask(), extra_body=INVOICE)

    assert asynchronous.model_dump() == synchronous.model_dump()
