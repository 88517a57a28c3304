"""What looks like a secret is found and replaced, and what does not is left alone."""

from __future__ import annotations

import base64
import codecs
import gzip
import hashlib
import html
import json
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.effort import is_linear
from vlmrun_mock.redaction import REPLACEMENT, Redaction, found_in
from vlmrun_mock.redaction.kinds import ROWS, SecretKind

KEY = 'kd83/Jf+9 q2=xyz"0'

HARMLESS = [
    "",
    "Extract the invoice, please",
    "risk-assessment-and-planning-2025-report",
    "task-1234567890123456",
    "The bearer of this certificate is entitled to twelve shares",
    "https://example.com/a.png?page=2&sort=name",
    "https://example.com/view?key=acme-invoice&token=latest",
    "Basic information about the applicant",
    "INV-2025-000000000000347",
    "DE89370400440532013000",
    "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "d41d8cd98f00b204e9800998ecf8427e",
    "01234567-89ab-4def-8123-456789abcdef",
    "Password: see the back of the card",
    "The API key is described on page 3; token: none",
    "Account key figures = 1,234.56",
    "Secret Santa: Alice; password=none",
    "GB29NWBK60161331926819, FR1420041010050500013M02606",
    "PO-2025-AC-000123, SK-1234567890, SG.2025.01",
    "VIN 1HGCM82633A004352, EIN 12-3456789, ISBN 978-3-16-148410-0",
    "https://example.com/callback?code=ok&state=1",
    "Meet me at 12:30:AA, gate AAAAAAAAAAAAAAAAAAAAAAAAA",
    "data:image/png;base64," + base64.b64encode(hashlib.shake_256(b"a picture").digest(200_000)).decode(),
]


@pytest.mark.parametrize("kind", ROWS, ids=lambda kind: kind.name)
def test_what_looks_like_a_secret_is_found_and_replaced(kind: SecretKind) -> None:
    value = {"notes": [f"This: {kind.example}", "fine"]}
    redaction = Redaction([])

    clean = redaction.value(value)

    assert [(secret.place, secret.kind) for secret in found_in(value)] == [(("notes", 0), kind.name)]
    assert REPLACEMENT in clean["notes"][0]
    assert clean["notes"][1] == "fine"
    assert redaction.replaced == 1
    assert list(found_in(clean)) == []


def test_there_are_many_kinds_and_each_has_a_name_of_its_own() -> None:
    assert len({kind.name for kind in ROWS}) == len(ROWS) >= 60


