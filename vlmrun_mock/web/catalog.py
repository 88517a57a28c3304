"""What the server knows: health, models, domains and their schemas."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from vlmrun_mock import __version__
from vlmrun_mock.api.errors import InvalidRequest, NoSuchResource, Problem
from vlmrun_mock.fixtures.domains import Domain
from vlmrun_mock.lazy import lazy
from vlmrun_mock.mock.scopes import Scopes
from vlmrun_mock.seed import FROZEN_INSTANT
from vlmrun_mock.web import body
from vlmrun_mock.web.keys import authenticate, key_of, raw_headers

if TYPE_CHECKING:
    from vlmrun_mock.api import chat_body
    from vlmrun_mock.schema import gql_statement, selection
else:
    chat_body = lazy("vlmrun_mock.api.chat_body")
    gql_statement = lazy("vlmrun_mock.schema.gql_statement")
    selection = lazy("vlmrun_mock.schema.selection")

MODELS = (
    "vlm-1",
    "vlm-agent-1",
    "vlm-agent-1:auto",
    "vlm-agent-1:pro",
    "vlmrun-orion-1",
    "vlmrun-orion-1:lite",
    "vlmrun-orion-1:fast",
    "vlmrun-orion-1:auto",
    "vlmrun-orion-1:pro",
    "vlmrun-orion-2",
)
"""The documented models of the three generations."""


class Catalog:
    """The endpoints beside the main one; each needs a key, as the real ones do."""

    def __init__(self, scopes: Scopes) -> None:
        self._scopes = scopes
        self._mock = scopes.everyone

    def routes(self) -> list[Route]:
        """Return the routes, in plain sight."""
        return [
            Route("/_mock/health", self.health_of_mock),
            Route("/v1/health", self.health),
            Route("/v1/openai/health", self.health),
            Route("/v1/openai/models", self.openai_models),
            Route("/v1/openai/models/{id:path}", self.openai_model),
            Route("/v1/models", self.models),
            Route("/v1/domains", self.domains),
            Route("/v1/schema", self.schema, methods=["POST"]),
            Route("/v1/hub/info", self.hub_info),
            Route("/v1/hub/domains", self.hub_domains),
            Route("/v1/hub/schema", self.schema, methods=["POST"]),
        ]

    async def health_of_mock(self, _: Request) -> Response:
        """Say that the mock is up, to anyone."""
        fixtures = len(self._mock.fixtures)
        return JSONResponse({"status": "ok", "version": __version__, "fixtures": fixtures})

    async def health(self, request: Request) -> Response:
        """Say that the API is up; a wrong key is refused, since that is how `VLMRun(...)` checks its own."""
        if key_of(raw_headers(request.scope)):
            self._authenticate(request)
        return JSONResponse({"status": "ok"})

    async def openai_models(self, request: Request) -> Response:
        """List the models as OpenAI does."""
        self._authenticate(request)
        return JSONResponse({"object": "list", "data": [_model(name) for name in MODELS]})

    async def openai_model(self, request: Request) -> Response:
        """Describe one model as OpenAI does."""
        self._authenticate(request)
        name = request.path_params["id"]
        if name not in MODELS:
            raise NoSuchResource(f"There is no model {name[:100]!r}; the models are {', '.join(MODELS)}", param="model")
        return JSONResponse(_model(name))

    async def models(self, request: Request) -> Response:
        """List every domain with the model that serves it."""
        self._authenticate(request)
        return JSONResponse([{"model": "vlm-1", "domain": name} for name in self._mock.domains.names()])

    async def domains(self, request: Request) -> Response:
        """List every domain."""
        self._authenticate(request)
        return JSONResponse(self._described(self._mock.domains.names()))

    async def hub_domains(self, request: Request) -> Response:
        """List the domains of vlmrun-hub."""
        self._authenticate(request)
        return JSONResponse(self._described(self._mock.domains.hub["domains"]))

    async def hub_info(self, request: Request) -> Response:
        """Name the vlmrun-hub release that the schemas come from."""
        self._authenticate(request)
        return JSONResponse({"version": self._mock.domains.hub["version"]})

    async def schema(self, request: Request) -> Response:
        """Return a domain's schema, reduced to the fields of a GraphQL statement if there is one."""
        self._authenticate(request)
        asked = chat_body.validated(
            chat_body.SchemaBody,
            await body.read(raw_headers(request.scope), request.receive, self._mock.settings.max_body),
        )
        domain = self._mock.domains.get(asked.domain)
        if domain is None:
            closest = ", ".join(self._mock.domains.closest(asked.domain))
            hint = f"; closest: {closest}" if closest else ""
            raise NoSuchResource(f"Schema {asked.domain[:100]!r} not found{hint}", param="domain")
        statement = (asked.config.gql_stmt if asked.config else None) or asked.gql_stmt
        return JSONResponse(self._schema(domain, statement))

    def _schema(self, domain: Domain, statement: str | None) -> Mapping[str, Any]:
        schema = domain.schema
        if statement:
            try:
                schema = selection.select_schema(gql_statement.parse(statement), schema)
            except gql_statement.SelectionProblem as problem:
                raise InvalidRequest([Problem(("body", "config", "gql_stmt"), str(problem))]) from None
        hub = self._mock.domains.hub
        return {
            "domain": domain.id,
            "description": domain.description,
            "schema_version": hub["version"] if domain.id in hub["domains"] else __version__,
            "schema_hash": hashlib.sha256(json.dumps(schema, sort_keys=True).encode()).hexdigest()[:8],
            "gql_stmt": statement or selection.statement(schema),
            "json_schema": schema,
        }

    def _described(self, names: list[str]) -> list[dict[str, str]]:
        found = [self._mock.domains.get(name) for name in names]
        return [{"domain": domain.id, "description": domain.description} for domain in found if domain]

    def _authenticate(self, request: Request) -> None:
        authenticate(raw_headers(request.scope), self._scopes.api_keys)


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": FROZEN_INSTANT, "owned_by": "vlm-run"}
