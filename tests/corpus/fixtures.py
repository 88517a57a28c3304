"""Fixtures of folders, written in place, registered at run time, and what is said where none of them matches."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from tests.corpus import documents
from tests.corpus.case import Cases, Request, case, chat, extract, get, post, show, with_body
from tests.corpus.documents import data_url
from tests.corpus.domains import SCHEMA

INVOICE, RECEIPT = "document.invoice", "document.receipt"
NOTE, WORDS = "custom.delivery-note", "custom.words"
FILE_URL = "https://example.com/bill.pdf"
BUSY = {"status": 503, "message": "Busy", "headers": {"Retry-After": "2", "X-Plan": "starter"}}
COUNTED = {"prompt_tokens": 1, "completion_tokens": 1}
ENVELOPE = {
    "id": "chatcmpl-recorded",
    "object": "chat.completion",
    "created": 1700000000,
    "model": "vlm-1-2026",
    "choices": [{"index": 0, "message": {"role": "assistant", "refusal": None}, "finish_reason": "length"}],
    "usage": {"prompt_tokens": 700, "completion_tokens": 30, "total_tokens": 730, "credits_used": 3},
}


def identity(data: bytes) -> str:
    """Return what a fixture calls a document with these bytes."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


FOLDER: Mapping[str, Any] = {
    "pictures/acme.png": documents.PNG,
    "pictures/acme-2.jpg": documents.JPEG,
    "acme.json": {
        "description": "The invoice of Acme",
        "match": {"domain": INVOICE, "documents": ["pictures/acme.png"]},
        "answer": {"content": {"invoice_id": "INV-1", "issuer_name": "Acme GmbH & Söhne", "total_amount": 12.5}},
    },
    "two-pages.json": {
        "match": {"domain": INVOICE, "documents": [identity(documents.PNG), "pictures/acme-2.jpg"]},
        "answer": {"content": {"invoice_id": "INV-2", "total_amount": 2e22}},
    },
    "by-url.json": {
        "match": {"domain": INVOICE, "documents": [FILE_URL]},
        "answer": {"content": {"invoice_id": "INV-3"}},
    },
    "by-id.json": {"match": {"documents": ["file:file-1"]}, "answer": {"content": "by its id"}},
    "by-object.json": {
        "match": {"documents": [{"identity": identity(documents.GIF), "kind": "image_url", "size": 20}]},
        "answer": {"content": ["a", {"list": None}]},
    },
    "text/contains.json": {
        "match": {"domain": RECEIPT, "text": {"contains": ["total", "currency"]}},
        "answer": {"merge": {"total": 3.0, "currency": "EUR"}},
    },
    "text/contains-one.json": {
        "match": {"domain": RECEIPT, "text": {"contains": "total"}},
        "answer": {"merge": {"total": 4}},
    },
    "text/equals.json": {
        "match": {"domain": "", "text": {"equals": "Be brief.\nSay hello"}},
        "answer": {"content": "Hello!\n\n  \u201cGood morning\u201d \U0001f642"},
    },
    "verbatim.json": {
        "match": {"domain": WORDS, "text": {"contains": "as you wrote it"}},
        "answer": {"content": '{ "a" : 1.50,\n"b":"\\u00fc" }'},
    },
    "metadata.json": {
        "match": {"domain": RECEIPT, "metadata": {"session_id": "s-1", "environment": "dev"}},
        "answer": {"merge": {"merchant_name": "Session Shop"}},
    },
    "further-metadata.json": {
        "match": {"domain": RECEIPT, "metadata": {"order": {"number": 17}}},
        "answer": {"merge": {"merchant_name": "Order Shop"}},
    },
    "model.json": {
        "match": {"domain": RECEIPT, "model": "vlm-agent-1:pro"},
        "answer": {"merge": {"merchant_name": "Agent's Shop"}},
    },
    "generation.json": {
        "match": {"domain": "image.caption", "generation": "orion"},
        "answer": {"content": {"caption": "By Orion", "tags": []}},
    },
    "merge.json": {
        "match": {"domain": "document.w2-form"},
        "answer": {"merge": {"employee_name": "Ann", "employee_address": {"city": "Ulm"}, "ein": None, "new": [1]}},
    },
    "retry.json": {
        "match": {"domain": WORDS, "text": {"contains": "try again"}},
        "answers": [
            {"error": {"status": 429, "message": "Slow down", "headers": {"Retry-After": "1"}}},
            {"error": BUSY},
            {"content": {"at": "last"}},
        ],
    },
    "turns.json": {
        "match": {"domain": NOTE, "text": {"contains": "next"}},
        "answers": [{"content": {"page": page}, "usage": {"prompt_tokens": page}} for page in (1, 2)],
    },
    "error.json": {
        "match": {"domain": WORDS, "text": {"contains": "Fail"}},
        "answer": {"error": {"status": 402, "message": "Pay"}},
    },
    "error-422.json": {
        "match": {"domain": WORDS, "text": {"contains": "Refuse"}},
        "answer": {"error": {"status": 422}},
    },
    "error-body.json": {
        "match": {"domain": WORDS, "text": {"contains": "Fail in JSON"}},
        "answer": {"error": {"status": 400, "body": {"detail": [{"msg": "ünlesbar"}], "n": 1.0}}},
    },
    "error-text.json": {
        "match": {"domain": WORDS, "text": {"contains": "Fail in words"}},
        "answer": {
            "error": {"status": 502, "body": "<h1>Bad gateway</h1>\n", "headers": {"Content-Type": "text/html"}}
        },
    },
    "error-200.json": {
        "match": {"domain": WORDS, "text": {"contains": "Fail with success"}},
        "answer": {"error": {"status": 200, "body": []}, "latency_ms": 1},
    },
    "usage.json": {
        "match": {"domain": NOTE, "text": {"contains": "count"}},
        "answer": {
            "content": {"counted": True},
            "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 4},
        },
    },
    "usage-in-part.json": {
        "match": {"domain": NOTE, "text": {"contains": "count a part"}},
        "answer": {"content": {"counted": "some"}, "usage": {"completion_tokens": 100}, "latency_ms": 1},
    },
    "messages.json": {
        "match": {
            "domain": NOTE,
            "documents": [identity(documents.PNG)],
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": ["Read", {"document": 1}, "now"]},
            ],
        },
        "answer": {"content": {"said": "in this order"}},
    },
    "schema.json": {
        "match": {"domain": NOTE, "schema": {"type": "object", "properties": {"shop": {"type": "string"}}}},
        "answer": {"content": {"shop": "of the schema"}},
    },
    "any-schema.json": {
        "match": {"domain": "custom.any", "text": {"contains": "any schema"}},
        "answer": {"content": {"title": 5, "items": "wrong"}},
    },
    "no-schema.json": {
        "match": {"domain": "custom.plain", "schema": {}},
        "answer": {"content": {"schema": None, "address": {"city": "Ulm"}, "lines": [{"a": 1, "b": 2}, {"a": 3}]}},
    },
    "config.json": {
        "match": {"domain": "custom.plain", "config": {"grounding": True, "prompt": "Read"}},
        "answer": {"content": {"a": 1, "b": ["ü"]}, "layout": "indent-2"},
    },
    "config-ascii.json": {
        "match": {"domain": "custom.plain", "config": {"confidence": True}},
        "answer": {"content": {"a": 1, "b": ["ü"]}, "layout": "spaced-ascii"},
    },
    "config-verbatim.json": {
        "match": {"domain": "custom.plain", "config": {"detail": "hi"}},
        "answer": {"content": {"a": 1.0}, "verbatim": '{"a" :1.0 }'},
    },
    "config-changed.json": {
        "match": {"domain": "custom.plain", "config": {"detail": "lo"}},
        "answer": {"content": {"a": 2.0}, "verbatim": '{"a" :1.0 }'},
    },
    "json-object.json": {
        "match": {"domain": "", "json_object": True},
        "answer": {"content": {"any": "object"}},
    },
    "recorded.json": {
        "asked": {"model": "vlm-1"},
        "match": {
            "domain": INVOICE,
            "documents": [identity(documents.WEBP)],
            "generation": "vlm-1",
            "messages": [{"role": "user", "content": ["Extract", {"document": 1}]}],
            "schema": {},
            "config": {},
            "json_object": False,
        },
        "answer": {
            "status": 200,
            "content": {"invoice_id": "INV-R", "total_amount": None},
            "layout": "spaced",
            "completion": ENVELOPE,
            "took_ms": 2,
        },
    },
    "recorded-null.json": {
        "match": {"domain": "custom.null", "text": {"contains": "nothing at all"}},
        "answer": {
            "content": "",
            "status": 202,
            "completion": {"choices": [{"message": {"content": None}}]},
            "usage": {"prompt_tokens": 5},
        },
    },
    "ünter/größe 100%.json": {"match": {"domain": WORDS, "text": {"contains": "Größe"}}, "answer": {"content": "groß"}},
    "a.json": {"match": {"domain": "custom.tie"}, "answer": {"content": {"which": "a"}}},
    "b.json": {"match": {"domain": "custom.tie"}, "answer": {"content": {"which": "b"}}},
    ".hidden.json": {"nothing": "that is read"},
    "readme.txt": b"not a fixture",
}

