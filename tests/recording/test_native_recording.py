"""Predictions, executions and streams are recorded from another server, and replayed strictly with another key."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from PIL import Image
from vlmrun.client import VLMRun
from vlmrun.client.exceptions import APIError
from vlmrun.client.types import AgentExecutionConfig, GenerationConfig

from tests.process import run, serving
from tests.samples import SCHEMA
from tests.serving import data_url, picture
from vlmrun_mock import MockServer

pytestmark = pytest.mark.filterwarnings("ignore:Passing inputs as a dictionary:DeprecationWarning")

INVOICE = "document.invoice"
PDF = b"%PDF-1.4 /Type /Page an invoice"
REAL_KEY = "sk-real-0123456789abcdef"
ORION = "vlmrun-orion-1:auto"


@pytest.fixture
def real() -> Iterator[MockServer]:
    """Return a server that stands for the real API: it has an answer that no other has, and takes three readings."""
    with MockServer(pending_reads=1) as server:
        server.add(INVOICE, content={"invoice_id": "REAL-1", "total_amount": 12.5})
        yield server


def client_of(url: str, key: str) -> VLMRun:
    """Return VLM Run's client."""
    return VLMRun(api_key=key, base_url=f"{url}/v1", max_retries=1)


def application(url: str, key: str, pdf: Path) -> dict[str, Any]:
    """Upload a document, have it predicted in a batch with a webhook, wait, give feedback, and ask by chat as well."""
    client = client_of(url, key)
    file = client.files.upload(pdf)
    pending = client.document.generate(
        file=file.id,
        domain=INVOICE,
        batch=True,
        config=GenerationConfig(detail="hi"),
        callback_url="https://hooks.example.com/done",
    )
    done = client.predictions.wait(pending.id, timeout=20, sleep=1)
    client.feedback.submit(done.id, notes="Thanks")
    part: Any = {"type": "image_url", "image_url": {"url": f"{file.public_url}"}}
    chat = client.agent.completions.create(
        model="vlm-1", messages=[{"role": "user", "content": [part]}], extra_body={"vlmrun": {"domain": INVOICE}}
    )
    return {
        "status": pending.status,
        "response": done.response,
        "usage": done.usage.model_dump(),
        "feedback": [item.notes for item in client.feedback.get(done.id).items],
        "chat": json.loads(chat.choices[0].message.content or ""),
    }


@pytest.fixture
def pdf(tmp_path: Path) -> Path:
    """Return the path of a document."""
    path = tmp_path / "acme.pdf"
    path.write_bytes(PDF)
    return path


def test_an_application_is_recorded_once_and_replayed_strictly_in_another_process_with_another_key(
    real: MockServer, pdf: Path, tmp_path: Path
) -> None:
    recordings = tmp_path / "recordings"
    with MockServer(fixtures=recordings, record="new", upstream=real.url, upstream_key=REAL_KEY) as recorder:
        recorded = application(recorder.url, "client-key", pdf)
    asked = [(entry.kind, entry.documents[0].identity[:7]) for entry in real.requests]

    with serving(tmp_path, "--strict", "--fixtures", str(recordings)) as process:
        replayed = application(str(process.http.base_url).rstrip("/"), "another-key", pdf)

    assert recorded["response"] == {"invoice_id": "REAL-1", "total_amount": 12.5}
    assert recorded["chat"]["invoice_id"] == "REAL-1"
    assert replayed == recorded
    assert recorded["usage"]["credits_used"] == 4
    assert asked == [("prediction", "sha256:"), ("chat", "sha256:")]
    texts = [path.read_text(encoding="utf-8") for path in recordings.rglob("*.json")]
    assert len(texts) == 2
    assert not any(secret in text for text in texts for secret in (REAL_KEY, "client-key", "an invoice"))


def uploaded_by_its_key(recorder: MockServer, pdf: Path) -> str:
    """Return the id of a file that the client itself uploads."""
    return str(client_of(recorder.url, "key").files.upload(pdf).id)


