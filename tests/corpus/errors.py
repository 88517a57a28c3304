"""Requests that are refused: the wrong key, path or method, too large, too many, or what breaks on its way."""

from __future__ import annotations

from dataclasses import replace

from tests.corpus.case import CHAT, Cases, Request, case, chat, delete, extract, get, post

INVOICE = extract("document.invoice")
KEYS = {"api_keys": ["first-key", "second-key"]}
ROOM = {r"\b3(?:600|59\d)\b": "3600"}
"""How many seconds there are until there is room again, at most some less than an hour."""


def _with(*headers: tuple[str, str]) -> Request:
    """Return a request for an invoice with these headers alone."""
    return replace(INVOICE, headers=headers, with_key=False)


def _bearer(key: str) -> tuple[str, str]:
    return "Authorization", f"Bearer {key}"


def cases() -> Cases:
    """Return the cases by name."""
    return {**_of_keys(), **_of_paths(), **_too_large(), **_too_many(), **_broken()}


def _of_keys() -> Cases:
    sent = {
        "none": (),
        "an empty one": (("Authorization", "Bearer "),),
        "no scheme": (("Authorization", "first-key"),),
        "another scheme": (("Authorization", "Basic Zmlyc3Q6a2V5"),),
        "bearer": (_bearer("first-key"),),
        "bearer in capitals": (("Authorization", "BEARER   second-key "),),
        "X-Api-Key": (("X-Api-Key", "second-key"),),
        "a wrong bearer beside X-Api-Key": (_bearer("third-key"), ("X-Api-Key", "first-key")),
        "a wrong one": (_bearer("third-key"),),
        "one that is not ASCII": (_bearer("schlüssel"),),
        "two": (_bearer("third-key"), _bearer("first-key")),
    }
    found: Cases = {}
    unknown = extract("document.invioce")
    for name, headers in sent.items():
        found[f"a key: {name}"] = case(_with(*headers))
        found[f"a key where two are accepted: {name}"] = case(
            replace(unknown, headers=headers, with_key=False),
            get("/v1/health", headers=headers, with_key=False),
            get("/v1/openai/models", headers=headers, with_key=False),
            get("/_mock/faults", headers=headers, with_key=False),
            settings=KEYS,
        )
    found["a wrong key for a body that cannot be read"] = case(replace(_with(), body=b"{"))
    return found


def _of_paths() -> Cases:
    paths = (
        "/",
        "/v1",
        "/v1/openai",
        "/v1/openai/",
        "/v1/chat/completions",
        "/v1/openai/chat/completions/",
        "/v1/openai/completions",
        "/v1/openai/embeddings",
        "/v1/files",
        "/v1/document/generate",
        "/v1/agent/execute",
        "/_mock",
        "/_mock/nothing",
        "/v1/openai/" + "x" * 200,
        "/ünïcode",
        "//v1/health",
    )
    found = {f"no path {path[:40]}": case(get(path), post(path, {})) for path in paths}
    allowed = {
        CHAT: ("GET", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"),
        "/v1/health": ("POST", "OPTIONS"),
        "/v1/openai/models": ("POST", "DELETE"),
        "/v1/openai/models/vlm-1": ("DELETE",),
        "/v1/domains": ("PUT",),
        "/v1/schema": ("GET", "HEAD"),
        "/_mock/requests": ("POST", "PUT"),
        "/_mock/fixtures": ("PUT",),
        "/_mock/reset": ("GET",),
        "/_mock/verdict": ("POST",),
    }
    for path, methods in allowed.items():
        for method in methods:
            found[f"{method} {path}"] = case(Request(path, method=method))
    found["a query on a chat completion"] = case(replace(INVOICE, path=f"{CHAT}?a=1&b"))
    return found


def _too_large() -> Cases:
    body = b'{"messages": [{"content": "' + b"x" * 2_000 + b'"}]}'
    limit = {"max_body": 1_000}
    declared = (("Content-Length", str(len(body))),)
    return {
        "a body that is too large": case(Request(body=body), settings=limit),
        "a body that is too large and says so": case(Request(body=body, headers=declared), settings=limit),
        "a body that is too large, in pieces": case(Request(body=body, pieces=20), settings=limit),
        "a body that is too large, without a key": case(Request(body=body, with_key=False), settings=limit),
        "a body that claims to be too large": case(
            Request(body=b"{}", headers=(("Content-Length", "9" * 30),)), settings=limit
        ),
        "a body that fits in pieces": case(replace(chat(domain="document.invioce"), pieces=7), settings=limit),
        "a body in pieces": case(replace(INVOICE, pieces=7)),
        "a schema request that is too large": case(post("/v1/schema", body), settings=limit),
        "a fixture that is too large": case(post("/_mock/fixtures", body), settings=limit),
        "a fault that is too large": case(post("/_mock/faults", body), settings=limit),
    }


def _too_many() -> Cases:
    limited = {"rate_limit": "2/hour"}
    return {
        "more than the rate limit": case(
            *[INVOICE] * 3,
            replace(INVOICE, headers=(_bearer("another"),), with_key=False),
            Request(body=b"{"),
            get("/v1/domains"),
            get("/_mock/requests"),
            post("/_mock/reset"),
            INVOICE,
            settings=limited,
            varying=ROOM,
        ),
        "refused ones count towards the rate limit": case(
            Request(body=b"{"), extract("document.invioce"), INVOICE, settings=limited, varying=ROOM
        ),
        "the rate limit of a minute": case(
            Request(body=b"{"), INVOICE, settings={"rate_limit": "1/min"}, varying={r"\b(?:60|5\d)\b(?= s|$|\.0)": "60"}
        ),
    }


def _broken() -> Cases:
    return {
        "a request that cannot be received": case(replace(INVOICE, arrives="breaks"), get("/_mock/requests")),
        "a schema request that cannot be received": case(
            replace(post("/v1/schema", {"domain": "document.invoice"}), arrives="breaks")
        ),
        "a client that leaves": case(replace(INVOICE, arrives="stops"), get("/_mock/requests")),
        "a client that leaves after an unknown path": case(
            replace(post("/v1/nothing", {}), arrives="stops"), delete("/_mock/requests")
        ),
        "a client that waits to send": case(
            Request(body=b"{}", with_key=False, headers=(("Expect", "100-continue"),)),
        ),
    }
