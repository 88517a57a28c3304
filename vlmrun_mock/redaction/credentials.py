"""The credentials that a client sends with a request, wherever they stand."""

from __future__ import annotations

import base64
import contextlib
import re
from collections.abc import Iterable, Iterator
from urllib.parse import parse_qsl

CREDENTIAL = re.compile(
    r"(?:.*[-_])?(?:authorization|auth|(?:api|access|secret|private|auth|account)?[-_]?key|[a-z]*token|jwt|secret|signature"
    r"|sig|password|passwd|pwd|credentials?|session(?:[-_]?id)?|sid|sas|code)",
    re.IGNORECASE,
)
"""How a header or a parameter of the query is called that a client proves itself with."""

NO_CREDENTIAL = frozenset({"idempotency-key", "sec-websocket-key"})


def credentials(headers: Iterable[tuple[bytes, bytes]], query: bytes) -> set[str]:
    """Return the cookies and credentials of a client, in whatever header or parameter of the query they stand."""
    found = {value for name, value in parse_qsl(query.decode("latin-1")) if CREDENTIAL.fullmatch(name)}
    for raw_name, raw in headers:
        name, value = raw_name.decode("latin-1").lower(), raw.decode("utf-8", "surrogateescape").strip()
        if name == "cookie":
            found |= {value, *(crumb.partition("=")[2].strip() for crumb in value.split(";"))}
        elif CREDENTIAL.fullmatch(name) and name not in NO_CREDENTIAL:
            found |= set(_credentials(value))
    return found


def _credentials(value: str) -> Iterator[str]:
    """Yield the credentials in a header: without their scheme, and the password of basic authentication, too."""
    scheme, _, rest = value.partition(" ")
    yield rest.strip() or value
    if scheme.lower() == "basic":
        with contextlib.suppress(ValueError):
            pair = base64.b64decode(rest).decode("utf-8", "surrogateescape")
            yield from (pair, *pair.split(":", 1))