def kept_for_everyone(recorder: MockServer, pdf: Path) -> str:
    """Return the id of a file that the control API keeps for every key."""
    file = {"id": "file_of_all", "filename": pdf.name, "base64": base64.b64encode(pdf.read_bytes()).decode()}
    assert httpx.post(f"{recorder.url}/_mock/files", json=file).status_code == 201
    return "file_of_all"


@pytest.mark.parametrize("upload", [uploaded_by_its_key, kept_for_everyone])
def test_a_chat_about_an_uploaded_file_takes_the_file_to_the_real_api(
    real: MockServer, pdf: Path, tmp_path: Path, upload: Callable[[MockServer, Path], str]
) -> None:
    with MockServer(fixtures=tmp_path / "r", record="new", upstream=real.url) as recorder:
        part = {"type": "input_file", "input_file": {"file_id": upload(recorder, pdf)}}
        body = {"messages": [{"role": "user", "content": [part]}], "vlmrun": {"domain": INVOICE}}
        chat = httpx.post(f"{recorder.openai_url}/chat/completions", json=body, headers={"Authorization": "Bearer key"})

    (entry,) = real.requests
    assert chat.status_code == 201
    assert entry.documents[0].identity == f"sha256:{hashlib.sha256(PDF).hexdigest()}"
    assert "sha256:" in next((tmp_path / "r").rglob("*.json")).read_text(encoding="utf-8")


def test_a_second_prediction_of_the_same_document_is_answered_by_the_recording(
    real: MockServer, pdf: Path, tmp_path: Path
) -> None:
    with MockServer(fixtures=tmp_path / "r", record="new", upstream=real.url) as recorder:
        client = client_of(recorder.url, "key")
        first, second = (client.document.generate(file=pdf, domain=INVOICE) for _ in range(2))

    assert first.response == second.response
    assert len(real.requests) == 1


def test_an_execution_is_recorded_as_its_outcome(real: MockServer, tmp_path: Path) -> None:
    def execute(url: str) -> Any:
        client = client_of(url, "key")
        execution = client.agent.execute(name="test-agent", inputs={"question": "Who sells?"})
        return client.executions.wait(execution.id, timeout=20, sleep=1).response

    with MockServer(fixtures=tmp_path / "r", record="new", upstream=real.url) as recorder:
        recorded = execute(recorder.url)
    with MockServer(fixtures=tmp_path / "r", strict=True) as player:
        replayed = execute(player.url)

    assert recorded == replayed
    assert [entry.kind for entry in real.requests] == ["execution"]


def test_a_failure_of_the_real_api_is_one_here(real: MockServer, pdf: Path, tmp_path: Path) -> None:
    real.fail("failed", message="The scan is blank")
    real.fail(status=402, message="No credits are left")
    with MockServer(fixtures=tmp_path / "r", record="new", upstream=real.url) as recorder:
        client = client_of(recorder.url, "key")

        failed = client.document.generate(file=pdf, domain=INVOICE, batch=True)
        with pytest.raises(APIError, match="No credits are left"):
            client.document.generate(file=pdf, domain=INVOICE, batch=True)

        assert client.predictions.get(failed.id).status == "failed"
        assert client.predictions.get(failed.id).usage.message == "The scan is blank"
    assert not list((tmp_path / "r").rglob("*.json"))


def stream(url: str) -> tuple[str, dict[str, Any]]:
    """Return what a stream says, and its usage."""
    client = openai.OpenAI(base_url=f"{url}/v1/openai", api_key="key", max_retries=0)
    messages: Any = [{"role": "user", "content": "Größe"}]
    create = client.chat.completions.create
    chunks = list(create(model=ORION, messages=messages, stream=True, extra_body={"vlmrun": {"domain": INVOICE}}))
    usage = chunks[-1].usage
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks), usage.model_dump() if usage else {}


