"""A body is decoded at once or checked by pydantic: both read it alike, so the quick way never changes an answer."""

from __future__ import annotations

import copy
import json
import tracemalloc
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.corpus.case import CHAT
from tests.corpus.requests import corpus
from tests.test_properties import FULL, ODD, PLACES, Path_, places, put
from vlmrun_mock import typed
from vlmrun_mock.api import bodies, body_check
from vlmrun_mock.api.bodies import MOST_BRACKETS, ChatBody
from vlmrun_mock.api.errors import InvalidRequest
from vlmrun_mock.json_text import frozen


def outcome(read: Any, raw: bytes) -> Any:
    """Return what is read of a body, in which `true` is not 1 and 1.0 is, or the problems with it.

    A whole number that is read as a float may lose digits; nothing looks at those of the fields that are left out.
    """
    try:
        body, sent = read(raw)
    except InvalidRequest as problem:
        return problem.detail
    known = {name: value for name, value in sent.items() if name not in ("temperature", "top_p")}
    return frozen(msgspec.to_builtins(body)), frozen(known)


def read(raw: bytes) -> tuple[ChatBody, dict[str, Any]]:
    """Read a body as the server does."""
    return bodies.read(ChatBody, raw)


def checked(raw: bytes) -> tuple[ChatBody, dict[str, Any]]:
    """Read a body the long way."""
    sent = body_check.checked(ChatBody, raw)
    return typed.convert(sent, ChatBody), sent


def test_every_request_of_the_corpus_is_read_alike() -> None:
    requests = [request for case in corpus().values() for request in case.requests if request.path == CHAT]
    bodies = {each.body if isinstance(each.body, bytes) else json.dumps(each.body).encode() for each in requests}

    assert len(bodies) > 500
    for raw in bodies:
        assert outcome(read, raw) == outcome(checked, raw), raw[:500]


def test_every_odd_value_at_every_place_is_read_alike() -> None:
    for place in places(FULL):
        for value in ODD:
            body = copy.deepcopy(dict(FULL))
            put(body, place, value)
            raw = json.dumps(body).encode()

            assert outcome(read, raw) == outcome(checked, raw), (place, value)


@given(
    changes=st.lists(
        st.tuples(
            PLACES,
            st.recursive(
                st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
                lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
                max_leaves=5,
            ),
        ),
        min_size=1,
        max_size=3,
    )
)
def test_anything_anywhere_is_read_alike(changes: list[tuple[Path_, Any]]) -> None:
    body = copy.deepcopy(dict(FULL))
    for place, value in changes:
        put(body, place, value)
    raw = json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")

    assert outcome(read, raw) == outcome(checked, raw)


MANY = 2 * MOST_BRACKETS
EMPTY = ",".join(MANY * ["[]"])
IN_KEYS = MANY * '{"}":' + "1" + MANY * ',"{":0}'
"""Objects in each other, whose keys look like the ends of some and the beginnings of others."""


@pytest.mark.parametrize(
    "further",
    [
        pytest.param("[" * MANY + "]" * MANY, id="lists"),
        pytest.param('{"a":' * MANY + "1" + "}" * MANY, id="objects"),
        pytest.param(IN_KEYS, id="brackets in keys"),
        pytest.param(IN_KEYS.replace('":', '\\\\":'), id="backslashes at the ends of keys"),
        pytest.param(IN_KEYS.replace('"}', '"\\"}').replace('"{', '"\\"{'), id="quotes in keys"),
        pytest.param(f"[{EMPTY},{IN_KEYS}]", id="among many"),
    ],
)
def test_a_body_that_is_nested_too_deeply_is_refused(further: str) -> None:
    json.loads(further)
    raw = f'{{"messages": [{{}}], "further": {further}}}'.encode()

    with pytest.raises(InvalidRequest, match="recursion limit"):
        read(raw)


@pytest.mark.parametrize("count", [MANY, 50_000])
@pytest.mark.parametrize("inner", ["[]", '{"a": []}', '["[", "\\"]"]', '{"a\\\\": [1.5, 1e3, "\\n"]}', '"]", []'])
def test_a_body_with_many_lists_and_objects_is_read_as_a_small_one_is(inner: str, count: int) -> None:
    raw = f'{{"messages": [{{}}], "further": [{",".join(count * [inner])}]}}'.encode()

    assert outcome(read, raw) == outcome(checked, raw)
    assert outcome(read, raw[:-2] + b"}") == outcome(checked, raw[:-2] + b"}")


def test_what_is_no_json_takes_no_more_memory_than_it_has_bytes() -> None:
    raw = b'{"messages": [{}], "x": [%b], "y": ' % b",".join(MANY * [b"[]"]) + b'"ab"ab' * 1_000_000

    tracemalloc.start()
    with pytest.raises(InvalidRequest):
        read(raw)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < len(raw)
