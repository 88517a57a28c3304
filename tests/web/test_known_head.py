"""The head of a connection's last request, by which the next is understood."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlmrun_mock.web.head import Head
from vlmrun_mock.web.known_head import LARGEST, KnownHead, known_head

LINES = (b"POST /v1 HTTP/1.1", b"Host: localhost", b"Content-Length: 5", b"X-Api-Key: k")


def known(*lines: bytes) -> KnownHead | None:
    """Return what is kept of a head with these lines after the usual ones."""
    whole = (*LINES, *lines)
    headers = tuple((name.lower(), value) for name, _, value in (line.partition(b": ") for line in whole[1:]))
    return known_head(b"\r\n".join(whole), Head("POST", "/v1", b"", headers, dict(headers)))


def request(length: bytes, body: bytes, start: bytes = b"POST") -> bytes:
    """Return a request with the usual head."""
    return b"\r\n".join((start + LINES[0][4:], LINES[1], b"Content-Length: " + length, LINES[3], b"", body))


@given(st.binary(max_size=300))
def test_a_request_with_another_body_is_known(body: bytes) -> None:
    usual = known()

    assert usual is not None
    assert usual.body_of(request(b"%d" % len(body), body)) == body


@given(st.binary(max_size=30), st.integers(0, 60))
def test_what_is_not_just_one_whole_request_is_not_known(body: bytes, length: int) -> None:
    usual, data = known(), request(b"%d" % length, body)

    assert usual is not None
    assert usual.body_of(data) == (body if length == len(body) else None)
    assert usual.body_of(data + data) is None
    assert all(usual.body_of(request(b"%d" % (len(body) + more), body)) is None for more in (1, 2, 10, 100))


@pytest.mark.parametrize("length", [b"+5", b" 5", b"5 ", b"0x5", b"5.0", b"5,5", b"-5", b"", b"00000005", b"\xb2"])
def test_a_length_that_is_no_plain_number_is_left_to_the_parser(length: bytes) -> None:
    usual = known()

    assert usual is not None
    assert usual.body_of(request(length, b"12345")) is None


def test_another_method_is_another_head() -> None:
    usual = known()

    assert usual is not None
    assert usual.body_of(request(b"5", b"12345", b"PUT")) is None


@pytest.mark.parametrize(
    "line",
    [
        b"Connection: close",
        b"Content-Encoding: gzip",
        b"Expect: 100-continue",
        b"Transfer-Encoding: chunked",
        b"Upgrade: h2c",
        b"Content-Length: 5",
        b"X-Long: " + b"a" * LARGEST,
    ],
)
def test_a_head_that_says_more_of_the_body_than_its_length_is_not_kept(line: bytes) -> None:
    assert known(line) is None
