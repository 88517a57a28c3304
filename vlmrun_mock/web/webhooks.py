"""Sending webhooks: signed, tried again as documented, to this machine's own receivers, and spoilt by faults."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from vlmrun_mock.lazy import lazy
from vlmrun_mock.mock.faults import Fault
from vlmrun_mock.mock.mock import Mock
from vlmrun_mock.mock.webhooks import RETRIES, SIGNATURE, TIMEOUT, Attempt, Webhook, refusal, signature
from vlmrun_mock.recording import upstream

if TYPE_CHECKING:
    import httpx2
else:
    httpx2 = lazy("httpx2")

LATE = 2.0
"""How many seconds a late webhook waits, unless its fault says how long."""

PATIENCE = 2.0
"""Seconds that a webhook waits for the next one, which is to arrive before it."""

FORGED = "vlmrun-mock's wrong secret"


class Notice(msgspec.Struct, frozen=True):
    """What a receiver is to be told: where, about what, and what there is to say once it is time."""

    url: str
    kind: str
    subject: str
    content: Callable[[], dict[str, Any]]
    seconds: float = 0.0


def schedule(mock: Mock, notice: Notice | None) -> None:
    """Send a webhook, if there is a notice, beside the event loop's other work."""
    if notice is None:
        return
    task = asyncio.get_running_loop().create_task(_send(mock, notice))
    # The event loop itself keeps no task alive.
    mock.webhooks.under_way.add(task)
    task.add_done_callback(mock.webhooks.under_way.discard)


async def _send(mock: Mock, notice: Notice) -> None:
    fault = mock.webhook_fault()
    webhook = mock.webhooks.add(Webhook(notice.url, notice.kind, notice.subject, fault=fault.kind if fault else None))
    await asyncio.sleep(notice.seconds)
    webhook.body = msgspec.json.encode(notice.content())
    webhook.skipped = refusal(notice.url, mock.settings.webhook_hosts)
    if webhook.skipped:
        return
    await _hold_back(webhook, fault)
    for _ in range(2 if fault and fault.kind == "webhook-twice" else 1):
        await _deliver(mock, webhook, fault)


async def _hold_back(webhook: Webhook, fault: Fault | None) -> None:
    """Wait as a fault says: for a while, or until the next webhook was sent."""
    if fault is None:
        return
    if fault.kind == "webhook-late":
        await asyncio.sleep(fault.latency[0] or LATE)
    if fault.kind == "webhook-reordered":
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(webhook.overtaken.wait(), PATIENCE)


async def _deliver(mock: Mock, webhook: Webhook, fault: Fault | None) -> None:
    """Send a webhook until it is taken, or there is no further attempt."""
    for pause in (0.0, *RETRIES):
        await asyncio.sleep(pause)
        is_down = fault is not None and fault.kind == "webhook-down" and not webhook.attempts
        attempt = Attempt(time.time(), error="the receiver is down: an injected failure") if is_down else None
        attempt = attempt or await _attempt(mock, webhook, fault)
        webhook.attempts.append(attempt)
        mock.webhooks.overtaken_by(webhook)
        if attempt.status is not None and 200 <= attempt.status < 300:  # noqa: PLR2004 - success in HTTP
            return


async def _attempt(mock: Mock, webhook: Webhook, fault: Fault | None) -> Attempt:
    headers = {"content-type": "application/json"}
    if mock.settings.webhook_secret:
        is_forged = fault is not None and fault.kind == "webhook-forged"
        headers[SIGNATURE] = signature(webhook.body, FORGED if is_forged else mock.settings.webhook_secret)
    began = time.time()
    try:
        # Neither a proxy nor a redirection leads it elsewhere.
        async with httpx2.AsyncClient(timeout=TIMEOUT, trust_env=False, verify=upstream.certificates()) as client:
            answer = await client.post(webhook.url, content=webhook.body, headers=headers)
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as error:
        return Attempt(began, error=f"{type(error).__name__}: {error}"[:300])
    return Attempt(began, status=answer.status_code)
