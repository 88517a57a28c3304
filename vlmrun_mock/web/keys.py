"""API keys: where a request carries one, and whether it is accepted."""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from starlette.types import Scope

from vlmrun_mock.api.errors import Unauthenticated


def raw_headers(scope: Scope) -> Mapping[bytes, bytes]:
    """Return a request's headers by lower-case name, as the middleware read them; of a repeated one the last counts."""
    headers: Mapping[bytes, bytes] = scope["state"]["headers"]
    return headers


def key_of(headers: Mapping[bytes, bytes]) -> bytes:
    """Return the key of a request, or nothing.

    `Authorization: Bearer` is documented, `X-Api-Key` is what the documented error page and the clients of 2024 use.
    """
    scheme, _, credentials = headers.get(b"authorization", b"").partition(b" ")
    if scheme.lower() == b"bearer" and credentials.strip():
        return credentials.strip()
    return headers.get(b"x-api-key", b"").strip()


def authenticate(headers: Mapping[bytes, bytes], accepted: frozenset[str]) -> bytes:
    """Return the key; raises Unauthenticated unless it is an accepted one. Where none is set, any key is."""
    return admitted(key_of(headers), accepted)


def admitted(key: bytes, accepted: frozenset[str]) -> bytes:
    """Return the key that a request was found to have; raises Unauthenticated as `authenticate` does."""
    if not key:
        raise Unauthenticated
    if accepted and not any(hmac.compare_digest(key, known.encode("utf-8", "surrogateescape")) for known in accepted):
        raise Unauthenticated
    return key
