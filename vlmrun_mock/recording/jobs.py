"""The upstream's predictions and executions: asked for, read until they are done, and taken as one answer."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from vlmrun_mock.api.answer import Answer, UpstreamResponse
from vlmrun_mock.recording.settings import UpstreamSettings
from vlmrun_mock.recording.upstream import UpstreamRequest, ask

DONE = frozenset({"completed", "failed"})
SUCCESSFUL, FAILED = range(200, 300), 500

SHORTEST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
"""Seconds between two readings: the first, and the most that they grow to."""

BOUNDARY = b"vlmrun-mock-7f3c1a5e9b2d4f60"

FILES = "/v1/files"

EXECUTE = "/v1/agent/execute"

PREDICTIONS, EXECUTIONS = "/v1/predictions/", "/v1/agent/executions/"
"""Where a prediction and an execution are read."""

ENVELOPE = "prediction"
"""What the recorded answer of a prediction or an execution calls itself, where a chat's is a `chat.completion`."""


async def ask_job(
    settings: UpstreamSettings, request: UpstreamRequest, keys: Collection[str], trusted: ssl.SSLContext | None
) -> Answer:
    """Return what became of a prediction or an execution, as if it had been a completion; raises ApiError.

    What is not done in time is an error, as is what the upstream refuses.
    """
    began = time.perf_counter()
    answer = await ask_with_files(settings, replace(request, body=_without_receiver(request.body)), keys, trusted)
    job, pause = _body(answer), SHORTEST_PAUSE
    while job is not None and job.get("status") not in DONE:
        if time.perf_counter() - began > settings.timeout or "id" not in job:
            return answer
        await asyncio.sleep(pause)
        pause = min(LONGEST_PAUSE, pause * 2)
        path = request.polls + quote(str(job["id"]), safe="")
        answer = await ask(settings, replace(request, method="GET", path=path, query=b"", body=b""), keys, trusted)
        job = _body(answer)
    return answer if job is None else _outcome(job, time.perf_counter() - began)


async def ask_with_files(
    settings: UpstreamSettings, request: UpstreamRequest, keys: Collection[str], trusted: ssl.SSLContext | None
) -> Answer:
    """Return the upstream's answer to a request whose files it is sent first; raises ApiError.

    An id or a public URL that the mock gave to a file becomes the one that the upstream gives it.
    """
    names = {}
    for local, (filename, data) in request.uploads.items():
        sent = await ask(settings, _upload(request, filename, data), keys, trusted)
        told = _body(sent)
        if told is None:
            return sent
        names[local] = told.get("public_url" if local.startswith("http") else "id") or local
    if names:
        body = json.dumps(_renamed(json.loads(request.body), names), ensure_ascii=False).encode()
        request = replace(request, body=body)
    return await ask(settings, request, keys, trusted)


def asked_of(request: UpstreamRequest) -> dict[str, str]:
    """Return what a fixture keeps of the way in which a job was asked for, so that it can be asked for again."""
    name = json.loads(request.body).get("name") if request.path == EXECUTE else None
    return {"path": request.path, **({"name": name} if isinstance(name, str) and name else {})}


def is_job(completion: Mapping[str, Any]) -> bool:
    """Return whether what was recorded as a completion is the outcome of a prediction or an execution."""
    return completion.get("object") == ENVELOPE


def read_at(path: str) -> str:
    """Return where the job is read that is asked for at a path."""
    return EXECUTIONS if path == EXECUTE else PREDICTIONS


def _outcome(job: Mapping[str, Any], seconds: float) -> Answer:
    """Return what became of a job as an answer: a failure is an error."""
    told = job.get("usage")
    usage: dict[str, Any] = told if isinstance(told, dict) else {}
    if job["status"] == "failed":
        message = job.get("message") or usage.get("message") or "It failed"
        content, status = {"object": ENVELOPE, "detail": message}, FAILED
    else:
        text = json.dumps(job.get("response"), ensure_ascii=False, separators=(",", ":"))
        message = {"role": "assistant", "content": text}
        choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
        content, status = {"id": job.get("id"), "object": ENVELOPE, "choices": choices, "usage": usage}, 201
    body = json.dumps(content, ensure_ascii=False).encode()
    response = UpstreamResponse(status, {"content-type": "application/json"}, body, seconds)
    return Answer("", "upstream", upstream=response, repeatable=False)


def _body(answer: Answer) -> dict[str, Any] | None:
    """Return the object that an answer is, or None for an error and for anything else."""
    response = answer.upstream
    if response is None or response.status not in SUCCESSFUL or not response.complete:
        return None
    try:
        found = json.loads(response.body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _without_receiver(body: bytes) -> bytes:
    """Return a body without a receiver: the mock tells that one itself."""
    sent = json.loads(body)
    if isinstance(sent, dict):
        sent.pop("callback_url", None)
    return json.dumps(sent, ensure_ascii=False).encode()


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _renamed(each, names) for key, each in value.items()}
    if isinstance(value, list):
        return [_renamed(each, names) for each in value]
    return names.get(value, value) if isinstance(value, str) else value


def _upload(request: UpstreamRequest, filename: str, data: bytes) -> UpstreamRequest:
    """Return the request that sends a file; the upstream has not seen it, as the client gave it to the mock alone."""
    name = filename.encode().replace(b"\\", b"\\\\").replace(b'"', b"%22")
    head = b'--%b\r\nContent-Disposition: form-data; name="file"; filename="%b"\r\n\r\n' % (BOUNDARY, name)
    kept = tuple((key, value) for key, value in request.headers if key.lower() != b"content-type")
    headers = (*kept, (b"content-type", b"multipart/form-data; boundary=" + BOUNDARY))
    body = b"%b%b\r\n--%b--\r\n" % (head, data, BOUNDARY)
    return replace(request, body=body, headers=headers, path=FILES, query=b"purpose=assistants", listener=None)
