"""No secret of a client reaches a recording, a log line or the journal, in whatever part of a request it stands."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import Response, StreamingResponse

from tests.conftest import Serve
from tests.real_api import KEY, RealApi, says_content
from tests.serving import CHAT, RunningMock, picture
from tests.test_redaction import SPELLINGS

TEXT = {"messages": [{"content": "Extract"}], "domain": "document.invoice"}
WITH_KEY = {"Authorization": f"Bearer {KEY}"}
OTHER = "Zq81-hd72-hfQx-99Lm"


def _with_file(name: str) -> dict[str, Any]:
    url = "data:image/png;base64," + base64.b64encode(picture(1)).decode()
    return {"messages": [{"content": [{"type": "input_file", "input_file": {"filename": name, "file_url": url}}]}]}


def _with_url(url: str) -> dict[str, Any]:
    return {"messages": [{"content": [{"type": "image_url", "image_url": {"url": url}}]}]}


HOLDING: dict[str, Callable[[str], dict[str, Any]]] = {
    "model": lambda key: {**TEXT, "model": key},
    "model of an agent": lambda key: {**TEXT, "model": f"vlmrun-orion-1:{key}"},
    "domain": lambda key: {**TEXT, "domain": key},
    "text": lambda key: {"messages": [{"content": f"My key is {key}."}]},
    "schema's key": lambda key: {**TEXT, "json_schema": {"type": "object", "properties": {key: {"type": "string"}}}},
    "schema's value": lambda key: {**TEXT, "json_schema": {"type": "object", "description": key}},
    "config": lambda key: {**TEXT, "vlmrun": {"config": {"prompt": key}}},
    "file name": _with_file,
    "URL": lambda key: _with_url(f"https://example.com/a.png#{key}"),
    "two messages": lambda key: {"messages": [{"content": key[:9]}, {"content": key[9:]}]},
}


@pytest.fixture
def recorder(serve: Serve, api: RealApi, folder: Path) -> RunningMock:
    """Return a server that records everything."""
    return serve(record="new", fixtures=(folder,), upstream=api.url, record_errors=True)


def _written(folder: Path) -> str:
    return "".join(f"{path}\n{path.read_text(encoding='utf-8')}" for path in folder.rglob("*") if path.is_file())


def test_a_request_that_holds_the_key_in_any_part_is_passed_on_and_not_recorded(
    recorder: RunningMock, api: RealApi, folder: Path
) -> None:
    api.say = says_content("{}")
    for part, holding in HOLDING.items():
        answer = recorder.http.post(CHAT, json=holding(KEY), headers=WITH_KEY)

        assert (part, answer.headers.get("x-vlmrun-mock-source")) == (part, "upstream")
        assert "[not recorded: the request itself holds the key]" in recorder.lines[-1], part

    assert _written(folder) == ""
    journal = recorder.http.get("/_mock/requests", headers=WITH_KEY).json()["requests"]
    names = json.dumps([[each["model"], each["domain"], each["documents"]] for each in journal])
    assert KEY not in "".join(recorder.lines) + names
    assert len(journal) == len(HOLDING)


@pytest.mark.parametrize("part", ["model", "domain", "text"])
def test_a_request_that_holds_a_spelling_of_the_key_is_not_recorded(
    part: str, recorder: RunningMock, api: RealApi, folder: Path
) -> None:
    api.say = says_content("{}")
    for name, spelling in SPELLINGS.items():
        answer = recorder.http.post(CHAT, json=HOLDING[part](spelling(KEY)), headers=WITH_KEY)

        assert (name, answer.headers.get("x-vlmrun-mock-source")) == (name, "upstream")
        assert "[not recorded: the request itself holds the key]" in recorder.lines[-1], name
        assert spelling(KEY) not in recorder.lines[-1]

    assert _written(folder) == ""


def test_an_answer_that_holds_a_spelling_of_the_key_is_cleaned_or_not_recorded(
    recorder: RunningMock, api: RealApi, folder: Path
) -> None:
    shapes: tuple[Callable[[str], str], ...] = (
        lambda text: f"You sent {text}!",
        lambda text: json.dumps({"notes": [text, 1], "total": 12}),
    )
    refused = 0
    spelled = {name: spelling(KEY) for name, spelling in SPELLINGS.items()}
    for number, (name, text) in enumerate(spelled.items()):
        for shape in shapes:
            api.say = says_content(shape(text), debug={text: text})
            body = {"messages": [{"content": f"Extract {number} {shape('')}"}]}
            recorder.http.post(CHAT, json=body, headers=WITH_KEY)
            refused += "[not recorded: " in recorder.lines[-1]

            assert "[recorded " in recorder.lines[-1] or "cannot be taken out" in recorder.lines[-1], name

    written = _written(folder)
    assert [name for name, text in spelled.items() if json.dumps(text)[1:-1] in written] == []
    assert refused < len(SPELLINGS)
    assert KEY not in "".join(recorder.lines)


def test_a_key_across_the_chunks_of_an_answer_is_taken_out(recorder: RunningMock, api: RealApi, folder: Path) -> None:
    whole = json.dumps({"choices": [{"message": {"role": "assistant", "content": f"You sent {KEY}, so"}}]})
    api.say = lambda _request, _body: StreamingResponse(iter(whole), media_type="application/json")

    recorder.http.post(CHAT, json=TEXT, headers=WITH_KEY)

    assert "You sent <redacted>, so" in _written(folder)


CREDENTIALS: dict[str, dict[str, Any]] = {
    **{f"?{name}=": {"params": {name: OTHER}} for name in ("api_key", "key", "token", "access_token", "sig", "apikey")},
    **{
        name: {"headers": {name: OTHER}}
        for name in ("Api-Key", "X-Auth-Token", "X-Api-Key", "X-Goog-Api-Key", "Ocp-Apim-Subscription-Key", "X-Token")
    },
    "the password of basic authentication": {
        "headers": {"Authorization": "Basic " + base64.b64encode(f"alice:{OTHER}".encode()).decode(), "X-Api-Key": "k"}
    },
    "a cookie": {"headers": {"Cookie": f"a=1; b={OTHER}"}},
}


@pytest.mark.parametrize("credential", CREDENTIALS)
def test_what_else_the_client_proves_itself_with_is_taken_out_of_its_answer(
    credential: str, recorder: RunningMock, api: RealApi, folder: Path
) -> None:
    api.say = says_content(f"You are {OTHER} here")

    recorder.http.post(CHAT, json=TEXT, **CREDENTIALS[credential])
    recorder.http.post(CHAT, json={"messages": [{"content": f"I am {OTHER}"}]}, **CREDENTIALS[credential])

    assert "You are <redacted> here" in _written(folder)
    assert OTHER not in _written(folder) + "".join(recorder.lines)
    assert "[not recorded: the request itself holds the key]" in recorder.lines[-1]


def test_what_looks_like_a_secret_as_a_model_or_a_domain_is_neither_recorded_nor_logged(
    recorder: RunningMock, api: RealApi, folder: Path
) -> None:
    token = "ghp_" + "a1" * 18
    api.say = says_content("{}")

    for name in ("model", "domain"):
        recorder.http.post(CHAT, json={**TEXT, name: token})

    assert _written(folder) == ""
    assert "what looks like a GitHub token, at asked.model]" in recorder.lines[0]
    assert "what looks like a GitHub token, at domain]" in recorder.lines[1]
    assert token not in "".join(recorder.lines)


def test_an_error_of_the_upstream_that_tells_the_key_is_recorded_without_it(
    recorder: RunningMock, api: RealApi, folder: Path
) -> None:
    api.say = lambda _request, _body: Response(f"no such key: {KEY[:20]}", 401, media_type="text/plain")

    recorder.http.post(CHAT, json=TEXT, headers=WITH_KEY)

    assert "no such key: <redacted>" in _written(folder)


def test_a_key_that_no_source_answers_is_neither_in_the_log_nor_in_the_journal(serve: Serve) -> None:
    served = serve()

    refused = [served.http.post(CHAT, json=HOLDING[part](KEY), headers=WITH_KEY) for part in ("model", "domain", "URL")]
    journal = served.http.get("/_mock/requests", headers=WITH_KEY)

    assert [answer.status_code for answer in refused] == [201, 422, 201]
    assert len(journal.json()["requests"]) == 3
    assert KEY not in "".join(served.lines) + journal.text
