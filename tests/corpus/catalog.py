"""What the server knows without being asked for a document: health, models, domains, schemas."""

from __future__ import annotations

from typing import Any

from tests.corpus.case import Cases, Request, case, get, post

MODELS = ("vlm-1", "vlm-agent-1:pro", "vlmrun-orion-1:lite", "vlmrun-orion-2", "gpt-4o", "a/b", "x" * 150)

SCHEMA_REQUESTS: dict[str, Any] = {
    "a selection beside the domain": {"domain": "document.invoice", "gql_stmt": "{ invoice_id items { quantity } }"},
    "a selection in the config": {"domain": "document.invoice", "config": {"gql_stmt": "{ total_amount }"}},
    "two selections": {"domain": "document.receipt", "gql_stmt": "{ tax }", "config": {"gql_stmt": "{ total }"}},
    "an empty selection": {"domain": "document.receipt", "gql_stmt": "", "config": {"gql_stmt": ""}},
    "a field that is not there": {"domain": "document.invoice", "gql_stmt": "{ invoice_nr }"},
    "a statement that cannot be read": {"domain": "document.invoice", "config": {"gql_stmt": "{"}},
    "an unknown domain": {"domain": "document.invioce"},
    "a domain that is like none": {"domain": "zzzzzzzzzzzzz"},
    "an empty domain": {"domain": ""},
    "a domain that is null": {"domain": None},
    "no domain": {},
    "a wrong config": {"domain": "document.invoice", "config": []},
    "further keys": {"domain": "image.caption", "config": {"detail": "hi"}, "id": 5},
    "a list": [],
    "malformed JSON": b'{"domain": ',
    "nothing": b"",
}


def cases() -> Cases:
    """Return the cases by name."""
    paths = (
        "/v1/health",
        "/v1/openai/health",
        "/v1/openai/models",
        "/v1/models",
        "/v1/domains",
        "/v1/hub/domains",
        "/v1/hub/info",
        "/_mock/health",
    )
    return {
        **{f"GET {path}": case(get(path)) for path in paths},
        **{f"GET {path} without a key": case(get(path, with_key=False)) for path in paths},
        **{f"HEAD {path}": case(Request(path, method="HEAD")) for path in paths},
        **{f"the model {name[:40]}": case(get(f"/v1/openai/models/{name}")) for name in MODELS},
        "the model vlm-1 without a key": case(get("/v1/openai/models/vlm-1", with_key=False)),
        **{f"a schema of {name}": case(post("/v1/schema", body)) for name, body in SCHEMA_REQUESTS.items()},
        **{f"a hub schema of {name}": case(post("/v1/hub/schema", body)) for name, body in SCHEMA_REQUESTS.items()},
        "a schema without a key": case(post("/v1/schema", {"domain": "document.invoice"}, with_key=False)),
    }
