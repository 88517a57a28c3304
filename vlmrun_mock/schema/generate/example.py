"""An example answer of the same kind of document: what a schema's fields may take from it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from vlmrun_mock.schema.generate.node import Shape


class Absent:
    """What stands where the example has nothing, for null is a value."""


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
"""What else the example may call a field: by its names, the names to look for, where `*` takes all that begin so."""


def find(scope: Mapping[str, Any], name: str) -> object:
    """Return the value of the property of that name, or ABSENT: case and separators do not count."""
    if name in scope:
        return scope[name]
    wanted = _letters(name)
    return next((value for key, value in scope.items() if wanted and _letters(key) == wanted), ABSENT)


def synonyms(scope: Mapping[str, Any], name: str) -> Iterator[object]:
    """Yield what the example has under other names for the same, the likeliest first."""
    for names, others in SYNONYMS.items():
        if _letters(name) in map(_letters, names.split()):
            found = (
                _beginning(scope, other[:-1]) if other[-1] == "*" else find(scope, other) for other in others.split()
            )
            yield from (value for value in found if value is not ABSENT)


def _beginning(scope: Mapping[str, Any], prefix: str) -> object:
    """Return an object of the properties whose names begin with the prefix, without it, or ABSENT."""
    found = {name.removeprefix(prefix): value for name, value in scope.items() if name.startswith(prefix)}
    return found or ABSENT


def _letters(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).casefold()


def converted(shape: Shape, value: object, schema_uri: str) -> object:
    """Return the value if it meets the shape, or the same in the type that is asked for; else ABSENT."""
    for candidate in _spellings(shape.kind, value):
        if shape.accepts(candidate, schema_uri) and (shape.kind != "listed" or shape.lists(candidate)):
            return candidate
    return ABSENT


def _spellings(kind: str, value: object) -> list[object]:
    if kind == "listed":
        return [value]
    if isinstance(value, bool) or value is None:
        return [value] if kind == ("null" if value is None else "boolean") else []
    if isinstance(value, str):
        return [value] if kind == "string" else []
    if isinstance(value, int | float):
        return _numbers(kind, value)
    return []


def _numbers(kind: str, value: float) -> list[object]:
    whole = int(value) if float(value).is_integer() else None
    if kind == "integer":
        return [whole] if whole is not None else []
    if kind == "number":
        return [value]
    return [str(value)] if kind == "string" else []