SECOND_FOLDER: Mapping[str, Any] = {
    "acme.json": {
        "match": {"domain": INVOICE, "documents": [data_url(documents.PNG)], "model": "vlm-1"},
        "answer": {"content": {"invoice_id": "second folder"}},
    },
    "bmp.json": {
        "match": {"domain": INVOICE, "documents": [identity(documents.BMP)]},
        "answer": {"content": {"invoice_id": "BMP"}},
    },
    "resume.json": {"match": {"domain": "document.resume"}, "answer": {"merge": {"summary": "Second"}}},
}


def _say(text: str, domain: str | None = None, **body: Any) -> Request:
    """Return a request with one text."""
    return chat(messages=[{"role": "user", "content": text}], **({"domain": domain} if domain else {}), **body)


def _picture(*data: bytes, domain: str = INVOICE, text: str = "Extract", **body: Any) -> Request:
    """Return a request with pictures."""
    return chat(messages=show(*map(data_url, data), text=text), domain=domain, **body)


ORDERED = [
    {"role": "system", "content": "Be brief."},
    {
        "role": "user",
        "content": show(data_url(documents.PNG), text="Read")[0]["content"] + [{"type": "text", "text": "now"}],
    },
]
ELSEWHERE = [{**ORDERED[1], "role": "user"}, {"role": "user", "content": "now"}]
SHOP = {"type": "object", "properties": {"shop": {"type": "string"}}}

