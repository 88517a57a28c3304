"""The leaves of an answer: its values that are neither null nor lists nor objects, and the texts that print them."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias
from unicodedata import category

from vlmrun_mock.display import UNSHOWN
from vlmrun_mock.documents import amounts
from vlmrun_mock.json_text import pointed
from vlmrun_mock.schema.generate import locales

Value: TypeAlias = "str | int | float | bool"

DAY_LENGTH = 10  # YYYY-MM-DD
LEAF = "@"
"""The key by which a template knows a leaf among the objects of an answer; its value is the pointer."""

MAY_BREAK = "\N{ZERO WIDTH SPACE}"
"""Where a long word may go on in the next line; it is not printed."""

MOST_MONEY = 10**15
"""No amount is as large; above, a number is printed as the answer has it."""

LONG_WORD = 18  # characters that stay together
PIECE = re.compile(r".{1,9}")
BREAKS_AFTER = re.compile(r"(?<=[/.@_,:;?&=#])(?=\w)")

UPPER = "bic bsb cvv dob ein gpa hipaa iban id ip isbn lbs mrz npi nfl nba rfp sku ssn swift uri url usd vat vin zip"
"""Words of names that are written in capitals."""

CURRENCY = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class Leaf:
    """A value, where it stands in the answer (a JSON Pointer), the title of its field, and its currency if known."""

    pointer: str
    value: Value
    title: str
    name: str = ""
    currency: str = ""

    @property
    def plain(self) -> str:
        """Return the value as the answer has it, as far as paper shows it; a number without needless digits."""
        if isinstance(self.value, bool):
            return "Yes" if self.value else "No"
        if isinstance(self.value, str):
            return shown(self.value)
        number = json.dumps(self.value)
        return number.removesuffix(".0")

    def written(self, locale: str) -> str:
        """Return the value as the locale writes it: a day of an ISO date, and the point of a number with decimals."""
        if locale == locales.USUAL or isinstance(self.value, bool):
            return self.plain
        if isinstance(self.value, str):
            return locales.of(locale).day(dt.date.fromisoformat(self.value)) if is_day(self.value) else self.plain
        return self.plain.replace(".", locales.of(locale).numbers.point) if "e" not in self.plain else self.plain

    @property
    def _is_amount(self) -> bool:
        """Return whether the value is an amount of money: whole numbers of an answer count things."""
        return isinstance(self.value, float) and abs(self.value) < MOST_MONEY and amounts.is_amount(self.name)

    def as_data(self, locale: str) -> dict[str, Any]:
        """Return the leaf as a template gets it."""
        data: dict[str, Any] = {LEAF: self.pointer, "title": self.title, "text": breakable(self.written(locale))}
        if isinstance(self.value, bool):
            data["yes"] = self.value
        elif not isinstance(self.value, str):
            currency = self.currency or locales.of(locale).country.currency
            data["amount"] = amounts.bare(self.value, currency, locale)
            data["money"] = amounts.signed(self.value, currency, locale)
            data["is_amount"] = self._is_amount
            data["is_money"] = self._is_amount and bool(self.currency)
        return data


def is_day(text: str) -> bool:
    """Return whether a text is an ISO date and nothing more."""
    try:
        return len(text) == DAY_LENGTH and dt.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def shown(text: str) -> str:
    """Return what paper shows of a text: single blanks and line ends, and no controls or invisible formatting."""
    lines = (
        "".join(each for each in line if each.isspace() or category(each) not in UNSHOWN) for line in text.splitlines()
    )
    return "\n".join(" ".join(line.split()) for line in lines).strip()


def breakable(text: str) -> str:
    """Return a text that has places in its long words where a line may end."""
    return re.sub(rf"\S{{{LONG_WORD + 1},}}", lambda word: _pieces(word[0]), text)


def _pieces(word: str) -> str:
    parts = BREAKS_AFTER.split(word)
    return MAY_BREAK.join(
        piece for part in parts for piece in (PIECE.findall(part) if len(part) > LONG_WORD else [part])
    )


def titled(name: str) -> str:
    """Return the name of a field as a title: `invoice_issue_date` becomes `Invoice issue date`."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name.replace("_", " ").replace("-", " ")).split()
    text = " ".join(word.upper() if word.lower() in UPPER.split() else word for word in words)
    return text[:1].upper() + text[1:]


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the leaves of one answer; `currency` is that of the whole document."""

    currency: str = ""

    def leaf(self, value: Any, pointer: str, name: str, currency: str = "") -> Leaf | None:
        """Return the leaf at a place, or None for null and for a text that shows nothing."""
        if value is None or (isinstance(value, str) and not shown(value)):
            return None
        return Leaf(pointer, value, titled(name), name, currency or self.currency)

    def leaves(self, value: Any, pointer: str = "", name: str = "", currency: str = "") -> Iterator[Leaf]:
        """Yield the leaves in a value, in the order of the answer."""
        if isinstance(value, Mapping):
            currency = currency_of(value) or currency
            for key, inner in value.items():
                yield from self.leaves(inner, f"{pointer}/{pointed(key)}", key, currency)
        elif isinstance(value, list):
            for index, inner in enumerate(value):
                yield from self.leaves(inner, f"{pointer}/{index}", name, currency)
        elif (leaf := self.leaf(value, pointer, name, currency)) is not None:
            yield leaf

    def tree(self, value: Any, locale: str, pointer: str = "", name: str = "", currency: str = "") -> Any:
        """Return the answer as a template gets it: with a leaf's data in the place of each value."""
        if isinstance(value, Mapping):
            currency = currency_of(value) or currency
            return {
                key: self.tree(inner, locale, f"{pointer}/{pointed(key)}", key, currency)
                for key, inner in value.items()
            }
        if isinstance(value, list):
            return [self.tree(inner, locale, f"{pointer}/{index}", name, currency) for index, inner in enumerate(value)]
        leaf = self.leaf(value, pointer, name, currency)
        return leaf.as_data(locale) if leaf else None


def reader(content: Any) -> Reader:
    """Return the reader of an answer, which knows the first currency that it names."""
    return Reader(next(_currencies(content), ""))


def currency_of(value: Mapping[str, Any]) -> str:
    """Return the code of the currency that an object names, or an empty text."""
    named = value.get("currency")
    return named if isinstance(named, str) and CURRENCY.fullmatch(named) else ""


def _currencies(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        if found := currency_of(value):
            yield found
        for inner in value.values():
            yield from _currencies(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _currencies(inner)
