"""What looks like a secret in a text or a JSON value, so that none is written down."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias
from urllib.parse import quote

REPLACEMENT = "<redacted>"

SHORTEST_KEY = 8
"""How many characters a key has at least: a shorter one, such as `local`, is a placeholder, and may be a word."""

KINDS: Mapping[str, re.Pattern[str]] = {
    "a bearer token": re.compile(r"\bBearer\s+(?=[^\s\"]{0,200}\d)[\w.~+/-]{16,}=*", re.IGNORECASE | re.ASCII),
    "a password": re.compile(r"\bBasic\s+(?=[^\s\"]{0,200}[\d=])[A-Za-z0-9+/]{12,}=*", re.ASCII),
    "a JSON Web Token": re.compile(r"\beyJ[\w-]{8,1000}\.eyJ[\w-]{8,8000}\.[\w-]{8,}", re.ASCII),
    "an API key": re.compile(r"\b(?:sk|pk|rk|vlm|vlmrun)[-_](?=[\w-]{0,200}\d)[\w-]{16,}", re.ASCII),
    "a GitHub token": re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{22,})", re.ASCII),
    "a GitLab token": re.compile(r"\bglpat-[\w-]{20,}", re.ASCII),
    "a Slack token": re.compile(r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}", re.ASCII),
    "a Hugging Face token": re.compile(r"\bhf_[A-Za-z0-9]{30,}", re.ASCII),
    "a Google API key": re.compile(r"\bAIza[\w-]{35}", re.ASCII),
    "an AWS access key": re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b", re.ASCII),
    "a private key": re.compile(
        r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----(?:.*?-----END (?:[A-Z]+ )*PRIVATE KEY-----)?", re.DOTALL
    ),
    "a signed URL": re.compile(
        r"(?<=[?&])(?:X-Amz-(?:Signature|Credential|Security-Token)|X-Goog-(?:Signature|Credential)|Signature|AWSAccessKeyId|sig"
        r"|access_token|auth_token|api_?key)=[^&\s\"#]{8,}"
        r"|(?<=[?&])(?:key|token)=(?=[^&\s\"#]{0,200}\d)[^&\s\"#]{16,}",
        re.IGNORECASE,
    ),
    "a password in a URL": re.compile(r"(?<=://)[^/\s:@\"]+:[^/\s@\"]+(?=@)"),
}
"""What gives a secret away by its looks alone."""

NAMES = re.compile(
    r"(?:x-)?(?:api[-_]?key|proxy-authorization|set-cookie|passw(?:or)?d|client[-_]?secret|secret[-_]?key"
    r"|(?:access|auth|bearer|refresh|security|session)[-_]?token|private[-_]?key)",
    re.IGNORECASE,
)
"""What the key of an object is called whose text is a secret."""

SHORTEST = 6
"""How many characters the text of such a key has at least, to be one."""

Place: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Secret:
    """Something that looks like a secret: where it stands in a JSON value, and what it looks like."""

    place: Place
    kind: str


def found_in(value: Any, place: Place = ()) -> Iterator[Secret]:
    """Yield what looks like a secret in a JSON value, keys of objects included."""
    if isinstance(value, Mapping):
        for key, child in value.items():
            at = (*place, key)
            yield from (Secret(at, kind) for kind in _kinds_in_key(key))
            if _is_named(key, child):
                yield Secret(at, f"the value of {key!r}")
            else:
                yield from found_in(child, at)
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from found_in(child, (*place, index))
    elif isinstance(value, str):
        yield from (Secret(place, kind) for kind in _kinds(value))


def _kinds(text: str) -> list[str]:
    return [kind for kind, pattern in KINDS.items() if pattern.search(text)]


@lru_cache(maxsize=10_000)
def _kinds_in_key(key: str) -> list[str]:
    """Return the same for a key, of which there are few: most of a folder's fixtures have the same."""
    return _kinds(key)


def _is_named(key: str, value: Any) -> bool:
    is_text = isinstance(value, str) and len(value) >= SHORTEST and value != REPLACEMENT
    return is_text and bool(NAMES.fullmatch(key))


class Redaction:
    """Replaces secrets, those that are known and those that look like one, and counts them.

    What is known is replaced everywhere, if it has at least so many characters.
    """

    def __init__(self, known: Collection[str], shortest: int = SHORTEST_KEY) -> None:
        spellings = {each for key in known if len(key) >= shortest for each in _spellings(key)}
        longest_first = sorted(spellings, key=lambda each: (-len(each), each))
        self._known = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None
        self.replaced = 0

    def holds_known(self, text: str) -> bool:
        """Return whether a known secret stands in a text."""
        return bool(self._known and self._known.search(text))

    def text(self, text: str) -> str:
        """Return a text without secrets."""
        for pattern in filter(None, (self._known, *KINDS.values())):
            text, count = pattern.subn(REPLACEMENT, text)
            self.replaced += count
        return text

    def value(self, value: Any) -> Any:
        """Return a JSON value without secrets."""
        if isinstance(value, Mapping):
            return {self.text(key): self._named(key, child) for key, child in value.items()}
        if isinstance(value, list):
            return [self.value(child) for child in value]
        return self.text(value) if isinstance(value, str) else value

    def _named(self, key: str, child: Any) -> Any:
        if not _is_named(key, child):
            return self.value(child)
        self.replaced += 1
        return REPLACEMENT


def _spellings(key: str) -> set[str]:
    """Return a key as it stands in a text, in a URL, in JSON and in base64, also if its bytes are read as Latin-1."""
    raw = key.encode("utf-8", "surrogateescape")
    encoded = {base64.b64encode(raw).decode().rstrip("="), base64.urlsafe_b64encode(raw).decode().rstrip("=")}
    return {key, raw.decode("latin-1"), quote(raw, safe=""), json.dumps(key)[1:-1], *encoded}
