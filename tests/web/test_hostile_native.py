"""Whatever is sent to the native routes, the answer is an error in the API's own shape, and never a defect."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from scripts.fidelity import ROWS
from tests.conftest import Serve

POSTS = {route: row for route, row in ROWS.items() if route.startswith("POST ") and not row.form}

KEYS = [
    "images",
    "image",
    "file_id",
    "url",
    "domain",
    "model",
    "batch",
    "config",
    "metadata",
    "callback_url",
    "json_schema",
    "name",
    "version",
    "videos",
    "inputs",
    "file_ids",
    "urls",
    "prompt",
    "session_id",
    "request_id",
    "response",
    "dataset_type",
    "training_file",
    "filename",
    "purpose",
    "messages",
    "tools",
    "tool_choice",
    "functions",
    "stream",
    "stream_options",
    "skills",
    "response_format",
    "vlmrun",
]
INNER = [
    "prompt",
    "detail",
    "json_schema",
    "gql_stmt",
    "grounding",
    "skills",
    "service_tier",
    "page_indices",
    "mode",
    "domain",
    "config",
]

ODD: tuple[Any, ...] = (
    None,
    True,
    -1,
    1e300,
    "",
    "\ud83d",
    "\x98",
    ["\x98}"],
    "a" * 5_000,
    [],
    {},
    [None],
    {"type": "text", "text": 5},
    {"type": "image_url", "image_url": {"url": "data:x"}},
    {"type": "object", "properties": {"a": {"$ref": "#/x"}}},
    [{"type": "inline", "source": {"data": "UEsDBA=="}}],
    [{"skill_id": 5}],
    "https://[x",
)

RAW = (b"", b"[]", b"null", b"\xff", b"{", b'"x"', b"{" * 5_000)


@pytest.mark.parametrize("route", POSTS)
def test_an_odd_body_is_never_a_defect(route: str, serve: Serve, pytestconfig: pytest.Config) -> None:
    """In a campaign there are twice as many odd bodies for each route, and more."""
    served, drawn = serve(), random.Random(route)
    count = 2 if pytestconfig.getoption("campaign") else 1
    path, base = route.removeprefix("POST ").replace("{id}", "some-id"), POSTS[route].body or {}
    bodies = [{**base, key: value} for key in KEYS for value in drawn.sample(ODD, count)]
    outers = ("config", "vlmrun", "inputs")
    bodies += [
        {**base, outer: {key: drawn.choice(ODD)}} for key in INNER for outer in drawn.sample(outers, 2 * count - 1)
    ]

    answers = [served.http.post(path, content=json.dumps(body).encode()) for body in bodies]
    answers += [served.http.post(path, content=raw) for raw in RAW]

    assert [answer.text for answer in answers if answer.status_code >= 500] == []
    assert all("detail" in answer.json() for answer in answers if answer.status_code >= 400)
