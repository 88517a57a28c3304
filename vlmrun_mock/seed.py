"""The only source of randomness: numbers drawn from a seed and the facts that they belong to."""

from __future__ import annotations

import hashlib
import random
import time
import uuid
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Seed:
    """A number that, with the facts passed to its methods, decides every drawn value.

    The same number and facts give the same values in every process and on every machine:
    nothing depends on `hash()`, the clock, the locale or the order of calls.
    """

    number: int = 0

    def digest(self, *facts: str) -> bytes:
        """Return 32 bytes that depend on the seed's number and on each fact and its position."""
        state = hashlib.sha256(str(self.number).encode())
        for fact in facts:
            encoded = fact.encode("utf-8", "surrogatepass")
            state.update(len(encoded).to_bytes(8, "big"))
            state.update(encoded)
        return state.digest()

    def random(self, *facts: str) -> random.Random:
        """Return a generator of its own for these facts."""
        return random.Random(int.from_bytes(self.digest(*facts), "big"))  # noqa: S311 - repeatable is the point

    def uuid(self, *facts: str) -> uuid.UUID:
        """Return a version 4 UUID for these facts."""
        return uuid.UUID(bytes=self.digest(*facts)[:16], version=4)


FROZEN_INSTANT = 1735689600
"""2025-01-01T00:00:00Z in seconds: the `created` of every answer, unless the clock is the wall's."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """When a completion was made and what it is called: constant for a request, unless asked to be real."""

    seed: Seed
    wall_clock: bool = False
    random_ids: bool = False

    @property
    def repeatable(self) -> bool:
        """Return whether the same request gets the same stamp."""
        return not (self.wall_clock or self.random_ids)

    def created(self) -> int:
        """Return `created`, in seconds since 1970."""
        return int(time.time()) if self.wall_clock else FROZEN_INSTANT

    def completion_id(self, fingerprint: str) -> str:
        """Return `chatcmpl-` and a UUID that depends on the request's fingerprint alone, or a fresh one."""
        return f"chatcmpl-{uuid.uuid4() if self.random_ids else self.seed.uuid('completion', fingerprint)}"
