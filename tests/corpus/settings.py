"""Settings that change every answer: the seed, the clock, the ids."""

from __future__ import annotations

from collections.abc import Mapping

from tests.corpus.case import Cases, Request, case, chat, extract, get, with_body
from tests.corpus.domains import SCHEMA

REQUESTS: Mapping[str, Request] = {
    "an invoice": extract("document.invoice"),
    "grounding": extract("document.us-passport", config={"grounding": True}),
    "a schema": chat(json_schema=dict(SCHEMA)),
    "a schema for a domain": extract("document.receipt", json_schema=dict(SCHEMA)),
    "no domain": chat(),
    "an id": with_body(extract("document.receipt"), id="chosen"),
}

REAL = {r'"created":\d{10}': '"created":0', r"chatcmpl-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}": "chatcmpl-<uuid>"}
"""What is real instead of constant."""


def cases() -> Cases:
    """Return the cases by name."""
    found: Cases = {}
    for name, request in REQUESTS.items():
        found[f"a real clock and random ids: {name}"] = case(
            request, request, get("/v1/openai/models"), settings={"clock": "wall", "ids": "random"}, varying=REAL
        )
        found[f"the seed 1: {name}"] = case(request, settings={"seed": 1})
        found[f"twice the same: {name}"] = case(request, request)
    return found
