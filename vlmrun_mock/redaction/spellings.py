"""The spellings of a key by which it is still known: encoded, escaped, reversed, taken apart, or only how it begins.

A text is searched in a plain form of it: escapes undone, small letters, nothing but letters and digits. So separators,
the wrapping of lines and the limits between two values hide nothing.
"""

from __future__ import annotations

import base64
import codecs
import json
import re
import sys
import unicodedata
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

import msgspec

from vlmrun_mock.lazy import lazy

if TYPE_CHECKING:
    import html
else:
    html = lazy("html")

ENOUGH = 12
"""How many letters and digits of a key are enough to know it by; of a shorter key only exact spellings are known."""

DISTINCTIVE = 8
"""How many characters a beginning has after what all keys of a vendor begin with."""

COMMON_START = re.compile(r"(?:[A-Za-z]{1,6}\d{0,2}[-_.]){0,2}")

ROUNDS = 3
"""How often a text is unescaped: once, twice, and in JSON within that."""

NOT_PLAIN = bytes(set(range(256)) - set(b"0123456789abcdefghijklmnopqrstuvwxyz"))

ESCAPE = re.compile(
    r"\\{1,8}(?:u([0-9A-Fa-f]{4})|u\{([0-9A-Fa-f]{1,6})\}|x([0-9A-Fa-f]{2})|U([0-9A-Fa-f]{8})|([0-7]{3})|[nrtbfv])"
    r"|U\+([0-9A-Fa-f]{4,6})\b"
)
"""An escape of JSON or of a programming language; that of a line's end and the like stands for nothing."""

OCTAL = 5
"""The number of its group that is octal, where the others are hexadecimal."""

COMPRESSED = re.compile(r"(?:H4sI|eJ[w-z]|eN[o-r]|eA[EF]|eF[4-7])[A-Za-z0-9+/_-]{12,}")
"""How gzip and zlib begin in base64."""

LARGEST_UNPACKED = 1_000_000
"""How many bytes of compressed data are unpacked."""

AUTO = 32
"""zlib's flag for taking gzip and zlib alike, to be added to the size of its window."""

BETWEEN = r"[\W_]{0,2}?"
"""What may stand between two characters of a key that is cut out of a text; not what ends a value in JSON."""

REST = r"[A-Za-z0-9+/=_.~%-]*"
"""What else of the key, or of its encoding, comes after the beginning by which it is known."""


class KeySpellings(msgspec.Struct, frozen=True):
    """A key's spellings: those that are searched for as they are, and those that are in a text's plain form.

    `key` and `start` are the key and the beginning that is enough to know it by.
    """

    key: str
    start: str
    exact: tuple[str, ...]
    plain: Mapping[bytes, str]

    def found_in(self, views: Views) -> list[str]:
        """Return the spellings that stand in a text; the key's own among them as it is."""
        exact = [each for each in self.exact if any(each in text for text in views.texts)]
        return exact + [text for needle, text in self.plain.items() if any(needle in each for each in views.plain)]

    def pattern(self, found: Iterable[str]) -> str:
        """Return a regular expression for some of the spellings, to cut them out of a text."""
        return "|".join(self._pattern(each) for each in sorted(found, key=lambda each: (-len(each), each)))

    def _pattern(self, spelling: str) -> str:
        if spelling in self.exact:
            return re.escape(spelling) + (REST if spelling != self.key and spelling.isalnum() else "")
        if spelling in (self.start, self.start[::-1]):
            whole = self.key if spelling == self.start else self.key[::-1]
            return f"{_loosely(whole)}|{_loosely(spelling)}{REST}"
        return _loosely(spelling) + REST


def _loosely(text: str) -> str:
    """Return an expression for a text with each of its characters escaped or not, and separators between them."""
    return BETWEEN.join(filter(None, map(_character, text)))


@lru_cache(maxsize=1_000)
def _character(character: str) -> str:
    code = ord(character)
    percent = "".join(f"%(?:25){{0,2}}{byte:02x}" for byte in character.encode("utf-8", "surrogateescape"))
    escapes = rf"{percent}|\\{{0,8}}u{code:04x}|\\{{1,8}}x{code:02x}|&(?:amp;)?#(?:0{{0,4}}{code}|x0{{0,4}}{code:x});"
    return f"(?:{escapes}|{re.escape(character)})" + ("" if character.isalnum() else "?")


class Views:
    """A text, or the texts of a JSON value, in all the forms that are searched."""

    def __init__(self, value: Any) -> None:
        self.texts = [value] if isinstance(value, str) else list(_joined(value))
        self.texts += [text for raw in tuple(self.texts) if (text := _unescaped(raw)) != raw]
        self.texts += [text for raw in tuple(self.texts) for text in _unpacked(raw)]
        self.plain = [_plain(text) for text in self.texts]


def _joined(value: Any) -> Iterator[str]:
    """Yield all that a JSON value holds, its keys, its values, and the values of the same key: each as one text."""
    texts = _Texts()
    texts.add(value)
    yield "\n".join(texts.everything)
    yield from ("\n".join(each) for each in (texts.keys, texts.values, *texts.alike.values()) if len(each) > 1)


