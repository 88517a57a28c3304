"""The control API: the journal and its filters, faults that are refused, the verdict, a reset."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.corpus import documents
from tests.corpus.case import Cases, Request, case, chat, delete, extract, get, post, show, with_body
from tests.corpus.documents import data_url

INVOICE = extract("document.invoice")
ASKED = (
    INVOICE,
    extract("document.w2-form", metadata={"environment": "dev", "session_id": "s-1", "order": 17}),
    extract("document.invioce"),
    Request(body=b'{"messages": 5}'),
    chat(json_schema={"type": "object", "properties": {"shop": {"type": "string"}}}, n=2, stream=True),
    extract("document.receipt", config={"prompt": "Read", "gql_stmt": "{ total }", "keyframes": True, "detail": "hi"}),
    chat(messages=show(data_url(documents.JPEG), "https://example.com/a.pdf", text="Größe"), model="vlm-agent-1"),
    chat(
        messages=[{"content": [{"type": "input_file", "file_id": "f-1", "filename": "a/b.pdf"}]}],
        domain="video.summary",
    ),
    chat(response_format={"type": "json_schema"}),
    chat(messages=[{"content": "long " * 5_000}], metadata={"note": "x" * 30_000}),
)

QUERIES = (
    "",
    "?limit=2",
    "?limit=2&offset=1",
    "?offset=100",
    "?status=201",
    "?status=422&limit=1",
    "?source=fixture",
    "?source=generated",
    "?source=upstream",
    "?domain=document.w2-form",
    "?domain=accounting.form-w2&status=201",
    "?domain=nothing",
    "?fault=hang",
    "?id=nothing",
    "?since=0",
    "?until=0",
    "?since=1e300",
)

WRONG_QUERIES = (
    "?limit=0",
    "?limit=1001",
    "?limit=many",
    "?offset=-1",
    "?status=600",
    "?status=ok",
    "?source=packaged",
    "?fault=fire",
    "?since=yesterday",
    "?until=inf",
    "?domian=document.invoice",
    "?limit=1&limit=2",
    "?a=1&b=2",
    "?",
)

FAULTS: dict[str, Any] = {
    "nothing": b"",
    "no JSON": b"[",
    "a text": "hang",
    "an empty object": {},
    "an empty list": [],
    "an unknown kind": {"kind": "fire"},
    "an unknown key": {"stauts": 500},
    "a status too low": {"status": 399},
    "a status that is a text": {"status": "500"},
    "a status of a hang": {"kind": "hang", "status": 500},
    "a message of a truncation": {"kind": "truncate", "message": "x", "retry_after": 1},
    "a latency without one": {"kind": "latency"},
    "a latency too long": {"latency_ms": 600_001},
    "a latency backwards": {"latency_ms": [2, 1]},
    "a latency of three": {"latency_ms": [1, 2, 3]},
    "never": {"times": 0},
    "every none": {"status": 500, "every": 0},
    "no share": {"status": 500, "share": 0},
    "more than all": {"status": 500, "share": 1.5},
    "an empty domain": {"status": 500, "domain": ""},
    "two pauses": {"status": 429, "retry_after": 1, "headers": {"retry-after": "2"}},
    "a framing header": {"status": 500, "headers": {"Transfer-Encoding": "chunked"}},
    "the second of a list": [{"status": 500}, {"status": 5}],
    "a list in a list": [[{"status": 500}]],
}


def cases() -> Cases:
    """Return the cases by name."""
    return {
        "the journal": case(*ASKED, *(get(f"/_mock/requests{query}") for query in QUERIES)),
        "the journal of a key that is not accepted": case(
            INVOICE,
            replace(INVOICE, with_key=False),
            get("/_mock/requests", with_key=False),
            get("/_mock/verdict", with_key=False),
            settings={"api_keys": ["only-this"]},
            alone=True,
        ),
        "the journal of all keys": case(
            INVOICE,
            replace(INVOICE, headers=(("X-Api-Key", "another"),), with_key=False),
            chat(n=3),
            get("/_mock/requests", with_key=False),
            get("/_mock/verdict", with_key=False),
            get("/_mock/requests?limit=1&offset=1"),
            post("/_mock/reset", with_key=False),
            get("/_mock/requests", with_key=False),
            get("/_mock/requests"),
            alone=True,
        ),
        "forgetting": case(
            *ASKED[:4],
            delete("/_mock/requests?domain=document.invoice"),
            get("/_mock/requests"),
            delete("/_mock/requests?limit=1"),
            delete("/_mock/requests?status=422&fault=hang"),
            delete("/_mock/requests"),
            get("/_mock/requests"),
        ),
        **{f"a wrong query {query}": case(get(f"/_mock/requests{query}")) for query in WRONG_QUERIES},
        **{f"a wrong query to delete {query}": case(delete(f"/_mock/requests{query}")) for query in WRONG_QUERIES[4:8]},
        **{
            f"a fault that is refused: {name}": case(post("/_mock/faults", body), get("/_mock/faults"))
            for name, body in FAULTS.items()
        },
        "faults that are dropped": case(
            post("/_mock/faults", [{"status": 500, "times": 2}, {"kind": "hang", "domain": "document.w2-form"}]),
            get("/_mock/faults"),
            INVOICE,
            delete("/_mock/faults"),
            INVOICE,
            get("/_mock/faults"),
            post("/_mock/faults", []),
        ),
        "a reset": case(
            post("/_mock/faults", {"status": 500}),
            post("/_mock/fixtures", {"answer": {"content": "registered"}}),
            INVOICE,
            post("/_mock/reset"),
            get("/_mock/faults"),
            get("/_mock/fixtures"),
            get("/_mock/requests"),
            INVOICE,
        ),
        "faults of the command line after a reset": case(
            INVOICE,
            extract("document.invioce"),
            post("/_mock/reset"),
            get("/_mock/faults"),
            INVOICE,
            post("/_mock/reset"),
            delete("/_mock/faults"),
            extract("document.invioce"),
            settings={"faults": ["status=503"]},
        ),
        **_verdicts(),
    }


def _verdicts() -> Cases:
    verdict = get("/_mock/verdict")
    return {
        "a verdict on nothing": case(verdict),
        "a verdict on what is well": case(INVOICE, INVOICE, chat(), verdict),
        "a verdict on one that gave up": case(
            post("/_mock/faults", [{"status": 503}, {"kind": "disconnect"}, {"kind": "truncate"}]),
            INVOICE,
            extract("document.receipt"),
            extract("document.resume"),
            verdict,
            get("/_mock/requests"),
        ),
        "a verdict on one that retried too early": case(
            post(
                "/_mock/faults",
                [{"status": 429, "retry_after": 60}, {"status": 503, "headers": {"retry-after": "30.5"}}],
            ),
            INVOICE,
            INVOICE,
            INVOICE,
            verdict,
        ),
        "a verdict on one that retried": case(post("/_mock/faults", {"status": 500}), INVOICE, INVOICE, verdict),
        "a verdict on one that retried in vain": case(
            extract("document.invioce"),
            extract("document.invioce"),
            Request(body=b"{"),
            Request(body=b"{"),
            verdict,
        ),
        "a verdict on one that asks for what has no effect": case(
            with_body(INVOICE, n=2, stream=True, max_tokens=1),
            chat(stop="\n", logprobs=True),
            chat(n=4, domain="document.receipt"),
            verdict,
        ),
        "a verdict on one that is refused": case(
            with_body(INVOICE, n=2),
            with_body(INVOICE, stream=True),
            INVOICE,
            chat(n=2),
            chat(n=3),
            verdict,
            settings={"unsupported": "reject"},
        ),
        "a verdict on a miss": case(INVOICE, INVOICE, verdict, settings={"strict": True}),
    }
