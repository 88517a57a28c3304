"""The bodies that the benchmarks send."""

from __future__ import annotations

import base64
import json
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from benchmarks import bodies
from benchmarks.bodies import COUNTER, NOTE, Body
from tests.serving import CHAT, RunningMock


def sent(body: Body, number: int) -> Any:
    return json.loads(b"".join(body.pieces(number)))


def content(body: Body, number: int) -> Any:
    return sent(body, number)["messages"][0]["content"]


def test_a_text_is_distinct_for_each_number() -> None:
    body = bodies.text(f"Extract {COUNTER}, {bodies.note(NOTE)}", {"vlmrun": {}}, notes=10)

    assert content(body, 17) == "Extract 000000000017, note 7."
    assert sent(body, 17).keys() == {"model", "messages", "vlmrun"}


def test_a_body_without_places_is_always_the_same() -> None:
    body = bodies.text("Extract.", {})

    assert sent(body, 1) == sent(body, 2)


@pytest.mark.parametrize("number", [0, 999_999_999_999])
def test_the_size_is_that_of_the_pieces(number: int) -> None:
    body = bodies.text(f"Extract {COUNTER}, {bodies.note(NOTE)}", {}, notes=1000)

    assert body.size(number) == len(b"".join(body.pieces(number)))


def test_a_picture_differs_in_its_bytes_and_has_its_size() -> None:
    body = bodies.picture(100_000, COUNTER, {})

    pictures = [
        base64.b64decode(content(body, number)[1]["image_url"]["url"].partition(",")[2], validate=True)
        for number in (1, 2)
    ]

    assert pictures[0] != pictures[1]
    assert len(pictures[0]) == len(pictures[1]) == pytest.approx(100_000, rel=0.05)
    assert Image.open(BytesIO(pictures[0])).size == (1000, 33)


def test_the_same_picture_is_a_whole_png() -> None:
    url = content(bodies.picture(100_000, "", {}), 0)[1]["image_url"]["url"]

    Image.open(BytesIO(base64.b64decode(url.partition(",")[2]))).load()


def test_a_hard_schema_is_another_one_each_time() -> None:
    body = bodies.hard_schema({})

    assert sent(body, 1)["response_format"] != sent(body, 2)["response_format"]


@pytest.mark.campaign
@pytest.mark.parametrize("kind", bodies.WORST)
def test_the_most_costly_requests_are_accepted_each_with_a_number_of_its_own(kind: str, served: RunningMock) -> None:
    body = bodies.WORST[kind]({"vlmrun": {"domain": "document.invoice"}})

    answer = served.http.post(CHAT, content=b"".join(body.pieces(17)))

    assert answer.status_code == 201
    assert b"000000000017" in b"".join(body.pieces(17))
