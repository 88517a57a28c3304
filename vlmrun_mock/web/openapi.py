"""The routes as OpenAPI 3.1, written from the models that check what is sent."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import msgspec
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from vlmrun_mock import __version__
from vlmrun_mock.api import native_bodies
from vlmrun_mock.api.bodies import ChatBody, SchemaBody
from vlmrun_mock.fixtures.bodies import FixtureBody
from vlmrun_mock.mock.fault_format import FaultBody
from vlmrun_mock.web.control_parser import FileSeed, PageBody, PredictionSeed, QueryBody
from vlmrun_mock.web.inspector.bodies import DraftBody, SavedBody
from vlmrun_mock.web.inspector.inspection import PAGE

CHAT, CONTROL = "chat.", "control."
"""The prefixes of the names of components: both sides have a message and a config."""

KINDS = ("image", "document", "audio", "video")

REF = "#/components/schemas/"

Schema = Mapping[str, Any]

OBJECT: Schema = {"type": "object"}
ERROR: Schema = {
    "type": "object",
    "required": ["detail"],
    "properties": {
        "detail": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"$ref": f"{REF}problem"}}]},
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "param": {"type": ["string", "null"]},
                "code": {"type": "string"},
            },
        },
    },
}
PROBLEM: Schema = {
    "type": "object",
    "required": ["type", "loc", "msg"],
    "properties": {
        "type": {"type": "string"},
        "loc": {"type": "array", "items": {"type": ["string", "integer"]}},
        "msg": {"type": "string"},
    },
}


@dataclass(frozen=True, slots=True)
class Operation:
    """What a method of a route takes and answers: `status` with `answer`, or one of `errors`.

    It answers any other error that a fixture or a fault asks for if `scripted`. `parameters` is the model of its query.
    `body` is the component that its body is; it may be a list if `several`.
    """

    method: str
    path: str
    summary: str
    answer: Schema = field(default_factory=lambda: OBJECT)
    status: Sequence[int] = (200,)
    errors: Sequence[int] = (400, 401)
    parameters: type[QueryBody] | None = None
    body: str = ""
    several: bool = False
    scripted: bool = False
    form: bool = False


def _listing(name: str, **others: str) -> Schema:
    """Return the schema of an object with a list under a name, and numbers under others."""
    properties = {name: {"type": "array"}, **{other: {"type": kind} for other, kind in others.items()}}
    return {"type": "object", "required": list(properties), "properties": properties}


def _seeding(path: str, summary: str, name: str, body: str) -> Operation:
    """Return what takes one or several things to keep, and lists them."""
    return Operation("post", path, summary, _listing(name), (201,), UNREADABLE, body=CONTROL + body, several=True)


BYTES: Schema = {"type": "string", "format": "binary"}
FORM: Schema = {"type": "object", "required": ["file"], "properties": {"file": BYTES}}
DELETED: Schema = {"type": "object", "required": ["deleted"], "properties": {"deleted": {"type": "integer"}}}
UNREADABLE = (400, 401, 413, 422)

NATIVE: Sequence[tuple[str, str, str]] = (
    *((f"/v1/{kind}/generate", f"A prediction for {kind}s", "PredictionBody") for kind in KINDS),
    *((f"/v1/{kind}/execute", "A prediction by a name", "PredictionBody") for kind in KINDS),
    *((f"/v1/{kind}/schema", "A schema for a document", "PredictionBody") for kind in KINDS),
    ("/v1/schema/generate", "A schema for a document", "PredictionBody"),
    ("/v1/web/generate", "A prediction for a page of the web", "PredictionBody"),
    *((f"/v1/experimental/{kind}/embeddings", "Embeddings", "PredictionBody") for kind in ("image", "document")),
    ("/v1/fine_tuning/generate", "A prediction of a trained model", "PredictionBody"),
    ("/v1/agent/execute", "An execution of an agent", "ExecutionBody"),
    ("/v1/agent/lookup", "An agent", "LookupBody"),
    ("/v1/agent/create", "A new agent", "AgentBody"),
    ("/v1/skills/lookup", "A skill", "LookupBody"),
    ("/v1/skills/create", "A new skill", "SkillBody"),
    ("/v1/skills/{id}/update", "A new version of a skill", "SkillBody"),
    ("/v1/feedback/submit", "Feedback", "FeedbackBody"),
    ("/v1/experimental/feedback/submit", "Feedback", "FeedbackBody"),
    ("/v1/files/presigned-url", "An address for an upload", "PresignedUrlBody"),
    ("/v1/datasets/create", "A new dataset", "DatasetBody"),
    ("/v1/fine_tuning/create", "A new training", "TrainingBody"),
    ("/v1/fine_tuning/provision", "A trained model, made ready", "ProvisionBody"),
)
"""The routes of the native API that take a body: path, summary, component."""

OPERATIONS: Sequence[Operation] = (
    Operation(
        "post",
        "/v1/openai/chat/completions",
        "A chat completion",
        status=(200, 201),
        errors=(*UNREADABLE, 404, 429, 502, 503, 504),
        body=f"{CHAT}ChatBody",
        scripted=True,
    ),
    Operation("post", "/v1/schema", "A domain's schema", errors=(*UNREADABLE, 404), body=f"{CHAT}SchemaBody"),
    Operation("post", "/v1/hub/schema", "A domain's schema", errors=(*UNREADABLE, 404), body=f"{CHAT}SchemaBody"),
    *(
        Operation(
            "post", path, summary, status=(200, 201), errors=(*UNREADABLE, 404, 429), body=CHAT + body, scripted=True
        )
        for path, summary, body in NATIVE
    ),
    Operation("post", "/v1/files", "An upload, as a form", status=(201,), errors=UNREADABLE, form=True, scripted=True),
    Operation("get", "/_mock/files/{id}/{filename}", "A file's bytes", BYTES, errors=(404,)),
    Operation("put", "/_mock/uploads/{id}/{filename}", "Takes a file's bytes", errors=(400, 404, 413)),
    Operation("get", "/_mock/skills/{id}/{filename}", "A skill's bundle", BYTES, errors=(404,)),
    Operation("get", "/_mock/artifacts/sample.png", "A picture", BYTES),
    Operation("get", "/_mock/health", "The mock's own health"),
    Operation("get", "/_mock/openapi.json", "This document"),
    Operation(
        "get",
        "/_mock/requests",
        "The journal",
        _listing("requests", total="integer", dropped="integer"),
        errors=(401, 422),
        parameters=PageBody,
    ),
    Operation(
        "delete", "/_mock/requests", "Forgets entries of the journal", DELETED, errors=(401, 422), parameters=QueryBody
    ),
    Operation("get", "/_mock/fixtures", "The fixtures before the packaged ones", _listing("fixtures")),
    Operation(
        "post",
        "/_mock/fixtures",
        "Registers fixtures",
        _listing("fixtures"),
        (201,),
        UNREADABLE,
        body=f"{CONTROL}FixtureBody",
        several=True,
    ),
    Operation("delete", "/_mock/fixtures", "Drops the registered fixtures", DELETED),
    Operation("get", "/_mock/faults", "The armed faults", _listing("faults")),
    Operation(
        "post",
        "/_mock/faults",
        "Arms faults",
        _listing("faults"),
        (201,),
        UNREADABLE,
        body=f"{CONTROL}FaultBody",
        several=True,
    ),
    Operation("delete", "/_mock/faults", "Disarms all faults", DELETED),
    Operation("post", "/_mock/reset", "Goes back to how the server was started"),
    Operation("get", "/_mock/verdict", "The verdict on the client"),
    Operation("get", "/_mock/webhooks", "The webhooks that were due", _listing("webhooks")),
    Operation("get", "/_mock/files", "The uploaded files", _listing("files")),
    _seeding("/_mock/files", "Keeps files", "files", "FileSeed"),
    Operation("get", "/_mock/predictions", "The predictions", _listing("predictions")),
    _seeding("/_mock/predictions", "Keeps predictions", "predictions", "PredictionSeed"),
    Operation("get", f"{PAGE}files/{{name}}", "A file of the inspector's page", BYTES, errors=(404,)),
    Operation("get", f"{PAGE}requests", "The lines of the page's list", _listing("requests", total="integer")),
    Operation("get", f"{PAGE}requests/{{id}}", "All that the page shows of a request", errors=(401, 404)),
    Operation(
        "get",
        f"{PAGE}requests/{{id}}/documents/{{number}}",
        "A document of a request as a picture",
        BYTES,
        errors=(401, 404, 422),
    ),
    Operation("get", f"{PAGE}events", "What happens, as server-sent events", BYTES, errors=(401, 409)),
    Operation("get", f"{PAGE}state", "The state at a glance"),
    Operation("get", f"{PAGE}domains/{{name}}", "A domain, its packaged answer and its schema", errors=(401, 404)),
    Operation(
        "get", f"{PAGE}domains/{{name}}/printed", "The first page of a printed document", BYTES, errors=(401, 404)
    ),
    Operation(
        "post",
        f"{PAGE}check",
        "Says what is wrong with a fixture",
        errors=(*UNREADABLE, 404, 409),
        body=f"{CONTROL}DraftBody",
    ),
    Operation("post", f"{PAGE}skeleton", "A fixture to begin with for a document", errors=UNREADABLE),
    Operation(
        "post",
        f"{PAGE}fixtures",
        "Writes a fixture into the first folder",
        status=(201,),
        errors=(*UNREADABLE, 404, 409),
        body=f"{CONTROL}SavedBody",
    ),
)
"""What clients in other languages ask."""


@lru_cache(maxsize=1)
def document() -> bytes:
    """Return the document as JSON."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = _described(operation)
    whole = {
        "openapi": "3.1.0",
        "info": {
            "title": "vlmrun-mock",
            "version": __version__,
            "description": "The control API of the mock, and the routes of VLM Run's API that take a body.",
        },
        "security": [{"key": []}, {}],
        "paths": paths,
        "components": {
            "schemas": {**_components(), "error": ERROR, "problem": PROBLEM},
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }
    return json.dumps(whole, ensure_ascii=False).encode()


def _described(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {"summary": operation.summary, "responses": {}}
    media_type = "*/*" if operation.answer is BYTES else "application/json"
    for status in operation.status:
        described["responses"][str(status)] = _response("The answer", operation.answer, media_type)
    for status in operation.errors:
        described["responses"][str(status)] = _response("An error", {"$ref": f"{REF}error"})
    for statuses in ("4XX", "5XX") if operation.scripted else ():
        described["responses"][statuses] = {"description": "An error that a fixture or a fault asks for"}
    if operation.parameters:
        properties = operation.parameters.model_json_schema()["properties"]
        described["parameters"] = [
            {"name": name, "in": "query", "schema": _without_null(schema)} for name, schema in properties.items()
        ]
    if operation.body:
        one: Schema = {"$ref": REF + operation.body}
        either = {"anyOf": [one, {"type": "array", "items": one}]} if operation.several else one
        described["requestBody"] = {"required": True, "content": {"application/json": {"schema": either}}}
    if operation.form:
        described["requestBody"] = {"required": True, "content": {"multipart/form-data": {"schema": FORM}}}
    places = re.findall(r"{(\w+)}", operation.path)
    if places:
        described["parameters"] = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in places
        ]
    return described


def _response(description: str, schema: Schema, media_type: str = "application/json") -> dict[str, Any]:
    return {"description": description, "content": {media_type: {"schema": schema}}}


def _without_null(schema: Schema) -> Schema:
    """Return the schema of a parameter, which is left out rather than null."""
    options = [option for option in schema.get("anyOf", ()) if option != {"type": "null"}]
    return options[0] if len(options) == 1 else {key: value for key, value in schema.items() if key != "title"}


def _components() -> dict[str, Any]:
    """Return the schemas of the models, and of all that they refer to."""
    bodies = [ChatBody, SchemaBody, *(getattr(native_bodies, name) for name in sorted({each for *_, each in NATIVE}))]
    _, chat = msgspec.json.schema_components(bodies, ref_template=REF + CHAT + "{name}")
    template = REF + CONTROL + "{model}"
    models: list[type[BaseModel]] = [FixtureBody, FaultBody, FileSeed, PredictionSeed, DraftBody, SavedBody]
    _, control = models_json_schema([(model, "validation") for model in models], ref_template=template)
    named = {CHAT + name: schema for name, schema in chat.items()}
    return named | {CONTROL + name: schema for name, schema in control["$defs"].items()}
