"""Whatever a client sends gets a complete answer in the API's shape: no 5xx, no traceback, no cut connection."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.types import ASGIApp

from tests.samples import SAMPLES, SCHEMA
from tests.serving import CHAT, RunningMock, data_url, image_message, picture
from tests.shape import KEY, checked, post
from vlmrun_mock.mock.scopes import Scopes
from vlmrun_mock.web.app import application

VARIED = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))
"""A busy machine is slow, and nothing is left in the working directory."""

NUMBERS = st.integers() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | NUMBERS | st.text(max_size=20)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)

ODD: Sequence[Any] = (
    *(None, True, False, 0, -1, 1, 1.5, 10**30, -(10**300), 1e308, 5e-324),
    *("", " ", "\x00", "\ufffe", "\u202e", "😀", "a" * 5_000, "0", "null", "{", "}", "#", "..", "-"),
    *("data:", "data:,", "data:;base64,", "data:image/png;base64,AAAA", "data:image/png;base64,!", "data:,%"),
    *("file:///etc/passwd", "http://", "https://a", "http://[::1", "https://a.b/\n", data_url(picture())),
    *("document.invoice", "document.markdown", "custom.slip", "{ a }", "{ invoice_id items { quantity } }"),
    *("text", "image_url", "input_file", "json_schema", "json_object", "user", "hi", "dev"),
    *([], {}, [[]], [{}], {"": None}, [None], {"type": "text"}, {"url": 5}, {"$ref": "#"}, SCHEMA),
)
ANYTHING = st.sampled_from(ODD) | VALUES

SCALAR_KEYWORDS = (
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength"),
    *("minItems", "maxItems", "minContains", "maxContains", "minProperties", "maxProperties", "uniqueItems"),
)
TEXT_KEYWORDS = ("pattern", "format", "$ref", "$id", "$anchor", "$schema", "$dynamicRef", "title", "contentEncoding")
SCHEMA_KEYWORDS = (
    *("items", "additionalProperties", "contains", "not", "if", "then", "else", "propertyNames"),
    *("unevaluatedProperties", "unevaluatedItems", "additionalItems"),
)
LIST_KEYWORDS = ("anyOf", "oneOf", "allOf", "prefixItems")
MAP_KEYWORDS = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
TYPES = ("object", "array", "string", "integer", "number", "boolean", "null")
TEXTS = ("^a+$", "(", "[a-z]{3}", "date", "date-time", "uri", "#", "#/$defs/a", "#a", "http://x.invalid/", "", "\\d{9}")


def _schema_of(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return schemas that look right at most places, around schemas."""
    names = st.sampled_from(("a", "b", "total", "vendor_name", ""))
    small = st.integers(-2, 8) | st.sampled_from((0.5, 1e-9, 10**20))
    keywords: dict[str, st.SearchStrategy[Any]] = {
        "type": st.sampled_from(TYPES) | st.lists(st.sampled_from(TYPES), max_size=3),
        "required": st.lists(names, max_size=3),
        "enum": st.lists(SCALARS, max_size=3),
        "const": VALUES,
        "dependentRequired": st.dictionaries(names, st.lists(names, max_size=2), max_size=2),
        **dict.fromkeys(SCALAR_KEYWORDS, small),
        **dict.fromkeys(TEXT_KEYWORDS, st.sampled_from(TEXTS)),
        **dict.fromkeys(SCHEMA_KEYWORDS, inner),
        **dict.fromkeys(LIST_KEYWORDS, st.lists(inner, min_size=1, max_size=3)),
        **dict.fromkeys(MAP_KEYWORDS, st.dictionaries(names, inner, max_size=3)),
    }
    chosen = st.lists(st.sampled_from(sorted(keywords)), max_size=4, unique=True)
    return chosen.flatmap(lambda names: st.fixed_dictionaries({name: keywords[name] for name in names}))


SCHEMAS: st.SearchStrategy[Any] = st.recursive(
    st.booleans() | st.just({}) | _schema_of(st.just({})), _schema_of, max_leaves=6
)

FULL: Mapping[str, Any] = {
    "model": "vlm-1",
    "messages": [
        {"role": "system", "content": "You read documents."},
        {"role": "user", "content": [*image_message(picture())[0]["content"], {"type": "input_file", "file_id": "f"}]},  # type: ignore[misc]  # a list of parts
    ],
    "vlmrun": {
        "domain": "document.invoice",
        "json_schema": None,
        "config": {"prompt": "p", "detail": "auto", "json_schema": None, "gql_stmt": None, "grounding": True},
        "metadata": {"environment": "dev", "session_id": None, "allow_training": True},
    },
    "response_format": {"type": "json_schema", "json_schema": {"name": "A", "schema": SCHEMA, "strict": True}},
    "metadata": {"environment": "dev"},
    **dict.fromkeys(("domain", "schema", "json_schema", "id", "max_tokens", "n", "temperature", "top_p", "top_k")),
    **dict.fromkeys(("logprobs", "top_logprobs", "logit_bias", "presence_penalty", "frequency_penalty", "stop")),
    "stream": False,
    "tools": [],
}
"""A valid request with every field that is looked at."""

