"""The JSON bodies of the native routes, as typed structs."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from vlmrun_mock.api.bodies import ConfigBody, Items, MetadataBody
from vlmrun_mock.api.errors import InvalidRequest, Problem

Purpose = Literal[
    "assistants",
    "batch",
    "fine-tune",
    "vision",
    "datasets",
    "assistants_output",
    "batch_output",
    "fine-tune-results",
]


class PresignedUrlBody(Struct):
    """The body of `POST /v1/files/presigned-url`."""

    filename: str
    purpose: Purpose | None = None
    expiration: int | None = None


class GenerationConfigBody(ConfigBody):
    """The keys of a prediction's `config`; those that a chat has no use for are checked and have no effect here."""

    response_model: Any = None
    max_retries: int | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    keyframes: bool | None = None
    video_segment_duration: float | None = None
    video_frames_per_segment: int | None = None
    page_indices: list[int] | None = None
    service_tier: Literal["auto", "default", "standard", "flex", "priority"] | None = None
    skills: list[dict[str, Any]] | None = None


class PredictionBody(Struct):
    """The body of `POST /v1/{kind}/generate` and its kin, with the spellings of 2024 at the top.

    `name` and `version` are those of `execute`, `mode` is that of `web`.
    """

    images: Items[str] | None = None
    image: str | None = None
    file_id: str | None = None
    url: str | None = None
    domain: str | None = None
    model: Literal["vlm-1"] | None = None
    batch: bool | None = None
    config: GenerationConfigBody | None = None
    metadata: MetadataBody | None = None
    callback_url: str | None = None
    id: str | None = None
    created_at: str | None = None
    detail: Literal["auto", "lo", "hi"] | None = None
    json_schema: dict[str, Any] | None = None
    name: str | None = None
    version: str | None = None
    mode: Literal["fast", "accurate"] | None = None
    videos: Items[str] | None = None


class TunedBody(PredictionBody):
    """The body of `POST /v1/fine_tuning/generate`."""

    model: str | None = None  # type: ignore[assignment]  # any name, where others have one


class AgentConfigBody(Struct):
    """The `config` of an agent or of an execution."""

    prompt: str | None = None
    json_schema: dict[str, Any] | None = None
    skills: list[dict[str, Any]] | None = None
    service_tier: Literal["auto", "default", "standard", "flex", "priority"] | None = None
    orchestration_mode: bool | None = None
    mode: Literal["agent", "program"] | None = None


class AgentBody(Struct):
    """The body of `POST /v1/agent/create`."""

    config: AgentConfigBody
    name: str | None = None
    inputs: Any = None
    callback_url: str | None = None


class LookupBody(Struct):
    """The body of `POST /v1/agent/lookup` and `POST /v1/skills/lookup`."""

    id: str | None = None
    name: str | None = None
    prompt: str | None = None
    skill_version: str | None = None
    version: str | None = None


class ExecutionBody(Struct):
    """The body of `POST /v1/agent/execute`, with the older spelling of its documents."""

    model: str | None = None
    name: str | None = None
    version: str | None = None
    batch: bool | None = None
    inputs: Any = None
    config: AgentConfigBody | None = None
    metadata: MetadataBody | None = None
    callback_url: str | None = None
    toolsets: list[str] | None = None
    file_ids: Items[str] | None = None
    urls: Items[str] | None = None


class SkillBody(Struct):
    """The body of `POST /v1/skills/create` and `POST /v1/skills/{id}/update`."""

    file_id: str | None = None
    prompt: str | None = None
    session_id: str | None = None
    json_schema: dict[str, Any] | None = None
    name: str | None = None
    description: str | None = None
    is_public: bool | None = None


class FeedbackBody(Struct):
    """The body of `POST /v1/feedback/submit`."""

    request_id: str | None = None
    agent_execution_id: str | None = None
    chat_id: str | None = None
    response: dict[str, Any] | None = None
    notes: str | None = None


class DatasetBody(Struct):
    """The body of `POST /v1/datasets/create`."""

    dataset_type: Literal["images", "videos", "documents"]
    dataset_name: str
    domain: str
    file_id: str | None = None
    wandb_base_url: str | None = None
    wandb_project_name: str | None = None


class TrainingBody(Struct):
    """The body of `POST /v1/fine_tuning/create`."""

    model: str
    training_file: str
    suffix: str | None = None


class ProvisionBody(Struct):
    """The body of `POST /v1/fine_tuning/provision`."""

    model: str


def callback(url: str | None) -> str | None:
    """Return the `callback_url` of a body; raises InvalidRequest for an empty one."""
    if url == "":
        raise InvalidRequest([Problem(("body", "callback_url"), "The URL of a webhook should not be empty")])
    return url
