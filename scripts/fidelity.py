"""The fidelity map: what each route answers, where each fact comes from, and which test proves it.

tests/docs/test_fidelity.py sends the example of each row, and compares status and fields with the answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

Mark: TypeAlias = Literal["doc", "rec", "sdk", "ours"]

MARKS: Mapping[Mark, str] = {
    "doc": "stated by VLM Run's documentation, or by a client generated from its OpenAPI file",
    "rec": "printed by the real server in a published recording",
    "sdk": "what the official SDKs send and read",
    "ours": "documented nowhere: a decision of this project",
}
"""What each mark means."""

Fields: TypeAlias = Mapping[str, Mark]

URL = "https://example.com/a.pdf"
FILE_ID, PREDICTION_ID = "file-1", "prediction-1"
SCHEMA = {"type": "object", "properties": {"total": {"type": "number"}}}


def fields(**marked: str) -> Fields:
    """Return fields by their marks: each argument is a mark, with the names that have it."""
    return {name: mark for mark, names in marked.items() for name in names.split()}  # type: ignore[misc]  # they are marks


@dataclass(frozen=True, slots=True)
class Row:
    """One route: the status of its success and its mark, the fields of the answer, an example, and the test.

    `is_list`: the answer is a list of objects with these fields. `path` is that of the example, `files` what it
    uploads. Names in braces in the path and in the body stand for ids that an earlier row's answer had, by its route.
    """

    status: int
    mark: Mark
    test: str
    fields: Fields = field(default_factory=dict)
    body: Any = None
    path: str = ""
    is_list: bool = False
    needs_key: bool = True
    form: Mapping[str, tuple[str, bytes]] = field(default_factory=dict)
    content: bytes = b""


FILE = fields(doc="id filename bytes purpose created_at object public_url")
PREDICTION = fields(doc="id created_at completed_at status", rec="response domain usage")
EXECUTION = fields(doc="id name created_at completed_at response status usage", sdk="execution_mode")
AGENT = fields(
    doc="id name description prompt json_schema json_sample created_at updated_at status",
)
SKILL = fields(
    doc="id name description skill_version version skill_uri is_public created_at updated_at status",
)
SCHEMA_FIELDS = fields(doc="domain description schema_version schema_hash gql_stmt json_schema json_sample")
DATASET = fields(
    sdk="id dataset_type dataset_name domain file_id message wandb_base_url wandb_project_name wandb_url created_at "
    "completed_at status usage"
)
TRAINING = fields(
    sdk="id created_at completed_at status message model suffix wandb_base_url wandb_project_name wandb_url usage "
    "training_file"
)
COMPLETION = fields(doc="id object created model choices usage system_fingerprint")
DOMAIN = fields(sdk="domain name description")

PREDICTIONS = "tests/clients/test_vlmrun_predictions.py"
AGENTS = "tests/clients/test_vlmrun_agents.py"
CATALOG = "tests/web/test_catalog.py"
CONTROL = "tests/web/test_control_api.py"
FILES = "tests/web/test_files.py"

ROWS: Mapping[str, Row] = {
    "POST /v1/openai/chat/completions": Row(
        201,
        "doc",
        "tests/web/test_chat.py",
        COMPLETION,
        {"messages": [{"role": "user", "content": "Extract"}], "domain": "document.invoice"},
    ),
    "GET /v1/health": Row(200, "sdk", f"{CATALOG}::test_health_is_200_with_and_without_a_key", fields(ours="status")),
    "GET /v1/openai/health": Row(
        200, "doc", f"{CATALOG}::test_health_is_200_with_and_without_a_key", fields(ours="status")
    ),
    "GET /v1/experimental/health": Row(
        200, "doc", f"{CATALOG}::test_the_hub_and_health_need_no_key", fields(ours="status")
    ),
    "GET /v1/openai/models": Row(
        200, "doc", f"{CATALOG}::test_models_are_listed_as_openai_does", fields(doc="object data")
    ),
    "GET /v1/openai/models/{id}": Row(
        200,
        "ours",
        f"{CATALOG}::test_a_model_is_known_by_any_name_that_chat_takes",
        fields(doc="id object created owned_by"),
        path="/v1/openai/models/gpt-4o",
    ),
    "GET /v1/models": Row(
        200,
        "doc",
        f"{CATALOG}::test_the_documented_pairs_of_model_and_domain_are_listed",
        fields(doc="model domain"),
        is_list=True,
    ),
    "GET /v1/domains": Row(200, "sdk", f"{CATALOG}::test_domains_are_listed_with_a_description", DOMAIN, is_list=True),
    "GET /v1/hub/domains": Row(
        200, "sdk", f"{CATALOG}::test_hub_domains_are_those_of_the_installed_hub", DOMAIN, is_list=True
    ),
    "GET /v1/hub/info": Row(200, "sdk", f"{CATALOG}::test_the_hub_and_health_need_no_key", fields(sdk="version")),
    "POST /v1/schema": Row(
        200,
        "doc",
        f"{CATALOG}::test_a_schema_is_reduced_to_the_selected_fields",
        SCHEMA_FIELDS,
        {"domain": "document.invoice"},
    ),
    "POST /v1/hub/schema": Row(
        200,
        "sdk",
        f"{CATALOG}::test_a_schema_is_reduced_to_the_selected_fields",
        SCHEMA_FIELDS,
        {"domain": "document.invoice"},
    ),
    "POST /v1/files": Row(
        201, "doc", f"{FILES}::test_a_file_has_the_documented_fields", FILE, form={"file": ("a.pdf", b"%PDF-1.4 a")}
    ),
    "GET /v1/files": Row(200, "doc", f"{FILES}::test_files_are_listed_newest_first_in_pages", FILE, is_list=True),
    "GET /v1/files/{id}": Row(
        200, "doc", f"{FILES}::test_a_file_has_the_documented_fields", FILE, path=f"/v1/files/{FILE_ID}"
    ),
    "GET /v1/files/hash/{md5}": Row(
        200,
        "ours",
        f"{FILES}::test_equal_bytes_make_a_further_file_and_the_hash_finds_the_oldest",
        FILE,
        path="/v1/files/hash/{md5}",
    ),
    "POST /v1/files/presigned-url": Row(
        200,
        "sdk",
        f"{FILES}::test_bytes_that_were_announced_are_sent_without_a_key_and_verified",
        fields(sdk="id url filename content_type upload_method public_url created_at expiration method"),
        {"filename": "b.pdf"},
    ),
    "PUT /_mock/uploads/{id}/{filename}": Row(
        200,
        "sdk",
        f"{FILES}::test_bytes_that_were_announced_are_sent_without_a_key_and_verified",
        path="/_mock/uploads/{POST /v1/files/presigned-url}/b.pdf",
        content=b"%PDF-1.4 b",
        needs_key=False,
    ),
    "GET /v1/files/verify-upload/{id}": Row(
        200,
        "sdk",
        f"{FILES}::test_bytes_that_were_announced_are_sent_without_a_key_and_verified",
        FILE,
        path="/v1/files/verify-upload/{POST /v1/files/presigned-url}",
    ),
    "GET /_mock/files/{id}/{filename}": Row(
        200,
        "ours",
        f"{FILES}::test_the_public_url_gives_the_bytes_to_anyone_and_acts_as_no_page_of_the_mock",
        path=f"/_mock/files/{FILE_ID}/a.pdf",
        needs_key=False,
    ),
    **{
        f"POST /v1/{kind}/generate": Row(
            201,
            "doc",
            f"{PREDICTIONS}::{test}",
            PREDICTION,
            {"images": [URL], "domain": "document.invoice"} if kind == "image" else {"url": URL},
        )
        for kind, test in {
            "image": "test_a_picture_is_predicted_by_its_path_and_by_its_url",
            "document": "test_a_document_is_uploaded_predicted_and_paid_for_by_the_page",
            "audio": "test_media_are_transcribed_and_paid_for_by_the_segment",
            "video": "test_media_are_transcribed_and_paid_for_by_the_segment",
        }.items()
    },
    **{
        f"POST /v1/{kind}/execute": Row(
            201,
            "sdk",
            f"{PREDICTIONS}::test_a_name_is_executed_whether_it_is_known_or_not",
            PREDICTION,
            {"name": "mine", **({"images": [URL]} if kind == "image" else {"url": URL})},
        )
        for kind in ("image", "document", "audio", "video")
    },
    **{
        f"POST /v1/{kind}/schema": Row(
            201,
            "doc",
            f"{PREDICTIONS}::test_a_schema_is_made_up_for_a_document",
            PREDICTION,
            {"images": [URL]} if kind == "image" else {"url": URL},
        )
        for kind in ("image", "document", "audio", "video")
    },
    "POST /v1/schema/generate": Row(
        201, "doc", "tests/web/test_predictions.py::test_a_schema_and_embeddings_are_made", PREDICTION, {"url": URL}
    ),
    "POST /v1/web/generate": Row(
        200,
        "doc",
        "tests/web/test_predictions.py::test_a_page_of_the_web_is_predicted_at_once_with_200",
        PREDICTION,
        {"url": URL, "mode": "fast"},
    ),
    **{
        f"POST /v1/experimental/{kind}/embeddings": Row(
            201,
            "doc",
            "tests/web/test_predictions.py::test_a_schema_and_embeddings_are_made",
            PREDICTION,
            {"images": [URL]} if kind == "image" else {"url": URL},
        )
        for kind in ("image", "document")
    },
    "GET /v1/predictions": Row(
        200,
        "doc",
        "tests/web/test_predictions.py::test_predictions_are_listed_newest_first_and_belong_to_a_key",
        PREDICTION,
        is_list=True,
    ),
    "GET /v1/predictions/{id}": Row(
        200,
        "doc",
        f"{PREDICTIONS}::test_a_batch_is_pending_first_and_completed_when_it_is_read",
        PREDICTION,
        path=f"/v1/predictions/{PREDICTION_ID}",
    ),
    "GET /v1/response/{id}": Row(
        200,
        "doc",
        "tests/web/test_predictions.py::test_a_file_wins_over_a_url_that_is_none",
        PREDICTION,
        path=f"/v1/response/{PREDICTION_ID}",
    ),
    "POST /v1/feedback/submit": Row(
        200,
        "doc",
        f"{AGENTS}::test_feedback_is_given_and_read",
        fields(doc="id request_id created_at", sdk="agent_execution_id chat_id"),
        {"request_id": PREDICTION_ID, "notes": "Thanks"},
    ),
    "POST /v1/experimental/feedback/submit": Row(
        200,
        "sdk",
        "tests/clients/vlmrun.test.mjs",
        fields(doc="id request_id created_at", sdk="agent_execution_id chat_id"),
        {"request_id": PREDICTION_ID, "notes": "Thanks"},
    ),
    "GET /v1/feedback/{id}": Row(
        200,
        "sdk",
        f"{AGENTS}::test_feedback_is_given_and_read",
        fields(sdk="request_id agent_execution_id chat_id items"),
        path=f"/v1/feedback/{PREDICTION_ID}",
    ),
    "POST /v1/agent/create": Row(
        201,
        "doc",
        f"{AGENTS}::test_an_agent_is_created_and_executed_by_its_schema",
        fields(doc="id name created_at updated_at status"),
        {"name": "mine", "config": {"prompt": "Who sells?"}},
    ),
    "GET /v1/agent": Row(
        200,
        "doc",
        f"{AGENTS}::test_an_agent_is_there_from_the_start_and_found_by_name_id_and_prompt",
        AGENT,
        is_list=True,
    ),
    "POST /v1/agent/lookup": Row(
        200,
        "doc",
        f"{AGENTS}::test_an_agent_is_there_from_the_start_and_found_by_name_id_and_prompt",
        AGENT,
        {"name": "resume-analyzer"},
    ),
    "GET /v1/agent/lookup": Row(
        200,
        "sdk",
        f"{AGENTS}::test_n8n_looks_an_agent_up_by_a_get_with_a_body",
        AGENT,
        {"name": "resume-analyzer"},
    ),
    "GET /v1/agents/{id}": Row(
        200,
        "sdk",
        f"{AGENTS}::test_an_agent_is_there_from_the_start_and_found_by_name_id_and_prompt",
        AGENT,
        path="/v1/agents/{POST /v1/agent/create}",
    ),
    "POST /v1/agent/execute": Row(
        201,
        "doc",
        f"{AGENTS}::test_an_agent_is_created_and_executed_by_its_schema",
        EXECUTION,
        {"name": "mine", "inputs": {"file": {"type": "input_file", "file_id": FILE_ID}}},
    ),
    "GET /v1/agent/executions": Row(
        200, "doc", f"{AGENTS}::test_an_agent_is_created_and_executed_by_its_schema", EXECUTION, is_list=True
    ),
    "GET /v1/agent/executions/{id}": Row(
        200,
        "doc",
        f"{AGENTS}::test_an_agent_is_created_and_executed_by_its_schema",
        EXECUTION,
        path="/v1/agent/executions/{POST /v1/agent/execute}",
    ),
    "POST /v1/skills/create": Row(
        200,
        "ours",
        f"{AGENTS}::test_a_skill_is_created_updated_and_downloaded",
        SKILL,
        {"prompt": "Find the total", "json_schema": SCHEMA, "name": "total"},
    ),
    "GET /v1/skills": Row(
        200, "doc", f"{AGENTS}::test_a_public_skill_is_listed_and_found_by_name_and_id", SKILL, is_list=True
    ),
    "POST /v1/skills/lookup": Row(
        200,
        "doc",
        f"{AGENTS}::test_a_public_skill_is_listed_and_found_by_name_and_id",
        SKILL,
        {"name": "invoice-extraction"},
    ),
    "GET /v1/skills/{id}": Row(
        200,
        "doc",
        f"{AGENTS}::test_a_public_skill_is_listed_and_found_by_name_and_id",
        SKILL,
        path="/v1/skills/invoice-extraction",
    ),
    "POST /v1/skills/{id}/update": Row(
        200,
        "doc",
        f"{AGENTS}::test_a_skill_is_created_updated_and_downloaded",
        SKILL,
        {"description": "Finds it"},
        path="/v1/skills/total/update",
    ),
    "GET /v1/skills/{id}/download": Row(
        200,
        "sdk",
        f"{AGENTS}::test_a_skill_is_created_updated_and_downloaded",
        fields(sdk="download_url expires_in"),
        path="/v1/skills/total/download",
    ),
    "GET /_mock/skills/{id}/{filename}": Row(
        200,
        "ours",
        f"{AGENTS}::test_a_skill_is_created_updated_and_downloaded",
        path="/_mock/skills/{POST /v1/skills/create}/total.zip",
        needs_key=False,
    ),
    "GET /v1/artifacts/list": Row(
        200,
        "sdk",
        f"{AGENTS}::test_an_uploaded_document_is_an_artifact_of_its_execution",
        fields(sdk="namespace_id items"),
        path="/v1/artifacts/list?execution_id={POST /v1/agent/execute}",
    ),
    "GET /v1/artifacts": Row(
        200,
        "sdk",
        f"{AGENTS}::test_every_reference_in_an_answer_can_be_fetched",
        path="/v1/artifacts?execution_id={POST /v1/agent/execute}&filename=a.pdf",
    ),
    "GET /_mock/artifacts/sample.png": Row(
        200, "ours", f"{AGENTS}::test_every_reference_in_an_answer_can_be_fetched", needs_key=False
    ),
    "POST /v1/datasets/create": Row(
        200,
        "sdk",
        f"{AGENTS}::test_datasets_are_kept_without_the_key_of_another_service",
        DATASET,
        {"dataset_type": "images", "dataset_name": "mine", "domain": "document.invoice"},
    ),
    "GET /v1/datasets": Row(
        200, "sdk", f"{AGENTS}::test_datasets_are_kept_without_the_key_of_another_service", DATASET, is_list=True
    ),
    "GET /v1/datasets/{id}": Row(
        200,
        "sdk",
        f"{AGENTS}::test_datasets_are_kept_without_the_key_of_another_service",
        DATASET,
        path="/v1/datasets/{POST /v1/datasets/create}",
    ),
    "POST /v1/fine_tuning/create": Row(
        200,
        "sdk",
        f"{AGENTS}::test_fine_tuning_goes_through_and_trains_nothing",
        TRAINING,
        {"model": "vlm-1", "training_file": "file-1"},
    ),
    "GET /v1/fine_tuning/jobs": Row(
        200, "sdk", f"{AGENTS}::test_fine_tuning_goes_through_and_trains_nothing", TRAINING, is_list=True
    ),
    "GET /v1/fine_tuning/jobs/{id}": Row(
        200,
        "sdk",
        f"{AGENTS}::test_fine_tuning_goes_through_and_trains_nothing",
        TRAINING,
        path="/v1/fine_tuning/jobs/{POST /v1/fine_tuning/create}",
    ),
    "GET /v1/fine_tuning/models": Row(200, "sdk", f"{AGENTS}::test_fine_tuning_goes_through_and_trains_nothing"),
    "POST /v1/fine_tuning/provision": Row(
        200,
        "sdk",
        f"{AGENTS}::test_fine_tuning_goes_through_and_trains_nothing",
        fields(sdk="id created_at completed_at model message"),
        {"model": "vlm-1"},
    ),
    "POST /v1/fine_tuning/generate": Row(
        200,
        "sdk",
        f"{AGENTS}::test_fine_tuning_goes_through_and_trains_nothing",
        PREDICTION,
        {"model": "mine", "images": [URL], "config": {"prompt": "x", "json_schema": SCHEMA}},
    ),
    "DELETE /v1/files/{id}": Row(
        200, "sdk", f"{FILES}::test_a_deleted_file_is_gone", FILE, path=f"/v1/files/{FILE_ID}"
    ),
}
"""What each route of the API answers, in an order in which the examples can be sent."""

MOCKS_OWN = ("GET /", "GET /_mock", "POST /_mock/", "DELETE /_mock/")
"""How the routes begin that stand for nothing of the real API; those in ROWS excepted."""

STATUSES: Sequence[tuple[int, str, Mark]] = (
    (400, "invalid, or cannot be processed", "doc"),
    (401, "no key, or a wrong one", "doc"),
    (402, "the account has consumed its credits: by a fixture or a fault alone", "doc"),
    (403, "refused: a host or a web page that is not let in", "ours"),
    (404, "no such resource", "doc"),
    (405, "another method is needed", "ours"),
    (409, "the inspector cannot do this as things are", "ours"),
    (413, "a body that is too large", "ours"),
    (422, "FastAPI's list of problems", "doc"),
    (429, "too many requests: with `--rate-limit`, or by a fault", "doc"),
    (500, "a server error: by a fixture or a fault", "doc"),
    (502, "while recording, the upstream gave no whole answer", "ours"),
    (503, "the server stops", "ours"),
    (504, "an upstream timeout", "doc"),
)
"""The statuses of errors, when they come, and where that is from."""
