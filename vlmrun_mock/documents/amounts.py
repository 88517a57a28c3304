"""Amounts of money as a person prints them, and which numbers of an answer are such amounts."""

from __future__ import annotations

import re
from decimal import Decimal

from vlmrun_mock.schema.generate import locales
from vlmrun_mock.schema.generate.locales import CENTS, SIGNS, WHOLE

MONEY = (
    "amount assets balance benefits capital cash charge charges copay cost costs credit debt deductible deductions "
    "deposit deposits discount due earnings equity expenses fee fees goodwill gross income inventories liabilities "
    "limit net paid pay payable payment premium price profit receivable received rent revenue salary securities "
    "subtotal tax tip total value wages withdrawal withdrawals withheld"
)
"""Words in the names of fields that hold amounts."""

NOT_MONEY = (
    "age area code count date day days distance hours id index items level miles month months number page pages "
    "percent percentage period points quantity rate ratio score seconds time units usage volume weight year years"
)
"""Words in the names of fields that never do."""


def is_amount(name: str) -> bool:
    """Return whether a number is an amount of money, by the name of its field."""
    words = set(re.split(r"[^a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()))
    return not words.isdisjoint(MONEY.split()) and words.isdisjoint(NOT_MONEY.split())


def bare(value: float, currency: str, locale: str) -> str:
    """Return an amount without its sign: with cents, where the currency has them, and all further digits."""
    numbers = locales.of(locale).numbers
    exact = Decimal(repr(value)).normalize()
    whole, _, cents = f"{abs(exact):f}".partition(".")
    if cents or currency not in WHOLE:
        cents = cents.ljust(CENTS, "0")
    return ("-" if exact < 0 else "") + numbers.grouped(whole) + (f"{numbers.point}{cents}" if cents else "")


def signed(value: float, currency: str, locale: str) -> str:
    """Return an amount with the sign of its currency, such as `$1,441.66` or `1.441,66 €`."""
    written = locales.of(locale).numbers.signed(bare(abs(value), currency, locale), SIGNS.get(currency, currency))
    return f"-{written}" if value < 0 else written