ASKED: Mapping[str, tuple[Request, ...]] = {
    "a picture": (_picture(documents.PNG),),
    "the picture by another name": (_picture(documents.PNG, text="Whatever", model="gpt-4o"),),
    "two pictures": (_picture(documents.PNG, documents.JPEG),),
    "two pictures in the other order": (_picture(documents.JPEG, documents.PNG),),
    "another picture": (_picture(documents.OTHER_PNG),),
    "three pictures": (_picture(documents.PNG, documents.JPEG, documents.GIF),),
    "no picture": (_say("Extract", INVOICE),),
    "a picture of another domain": (_picture(documents.PNG, domain=RECEIPT),),
    "a picture of no domain": (chat(messages=show(data_url(documents.PNG))),),
    "a picture of the second folder": (_picture(documents.BMP),),
    "a URL": (chat(messages=show(FILE_URL), domain=INVOICE),),
    "another URL": (chat(messages=show(f"{FILE_URL}?page=2"), domain=INVOICE),),
    "a URL as a file": (chat(messages=show(FILE_URL, kind="file_url"), domain=INVOICE),),
    "a file's id": (chat(messages=[{"content": [{"type": "input_file", "file_id": "file-1"}]}]),),
    "another file's id": (chat(messages=[{"content": [{"type": "input_file", "file_id": "file-2"}]}]),),
    "a document by an object": (_picture(documents.GIF, domain="image.caption"),),
    "a text that contains both": (_say("the total and its currency", RECEIPT),),
    "a text that contains one": (_say("the total", RECEIPT),),
    "a text in another case": (_say("The TOTAL", RECEIPT),),
    "a text that contains none": (_say("the sum", RECEIPT),),
    "a long text that contains none": (_say("the sum " * 100, RECEIPT),),
    "a text that is equal": (chat(messages=[{"role": "system", "content": "Be brief."}, {"content": "Say hello"}]),),
    "a text that is nearly equal": (_say("Be brief. Say hello"),),
    "a text that is equal in another case": (_say("be brief.\nsay HELLO"),),
    "a verbatim text": (
        _say("Give it as you wrote it", WORDS),
        _say("Give it as you wrote it", WORDS, json_schema=SHOP),
    ),
    "metadata": (_say("Extract", RECEIPT, metadata={"session_id": "s-1", "environment": "dev"}),),
    "other metadata": (_say("Extract", RECEIPT, metadata={"session_id": "s-2", "environment": "dev"}),),
    "further metadata": (_say("Extract", RECEIPT, metadata={"order": {"number": 17.0}}),),
    "other further metadata": (_say("Extract", RECEIPT, metadata={"order": {"number": True}}),),
    "a model": (_say("Extract", RECEIPT, model="vlm-agent-1:pro"),),
    "another model": (_say("Extract", RECEIPT, model="vlm-agent-1:auto"),),
    "a generation": (_say("Describe", "image.caption", model="vlmrun-orion-1:lite"),),
    "another generation": (_say("Describe", "image.caption", model="vlm-agent-1"),),
    "a merge": (_say("Extract", "accounting.form-w2"), _say("Extract", "document.w2-form", json_schema=dict(SCHEMA))),
    "a merge with grounding": (
        _say("Extract", vlmrun={"domain": "accounting.form-w2", "config": {"grounding": True}}),
    ),
    "a merge of the second folder": (_say("Extract", "document.resume"),),
    "answers in turn": tuple([_say("try again", WORDS)] * 5),
    "other answers in turn": (_say("next", NOTE), _say("the next one", NOTE), _say("next", NOTE)),
    "an error": (_say("Fail", WORDS),),
    "an error 422": (_say("Refuse", WORDS),),
    "an error with a body": (_say("Fail in JSON", WORDS),),
    "an error with a text": (_say("Fail in words", WORDS),),
    "an error that is none": (_say("Fail with success", WORDS),),
    "figures": (_say("count", NOTE), _say("count a part", NOTE, max_tokens=50)),
    "messages": (chat(messages=ORDERED, domain=NOTE),),
    "messages from another role": (chat(messages=[{**ORDERED[0], "role": "assistant"}, ORDERED[1]], domain=NOTE),),
    "messages that say something else": (chat(messages=[ORDERED[0], *show(data_url(documents.PNG))], domain=NOTE),),
    "messages in another case": (chat(messages=[{"role": "system", "content": "BE BRIEF."}, ORDERED[1]], domain=NOTE),),
    "fewer messages": (chat(messages=ORDERED[1:], domain=NOTE),),
    "a document in another message": (chat(messages=ELSEWHERE, domain=NOTE),),
    "a schema": (_say("Extract", NOTE, json_schema=SHOP), _say("Extract", NOTE, json_schema={**SHOP, "title": "x"})),
    "another schema": (
        _say("Extract", NOTE, json_schema={"type": "object", "properties": {"shop": {"type": "integer"}}}),
    ),
    "no schema where one is wanted": (_say("Extract", NOTE),),
    "content that does not meet a schema": (
        _say("any schema", "custom.any", json_schema=dict(SCHEMA)),
        get("/_mock/requests"),
    ),
    "no schema": (_say("Extract", "custom.plain"),),
    "a schema where none is wanted": (_say("Extract", "custom.plain", json_schema=dict(SCHEMA)),),
    "a selection": (
        _say("Extract", vlmrun={"domain": "custom.plain", "config": {"gql_stmt": "{ address { city } lines { b } }"}}),
    ),
    "a selection that is not there": (
        _say("Extract", vlmrun={"domain": "custom.plain", "config": {"gql_stmt": "{ zip }"}}),
    ),
    "a config": (_say("Extract", vlmrun={"domain": "custom.plain", "config": {"grounding": True, "prompt": "Read"}}),),
    "a config in ASCII": (_say("Extract", vlmrun={"domain": "custom.plain", "config": {"confidence": True}}),),
    "a config with a verbatim text": (_say("Extract", vlmrun={"domain": "custom.plain", "config": {"detail": "hi"}}),),
    "a config with a text that has changed": (
        _say("Extract", vlmrun={"domain": "custom.plain", "config": {"detail": "lo"}}),
    ),
    "another config": (
        _say("Extract", vlmrun={"domain": "custom.plain", "config": {"grounding": True, "keyframes": 1}}),
    ),
    "any object": (_say("Extract", response_format={"type": "json_object"}),),
    "any object of a domain": (_say("Extract", "custom.nothing", response_format={"type": "json_object"}),),
    "a recording": (_picture(documents.WEBP), _picture(documents.WEBP, max_tokens=3, id="another", model="gpt-4o")),
    "a recording with another text": (_picture(documents.WEBP, text="extract"),),
    "a recording with grounding": (_picture(documents.WEBP, vlmrun={"config": {"grounding": True}}),),
    "a recording with a schema": (_picture(documents.WEBP, json_schema=SHOP),),
    "a recording for an agent": (_picture(documents.WEBP, model="vlm-agent-1"),),
    "a recording for any object": (_picture(documents.WEBP, response_format={"type": "json_object"}),),
    "a recording without content": (_say("nothing at all", "custom.null"),),
    "a name that is not ASCII": (_say("Größe", WORDS),),
    "a tie": (_say("Extract", "custom.tie"),),
    "an unknown domain": (_say("Extract", "custom.nothing"),),
    "a domain that is nearly a fixture's": (_say("Extract", "custom.delivery-notes"),),
    "a domain that is nearly the API's": (_picture(documents.PNG, domain="document.invioce"),),
    "nothing but a word": (chat(),),
    "a body that cannot be read": (Request(body=b"{"),),
    "the lists": (get("/_mock/fixtures"), get("/_mock/health")),
}

