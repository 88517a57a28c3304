"""Texts that match a regular expression of JSON Schema.

A pattern is in ECMAScript's language. It is translated to Python's, which rstr reads, and simplified: characters are
letters and digits where the pattern allows them, and repetition is bounded. The texts are only candidates, which the
caller has to check: lookaround, for one, is ignored.
"""

from __future__ import annotations

import re
import string
import sys
import unicodedata
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

from vlmrun_mock.lazy import lazy

if TYPE_CHECKING:
    import rstr
else:
    rstr = lazy("rstr")

if sys.version_info >= (3, 11):
    from re import _parser as parser
else:
    import sre_parse as parser

LONGEST = 10_000  # characters of the shortest text that matches
MOST_REPEATS = (6, 3, 12, 1, 0, 40, 200, 2000)  # of an unbounded repetition, in the order to try
LONGEST_TRANSLATED = 50_000  # characters
HUNDRED = 100
DRAWS = 5  # texts for each of them
ALPHABETS = (
    string.ascii_letters + string.digits,
    " -_.,:/",
    string.punctuation,
    "\t\n",
    "éüßñøçÀÉÖ",
    "αβγδжшюя日本語مرحبا",
    "½²©€§",
)
PIECE = re.compile(
    r"""\\u\{[0-9A-Fa-f]+\} | \\u[0-9A-Fa-f]{4} | \\x[0-9A-Fa-f]{2} | \\c[A-Za-z] | \\[pP]\{[^}]*\} | \\k<\w+>
      | \\[1-9]\d* | \\. | \(\?P?<(?![=!])\w+> | \(\?(?:[:=!]|<[=!]) | \(\?[a-z]*\)?:? | \[ | \{\d+(?:,\d*)?\}\??
      | [*+?][?+]? | . """,
    re.VERBOSE | re.DOTALL,
)
QUANTIFIER = re.compile(r"\{(\d+)(,?)(\d*)\}")
CLASSES = {"d": string.digits, "w": string.ascii_letters + string.digits + "_", "s": " \t\n"}
CONTROLS = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "0": "\0"}


class Repeats(NamedTuple):
    """The bounds of a repetition that the pattern leaves open."""

    least: int
    most: int


USUAL = Repeats(0, MOST_REPEATS[0])
BLANKS = " "  # stands for all white space; with the usual repeats, as little of it as possible


class Unreadable(ValueError):
    """A pattern for which no text can be made."""


def matching(pattern: str, random: Random, least: int, most: int | None) -> Iterator[str]:
    """Yield candidates, those of a suitable length first; raises Unreadable."""
    generator = _generator_type()(random)
    found = False
    for repeats in _repeats(least, most):
        parsed = _readable(pattern, repeats)
        if parsed is None:
            continue
        found = True
        for _ in range(DRAWS):
            try:
                text = generator.text(parsed)
            except (KeyError, IndexError, ValueError, RecursionError) as error:  # a group not entered, an empty set
                raise Unreadable(f"{error!r:.100}") from error
            yield text
            if len(text) < least:  # a longer text matches where the pattern is not anchored at that end
                yield text + "a" * (least - len(text))
                yield "a" * (least - len(text)) + text
    if not found:
        raise Unreadable(f"it makes more than {LONGEST:,} characters")


@cache
def _generator_type() -> Callable[[Random], Any]:
    class Generator(rstr.Rstr):
        """Takes a parsed pattern, and lists the characters of a set once: rstr does both anew for each text."""

        def __init__(self, random: Random) -> None:
            super().__init__(random)
            self._listed: dict[tuple[Any, ...], list[Any]] = {}

        def text(self, parsed: Any) -> str:
            try:
                return str(self._build_string(parsed))
            finally:
                self._cache.clear()

        def _handle_in(self, value: Any) -> Any:
            characters = self._listed.get(key := tuple(value))
            if characters is None:
                characters = self._listed[key] = [one for part in value for one in self._handle_state(part)]
            return self._random.choice(characters) if False not in characters else super()._handle_in(value)

    return Generator