def test_a_stream_is_recorded_as_the_completion_that_it_is(real: MockServer, tmp_path: Path) -> None:
    with MockServer(fixtures=tmp_path / "r", record="new", upstream=real.url) as recorder:
        recorded = stream(recorder.url)
    with MockServer(fixtures=tmp_path / "r", strict=True) as player:
        replayed = stream(player.url)
        body = {"model": ORION, "messages": [{"role": "user", "content": "Größe"}], "vlmrun": {"domain": INVOICE}}
        headers = {"Authorization": "Bearer key"}
        plain = httpx.post(f"{player.openai_url}/chat/completions", json=body, headers=headers).json()

    (path,) = (tmp_path / "r").rglob("*.json")
    chunks = json.loads(path.read_text(encoding="utf-8"))["answer"]["chunks"]
    assert json.loads(recorded[0])["invoice_id"] == "REAL-1"
    assert sum(length for length, _ in chunks) == len(recorded[0])
    assert replayed == recorded
    assert plain["choices"][0]["message"]["content"] == recorded[0]
    assert len(real.requests) == 1


def recorded_in_every_way(url: str, pdf: Path) -> None:
    """Ask in every way in which a prediction or an execution is asked for."""
    client = client_of(url, "client-key")
    client.image.generate(images=[Image.new("RGB", (40, 30), "white")], domain=INVOICE)
    client.document.generate(url="https://example.com/a.pdf", domain=INVOICE, config=GenerationConfig(detail="hi"))
    client.document.generate(file=pdf, domain=INVOICE)
    client.document.execute(name=INVOICE, url="https://example.com/b.pdf")
    client.audio.generate(url="https://example.com/c.mp3")
    client.agent.execute(
        name="test-agent",
        inputs={
            "question": "Who?",
            "scan": {"type": "input_file", "input_file": {"file_url": "https://example.com/d"}},
        },
        config=AgentExecutionConfig(prompt="Read it.", json_schema=SCHEMA),
    )