REFUSED: Mapping[str, Any] = {
    "nothing": b"",
    "no JSON": b"{",
    "a text": "fixture",
    "a list of texts": ["fixture"],
    "an empty object": {},
    "an empty list": [],
    "an unknown key": {"answers": [{"content": ""}], "match": {"domian": INVOICE}},
    "answer and answers": {"answer": {"content": ""}, "answers": [{"content": ""}]},
    "no answers": {"answers": []},
    "two kinds of answer": {"answer": {"content": "", "merge": {}}},
    "an empty answer": {"answer": {}},
    "a number as content": {"answer": {"content": 5}},
    "content that violates its schema": {"match": {"domain": INVOICE}, "answer": {"content": {"total_amount": "12"}}},
    "content that violates it deeply": {
        "match": {"domain": INVOICE},
        "answer": {"content": {"items": [{"quantity": 1}, {"quantity": "two"}]}},
    },
    "a merge that violates its schema": {"match": {"domain": RECEIPT}, "answer": {"merge": {"total": []}}},
    "a merge into nothing": {"answer": {"merge": {"a": 1}}},
    "a merge into an unknown domain": {"match": {"domain": NOTE}, "answer": {"merge": {"a": 1}}},
    "a status too low": {"answer": {"error": {"status": 200}}},
    "a status too high": {"answer": {"error": {"status": 600}}},
    "a status that is a text": {"answer": {"error": {"status": "500"}}},
    "a framing header": {"answer": {"error": {"status": 500, "headers": {"Content-Length": "1"}}}},
    "a broken header": {"answer": {"error": {"status": 500, "headers": {"X Y": "a\nb"}}}},
    "a path": {"match": {"documents": ["pictures/acme.png"]}, "answer": {"content": ""}},
    "a short identity": {"match": {"documents": ["sha256:abc"]}, "answer": {"content": ""}},
    "a broken data URL": {"match": {"documents": ["data:image/png;base64,!"]}, "answer": {"content": ""}},
    "an object without an identity": {"match": {"documents": [{"kind": "image_url"}]}, "answer": {"content": ""}},
    "a number as a document": {"match": {"documents": [5]}, "answer": {"content": ""}},
    "documents that are a text": {"match": {"documents": "a"}, "answer": {"content": ""}},
    "a text without a way": {"match": {"text": "Extract"}, "answer": {"content": ""}},
    "a text that is a number": {"match": {"text": {"contains": [5]}}, "answer": {"content": ""}},
    "an unknown generation": {"match": {"generation": "vlm-2"}, "answer": {"content": ""}},
    "an unknown role": {"match": {"messages": [{"role": "robot"}]}, "answer": {"content": ""}},
    "a document that is named twice": {
        "match": {"messages": [{"content": [{"document": 1}, {"document": 1}]}]},
        "answer": {"content": ""},
    },
    "a negative figure": {"answer": {"content": "", "usage": {"prompt_tokens": -1}}},
    "a negative latency": {"answer": {"content": "", "latency_ms": -1}},
    "a layout without content": {"answer": {"merge": {}, "layout": "spaced"}, "match": {"domain": INVOICE}},
    "an unknown layout": {"answer": {"content": {}, "layout": "wide"}},
    "an envelope without a message": {"answer": {"content": {}, "completion": {"choices": []}}},
    "the second of a list": [{"answer": {"content": "good"}}, {"answer": {"content": 5}}],
    "a repeated key": b'{"answer": {"content": ""}, "answer": {"content": "b"}}',
    "a number too large": b'{"answer": {"content": {"a": 1e999}}}',
}