@lru_cache(maxsize=256)
def _readable(pattern: str, repeats: Repeats) -> Any:
    """Return the translated and parsed pattern, or None if with these repeats its texts are too long."""
    translated = _translated(pattern, repeats)
    if len(translated) > LONGEST_TRANSLATED:
        return None
    try:
        parsed = parser.parse(translated)
        low, high = parsed.getwidth()
    except (re.error, RecursionError, OverflowError) as error:
        raise Unreadable(f"{error!r:.100}") from error
    return parsed if low <= LONGEST and high <= 8 * LONGEST else None


def _repeats(least: int, most: int | None) -> list[Repeats]:
    """Return the bounds of repetition to try, those near a large minimum length first."""
    usual = [Repeats(0, count) for count in MOST_REPEATS if most is None or count <= max(most, 1)]
    if least <= MOST_REPEATS[0]:
        return usual
    wanted = [*range(least, least - 5, -1), least // 2, least // 3, least + 9]
    return [*(Repeats(count, count) for count in wanted), *usual]


def _translated(pattern: str, repeats: Repeats) -> str:
    """Return the pattern in Python's language, with simple sets and bounded repetition."""
    translation = Translation()
    position = 0
    while position < len(pattern):
        if pattern[position] == "[":
            end = position + 1
            while end < len(pattern) and pattern[end] != "]":
                end += 2 if pattern[end] == "\\" else 1
            translation.add(_class(pattern[position + 1 : end]))
            position = end + 1
        else:
            match = PIECE.match(pattern, position)
            piece = match.group() if match else pattern[position]
            _translate(translation, piece, repeats)
            position += len(piece)
    return "".join(translation.out)


class Translation:
    """The translated pieces of a pattern, and where the last repeatable one begins."""

    def __init__(self) -> None:
        self.out: list[str] = []
        self._opened: list[int] = []
        self._last = 0

    def add(self, text: str) -> None:
        """Add a character, a set or a reference."""
        self._last = len(self.out)
        self.out.append(text)

    def ends_in(self, text: str) -> bool:
        """Return whether the last repeatable piece is this text."""
        return self.out[self._last :] == [text]

    def open(self, text: str) -> None:
        """Begin a group."""
        self._opened.append(len(self.out))
        self.out.append(text)

    def close(self) -> None:
        """End the group that began last."""
        self.out.append(")")
        self._last = self._opened.pop() if self._opened else len(self.out) - 1

    def repeat(self, low: int, high: int) -> None:
        """Repeat the last piece; more than a hundred times, which is rstr's limit, in nested groups."""
        hundreds, rest = divmod(low, HUNDRED)
        extra = min(rest + high - low, HUNDRED)
        if not hundreds:
            self.out.append(f"{{{rest},{extra}}}")
            return
        thing = "".join(self.out[self._last :])
        if len(thing) > LONGEST_TRANSLATED:  # each level doubles it, and a text that long is not used
            return
        self.out[self._last :] = [f"(?:(?:{thing}{{{HUNDRED}}}){{{hundreds}}}{thing}{{{rest},{extra}}})"]


def _translate(translation: Translation, piece: str, repeats: Repeats) -> None:
    """Add one piece of a pattern, other than a set."""
    bounds = _bounds(piece, repeats)
    if bounds:
        low, high = bounds
        translation.repeat(low, low if repeats == USUAL and translation.ends_in(BLANKS) else high)
    elif piece == ")":
        translation.close()
    elif piece[0] == "(" and _group(piece):
        translation.open(_group(piece))
    elif piece == ".":
        translation.add(_set(ALPHABETS[0] + " "))
    elif piece == "|":
        translation.out.append(piece)
    elif piece[0] == "\\":
        translation.add(_escape(piece))
    elif piece not in ("^", "$") and piece[0] != "(":
        translation.add(re.escape(piece))


def _bounds(piece: str, repeats: Repeats) -> tuple[int, int] | None:
    """Return the bounds of a quantifier, or None for another piece."""
    least, most = repeats
    endless = {"*": (least, most), "+": (max(least, 1), max(most, 1)), "?": (0, min(most, 1))}
    match = QUANTIFIER.match(piece)
    if match is None:
        return endless.get(piece[0])
    low, high = int(match[1]), match[3]
    last = int(high) if high else low + most if match[2] else low
    return min(low + least, last), min(low + most, last)


def _group(piece: str) -> str:
    """Return the start of a group, or "" for flags, without which texts still match."""
    if piece in ("(", "(?:", "(?=", "(?!", "(?<=", "(?<!"):
        return piece
    if "<" in piece:
        return f"(?P<{piece[piece.index('<') + 1 :]}"
    return "(?:" if piece.endswith(":") else ""


@lru_cache(maxsize=256)
def _escape(piece: str) -> str:
    if piece[1] in "bB":
        return ""
    if piece.startswith("\\k<"):
        return f"(?P={piece[3:-1]})"
    if piece[1] in "123456789":
        return piece
    return BLANKS if piece[1] == "s" else _set(_escaped(piece))


def _escaped(piece: str) -> str:
    """Return the characters that an escape sequence matches."""
    kind = piece[1]
    if kind.lower() in CLASSES:
        inside = CLASSES[kind.lower()]
        return inside if kind.islower() else _outside(set(inside))
    if kind in "pP":
        return _of_property(piece[3:-1], inside=kind == "p")
    if kind in "ux" and len(piece) > 2:  # noqa: PLR2004  # digits follow
        return chr(int(piece[2:].strip("{}"), 16) % sys.maxunicode)
    if kind == "c" and len(piece) > 2:  # noqa: PLR2004  # a letter follows
        return chr(ord(piece[2]) % 32)
    return CONTROLS.get(kind, kind)


@lru_cache(maxsize=256)
def _of_property(name: str, *, inside: bool) -> str:
    category = {"Letter": "L", "Alphabetic": "L", "Uppercase": "Lu", "Lowercase": "Ll", "Number": "N"}.get(name, name)
    script = name.rsplit("=", 1)[-1].upper()
    every = "".join(ALPHABETS)
    found = {one for one in every if unicodedata.category(one).startswith(category)}
    found = found or {one for one in every if script in unicodedata.name(one, "")}
    return "".join(one for one in every if (one in found) is inside)


def _outside(excluded: set[str]) -> str:
    """Return the characters of the first alphabet with any that are not excluded."""
    remaining = ("".join(one for one in alphabet if one not in excluded) for alphabet in ALPHABETS)
    return next(filter(None, remaining), "")


@lru_cache(maxsize=256)
def _class(inside: str) -> str:
    """Return a class such as `a-z_` as a set in Python's language."""
    return _set(_members(inside))


def _members(inside: str) -> str:
    """Return the characters of a class such as `a-z_`, or some that a negated one such as `^a-z_` allows."""
    negated = inside.startswith("^")
    pieces = PIECE.findall(inside[negated:])
    pieces = [one for piece in pieces for one in ([piece] if piece[0] == "\\" else piece)]
    found: list[str] = []
    index = 0
    while index < len(pieces):
        first = _escaped(pieces[index]) if pieces[index][0] == "\\" and len(pieces[index]) > 1 else pieces[index]
        first = "\b" if pieces[index] == "\\b" else first
        if index + 2 < len(pieces) and pieces[index + 1] == "-" and len(first) == 1:
            last = _escaped(pieces[index + 2]) if pieces[index + 2][0] == "\\" else pieces[index + 2]
            found.append("".join(map(chr, range(ord(first), min(ord(last[0]), ord(first) + 300) + 1))))
            index += 3
        else:
            found.append(first)
            index += 1
    members = "".join(dict.fromkeys("".join(found)))
    return _outside(set(members)) if negated else members


def _set(members: str) -> str:
    """Return a set in Python's language, of only letters and digits if it has any."""
    chosen = "".join(one for one in members if one in ALPHABETS[0]) or members
    if not chosen:
        raise Unreadable("it has a set without characters")
    return re.escape(chosen) if len(chosen) == 1 else f"[{''.join(_ranges(chosen))}]"


def _ranges(members: str) -> Iterator[str]:
    """Yield the members of a set in their order, successive ones as a range, which is read much faster."""
    start = 0
    for end in range(1, len(members) + 1):
        if end < len(members) and ord(members[end]) == ord(members[end - 1]) + 1:
            continue
        first, last = re.escape(members[start]), re.escape(members[end - 1])
        yield first if end == start + 1 else f"{first}-{last}" if end > start + 2 else f"{first}{last}"
        start = end