@pytest.mark.parametrize("kind", ROWS, ids=lambda kind: kind.name)
def test_a_text_made_of_beginnings_of_a_secret_takes_linear_time(kind: SecretKind) -> None:
    """Each is found in the example's own beginnings, repeated without and with blanks."""

    def replace(size: int) -> None:
        for length in {6, len(kind.example) // 2, len(kind.example) - 1}:
            for between in ("", " "):
                beginning = kind.example[:length] + between
                kind.pattern.sub("", beginning * (size // len(beginning)))

    assert is_linear(replace, 48_000)


ROOT = Path(__file__).parent.parent
PACKAGED = sorted((ROOT / "fixtures").rglob("*.json"))
ON_PURPOSE = {"Basic Zmlyc3Q6a2V5", "X-Amz-Signature=0123456789abcdef", "sk-live-0123456789abcdefghij"}
"""The secrets that requests of the corpus hold in order to be refused."""


def test_no_packaged_answer_looks_like_a_secret() -> None:
    assert len(PACKAGED) > 60
    assert [path for path in PACKAGED if list(found_in(json.loads(path.read_text(encoding="utf-8"))))] == []


def test_the_corpus_holds_no_secret_except_those_meant_to_be_refused() -> None:
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "tests" / "corpus").glob("*.*")]

    found = {each[0] for kind in ROWS for text in texts for each in kind.pattern.finditer(text)}

    assert found - {f"Bearer {secret}" for secret in ON_PURPOSE} <= ON_PURPOSE


@pytest.mark.parametrize("text", HARMLESS, ids=lambda text: text[:40])
def test_ordinary_texts_are_left_alone(text: str) -> None:
    redaction = Redaction(["another-key-0123456789"])

    assert list(found_in(text)) == []
    assert redaction.text(text) == text
    assert redaction.replaced == 0


@pytest.mark.parametrize(
    "name", ["api_key", "X-API-Key", "apiKey", "client_secret", "password", "access_token", "Set-Cookie"]
)
def test_the_text_of_a_key_with_a_telling_name_is_a_secret(name: str) -> None:
    value: dict[str, Any] = {"inner": {name: "hunter2", "total": 1}}

    assert [secret.place for secret in found_in(value)] == [("inner", name)]
    assert Redaction([]).value(value) == {"inner": {name: REPLACEMENT, "total": 1}}
    assert list(found_in({"properties": {name: {"type": "string"}}, "required": [name]})) == []
    assert list(found_in({name: ""})) == list(found_in({name: None})) == []


def test_a_known_key_is_replaced_in_every_spelling_and_place() -> None:
    encoded = base64.b64encode(KEY.encode()).decode()
    value = {KEY: [f"you sent {KEY}!", quote(KEY, safe=""), json.dumps({"k": KEY}), f"Basic {encoded}"], "n": 5}
    redaction = Redaction([KEY, ""])

    clean = json.dumps(redaction.value(value))

    assert redaction.replaced == 5
    for spelling in (KEY, json.dumps(KEY)[1:-1], quote(KEY, safe=""), encoded.rstrip("=")):
        assert spelling not in json.loads(clean)[REPLACEMENT]
        assert spelling not in clean
    assert redaction.holds_known(f"x{KEY}x")
    assert not redaction.holds_known("x")


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _each(form: str) -> Callable[[str], str]:
    """Return what writes each byte of a key in a form."""
    return lambda key: "".join(form.format(byte) for byte in key.encode())


SPELLINGS: Mapping[str, Callable[[str], str]] = {
    "as it is": lambda key: key,
    "capitals": str.upper,
    "small letters": str.lower,
    "reversed": lambda key: key[::-1],
    "its first 20 characters": lambda key: key[:20],
    "all but its last three characters": lambda key: key[:-3],
    "blanks between": " ".join,
    "dashes between": "-".join,
    "lines between": "\n".join,
    "zero-width spaces between": "\u200b".join,
    "in groups": lambda key: " / ".join(key[place : place + 4] for place in range(0, len(key), 4)),
    "full width": lambda key: "".join(chr(ord(each) + 0xFEE0) for each in key),
    "rot13": lambda key: codecs.encode(key, "rot13"),
    "hexadecimal": lambda key: key.encode().hex(),
    "hexadecimal, capitals": lambda key: key.encode().hex().upper(),
    "hexadecimal, colons": lambda key: key.encode().hex(":"),
    "hexadecimal, as numbers": lambda key: ", ".join(map(hex, key.encode())),
    "hexadecimal, reversed": lambda key: key[::-1].encode().hex(),
    "UTF-16, hexadecimal": lambda key: key.encode("utf-16-le").hex(),
    "decimal": lambda key: str(list(key.encode())),
    "octal": _each("\\{:03o}"),
    "binary": _each("{:08b} "),
    "base32": lambda key: base64.b32encode(key.encode()).decode(),
    "base32, in a longer text": lambda key: base64.b32encode(f"key {key}!".encode()).decode(),
    "base32hex": lambda key: base64.b32hexencode(key.encode()).decode(),
    "base64": lambda key: _base64(key.encode()),
    "base64, shifted by one": lambda key: _base64(f"?{key}".encode()),
    "base64, shifted by two": lambda key: _base64(f"??{key}".encode()),
    "base64url": lambda key: base64.urlsafe_b64encode(f"\xff{key}".encode()).decode(),
    "base64 without its end": lambda key: _base64(key.encode()).rstrip("="),
    "base64 in lines": lambda key: base64.encodebytes((key * 5).encode()).decode(),
    "base64 of Bearer": lambda key: _base64(f"Bearer {key}".encode()),
    "base64 of user and key": lambda key: _base64(f"user:{key}".encode()),
    "base64 of the key and nobody": lambda key: _base64(f"{key}:".encode()),
    "base64 of JSON": lambda key: _base64(json.dumps({"api_key": key}).encode()),
    "base64, reversed": lambda key: _base64(key[::-1].encode()),
    "base64, then reversed": lambda key: _base64(key.encode())[::-1],
    "base64 twice": lambda key: _base64(_base64(f"k={key}".encode()).encode()),
    "base64 of hexadecimal": lambda key: _base64(key.encode().hex().encode()),
    "hexadecimal of base64": lambda key: _base64(key.encode()).encode().hex(),
    "UTF-16, base64": lambda key: _base64(key.encode("utf-16-le")),
    "base85": lambda key: base64.b85encode(f"k={key}".encode()).decode(),
    "ascii85": lambda key: base64.a85encode(key.encode()).decode(),
    "of a URL": lambda key: quote(key, safe=""),
    "of a URL, each": _each("%{:02x}"),
    "of a URL, partly": lambda key: "".join(f"%{ord(c):02X}" if n % 3 else c for n, c in enumerate(key)),
    "of a URL, twice": lambda key: quote("".join(f"%{byte:02X}" for byte in key.encode())),
    "JSON escapes": _each("\\u{:04x}"),
    "JSON escapes, twice": lambda key: json.dumps("".join(f"\\u{byte:04X}" for byte in key.encode())),
    "JSON escapes, partly": lambda key: "".join(f"\\u{ord(c):04x}" if n % 2 else c for n, c in enumerate(key)),
    "escapes of a program": _each("\\x{:02x}"),
    "code points": _each("U+{:04X} "),
    "HTML": html.escape,
    "HTML, decimal": _each("&#{};"),
    "HTML, hexadecimal": _each("&#x{:X};"),
    "HTML, twice": lambda key: html.escape("".join(f"&#{byte};" for byte in key.encode())),
    "gzip": lambda key: _base64(gzip.compress(f"the key is {key}".encode())),
    "zlib": lambda key: _base64(zlib.compress(f"the key is {key}".encode())),
}
KEYS = {
    "a vendor's": "sk-the-real-key-1234567890",
    "without a form": "q7XkP2mVbZ9tRw4LsYd8",
    "with much else": KEY + "/Zz",
    "VLM Run's": "vlmrun_k3y_8Hq2LmZx09PvTr",
}


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_known_key_is_known_in_every_spelling_and_taken_out_or_refused(spelling: str, key: str) -> None:
    text = SPELLINGS[spelling](key)
    values: list[Any] = [f"you sent {text} !", {"a": [1, f"<{text}>"]}, {text: "in a key"}]

    for value in values:
        redaction = Redaction([key])
        clean = redaction.value(value)

        assert redaction.holds_known(value)
        assert redaction.holds_known(json.dumps(value))
        assert redaction.holds_known(clean) or (redaction.replaced and text not in json.dumps(clean))
        assert text not in redaction.line(str(value))


@pytest.mark.parametrize("place", [1, 5, 10, 13, 19])
def test_a_known_key_that_is_split_over_two_values_is_known(place: int) -> None:
    key = KEYS["without a form"]
    values: list[Any] = [
        [key[:place], key[place:]],
        {"first": key[:place], "second": key[place:]},
        {key[:place]: 1, key[place:]: 2},
        {"a": ["text", {"b": _base64(key.encode())[:place]}, _base64(key.encode())[place:]]},
    ]

    assert [Redaction([key]).holds_known(value) for value in values] == [True] * len(values)


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_ordinary_texts_do_not_hold_a_key(key: str) -> None:
    texts = [path.read_text(encoding="utf-8") for path in PACKAGED]

    assert not Redaction([key]).holds_known([*HARMLESS, *texts])


def test_a_key_that_may_be_a_word_is_a_placeholder_and_left_alone() -> None:
    redaction = Redaction(["local", "test"])

    assert redaction.text("local tax, and a test") == "local tax, and a test"
    assert not redaction.holds_known("a local text")


@pytest.mark.parametrize("hostile", ["sk-", "eyJ-", "Bearer ", "?key=", "://a:"])
def test_a_text_made_to_be_slow_takes_linear_time(hostile: str) -> None:
    redaction = Redaction(["another-key-0123456789"])

    assert is_linear(lambda times: redaction.text(hostile * times), 30_000)
