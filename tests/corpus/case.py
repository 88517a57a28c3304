"""A case of the corpus: what is sent, and to a mock with which settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

from tests.corpus.documents import PNG, data_url
from vlmrun_mock import MockServer

CHAT = "/v1/openai/chat/completions"

UPSTREAM, SILENT_UPSTREAM, NO_UPSTREAM = "<upstream>", "<silent upstream>", "http://127.0.0.1:1"
"""Settings of `upstream`: a mock with fixtures of its own, a port that never answers, and one where nobody listens."""

Folder: TypeAlias = Mapping[str, Any]
"""The files of a folder by name: bytes as they are, all else as JSON."""

WORD: list[dict[str, Any]] = [{"role": "user", "content": "Extract"}]


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request.

    The body is sent as it is if it is bytes, else as JSON, in so many pieces. It may stop before its end because the
    client leaves, or break because reading it fails. Without `with_key` no key is sent but what is in the headers.
    """

    path: str = CHAT
    body: Any = b""
    method: str = "POST"
    headers: tuple[tuple[str, str], ...] = ()
    with_key: bool = True
    pieces: int = 1
    arrives: Literal["whole", "stops", "breaks"] = "whole"


@dataclass(frozen=True, slots=True)
class Case:
    """Requests that are sent one after the other with a key of their own, to a server with these settings.

    Cases with equal settings and folders share a server, unless one needs a server `alone` because it acts on all keys.
    `prepare` does something with the server first. `lists_folder` adds what is new in the first folder.
    `on_wire`: the server listens on a port, and the requests go through a socket; `stops`: it is stopped while the
    last one is under way. `varying` are patterns of what is never the same twice, with what they are replaced by.
    """

    requests: tuple[Request, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    folders: tuple[Folder, ...] = ()
    alone: bool = False
    prepare: Callable[[MockServer], object] | None = None
    lists_folder: bool = False
    on_wire: bool = False
    stops: bool = False
    varying: Mapping[str, str] = field(default_factory=dict)


Cases: TypeAlias = dict[str, Case]


def case(*requests: Request, **further: Any) -> Case:
    """Return a case of these requests."""
    return Case(requests, **further)


def get(path: str, **further: Any) -> Request:
    """Return a request that reads something."""
    return Request(path, method="GET", **further)


def post(path: str, body: Any = b"", **further: Any) -> Request:
    """Return a request that sends something."""
    return Request(path, body, **further)


def delete(path: str, **further: Any) -> Request:
    """Return a request that deletes something."""
    return Request(path, method="DELETE", **further)


def chat(**body: Any) -> Request:
    """Return a chat completion, whose messages are one word unless they are given."""
    return Request(body={"messages": WORD, **body})


def show(*urls: str, text: str = "Extract", kind: str = "image_url") -> list[dict[str, Any]]:
    """Return the messages of a user with a text and documents at these URLs."""
    parts = [{"type": kind, kind: {"url": url}} for url in urls]
    return [{"role": "user", "content": [{"type": "text", "text": text}, *parts]}]


def extract(domain: str, *, messages: list[dict[str, Any]] | None = None, **vlmrun: Any) -> Request:
    """Return a chat completion for a domain, with a picture unless the messages are given."""
    return chat(messages=messages or show(data_url(PNG)), vlmrun={"domain": domain, **vlmrun})


def with_body(request: Request, **further: Any) -> Request:
    """Return a request with further keys in its body."""
    return replace(request, body={**request.body, **further})
