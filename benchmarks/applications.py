"""The two measures of what is possible, for `uvicorn benchmarks.applications:bare` and `:json_reader`."""

from __future__ import annotations

import json

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from benchmarks.answers import completion

COMPLETION = completion("vlm-1")
ANSWER = json.dumps(COMPLETION, separators=(",", ":")).encode()
HEADERS = [(b"content-type", b"application/json"), (b"content-length", str(len(ANSWER)).encode())]


async def bare(_scope: Scope, receive: Receive, send: Send) -> None:
    """Receive the body and answer a constant: the least that a server can do."""
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": ANSWER})


async def _answer(request: Request) -> JSONResponse:
    return JSONResponse(COMPLETION | {"model": (await request.json())["model"]})


json_reader = Starlette(routes=[Route("/v1/chat/completions", _answer, methods=["POST"])])
