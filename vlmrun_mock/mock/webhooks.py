"""Webhooks: what was sent to a client's receiver when something was done, and how each attempt ended."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ipaddress
from collections import deque
from collections.abc import Collection, Iterator
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec.structs import asdict

MOST_WEBHOOKS = 1_000
"""Webhooks of one key that are kept; the oldest make room."""

SIGNATURE = "X-VLMRun-Signature"
"""The documented header, which is sent where a secret is set."""

RETRIES = (1.0, 2.0)
"""Seconds before each further attempt, as documented."""

TIMEOUT = 30.0
"""Seconds that a receiver has, as documented."""


class Attempt(msgspec.Struct):
    """One attempt: when, in seconds since 1970, and the receiver's status, or why there was none."""

    time: float
    status: int | None = None
    error: str | None = None


class Webhook(msgspec.Struct):
    """One webhook. `kind` is `prediction`, `execution` or `agent`, and `subject` its id.

    `fault` names an injected failure, and `skipped` is the reason why nothing was sent. `overtaken`: a later one was.
    """

    url: str
    kind: str
    subject: str
    body: bytes = b""
    fault: str | None = None
    skipped: str | None = None
    attempts: list[Attempt] = []
    overtaken: asyncio.Event = msgspec.field(default_factory=asyncio.Event)

    @property
    def delivered(self) -> bool:
        """Return whether the receiver took it."""
        return any(each.status is not None and 200 <= each.status < 300 for each in self.attempts)  # noqa: PLR2004 - success in HTTP

    def as_json(self) -> dict[str, Any]:
        """Return the webhook as data."""
        return {
            "url": self.url,
            "kind": self.kind,
            "subject": self.subject,
            "delivered": self.delivered,
            "fault": self.fault,
            "skipped": self.skipped,
            "attempts": [asdict(each) for each in self.attempts],
        }


class Webhooks:
    """The webhooks of one key, in the order in which they were due."""

    def __init__(self) -> None:
        self._sent: deque[Webhook] = deque(maxlen=MOST_WEBHOOKS)
        self.under_way: set[asyncio.Task[None]] = set()

    def __iter__(self) -> Iterator[Webhook]:
        return iter(tuple(self._sent))

    def add(self, webhook: Webhook) -> Webhook:
        """Keep a webhook."""
        self._sent.append(webhook)
        return webhook

    def overtaken_by(self, webhook: Webhook) -> None:
        """Let those know that were due before a webhook, and wait for a later one to be sent."""
        for each in self:
            if each is webhook:
                return
            each.overtaken.set()


def signature(body: bytes, secret: str) -> str:
    """Return what the header says of a body."""
    return f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"


def refusal(url: str, allowed: Collection[str]) -> str | None:
    """Return why nothing is sent to an address, or None: it has to be this machine's own, or an allowed host's."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
        _ = parts.port
    except ValueError:
        return "it is no address"
    if parts.scheme not in ("http", "https") or not host:
        return "it is no http address"
    if _is_loopback(host) or not {host, "*"}.isdisjoint(allowed):
        return None
    return f"{host[:100]} is another machine: allow it with --webhook-host"


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
