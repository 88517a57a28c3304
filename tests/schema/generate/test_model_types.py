"""A pydantic model reads the answer that is generated for its own schema, whatever types its fields have."""

from __future__ import annotations

import ipaddress
import json
import uuid
from pathlib import Path
from typing import Any

import pydantic
import pytest

from vlmrun_mock.schema.generate import generate
from vlmrun_mock.seed import Seed

TYPES: list[Any] = [
    pydantic.UUID1,
    pydantic.UUID3,
    pydantic.UUID4,
    pydantic.UUID5,
    uuid.UUID,
    pydantic.IPvAnyAddress,
    pydantic.IPvAnyInterface,
    pydantic.IPvAnyNetwork,
    ipaddress.IPv4Interface,
    ipaddress.IPv4Network,
    ipaddress.IPv6Interface,
    ipaddress.IPv6Network,
    pydantic.Base64Str,
    pydantic.Base64UrlStr,
    pydantic.Json[list[int]],
    pydantic.PostgresDsn,
    pydantic.ByteSize,
    pydantic.DirectoryPath,
    pydantic.NewPath,
    Path,
]
SERVICES: list[Any] = [pydantic.RedisDsn, pydantic.MongoDsn, pydantic.AmqpDsn, pydantic.FtpUrl, pydantic.WebsocketUrl]


def model_of(name: str, annotation: Any) -> type[pydantic.BaseModel]:
    fields: dict[str, Any] = {name: (annotation, ...)}
    return pydantic.create_model("Model", **fields)


def generated(model: type[pydantic.BaseModel]) -> str:
    return json.dumps(generate(model.model_json_schema(), seed=Seed(1)))


@pytest.mark.parametrize("annotation", TYPES, ids=str)
@pytest.mark.parametrize("name", ["value", "size", "id"])
def test_a_model_reads_its_generated_answer(annotation: Any, name: str) -> None:
    model = model_of(name, annotation)

    assert model.model_validate_json(generated(model))


@pytest.mark.parametrize("annotation", SERVICES, ids=lambda annotation: str(annotation.__name__))
def test_a_connection_has_the_scheme_of_the_service_that_its_name_speaks_of(annotation: Any) -> None:
    name = annotation.__name__.removesuffix("Dsn").removesuffix("Url").lower()
    model = model_of(f"{name}_url", annotation)

    assert model.model_validate_json(generated(model))


@pytest.mark.parametrize("name", ["password", "color", "file-path", "binary", "json-string", "name-email"])
def test_a_format_that_everybody_meets_is_still_followed(name: str) -> None:
    schema = {"properties": {"value": {"type": "string", "format": name}}}
    plain = {"properties": {"value": {"type": "string"}}}

    assert generate(schema, seed=Seed(1)) != generate(plain, seed=Seed(1))
