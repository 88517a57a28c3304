"""Recording: what an upstream says, passed on, written down, and replayed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tests.corpus import documents
from tests.corpus.case import (
    CHAT,
    NO_UPSTREAM,
    SILENT_UPSTREAM,
    UPSTREAM,
    Case,
    Cases,
    Folder,
    Request,
    case,
    chat,
    extract,
    get,
    post,
    show,
    with_body,
)
from tests.corpus.documents import data_url
from tests.corpus.domains import SCHEMA

SECRET = "sk-live-0123456789abcdefghij"
COUNTED = {"prompt_tokens": 1, "completion_tokens": 1}
VALUE = {"name": "Grün", "lines": [{"price": 1.50}], "none": None}
HTML = {"status": 200, "body": "<html>down</html>", "headers": {"Content-Type": "text/html; charset=utf-8"}}
BUSY = {"status": 503, "message": "Busy", "headers": {"Retry-After": "3", "X-Secret": "no"}}

SAYS: Mapping[str, dict[str, Any]] = {
    "a text": {"content": "Just words, and no JSON."},
    "spaced JSON": {"content": json.dumps(VALUE, ensure_ascii=False)},
    "indented JSON": {"content": json.dumps(VALUE, indent=2)},
    "odd JSON": {"content": '{ "a":1.50 ,"b" : [ ] }'},
    "fenced JSON": {"content": '```json\n{"a": 1}\n```'},
    "a list": {"content": [1, {"a": 2}]},
    "a repeated key": {"content": '{"a": 1, "a": 2}'},
    "secrets": {"content": {"note": f"Bearer {SECRET}", "api_key": "hunter22", "token": SECRET}},
    "vendor's keys": {
        "content": {"a": 1},
        "status": 200,
        "completion": {
            "id": "chatcmpl-1",
            "choices": [{"index": 0, "message": {"role": "assistant"}, "finish_reason": "length"}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3, "credits_used": 4},
            "debug": {"authorization": f"Bearer {SECRET}"},
        },
    },
    "no content": {"content": "", "completion": {"choices": [{"message": {"content": None}}]}},
    "an error 503": {"error": BUSY},
    "an error 400": {"error": {"status": 400, "body": {"detail": f"sent {data_url(bytes(90))}", "key": SECRET}}},
    "an error 401": {"error": {"status": 401, "message": "Invalid API key"}},
    "a redirect": {"error": {"status": 307, "body": "", "headers": {"Location": "https://example.com/"}}},
    "a page": {"error": HTML},
}
"""What the upstream says to whoever asks for it in these words."""

UPSTREAM_FIXTURES: list[dict[str, Any]] = [
    {"match": {"text": {"equals": text}}, "answer": answer} for text, answer in SAYS.items()
]
UPSTREAM_FAULTS = [
    "truncate-undeclared,domain=video.summary,times=always",
    "disconnect,domain=video.caption,times=always",
    "no-usage,domain=video.dashcam,times=always",
    "empty-choices,domain=video.tv-news,times=always",
    "truncate,domain=video.commentary,times=always",
]

RECORDING: Mapping[str, Any] = {"record": "new", "upstream": UPSTREAM}
PICTURE = data_url(documents.PNG)
INVOICE = extract("document.invoice")
SIGNED = "https://bucket.s3.amazonaws.com/a.png?X-Amz-Signature=0123456789abcdef"


def _invoice(text: str, **further: Any) -> Request:
    """Return a request for an invoice that differs from others in its text."""
    return with_body(extract("document.invoice", messages=show(PICTURE, text=text)), **further)


REQUESTS: Mapping[str, Request] = {
    "an invoice": INVOICE,
    "an old spelling": extract("document.w2-form"),
    "an unknown domain": extract("document.invioce"),
    "no domain": chat(),
    "an empty message": chat(messages=[{}]),
    "a conversation": chat(
        messages=[
            {"role": "system", "content": "Be brief."},
            *show(PICTURE, text="Größe?"),
            {"content": "And the rest?"},
        ],
        domain="image.caption",
    ),
    "several documents": chat(
        messages=show(PICTURE, data_url(documents.PDF, "application/pdf"), "https://example.com/a.png"),
        domain="document.receipt",
    ),
    "a file's id": chat(
        messages=[{"content": [{"type": "input_file", "input_file": {"file_id": "f-1", "filename": "a.pdf"}}]}],
        domain="document.receipt",
    ),
    "a video": chat(messages=show("https://example.com/a.mp4", kind="video_url"), domain="video.transcription"),
    "grounding": extract("document.us-passport", config={"grounding": True}),
    "a selection": extract("document.invoice", config={"gql_stmt": "{ invoice_id }", "keyframes": True}),
    "a wrong selection": extract("document.invoice", config={"gql_stmt": "{ nothing }"}),
    "a schema": chat(json_schema=dict(SCHEMA)),
    "a response_format": chat(
        messages=[{"content": "As JSON"}],
        response_format={"type": "json_schema", "json_schema": {"name": "A", "schema": dict(SCHEMA)}},
    ),
    "any object": chat(response_format={"type": "json_object"}),
    "parameters without effect": _invoice("n", n=3, stream=True, max_tokens=1, seed=4),
    "metadata": extract("document.receipt", metadata={"environment": "dev", "session_id": "s-1"}),
    "an agent": with_body(INVOICE, model="vlm-agent-1:pro"),
    "Orion": with_body(INVOICE, model="vlmrun-orion-1:fast"),
    "a stream of Orion": with_body(_invoice("A stream"), model="vlmrun-orion-1:fast", stream=True),
    "another model": _invoice("Model", model="gpt-4o-mini", id="chosen"),
    "a signed URL": chat(messages=show(SIGNED), domain="document.invoice"),
    "a secret in the text": chat(messages=[{"content": f"My key is {SECRET}"}], domain="document.invoice"),
    "a body that cannot be read": Request(body=b'{"messages": 5, "domain": "document.invoice"}'),
    "malformed JSON": Request(body=b"{"),
    "a query": replace(_invoice("Query"), path=f"{CHAT}?trace=1"),
    "an answer that ends early": extract("video.summary"),
    "an answer that never begins": extract("video.caption"),
    "an answer without usage": extract("video.dashcam"),
    "an answer without choices": extract("video.tv-news"),
    "half of an answer": extract("video.commentary"),
    **{text: chat(messages=[{"role": "user", "content": text}]) for text in SAYS},
}
ERRORS = tuple(text for text, answer in SAYS.items() if "error" in answer)

OWN: Folder = {
    "own.json": {
        "match": {"domain": "document.invoice"},
        "answer": {"content": {"invoice_id": "own"}, "usage": COUNTED},
    },
}


def _recorded(*requests: Request, folders: tuple[Folder, ...] = ({},), alone: bool = False, **settings: Any) -> Case:
    """Return a case that records into the first folder, and shows what is new in it.

    Those that share a folder ask for different things.
    """
    return case(*requests, settings={**RECORDING, **settings}, folders=folders, alone=alone, lists_folder=True)


def cases() -> Cases:
    """Return the cases by name."""
    journal = get("/_mock/requests")
    twice = {f"recorded and replayed: {name}": _recorded(one, one, journal) for name, one in REQUESTS.items()}
    return {**twice, **_of_errors(), **_of_modes(), **_of_faults()}


def _of_errors() -> Cases:
    found = {
        f"recorded errors: {name}": _recorded(REQUESTS[name], REQUESTS[name], record_errors=True)
        for name in (*ERRORS, "an unknown domain", "an answer without choices", "half of an answer")
    }
    found["an upstream that is not there"] = case(
        INVOICE,
        Request(body=b"{"),
        get("/_mock/requests"),
        settings={**RECORDING, "upstream": NO_UPSTREAM},
        folders=({},),
    )
    found["an upstream that says nothing"] = case(
        INVOICE, settings={**RECORDING, "upstream": SILENT_UPSTREAM, "timeout": 0.1}, folders=({},)
    )
    return found


def _of_modes() -> Cases:
    asked = first, _ = (_invoice("Mode"), extract("document.receipt", messages=show(PICTURE, text="Mode")))
    return {
        "the mode all": _recorded(first, first, record="all", alone=True),
        "the mode all, and fixtures of one's own": _recorded(
            *asked, *asked, folders=({}, OWN), record="all", alone=True
        ),
        "the mode new, and fixtures of one's own": _recorded(*asked, folders=({}, OWN), alone=True),
        "the mode once": _recorded(*asked, first, record="once", alone=True),
        "the mode once, where something is": _recorded(*asked, folders=(OWN,), record="once"),
        "the mode none": _recorded(*asked, extract("document.invioce"), folders=(OWN,), record="none"),
        "the mode none, where nothing is": _recorded(*asked, get("/_mock/requests"), record="none"),
        "a key for the upstream": _recorded(first, first, upstream_key="upstream-key-0123456789"),
        "a cookie": _recorded(replace(_invoice("Cookie"), headers=(("Cookie", "session=crumbs-0123456789"),))),
        "another key asks again": _recorded(
            _invoice("Key"),
            replace(_invoice("Key"), headers=(("Authorization", "Bearer another-key-012"),), with_key=False),
        ),
        "parameters that are refused while recording": _recorded(with_body(first, n=2), unsupported="reject"),
        "a fixture that is registered while recording": _recorded(
            post("/_mock/fixtures", {"answer": {"content": "registered"}}), first
        ),
        "the catalogue of a recorder": _recorded(
            first, get("/v1/hub/info"), get("/_mock/health"), get("/_mock/fixtures"), alone=True
        ),
        "a recorder's key": _recorded(replace(first, with_key=False)),
    }


def _of_faults() -> Cases:
    faults: dict[str, dict[str, Any]] = {
        kind: {"kind": kind}
        for kind in ("error", "truncate", "invalid-json", "invalid-schema", "empty-choices", "no-usage", "disconnect")
    }
    found = {
        f"recorded under a fault: {kind}": _recorded(post("/_mock/faults", fault), _invoice(kind), _invoice(kind))
        for kind, fault in faults.items()
    }
    page = REQUESTS["a page"]
    found["a fault that finds no completion"] = _recorded(
        post("/_mock/faults", [{"kind": "no-usage"}, {"kind": "invalid-json"}]), page, page
    )
    return found
