"""What a mock is started with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from vlmrun_mock.faults import Fault
from vlmrun_mock.rate_limit import RateLimit

Unsupported: TypeAlias = Literal["ignore", "reject"]
UnknownDomain: TypeAlias = Literal["reject", "generate"]
Clock: TypeAlias = Literal["frozen", "wall"]
Ids: TypeAlias = Literal["stable", "random"]

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Settings:
    """The choices of one mock; the command line's options, by the same names.

    `fixtures` are folders, the first one winning; without `api_keys` any non-empty key is accepted; `max_body` is in
    bytes. `faults` and `rate_limit` are for each key anew.
    """

    fixtures: tuple[Path, ...] = ()
    strict: bool = False
    seed: int = 0
    unsupported: Unsupported = "ignore"
    unknown_domain: UnknownDomain = "reject"
    api_keys: frozenset[str] = frozenset()
    clock: Clock = "frozen"
    ids: Ids = "stable"
    max_body: int = 64 * MEBIBYTE
    faults: tuple[Fault, ...] = ()
    rate_limit: RateLimit | None = None