def cases() -> Cases:
    """Return the cases by name."""
    folders = (FOLDER, SECOND_FOLDER)
    found: Cases = {}
    for name, requests in ASKED.items():
        found[f"folders: {name}"] = case(*requests, folders=folders)
        found[f"folders, strict: {name}"] = case(*requests, folders=folders, settings={"strict": True})
    for name, body in REFUSED.items():
        found[f"a fixture that is refused: {name}"] = case(post("/_mock/fixtures", body), get("/_mock/fixtures"))
    return {**found, **_written_in_place(), **_registered(), **_strict(), **_noted()}


def _noted() -> Cases:
    """Return cases in which the journal tells what the log line says."""
    missed = (_picture(documents.OTHER_PNG), _say("the sum", RECEIPT), _picture(documents.WEBP, text="extract"))
    return {
        "what the log says of a near miss": case(*missed, get("/_mock/requests"), folders=(FOLDER,)),
        "what the log says of a miss": case(
            *missed, get("/_mock/requests"), folders=(FOLDER,), settings={"strict": True}
        ),
        "a recording that takes as long as it took": case(
            _picture(documents.WEBP), folders=(FOLDER,), settings={"latency": "recorded"}
        ),
        "parameters that are refused before a fixture": case(
            with_body(_picture(documents.PNG), n=2), folders=(FOLDER,), settings={"unsupported": "reject"}
        ),
    }


