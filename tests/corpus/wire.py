"""Answers as they go through a socket, with what the server on the port adds to them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.corpus.case import Case, Cases, Request, case, chat, extract, get, post

BODY = b'{"messages": [{}], "domain": "document.receipt"}'
CUTS = ("truncate", "truncate-undeclared", "disconnect", "disconnect-midway")


def _on_wire(*requests: Request, **further: Any) -> Case:
    return case(*requests, on_wire=True, **further)


def cases() -> Cases:
    """Return the cases by name."""
    return {
        "on the wire": _on_wire(
            extract("document.invoice"),
            chat(model="vlmrun-orion-1", domain="document.receipt"),
            extract("document.invioce"),
            replace(chat(), with_key=False),
            get("/v1/health"),
            Request("/v1/health", method="HEAD"),
            Request("/v1/nothing", method="HEAD"),
            get("/v1/nothing"),
            get("/v1/openai/models/vlm-1%3Alatest"),
            Request("/v1/health", method="DELETE"),
            Request(body=_chunked(BODY[:10], BODY[10:]), headers=(("Transfer-Encoding", "chunked"),)),
            Request("/v1/nothing", body=b"x" * 1_000),
            get("/_mock/requests?status=422"),
            Request(body=b"x" * 300_000),
            Request(body=_chunked(*[b"x" * 50_000] * 6), headers=(("Transfer-Encoding", "chunked"),)),
            post("/_mock/faults", [{"kind": kind} for kind in CUTS]),
            *[chat(domain="document.receipt")] * (len(CUTS) + 1),
            settings={"max_body": 200_000},
        ),
        "a server that stops": _on_wire(
            post("/_mock/faults", {"latency_ms": 60_000}),
            extract("document.invoice"),
            stops=True,
            varying={r"req_\d{8}": "req_<number>"},
        ),
    }


def _chunked(*pieces: bytes) -> bytes:
    """Return a body in chunks."""
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (*pieces, b""))