class _Texts:
    """The texts in a JSON value, and its whole numbers, in order."""

    def __init__(self) -> None:
        self.everything: list[str] = []
        self.keys: list[str] = []
        self.values: list[str] = []
        self.alike: dict[str, list[str]] = {}

    def add(self, part: Any) -> None:
        """Add all that a part holds."""
        if isinstance(part, str):
            self.everything.append(part)
            self.values.append(part)
        elif isinstance(part, Mapping):
            for key, child in part.items():
                self._add_key(key, child)
        elif isinstance(part, (list, tuple)):
            for child in part:
                self.add(child)
        elif isinstance(part, int):
            self.everything.append(str(part))

    def _add_key(self, key: str, child: Any) -> None:
        self.everything.append(key)
        self.keys.append(key)
        if isinstance(child, str):
            self.alike.setdefault(key, []).append(child)
        self.add(child)


def _unescaped(text: str) -> str:
    """Return a text without the escapes of URLs, HTML, JSON and programs."""
    for _ in range(ROUNDS):
        before = text
        if "%" in text:
            text = unquote(text)
        if "&" in text:
            text = html.unescape(text)
        if "\\" in text or "U+" in text:
            text = ESCAPE.sub(_unescape, text)
        if text == before:
            break
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


def _unescape(found: re.Match[str]) -> str:
    if not found.lastindex:
        return " "
    code = int(found[found.lastindex], 8 if found.lastindex == OCTAL else 16)
    return chr(code) if code <= sys.maxunicode else found[0]


def _unpacked(text: str) -> Iterator[str]:
    """Yield what is compressed in a text, and stands there in base64."""
    for found in COMPRESSED.finditer(text):
        packed = found[0].replace("-", "+").replace("_", "/")
        try:
            raw = base64.b64decode(packed[: len(packed) // 4 * 4])
            yield zlib.decompressobj(zlib.MAX_WBITS | AUTO).decompress(raw, LARGEST_UNPACKED).decode("utf-8", "replace")
        except (ValueError, zlib.error):
            continue


def _plain(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass").lower().translate(None, NOT_PLAIN)


@lru_cache(maxsize=1_000)
def spellings(key: str) -> KeySpellings:
    """Return the spellings of a key."""
    raw = key.encode("utf-8", "surrogateescape")
    once = quote(raw, safe="")
    # As it stands in a text, in a URL and in JSON, also if its bytes are read as Latin-1.
    exact = {key, raw.decode("latin-1"), once, quote(once, safe=""), json.dumps(key)[1:-1]}
    if len(_plain(key)) < ENOUGH:
        exact |= {each for each in _encodings(raw) if len(each) >= DISTINCTIVE}
        exact |= {each.upper() for each in _hexadecimal(raw)} | {key[::-1]}
        return KeySpellings(key, key, _longest_first(exact), {})
    start = _beginning(key)
    encodings = (
        start,
        start[::-1],
        codecs.encode(start, "rot13"),
        *_encodings(start.encode("utf-8", "surrogateescape")),
        *_base85(raw),
    )
    plain = {needle: text for text in encodings if len(needle := _plain(text)) >= DISTINCTIVE}
    return KeySpellings(key, start, _longest_first(exact), plain)


def _longest_first(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(texts, key=lambda each: (-len(each), each)))


def _beginning(key: str) -> str:
    """Return as much of a key's beginning as no ordinary text has; the whole where that is not to be told."""
    common = COMMON_START.match(key)
    least = (common.end() if common else 0) + DISTINCTIVE
    for length in range(least, len(key)):
        start = _plain(key[:length])
        if len(start) >= ENOUGH and re.search(rb"\d", start) and re.search(rb"[a-z]", start):
            return key[:length]
    return key


def _encodings(raw: bytes) -> Iterator[str]:
    """Yield a key's bytes in the encodings that programs write, wherever in a longer text they stand."""
    wide = raw.decode("utf-8", "replace").encode("utf-16-le")
    for each in (raw, raw[::-1], wide):
        yield from _hexadecimal(each)
        yield from _shifted(each, 3, 4, base64.b64encode)
    yield from _shifted(raw, 3, 4, base64.urlsafe_b64encode)
    yield from _shifted(raw, 5, 8, base64.b32encode)
    yield from _shifted(raw, 5, 8, base64.b32hexencode)
    yield "".join(map(str, raw))
    yield "".join(f"{byte:03o}" for byte in raw)
    yield "".join(f"{byte:08b}" for byte in raw)
    yield "".join(f"u{byte:04x}" for byte in raw)
    hexadecimal = raw.hex().encode()
    for again in (hexadecimal, hexadecimal.upper()):
        yield from _shifted(again, 3, 4, base64.b64encode)
    for once in set(_shifted(raw, 3, 4, base64.b64encode)):
        yield once.encode().hex()
        yield from _shifted(once.encode(), 3, 4, base64.b64encode)
        yield once[::-1]


def _hexadecimal(raw: bytes) -> Iterator[str]:
    yield raw.hex()
    yield "".join(f"0x{byte:02x}" for byte in raw)


def _shifted(raw: bytes, bytes_: int, characters: int, encode: Callable[[bytes], bytes]) -> Iterator[str]:
    """Yield an encoding of some bytes at each place in its groups, without the characters that neighbours share in."""
    bits = bytes_ * 8 // characters
    for offset in range(bytes_):
        encoded = encode(bytes(offset) + raw).decode()
        yield encoded[-(-offset * 8 // bits) : (offset + len(raw)) * 8 // bits]


def _base85(raw: bytes) -> Iterator[str]:
    """Yield the whole groups of a key in base85 and ascii85: each is one number, which neighbours change altogether."""
    for encode in (base64.b85encode, base64.a85encode):
        for skipped in range(4):
            yield encode(raw[skipped : skipped + (len(raw) - skipped) // 4 * 4]).decode()