def _written_in_place() -> Cases:
    fixtures = [
        {"match": {"text": {"contains": "Hello"}}, "answer": {"content": "Good morning", "usage": COUNTED}},
        {"match": {"text": {"contains": "Hello"}}, "answer": {"content": "never"}},
        {"match": {"domain": INVOICE}, "answer": {"merge": {"total_amount": 1.0}, "usage": COUNTED}},
    ]
    asked = (_say("Hello!"), extract(INVOICE), extract("custom.nothing"), get("/_mock/fixtures"), post("/_mock/reset"))
    return {
        "fixtures in place": case(*asked, _say("Hello!"), settings={"fixtures": fixtures}),
        "fixtures in place, strict": case(*asked, _say("Hi"), settings={"fixtures": fixtures, "strict": True}),
        "add() and what it takes": case(
            extract(INVOICE),
            extract(RECEIPT),
            _picture(documents.GIF),
            _say("Say one or two", "image.caption"),
            _say("Say one or two", "image.caption"),
            extract("document.resume", metadata={"environment": "dev"}),
            _say("Extract", RECEIPT, model="vlm-agent-1"),
            get("/_mock/fixtures"),
            get("/_mock/requests"),
            alone=True,
            prepare=lambda server: (
                server.add(INVOICE, content={"invoice_id": "earlier"}),
                server.add(INVOICE, content={"invoice_id": "later"}),
                server.add(RECEIPT, merge={"merchant_name": "Corner Shop"}, usage={"prompt_tokens": 7}),
                server.add(documents=documents.GIF, content="a GIF"),
                server.add(text=["one", "two"], answers=[{"error": {"status": 503}}, {"content": "then"}]),
                server.add("document.resume", metadata={"environment": "dev"}, error={"status": 402, "message": "Pay"}),
                server.add(model="vlm-agent-1", content=[1], latency_ms=1),
            ),
        ),
    }


