"""Regular expressions of JSON Schema: texts that match one.

Such a pattern is written in ECMAScript's language and rstr reads Python's, so it is translated, and on the way
made small: characters come from letters and digits where the pattern allows them, and repetition is bounded.
A text is only a candidate: lookaround, for one, is not understood, so who asks checks what comes.
"""

from __future__ import annotations

import re
import string
import sys
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from vlmrun_mock.lazy import lazy

if TYPE_CHECKING:
    import rstr
else:
    rstr = lazy("rstr")

if sys.version_info >= (3, 11):
    from re import _parser as parser
else:
    import sre_parse as parser

LONGEST = 10_000  # characters that a pattern may make at the least
MOST_REPEATS = (6, 3, 12, 1, 0, 40, 200, 2000)  # how often what may be repeated without end is repeated, at most
LONGEST_TRANSLATED = 50_000  # characters
HUNDRED = 100
DRAWS = 5  # texts drawn for each of them
ALPHABETS = (
    string.ascii_letters + string.digits,
    " -_.,:/",
    string.punctuation,
    "\t\n",
    "éüßñøçÀÉÖ",
    "αβγδжшюя日本語مرحبا",
    "½²©€§",
)
ALPHABETS = ("".join(ALPHABETS[:1]), *ALPHABETS[1:])
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
    """How often something is repeated where the pattern leaves it open."""

    least: int
    most: int


USUAL = Repeats(0, MOST_REPEATS[0])
BLANKS = " "  # what is made of white space, and with the usual repeats as little of it as there may be


class Unreadable(ValueError):
    """A pattern that no text can be made for."""


def matching(pattern: str, random: Random, least: int, most: int | None) -> Iterator[str]:
    """Yield candidates, those of the asked length first where repetition or an open end allows it."""
    generator = rstr.Rstr(random)
    tried = (_readable(pattern, repeats) for repeats in _repeats(least, most))
    readable = [translated for translated in tried if translated is not None]
    if not readable:
        raise Unreadable(f"it makes more than {LONGEST:,} characters")
    for translated in readable:
        for _ in range(DRAWS):
            text = _drawn(generator, translated)
            yield text
            yield from _lengthened(text, least)


def _readable(pattern: str, repeats: Repeats) -> str | None:
    """Return the translated pattern, or None when it makes too long a text with so many repeats."""
    translated = _translated(pattern, repeats)
    if len(translated) > LONGEST_TRANSLATED:
        return None
    low, high = _width(translated)
    return translated if low <= LONGEST and high <= 8 * LONGEST else None


