"""Agents and their executions."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from vlmrun_mock.api import dates, orion
from vlmrun_mock.api.answer import Answer
from vlmrun_mock.api.chat_request import ChatRequest
from vlmrun_mock.api.errors import ApiError, InvalidRequest, NoSuchResource, Problem
from vlmrun_mock.api.prediction import Outcome, failed, usage
from vlmrun_mock.api.request import CallerSchema, ExtractionRequest
from vlmrun_mock.lazy import lazy
from vlmrun_mock.mock.agents import Agent
from vlmrun_mock.mock.faults import Fault
from vlmrun_mock.mock.jobs import Job
from vlmrun_mock.mock.mock import Mock
from vlmrun_mock.mock.scopes import Scopes
from vlmrun_mock.web import body as http_body
from vlmrun_mock.web import extraction, native, webhooks
from vlmrun_mock.web.keys import raw_headers
from vlmrun_mock.web.predictions import journalled
from vlmrun_mock.web.request_log import RequestLog
from vlmrun_mock.web.webhooks import Notice

if TYPE_CHECKING:
    from vlmrun_mock.api import execution_parser, native_bodies
    from vlmrun_mock.api.execution_parser import Execution
else:
    execution_parser = lazy("vlmrun_mock.api.execution_parser")
    native_bodies = lazy("vlmrun_mock.api.native_bodies")

CREATED = 201

NAME = re.compile(r"[\w.@/ -]{1,200}(?::[\w.-]{1,100})?")
"""How an agent is called, with its version."""

SHOWN = 100


class ExecutionEndpoint:
    """`POST /v1/agent/execute`, as an ASGI application."""

    def __init__(self, scopes: Scopes) -> None:
        self._scopes = scopes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; raises ApiError for the handler in the middleware."""
        log: RequestLog = scope["state"]["log"]
        mock = journalled(self._scopes, scope, log)
        raw = await http_body.read(raw_headers(scope), receive, mock.settings.max_body)
        extraction.limit(mock)
        execution = await _parsed(raw, log, receive)
        asked = extraction.begin(mock, log, _of_agent(mock, execution), "execution")
        asked = await extraction.recognised(mock, log, asked, raw)
        fault = await extraction.strike(mock, log, asked, receive, "executions", batch=True)
        original = extraction.original(mock, scope, raw, execution.extraction)
        answer = await extraction.answer(mock, asked, original)
        created = mock.stamp.moment()
        job = Job(
            id=mock.ids.next("execution", execution.name, asked.fingerprint),
            family="execution",
            created=created,
            created_at=dates.written(created),
            outcome=_outcome(mock, asked, answer, fault),
            name=execution.name,
            mode=execution.mode,
        )
        mock.jobs.add(job, done=False, seconds=answer.latency)
        mock.resources.artifacts.note(job.id, asked.documents, asked.text, answer.text)
        content = msgspec.json.encode(extraction.without(written(job), fault))
        try:
            await extraction.response(answer, content, CREATED, fault, log).send(send, receive)
        finally:
            webhooks.schedule(mock, _notice(mock, execution, job, answer.latency))


def _notice(mock: Mock, execution: Execution, job: Job, seconds: float) -> Notice | None:
    """Return the webhook that tells of an execution when it is done, if there is a receiver."""
    if execution.callback_url is None:
        return None

    def content() -> dict[str, Any]:
        job.finish(mock.stamp.moment())
        return written(job)

    return Notice(execution.callback_url, "execution", job.id, content, seconds)


async def _parsed(raw: bytes, log: RequestLog, receive: Receive) -> Execution:
    try:
        return await http_body.parsed(execution_parser.parse, raw, receive)
    except InvalidRequest:
        log.entry = msgspec.structs.replace(log.entry, kind="execution", digest=await http_body.digest(raw))
        raise


def _of_agent(mock: Mock, execution: Execution) -> ExtractionRequest:
    """Return what is asked for, with the domain that the agent's name stands for, or the agent's schema."""
    asked = mock.with_skills(execution.extraction)
    if mock.knows(execution.name):
        asked = msgspec.structs.replace(asked, domain=execution.name)
    agent = mock.resources.agents.named(execution.name) if execution.name else None
    if asked.schema is None and asked.domain is None and agent and agent.schema:
        asked = msgspec.structs.replace(asked, schema=CallerSchema(agent.schema, ()))
    return asked


def _outcome(mock: Mock, asked: ExtractionRequest, answer: Answer, fault: Fault | None) -> Outcome:
    if answer.error or (fault is not None and fault.kind == "failed"):
        return failed(answer.error.message if answer.error else fault.message if fault else "")
    text = extraction.spoilt(answer.text, mock, asked, fault)
    try:
        response = json.loads(text)
    except ValueError:
        response = text
    response = response if isinstance(response, dict) else {"content": response}
    pages = len(asked.documents)
    return Outcome(
        "completed",
        response,
        {
            **usage(elements_processed=pages, credits_used=orion.credits_of(ChatRequest(asked)), steps=1),
            **extraction.recorded_usage_of(answer),
        },
    )