def _registered() -> Cases:
    simple = {"match": {"domain": INVOICE}, "answer": {"content": {"invoice_id": "registered"}}}
    everyones = {"match": {}, "answer": {"content": "everyone's"}}
    return {
        "a registered fixture": case(
            extract(INVOICE),
            post("/_mock/fixtures", simple),
            extract(INVOICE),
            extract(INVOICE, config={"grounding": True}),
            extract(INVOICE, config={"gql_stmt": "{ invoice_id total_amount }"}),
            extract(INVOICE, json_schema=dict(SCHEMA)),
            extract(RECEIPT),
            get("/_mock/fixtures"),
            Request("/_mock/fixtures", method="DELETE"),
            extract(INVOICE),
            get("/_mock/fixtures"),
            get("/_mock/requests"),
        ),
        "several registered fixtures": case(
            post(
                "/_mock/fixtures",
                [
                    simple,
                    {**simple, "answer": {"content": {"invoice_id": "later"}}, "description": "The latest wins"},
                    {"match": {"documents": [data_url(documents.JPEG)]}, "answer": {"content": {"a": "picture"}}},
                    {"match": {"domain": "", "text": {"equals": "Extract"}}, "answer": {"content": "no domain"}},
                    {"$schema": "fixture.schema.json", "answer": {"content": "anything"}},
                ],
            ),
            extract(INVOICE),
            _picture(documents.JPEG),
            chat(),
            _say("Something"),
            get("/_mock/fixtures"),
        ),
        "fixtures of all keys and of one": case(
            post("/_mock/fixtures", everyones, with_key=False),
            extract(INVOICE),
            post("/_mock/fixtures", simple),
            extract(INVOICE),
            extract(RECEIPT),
            get("/_mock/fixtures"),
            get("/_mock/fixtures", with_key=False),
            Request("/_mock/fixtures", method="DELETE", with_key=False),
            extract(RECEIPT),
            folders=(SECOND_FOLDER,),
            alone=True,
        ),
        "registered answers in turn, and a reset": case(
            post("/_mock/fixtures", {"answers": [{"content": "first"}, {"error": BUSY}, {"content": "last"}]}),
            *[_say("next")] * 4,
            post("/_mock/reset"),
            _say("next"),
        ),
        "a registered recording": case(
            post("/_mock/fixtures", FOLDER["recorded.json"]),
            _picture(documents.WEBP),
            _picture(documents.WEBP, stream=True, max_tokens=1),
        ),
    }


def _strict() -> Cases:
    return {
        f"strict without fixtures: {name}": case(request, settings={"strict": True})
        for name, request in {
            "an invoice": extract(INVOICE),
            "an unknown domain": extract("document.invioce"),
            "a schema": chat(json_schema=dict(SCHEMA)),
            "a word": chat(),
        }.items()
    }