def drift_from(folder: Path, url: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Ask a server again for what was recorded from it."""
    return run("drift", str(folder), "--upstream", url, *options, VLMRUN_API_KEY=REAL_KEY)


@pytest.mark.parametrize("offered", ["tools", "functions"])
def test_a_stream_that_calls_a_function_is_recorded_and_replayed_as_the_call(
    real: MockServer, tmp_path: Path, offered: str
) -> None:
    function = {"name": "keep", "parameters": {"type": "object", "properties": {"total": {"type": "number"}}}}
    given = {"tools": [{"type": "function", "function": function}], "functions": [function]}[offered]
    body = {"model": ORION, "messages": [{"content": "Keep it"}], "stream": True, offered: given}

    def called(url: str) -> list[dict[str, Any]]:
        text = httpx.post(f"{url}/chat/completions", json=body, headers={"Authorization": "Bearer key"}).text
        chunks = [json.loads(event[6:]) for event in text.split("\n\n") if event and "[DONE]" not in event]
        return [choice["delta"] for chunk in chunks for choice in chunk["choices"]]

    with MockServer(fixtures=tmp_path / "r", record="new", upstream=real.url) as recorder:
        recorded = called(recorder.openai_url)
    with MockServer(fixtures=tmp_path / "r", strict=True) as player:
        replayed = called(player.openai_url)

    assert any("tool_calls" in delta or "function_call" in delta for delta in recorded)
    assert replayed == recorded


def test_predictions_and_executions_are_asked_for_again_as_they_were(
    real: MockServer, pdf: Path, tmp_path: Path
) -> None:
    recordings, documents = tmp_path / "recordings", ("--documents", str(tmp_path))
    with MockServer(fixtures=recordings, record="new", upstream=real.url, upstream_key=REAL_KEY) as recorder:
        recorded_in_every_way(recorder.url, pdf)
    asked = sorted((entry.kind, entry.fingerprint) for entry in real.requests)
    sent = next(path for path in recordings.rglob("*.json") if '"image/jpeg"' in path.read_text(encoding="utf-8"))
    sent.unlink()  # the client made its bytes, and nobody has them

    drift = drift_from(recordings, real.url, *documents)
    again = sorted((entry.kind, entry.fingerprint) for entry in real.requests[len(asked) :])
    real.add(INVOICE, content={"invoice_id": "REAL-1", "total_amount": 12.5, "currency": "EUR"})
    changed = drift_from(recordings, real.url, *documents)

    assert "5 have the recorded shape, 0 differ, 0 could not be asked" in drift.stdout, drift.stdout
    assert drift.returncode == 0
    assert len(again) == 5
    assert set(again) < set(asked)
    assert changed.returncode == 1
    assert "content.currency" in changed.stdout


def test_a_picture_of_a_prediction_is_sent_again(real: MockServer, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(picture(1))
    body = {"images": [data_url(picture(1))], "domain": INVOICE}
    with MockServer(fixtures=tmp_path / "r", record="new", upstream=real.url) as recorder:
        httpx.post(f"{recorder.url}/v1/image/generate", json=body, headers={"Authorization": "Bearer key"})

    here = drift_from(tmp_path / "r", real.url, "--documents", str(tmp_path))
    away = drift_from(tmp_path / "r", real.url)

    assert (here.returncode, away.returncode) == (0, 3)
    assert "not here: --documents names its folder" in away.stdout


def test_a_recording_of_a_prediction_that_does_not_say_how_it_was_asked_for_is_left_out(
    real: MockServer, pdf: Path, tmp_path: Path
) -> None:
    with MockServer(fixtures=tmp_path / "r", record="new", upstream=real.url) as recorder:
        client_of(recorder.url, "key").document.generate(file=pdf, domain=INVOICE)
    (path,) = (tmp_path / "r").rglob("*.json")
    recording = json.loads(path.read_text(encoding="utf-8"))
    del recording["asked"]
    path.write_text(json.dumps(recording), encoding="utf-8")

    check, drift = run("check", str(tmp_path / "r")), drift_from(tmp_path / "r", real.url)

    assert check.returncode == 0, check.stdout
    assert drift.returncode == 3
    assert "it does not say how its prediction was asked for: record it again" in drift.stdout


def test_a_recorded_stream_has_its_chunks_again_and_its_pace_where_it_is_wanted(tmp_path: Path) -> None:
    content = '{"a": "fünf", "b": 1}'
    answer = {"content": content, "chunks": [[5, 300], [len(content) - 5, 400]]}
    (tmp_path / "a.json").write_text(json.dumps({"match": {"domain": INVOICE}, "answer": answer}), encoding="utf-8")
    body = {"model": ORION, "messages": [{}], "vlmrun": {"domain": INVOICE}, "stream": True}
    seen: dict[str, tuple[list[str], float]] = {}

    for latency in ("scripted", "recorded"):
        with MockServer(fixtures=tmp_path, latency=latency) as player:
            began = time.monotonic()
            headers = {"Authorization": "Bearer key"}
            text = httpx.post(f"{player.openai_url}/chat/completions", json=body, headers=headers).text
            chunks = [json.loads(event[6:]) for event in text.split("\n\n") if event and "[DONE]" not in event]
            said = [chunk["choices"][0]["delta"].get("content") for chunk in chunks]
            seen[latency] = [each for each in said if each], time.monotonic() - began

    assert seen["scripted"][0] == seen["recorded"][0] == [content[:5], content[5:]]
    assert seen["recorded"][1] >= 0.6


def test_a_stream_is_passed_on_while_it_comes_and_replayed_at_its_pace(tmp_path: Path) -> None:
    fixture = {"match": {}, "answer": {"content": "one two three four five six"}}
    upstream = MockServer(chunks_per_second=4, fixtures=[fixture])
    body = {"model": ORION, "messages": [{"content": "Count"}], "stream": True}
    headers = {"Authorization": "Bearer key"}

    def arrivals(url: str) -> tuple[str, list[float]]:
        said, times = "", []
        with httpx.stream("POST", f"{url}/v1/openai/chat/completions", json=body, headers=headers) as answer:
            for line in answer.iter_lines():
                if line and "[DONE]" not in line:
                    said += json.loads(line[6:])["choices"][0]["delta"].get("content") or ""
                    times.append(time.monotonic())
        return said, [each - times[0] for each in times]

    with upstream, MockServer(fixtures=tmp_path / "r", record="new", upstream=upstream.url) as recorder:
        recorded, passed = arrivals(recorder.url)
    with MockServer(fixtures=tmp_path / "r", strict=True, latency="recorded") as player:
        replayed, again = arrivals(player.url)

    assert recorded == replayed == "one two three four five six"
    assert passed[-1] > 0.3  # it came over time, and not at once
    assert again[-1] > 0.2
