"""What users of OpenAI's Python SDK see when something goes wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.asking import INVOICE, ask, content
from tests.conftest import Serve
from tests.serving import RunningMock


@pytest.fixture
def client(served: RunningMock) -> openai.OpenAI:
    """Return the official SDK's client for the shared server."""
    return served.openai()


def test_a_key_that_is_not_accepted_is_an_authentication_error(serve: Serve) -> None:
    client = serve(api_keys=frozenset({"right"})).openai(api_key="wrong")

    with pytest.raises(openai.AuthenticationError, match="Invalid API key") as caught:
        client.chat.completions.create(model="vlm-1", messages=ask())

    assert (caught.value.status_code, caught.value.code) == (401, "invalid_api_key")
    assert "wrong" not in str(caught.value)


def test_an_unknown_domain_is_unprocessable_and_names_the_closest(client: openai.OpenAI) -> None:
    with pytest.raises(openai.UnprocessableEntityError, match=r"Unknown domain 'document\.invoce'") as caught:
        client.chat.completions.create(
            model="vlm-1", messages=ask(), extra_body={"vlmrun": {"domain": "document.invoce"}}
        )

    assert "document.invoice" in str(caught.value)
    assert (caught.value.status_code, caught.value.param) == (422, "vlmrun.domain")


def test_a_schema_that_nobody_can_meet_is_unprocessable(client: openai.OpenAI) -> None:
    impossible = {"type": "integer", "minimum": 2, "maximum": 1}
    schema: dict[str, object] = {"type": "object", "properties": {"a": impossible}, "required": ["a"]}

    with pytest.raises(openai.UnprocessableEntityError) as caught:
        client.chat.completions.create(
            model="vlm-1",
            messages=ask(),
            response_format={"type": "json_schema", "json_schema": {"name": "never", "schema": schema}},
        )

    assert caught.value.param == "response_format.json_schema.schema.properties.a.minimum"


def test_a_rejected_parameter_is_a_bad_request_that_names_it(serve: Serve) -> None:
    client = serve(unsupported="reject").openai()

    with pytest.raises(openai.BadRequestError, match="not supported") as caught:
        client.chat.completions.create(model="vlm-1", messages=ask(), extra_body=INVOICE, n=3)

    assert (caught.value.param, caught.value.code) == ("n", "unsupported_parameter")


def test_a_miss_in_strict_mode_is_not_found_and_explained(
    serve: Serve, write: Callable[[str, str | bytes], Path]
) -> None:
    folder = write("mine/receipt.json", '{"match": {"domain": "document.receipt"}, "answer": {"content": "x"}}').parent
    client = serve(strict=True, fixtures=(folder,)).openai()

    with pytest.raises(openai.NotFoundError, match=r"the domain is document\.invoice, not document\.receipt") as caught:
        client.chat.completions.create(model="vlm-1", messages=ask(), extra_body=INVOICE)

    error: Any = caught.value.body
    assert error["code"] == "no_fixture"
    assert [each["part"] for each in error["miss"]["differences"]] == ["domain"]


def test_a_base_url_without_openai_is_not_found_and_shows_the_right_path(served: RunningMock) -> None:
    client = openai.OpenAI(base_url=f"{served.url}/v1", api_key="test", max_retries=0)

    with pytest.raises(openai.NotFoundError, match="POST /v1/openai/chat/completions"):
        client.chat.completions.create(model="vlm-1", messages=ask())


@pytest.mark.parametrize(
    ("status", "exception"),
    [
        (400, openai.BadRequestError),
        (402, openai.APIStatusError),
        (403, openai.PermissionDeniedError),
        (409, openai.ConflictError),
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
        (504, openai.InternalServerError),
    ],
)
def test_a_scripted_error_is_the_exception_of_its_status(
    serve: Serve, write: Callable[[str, str | bytes], Path], status: int, exception: type[openai.APIStatusError]
) -> None:
    fixture = {"answer": {"error": {"status": status, "message": "No credits left"}}}
    client = serve(fixtures=(write("mine/error.json", json.dumps(fixture)).parent,)).openai()

    with pytest.raises(exception, match="No credits left") as caught:
        client.chat.completions.create(model="vlm-1", messages=ask(), extra_body=INVOICE)

    assert caught.value.status_code == status


def test_the_sdk_retries_after_a_scripted_rate_limit(serve: Serve, write: Callable[[str, str | bytes], Path]) -> None:
    limited = {"error": {"status": 429, "message": "Slow down", "headers": {"retry-after-ms": "1"}}}
    fixture = {"answers": [limited, limited, {"content": {"attempt": 3}}]}
    served = serve(fixtures=(write("mine/retry.json", json.dumps(fixture)).parent,))

    completion = served.openai().with_options(max_retries=2).chat.completions.create(model="vlm-1", messages=ask())

    assert content(completion) == {"attempt": 3}
    assert len(served.lines) == 3
