"""Injected failures: every kind, of every source, and when they strike."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.corpus.case import Cases, Request, case, chat, extract, get, post
from tests.corpus.domains import SCHEMA

INVOICE = extract("document.invoice")
RECEIPT = extract("document.receipt")

FAULTS: dict[str, dict[str, Any]] = {
    "an error": {"kind": "error"},
    "an error 400": {"status": 400, "message": "Not today"},
    "an error 401": {"status": 401},
    "an error 402": {"status": 402, "message": ""},
    "an error 403": {"status": 403},
    "an error 404": {"status": 404},
    "an error 409": {"status": 409},
    "an error 422": {"status": 422, "message": "Ünprocessable"},
    "an error 429": {"status": 429},
    "an error 429 with a pause": {"status": 429, "retry_after": 2.5},
    "an error 429 with headers": {"status": 429, "headers": {"Retry-After": "7", "X-Limit": "a, b"}},
    "an error 500": {"status": 500},
    "an error 503": {"status": 503, "retry_after": 3},
    "an error 599": {"status": 599},
    "an error with the server's own headers": {"status": 500, "headers": {"Content-Type": "text/plain"}},
    "a latency": {"latency_ms": 1},
    "a latency in a range": {"kind": "latency", "latency_ms": [1, 2]},
    "an error with a latency": {"status": 500, "latency_ms": 1},
    "disconnect": {"kind": "disconnect"},
    "disconnect-midway": {"kind": "disconnect-midway"},
    "truncate": {"kind": "truncate"},
    "truncate-undeclared": {"kind": "truncate-undeclared"},
    "invalid-json": {"kind": "invalid-json"},
    "invalid-schema": {"kind": "invalid-schema"},
    "empty-choices": {"kind": "empty-choices"},
    "no-usage": {"kind": "no-usage"},
    "no-usage with a latency": {"kind": "no-usage", "latency_ms": 1},
    "hang": {"kind": "hang"},
}

SPOILING = ("truncate", "truncate-undeclared", "invalid-json", "invalid-schema", "empty-choices", "no-usage")

SPOILT: dict[str, Request] = {
    "a grounded answer": extract("document.us-passport", config={"grounding": True}),
    "a selection": extract("document.invoice", config={"gql_stmt": "{ invoice_id }"}),
    "a generated answer": chat(json_schema=dict(SCHEMA)),
    "a generated text": chat(json_schema={"type": "string"}),
    "an answer to anything": chat(json_schema={"title": "Anything"}),
    "the sentence": chat(),
    "a miss": extract("document.invioce"),
    "another generation": chat(domain="video.summary", model="vlmrun-orion-1"),
}

CONDITIONS: dict[str, dict[str, Any]] = {
    "twice": {"status": 500, "times": 2},
    "always": {"status": 500, "times": None},
    "every third": {"status": 500, "every": 3},
    "every second, once": {"status": 500, "every": 2, "times": 1},
    "a share": {"status": 500, "share": 0.4},
    "a small share, twice": {"status": 500, "share": 0.2, "times": 2},
    "of a domain": {"status": 500, "domain": "document.receipt", "times": None},
    "of an old spelling": {"status": 500, "domain": "document.w2-form"},
}

OPTIONS = {
    "document.invoice": "status=429,times=2,domain=document.invoice",
    "document.receipt": "no-usage,domain=document.receipt",
    "document.resume": "invalid-json,every=2,domain=document.resume",
    "image.caption": "share=0.5,status=503,message=Busy,domain=image.caption",
    "video.summary": '{"kind": "empty-choices", "times": null, "domain": "video.summary"}',
    "document.file": "latency_ms=1..2,times=always,domain=document.file",
    "accounting.form-w2": "domain=document.w2-form,status=500,retry_after=1.5",
}


def cases() -> Cases:
    """Return the cases by name."""
    found = {
        f"fault: {name}": case(post("/_mock/faults", fault), INVOICE, INVOICE, get("/_mock/faults"))
        for name, fault in FAULTS.items()
    }
    for kind in SPOILING:
        for name, request in SPOILT.items():
            found[f"{kind} of {name}"] = case(post("/_mock/faults", {"kind": kind}), request)
        found[f"{kind} of a fixture's answers"] = case(
            post("/_mock/faults", {"kind": kind, "times": 3}),
            post("/_mock/fixtures", [{"match": {"domain": "image.caption"}, "answer": {"content": "just a text"}}]),
            post(
                "/_mock/fixtures",
                {"match": {"domain": "document.file"}, "answer": {"error": {"status": 402, "message": "Pay"}}},
            ),
            extract("image.caption"),
            extract("document.file"),
            extract("document.receipt"),
            get("/_mock/requests"),
        )
    for name, fault in CONDITIONS.items():
        found[f"a fault that strikes {name}"] = case(
            post("/_mock/faults", fault),
            *[INVOICE, RECEIPT] * 4,
            extract("accounting.form-w2"),
            get("/_mock/faults"),
        )
    for domain, option in OPTIONS.items():
        found[f"the option --fault {option}"] = case(
            *[extract(domain)] * 4, get("/_mock/faults"), settings={"faults": list(OPTIONS.values())}
        )
    return {**found, **_several()}


def _several() -> Cases:
    return {
        "several faults": case(
            post("/_mock/faults", [{"kind": "no-usage", "every": 2}, {"status": 503, "times": 1}, {"status": 400}]),
            *[INVOICE] * 5,
            get("/_mock/faults"),
        ),
        "faults of all keys and of one": case(
            post("/_mock/faults", [{"status": 503}, {"status": 504}], with_key=False),
            post("/_mock/faults", {"status": 502}),
            INVOICE,
            replace(INVOICE, headers=(("X-Api-Key", "another"),), with_key=False),
            INVOICE,
            INVOICE,
            get("/_mock/faults"),
            get("/_mock/faults", with_key=False),
            alone=True,
        ),
        "fail() and what it takes": case(
            *[INVOICE] * 4,
            alone=True,
            prepare=lambda server: (
                server.fail(),
                server.fail("invalid-json"),
                server.fail(status=418, message="Teapot", headers={"X-A": "b"}, retry_after=2),
            ),
        ),
        "a share with another seed": case(
            post("/_mock/faults", {"status": 500, "share": 0.4}), *[RECEIPT] * 6, settings={"seed": 1}
        ),
        "a fault does not use up an answer": case(
            post("/_mock/fixtures", {"answers": [{"content": "first"}, {"content": "second"}]}),
            post("/_mock/faults", {"status": 500, "times": 1}),
            *[INVOICE] * 4,
        ),
        "a fault and a body that cannot be read": case(
            post("/_mock/faults", {"status": 500}), Request(body=b"{"), INVOICE
        ),
        "a fault and a parameter that is refused": case(
            post("/_mock/faults", {"status": 500}),
            chat(n=2, domain="document.invoice"),
            chat(n=2, domain="document.invoice"),
            settings={"unsupported": "reject"},
        ),
    }
