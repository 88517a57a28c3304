"""What looks like a secret is found and replaced, and what does not is left alone."""

from __future__ import annotations

import base64
import json
import time
from typing import Any
from urllib.parse import quote

import pytest

from vlmrun_mock.redaction import REPLACEMENT, Redaction, found_in

KEY = 'kd83/Jf+9 q2=xyz"0'

SECRETS = {
    "a bearer token": "Authorization: Bearer abcdef0123456789abcdef",
    "a JSON Web Token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
    "an API key": "use sk-proj-abcdefghij0123456789 for it",
    "a GitHub token": "ghp_" + "a1" * 18,
    "a GitLab token": "glpat-abcdefghij0123456789",
    "a Slack token": "xoxb-1234567890-abcdef",
    "a Hugging Face token": "hf_" + "aB3" * 11,
    "a Google API key": "AIza" + "Sy1" * 11 + "ab",
    "an AWS access key": "AKIAIOSFODNN7EXAMPLE",
    "a private key": "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
    "a password": "Authorization: Basic YWxpY2U6d29uZGVybGFuZA==",
    "a signed URL": "https://bucket.s3.amazonaws.com/a.png?X-Amz-Date=1&X-Amz-Signature=0123456789abcdef",
    "a password in a URL": "https://alice:wonderland@example.com/a.png",
}
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
]


@pytest.mark.parametrize("kind", SECRETS)
def test_what_looks_like_a_secret_is_found_and_replaced(kind: str) -> None:
    value = {"notes": [SECRETS[kind], "fine"]}
    redaction = Redaction([])

    clean = redaction.value(value)

    assert [(secret.place, secret.kind) for secret in found_in(value)] == [(("notes", 0), kind)]
    assert REPLACEMENT in clean["notes"][0]
    assert clean["notes"][1] == "fine"
    assert redaction.replaced == 1
    assert list(found_in(clean)) == []


@pytest.mark.parametrize("text", HARMLESS)
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


def test_a_key_that_may_be_a_word_is_a_placeholder_and_left_alone() -> None:
    redaction = Redaction(["local", "test"])

    assert redaction.text("local tax, and a test") == "local tax, and a test"
    assert not redaction.holds_known("a local text")


@pytest.mark.parametrize(
    "hostile", ["sk-" * 30_000, "eyJ-" * 30_000, "Bearer " * 20_000, "?key=" * 20_000, "://a:" * 20_000]
)
def test_a_text_made_to_be_slow_is_not(hostile: str) -> None:
    started = time.perf_counter()

    Redaction(["another-key-0123456789"]).text(hostile)

    assert time.perf_counter() - started < 3