def _repeats(least: int, most: int | None) -> list[Repeats]:
    """Return the bounds of repetition to try; one about as long as the text must be goes first."""
    usual = [Repeats(0, count) for count in MOST_REPEATS if most is None or count <= max(most, 1)]
    if least <= MOST_REPEATS[0]:
        return usual
    wanted = [*range(least, least - 5, -1), least // 2, least // 3, least + 9]
    return [*(Repeats(count, count) for count in wanted), *usual]


def _drawn(generator: object, pattern: str) -> str:
    try:
        return str(generator.xeger(pattern))  # type: ignore[attr-defined]  # rstr builds its class at run time
    except (KeyError, IndexError, ValueError, RecursionError) as error:  # a group that was not entered, an empty set
        raise Unreadable(f"{error!r:.100}") from error


def _lengthened(text: str, least: int) -> Iterator[str]:
    """Yield longer texts, which match as long as the pattern is not tied to that end."""
    if len(text) < least:
        yield text + "a" * (least - len(text))
        yield "a" * (least - len(text)) + text


def _width(pattern: str) -> tuple[int, int]:
    try:
        low, high = parser.parse(pattern).getwidth()
    except (re.error, RecursionError, OverflowError) as error:
        raise Unreadable(f"{error!r:.100}") from error
    return int(low), int(high)


@lru_cache(maxsize=256)
def _translated(pattern: str, repeats: Repeats) -> str:
    """Return the pattern in Python's language, made of plain sets and bounded repetition."""
    translation = Translation()
    position = 0
    while position < len(pattern):
        if pattern[position] == "[":
            end = _class_end(pattern, position)
            translation.add(_set(_members(pattern[position + 1 : end])))
            position = end + 1
            continue
        match = PIECE.match(pattern, position)
        piece = match.group() if match else pattern[position]
        _translate(translation, piece, repeats)
        position += len(piece)
    return "".join(translation.out)


class Translation:
    """A pattern as far as it has been translated: its pieces, and where the last thing that can be repeated begins."""

    def __init__(self) -> None:
        self.out: list[str] = []
        self._opened: list[int] = []
        self._last = 0

    def add(self, text: str) -> None:
        """Add a character, a set or a reference."""
        self._last = len(self.out)
        self.out.append(text)

    def ends_in(self, text: str) -> bool:
        """Say whether the last thing that can be repeated is this."""
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
        """Repeat the last thing; rstr repeats nothing more than a hundred times, so more is nested."""
        hundreds, rest = divmod(low, HUNDRED)
        extra = min(rest + high - low, HUNDRED)
        if not hundreds:
            self.out.append(f"{{{rest},{extra}}}")
            return
        thing = "".join(self.out[self._last :])
        if len(thing) > LONGEST_TRANSLATED:  # it doubles with each level, and is not used when it is that long
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
    """Return how often a quantifier repeats, or None for another piece."""
    least, most = repeats
    endless = {"*": (least, most), "+": (max(least, 1), max(most, 1)), "?": (0, min(most, 1))}
    match = QUANTIFIER.match(piece)
    if match is None:
        return endless.get(piece[0])
    low, high = int(match[1]), match[3]
    last = int(high) if high else low + most if match[2] else low
    return min(low + least, last), min(low + most, last)


def _group(piece: str) -> str:
    """Return how a group begins; nothing for flags, which change what text matches but not whether one can."""
    if piece in ("(", "(?:", "(?=", "(?!", "(?<=", "(?<!"):
        return piece
    if "<" in piece:
        return f"(?P<{piece[piece.index('<') + 1 :]}"
    return "(?:" if piece.endswith(":") else ""


def _escape(piece: str) -> str:
    if piece[1] in "bB":
        return ""
    if piece.startswith("\\k<"):
        return f"(?P={piece[3:-1]})"
    if piece[1] in "123456789":
        return piece
    return BLANKS if piece[1] == "s" else _set(_escaped(piece))


def _escaped(piece: str) -> str:
    """Return the characters that an escape stands for."""
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


def _of_property(name: str, *, inside: bool) -> str:
    category = {"Letter": "L", "Alphabetic": "L", "Uppercase": "Lu", "Lowercase": "Ll", "Number": "N"}.get(name, name)
    script = name.rsplit("=", 1)[-1].upper()
    every = "".join(ALPHABETS)
    found = {one for one in every if unicodedata.category(one).startswith(category)}
    found = found or {one for one in every if script in unicodedata.name(one, "")}
    return "".join(one for one in every if (one in found) is inside)


def _outside(excluded: set[str]) -> str:
    """Return the plainest characters that are not excluded."""
    for alphabet in ALPHABETS:
        left = "".join(one for one in alphabet if one not in excluded)
        if left:
            return left
    return ""


def _class_end(pattern: str, start: int) -> int:
    position = start + 1
    while position < len(pattern) and pattern[position] != "]":
        position += 2 if pattern[position] == "\\" else 1
    return position


def _members(inside: str) -> str:
    """Return the characters of a class such as `^a-z_`, the plainest of those outside if it is negated."""
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
    """Return a set of Python's language with letters and digits alone where it has any."""
    plain = "".join(one for one in members if one in ALPHABETS[0])
    chosen = plain or members
    if not chosen:
        raise Unreadable("it has a set without characters")
    return re.escape(chosen) if len(chosen) == 1 else f"[{''.join(map(re.escape, chosen))}]"
