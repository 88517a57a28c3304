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

if sys.version_info >= (3, 11):
    from re import _parser as parser
else:
    import sre_parse as parser

LONGEST = 20_000  # characters that a pattern may make at the least
REPEATS = (6, 3, 12, 1, 0, 40, 200, 2000)  # how often what may be repeated without end is repeated, at most
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
TOKEN = re.compile(
    r"""\\u\{[0-9A-Fa-f]+\} | \\u[0-9A-Fa-f]{4} | \\x[0-9A-Fa-f]{2} | \\c[A-Za-z] | \\[pP]\{[^}]*\} | \\k<\w+>
      | \\[1-9]\d* | \\. | \(\?P?<(?![=!])\w+> | \(\?(?:[:=!]|<[=!]) | \(\?[a-z]*\)?:? | \[ | \{\d+(?:,\d*)?\}\??
      | [*+?][?+]? | . """,
    re.VERBOSE | re.DOTALL,
)
QUANTIFIER = re.compile(r"\{(\d+)(,?)(\d*)\}")
CLASSES = {"d": string.digits, "w": string.ascii_letters + string.digits + "_", "s": " \t\n"}
CONTROLS = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "0": "\0"}


class Unreadable(ValueError):
    """A pattern that no text can be made for."""


def matching(pattern: str, random: Random, least: int, most: int | None) -> Iterator[str]:
    """Yield candidates, those of the asked length first where repetition or an open end allows it."""
    import rstr  # noqa: PLC0415  # heavy: imported when first needed

    generator = rstr.Rstr(random)
    readable = 0
    for repeats in _repeats(least, most):
        translated = _translated(pattern, repeats)
        low, high = _width(translated)
        if low > LONGEST or (high > 4 * LONGEST and readable):
            continue
        readable += 1
        for _ in range(DRAWS):
            text = _drawn(generator, translated)
            yield text
            yield from _lengthened(text, least)
    if not readable:
        raise Unreadable(f"it makes more than {LONGEST:,} characters")


def _repeats(least: int, most: int | None) -> list[int]:
    """Return the bounds of repetition to try; one about as long as the text must be goes first."""
    wanted = [least, least + 4] if least > REPEATS[0] else []
    return [*wanted, *(count for count in REPEATS if most is None or count <= max(most, 1))]


def _drawn(generator: object, pattern: str) -> str:
    try:
        return str(generator.xeger(pattern))  # type: ignore[attr-defined]  # rstr builds its class at run time
    except (KeyError, IndexError, RecursionError) as error:  # a group that was not entered, an empty set
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
def _translated(pattern: str, repeats: int) -> str:
    """Return the pattern in Python's language, made of plain sets and bounded repetition."""
    out: list[str] = []
    position = 0
    while position < len(pattern):
        if pattern[position] == "[":
            end = _class_end(pattern, position)
            out.append(_set(_members(pattern[position + 1 : end])))
            position = end + 1
            continue
        match = TOKEN.match(pattern, position)
        piece = match.group() if match else pattern[position]
        out.append(_python(piece, repeats))
        position += len(piece)
    return "".join(out)


def _python(piece: str, repeats: int) -> str:
    """Return one piece of a pattern, other than a set, in Python's language."""
    if piece in (".", "^", "$"):
        return _set(ALPHABETS[0] + " ") if piece == "." else ""
    if piece[0] in "*+?{":
        return _quantifier(piece, repeats)
    if piece.startswith("(?"):
        return _group(piece)
    if piece.startswith("\\k<"):
        return f"(?P={piece[3:-1]})"
    return _escape(piece) if piece[0] == "\\" else piece


def _group(piece: str) -> str:
    if piece in ("(?:", "(?=", "(?!", "(?<=", "(?<!"):
        return piece
    if "<" in piece:
        return f"(?P<{piece[piece.index('<') + 1 :]}"
    return "(?:" if piece.endswith(":") else ""  # flags change which text matches, not whether one can


def _quantifier(piece: str, repeats: int) -> str:
    endless = {"*": (0, repeats), "+": (1, max(repeats, 1)), "?": (0, min(repeats, 1))}
    match = QUANTIFIER.match(piece)
    if match is None:
        low, high = endless.get(piece[0], (0, 0))
        return f"{{{low},{high}}}" if piece[0] != "{" else re.escape(piece)
    least, comma, most = int(match[1]), match[2], match[3]
    last = least + repeats if comma else least
    return f"{{{least},{min(int(most), last) if most else last}}}"


def _escape(piece: str) -> str:
    if piece[1] in "bB":
        return ""
    if piece[1] in "123456789":
        return piece
    return _set(_escaped(piece))


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
    pieces = TOKEN.findall(inside[negated:])
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
