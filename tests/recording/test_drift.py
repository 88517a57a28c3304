"""What was recorded is asked for again: told is what changed, by shape and by value, and what could not be asked."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any, TypeAlias

import httpx
import pytest
from click.testing import CliRunner
from msgspec.structs import replace
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from tests.process import COMMAND, PATIENCE, environment, free_port, run
from tests.real_api import KEY, RealApi
from tests.samples import SAMPLES, SCHEMA
from tests.serving import CHAT, data_url, image_message, picture
from vlmrun_mock.api import chat_parser
from vlmrun_mock.api.request import ExtractionRequest
from vlmrun_mock.cli import command, main
from vlmrun_mock.documents.identity import identity
from vlmrun_mock.fixtures.domains import packaged
from vlmrun_mock.fixtures.folders import search
from vlmrun_mock.mock.scopes import Scopes
from vlmrun_mock.mock.settings import Settings
from vlmrun_mock.recording.candidates import read_all
from vlmrun_mock.recording.drift import Drift
from vlmrun_mock.recording.settings import UpstreamSettings
from vlmrun_mock.web import server
from vlmrun_mock.web.app import application

INVOICE = {"messages": image_message(picture(1)), "vlmrun": {"domain": "document.invoice"}}
CONTENT: dict[str, Any] = {
    "invoice_id": "INV-1",
    "total": 12.5,
    "due": None,
    "paid": False,
    "notes": [],
    "items": [{"sku": "a", "quantity": 1}, {"sku": "b", "quantity": 2}],
}
COMPLETION: dict[str, Any] = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1_735_689_600,
    "model": "vlm-1",
    "session_id": "s-1",
    "choices": [
        {"index": 0, "message": {"role": "assistant", "content": ""}, "logprobs": None, "finish_reason": "stop"}
    ],
    "usage": {"prompt_tokens": 9, "completion_tokens": 7, "total_tokens": 16, "credits_used": 2},
}

Change: TypeAlias = Callable[["Api"], object]


class Api(RealApi):
    """The real API, whose answer can be changed part by part; `busy` is how many requests it puts off first."""

    def reset(self) -> None:
        """Answer an invoice, and forget what was asked."""
        super().reset()
        self.say = self._say
        self.busy = 0
        self.status = 201
        self.content: Any = deepcopy(CONTENT)
        self.completion = deepcopy(COMPLETION)
        self.body: bytes | None = None
        self.sent = {"content-type": "application/json"}

    def forget(self) -> None:
        """Forget what was asked."""
        self.bodies.clear()
        self.headers.clear()

    def _say(self, _request: Request, _body: dict[str, Any]) -> Response:
        if self.busy:
            self.busy -= 1
            return Response("{}", 429, {"retry-after": "0"})
        return Response(self.answer(), self.status, self.sent)

    def answer(self) -> bytes:
        """Return the body of an answer."""
        if self.body is not None:
            return self.body
        self.completion["choices"][0]["message"]["content"] = (
            self.content if self.content is None or isinstance(self.content, str) else json.dumps(self.content)
        )
        return json.dumps(self.completion).encode()

    def become(self, **answer: Any) -> None:
        """Answer something else from now on."""
        for name, value in answer.items():
            setattr(self, name, value)

    @property
    def requests(self) -> list[ExtractionRequest]:
        """Return what it was asked."""
        return [chat_parser.parse(body).extraction for body in self.bodies]


@pytest.fixture(scope="module")
def running_api() -> Iterator[Api]:
    """Return the real API, on a port."""
    found = Api()
    with server.running(found.app) as url:
        found.url = url
        yield found


@pytest.fixture
def api(running_api: Api) -> Api:
    """Return the real API as it was when it started."""
    running_api.reset()
    return running_api


class Place:
    """A folder of recordings, and one of documents."""

    def __init__(self, folder: Path, api: Api) -> None:
        self.recordings = folder / "recordings"
        self.documents = folder / "documents"
        self.recordings.mkdir(parents=True)
        self.documents.mkdir()
        self.api = api

    def put(self, *pictures: bytes) -> None:
        """Put documents into their folder."""
        for data in pictures:
            (self.documents / f"{identity(data)[-8:]}.png").write_bytes(data)

    def record(self, *bodies: dict[str, Any], errors: bool = False) -> None:
        """Record what the API answers, as an application would have it recorded; then it has been asked nothing."""
        settings = Settings(fixtures=(self.recordings,), record="new", record_errors=errors, upstream=self.api.url)
        headers = {"Authorization": f"Bearer {KEY}"}
        with server.running(application(Scopes(settings), log=lambda _: None)) as url, httpx.Client() as client:
            for body in bodies:
                client.post(f"{url}{CHAT}", json=body, headers=headers, timeout=PATIENCE)
        self.api.forget()

    def recording(self) -> tuple[Path, Any]:
        """Return the only recording, and what it holds."""
        (path,) = self.recordings.rglob("*.json")
        return path, json.loads(path.read_text(encoding="utf-8"))

    def drift(self, *options: str, key: str = KEY, url: str = "") -> tuple[int, str, str]:
        """Run the command in this process; return its exit status, its output and its errors."""
        arguments = ["drift", str(self.recordings), "--upstream", url or self.api.url]
        arguments += ["--documents", str(self.documents), *options]
        result = CliRunner().invoke(main, arguments, env={"VLMRUN_API_KEY": key}, catch_exceptions=False)
        return result.exit_code, result.stdout, result.stderr

    def data(self, *options: str) -> tuple[int, Any]:
        """Run the command; return its exit status, and the data that it prints."""
        status, output, _ = self.drift("--format", "json", *options)
        return status, json.loads(output)


@pytest.fixture
def place(tmp_path: Path, api: Api) -> Place:
    """Return folders without recordings, and with the document of the invoice."""
    found = Place(tmp_path, api)
    found.put(picture(1))
    return found


@pytest.fixture(scope="module")
def invoice(tmp_path_factory: pytest.TempPathFactory, running_api: Api) -> Path:
    """Return a folder with the recording of an invoice."""
    running_api.reset()
    place = Place(tmp_path_factory.mktemp("invoice"), running_api)
    place.record(INVOICE)
    return place.recordings


@pytest.fixture
def recorded(place: Place, invoice: Path) -> Place:
    """Return folders with the recording of an invoice, and with its document."""
    shutil.copytree(invoice, place.recordings, dirs_exist_ok=True)
    return place


def said(output: str) -> list[str]:
    """Return what is said of the fixtures, without their names."""
    return [line.strip() for line in output.splitlines() if line.startswith(" ")]


def test_what_has_not_changed_is_one_line_and_exit_status_0(recorded: Place) -> None:
    path, _ = recorded.recording()

    status, output, errors = recorded.drift()

    assert (status, errors) == (0, "")
    assert output == (
        f"same       {path}\n\n1 has the recorded shape, 0 differ, 0 could not be asked. 0 values differ.\n"
    )


def test_the_document_is_sent_with_the_key_of_the_environment_and_for_no_training(recorded: Place, api: Api) -> None:
    recorded.drift()

    (request,) = api.requests
    assert request.fingerprint == chat_parser.parse(json.dumps(INVOICE).encode()).extraction.fingerprint
    assert request.metadata == {"environment": "dev", "session_id": None, "allow_training": False}
    assert [each["authorization"] for each in api.headers] == [f"Bearer {KEY}"]


FURTHER: dict[str, Any] = {
    "a conversation": {
        "messages": [
            {"role": "system", "content": 'You are terse.\n\n"Quoted" — ✓'},
            *image_message(picture(1), text=""),
            {"role": "assistant", "content": None},
            {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
            {"role": "user", "content": ""},
        ]
    },
    "a picture of the system's": {
        "messages": [{"role": "system", "content": [{"type": "image_url", "image_url": {"url": data_url(picture(1))}}]}]
    },
    "files of every kind": {
        "messages": [
            {
                "content": [
                    {"type": "file_url", "file_url": {"url": data_url(b"%PDF-1.7 one", "application/pdf")}},
                    {"type": "text", "text": "between"},
                    {"type": "input_file", "input_file": {"file_id": "file-123"}},
                    {"type": "input_file", "file_url": data_url(b"no signature", "text/plain"), "filename": "a.txt"},
                    {"type": "video_url", "video_url": {"url": "https://example.com/a.mp4?x=1&y=ü"}},
                    {"type": "audio_url", "audio_url": {"url": data_url(b"RIFF", "audio/wav")}},
                ]
            }
        ],
        "vlmrun": {"domain": "audio.transcription"},
    },
    "a schema of an object": {
        "messages": image_message(picture(2)),
        "response_format": {"type": "json_object"},
        "vlmrun": {"json_schema": {**SCHEMA, "$defs": {"half": {"multipleOf": 0.5, "minimum": 1.0}}}},
    },
    "every config": {
        "messages": image_message(picture(1), picture(1)),
        "vlmrun": {
            "domain": "document.invoice",
            "config": {
                "prompt": "",
                "detail": "hi",
                "gql_stmt": "{ total }",
                "grounding": True,
                "confidence": True,
                "keyframes": [1, 2.0],
                "service_tier": "x",
                "skills": {"a": None},
            },
            "metadata": {"environment": "prod", "allow_training": True, "session_id": "s"},
        },
    },
}


def test_every_request_is_asked_again_as_the_same_request(place: Place, api: Api) -> None:
    place.put(picture(2), picture(2, kind="JPEG"), b"%PDF-1.7 one", b"no signature", b"RIFF")
    bodies = [*SAMPLES.values(), *FURTHER.values()]
    requests = [chat_parser.parse(json.dumps(body).encode()).extraction for body in bodies]
    domains = packaged()
    asked = [replace(each, domain=each.domain and domains.canonical(each.domain)) for each in requests]
    place.record(*bodies)

    status, output, _ = place.drift()

    assert status == 0, output
    assert {request.fingerprint for request in api.requests} == {request.fingerprint for request in asked}
    assert {request.generation for request in api.requests} == {"vlm-1", "agents", "orion"}
    assert not any(request.metadata["allow_training"] for request in api.requests)
    assert len(api.bodies) >= 30


SHAPES: dict[str, tuple[Change, list[str]]] = {
    "a key of the content that went": (
        lambda api: api.content.pop("total"),
        ["content.total is missing"],
    ),
    "a key of the content that came": (
        lambda api: api.content.update(currency="EUR"),
        ["content.currency is new: a string"],
    ),
    "a number that became a text": (
        lambda api: [item.update(quantity="1") for item in api.content["items"]],
        ["content.items[].quantity is a string, and was a number"],
    ),
    "a key that some items lost": (
        lambda api: api.content["items"][1].pop("sku"),
        ["content.items[].sku is missing in 1 of 2"],
    ),
    "a key of the envelope that went": (
        lambda api: api.completion["usage"].pop("credits_used"),
        ["completion.usage.credits_used is missing"],
    ),
    "a key of the envelope that came": (
        lambda api: api.completion["choices"][0].update(refusal=None),
        ["completion.choices[].refusal is new: null"],
    ),
    "an id that went": (lambda api: api.completion.pop("id"), ["completion.id is missing"]),
    "content that is prose": (lambda api: api.become(content="Sorry."), ["content is text, and was JSON"]),
    "content in a fence": (
        lambda api: api.become(content=f"```json\n{json.dumps(CONTENT)}\n```"),
        ["content is text, and was JSON"],
    ),
    "content that is a list": (
        lambda api: api.become(content=[CONTENT]),
        ["content is a list, and was an object"],
    ),
    "another status of success": (lambda api: api.become(status=200), ["the status is 200, and was 201"]),
    "an error": (
        lambda api: api.become(status=422, body=b'{"detail": "no such domain"}'),
        ['the status is 422, and was 201: {"detail": "no such domain"}'],
    ),
    "a page": (
        lambda api: api.become(body=b"<html>", sent={"content-type": "text/html; charset=utf-8"}),
        [
            "the answer is no chat completion, and was a chat completion",
            "the content type is text/html, and was application/json",
        ],
    ),
    "nothing": (
        lambda api: api.become(status=200, body=b""),
        ['the status is 200, and was 201: ""'],
    ),
    "no JSON": (
        lambda api: api.become(body=b"\xff{"),
        ["the answer is no chat completion, and was a chat completion"],
    ),
    "no choices": (
        lambda api: api.become(body=b'{"choices": []}'),
        ["the answer is no chat completion, and was a chat completion"],
    ),
    "another content type": (
        lambda api: api.sent.update({"content-type": "text/plain"}),
        ["the content type is text/plain, and was application/json"],
    ),
}


@pytest.mark.parametrize("name", SHAPES)
def test_another_shape_is_named_place_by_place_and_exit_status_1(name: str, recorded: Place, api: Api) -> None:
    change, expected = SHAPES[name]
    change(api)

    status, output, _ = recorded.drift()

    assert status == 1
    assert output.startswith("differs    ")
    assert said(output) == [f"shape: {each}" for each in expected]
    assert "0 have the recorded shape, 1 differs, 0 could not be asked." in output


VALUES: dict[str, tuple[Change, list[str]]] = {
    "another text": (
        lambda api: api.content.update(invoice_id="INV-2"),
        ['content.invoice_id is "INV-2", and was "INV-1"'],
    ),
    "a whole number": (lambda api: api.content.update(total=12), ["content.total is 12, and was 12.5"]),
    "a value that was missing": (
        lambda api: api.content.update(due={"date": "2023-11-11"}),
        ['content.due is {"date": "2023-11-11"}, and was null'],
    ),
    "a value that is missing": (lambda api: api.content.update(paid=None), ["content.paid is null, and was false"]),
    "a list that was empty": (
        lambda api: api.content["notes"].append("x"),
        ["the length of content.notes is 1, and was 0"],
    ),
    "fewer items": (lambda api: api.content["items"].pop(), ["the length of content.items is 1, and was 2"]),
    "a figure": (
        lambda api: api.completion["usage"].update(total_tokens=17),
        ["completion.usage.total_tokens is 17, and was 16"],
    ),
    "no content": (
        lambda api: api.become(content=None),
        [f"content is null, and was {json.dumps(CONTENT)[:100]}…"],
    ),
    "content that is written in another way": (lambda api: api.become(content=json.dumps(CONTENT, indent=1)), []),
    "what is always another": (
        lambda api: api.completion.update(id="chatcmpl-2", created=1_800_000_000, session_id="s-2"),
        [],
    ),
}


@pytest.mark.parametrize("name", VALUES)
def test_other_values_are_counted_and_listed_when_asked_for(name: str, recorded: Place, api: Api) -> None:
    change, expected = VALUES[name]
    change(api)

    counted = recorded.drift()
    listed = recorded.drift("--values")

    number = f"{len(expected)} {'value differs' if len(expected) == 1 else 'values differ'}"
    assert [counted[0], listed[0]] == [0, 0]
    assert said(counted[1]) == []
    assert counted[1].splitlines()[0].endswith(f" ({number})") == bool(expected)
    assert counted[1].endswith(f" {number}; --values lists them.\n" if expected else f" {number}.\n")
    assert said(listed[1]) == [f"value: {each}" for each in expected]


def test_an_id_in_a_document_is_a_value_like_any_other(place: Place, api: Api) -> None:
    api.content = {"id": "a", "created": 1}
    place.record(INVOICE)
    api.content = {"id": "b", "created": 2}

    _, output, _ = place.drift("--values")

    assert said(output) == ['value: content.id is "b", and was "a"', "value: content.created is 2, and was 1"]


def test_a_number_that_json_lacks_is_compared_as_a_string(recorded: Place, api: Api) -> None:
    api.content["total"] = float("nan")
    api.completion["score"] = float("inf")

    _, output, _ = recorded.drift("--format", "json", "--values")

    (fixture,) = json.loads(output, parse_constant=pytest.fail)["fixtures"]
    assert {each["place"]: each["now"] for each in fixture["shape"]} == {
        "completion.score": "string",
        "content.total": "string",
    }


def test_prose_is_a_value(place: Place, api: Api) -> None:
    api.content = "One."
    place.record(INVOICE)
    api.content = "Two."

    status, output, _ = place.drift("--values")

    assert (status, said(output)) == (0, ['value: content is "Two.", and was "One."'])


def test_a_long_list_of_differences_is_cut_and_data_is_not(recorded: Place, api: Api) -> None:
    api.content.update({f"key{number}": 1 for number in range(50)})

    _, output, _ = recorded.drift()
    _, data = recorded.data()

    assert len(said(output)) == 21
    assert said(output)[-1] == "… and 30 more"
    assert len(data["fixtures"][0]["shape"]) == 50


def test_everything_is_data_too_and_values_only_when_asked_for(recorded: Place, api: Api) -> None:
    api.completion["usage"]["credits_used"] = "2"
    api.content["invoice_id"] = "INV-2"
    path, _ = recorded.recording()

    status, data = recorded.data()
    _, with_values = recorded.data("--values")

    (fixture,) = data["fixtures"]
    shape = {
        "place": "completion.usage.credits_used",
        "recorded": "number",
        "now": "string",
        "message": "completion.usage.credits_used is a string, and was a number",
    }
    assert status == 1
    assert {**data, "fixtures": []} == {
        "same": 0,
        "differs": 1,
        "not_asked": 0,
        "fixtures": [],
        "notes": [],
    }
    assert fixture == {
        "fixture": path.relative_to(recorded.recordings).as_posix(),
        "folder": str(recorded.recordings),
        "verdict": "differs",
        "reason": None,
        "shape": [shape],
        "value_count": 1,
        "notes": [],
    }
    assert with_values["fixtures"][0]["values"] == [
        {
            "place": "content.invoice_id",
            "recorded": "INV-1",
            "now": "INV-2",
            "message": 'content.invoice_id is "INV-2", and was "INV-1"',
        }
    ]


def test_with_data_on_standard_output_the_lines_are_on_the_other(recorded: Place) -> None:
    _, output, errors = recorded.drift("--format", "json")

    assert json.loads(output)["same"] == 1
    assert errors.startswith("same       ")


def test_a_document_that_is_nowhere_is_described_and_nothing_is_asked(place: Place, api: Api) -> None:
    url = {"url": data_url(picture(7)), "filename": "scans/acme.png"}
    content = [*image_message(picture(1))[0]["content"], {"type": "image_url", "image_url": url}]  # type: ignore[misc]
    place.record({"messages": [{"role": "user", "content": content}]})

    status, output, _ = place.drift()

    known = f'{identity(picture(7))}, image/png, {len(picture(7))} bytes, "acme.png"'
    assert (status, api.bodies) == (3, [])
    assert output.startswith("not asked  ")
    assert f".json: document 2 ({known}) is in none of the folders of --documents\n" in output
    assert "0 have the recorded shape, 0 differ, 1 could not be asked." in output


def test_without_a_folder_of_documents_the_option_is_named(recorded: Place, api: Api) -> None:
    arguments = ["drift", str(recorded.recordings), "--upstream", api.url]

    result = CliRunner().invoke(main, arguments, env={"VLMRUN_API_KEY": KEY})

    assert result.exit_code == 3
    assert "is not here: --documents names its folder\n" in result.stdout


def test_the_folders_of_documents_can_stand_in_the_environment(recorded: Place, api: Api, tmp_path: Path) -> None:
    variables = {"VLMRUN_API_KEY": KEY, "VLMRUN_MOCK_UPSTREAM": api.url}
    folders = f"{tmp_path}:{recorded.documents}"

    result = CliRunner().invoke(
        main, ["drift", str(recorded.recordings)], env={**variables, "VLMRUN_MOCK_DOCUMENTS": folders}
    )

    assert result.exit_code == 0


def test_what_was_not_read_among_the_documents_is_told(recorded: Place) -> None:
    (recorded.documents / "link.png").symlink_to("/etc/hostname")

    status, _, errors = recorded.drift()

    assert (status, errors) == (
        0,
        f"{recorded.documents}/link.png is not read: it leads out of the folders of documents\n",
    )


def test_an_uploaded_file_and_an_address_are_asked_for_as_they_are(place: Place, api: Api) -> None:
    parts = [
        {"type": "input_file", "input_file": {"file_id": "file-123"}},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
    ]
    place.record({"messages": [{"role": "user", "content": parts}]})
    same = place.drift()
    api.status, api.body = 404, b'{"detail": "File not found"}'

    status, output, _ = place.drift()

    assert same[0] == 0
    assert [each.identity for each in api.requests[0].documents] == ["file:file-123", "https://example.com/a.png"]
    assert status == 1
    assert said(output)[-2:] == [
        "note: document 1 is the uploaded file file:file-123, asked for by its id; it may be gone",
        "note: document 2 is whatever is now at https://example.com/a.png",
    ]


def alter(place: Place, change: Callable[[Any], object]) -> None:
    """Change the only recording by hand."""
    path, data = place.recording()
    change(data)
    path.write_text(json.dumps(data), encoding="utf-8")


BY_HAND: dict[str, tuple[Callable[[Any], object], str]] = {
    "a match of its own": (
        lambda data: data.update(match={"domain": "document.invoice", "documents": [], "config": {}}),
        "it is no recording: its match says nothing of generation, messages, schema, json_object",
    ),
    "no match": (
        lambda data: data.update(match={}),
        "it is no recording: its match says nothing of domain, documents, generation, messages, schema, config",
    ),
    "several answers": (
        lambda data: data.update(answers=[data.pop("answer"), {"content": "x"}]),
        "it is no recording: its answer is scripted",
    ),
    "an answer that is merged": (
        lambda data: data.update(answer={"merge": {"a": 1}}),
        "it is no recording: its answer is scripted",
    ),
    "an answer of its own": (
        lambda data: data.update(answer={"content": {"a": 1}}),
        "it is no recording: its answer has no completion",
    ),
    "no status": (lambda data: data["answer"].pop("status"), "it is no recording: its answer has no status"),
    "an error of its own": (
        lambda data: data.update(answer={"error": {"status": 500}}),
        "it is no recording: its error has no body",
    ),
    "a stream": (
        lambda data: data.update(
            answer={"error": {"status": 200, "headers": {"Content-Type": "text/event-stream"}, "body": "data: 1"}}
        ),
        "its answer is a stream, and drift asks for none",
    ),
    "a refusal": (
        lambda data: data.update(answer={"error": {"status": 429, "body": {}}}),
        "its answer is a refusal (429), which cannot be asked for",
    ),
    "a secret that was taken out": (
        lambda data: data["match"]["messages"][0].update(content="the code is <redacted>"),
        "its request holds <redacted>, and what that stood for is not known",
    ),
    "another text": (
        lambda data: data["match"].update(text={"contains": "never"}),
        'its request cannot be made again: the text does not contain "never"',
    ),
    "a kind that is none": (
        lambda data: data["match"]["documents"][0].update(kind="fax"),
        "its request cannot be made again: body.messages.0.content.1: Unknown type of content part; known are text",
    ),
    "an unknown key": (lambda data: data.update(mach={}), "it does not load: mach: this key is unknown"),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_a_fixture_that_is_not_a_recording_is_skipped_with_the_reason(name: str, recorded: Place, api: Api) -> None:
    change, reason = BY_HAND[name]
    alter(recorded, change)

    status, output, _ = recorded.drift()

    assert (status, api.bodies) == (3, [])
    assert output.splitlines()[0].startswith("not asked  ")
    assert f".json: {reason}" in output.splitlines()[0]


def test_a_file_that_is_no_json_is_told_and_the_others_are_asked(recorded: Place) -> None:
    (recorded.recordings / "broken.json").write_text("{", encoding="utf-8")

    status, output, _ = recorded.drift()

    assert status == 3
    assert output.splitlines()[0].startswith(
        f"not asked  {recorded.recordings}/broken.json: it does not load: is not JSON"
    )
    assert "1 has the recorded shape, 0 differ, 1 could not be asked." in output


def test_a_recording_whose_answer_was_edited_is_compared_with_what_it_says_now(recorded: Place) -> None:
    alter(recorded, lambda data: data["answer"]["content"].update(total="12.50"))

    status, output, _ = recorded.drift()

    assert (status, said(output)) == (1, ["shape: content.total is a number, and was a string"])


def test_a_document_that_is_named_by_its_identity_alone_is_found_too(recorded: Place, api: Api) -> None:
    alter(recorded, lambda data: data["match"].update(documents=[identity(picture(1))]))

    assert recorded.drift()[0] == 0
    assert [document.media_type for document in api.requests[0].documents] == ["image/png"]


def test_a_document_that_goes_away_meanwhile_is_told(recorded: Place, api: Api) -> None:
    (candidate,) = read_all([recorded.recordings], packaged())
    found = search([recorded.documents])
    (path,) = found.paths.values()
    path.unlink()

    outcome = asyncio.run(Drift(UpstreamSettings(api.url), found, print).outcome(candidate))

    assert (outcome.verdict, outcome.reason) == ("not asked", f"{path} cannot be read: No such file or directory")


def test_a_model_in_the_match_is_the_one_that_is_asked(recorded: Place, api: Api) -> None:
    alter(recorded, lambda data: data["match"].update(model="gpt-4o-mini", metadata={"environment": "prod"}))

    assert recorded.drift()[0] == 0
    assert api.requests[0].model == "gpt-4o-mini"


def test_folders_that_overlap_are_asked_once(recorded: Place, api: Api) -> None:
    path, _ = recorded.recording()

    recorded.drift(str(path.parent), str(recorded.recordings))

    assert len(api.bodies) == 1


def test_no_recording_at_all_is_a_sentence_and_exit_status_3(place: Place, api: Api) -> None:
    status, output, errors = place.drift()

    assert (status, output, errors) == (3, "", f"There is no recording in {place.recordings}.\n")
    assert place.data()[1]["notes"] == [f"There is no recording in {place.recordings}."]
    assert api.bodies == []


def test_an_error_is_compared_by_its_status_and_the_shape_of_its_body(place: Place, api: Api) -> None:
    api.status, api.body = 422, b'{"detail": [{"msg": "no", "loc": ["body"]}], "request_id": "r-1"}'
    place.record(INVOICE, errors=True)
    api.body = b'{"detail": [{"msg": "never", "loc": ["body", 1]}], "request_id": "r-2"}'
    other_values = place.drift("--values")
    api.body = b'{"detail": "no", "request_id": "r-3"}'
    other_shape = place.drift()
    api.body = b"no"
    no_json = place.drift()
    api.status, api.body = 201, None
    success = place.drift()

    assert [status for status, _, _ in (other_values, other_shape, no_json, success)] == [1, 1, 1, 1]
    assert said(other_values[1])[0] == "shape: body.detail[].loc[] is a number or a string, and was a string"
    assert said(other_values[1])[1:] == [
        'value: body.detail[0].msg is "never", and was "no"',
        "value: the length of body.detail[0].loc is 2, and was 1",
    ]
    assert said(other_shape[1]) == ["shape: body.detail is a string, and was a list"]
    assert said(no_json[1]) == ["shape: body is text, and was JSON"]
    assert said(success[1]) == ["shape: the status is 201, and was 422"]


REFUSED: dict[str, tuple[int, dict[str, str], str]] = {
    "an unknown key": (401, {}, '401, {"detail": "no"}'),
    "no credit": (402, {}, '402, {"detail": "no"}'),
    "too many requests": (429, {"retry-after": "3600"}, '429, {"detail": "no"}'),
    "a pause": (503, {}, '503, {"detail": "no"}'),
    "a redirect": (307, {"location": "/v2"}, "307, give the target of this redirect to --upstream"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_by_the_upstream_is_not_compared(name: str, recorded: Place, api: Api) -> None:
    api.status, headers, reason = REFUSED[name]
    api.body = b'{"detail": "no"}'
    api.sent.update(headers)

    status, output, _ = recorded.drift()

    assert status == 3
    assert output.splitlines()[0].endswith(f".json: the upstream refused to answer: {reason}")
    assert len(api.bodies) == 1


def test_what_was_asked_too_soon_is_asked_again_when_the_upstream_says_so(recorded: Place, api: Api) -> None:
    api.busy = 2

    status, _, errors = recorded.drift()

    assert (status, len(api.bodies)) == (0, 3)
    assert errors == 2 * "The upstream asks to wait for 0 s.\n"


def test_an_upstream_that_stays_busy_is_asked_four_times(recorded: Place, api: Api) -> None:
    api.busy = 100

    status, output, _ = recorded.drift()

    assert (status, len(api.bodies)) == (3, 4)
    assert "the upstream refused to answer: 429, {}" in output


def test_an_upstream_that_is_down_is_named(recorded: Place) -> None:
    url = f"http://127.0.0.1:{free_port()}"

    status, output, _ = recorded.drift(url=url)

    assert status == 3
    assert f".json: Nothing came from {url}: " in output


def test_an_upstream_is_waited_for_until_the_timeout(recorded: Place, api: Api) -> None:
    api.wait = 5

    status, output, _ = recorded.drift("--timeout", "0.2")

    assert status == 3
    assert f".json: Nothing came from {api.url} within 0.2 s" in output


def test_an_answer_that_ends_early_is_compared_with_nothing(recorded: Place) -> None:
    async def chat(_: Request) -> Response:
        async def chunks() -> Any:
            yield b"{"
            await asyncio.sleep(5)

        return StreamingResponse(chunks(), 201, {"content-type": "application/json"})

    with server.running(Starlette(routes=[Route(CHAT, chat, methods=["POST"])])) as url:
        status, output, _ = recorded.drift("--timeout", "0.5", url=url)

    assert status == 3
    assert ".json: the answer ended early: " in output


def test_an_answer_that_is_nested_without_end_is_no_traceback(recorded: Place, api: Api) -> None:
    api.content = '{"a":' * 600 + "1" + "}" * 600

    status, output, _ = recorded.drift()

    assert status in (1, 3)
    assert output.startswith(("not asked  ", "differs    "))


@pytest.mark.parametrize("key", ["", "  "])
def test_without_a_key_nothing_is_asked_and_the_variable_is_named(key: str, recorded: Place, api: Api) -> None:
    status, output, errors = recorded.drift(key=key)

    assert (status, output, api.bodies) == (2, "", [])
    assert errors.splitlines()[-1] == (
        "Error: VLMRUN_API_KEY is not set: it holds the key that the real API is asked with"
    )


@pytest.mark.parametrize("key", [f"{KEY}é", f"{KEY}\nx: y", f"{KEY}\x1b"])
def test_a_key_that_cannot_be_sent_is_refused_and_not_shown(key: str, recorded: Place, api: Api) -> None:
    status, output, errors = recorded.drift(key=key)

    assert (status, output, api.bodies) == (2, "", [])
    assert errors.splitlines()[-1] == "Error: VLMRUN_API_KEY holds a character that cannot be sent in a header"
    assert KEY not in errors


def test_the_key_can_stand_nowhere_else() -> None:
    assert not [option for option in command("drift").params if "key" in (option.name or "")]


@pytest.mark.parametrize("options", [(), ("--values",), ("--format", "json"), ("--format", "json", "--values")])
def test_the_key_is_in_no_output_whatever_the_upstream_says(
    options: tuple[str, ...], recorded: Place, api: Api
) -> None:
    api.content = {**CONTENT, "invoice_id": f"the key is {KEY}", KEY: {KEY: KEY}, "due": [KEY]}
    api.completion[KEY] = [KEY]
    told = recorded.drift(*options)
    api.status, api.body = 500, f'{{"detail": "{"x" * 80} {KEY}", "{KEY}": 1}}'.encode()
    failed = recorded.drift(*options)
    api.status = 401
    refused = recorded.drift(*options)

    assert [told[0], failed[0], refused[0]] == [1, 1, 3]
    for _, output, errors in (told, failed, refused):
        assert KEY[:12] not in output + errors
        assert "<redact" in output


def test_no_line_obeys_what_the_upstream_says(recorded: Place, api: Api) -> None:
    api.content = {**CONTENT, "invoice_id": "\x9b31m\u2028", "\x9b": 1}

    _, output, _ = recorded.drift("--values")

    assert all(line.isprintable() for line in output.splitlines())
    assert "\\x9b31m\\u2028" in output


def test_the_exit_status_is_for_continuous_integration(recorded: Place, api: Api) -> None:
    command = ["drift", str(recorded.recordings), "--upstream", api.url]
    documents = ["--documents", str(recorded.documents)]

    same = run(*command, *documents, VLMRUN_API_KEY=KEY)
    not_asked = run(*command, VLMRUN_API_KEY=KEY)
    no_key = run(*command, *documents, VLMRUN_API_KEY="")
    api.content.pop("total")
    differs = run(*command, *documents, VLMRUN_API_KEY=KEY)

    ended = (same, not_asked, no_key, differs)
    assert [each.returncode for each in ended] == [0, 3, 2, 1]
    assert [each.stderr for each in (same, not_asked, differs)] == ["", "", ""]
    assert not any("Traceback" in each.stderr or KEY in each.stdout + each.stderr for each in ended)


def test_characters_that_the_terminal_cannot_show_do_not_end_the_command(recorded: Place, api: Api) -> None:
    api.content["invoice_id"] = "№ 1 — €"
    options = ["--documents", str(recorded.documents), "--values"]

    ended = run(
        "drift",
        str(recorded.recordings),
        "--upstream",
        api.url,
        *options,
        VLMRUN_API_KEY=KEY,
        PYTHONIOENCODING="latin-1",
    )

    assert (ended.returncode, ended.stderr) == (0, "")
    assert "\\u2116 1 \\u2014 \\u20ac" in ended.stdout


def test_ctrl_c_ends_the_command_quietly_and_is_no_success(recorded: Place, api: Api) -> None:
    api.wait = 60
    command = [*COMMAND, "drift", str(recorded.recordings), "--upstream", api.url]
    command += ["--documents", str(recorded.documents)]

    with subprocess.Popen(
        command,
        env=environment(VLMRUN_API_KEY=KEY),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        deadline = time.monotonic() + PATIENCE
        while not api.bodies and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=PATIENCE)

    assert (process.returncode, output, errors) == (130, "", "")
