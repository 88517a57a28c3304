"""Injected failures: what goes wrong, for which requests, and how often."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from threading import Lock
from typing import Literal, TypeAlias, get_args

import msgspec
from msgspec.structs import replace

from vlmrun_mock.seed import Seed

RequestFault: TypeAlias = Literal[
    "error",
    "latency",
    "disconnect",
    "disconnect-midway",
    "truncate",
    "truncate-undeclared",
    "invalid-json",
    "invalid-schema",
    "empty-choices",
    "no-usage",
    "hang",
    "failed",
    "cut-at-start",
    "cut-in-character",
    "error-event",
    "no-done",
    "stall",
]
WebhookFault: TypeAlias = Literal[
    "webhook-late",
    "webhook-twice",
    "webhook-reordered",
    "webhook-forged",
    "webhook-down",
]
FaultKind: TypeAlias = Literal[RequestFault, WebhookFault]
KINDS: tuple[RequestFault, ...] = get_args(RequestFault)
WEBHOOK_KINDS: tuple[WebhookFault, ...] = get_args(WebhookFault)

RouteFamily: TypeAlias = Literal[
    "chat", "predictions", "executions", "reads", "files", "agents", "skills", "artifacts", "feedback", "trainings"
]
"""A family of routes; `reads` is where predictions and executions are read."""

ANSWERING: tuple[RouteFamily, ...] = ("chat", "predictions", "executions")
"""The families that a fault strikes which names none."""

DEFAULT_MESSAGE = "An injected failure"


class Fault(msgspec.Struct, frozen=True):
    """One way to fail, and when.

    `kind` is what goes wrong; `status`, `message` and `headers` belong to `error`, `message` also to others.
    `latency` is a range in seconds, from which is drawn how long to wait first, whatever the kind. `domain` limits the
    fault to requests for one. `times` is how many requests it strikes (None: all), `every` lets it strike only each
    Nth, `share` a drawn part. `route` limits it to a family of routes; without one it strikes what asks for answers.
    """

    kind: FaultKind = "error"
    status: int = 500
    message: str = DEFAULT_MESSAGE
    headers: Mapping[str, str] = {}
    latency: tuple[float, float] = (0.0, 0.0)
    domain: str | None = None
    route: RouteFamily | None = None
    times: int | None = 1
    every: int = 1
    share: float = 1.0

    def __str__(self) -> str:
        """Return the fault in a few words, such as `error 429 for document.invoice, 2 times`."""
        what = f"error {self.status}" if self.kind == "error" else self.kind
        shortest, longest = (f"{seconds * 1000:.0f}" for seconds in self.latency)
        milliseconds = shortest if shortest == longest else f"{shortest} to {longest}"
        waits = f" {'of' if what == 'latency' else 'after'} {milliseconds} ms" if self.latency[1] else ""
        domain = f" for {self.domain}" if self.domain else ""
        domain += f" on {self.route}" if self.route else ""
        return f"{what}{waits}{domain}, {', '.join(self._often())}"

    def _often(self) -> Iterator[str]:
        if self.every > 1:
            yield f"1 request in {self.every}"
        if self.share < 1:
            yield f"{self.share * 100:g}% of requests"
        if self.times is not None:
            yield "once" if self.times == 1 else f"{self.times} times"
        elif self.every == 1 and self.share == 1:
            yield "always"


class ArmedFault(msgspec.Struct):
    """A fault with the requests that it has seen and struck so far."""

    fault: Fault
    seen: int = 0
    struck: int = 0


class FaultScript:
    """Faults in the order in which they were added: of those that are due, the first strikes.

    What is drawn depends on the seed, a fault's place and how many requests it has seen: same seed, same faults.
    """

    def __init__(self, seed: Seed, faults: Sequence[Fault] = ()) -> None:
        self._seed = seed
        self._lock = Lock()
        self._armed = [ArmedFault(fault) for fault in faults]

    def __len__(self) -> int:
        return len(self._armed)

    @property
    def live(self) -> bool:
        """Return whether a fault may strike yet."""
        return bool(self._armed) and any(armed.struck != armed.fault.times for armed in self._armed)

    @property
    def armed(self) -> tuple[ArmedFault, ...]:
        """Return every fault, spent ones included."""
        return tuple(self._armed)

    def add(self, fault: Fault) -> None:
        """Arm a fault."""
        with self._lock:
            self._armed.append(ArmedFault(fault))

    def clear(self) -> None:
        """Disarm all."""
        with self._lock:
            self._armed = []

    def draw(self, domain: str | None, route: RouteFamily | None = "chat") -> Fault | None:
        """Return the fault that strikes the next request for a domain, its latency drawn; None if none does.

        Without a route it is a webhook that is struck.
        """
        if not self._armed:
            return None
        with self._lock:
            for place, armed in enumerate(self._armed):
                if _is_about(armed.fault, route) and self._strikes(armed, place, domain):
                    armed.struck += 1
                    return self._drawn(armed, place)
        return None

    def _strikes(self, armed: ArmedFault, place: int, domain: str | None) -> bool:
        fault = armed.fault
        if fault.domain not in (None, domain) or armed.struck == fault.times:
            return False
        armed.seen += 1
        if armed.seen % fault.every:
            return False
        return fault.share >= 1 or self._seed.random("fault", str(place), str(armed.seen)).random() < fault.share

    def _drawn(self, armed: ArmedFault, place: int) -> Fault:
        shortest, longest = armed.fault.latency
        if shortest == longest:
            return armed.fault
        latency = self._seed.random("latency", str(place), str(armed.seen)).uniform(shortest, longest)
        return replace(armed.fault, latency=(latency, latency))


def _is_about(fault: Fault, route: RouteFamily | None) -> bool:
    """Return whether a fault strikes a family of routes, or webhooks."""
    if fault.kind in WEBHOOK_KINDS or route is None:
        return fault.kind in WEBHOOK_KINDS and route is None
    return fault.route == route if fault.route else route in ANSWERING
