"""Feedback on predictions, executions and chats."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from vlmrun_mock.api import dates
from vlmrun_mock.api.errors import ApiError, NoSuchResource
from vlmrun_mock.lazy import lazy
from vlmrun_mock.mock.mock import Mock
from vlmrun_mock.mock.scopes import Scopes
from vlmrun_mock.web import native

if TYPE_CHECKING:
    from vlmrun_mock.api import native_bodies
else:
    native_bodies = lazy("vlmrun_mock.api.native_bodies")

KINDS = {"request": "request_id", "agent_execution": "agent_execution_id", "chat": "chat_id"}
"""What feedback is about, and the key that holds the id of it."""

SAMPLE = re.compile(r"(?:pred|exec|chat)_\w{1,100}", re.ASCII)
"""The ids that the Node client's own tests make up."""

CHAT = re.compile(r"chatcmpl-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")


class FeedbackApi:
    """The endpoints."""

    def __init__(self, scopes: Scopes) -> None:
        self._scopes = scopes

    def routes(self) -> list[Route]:
        """Return the routes."""
        routes = [
            Route("/v1/feedback/submit", self.submit, methods=["POST"]),
            Route("/v1/experimental/feedback/submit", self.submit, methods=["POST"]),
            Route("/v1/feedback/{id}", self.feedback),
        ]
        return native.with_faults(self._scopes, "feedback", routes)

    async def submit(self, request: Request) -> Response:
        """Keep feedback."""
        mock = native.mock_of(self._scopes, request)
        asked, _ = await native.read(native_bodies.FeedbackBody, request, mock)
        about = {name: getattr(asked, name) for name in KINDS.values()}
        given = [each for each in about.values() if each]
        if len(given) != 1:
            raise ApiError(f"Exactly one of {', '.join(about)} is required")
        if asked.response is None and asked.notes is None:
            raise ApiError("Either response or notes is required")
        _check(mock, given[0])
        feedback_id = mock.ids.next("feedback", given[0])
        told = {"id": feedback_id, **about, "created_at": dates.written(mock.stamp.moment())}
        mock.resources.feedback.add(feedback_id, {**told, "response": asked.response, "notes": asked.notes})
        return JSONResponse(told)

    async def feedback(self, request: Request) -> Response:
        """List the feedback on something, the newest first."""
        mock = native.mock_of(self._scopes, request)
        about = request.path_params["id"]
        with native.query(request) as query:
            key, page = KINDS[query.word("type", tuple(KINDS), "request")], query.page(skipped="offset")
        _check(mock, about)
        items = [each for each in mock.resources.feedback.newest_first() if each[key] == about]
        ids: dict[str, Any] = {name: about if name == key else None for name in KINDS.values()}
        return JSONResponse({**ids, "items": page.of(items)})


def _check(mock: Mock, name: str) -> None:
    """Raise NoSuchResource for an id that no client was told."""
    known = mock.jobs.get("prediction", name) or mock.jobs.get("execution", name)
    if not (known or CHAT.fullmatch(name) or SAMPLE.fullmatch(name)):
        raise NoSuchResource("Request not found")
