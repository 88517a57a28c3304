"""The errors that a client can be answered with, and the one envelope that they share.

ApiError
├── InvalidRequest        422, FastAPI's list of problems
│   └── UnknownDomain     422, names the closest domains
├── UnsupportedParameter  400, only with `--unsupported reject`
├── Unauthenticated       401
├── NoSuchResource        404
│   └── NoFixture         404, a miss: the nearest fixture and the differences
├── MethodNotAllowed      405
├── BodyTooLarge          413
├── RateLimitExceeded     429, with `--rate-limit`
├── ScriptedError         any status, from a fixture's `error` or a fault
├── UpstreamUnreachable   502, while recording
├── UpstreamTimeout       504, while recording
├── ServerStopping        503, a request that the end of the server cut off
└── InternalError         500, a defect of the mock itself
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = [
    "ApiError",
    "BodyTooLarge",
    "InternalError",
    "InvalidRequest",
    "MethodNotAllowed",
    "NoFixture",
    "NoSuchResource",
    "Problem",
    "RateLimitExceeded",
    "ScriptedError",
    "ServerStopping",
    "Unauthenticated",
    "UnknownDomain",
    "UnsupportedParameter",
    "UpstreamTimeout",
    "UpstreamUnreachable",
]

TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "insufficient_quota",
    403: "permission_error",
    404: "not_found_error",
    422: "invalid_request_error",
    429: "rate_limit_error",
}
"""`error.type` by status. Not documented by VLM Run: OpenAI's names, so that its SDK's users find what they know."""


LONGEST_STEP = 100
"""Characters of a client's own key that a place shows."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One item of a 422's `detail`, as FastAPI writes it (documented): where, what, and pydantic's name for it."""

    loc: tuple[str | int, ...]
    msg: str
    type: str = "value_error"

    def as_json(self) -> dict[str, Any]:
        """Return the item as it stands in the body."""
        return {"type": self.type, "loc": self.place, "msg": self.msg}

    @property
    def place(self) -> list[str | int]:
        """Return `loc` with long keys shortened: an error does not repeat what was sent."""
        return [step if isinstance(step, int) else step[:LONGEST_STEP] for step in self.loc]


class ApiError(Exception):
    """A request that is answered with an error; raised anywhere, answered in one place.

    `status` is the HTTP status, `code` a stable name for programs, `message` a sentence that says what to do,
    `param` the parameter at fault, `headers` what is sent beside the body, `data` further members of `error`.
    """

    status: int = 400
    code: str = "bad_request"

    def __init__(
        self,
        message: str,
        *,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.headers = dict(headers or {})
        self.data = dict(data or {})

    @property
    def type(self) -> str:
        """Return `error.type`: OpenAI's name for this status."""
        return TYPES.get(self.status, "server_error" if self.status >= 500 else "invalid_request_error")  # noqa: PLR2004 - the HTTP status classes

    @property
    def detail(self) -> str | list[dict[str, Any]]:
        """Return the body's `detail`: the message, or for a 422 the list of problems."""
        return self.message

    def body(self, *, openai: bool) -> dict[str, Any]:
        """Return the body: `detail` always, `error` beside it below `/v1/openai/`, where OpenAI's SDKs read it."""
        if not openai:
            return {"detail": self.detail}
        error = {"message": self.message, "type": self.type, "param": self.param, "code": self.code, **self.data}
        return {"error": error, "detail": self.detail}

    def content(self, *, openai: bool) -> bytes:
        """Return the body as it is sent."""
        return json.dumps(self.body(openai=openai), ensure_ascii=False).encode()


class InvalidRequest(ApiError):
    """A body that does not validate; `problems` has at least one item."""

    status = 422
    code = "validation_error"

    def __init__(self, problems: Sequence[Problem]) -> None:
        first = problems[0]
        where = ".".join(map(str, first.place))
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        super().__init__(f"{where}: {first.msg}{more}", param=".".join(map(str, first.place[1:])) or None)
        self.problems = tuple(problems)

    @property
    def detail(self) -> list[dict[str, Any]]:
        """Return FastAPI's list."""
        return [problem.as_json() for problem in self.problems]


class UnknownDomain(InvalidRequest):
    """A domain that neither the mock nor a fixture knows."""

    code = "unknown_domain"


class UnsupportedParameter(ApiError):
    """A parameter that the API documents as not supported, under `--unsupported reject`."""

    code = "unsupported_parameter"


class Unauthenticated(ApiError):
    """No key, or not one of the keys that the server was started with."""

    status = 401
    code = "invalid_api_key"

    def __init__(self) -> None:
        super().__init__("Invalid API key", headers={"WWW-Authenticate": "Bearer"})


class NoSuchResource(ApiError):
    """A path, model or schema that does not exist."""

    status = 404
    code = "not_found"


class NoFixture(NoSuchResource):
    """A miss in strict mode; `data["miss"]` holds the nearest fixture and its differences."""

    code = "no_fixture"


class MethodNotAllowed(ApiError):
    """A path that exists, asked with another method."""

    status = 405
    code = "method_not_allowed"


class BodyTooLarge(ApiError):
    """A body over `--max-body`."""

    status = 413
    code = "body_too_large"


class RateLimitExceeded(ApiError):
    """More requests with one key than `--rate-limit` allows."""

    status = 429
    code = "rate_limit_exceeded"

    def __init__(self, limit: str, seconds: int) -> None:
        message = f"Too many requests: the limit is {limit} for a key. There is room again in {seconds} s"
        super().__init__(message, headers={"Retry-After": str(seconds)})


class ScriptedError(ApiError):
    """The error that a fixture or a fault asks for."""

    code = "scripted_error"

    def __init__(self, status: int, message: str, headers: Mapping[str, str], text: str | None = None) -> None:
        super().__init__(message, headers=headers)
        self.status = status
        self._text = text

    @property
    def detail(self) -> str | list[dict[str, Any]]:
        """Return the message; for a 422 inside FastAPI's list, which is what clients of a 422 index."""
        unprocessable = 422
        return [Problem(("body",), self.message).as_json()] if self.status == unprocessable else self.message

    def content(self, *, openai: bool) -> bytes:
        """Return the text that a fixture has for the body, else the API's own body."""
        return super().content(openai=openai) if self._text is None else self._text.encode()


class UpstreamUnreachable(ApiError):
    """Nothing came from the upstream."""

    status = 502
    code = "upstream_unreachable"


class UpstreamTimeout(ApiError):
    """Nothing came from the upstream in time."""

    status = 504
    code = "upstream_timeout"


class ServerStopping(ApiError):
    """The server was told to stop while the request was under way."""

    status = 503
    code = "server_stopping"

    def __init__(self) -> None:
        super().__init__("The server was stopped while this request was under way")


class InternalError(ApiError):
    """A defect of the mock itself; the operator's console has the traceback, the client never does."""

    status = 500
    code = "internal_error"