Step = str | int
Path_ = tuple[Step, ...]


def places(value: Any, place: Path_ = ()) -> Iterator[Path_]:
    """Yield the path of everything in a JSON value."""
    for key in keys(value):
        yield (*place, key)
        yield from places(value[key], (*place, key))


def keys(value: Any) -> Sequence[Step]:
    """Return what the children of a JSON value are found by."""
    return list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()


def put(body: Any, place: Path_, value: Any) -> None:
    """Put a value at a place, as far as it still exists."""
    *way, last = place
    for step in way:
        if step not in keys(body):
            return
        body = body[step]
    if isinstance(body, dict) or last in keys(body):
        body[last] = value


METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS")
PLACES = st.sampled_from(sorted(places(FULL), key=str))
SCHEMA_PLACES = st.sampled_from(
    [
        ("vlmrun", "config", "json_schema"),
        ("vlmrun", "json_schema"),
        ("schema",),
        ("response_format", "json_schema", "schema"),
    ]
)


@pytest.fixture(scope="module")
def app() -> ASGIApp:
    """Return an application without a server."""
    return application(Scopes())


EVERY_PLACE = sorted(places(FULL), key=str)


@pytest.mark.parametrize("place", EVERY_PLACE, ids=lambda place: ".".join(map(str, place)))
def test_every_odd_value_at_every_place_gets_an_answer(place: Path_, app: ASGIApp, pytestconfig: pytest.Config) -> None:
    """Each value is tried at each place in a campaign, otherwise at every third one."""
    third = slice(EVERY_PLACE.index(place) % 3, None, 3)
    values = ODD if pytestconfig.getoption("campaign") else ODD[third]
    bodies = [copy.deepcopy(dict(FULL)) for _ in values]
    for body, value in zip(bodies, values, strict=True):
        put(body, place, value)

    responses = asyncio.run(asked_within(app, bodies))

    assert {checked(response) for response in responses} <= {201, 422}


async def asked_within(app: ASGIApp, bodies: Sequence[Any]) -> list[httpx.Response]:
    """Ask an application without a server between, so that what it raises is raised here."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://mock") as client:
        key = {"X-Api-Key": KEY}
        return [await client.post(CHAT, content=json.dumps(body).encode(), headers=key) for body in bodies]


def test_the_request_that_is_varied_here_is_valid_itself(served: RunningMock) -> None:
    assert post(served, json.dumps(FULL).encode()) == 201


@VARIED
@given(value=VALUES)
def test_any_json_value_gets_an_answer(value: Any, served: RunningMock) -> None:
    post(served, json.dumps(value).encode())


@VARIED
@given(raw=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_get_an_answer(raw: bytes, served: RunningMock) -> None:
    post(served, raw)


@VARIED
@given(changes=st.lists(st.tuples(PLACES, ANYTHING), min_size=1, max_size=3))
def test_a_request_with_anything_anywhere_gets_an_answer(changes: list[tuple[Path_, Any]], served: RunningMock) -> None:
    body = copy.deepcopy(dict(FULL))
    for place, value in changes:
        put(body, place, value)

    post(served, json.dumps(body).encode())


@VARIED
@given(place=SCHEMA_PLACES, schema=SCHEMAS, domain=st.sampled_from(("document.invoice", "custom.slip", None)))
def test_any_schema_in_any_spelling_gets_an_answer(
    place: Path_, schema: Any, domain: str | None, served: RunningMock
) -> None:
    body = copy.deepcopy(dict(FULL))
    body["vlmrun"]["domain"] = domain
    put(body, place, schema)

    post(served, json.dumps(body).encode())


@VARIED
@given(
    statement=st.text('{} ab\n(:$@.!"#,&|=[]…', max_size=40)
    | st.lists(st.sampled_from(("{", "}", "invoice_id", "items", "query", "a:", "...", "on")), max_size=12).map(
        " ".join
    )
)
def test_any_selection_gets_an_answer(statement: str, served: RunningMock) -> None:
    body = {"messages": [{}], "vlmrun": {"domain": "document.invoice", "config": {"gql_stmt": statement}}}

    post(served, json.dumps(body).encode())


@VARIED
@given(path=st.text(max_size=30), method=st.sampled_from(METHODS), value=VALUES)
def test_any_path_and_method_get_an_answer(path: str, method: str, value: Any, served: RunningMock) -> None:
    answer = served.http.request(method, f"/v1/{quote(path)}", json=value)

    assert answer.status_code < 500
    assert answer.is_success or answer.json()["detail"]


@VARIED
@given(name=st.sampled_from(sorted(SAMPLES)), place=st.integers(0, 3000), byte=st.integers(0, 255))
def test_a_request_with_one_wrong_byte_gets_an_answer(name: str, place: int, byte: int, served: RunningMock) -> None:
    raw = bytearray(json.dumps(SAMPLES[name]).encode())
    raw[place % len(raw)] = byte

    post(served, bytes(raw))
