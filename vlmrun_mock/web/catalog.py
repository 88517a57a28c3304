"""What the server knows: health, models, domains and their schemas."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from vlmrun_mock import __version__
from vlmrun_mock.api.errors import InvalidRequest, NoSuchResource, Problem
from vlmrun_mock.fixtures.domains import Domains
from vlmrun_mock.lazy import lazy
from vlmrun_mock.mock.scopes import Scopes
from vlmrun_mock.seed import FROZEN_INSTANT
from vlmrun_mock.web import body
from vlmrun_mock.web.directions import base_urls
from vlmrun_mock.web.keys import authenticate, key_of, raw_headers

if TYPE_CHECKING:
    from vlmrun_mock.api import bodies
    from vlmrun_mock.schema import gql_statement, selection
else:
    bodies = lazy("vlmrun_mock.api.bodies")
    gql_statement = lazy("vlmrun_mock.schema.gql_statement")
    selection = lazy("vlmrun_mock.schema.selection")

DOCUMENTATION = "README.md and docs/ of vlmrun-mock; `vlmrun-mock --help` lists the commands"
"""Where the documentation stands."""

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

DOMAINS_OF_MODELS = (
    "document.generative",
    "document.presentation",
    "document.invoice",
    "document.receipt",
    "document.markdown",
    "document.file",
    "document.pdf",
    "document.resume",
    "document.utility-bill",
    "video.tv-news",
    "video.tv-intelligence",
    "video.transcription",
    "audio.transcription",
    "web.ecommerce-product-catalog",
    "web.github-developer-stats",
    "web.market-research",
    "vlm-1-embeddings",
)
"""The domains that `GET /v1/models` documents, and no others: generated clients refuse any that is not among them."""


class Catalog:
    """The endpoints beside the main one; each needs a key, as the real ones do."""

    def __init__(self, scopes: Scopes) -> None:
        self._scopes = scopes
        self._mock = scopes.everyone

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/", self.front),
            Route("/_mock/health", self.health_of_mock),
            Route("/v1/health", self.health),
            Route("/v1/openai/health", self.health),
            Route("/v1/experimental/health", self.health),
            Route("/v1/openai/models", self.openai_models),
            Route("/v1/openai/models/{id:path}", self.openai_model),
            Route("/v1/models", self.models),
            Route("/v1/domains", self.domains),
            Route("/v1/schema", self.schema, methods=["POST"]),
            Route("/v1/hub/info", self.hub_info),
            Route("/v1/hub/domains", self.hub_domains),
            Route("/v1/hub/schema", self.hub_schema, methods=["POST"]),
        ]

    async def front(self, request: Request) -> Response:
        """Say what this server is, to anyone."""
        return JSONResponse(
            {
                "name": "vlmrun-mock",
                "description": "A mock of VLM Run's API",
                "version": __version__,
                "base_urls": base_urls(request.scope),
                "documentation": DOCUMENTATION,
            }
        )

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
        """Describe one model as OpenAI does: any, as chat takes any."""
        self._authenticate(request)
        return JSONResponse(_model(request.path_params["id"]))

    async def models(self, request: Request) -> Response:
        """List the documented pairs of a model and a domain."""
        self._authenticate(request)
        return JSONResponse([{"model": "vlm-1", "domain": name} for name in DOMAINS_OF_MODELS])

    async def domains(self, request: Request) -> Response:
        """List every domain."""
        self._authenticate(request)
        return JSONResponse(self._described(self._mock.domains.names()))

    async def hub_domains(self, _: Request) -> Response:
        """List the domains of vlmrun-hub, to anyone."""
        return JSONResponse(self._described(self._mock.domains.hub["domains"]))

    async def hub_info(self, _: Request) -> Response:
        """Name the vlmrun-hub release that the schemas come from, to anyone."""
        return JSONResponse({"version": self._mock.domains.hub["version"]})

    async def schema(self, request: Request) -> Response:
        """Return a domain's schema, reduced to the fields of a GraphQL statement if there is one."""
        self._authenticate(request)
        return await self.hub_schema(request)

    async def hub_schema(self, request: Request) -> Response:
        """Return the same, to anyone."""
        raw = await body.read(raw_headers(request.scope), request.receive, self._mock.settings.max_body)
        asked, _ = bodies.read(bodies.SchemaBody, raw)
        statement = (asked.config.gql_stmt if asked.config else None) or asked.gql_stmt
        domain, callers = self._mock.domains.get(asked.domain), asked.config.json_schema if asked.config else None
        if callers:
            return JSONResponse(
                described_schema(self._mock.domains, asked.domain, "The schema in the request", callers, statement)
            )
        if domain is None:
            closest = ", ".join(self._mock.domains.closest(asked.domain))
            hint = f"; closest: {closest}" if closest else ""
            raise NoSuchResource(f"Schema {asked.domain[:100]!r} not found{hint}", param="domain")
        described = described_schema(self._mock.domains, domain.id, domain.description, domain.schema, statement)
        return JSONResponse({**described, "json_sample": None if statement else domain.content})

    def _described(self, names: list[str]) -> list[dict[str, str]]:
        found = [self._mock.domains.get(name) for name in names]
        return [
            {"domain": domain.id, "name": _title(domain.id), "description": domain.description}
            for domain in found
            if domain
        ]

    def _authenticate(self, request: Request) -> None:
        authenticate(raw_headers(request.scope), self._scopes.api_keys)


def described_schema(
    domains: Domains, name: str, description: str, schema: dict[str, Any], statement: str | None
) -> dict[str, Any]:
    """Return a schema as the API describes it, reduced to the fields of a statement if there is one."""
    if statement:
        try:
            schema = selection.select_schema(gql_statement.parse(statement), schema)
        except gql_statement.SelectionProblem as problem:
            raise InvalidRequest([Problem(("body", "config", "gql_stmt"), str(problem))]) from None
    hub = domains.hub
    return {
        "domain": name,
        "description": description,
        "schema_version": hub["version"] if name in hub["domains"] else __version__,
        "schema_hash": hashlib.sha256(json.dumps(schema, sort_keys=True).encode()).hexdigest()[:8],
        "gql_stmt": statement or selection.statement(schema),
        "json_schema": schema,
        "json_sample": None,
    }


def _title(domain: str) -> str:
    """Return a domain's name for people, such as `Bank statement`."""
    return domain.rpartition(".")[2].replace("-", " ").capitalize()


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": FROZEN_INSTANT, "owned_by": "vlm-run"}
