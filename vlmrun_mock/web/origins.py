"""Who may ask: the hosts and the web pages for which the mock answers. All of this is ours.

A page on the internet that is open in a browser can reach a server on the same machine: by a form or a script that
needs no permission to send, or under a name of its own that leads here by DNS. So a request has to name a host that is
local, and one from a page has to come from a local page; below `/_mock/`, from a page of the mock itself.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Collection, Mapping
from functools import lru_cache

from vlmrun_mock.api.errors import HostNotAllowed, OriginNotAllowed
from vlmrun_mock.display import printable
from vlmrun_mock.web.transport import RawHeaders

CONTROL, OPEN = "/_mock/", ("/_mock/files/", "/_mock/uploads/", "/_mock/skills/", "/_mock/artifacts/")
"""The paths that only pages of the mock itself may ask for, and those among them that any local page may."""

SHOWN = 100
"""Characters of a client's own host or origin that an error shows."""

HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^\s:/@\\\[\]]+)(?::[0-9]{1,5})?")
WORD = re.compile(r"[a-z0-9_-]{1,63}")
LOCAL_NAMES = frozenset({"localhost", "host.docker.internal", "gateway.docker.internal", socket.gethostname().lower()})
SOURCES = ("source", "fixture", "ignored", "dialect", "called")
EXPOSED = ", ".join(("x-request-id", *(f"x-vlmrun-mock-{each}" for each in SOURCES), "retry-after"))
PREFLIGHT_SECONDS = "600"


class Origins:
    """The hosts and origins that are let in: local ones, and those that options name."""

    def __init__(self, hosts: Collection[str] = (), origins: Collection[str] = ()) -> None:
        self._hosts = frozenset(map(str.lower, hosts))
        self._origins = frozenset(origin.lower().rstrip("/") for origin in origins)
        self._is_known = lru_cache(maxsize=1_000)(self._is_host)

    def admit(self, path: str, headers: Mapping[bytes, bytes]) -> RawHeaders:
        """Return what the answer tells a browser; raises HostNotAllowed and OriginNotAllowed."""
        host = headers.get(b"host", b"")
        if host and not self._is_known(host):
            raise HostNotAllowed(printable(host.decode("latin-1"), SHOWN))
        origin = headers.get(b"origin")
        if origin is None:
            if headers.get(b"sec-fetch-site") == b"cross-site":
                raise OriginNotAllowed("another site")
            return ()
        if not self._is_origin(origin.decode("latin-1").lower(), host.decode("latin-1").lower(), path):
            raise OriginNotAllowed(printable(origin.decode("latin-1"), SHOWN))
        return (
            (b"access-control-allow-origin", origin),
            (b"access-control-expose-headers", EXPOSED.encode()),
            (b"vary", b"Origin"),
        )

    def _is_host(self, host: bytes) -> bool:
        name = _name(host.decode("latin-1").lower())
        return bool(name) and (bool({name, "*"} & self._hosts) or _is_local(name))

    def _is_origin(self, origin: str, host: str, path: str) -> bool:
        scheme, _, place = origin.partition("://")
        if origin in self._origins or "*" in self._origins or (scheme in ("http", "https") and place == host):
            return True
        return scheme in ("http", "https") and _is_for_pages(path) and _is_local(_name(place))


def _is_for_pages(path: str) -> bool:
    return not f"{path}/".startswith(CONTROL) or path.startswith(OPEN)


def preflight(headers: Mapping[bytes, bytes]) -> RawHeaders:
    """Return what a browser is told that asks before it sends."""
    asked = headers.get(b"access-control-request-headers", b"")
    told = [
        (b"access-control-allow-methods", b"GET, POST, PUT, DELETE"),
        (b"access-control-allow-headers", asked),
        (b"access-control-max-age", PREFLIGHT_SECONDS.encode()),
    ]
    if b"access-control-request-private-network" in headers:
        told.append((b"access-control-allow-private-network", b"true"))
    return tuple(told)


def is_preflight(method: str, headers: Mapping[bytes, bytes]) -> bool:
    """Return whether a browser asks what a page may send."""
    return method == "OPTIONS" and b"origin" in headers and b"access-control-request-method" in headers


def _name(host: str) -> str:
    """Return the name or the address of a host that may have a port; nothing for what is no host."""
    match = HOST.fullmatch(host)
    return match[1].strip("[]").removesuffix(".") if match else ""


def _is_local(name: str) -> bool:
    """Return whether a name is an address or local; one without a dot is, as that of a container."""
    return name in LOCAL_NAMES or name.endswith(".localhost") or bool(WORD.fullmatch(name)) or _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
