"""Making the amounts of one object add up: a line's total, and a document's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

from vlmrun_mock.schema.generate.locales import CENTS
from vlmrun_mock.schema.generate.words import words_of

Words: TypeAlias = tuple[str, ...]

QUANTITY: set[Words] = {("quantity",), ("qty",), ("hours",)}
UNIT_PRICE = {("unit", "price"), ("price",), ("rate",), ("price", "per", "unit"), ("unit", "cost"), ("hourly", "rate")}
LINE_TOTAL = {("total",), ("amount",), ("line", "total"), ("total", "price"), ("total", "amount"), ("subtotal",)}
DESCRIPTION = {("description",), ("item",), ("item", "description"), ("product",), ("service",)}
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

ADDED: tuple[set[Words], ...] = (
    {("tip",), ("tip", "amount"), ("gratuity",)},
    {
        ("shipping",),
        ("shipping", "cost"),
        ("shipping", "amount"),
        ("freight",),
        ("delivery", "fee"),
        ("shipping", "fee"),
    },
    {("service", "charge"), ("service", "fee"), ("handling",), ("surcharge",)},
)
"""What comes to a total beside the tax."""

TAKEN: tuple[set[Words], ...] = ({("discount",), ("discount", "amount"), ("total", "discount")},)

TAX_RATE = {("tax", "rate"), ("vat", "rate"), ("sales", "tax", "rate"), ("tax", "percentage"), ("vat", "percentage")}
PAID = {("paid",), ("amount", "paid"), ("paid", "amount"), ("deposit",), ("payments",)}
BALANCE = {("balance",), ("balance", "due"), ("amount", "due"), ("remaining", "balance")}


def balance(value: dict[str, Any], may_be: Callable[[str, float], bool], places: int = CENTS) -> None:
    """Make the total of a line, of all lines and with tax add up, where `may_be` allows the change.

    Amounts have so many decimal places: those of a cent, or none unless there are cents among them already.
    """
    amounts = _amounts(value)
    places = CENTS if any(not float(value[name]).is_integer() for name in _money(amounts)) else places
    quantity, price = _first(amounts, QUANTITY), _first(amounts, UNIT_PRICE)
    if quantity is not None and price is not None:
        _set(value, _first(amounts, LINE_TOTAL), value[quantity] * value[price], may_be, places)
    lines = lines_of(value)
    if lines is not None:
        _set(value, _first(amounts, SUBTOTAL) or _first(amounts, TOTAL), _sum(value[lines]) or 0.0, may_be, places)
    _add_tax(value, amounts, may_be, places)
    total, paid, left = (_first(amounts, names) for names in (TOTAL - BALANCE, PAID, BALANCE))
    if total is not None and paid is not None and value[total] >= value[paid]:
        _set(value, left, value[total] - value[paid], may_be, places)


def _add_tax(
    value: dict[str, Any], amounts: dict[Words, str], may_be: Callable[[str, float], bool], places: int
) -> None:
    """Compute the tax from its rate, a fraction or a percentage, and the total from the tax."""
    subtotal, rate, tax = (_first(amounts, names) for names in (SUBTOTAL, TAX_RATE, TAX))
    if subtotal is None or tax is None:
        return
    if rate is not None:
        share = value[rate] if value[rate] < 1 else value[rate] / 100
        _set(value, tax, value[subtotal] * share, may_be, places)
    total = _first(amounts, TOTAL - BALANCE) or _first(amounts, TOTAL)
    added = sum(value[name] for names in ADDED if (name := _first(amounts, names)) is not None)
    taken = sum(value[name] for names in TAKEN if (name := _first(amounts, names)) is not None)
    _set(value, total, value[subtotal] + value[tax] + added - taken, may_be, places)


def lines_of(value: dict[str, Any]) -> str | None:
    """Return the name of the one list whose items have a quantity, and a total or a price, or None."""
    found = [name for name, items in value.items() if isinstance(items, list) and items and _sum(items) is not None]
    return found[0] if len(found) == 1 else None


def _sum(items: list[Any]) -> float | None:
    """Return the sum of the lines' totals, or None if an item is no line."""
    amounts = [_of_line(item) for item in items]
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if len(known) == len(items) else None


def _of_line(item: object) -> float | None:
    """Return the total of a line, or its price times its quantity; None if it is no line."""
    if not isinstance(item, dict):
        return None
    names = _amounts(item)
    quantity, price, total = (_first(names, wanted) for wanted in (QUANTITY, UNIT_PRICE, LINE_TOTAL))
    if quantity is None and not (total is not None and _is_described(item)):
        return None
    if total is not None:
        return float(item[total])
    return float(item[quantity] * item[price]) if price is not None and quantity is not None else None


def _is_described(item: dict[str, Any]) -> bool:
    """Return whether an item without a quantity is a line all the same: it has a description."""
    return not DESCRIPTION.isdisjoint(tuple(words_of(name)) for name, value in item.items() if isinstance(value, str))


def is_line(names: Iterable[str]) -> bool:
    """Return whether properties of these names make a line of an invoice: one is a quantity."""
    return any(tuple(words_of(name)) in QUANTITY for name in names)


def _amounts(value: dict[str, Any]) -> dict[Words, str]:
    """Return the names of an object's numbers by the words in them."""
    return {
        tuple(words_of(name)): name
        for name, number in value.items()
        if isinstance(number, int | float) and not isinstance(number, bool)
    }


def _first(amounts: dict[Words, str], names: set[Words]) -> str | None:
    return next((name for words, name in amounts.items() if words in names), None)


def _money(amounts: dict[Words, str]) -> Iterator[str]:
    """Yield the names of the numbers that are amounts of money."""
    kinds: tuple[set[Words], ...] = (UNIT_PRICE, LINE_TOTAL, SUBTOTAL, TAX, TOTAL, *ADDED, *TAKEN, PAID, BALANCE)
    return (name for words, name in amounts.items() if any(words in kind for kind in kinds))


def _set(
    value: dict[str, Any], name: str | None, amount: float, may_be: Callable[[str, float], bool], places: int
) -> None:
    if name is None or abs(amount) > 1e15:  # noqa: PLR2004  # a double that large holds no cents
        return
    rounded = round(amount, places)
    if may_be(name, rounded):
        value[name] = rounded
