"""Locales: how people in a country write names, dates, numbers and amounts; one file for each in this folder."""

from __future__ import annotations

import datetime as dt
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import msgspec

from vlmrun_mock import typed

FOLDER = Path(__file__).parent
USUAL = "en_US"
NO_BREAK = "\N{NO-BREAK SPACE}"
CENTS = 2  # digits
WHOLE = frozenset({"JPY", "KRW", "VND"})
"""Currencies without cents."""

SIGNS: Mapping[str, str] = {
    "BRL": "R$", "CNY": "¥", "CZK": "Kč", "EUR": "€", "GBP": "£", "ILS": "₪", "INR": "₹", "JPY": "¥", "KRW": "₩",
    "PLN": "zł", "RUB": "₽", "SEK": "kr", "THB": "฿", "TRY": "₺", "UAH": "₴", "USD": "$", "VND": "₫",
}  # fmt: skip  # several a line
"""The sign of a currency; others are named by their code."""

MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
          "December")  # fmt: skip  # several a line
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
SATURDAY = 5
LAST = 5
"""The number of the last of a day of the week in a month, as in `05-5mon`."""

LETTERS = str.maketrans(
    {
        "ß": "ss",
        "ø": "o",
        "æ": "ae",
        "œ": "oe",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "\N{LATIN SMALL LETTER DOTLESS I}": "i",
    }
)
"""How letters are written in ASCII that Unicode does not take apart into one and its mark."""


class Country(msgspec.Struct, frozen=True):
    """A country as its own documents name it, and its codes.

    `scale` is about how many units of the currency buy what a dollar buys, in orders of magnitude; `zone` is that of
    IANA's database.
    """

    name: str
    code: str
    currency: str
    language: str
    nationality: str
    zone: str
    scale: int = 1


class Notation(msgspec.Struct, frozen=True):
    """How numbers are written: what groups thousands, what stands before decimals, and where a currency's sign goes."""

    group: str = ","
    point: str = "."
    before: bool = True
    gap: str = ""
    lakhs: bool = False

    def grouped(self, whole: str) -> str:
        """Return the digits of a whole number in groups of three, or as in India: three, then two each."""
        size = 2 if self.lakhs else 3
        head, last = whole[:-3], whole[-3:]
        groups = [head[max(0, end - size) : end] for end in range(len(head), 0, -size)]
        return self.group.join([*reversed(groups), last])

    def number(self, value: float | Decimal) -> str:
        """Return a number with its thousands in groups, and as many decimals as it has."""
        written = f"{Decimal(repr(value)) if isinstance(value, float) else Decimal(value):f}"
        whole, _, decimals = written.removeprefix("-").partition(".")
        return (
            ("-" if written.startswith("-") else "")
            + self.grouped(whole)
            + (f"{self.point}{decimals}" if decimals else "")
        )

    def signed(self, written: str, sign: str) -> str:
        """Return an amount that is written already, with a sign before or after it."""
        gap = self.gap or (NO_BREAK if sign.isalpha() else "")
        return f"{sign}{gap}{written}" if self.before else f"{written}{gap}{sign}"


class Locale(msgspec.Struct, frozen=True, dict=True):
    """One locale.

    `date` is the pattern of a day in a text, of `{day}`, `{number}` and `{month}` of the year, and `{year}`,
    `full_name` that of a person, of `{first}` and `{last}`, and `address` that of one in a line. `latin` spells names
    in Latin letters, and `letters` single letters. `holidays` are month and day, or the number of a day of the week in
    its month, `11-4thu`, where 5 is the last one. `pools` come before the ones of the same name that any locale has.
    With `faker`, people and streets of callers' schemas are Faker's; else they are of the pools.
    """

    name: str
    country: Country
    date: str
    full_name: str = "{first} {last}"
    address: str = "{street}, {zip} {city}"
    holidays: Sequence[str] = ("01-01", "12-25")
    numbers: Notation = Notation()
    months: Sequence[str] = MONTHS
    weekdays: Sequence[str] = WEEKDAYS
    latin: Mapping[str, str] = {}
    letters: Mapping[str, str] = {}
    faker: bool = False
    pools: Mapping[str, Sequence[Any]] = {}

    @property
    def places(self) -> int:
        """The decimals of an amount: those of a cent, or none."""
        return 0 if self.country.currency in WHOLE else CENTS

    @property
    def sign(self) -> str:
        """The sign of the currency."""
        return SIGNS.get(self.country.currency, self.country.currency)

    def day(self, value: dt.date) -> str:
        """Return a day as it stands in a text."""
        month = self.months[value.month - 1]
        return self.date.format(day=value.day, number=value.month, month=month, year=value.year)

    def is_holiday(self, day: dt.date) -> bool:
        """Return whether a day is a public holiday."""
        in_month = (day.day - 1) // 7 + 1
        is_last = (day + dt.timedelta(days=7)).month != day.month
        name = f"{day.month:02}-%d{WEEKDAYS[day.weekday()][:3].lower()}"
        names = {f"{day:%m-%d}", name % in_month, name % (LAST if is_last else in_month)}
        return not names.isdisjoint(self.holidays)

    def is_workday(self, day: dt.date) -> bool:
        """Return whether offices and banks are open: from Monday to Friday, on no public holiday."""
        return day.weekday() < SATURDAY and not self.is_holiday(day)

    def amount(self, value: float | Decimal) -> str:
        """Return an amount without its sign, such as `1.441,66`."""
        return self.numbers.number(Decimal(value).quantize(Decimal(1).scaleb(-self.places)))

    def signed(self, written: str) -> str:
        """Return an amount that is written already, with the currency's sign before or after it."""
        return self.numbers.signed(written, self.sign)

    @cached_property
    def _known(self) -> re.Pattern[str]:
        longest_first = sorted([*self.latin, *self.letters], key=len, reverse=True)
        return re.compile("|".join(map(re.escape, longest_first)) or "(?!)")

    def _in_latin(self, found: re.Match[str]) -> str:
        name = self.latin.get(found[0])
        return self.letters[found[0]] if name is None else f"{name} "

    def spelt(self, text: str) -> str:
        """Return a text in ASCII letters, in lower case, as far as the locale knows how."""
        known = self._known.sub(self._in_latin, text).lower().translate(LETTERS)
        plain = unicodedata.normalize("NFKD", known)
        return " ".join(re.sub(r"[^\x20-\x7e]", "", plain).split())


@cache
def of(name: str) -> Locale:
    """Return a locale by its name; raises KeyError for one that has no file."""
    path = FOLDER / f"{name}.json"
    if name not in names():
        raise KeyError(name)
    return typed.convert({**json.loads(path.read_text(encoding="utf-8")), "name": name}, Locale)


@cache
def names() -> tuple[str, ...]:
    """Return the names of all locales: the usual one first, then in order of the alphabet."""
    found = sorted(path.stem for path in FOLDER.glob("*.json"))
    return (USUAL, *(name for name in found if name != USUAL))


def of_currency(code: object) -> Locale:
    """Return a locale in which that is the currency: the usual one where it is in none."""
    return next((found for name in names() if (found := of(name)).country.currency == code), of(USUAL))
