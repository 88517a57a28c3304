"""VLM Run's own Python SDK with the mock: agents, executions, skills, artifacts, feedback, datasets and fine-tuning."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from vlmrun.client import VLMRun
from vlmrun.client import artifacts as sdk_artifacts
from vlmrun.client.exceptions import ResourceNotFoundError, ValidationError
from vlmrun.client.types import AgentCreationConfig, AgentExecutionConfig, AgentSkill, GenerationConfig

from tests.asking import answer_of
from tests.conftest import Put, Serve
from tests.serving import data_url, picture
from vlmrun_mock.documents.identity import identity

pytestmark = pytest.mark.filterwarnings("ignore:Passing inputs as a dictionary:DeprecationWarning")

SCHEMA = {"type": "object", "properties": {"vendor_name": {"type": "string"}}, "required": ["vendor_name"]}
ORION = "vlmrun-orion-1:auto"


@pytest.fixture
def client(serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> VLMRun:
    """Return VLM Run's client for a server of its own, with its caches in a folder of the test's."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(sdk_artifacts, "VLMRUN_ARTIFACTS_CACHE_DIR", tmp_path / "artifacts")
    return VLMRun(api_key="test", base_url=f"{serve().url}/v1", max_retries=1)


def picture_input(number: int = 1) -> dict[str, Any]:
    """Return a picture as an input of an agent."""
    return {"image": {"type": "image_url", "image_url": {"url": data_url(picture(number))}}}


def test_an_agent_is_there_from_the_start_and_found_by_name_id_and_prompt(client: VLMRun) -> None:
    (listed,) = client.agent.list()

    assert listed.name == "resume-analyzer"
    assert client.agent.get(name="resume-analyzer") == listed
    assert client.agent.get(name="resume-analyzer:latest") == listed
    assert client.agent.get(id=listed.id) == client.agent.get_by_id(listed.id) == listed
    assert client.agent.get(prompt=listed.prompt) == listed
    with pytest.raises(ResourceNotFoundError, match="Agent not found"):
        client.agent.get(name="none")
    with pytest.raises(ValidationError, match="no agent's name"):
        client.agent.get(name="a?b")


def test_an_agent_is_created_and_executed_by_its_schema(client: VLMRun) -> None:
    created = client.agent.create(AgentCreationConfig(prompt="Who sells?", json_schema=SCHEMA), name="seller")
    unnamed = client.agent.create(AgentCreationConfig(prompt="Who sells?"))

    execution = client.agent.execute(name="seller", inputs=picture_input())
    waited = client.executions.wait(execution.id, timeout=5, sleep=1)

    assert (created.name, created.status) == ("seller", "completed")
    assert unnamed.name.startswith("agent-")
    assert (execution.status, execution.response) == ("enqueued", None)
    assert (waited.status, waited.name, waited.usage.steps) == ("completed", "seller", 1)
    assert set(waited.response or {}) == {"vendor_name"}
    assert [each.id for each in client.executions.list()] == [execution.id]


def test_an_unknown_agent_is_executed_with_the_schema_of_the_caller_or_in_prose(client: VLMRun) -> None:
    with_schema, prose, bare = (
        client.executions.get(client.agent.execute(**arguments).id)
        for arguments in (
            {"name": "test-agent", "config": AgentExecutionConfig(prompt="x", json_schema=SCHEMA, mode="agent")},
            {"name": "test-agent", "inputs": picture_input()},
            {},
        )
    )

    assert set(with_schema.response or {}) == {"vendor_name"}
    assert with_schema.execution_mode == "agent"
    assert "`img_" in (prose.response or {})["content"]
    assert bare.name == ""


def test_a_fixture_for_a_document_answers_an_execution_too(serve: Serve, put: Put) -> None:
    served = serve(fixtures=(put("a.json", {"content": {"found": 1}}, documents=[identity(picture(1))]),))
    client = VLMRun(api_key="test", base_url=f"{served.url}/v1", max_retries=1)

    execution = client.executions.get(client.agent.execute(name="any", inputs=picture_input()).id)

    assert execution.response == {"found": 1}
    (entry,) = served.http.get("/_mock/requests", params={"kind": "execution"}).json()["requests"]
    assert (entry["kind"], entry["documents"][0]["identity"]) == ("execution", identity(picture(1)))


def test_the_legacy_spelling_of_an_execution_and_what_is_no_batch(client: VLMRun) -> None:
    url, headers = f"{client.base_url}/agent/execute", {"Authorization": "Bearer test"}

    legacy = httpx.post(url, json={"name": "a", "version": "latest", "urls": ["https://a.b/c.pdf"]}, headers=headers)
    refused = httpx.post(url, json={"batch": False}, headers=headers)

    assert (legacy.status_code, legacy.json()["status"]) == (201, "enqueued")
    assert refused.status_code == 400


