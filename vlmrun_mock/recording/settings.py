"""How the real API is asked, and where its answers are kept."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

VLM_RUN = "https://api.vlm.run"
"""Where the real API is."""

KEY_VARIABLE = "VLMRUN_API_KEY"
"""The variable that holds the key to the real API, for tests that record and for `drift`."""

LARGEST_ANSWER = 64 * 1024 * 1024
"""How many bytes an answer of the upstream may have: as many as a request, unless an option says otherwise."""


@dataclass(frozen=True, slots=True)
class UpstreamSettings:
    """Where the upstream is, with which key it is asked, and what is written down.

    Without a `key` the client's own is sent. `timeout` is in seconds. Recordings go into the first of the `folders`,
    and errors with them if there is `record_errors`. `largest` is how many bytes an answer may have, unpacked.
    """

    address: str = VLM_RUN
    key: str | None = field(default=None, repr=False)
    timeout: float = 600.0
    folders: tuple[Path, ...] = ()
    record_errors: bool = False
    largest: int = LARGEST_ANSWER


def key_of_environment() -> str | None:
    """Return the key to the real API, or None if there is none; raises ValueError for one that cannot be sent."""
    key = os.environ.get(KEY_VARIABLE, "").strip()
    if not is_sendable(key):
        raise ValueError(f"{KEY_VARIABLE} holds a character that cannot be sent in a header")
    return key or None


def is_sendable(key: str) -> bool:
    """Return whether a key can stand in a header."""
    return key.isascii() and key.isprintable()
