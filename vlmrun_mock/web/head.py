"""What the head of a request says, read once."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec
from starlette.types import Scope

from vlmrun_mock.redaction.credentials import credentials
from vlmrun_mock.web.keys import key_of
from vlmrun_mock.web.transport import RawHeaders

REQUEST_ID = re.compile(rb"[\x21-\x7e]{1,200}")
"""A client's own name for a request, which is sent back."""


class Head(msgspec.Struct, frozen=True, eq=False):
    """What a request's head says, with its path in the present spelling.

    Of a repeated header the last counts in `by_name`. `key` is the API key, or nothing. `named` is how the answer names
    what the client called its request, and `told` what it tells a browser whose page may read it.
    """

    method: str
    path: str
    query: bytes = b""
    headers: RawHeaders = ()
    by_name: Mapping[bytes, bytes] = {}
    key: bytes = b""
    named: RawHeaders = ()
    told: RawHeaders = ()

    def __repr__(self) -> str:
        """Return what may be shown: no header, as one has the key."""
        return f"Head({self.method!r}, {self.path!r})"

    @property
    def credentials(self) -> frozenset[str]:
        """Return the secrets in the headers and in the query."""
        return frozenset(credentials(self.headers, self.query))


NO_HEAD = Head("", "")
"""Of a request that is over: the journal keeps no headers."""


def head_of(scope: Scope) -> Head:
    """Return what the head of a request says, all but what only the allowed origins tell."""
    headers = tuple(scope["headers"])
    by_name = dict(headers)
    own = by_name.get(b"x-request-id")
    named = ((b"x-client-request-id", own),) if own and REQUEST_ID.fullmatch(own) else ()
    return Head(scope["method"], scope["path"], scope["query_string"], headers, by_name, key_of(by_name), named)