def test_n8n_looks_an_agent_up_by_a_get_with_a_body(client: VLMRun) -> None:
    answer = httpx.request(
        "GET",
        f"{client.base_url}/agent/lookup",
        json={"name": "resume-analyzer"},
        headers={"Authorization": "Bearer test"},
    )

    assert answer.json()["name"] == "resume-analyzer"


def test_a_public_skill_is_listed_and_found_by_name_and_id(client: VLMRun) -> None:
    (listed,) = client.skills.list()

    assert (listed.name, listed.is_public) == ("invoice-extraction", True)
    assert client.skills.get(name="invoice-extraction") == client.skills.get(id=listed.id) == listed
    with pytest.raises(ResourceNotFoundError, match="Skill not found"):
        client.skills.get(name="none")


def test_a_skill_is_created_updated_and_downloaded(client: VLMRun) -> None:
    first = client.skills.create(prompt="Find the vendor", json_schema=SCHEMA, name="vendor")
    same = client.skills.create(prompt="Find the vendor", json_schema=SCHEMA, name="vendor")
    second = client.skills.update(first.id, description="Finds who sells")

    download = client.skills.download(second.id)
    archive = zipfile.ZipFile(io.BytesIO(httpx.get(download.download_url).content))

    assert first.id == same.id != second.id
    assert first.skill_version != second.skill_version
    assert client.skills.get(name="vendor") == second
    assert client.skills.get(name="vendor", skill_version=first.skill_version) == first
    assert json.loads(archive.read("schema.json")) == SCHEMA
    assert b"description: Finds who sells" in archive.read("SKILL.md")
    assert [each.name for each in client.skills.list(grouped=True)] == ["vendor", "invoice-extraction"]
    assert [each.name for each in client.skills.list(order_by="name", descending=False, limit=1)] == [
        "invoice-extraction"
    ]


def test_an_update_that_changes_nothing_makes_no_version(client: VLMRun) -> None:
    skill = client.skills.create(prompt="Find the total.\n\nThen the date.\n", name="totals")

    same = client.skills.update(skill.id, description=skill.description)
    other = client.skills.update(skill.id, description="Another one")

    assert (same.id, same.version) == (skill.id, skill.version)
    assert other.id != skill.id


def skill_folder(folder: Path) -> Path:
    """Return a folder with a skill."""
    folder.mkdir()
    (folder / "SKILL.md").write_text(
        "---\nname: vendor\ndescription: Finds the vendor\n---\nFind it.", encoding="utf-8"
    )
    (folder / "schema.json").write_text(json.dumps(SCHEMA), encoding="utf-8")
    return folder


@pytest.mark.parametrize("way", ["created from a folder", "inline", "by name"])
def test_the_schema_of_a_skill_decides_a_prediction_a_chat_and_an_execution(
    way: str, client: VLMRun, tmp_path: Path
) -> None:
    folder = skill_folder(tmp_path / "vendor")
    created = client.skills.create_from_directory(folder)
    skill = {
        "created from a folder": created,
        "inline": AgentSkill.from_directory(folder),
        "by name": AgentSkill(skill_name="vendor"),
    }[way]

    prediction = client.image.generate(
        domain=None,
        urls=["https://a.b/c.png"],
        config=GenerationConfig(skills=[skill]),
    )
    chat = client.agent.completions.create(
        model=ORION, messages=[{"role": "user", "content": "Who sells?"}], skills=[skill.model_dump(exclude_none=True)]
    )
    execution = client.agent.execute(config=AgentExecutionConfig(prompt="Who sells?", skills=[skill]))

    assert (set(prediction.response), prediction.domain) == ({"vendor_name"}, "skill")
    assert set(json.loads(chat.choices[0].message.content or "")) == {"vendor_name"}
    assert set(client.executions.get(execution.id).response or {}) == {"vendor_name"}


def test_a_skill_is_made_of_a_session(client: VLMRun) -> None:
    chat = client.agent.completions.create(
        model=ORION, messages=[{"role": "user", "content": "Find the vendor"}], extra_body={"session_id": "s-1"}
    )

    skill = client.skills.create(session_id="s-1", name="of-session")

    assert chat.model_dump()["session_id"] == "s-1"
    assert skill.description == "Find the vendor"


def test_what_is_no_skill_is_refused(client: VLMRun, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"no zip")
    file_id = client.files.upload(tmp_path / "a.zip").id

    with pytest.raises(ValidationError, match="Exactly one of"):
        client.skills.create()
    with pytest.raises(ValidationError, match="required"):
        client.skills.create(file_id=file_id)
    with pytest.raises(ValidationError, match="no zip"):
        client.skills.create(file_id=file_id, name="a", description="b")


def session_of(client: VLMRun, schema: dict[str, Any]) -> tuple[str, dict[str, str]]:
    """Return the session of an answer by a schema, and the answer."""
    chat = client.agent.completions.create(
        model=ORION,
        messages=[{"role": "user", "content": [picture_input()["image"]]}],
        response_format={"type": "json_schema", "json_schema": {"name": "a", "schema": schema}},
    )
    return chat.model_dump()["session_id"], json.loads(chat.choices[0].message.content or "")


