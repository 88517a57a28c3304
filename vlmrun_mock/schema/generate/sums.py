"""Amounts of one object that belong together: a line's total, and a document's."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from vlmrun_mock.schema.generate.words import words_of

Words: TypeAlias = tuple[str, ...]

QUANTITY: set[Words] = {("quantity",), ("qty",), ("hours",)}
UNIT_PRICE = {("unit", "price"), ("price",), ("rate",), ("price", "per", "unit"), ("unit", "cost"), ("hourly", "rate")}
LINE_TOTAL = {("total",), ("amount",), ("line", "total"), ("total", "price"), ("total", "amount"), ("subtotal",)}
SUBTOTAL = {("subtotal",), ("sub", "total"), ("net", "amount"), ("amount", "before", "tax")}
TAX = {("tax",), ("tax", "amount"), ("vat",), ("vat", "amount"), ("sales", "tax"), ("total", "tax")}
TOTAL = {
    ("total",),
    ("total", "amount"),
    ("grand", "total"),
    ("amount", "due"),
    ("invoice", "total"),
    ("gross", "amount"),
}

TAX_RATE = {("tax", "rate"), ("vat", "rate"), ("sales", "tax", "rate"), ("tax", "percentage"), ("vat", "percentage")}
PAID = {("paid",), ("amount", "paid"), ("paid", "amount"), ("deposit",), ("payments",)}
BALANCE = {("balance",), ("balance", "due"), ("amount", "due"), ("remaining", "balance")}


def balance(value: dict[str, Any], may_be: Callable[[str, float], bool]) -> None:
    """Make a line's total, the subtotal of the lines and the total with tax add up, where `may_be` lets them change."""
    amounts = _amounts(value)
    quantity, price = _first(amounts, QUANTITY), _first(amounts, UNIT_PRICE)
    if quantity is not None and price is not None:
        _set(value, _first(amounts, LINE_TOTAL), value[quantity] * value[price], may_be)
    lines = lines_of(value)
    if lines is not None:
        _set(value, _first(amounts, SUBTOTAL) or _first(amounts, TOTAL), _sum(value[lines]) or 0.0, may_be)
    _add_tax(value, amounts, may_be)
    total, paid, left = (_first(amounts, names) for names in (TOTAL - BALANCE, PAID, BALANCE))
    if total is not None and paid is not None and value[total] >= value[paid]:
        _set(value, left, value[total] - value[paid], may_be)


def _add_tax(value: dict[str, Any], amounts: dict[Words, str], may_be: Callable[[str, float], bool]) -> None:
    """Make the tax agree with its rate, a share or a percentage, and the total with the tax."""
    subtotal, rate, tax = (_first(amounts, names) for names in (SUBTOTAL, TAX_RATE, TAX))
    if subtotal is None or tax is None:
        return
    if rate is not None:
        share = value[rate] if value[rate] < 1 else value[rate] / 100
        _set(value, tax, value[subtotal] * share, may_be)
    total = _first(amounts, TOTAL - BALANCE) or _first(amounts, TOTAL)
    _set(value, total, value[subtotal] + value[tax], may_be)


def lines_of(value: dict[str, Any]) -> str | None:
    """Return the name of the one list whose items have a quantity, and a total or a price, or None."""
    found = [name for name, items in value.items() if isinstance(items, list) and items and _sum(items) is not None]
    return found[0] if len(found) == 1 else None


def _sum(items: list[Any]) -> float | None:
    amounts = [_of_line(item) if isinstance(item, dict) else None for item in items]
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if len(known) == len(items) else None


def _of_line(item: dict[str, Any]) -> float | None:
    """Return the total of a line, or of one without a total what its price and quantity make."""
    names = _amounts(item)
    quantity, price, total = (_first(names, wanted) for wanted in (QUANTITY, UNIT_PRICE, LINE_TOTAL))
    if quantity is None:
        return None
    if total is not None:
        return float(item[total])
    return float(item[quantity] * item[price]) if price is not None else None


def is_line(names: Iterable[str]) -> bool:
    """Say whether properties of these names make a line of an invoice: it has a quantity."""
    return any(tuple(words_of(name)) in QUANTITY for name in names)


def _amounts(value: dict[str, Any]) -> dict[Words, str]:
    """Return the names of an object's numbers by the words in them."""
    return {tuple(words_of(name)): name for name, number in value.items() if _is_amount(number)}


def _is_amount(number: object) -> bool:
    return isinstance(number, int | float) and not isinstance(number, bool)


def _first(amounts: dict[Words, str], names: set[Words]) -> str | None:
    return next((name for words, name in amounts.items() if words in names), None)


def _set(value: dict[str, Any], name: str | None, amount: float, may_be: Callable[[str, float], bool]) -> None:
    if name is None or abs(amount) > 1e15:  # noqa: PLR2004  # beyond it a cent cannot be told
        return
    rounded = round(amount, 2)
    if may_be(name, rounded):
        value[name] = rounded
