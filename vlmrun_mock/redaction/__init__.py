"""What looks like a secret in a text or a JSON value, so that none is written down."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

import msgspec

from vlmrun_mock.redaction.kinds import SecretKind
from vlmrun_mock.redaction.kinds import found_in as kinds_in
from vlmrun_mock.redaction.spellings import Views, spellings

REPLACEMENT = "<redacted>"

SHORTEST_KEY = 8
"""How many characters a key has at least: a shorter one, such as `local`, is a placeholder, and may be a word."""

NAMES = re.compile(
    r"(?:[\w.-]{0,40}[-_.])?(?:api[-_]?key|proxy[-_]authorization|set-cookie|passw(?:or)?d|passphrase|pwd|(?:db|user)password"
    r"|(?:client|app|consumer|shared|signing|webhook)[-_]?secret|(?:secret|private|account|access|master|encryption|signing|service"
    r"|subscription)[-_]?key|(?:secret[-_]?)?access[-_]?key(?:[-_]?id)?"
    r"|(?:access|auth|authentication|bearer|refresh|security|session|id|csrf|xsrf|api|bot|personal[-_]access)[-_]?token)"
    r"|(?:aws)?secretaccesskey|x[-_]?auth[-_]?token|connection[-_]?string",
    re.IGNORECASE | re.ASCII,
)
"""What the key of an object is called whose text is a secret."""

SHORTEST = 6
"""How many characters the text of such a key has at least, to be one."""

Place: TypeAlias = tuple[str | int, ...]


class Secret(msgspec.Struct, frozen=True):
    """Something that looks like a secret: where it stands in a JSON value, and what it looks like."""

    place: Place
    kind: str


def found_in(value: Any) -> Iterator[Secret]:
    """Yield what looks like a secret in a JSON value, keys of objects included."""
    return _found(value, (), kinds_in("\n".join(_texts(value))))


def _found(value: Any, place: Place, kinds: Sequence[SecretKind]) -> Iterator[Secret]:
    if isinstance(value, Mapping):
        for key, child in value.items():
            at = (*place, key)
            if kinds:
                yield from (Secret(at, kind) for kind in _kinds(key, kinds))
            if _is_named(key, child):
                yield Secret(at, f"the value of {key!r}")
            elif not isinstance(child, str) or kinds:
                yield from _found(child, at, kinds)
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _found(child, (*place, index), kinds)
    elif isinstance(value, str) and kinds:
        yield from (Secret(place, kind) for kind in _kinds(value, kinds))


def _texts(value: Any) -> Iterator[str]:
    """Yield the texts in a JSON value, keys of objects included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, child in value.items():
            yield key
            yield from _texts(child)
    elif isinstance(value, list):
        for child in value:
            yield from _texts(child)


def _kinds(text: str, kinds: Sequence[SecretKind]) -> Iterator[str]:
    """Yield the kinds of secrets in a text; what two kinds find is of the first."""
    for kind in kinds:
        text, count = kind.pattern.subn(REPLACEMENT, text)
        if count:
            yield kind.name


def _is_named(key: str, value: Any) -> bool:
    return isinstance(value, str) and len(value) >= SHORTEST and value != REPLACEMENT and is_telling(key)


@lru_cache(maxsize=10_000)
def is_telling(name: str) -> bool:
    """Return whether what has this name is a secret."""
    return bool(NAMES.fullmatch(name))


class Redaction:
    """Replaces secrets, those that are known and those that look like one, and counts them.

    A known secret is replaced in every spelling, if it is at least `shortest` characters long.
    """

    def __init__(self, known: Collection[str], shortest: int = SHORTEST_KEY) -> None:
        self._known = [spellings(key) for key in known if len(key) >= shortest]
        self.replaced = 0

    def holds_known(self, value: Any) -> bool:
        """Return whether a known secret stands in a text or a JSON value, in whatever spelling."""
        if not self._known:
            return False
        views = Views(value)
        return any(known.found_in(views) for known in self._known)

    def text(self, text: str) -> str:
        """Return a text without secrets."""
        return self._clean(text, self._pattern(text), kinds_in(text))

    def line(self, text: str) -> str:
        """Return a text without secrets, or nothing of it where a known one cannot be taken out."""
        clean = self.text(text)
        return REPLACEMENT if self.holds_known(clean) else clean

    def value(self, value: Any) -> Any:
        """Return a JSON value without secrets."""
        return self._value(value, self._pattern(value), kinds_in("\n".join(_texts(value))))

    def _pattern(self, value: Any) -> re.Pattern[str] | None:
        """Return what finds the known secrets that stand in a text or a JSON value, to cut them out of its texts."""
        if not self._known:
            return None
        views = Views(value)
        patterns = [known.pattern(found) for known in self._known if (found := known.found_in(views))]
        return re.compile("|".join(patterns), re.IGNORECASE) if patterns else None

    def _clean(self, text: str, known: re.Pattern[str] | None, kinds: Sequence[SecretKind]) -> str:
        for pattern in (*([known] if known else ()), *(kind.pattern for kind in kinds)):
            text, count = pattern.subn(REPLACEMENT, text)
            self.replaced += count
        return text

    def _value(self, value: Any, known: re.Pattern[str] | None, kinds: Sequence[SecretKind]) -> Any:
        if isinstance(value, str):
            return self._clean(value, known, kinds) if known or kinds else value
        if isinstance(value, Mapping):
            return {
                self._value(key, known, kinds): self._named(key, child, known, kinds) for key, child in value.items()
            }
        return [self._value(child, known, kinds) for child in value] if isinstance(value, list) else value

    def _named(self, key: str, child: Any, known: re.Pattern[str] | None, kinds: Sequence[SecretKind]) -> Any:
        if not _is_named(key, child):
            return self._value(child, known, kinds)
        self.replaced += 1
        return REPLACEMENT