def written(job: Job) -> dict[str, Any]:
    """Return an execution as it is now."""
    return {
        "id": job.id,
        "name": job.name,
        "created_at": job.created_at,
        "status": job.status,
        "execution_mode": job.mode,
        **job.result,
    }


class AgentsApi:
    """The endpoints."""

    def __init__(self, scopes: Scopes) -> None:
        self._scopes = scopes

    def routes(self) -> list[Route]:
        """Return the routes; n8n looks an agent up by a GET with a body."""
        agents = [
            Route("/v1/agent", self.agents),
            Route("/v1/agent/lookup", self.lookup, methods=["GET", "POST"]),
            Route("/v1/agent/create", self.create, methods=["POST"]),
            Route("/v1/agents/{id}", self.agent),
        ]
        reads = [
            Route("/v1/agent/executions", self.executions),
            Route("/v1/agent/executions/{id}", self.execution),
        ]
        return [
            Route("/v1/agent/execute", ExecutionEndpoint(self._scopes), methods=["POST"]),
            *native.with_faults(self._scopes, "agents", agents),
            *native.with_faults(self._scopes, "reads", reads),
        ]

    async def agents(self, request: Request) -> Response:
        """List the agents, the newest first, all of them."""
        mock = native.mock_of(self._scopes, request)
        return JSONResponse([_described(agent) for agent in mock.resources.agents.newest_first()])

    async def agent(self, request: Request) -> Response:
        """Return an agent by its id."""
        agent = native.mock_of(self._scopes, request).resources.agents.get(request.path_params["id"])
        if agent is None:
            raise NoSuchResource("Agent not found")
        return JSONResponse(_described(agent))

    async def lookup(self, request: Request) -> Response:
        """Return an agent by its id, its name or its prompt."""
        mock = native.mock_of(self._scopes, request)
        asked, _ = await native.read(native_bodies.LookupBody, request, mock)
        agents = mock.resources.agents
        if asked.id:
            agent = agents.get(asked.id)
        elif asked.name:
            if not NAME.fullmatch(asked.name):
                raise ApiError(f"{asked.name[:SHOWN]!r} is no agent's name: write name or name:version")
            agent = agents.named(asked.name)
        elif asked.prompt:
            agent = agents.prompted(asked.prompt)
        else:
            raise ApiError("Either id, name or prompt is required")
        if agent is None:
            raise NoSuchResource("Agent not found")
        return JSONResponse(_described(agent))

    async def create(self, request: Request) -> Response:
        """Keep a new agent."""
        mock = native.mock_of(self._scopes, request)
        asked, _ = await native.read(native_bodies.AgentBody, request, mock)
        callback_url = native_bodies.callback(asked.callback_url)
        if not asked.config.prompt:
            raise InvalidRequest([Problem(("body", "config", "prompt"), "Field required", "missing")])
        schema = asked.config.json_schema or mock.resources.skills.schema_of(
            asked.config.skills, strict=mock.settings.strict
        )
        agent_id = mock.ids.next("agent", asked.name or "", asked.config.prompt)
        agent = Agent(
            id=agent_id,
            name=asked.name or f"agent-{agent_id[:8]}",
            description=asked.config.prompt.split("\n")[0][:200],
            prompt=asked.config.prompt,
            schema=schema,
            sample=None,
            created=mock.stamp.moment(),
        )
        mock.resources.agents.add(agent)
        told = {key: value for key, value in _described(agent).items() if key in CREATION}
        if callback_url:
            webhooks.schedule(mock, Notice(callback_url, "agent", agent.id, lambda: told))
        return JSONResponse(told, status_code=CREATED)

    async def executions(self, request: Request) -> Response:
        """List the executions, the newest first, without counting it as a reading."""
        return JSONResponse([written(job) for job in native.jobs(self._scopes, request, "execution")])

    async def execution(self, request: Request) -> Response:
        """Return an execution, which comes on by being read."""
        return JSONResponse(written(native.job(self._scopes, request, "execution")))


CREATION = ("id", "name", "created_at", "updated_at", "status")
"""The keys of an agent that the answer to its creation has."""


def _described(agent: Agent) -> dict[str, Any]:
    return {
        "id": agent.id,
        "name": agent.name,
        "description": agent.description,
        "prompt": agent.prompt,
        "json_schema": agent.schema,
        "json_sample": agent.sample,
        "created_at": dates.written(agent.created),
        "updated_at": dates.written(agent.created),
        "status": "completed",
    }
