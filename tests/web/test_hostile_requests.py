"""Requests that are wrong on purpose get a clear answer, one by one."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.conftest import Serve
from tests.samples import SAMPLES
from tests.serving import CHAT, RunningMock
from tests.shape import KEY, checked, post


def frame(text: str) -> bytes:
    """Return a request in which a text stands as it is for the value of a field that is not looked at."""
    return f'{{"messages":[{{}}],"domain":"document.invoice","further":{text}}}'.encode()


def with_field(name: str, text: str) -> bytes:
    """Return a request in which a text stands as it is for the value of a field."""
    return f'{{"messages":[{{}}],"domain":"document.invoice","{name}":{text}}}'.encode()


DEEP = 100_000
HAND_PICKED: Mapping[str, tuple[bytes, int]] = {
    "nothing": (b"", 422),
    "blanks": (b" \r\n\t", 422),
    "a byte order mark": (b"\xef\xbb\xbf" + frame("1"), 201),
    "cut off": (frame("1")[:-1], 422),
    "two values": (frame("1") * 2, 422),
    "a comment": (frame("1 // one"), 422),
    "single quotes": (b"{'messages':[{}]}", 422),
    "invalid UTF-8": (frame('"\xff"'.encode("latin-1").decode("latin-1")).replace(b"\xc3\xbf", b"\xff"), 422),
    "UTF-16": (frame("1").decode().encode("utf-16"), 422),
    "no object": (b"[]", 422),
    "null": (b"null", 422),
    "NaN": (frame("NaN"), 422),
    "infinity": (frame("-Infinity"), 422),
    "lists in lists": (frame("[" * DEEP + "]" * DEEP), 422),
    "objects in objects": (frame('{"a":' * DEEP + "1" + "}" * DEEP), 422),
    "brackets that never close": (b"[" * DEEP, 422),
    "deep messages": (b'{"messages":' + b"[" * DEEP + b"]" * DEEP + b"}", 422),
    "a number of 5,000 digits": (frame("9" * 5_000), 422),
    "a fraction of 5,000 digits": (frame("0." + "9" * 5_000), 201),
    "an exponent beyond a double": (with_field("temperature", "1e999"), 422),
    "half of a surrogate pair": (with_field("id", r'"\ud800"'), 422),
    "the other half": (with_field("model", r'"\udc00x"'), 422),
    "NUL": (with_field("id", r'"\u0000"'), 201),
    "NUL as it is": (with_field("id", '"\x00"'), 422),
    "a huge max_tokens": (with_field("max_tokens", "9" * 4_000), 201),
    "a huge negative max_tokens": (with_field("max_tokens", "-" + "9" * 4_000), 201),
    "a huge n": (with_field("n", "1" + "0" * 400), 201),
    "a huge temperature": (with_field("temperature", "1" + "0" * 400), 422),
    "a huge top_k": (with_field("top_k", str(2**64)), 201),
    "a fraction for n": (with_field("n", "1.5"), 422),
    "a repeated key": (b'{"messages":5,"messages":[{}],"domain":"document.invoice"}', 201),
    "a domain of a megabyte": (with_field("vlmrun", json.dumps({"domain": "x" * 1_000_000})), 422),
    "a role of a megabyte": (json.dumps({"messages": [{"role": "x" * 1_000_000}]}).encode(), 422),
    "a type of a megabyte": (json.dumps({"messages": [{"content": [{"type": "x" * 1_000_000}]}]}).encode(), 422),
    "a URL of a megabyte": (
        json.dumps(
            {"messages": [{"content": [{"type": "image_url", "image_url": {"url": "x" * 1_000_000}}]}]}
        ).encode(),
        422,
    ),
    "a schema with a key of a megabyte": (
        with_field("schema", json.dumps({"properties": {"x" * 1_000_000: {"type": "y" * 1_000_000}}})),
        422,
    ),
    "a selection of a megabyte": (
        with_field("vlmrun", json.dumps({"config": {"gql_stmt": "{" + "x" * 1_000_000 + "}"}})),
        422,
    ),
    "a long selected field": (
        with_field("vlmrun", json.dumps({"config": {"gql_stmt": "{" + "x" * 60_000 + "}"}})),
        422,
    ),
    "many wrong messages": (b'{"messages":[' + b"1," * 500_000 + b"1]}", 422),
    "many wrong parts": (b'{"messages":[{"content":[' + b"1," * 500_000 + b"1]}]}", 422),
    "as many messages as there may be": (b'{"domain":"document.invoice","messages":[' + b"{}," * 9_999 + b"{}]}", 201),
    "form data": (b"messages=1&model=vlm-1", 422),
    "gzip": (gzip.compress(frame("1")), 422),
}


@pytest.mark.parametrize("name", HAND_PICKED)
def test_a_hand_picked_body_gets_its_answer(name: str, served: RunningMock) -> None:
    raw, status = HAND_PICKED[name]

    assert post(served, raw) == status


@pytest.mark.parametrize(
    "url",
    [
        "data:image/png;base64,",
        "data:image/png;base64,A",
        "data:image/png;base64,AAA",
        "data:image/png;base64,AAAA====A",
        "data:image/png;base64,\x00",
        "data:image/png;base64,é",
        "data:image/png;base64,%",
        "data:image/png;base64," + "!" * 100_000,
        "data:image/png,",
        "data:" + "x" * 100_000,
        "data",
        "file:///etc/passwd",
        "FILE:///etc/passwd",
        "ftp://example.com/a.png",
        "javascript:alert(1)",
        "/etc/passwd",
        "C:\\picture.png",
        "https://",
        "https://example.com/\r\nX-Injected: 1",
        "iVBORw0KGgo" + "A" * 10_000,
        "",
    ],
)
def test_a_picture_that_cannot_be_read_is_a_problem_of_its_url(url: str, served: RunningMock) -> None:
    part = {"type": "image_url", "image_url": {"url": url}}
    answer = served.chat(messages=[{"content": [part]}], domain="document.invoice")

    if url == "data:image/png;base64,AAA":  # padding may be left out
        assert checked(answer) == 201
    else:
        assert checked(answer) == 422
        assert answer.json()["detail"][0]["loc"] == ["body", "messages", 0, "content", 0, "image_url", "url"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/json; charset=latin-1"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"Content-Type": ""},
        {"Accept": "text/event-stream"},
        {"Accept-Encoding": "br, gzip"},
        {"X-Odd": "é"},
        {"Cookie": "a" * 8_000},
    ],
)
def test_headers_other_than_the_key_change_nothing(headers: dict[str, str], served: RunningMock) -> None:
    encoded = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    plain = served.http.post(CHAT, content=frame("1"))

    answer = served.http.post(CHAT, content=frame("1"), headers=encoded)

    assert checked(answer) == 201
    assert answer.content == plain.content


def test_a_chunked_body_is_answered_like_a_whole_one(served: RunningMock) -> None:
    raw = json.dumps(SAMPLES["an invoice"]).encode()

    assert post(served, (raw[place : place + 7] for place in range(0, len(raw), 7))) == 201
    assert post(served, iter([b"{", b""])) == 422
    assert post(served, iter([])) == 422


ODD_KEYS = ["\u00e9\u00ff", "x" * 8_000, "a b", "Bearer", "%00", "null"]


@pytest.mark.parametrize("key", ODD_KEYS)
def test_an_odd_key_is_a_key(key: str, serve: Serve) -> None:
    guarded = serve(api_keys=frozenset({KEY}))

    answers = [
        guarded.http.post(CHAT, content=frame("1"), headers=[(name, value.encode("latin-1"))])
        for name, value in ((b"Authorization", f"Bearer {key}"), (b"Authorization", key), (b"X-Api-Key", key))
    ]

    assert [checked(answer) for answer in answers] == [401, 401, 401]


def test_a_miss_repeats_little_of_what_was_sent(serve: Serve, write: Callable[[str, str | bytes], Path]) -> None:
    match = {"domain": "a", "model": "b", "metadata": {"c": 1}, "documents": ["sha256:" + "0" * 64]}
    path = write("fixtures/one.json", json.dumps({"match": match, "answer": {"content": "x"}}))
    strict = serve(fixtures=(path.parent,), strict=True)
    long = "x" * 50_000
    url = {"type": "image_url", "image_url": {"url": f"https://example.com/{long}"}}

    answer = strict.chat(
        messages=[{"content": [url, {"type": "text", "text": long}]}], domain=long, model=long, metadata={"c": long}
    )

    assert checked(answer) == 404
    assert len(answer.json()["error"]["miss"]["differences"]) == 4


@pytest.mark.parametrize("number", ["1e999", "-1e999", "1e308", "9" * 4_000])
def test_a_miss_with_an_odd_number_is_json(
    number: str, serve: Serve, write: Callable[[str, str | bytes], Path]
) -> None:
    path = write("fixtures/one.json", '{"match": {"metadata": {"c": 1}}, "answer": {"content": "x"}}')
    strict = serve(fixtures=(path.parent,), strict=True)

    answer = strict.http.post(CHAT, content=with_field("metadata", f'{{"c": {number}}}'))

    assert checked(answer) in (404, 422)


@pytest.mark.parametrize("text", ["漢字" * 2_500_000, "qjzkx" * 1_000_000], ids=["Chinese", "letters"])
def test_a_text_that_would_take_too_long_to_count_is_refused_with_its_limit(text: str, served: RunningMock) -> None:
    answer = served.chat(messages=[{"role": "user", "content": text}], domain="document.invoice")

    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "body_too_large"
    assert "4,000,000 characters" in answer.json()["error"]["message"]
