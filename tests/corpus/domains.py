"""Every domain: plain, with grounding, with a selection, with a caller's schema, and in its old spellings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.corpus.case import Cases, case, chat, extract, post, show
from tests.corpus.documents import JPEG, data_url

DOMAINS = (
    "accounting.form-1040-tax-statement",
    "accounting.form-payslip",
    "accounting.form-w2",
    "aerospace.remote-sensing",
    "audio.transcription",
    "audio.transcription-summary",
    "construction.blueprint",
    "document.bank-check",
    "document.bank-statement",
    "document.business-card",
    "document.file",
    "document.form-work-order",
    "document.generative",
    "document.in-aadhaar-card",
    "document.in-pan-card",
    "document.insurance-claim",
    "document.invoice",
    "document.layout-detection",
    "document.markdown",
    "document.ocr",
    "document.pdf",
    "document.presentation",
    "document.q-and-a",
    "document.receipt",
    "document.request-for-proposal",
    "document.resume",
    "document.us-drivers-license",
    "document.us-passport",
    "document.utility-bill",
    "experimental.image.object-detection",
    "experimental.image.person-detection",
    "finance.balance-sheet",
    "food.nutrition-facts-label",
    "healthcare.claims-processing",
    "healthcare.hipaa-release",
    "healthcare.medical-insurance-card",
    "healthcare.pathology-report",
    "healthcare.patient-identification",
    "healthcare.patient-referral",
    "healthcare.physician-order",
    "image.caption",
    "image.object-detection",
    "image.person-detection",
    "image.tv-news",
    "logistics.bill-of-lading",
    "media.nba-game-state",
    "media.nfl-game-state",
    "media.tv-news",
    "real-estate.lease-agreement",
    "retail.ecommerce-product-caption",
    "retail.product-catalog",
    "social.twitter-card",
    "video.caption",
    "video.commentary",
    "video.conferencing-summary",
    "video.dashcam",
    "video.dashcam-analytics",
    "video.podcast-summary",
    "video.product-demo-summary",
    "video.summary",
    "video.transcription",
    "video.transcription-summary",
    "video.tv-intelligence",
    "video.tv-news",
    "video.tv-news-summary",
    "web.ecommerce-product-catalog",
    "web.github-developer-stats",
    "web.market-research",
)

OLD_SPELLINGS = (
    "aerospace.remote_sensing",
    "document.aadhaar-card",
    "document.pan-card",
    "document.rfp",
    "document.w2-form",
    "healthcare.medical_insurance_card",
    "media.nba_game_state",
    "media.nfl_game_state",
)

SELECTIONS: Mapping[str, str] = {
    "accounting.form-1040-tax-statement": "{ tax_year income }",
    "accounting.form-w2": "{ employee_name employee_address { zip_code city } }",
    "audio.transcription": "{ segments { content } }",
    "document.bank-check": "query { payee bank_info { name address { city } } }",
    "document.bank-statement": "{ table_item { reference_number check_number } account_number }",
    "document.invoice": "{ total_amount items { quantity description } customer_billing_address { city } }",
    "document.markdown": "{ pages { tables { headers { name } } metadata { page_number } } }",
    "document.presentation": "{ plots { markdown } quotes title }",
    "document.receipt": "query Receipt { payment_method { card_type } items { description } }",
    "document.resume": "{ technical_skills { databases { name } other { level } } contact_info { email } }",
    "document.us-drivers-license": "{ address { state } license_number veteran }",
    "food.nutrition-facts-label": "{ calories total_fat }",
    "image.caption": "{ tags }",
    "image.object-detection": "{ content }",
    "logistics.bill-of-lading": "{ shipper vessel_name vessel_name }",
    "video.transcription": "{ metadata { duration } segments { audio { content } } }",
}

SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "title": {"type": "string"},
        "name": {"type": ["string", "null"]},
        "date": {"type": "string", "format": "date"},
        "total_amount": {"type": "number", "minimum": 0},
        "currency": {"enum": ["EUR", "USD"]},
        "items": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "object", "properties": {"description": {"type": "string"}, "code": {"type": "integer"}}},
        },
        "is_valid": {"type": "boolean"},
    },
    "required": ["title", "total_amount", "items"],
    "additionalProperties": False,
}
WITH_A_SCHEMA = (
    "accounting.form-payslip",
    "audio.transcription",
    "construction.blueprint",
    "document.bank-statement",
    "document.business-card",
    "document.insurance-claim",
    "document.invoice",
    "document.q-and-a",
    "document.receipt",
    "document.resume",
    "document.utility-bill",
    "finance.balance-sheet",
    "image.caption",
    "retail.product-catalog",
    "video.summary",
    "web.market-research",
)
WITH_CONFIDENCE = (
    "document.markdown",
    "document.us-passport",
    "image.caption",
    "image.object-detection",
    "document.ocr",
)

MISSPELT = (
    "document.invioce",
    "invoice",
    "Document.Invoice",
    "document.us_passport",
    "document.passport",
    "receipts",
    "video",
    "healthcare.physician_order",
    "custom.delivery-note",
    "x",
    "zzzzzzzzzzzz",
    " document.invoice",
    "x" * 300,
    "döcument.invoice",
    'document."invoice"',
)

SPELLINGS: Mapping[str, dict[str, Any]] = {
    "at the top": {"domain": "document.receipt"},
    "at the top and in vlmrun": {"domain": "document.receipt", "vlmrun": {"domain": "document.invoice"}},
    "at the top and null in vlmrun": {"domain": "document.receipt", "vlmrun": {"domain": None}},
    "at the top and empty in vlmrun": {"domain": "document.receipt", "vlmrun": {"domain": ""}},
    "at the top, in an old spelling": {"domain": "document.w2-form", "metadata": {"environment": "staging"}},
    "of one's own, with a schema": {"vlmrun": {"domain": "custom.delivery-note", "json_schema": dict(SCHEMA)}},
    "empty": {"vlmrun": {"domain": ""}},
    "null": {"vlmrun": {"domain": None}},
    "left out of vlmrun": {"vlmrun": {}},
    "left out": {},
    "left out, for an object": {"response_format": {"type": "json_object"}},
    "left out, with grounding": {"vlmrun": {"config": {"grounding": True}}},
    "left out, with a selection": {"vlmrun": {"config": {"gql_stmt": "{ a }"}}},
}


def cases() -> Cases:
    """Return the cases by name."""
    return {
        **{domain: case(extract(domain)) for domain in DOMAINS},
        **{f"{domain} with grounding": case(extract(domain, config={"grounding": True})) for domain in DOMAINS},
        **{f"the schema of {domain}": case(post("/v1/schema", {"domain": domain})) for domain in DOMAINS},
        **_configured(),
        **{f"the old spelling {domain}": case(extract(domain), extract(domain)) for domain in OLD_SPELLINGS},
        **{f"the schema of {name}": case(post("/v1/hub/schema", {"domain": name})) for name in OLD_SPELLINGS},
        **{f"an unknown domain: {domain[:30]!r}": case(extract(domain)) for domain in MISSPELT},
        **{f"a domain {where}": case(chat(**body)) for where, body in SPELLINGS.items()},
        **_generated(),
    }


def _configured() -> Cases:
    found: Cases = {}
    for domain in WITH_CONFIDENCE:
        found[f"{domain} with confidence"] = case(extract(domain, config={"confidence": True}))
        found[f"{domain} with both"] = case(extract(domain, config={"confidence": True, "grounding": True}))
    for domain, statement in SELECTIONS.items():
        config = {"gql_stmt": statement}
        found[f"a selection of {domain}"] = case(extract(domain, config=config))
        found[f"a selection of {domain} with grounding"] = case(extract(domain, config={**config, "grounding": True}))
        asked = post("/v1/schema", {"domain": domain, "config": config})
        found[f"the schema of a selection of {domain}"] = case(asked)
    for domain in WITH_A_SCHEMA:
        messages = show(data_url(JPEG, "image/jpeg"), text="Read it.")
        found[f"a caller's schema for {domain}"] = case(extract(domain, messages=messages, json_schema=dict(SCHEMA)))
    return found


def _generated() -> Cases:
    """Return cases in which a domain that nobody knows is made up."""
    own = "custom.delivery-note"
    statement = {"gql_stmt": "{ title total_amount }"}
    return {
        f"a domain that is made up, {name}, with seed {seed}": case(
            request, settings={"unknown_domain": "generate", "seed": seed}
        )
        for seed in (0, 1)
        for name, request in {
            "plain": extract(own),
            "by another name": extract("custom.packing-slip"),
            "with grounding": extract(own, config={"grounding": True}),
            "with a selection": extract(own, config=statement),
            "with a wrong selection": extract(own, config={"gql_stmt": "{ titel }"}),
            "misspelt": extract("document.invioce"),
            "known": extract("document.invoice", config={"grounding": True}),
            "with a schema": extract(own, json_schema=dict(SCHEMA)),
        }.items()
    }
