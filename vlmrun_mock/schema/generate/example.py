"""Taking values from an example answer for the same kind of document."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from vlmrun_mock.schema.generate.node import Check, Shape, identity, kind_of


class Absent:
    """The type of ABSENT, which stands for a missing value, for null is a value."""


ABSENT: Final = Absent()

SYNONYMS: Mapping[str, str] = {
    "invoice_number invoice_no invoice_num": "invoice_id",
    "receipt_number receipt_no": "receipt_id",
    "order_number po_number purchase_order purchase_order_number": "order_id",
    "vendor_name supplier_name seller_name": "issuer_name merchant_name provider_name",
    "vendor supplier seller issuer": "issuer_name merchant_name provider_name issuer_* merchant_* provider_*",
    "client_name buyer_name": "customer_name",
    "customer client buyer bill_to": "customer_name customer_*",
    "address": "billing_address",
    "merchant store store_name": "merchant_name merchant_*",
    "issue_date invoice_date date": "invoice_issue_date transaction_date",
    "due_date payment_due_date": "invoice_due_date date_due",
    "line_items lines products": "items",
    "item item_name product product_name": "description",
    "price": "unit_price",
    "qty": "quantity",
    "amount line_total": "total_price",
    "total": "total_amount total_price",
    "grand_total total_amount invoice_total": "total_amount total",
    "tax vat total_tax sales_tax tax_amount": "tax_amount tax",
    "tax_rate": "tax_percentage",
    "sub_total net_amount": "subtotal",
    "discount": "discount_amount",
    "shipping": "shipping_cost",
    "tax_id vat_number": "vat_id",
}
"""By names of a field, the names under which the example may have it; `*` stands for any ending."""


@lru_cache(maxsize=1024)
def _letters(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).casefold()


def _by_name() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for names, others in SYNONYMS.items():
        for name in dict.fromkeys(map(_letters, names.split())):
            found.setdefault(name, []).extend(others.split())
    return found


BY_NAME: Mapping[str, Sequence[str]] = _by_name()
"""The names of SYNONYMS, by each name of a field in letters alone."""


def find(scope: Mapping[str, Any], name: str) -> object:
    """Return the property with that name, whatever its case and separators, or ABSENT."""
    if name in scope:
        return scope[name]
    wanted = _letters(name)
    return next((value for key, value in scope.items() if wanted and _letters(key) == wanted), ABSENT)


def synonyms(scope: Mapping[str, Any], name: str) -> Iterator[object]:
    """Yield the example's values under synonyms of a name, the likeliest first."""
    if scope:
        for other in BY_NAME.get(_letters(name), ()):
            found = _beginning(scope, other[:-1]) if other[-1] == "*" else find(scope, other)
            if found is not ABSENT:
                yield found


def _beginning(scope: Mapping[str, Any], prefix: str) -> object:
    """Return an object of the properties with a prefix, which their names lose, or ABSENT."""
    found = {name.removeprefix(prefix): value for name, value in scope.items() if name.startswith(prefix)}
    return found or ABSENT


def converted(shape: Shape, value: object, schema_uri: str) -> object:
    """Return the value, in the type of the shape, if it meets the shape; else ABSENT."""
    candidate = _of_kind(shape.kind, value)
    if candidate is ABSENT or not Check(shape, schema_uri)(candidate):
        return ABSENT
    if shape.kind == "listed" and identity(candidate) not in (shape.listed or ()):
        return ABSENT
    return candidate


def _of_kind(kind: str, value: object) -> object:
    """Return a scalar as one of that kind, or ABSENT."""
    own = kind_of(value)
    if kind in ("listed", own):
        return int(value) if kind == "integer" and isinstance(value, float) else value
    if own in ("integer", "fraction") and kind in ("number", "string"):
        return value if kind == "number" else str(value)
    return ABSENT
