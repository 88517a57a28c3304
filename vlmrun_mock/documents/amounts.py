"""Amounts of money as a person prints them, and which numbers of an answer are such amounts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

NO_BREAK = "\N{NO-BREAK SPACE}"

SIGNS: Mapping[str, str] = {"BRL": "R$", "EUR": "€", "GBP": "£", "INR": "₹", "JPY": "¥", "USD": "$"}
"""The sign of a currency; others are named by their code."""

CENTS = 2  # digits
WHOLE = frozenset({"JPY"})
"""Currencies without cents."""

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


@dataclass(frozen=True, slots=True)
class Notation:
    """How amounts are written somewhere: what groups thousands, what stands before cents, and where the sign goes."""

    group: str = ","
    point: str = "."
    before: bool = True
    gap: str = ""
    lakhs: bool = False


ENGLISH = Notation()
NOTATIONS: Mapping[str, Notation] = {
    "de_DE": Notation(".", ",", before=False, gap=NO_BREAK),
    "en_IN": Notation(lakhs=True),
    "es_ES": Notation(".", ",", before=False, gap=NO_BREAK),
    "fr_FR": Notation(NO_BREAK, ",", before=False, gap=NO_BREAK),
    "it_IT": Notation(".", ",", before=False, gap=NO_BREAK),
    "nl_NL": Notation(".", ",", gap=NO_BREAK),
    "pt_BR": Notation(".", ",", gap=NO_BREAK),
}
"""How amounts are written in a locale, where that is not as in English."""


def is_amount(name: str) -> bool:
    """Return whether a number is an amount of money, by the name of its field."""
    words = set(re.split(r"[^a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()))
    return not words.isdisjoint(MONEY.split()) and words.isdisjoint(NOT_MONEY.split())


def bare(value: float, currency: str, locale: str) -> str:
    """Return an amount without its sign: with cents, where the currency has them, and all further digits."""
    notation = NOTATIONS.get(locale, ENGLISH)
    exact = Decimal(repr(value)).normalize()
    whole, _, cents = f"{abs(exact):f}".partition(".")
    if cents or currency not in WHOLE:
        cents = cents.ljust(CENTS, "0")
    grouped = _grouped(whole, notation)
    return ("-" if exact < 0 else "") + grouped + (notation.point + cents if cents else "")


def signed(value: float, currency: str, locale: str) -> str:
    """Return an amount with the sign of its currency, such as `$1,441.66` or `1.441,66 €`."""
    notation = NOTATIONS.get(locale, ENGLISH)
    sign = SIGNS.get(currency, currency)
    amount = bare(abs(value), currency, locale)
    gap = notation.gap or (NO_BREAK if sign.isalpha() else "")
    written = f"{sign}{gap}{amount}" if notation.before else f"{amount}{gap}{sign}"
    return f"-{written}" if value < 0 else written


def _grouped(whole: str, notation: Notation) -> str:
    """Return a whole number in groups of three digits, or as in India: three, then two each."""
    size = 2 if notation.lakhs else 3
    head, last = whole[:-3], whole[-3:]
    groups = [head[max(0, end - size) : end] for end in range(len(head), 0, -size)]
    return notation.group.join([*reversed(groups), last])