def test_every_reference_in_an_answer_can_be_fetched(client: VLMRun) -> None:
    kinds = ("img", "vid", "aud", "doc", "recon", "url")
    properties = {kind: {"type": "string", "pattern": rf"^{kind}_\w{{6}}$"} for kind in kinds}
    session, found = session_of(client, {"type": "object", "properties": properties, "required": list(kinds)})

    fetched = {kind: client.artifacts.get(object_id=found[kind], session_id=session) for kind in kinds}
    raw = client.artifacts.get(object_id=found["img"], session_id=session, raw_response=True)

    assert isinstance(fetched["img"], Image.Image)
    assert raw == picture(1)  # the input itself
    assert all(fetched[kind].exists() for kind in kinds[1:])
    assert {each.object_id for each in client.artifacts.list(session_id=session).items} >= set(found.values())


def test_an_uploaded_document_is_an_artifact_of_its_execution(client: VLMRun, tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.4 mine")
    file = client.files.upload(tmp_path / "a.pdf")
    execution = client.agent.execute(inputs={"file": {"type": "input_file", "file_id": file.id}})

    (item,) = client.artifacts.list(execution_id=execution.id).items

    assert (item.filename, item.source) == ("a.pdf", "manifest")
    assert client.artifacts.get(filename="a.pdf", execution_id=execution.id) == b"%PDF-1.4 mine"
    path = client.artifacts.get(object_id=item.object_id, execution_id=execution.id)
    assert path.read_bytes() == b"%PDF-1.4 mine"


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("object_id=img_000000", 400),
        ("session_id=a", 400),
        ("object_id=img_000000&session_id=a&execution_id=b", 400),
        ("object_id=img_000000&filename=a&session_id=a", 400),
        ("object_id=img_000000&session_id=none", 404),
    ],
)
def test_an_artifact_that_is_not_named_or_not_known(query: str, status: int, client: VLMRun) -> None:
    answer = httpx.get(f"{client.base_url}/artifacts?{query}", headers={"Authorization": "Bearer test"})

    assert answer.status_code == status


def test_feedback_is_given_and_read(client: VLMRun) -> None:
    prediction = client.document.generate(url="https://a.b/c.pdf", domain="document.invoice")

    given = client.feedback.submit(prediction.id, response={"total": 1}, notes="Wrong total")
    later = client.feedback.submit(prediction.id, notes="Thanks")

    items = client.feedback.get(prediction.id).items
    assert given.request_id == prediction.id
    assert [(each.id, each.notes) for each in items] == [(later.id, "Thanks"), (given.id, "Wrong total")]
    assert client.feedback.get(prediction.id, offset=1, limit=1).items == items[1:]
    assert client.feedback.get("pred_123").items == []
    with pytest.raises(ResourceNotFoundError):
        client.feedback.get("non_existent_id")


@pytest.mark.parametrize(
    "body",
    [{"notes": "x"}, {"request_id": "pred_1", "chat_id": "chat_1", "notes": "x"}, {"request_id": "pred_1"}],
    ids=["no id", "two ids", "nothing said"],
)
def test_feedback_without_a_subject_or_a_word_is_a_400(body: dict[str, str], client: VLMRun) -> None:
    answer = httpx.post(f"{client.base_url}/feedback/submit", json=body, headers={"Authorization": "Bearer test"})

    assert answer.status_code == 400


def test_datasets_are_kept_without_the_key_of_another_service(client: VLMRun, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "a.png").write_bytes(picture(1))

    dataset = client.datasets.create(
        "document.invoice", folder, "mine", "images", wandb_api_key="secret-of-wandb", wandb_project_name="p"
    )

    assert (dataset.dataset_name, dataset.status, dataset.wandb_project_name) == ("mine", "completed", "p")
    assert client.datasets.get(dataset.id) == dataset
    assert client.datasets.list() == [dataset]


def test_fine_tuning_goes_through_and_trains_nothing(client: VLMRun) -> None:
    tuning = client.fine_tuning
    job = tuning.create(model="vlm-1", training_file="file-1", suffix="mine", wandb_api_key="secret-of-wandb")

    prediction = tuning.generate(
        model="vlm-1:mine", images=["https://a.b/c.png"], config=GenerationConfig(prompt="x", json_schema=SCHEMA)
    )

    assert (job.status, job.suffix) == ("completed", "mine")
    assert tuning.list() == [job]
    assert tuning.get(job.id) == job
    assert tuning.list_models() == ["vlm-1:mine"]
    assert tuning.provision(model="vlm-1:mine").model == "vlm-1:mine"
    assert set(prediction.response) == {"vendor_name"}


def test_the_resume_agent_answers_as_its_domain_does(client: VLMRun) -> None:
    execution = client.executions.get(client.agent.execute(name="resume-analyzer", inputs=picture_input()).id)

    assert set(execution.response or {}) == set(answer_of("document.resume"))
