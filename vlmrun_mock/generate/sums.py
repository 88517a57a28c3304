"""Amounts of one object that belong together: a line's total, and a document's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from vlmrun_mock.generate.words import words_of

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


def balance(value: dict[str, Any], may_be: Callable[[str, float], bool]) -> None:
    """Make a line's total, the subtotal of the lines and the total with tax add up, where `may_be` lets them change."""
    amounts = _amounts(value)
    quantity, price = _first(amounts, QUANTITY), _first(amounts, UNIT_PRICE)
    if quantity is not None and price is not None:
        _set(value, _first(amounts, LINE_TOTAL), value[quantity] * value[price], may_be)
    lines = _lines(value)
    if lines is not None:
        _set(value, _first(amounts, SUBTOTAL) or _first(amounts, TOTAL), lines, may_be)
    subtotal, tax = _first(amounts, SUBTOTAL), _first(amounts, TAX)
    if subtotal is not None and tax is not None:
        _set(value, _first(amounts, TOTAL), value[subtotal] + value[tax], may_be)


def _lines(value: dict[str, Any]) -> float | None:
    """Return the sum of the lines of the one list whose items have a quantity and a total, or None."""
    sums = [_sum(items) for items in value.values() if isinstance(items, list) and items]
    found = [amount for amount in sums if amount is not None]
    return found[0] if len(found) == 1 else None


def _sum(items: list[Any]) -> float | None:
    amounts: list[float] = []
    for item in items:
        names = _amounts(item) if isinstance(item, dict) else {}
        total = _first(names, LINE_TOTAL)
        if total is None or _first(names, QUANTITY) is None:
            return None
        amounts.append(item[total])
    return sum(amounts)


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
