"""The only source of randomness: numbers drawn from a seed and the facts that they belong to."""

from __future__ import annotations

import hashlib
import random
import time
import uuid
from functools import lru_cache

import msgspec

VARIANT = {digit: "89ab"[int(digit, 16) % 4] for digit in "0123456789abcdef"}
"""The digit of a UUID that names its variant, by a digit that is drawn."""


@lru_cache(maxsize=100)
def _begun(number: int, facts: tuple[str, ...]) -> hashlib._Hash:
    """Return a digest that begins with a seed's number and the first fact, which mostly says what is drawn."""
    digested = hashlib.sha256(str(number).encode())
    for fact in facts:
        encoded = fact.encode("utf-8", "surrogatepass")
        digested.update(len(encoded).to_bytes(8, "big") + encoded)
    return digested


class Seed(msgspec.Struct, frozen=True):
    """A number that, with the facts passed to its methods, decides every drawn value.

    The same number and facts give the same values in every process and on every machine:
    nothing depends on `hash()`, the clock, the locale or the order of calls.
    """

    number: int = 0

    def digest(self, *facts: str) -> bytes:
        """Return 32 bytes that depend on the seed's number and on each fact and its position."""
        digested = _begun(self.number, facts[:1]).copy()
        for fact in facts[1:]:
            encoded = fact.encode("utf-8", "surrogatepass")
            digested.update(len(encoded).to_bytes(8, "big") + encoded)
        return digested.digest()

    def random(self, *facts: str) -> random.Random:
        """Return a generator of its own for these facts."""
        return random.Random(int.from_bytes(self.digest(*facts), "big"))  # noqa: S311 - repeatable is the point

    def uuid(self, *facts: str) -> str:
        """Return a version 4 UUID for these facts; put together by hand, in a third of the time that `uuid` takes."""
        digits = self.digest(*facts).hex()
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{VARIANT[digits[16]]}{digits[17:20]}-{digits[20:32]}"


FROZEN_INSTANT = 1735689600
"""2025-01-01T00:00:00Z in seconds: the `created` of every answer, unless the clock is the wall's."""


class Stamp(msgspec.Struct, frozen=True):
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

    def moment(self) -> float:
        """Return the time of something that a client creates: as `created`, but with fractions of a second."""
        return time.time() if self.wall_clock else float(FROZEN_INSTANT)

    def session_id(self, fingerprint: str) -> str:
        """Return the session of a request that names none."""
        return str(uuid.uuid4()) if self.random_ids else self.seed.uuid("session", fingerprint)

    def completion_id(self, fingerprint: str) -> str:
        """Return `chatcmpl-` and a UUID that depends on the request's fingerprint alone, or a fresh one."""
        return f"chatcmpl-{uuid.uuid4() if self.random_ids else self.seed.uuid('completion', fingerprint)}"
