"""Requests of every kind that the mock answers, by a name that says what is special about each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.serving import image_message, picture

SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "vendor_name": {"type": "string"},
        "iban": {"type": ["string", "null"]},
        "issued": {"type": "string", "format": "date"},
        "lines": {
            "type": "array",
            "minItems": 2,
            "items": {"type": "object", "properties": {"quantity": {"type": "integer", "minimum": 1}}},
        },
        "status": {"enum": ["open", "paid", "late"]},
        "code": {"type": "string", "pattern": "^[A-Z]{3}-[0-9]{4}$"},
    },
    "required": ["vendor_name", "lines"],
}

WORD = [{"role": "user", "content": "Extract"}]
PICTURE = image_message(picture(1))


def _vlmrun(domain: str, messages: list[Any] | None = None, **further: Any) -> dict[str, Any]:
    return {"messages": messages or PICTURE, "vlmrun": {"domain": domain, **further}}


def _invoice(**further: Any) -> dict[str, Any]:
    return {**_vlmrun("document.invoice"), **further}


SAMPLES: Mapping[str, dict[str, Any]] = {
    "an invoice": _vlmrun("document.invoice"),
    "another picture": _vlmrun("document.invoice", image_message(picture(2))),
    "two pictures": _vlmrun("document.invoice", image_message(picture(1), picture(2, kind="JPEG"))),
    "another text": _vlmrun("document.invoice", image_message(picture(1), text="Read the total, s'il vous plaît")),
    "a driver's license": _vlmrun("document.us-drivers-license"),
    "the guide's example": _vlmrun("document.presentation", metadata={"environment": "dev"}),
    "a caption": _vlmrun("image.caption"),
    "an old spelling": _vlmrun("document.w2-form"),
    "the oldest spelling": {"messages": WORD, "domain": "document.receipt", "metadata": {"environment": "staging"}},
    "markdown": _vlmrun("document.markdown", config={"grounding": True}),
    "a video": _vlmrun("video.transcription"),
    "no picture": _vlmrun("document.resume", WORD),
    "a URL": _vlmrun(
        "document.invoice",
        [{"content": [{"type": "image_url", "image_url": {"url": "https://example.com/invoice.png"}}]}],
    ),
    "grounding": _vlmrun("document.us-drivers-license", config={"grounding": True}),
    "confidence": _vlmrun("document.us-drivers-license", config={"confidence": True}),
    "a selection": _vlmrun("document.invoice", config={"gql_stmt": "{ invoice_id items { description } }"}),
    "a selection with grounding": _vlmrun("document.invoice", config={"gql_stmt": "{ subtotal }", "grounding": True}),
    "a schema": {"messages": PICTURE, "vlmrun": {"json_schema": SCHEMA}},
    "a schema in config": _vlmrun("document.invoice", config={"json_schema": SCHEMA}),
    "a schema with grounding": _vlmrun("document.invoice", config={"json_schema": SCHEMA, "grounding": True}),
    "a schema for a domain of one's own": _vlmrun("custom.delivery-note", json_schema=SCHEMA),
    "OpenAI's schema": {
        "messages": PICTURE,
        "response_format": {"type": "json_schema", "json_schema": {"name": "Bill", "schema": SCHEMA, "strict": True}},
    },
    "a flat schema": {"messages": PICTURE, "response_format": {"type": "json_schema", "schema": SCHEMA}},
    "an unknown domain": _vlmrun("custom.packing-slip"),
    "an unknown domain with grounding": _vlmrun("custom.packing-slip", config={"grounding": True}),
    "no domain": {"messages": WORD},
    "no domain, as an object": {"messages": WORD, "response_format": {"type": "json_object"}},
    "an empty message": {"messages": [{}]},
    "another model": _invoice(model="gpt-4o-mini"),
    "an agent": _invoice(model="vlm-agent-1:auto"),
    "Orion": _invoice(model="vlmrun-orion-1:fast"),
    "an id": _invoice(id="chosen-by-the-client"),
    "every quirk": _invoice(
        max_tokens=1, n=3, stop=["\n"], stream=True, logprobs=True, top_logprobs=2, logit_bias={"1": 2}
    ),
    "penalties": _invoice(presence_penalty=0.5, frequency_penalty=-0.5, temperature=0, seed=7, user="someone"),
}
"""Each is answered with success where unknown domains are generated."""
