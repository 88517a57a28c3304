"""Artifacts: what the references in the answers of a session or an execution lead to."""

from __future__ import annotations

import json

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from vlmrun_mock.api import refs
from vlmrun_mock.api.chat_request import ChatRequest
from vlmrun_mock.api.errors import ApiError, NoSuchResource
from vlmrun_mock.documents import identity
from vlmrun_mock.json_text import strings
from vlmrun_mock.mock.artifacts import MEDIA_TYPES, SAMPLES, Namespace, listed
from vlmrun_mock.mock.mock import Mock
from vlmrun_mock.mock.scopes import Scopes
from vlmrun_mock.web import native

SAMPLE = "/_mock/artifacts/sample.png"
"""Where the address leads that an artifact of the kind `url` holds."""


LARGEST_KEPT = 8_000_000
"""Bytes of a request whose documents are kept, so that their references lead to them."""


def note(mock: Mock, chat: ChatRequest, raw: bytes, content: bytes) -> None:
    """Remember the documents of a request, and what its answer refers to, for the session that it belongs to.

    Those of vlm-1 belong to none.
    """
    if chat.extraction.generation == "vlm-1":
        return
    completion = json.loads(content)
    session = completion.get("session_id")
    if not isinstance(session, str):
        return
    extraction = chat.extraction
    artifacts = mock.resources.artifacts
    namespace = artifacts.note(session, extraction.documents, extraction.text, content.decode())
    if extraction.documents and len(raw) <= LARGEST_KEPT:
        for data in filter(None, map(identity.data_of, strings(json.loads(raw)))):
            artifacts.keep(namespace, refs.ref(identity.from_bytes(data)), data)


class HeaderName(bytes):
    """The name of a header in its own spelling: uvicorn sends what `lower` returns.

    VLM Run's Python client looks for `Content-Type` in a plain dict, and fails where it is spelt otherwise.
    """

    def lower(self) -> HeaderName:
        """Return the name as it is."""
        return self


class ArtifactResponse:
    """Raw bytes with a type that a client which minds spelling can read, and without a charset."""

    def __init__(self, data: bytes, media_type: str) -> None:
        self._data, self._media_type = data, media_type

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Send the response."""
        headers = [
            (HeaderName(b"Content-Type"), self._media_type.encode()),
            (b"content-length", str(len(self._data)).encode()),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": self._data})


class ArtifactsApi:
    """The endpoints."""

    def __init__(self, scopes: Scopes) -> None:
        self._scopes = scopes

    def routes(self) -> list[Route]:
        """Return the routes."""
        routes = [
            Route("/v1/artifacts", self.artifact),
            Route("/v1/artifacts/list", self.artifacts),
        ]
        faulty = native.with_faults(self._scopes, "artifacts", routes)
        return [
            *faulty,
            Route(SAMPLE, self.sample),
        ]

    async def artifact(self, request: Request) -> ArtifactResponse:
        """Return the bytes of an artifact."""
        mock = native.mock_of(self._scopes, request)
        query = request.query_params
        object_id, filename = query.get("object_id"), query.get("filename")
        if bool(object_id) == bool(filename):
            raise ApiError("Exactly one of object_id and filename is required")
        namespace = self._namespace(mock, request)
        ref = object_id or next(
            (each for each, doc in namespace.inputs.items() if doc and doc.filename == filename), ""
        )
        if ref not in namespace.inputs:
            raise NoSuchResource("Artifact not found")
        data, media_type = mock.resources.artifacts.read(namespace, ref, native.base_url(request) + SAMPLE)
        return ArtifactResponse(data, media_type)

    async def artifacts(self, request: Request) -> Response:
        """List the artifacts of a session or an execution."""
        namespace = self._namespace(native.mock_of(self._scopes, request), request)
        return JSONResponse({"namespace_id": namespace.id, "items": listed(namespace)})

    async def sample(self, _: Request) -> ArtifactResponse:
        """Return a picture."""
        return ArtifactResponse(SAMPLES["img"], MEDIA_TYPES["img"])

    def _namespace(self, mock: Mock, request: Request) -> Namespace:
        given = [value for name in ("session_id", "execution_id") if (value := request.query_params.get(name))]
        if len(given) != 1:
            raise ApiError("Exactly one of session_id and execution_id is required")
        namespace = mock.resources.artifacts.get(given[0])
        if namespace is None:
            raise NoSuchResource("Artifact not found: there is no such session or execution")
        return namespace
