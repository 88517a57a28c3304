"""The errors that a client can be answered with, and the one envelope that they share.

ApiError
├── InvalidRequest        422, FastAPI's list of problems
│   └── UnknownDomain     422, names the closest domains
├── UnsupportedParameter  400, only with `--unsupported reject`
├── Unauthenticated       401
│   └── KeyOfPastTest     401, with the pytest plugin: a client that outlived its test
├── HostNotAllowed        403, a Host that is not local
├── OriginNotAllowed      403, a web page that is not local
├── NoSuchResource        404
│   └── NoFixture         404, a miss: the nearest fixture and the differences
├── MethodNotAllowed      405
├── Conflict              409, what the inspector cannot do as things are
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

from vlmrun_mock.json_text import dotted

__all__ = [
    "ApiError",
    "BodyTooLarge",
    "Conflict",
    "HostNotAllowed",
    "InternalError",
    "InvalidRequest",
    "KeyOfPastTest",
    "MethodNotAllowed",
    "NoFixture",
    "NoSuchResource",
    "OriginNotAllowed",
    "Problem",
    "RateLimitExceeded",
    "ScriptedError",
    "ServerStopping",
    "Unauthenticated",
    "UnknownDomain",
    "UnsupportedParameter",
    "UpstreamAnswerTooLarge",
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
"""How many characters of a client's key a place shows."""


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
    """The JSON is malformed, or a value is missing or of a wrong type or size: correct the place that `loc` names.

    `problems` has at least one item.
    """

    status = 422
    code = "validation_error"

    def __init__(self, problems: Sequence[Problem]) -> None:
        first = problems[0]
        where = dotted(first.place)
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        super().__init__(f"{where}: {first.msg}{more}", param=dotted(first.place[1:]) or None)
        self.problems = tuple(problems)

    @property
    def detail(self) -> list[dict[str, Any]]:
        """Return FastAPI's list."""
        return [problem.as_json() for problem in self.problems]


class UnknownDomain(InvalidRequest):
    """Neither the mock nor a fixture knows the domain: correct it, add a fixture for it, or send a JSON schema."""

    code = "unknown_domain"


class UnsupportedParameter(ApiError):
    """The API does not support the parameter: leave it out, or serve without `--unsupported reject`."""

    code = "unsupported_parameter"


class Unauthenticated(ApiError):
    """The key is missing, or not one of those given by `--api-key`: send one that the server accepts."""

    status = 401
    code = "invalid_api_key"

    def __init__(self, message: str = "Invalid API key") -> None:
        super().__init__(message, headers={"WWW-Authenticate": "Bearer"})


class KeyOfPastTest(Unauthenticated):
    """The key belongs to a test that is over, and no test with `vlmrun_mock` runs: use `vlmrun_mock_session` there.

    Only with the pytest plugin, whose tests have a key each.
    """

    code = "test_is_over"

    def __init__(self, test: str) -> None:
        super().__init__(
            f"This client has the key of {test}, which is over, and no test with the fixture vlmrun_mock runs: let "
            "this test use vlmrun_mock, or give a client that is asked outside of tests the key of vlmrun_mock_session"
        )


class HostNotAllowed(ApiError):
    """The request is for a host that is not local: if the name is yours, allow it with `--allow-host`."""

    status = 403
    code = "host_not_allowed"

    def __init__(self, host: str) -> None:
        super().__init__(
            f"This server answers for local hosts only, and {host!r} may lead a web page here: "
            "start it with --allow-host NAME for a name of your own"
        )


class OriginNotAllowed(ApiError):
    """The request is from a web page that is not local: if the page is yours, use `--allow-origin`."""

    status = 403
    code = "origin_not_allowed"

    def __init__(self, origin: str) -> None:
        super().__init__(
            f"This server answers to local web pages only, and to its own below /_mock/, not to {origin}: "
            "start it with --allow-origin ORIGIN for a page of your own"
        )


class NoSuchResource(ApiError):
    """The path, the model or the schema does not exist: correct the name with the help of the message."""

    status = 404
    code = "not_found"


class NoFixture(NoSuchResource):
    """With `--strict`, no fixture matches: add one, or change the nearest, whose differences `error.miss` lists.

    `data["miss"]` holds them. While recording, the modes `none` and `once` raise it as well.
    """

    code = "no_fixture"


class MethodNotAllowed(ApiError):
    """The path exists, but not with this method: use one that the header `Allow` names."""

    status = 405
    code = "method_not_allowed"


class Conflict(ApiError):
    """The inspector cannot do this as things are: a file stands there, no folder is given, or nothing is kept."""

    status = 409
    code = "conflict"


class BodyTooLarge(ApiError):
    """The body is larger than `--max-body`: send less, or raise the limit."""

    status = 413
    code = "body_too_large"


class RateLimitExceeded(ApiError):
    """The key has used up what `--rate-limit` allows: wait for as many seconds as `Retry-After` says."""

    status = 429
    code = "rate_limit_exceeded"

    def __init__(self, limit: str, seconds: int) -> None:
        message = f"Too many requests: the limit is {limit} for a key. There is room again in {seconds} s"
        super().__init__(message, headers={"Retry-After": str(seconds)})


class ScriptedError(ApiError):
    """A fixture or a fault asks for this error: your application should take it like one of the real API."""

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
    """While recording, the real API gave no whole answer: check the network and `--upstream`."""

    status = 502
    code = "upstream_unreachable"


class UpstreamAnswerTooLarge(ApiError):
    """The upstream's answer has no end, or is larger than the mock takes."""

    status = 502
    code = "upstream_answer_too_large"


class UpstreamTimeout(ApiError):
    """While recording, the real API did not answer in time: try again, or raise `--timeout`."""

    status = 504
    code = "upstream_timeout"


class ServerStopping(ApiError):
    """The server was stopped while the request was under way: start it, and send the request again."""

    status = 503
    code = "server_stopping"

    def __init__(self) -> None:
        super().__init__("The server was stopped while this request was under way")


class InternalError(ApiError):
    """The mock has a defect: report it with the traceback that the server printed.

    The client never sees the traceback.
    """

    status = 500
    code = "internal_error"
