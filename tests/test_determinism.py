"""The body of an answer is a pure function of request, fixtures and seed."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import Serve
from tests.process import serving
from tests.samples import SAMPLES, SCHEMA
from tests.serving import CHAT, RunningMock, data_url, image_message, picture

GENERATE = ("--unknown-domain", "generate")
GENERATED = ("a schema", "a schema for a domain of one's own", "an unknown domain")


def bodies(http: httpx.Client, names: Iterable[str]) -> dict[str, bytes]:
    """Return the body that answers each of the samples, asked for in this order."""
    found = {}
    for name in names:
        response = http.post(CHAT, json=SAMPLES[name])
        assert response.is_success, f"{name}: {response.text}"
        found[name] = response.content
    return found


def completion(body: bytes) -> dict[str, Any]:
    """Return a chat completion without what the clock and the ids decide."""
    return {name: value for name, value in json.loads(body).items() if name not in ("id", "created", "session_id")}


def test_two_processes_give_the_same_bytes_in_any_order(tmp_path: Path) -> None:
    here: Mapping[str, str] = {"PYTHONHASHSEED": "1", "TZ": "Pacific/Auckland", "LC_ALL": "C", "LANG": "C"}
    there: Mapping[str, str] = {"PYTHONHASHSEED": "4242", "TZ": "America/St_Johns", "LC_ALL": "C.utf8", "LANG": "de_DE"}
    with (
        serving(tmp_path / "here", *GENERATE, changes=here) as first,
        serving(tmp_path / "there", *GENERATE, changes=there) as second,
    ):
        forwards = bodies(first.http, SAMPLES)
        backwards = bodies(second.http, reversed(list(SAMPLES)))
        again = bodies(first.http, sorted(SAMPLES))

    assert forwards == backwards
    assert forwards == again


def test_another_seed_changes_generated_values_and_ids_but_not_packaged_answers(serve: Serve) -> None:
    first, second = serve(unknown_domain="generate"), serve(unknown_domain="generate", seed=1)

    zero, one = bodies(first.http, SAMPLES), bodies(second.http, SAMPLES)

    assert [name for name in GENERATED if completion(zero[name])["choices"] == completion(one[name])["choices"]] == []
    assert [name for name in SAMPLES if json.loads(zero[name])["id"] == json.loads(one[name])["id"]] == ["an id"]
    assert completion(zero["an invoice"]) == completion(one["an invoice"])


def test_a_real_clock_and_random_ids_change_created_and_id_alone(serve: Serve) -> None:
    first, second = serve(unknown_domain="generate"), serve(unknown_domain="generate", clock="wall", ids="random")

    frozen = bodies(first.http, SAMPLES)
    real, again = bodies(second.http, SAMPLES), bodies(second.http, SAMPLES)

    assert {name: completion(body) for name, body in frozen.items()} == {
        name: completion(body) for name, body in real.items()
    }
    assert {json.loads(body)["created"] for body in frozen.values()} == {1735689600}
    assert min(json.loads(body)["created"] for body in real.values()) > 1750000000
    ids = [json.loads(body)["id"] for name, body in [*real.items(), *again.items()] if name != "an id"]
    assert len(set(ids)) == 2 * (len(SAMPLES) - 1)


def _reversed(value: Any) -> Any:
    """Return a JSON value with the keys of every object in the opposite order."""
    if isinstance(value, dict):
        return {key: _reversed(child) for key, child in reversed(value.items())}
    return [_reversed(child) for child in value] if isinstance(value, list) else value


SPELLINGS: Mapping[str, Callable[[Any], str]] = {
    "compact": lambda body: json.dumps(body, separators=(",", ":")),
    "indented": lambda body: json.dumps(body, indent=4) + "\r\n\t",
    "reversed": lambda body: json.dumps(_reversed(body)),
    "UTF-8": lambda body: json.dumps(body, ensure_ascii=False),
    "escaped": lambda body: json.dumps(body).replace("document", "\\u0064ocument").replace("image", "im\\u0061ge"),
    "after blanks": lambda body: " \n" + json.dumps(body),
}
NAMES = ("an invoice", "another text", "grounding", "a selection", "every quirk", "two pictures", "the oldest spelling")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("way", SPELLINGS)
def test_however_the_json_is_written_the_answer_is_the_same(way: str, name: str, served: RunningMock) -> None:
    body = SAMPLES[name]
    plain = served.http.post(CHAT, content=json.dumps(body))

    other = served.http.post(CHAT, content=SPELLINGS[way](body).encode())

    assert plain.is_success
    assert other.content == plain.content


def test_the_order_of_keys_in_a_schema_orders_the_answer_and_changes_no_value(served: RunningMock) -> None:
    plain = served.chat(vlmrun={"json_schema": SCHEMA}).json()

    other = served.chat(vlmrun={"json_schema": _reversed(SCHEMA)}).json()

    content, turned = (json.loads(body["choices"][0]["message"]["content"]) for body in (plain, other))
    assert turned == content
    assert list(turned) == list(reversed(content))


def test_however_the_base64_is_written_the_answer_is_the_same(served: RunningMock) -> None:
    data = picture(9)
    strict = data_url(data)
    head, payload = strict.split(",")
    wrapped = base64.encodebytes(data).decode()
    spellings = {
        "strict": strict,
        "wrapped": f"{head},{wrapped}",
        "wrapped by mail": f"{head},{wrapped}".replace("\n", "\r\n"),
        "not padded": strict.rstrip("="),
        "for URLs": f"{head},{base64.urlsafe_b64encode(data).decode()}",
        "escaped": f"{head},{payload.replace('+', '%2B').replace('/', '%2F').replace('=', '%3D')}",
        "of another type": f"data:image/jpeg;base64,{payload}",
    }

    answers = {way: served.chat(messages=_picture_at(url), domain="document.invoice") for way, url in spellings.items()}

    assert {way for way, answer in answers.items() if answer.content != answers["strict"].content} == set()
    assert answers["strict"].is_success
    assert (
        served.chat(messages=image_message(picture(10)), domain="document.invoice").json()["id"]
        != (answers["strict"].json()["id"])
    )


def _picture_at(url: str) -> list[dict[str, Any]]:
    text = {"type": "text", "text": "Extract"}
    return [{"role": "user", "content": [text, {"type": "image_url", "image_url": {"url": url}}]}]
