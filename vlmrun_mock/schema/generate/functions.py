"""The functions that recipes call: what draws, and what follows from other values."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vlmrun_mock.schema.generate.locales import Locale
    from vlmrun_mock.schema.generate.variation import Pool, Scope

VIN_VALUES = dict(zip("0123456789ABCDEFGHJKLMNPRSTUVWXYZ", map(int, "012345678912345678123457923456789"), strict=True))
CONTAINER_VALUES = {letter: number for number, letter in enumerate("0123456789A?BCDEFGHIJK?LMNOPQRSTU?VWXYZ")}
VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
ONES: tuple[str, ...] = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
ONES += ("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")
TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
GROUPS = ((1_000_000, "million"), (1000, "thousand"), (100, "hundred"))
INDIAN_GROUPS = ((10_000_000, "crore"), (100_000, "lakh"), (1000, "thousand"), (100, "hundred"))
HUNDRED = 100


def _between(scope: Scope, low: Any, high: Any) -> int:
    return scope.draws.random.randint(int(scope.settled(low)), int(scope.settled(high)))


def _amount(scope: Scope, low: Any, high: Any) -> Decimal:
    """Draw an amount in cents."""
    cents = scope.draws.random.randint(int(scope.settled(low) * 100), int(scope.settled(high) * 100))
    return Decimal(cents) / 100


def _step(scope: Scope, low: Any, high: Any, step: Any) -> Any:
    """Draw a multiple of a step between two bounds."""
    step = scope.settled(step)
    return scope.draws.random.randint(int(scope.settled(low) / step), int(scope.settled(high) / step)) * step


def _one_of(scope: Scope, *values: Any) -> Any:
    return scope.draws.random.choice(values)


def _several(scope: Scope, things: Any, count: Any) -> list[Any]:
    """Draw different things of a pool."""
    return [scope.settled(each) for each in scope.draws.several(things, int(scope.settled(count)), scope)]


def _several_in_order(scope: Scope, pool: Pool, count: Any) -> list[Any]:
    """Draw different things of a pool, and leave them in its order."""
    count = min(int(scope.settled(count)), len(pool.things))
    chosen = sorted(scope.draws.random.sample(range(len(pool.things)), count))
    return [scope.settled(scope.draws.made(pool.things[each], scope)) for each in chosen]


def _draw(scope: Scope, pool: Pool) -> Any:
    return scope.settled(pool)


def _maybe(scope: Scope, share: Any, value: Any) -> Any:
    """Return a value in that share of all answers, and else none."""
    return scope.settled(value) if scope.draws.random.random() < share else None


def _chance(scope: Scope, share: Any) -> bool:
    return bool(scope.draws.random.random() < share)


def _day(scope: Scope, first: Any, last: Any) -> dt.date:
    """Draw a day of the years from the first to the last."""
    start = dt.date(int(scope.settled(first)), 1, 1)
    days = (dt.date(int(scope.settled(last)), 12, 31) - start).days
    return start + dt.timedelta(days=scope.draws.random.randint(0, days))


def _code(scope: Scope, pattern: Any) -> str:
    """Fill a pattern: `#` is a digit, `?` a capital letter that is not mistaken for a digit."""
    choice = scope.draws.random.choice
    filled = {"#": "0123456789", "?": "ABCDEFGHJKLMNPRSTUVWXY"}
    return "".join(choice(filled[each]) if each in filled else each for each in str(scope.settled(pattern)))


def _split(scope: Scope, total: Any, count: Any, step: Any) -> list[Any]:
    """Split a total into parts of at least one step each, which add up to it."""
    total, count, step = (scope.settled(each) for each in (total, count, step))
    steps: int = int(total / step)
    cuts = sorted(scope.draws.random.sample(range(1, steps), int(count) - 1))
    parts: list[Any] = [(end - start) * step for start, end in zip([0, *cuts], [*cuts, steps], strict=True)]
    last: Any = total - sum(parts[:-1])
    return [*parts[:-1], last]


def _days_between(scope: Scope, first: Any, last: Any, count: Any) -> list[dt.date]:
    """Draw so many days of a period, in order."""
    first, last = scope.settled(first), scope.settled(last)
    length = (last - first).days
    drawn = sorted(scope.draws.random.randint(0, length) for _ in range(int(scope.settled(count))))
    return [first + dt.timedelta(days=each) for each in drawn]


def _workday(scope: Scope, day: Any) -> dt.date:
    """Return a day on which offices are open: that one, or the next."""
    found: dt.date = scope.settled(day)
    while not scope.draws.locale.is_workday(found):
        found += dt.timedelta(days=1)
    return found


def _holiday(scope: Scope, day: Any) -> dt.date:
    """Return the first public holiday from a day on."""
    found: dt.date = scope.settled(day)
    while not scope.draws.locale.is_holiday(found):
        found += dt.timedelta(days=1)
    return found


def _workdays_between(scope: Scope, first: Any, last: Any, count: Any) -> list[dt.date]:
    """Draw so many days of a period on which offices are open, in order."""
    first, last = scope.settled(first), scope.settled(last)
    days = [first + dt.timedelta(days=each) for each in range((last - first).days + 1)]
    open_days = [each for each in days if scope.draws.locale.is_workday(each)]
    return sorted(scope.draws.random.choices(open_days, k=int(scope.settled(count))))


def _shuffled(scope: Scope, values: Any) -> list[Any]:
    """Return values in another order."""
    shuffled: list[Any] = list(scope.settled(values))
    scope.draws.random.shuffle(shuffled)
    return shuffled


def _cents(scope: Scope, value: Any) -> Any:
    """Round an amount to the smallest unit of the currency: a cent, or a whole yen."""
    return rounded(scope.settled(value), scope.draws.locale.places)


def _price(scope: Scope, dollars: Any) -> Any:
    """Return what costs so many dollars in the currency, at a rate of its order of magnitude."""
    return _cents(scope, scope.settled(dollars) * scope.draws.locale.country.scale)


def _money(scope: Scope, value: Any) -> str:
    """Return an amount without its sign, as the locale writes it."""
    return scope.draws.locale.amount(scope.settled(value))


def _with_sign(scope: Scope, written: Any) -> str:
    """Return an amount that is written already, with the sign of the locale's currency."""
    return scope.draws.locale.signed(str(scope.settled(written)))


def _thousands(scope: Scope, value: Any) -> str:
    """Return a number with its thousands in groups, without decimals that are all zero."""
    number = scope.settled(value)
    return scope.draws.locale.numbers.number(int(number) if number == int(number) else number)


def _text(scope: Scope, value: Any, places: Any) -> str:
    """Return a number with so many decimals, as the locale writes it."""
    return f"{rounded(scope.settled(value), places):f}".replace(".", scope.draws.locale.numbers.point)


def _long_date(scope: Scope, value: Any) -> str:
    return scope.draws.locale.day(scope.settled(value))


def _day_first(scope: Scope, value: Any) -> str:
    """Return a day as texts write it: in English, the day comes first."""
    day, locale = scope.settled(value), scope.draws.locale
    return f"{day.day} {day:%B} {day.year}" if locale.country.language == "en" else locale.day(day)


def _month(scope: Scope, value: Any) -> str:
    return str(scope.draws.locale.months[scope.settled(value).month - 1])


def _weekday(scope: Scope, value: Any) -> str:
    return str(scope.draws.locale.weekdays[scope.settled(value).weekday()])


def _full_name(scope: Scope, first: Any, last: Any) -> str:
    """Return a person's name, in the order of the country."""
    return scope.draws.locale.full_name.format(first=scope.settled(first), last=scope.settled(last))


def _address_line(scope: Scope, street: Any, town: Any) -> str:
    """Return an address in one line, in the order of the country."""
    parts = {name: scope.attribute(town, name) for name in ("city", "state", "zip")}
    return scope.draws.locale.address.format(street=scope.settled(street), **parts)


def _letters(scope: Scope, text: Any) -> str:
    return letters(scope.settled(text), scope.draws.locale)


def _slug(scope: Scope, text: Any) -> str:
    spelt = scope.draws.locale.spelt(str(scope.settled(text)))
    return "-".join(filter(None, (_only_letters(word) for word in spelt.split())))


def _host(scope: Scope, company: Any) -> str:
    """Return a company's host, below a domain that is reserved for examples."""
    spelt = scope.draws.locale.spelt(str(scope.settled(company)))
    words = [_only_letters(word) for word in re.sub(r"[,&.]", " ", spelt).split()]
    return "".join([word for word in words if word not in {"and", "the", "inc", "llc", "co", "ltd"}][:2]) + ".example"


DRAWING: Mapping[str, Callable[..., Any]] = {
    "address_line": _address_line,
    "amount": _amount,
    "cents": _cents,
    "chance": _chance,
    "code": _code,
    "day": _day,
    "days_between": _days_between,
    "draw": _draw,
    "int": _between,
    "maybe": _maybe,
    "one_of": _one_of,
    "price": _price,
    "several": _several,
    "several_in_order": _several_in_order,
    "shuffled": _shuffled,
    "split": _split,
    "step": _step,
    "day_first": _day_first,
    "full_name": _full_name,
    "holiday": _holiday,
    "host": _host,
    "letters": _letters,
    "long_date": _long_date,
    "money": _money,
    "month": _month,
    "slug": _slug,
    "text": _text,
    "thousands": _thousands,
    "weekday": _weekday,
    "with_sign": _with_sign,
    "workday": _workday,
    "workdays_between": _workdays_between,
}
"""What draws, or depends on the locale: each is called with the scope that it is drawn for."""


def rounded(value: Any, places: Any) -> Any:
    """Return a number rounded half up, as money is."""
    return None if value is None else Decimal(value).quantize(Decimal(1).scaleb(-int(places)), ROUND_HALF_UP)


def _whole(value: Any) -> Any:
    return None if value is None else int(Decimal(value).quantize(Decimal(1), ROUND_HALF_UP))


def _sum(*values: Any) -> Any:
    found = [each for value in values for each in (value if isinstance(value, list) else [value]) if each is not None]
    return sum(found, 0)


def _count(values: Any, wanted: Any = None) -> int:
    return len(values) if wanted is None else sum(value == wanted for value in values)


def _formatted(value: dt.date, pattern: str) -> str:
    return f"{value:{pattern}}"


def _month_start(value: dt.date) -> dt.date:
    return value.replace(day=1)


def _month_end(value: dt.date) -> dt.date:
    return (value.replace(day=28) + dt.timedelta(days=4)).replace(day=1) - dt.timedelta(days=1)


def _years(value: dt.date, years: Any) -> dt.date:
    """Return the same day so many years later; after 29 February comes 28 February."""
    year = value.year + int(years)
    day = 28 if (value.month, value.day) == (2, 29) else value.day
    return value.replace(year=year, day=day)


def _age(birth: dt.date, day: dt.date) -> int:
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


def _only_letters(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text)


def letters(text: str, locale: Locale) -> str:
    """Return the letters and digits of a text in lower case, spelt in ASCII as the locale does."""
    return _only_letters(locale.spelt(text))


def _clock(minutes: Any) -> str:
    """Return a time of day, of minutes since midnight."""
    return f"{int(minutes) // 60 % 24:02}:{int(minutes) % 60:02}"


def in_words(number: Any, groups: Sequence[tuple[int, str]] = GROUPS) -> str:
    """Return a whole number in words."""
    value: int = int(number)
    if value < len(ONES):
        return ONES[value]
    if value < HUNDRED:
        return TENS[value // 10] + (f"-{ONES[value % 10]}" if value % 10 else "")
    size, word = next(group for group in groups if value >= group[0])
    rest = value % size
    return f"{in_words(value // size, groups)} {word}" + (f" {in_words(rest, groups)}" if rest else "")


def _check_words(value: Any) -> str:
    """Return an amount as it is written on a check."""
    words = in_words(int(value))
    return f"{words[0].upper()}{words[1:]} and {int(value * 100) % 100:02}/100"


def _rupees(value: Any) -> str:
    words = in_words(int(value), INDIAN_GROUPS).title()
    paise = int(value * 100) % 100
    return f"Rupees {words}" + (f" and {in_words(paise).title()} Paise" if paise else "") + " Only"


def luhn(digits: str) -> str:
    """Return digits and the check digit of Luhn's formula."""
    doubled = [int(each) * (2 if index % 2 == 0 else 1) for index, each in enumerate(reversed(digits))]
    return f"{digits}{-sum(each // 10 + each % 10 for each in doubled) % 10}"


def npi(digits: str) -> str:
    """Return the number of a health care provider: Luhn's formula over it after 80840."""
    return luhn(f"80840{digits}")[5:]


def aba(digits: str) -> str:
    """Return the routing number of eight digits and their check digit."""
    return f"{digits}{-sum(int(each) * (3, 7, 1)[index % 3] for index, each in enumerate(digits)) % 10}"


def ean(digits: str) -> str:
    """Return the number on a product, with its check digit."""
    return f"{digits}{-sum(int(each) * (3, 1)[index % 2] for index, each in enumerate(reversed(digits))) % 10}"


def iban(country: str, account: str) -> str:
    """Return an account's IBAN with its check digits."""
    number = "".join(str(int(each, 36)) for each in f"{account}{country}00")
    return f"{country}{98 - int(number) % 97:02}{account}"


def vin(text: str) -> str:
    """Return a vehicle's number with its check digit, the ninth character."""
    left = sum(VIN_VALUES[each] * weight for each, weight in zip(text, VIN_WEIGHTS, strict=True)) % 11
    return f"{text[:8]}{'X' if left == 10 else left}{text[9:]}"  # noqa: PLR2004 - X stands for 10


def iso6346(text: str) -> str:
    """Return a container's number: four letters and six digits, with the check digit."""
    values = [CONTAINER_VALUES[each] for each in text]
    return f"{text}{sum(value << place for place, value in enumerate(values)) % 11 % 10}"


def _mrz_digit(text: str) -> int:
    values = (0 if each == "<" else int(each, 36) for each in text)
    return sum(value * (7, 3, 1)[index % 3] for index, value in enumerate(values)) % 10


def mrz(  # noqa: PLR0917 - the order is that of the document
    state: str, family: str, given: str, number: str, birth: dt.date, sex: str, expiry: dt.date
) -> str:
    """Return the two lines of a passport that machines read, with their check digits."""
    names = f"{family}<<{given}".replace(" ", "<").replace("-", "<").replace("'", "")
    first = f"P<{state}{names}"[:44].ljust(44, "<")
    parts = [f"{text}{_mrz_digit(text)}" for text in (number, f"{birth:%y%m%d}", f"{expiry:%y%m%d}", "<" * 14)]
    parts[3] = f"{'<' * 14}0"
    whole = parts[0] + parts[1] + parts[2] + parts[3]
    return f"{first}\n{parts[0]}{state}{parts[1]}{sex}{parts[2]}{parts[3]}{_mrz_digit(whole)}"


def _spoken(text: str) -> Decimal:
    """Return how many seconds it takes to say a text."""
    seconds: Decimal = rounded(Decimal(len(text.split())) * Decimal("0.38") + Decimal("0.6"), 2)
    return seconds


def _find(records: Any, part: str, wanted: Any) -> Any:
    """Return the first of some objects that has a value."""
    return next((each for each in records if each.find(part) == wanted), None)


def _where(values: list[Any], marks: list[Any], wanted: Any) -> list[Any]:
    """Return the values beside the marks that are as wanted."""
    return [value for value, mark in zip(values, marks, strict=True) if mark == wanted]


def _grown(percent: Any, years: Any) -> Decimal:
    """Return by which factor something has grown after some years, at so many percent a year."""
    return Decimal((1 + Decimal(percent) / 100) ** int(years))


def _having(items: list[Any], name: str) -> list[Any]:
    """Return the items that have a value of that name."""
    return [each for each in items if each.find(name) is not None]


def _last_of_each(items: list[Any], name: str) -> list[Any]:
    """Return the last item of each value of that name."""
    return list({each.find(name): each for each in items}.values())


def _daily_average(before: Any, balances: list[Any], days: list[dt.date], first: dt.date, last: dt.date) -> Decimal:
    """Return the average of the balances at the end of each day of a period; `before` is the one before it."""
    of_day = dict(zip(days, balances, strict=True))
    total, balance = Decimal(0), before
    count = (last - first).days + 1
    for each in range(count):
        balance = of_day.get(first + dt.timedelta(days=each), balance)
        total += balance
    return total / count


def _first_upper(text: str) -> str:
    return text[:1].upper() + text[1:]


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    **DRAWING,
    "aba": aba,
    "abs": abs,
    "age": _age,
    "check_words": _check_words,
    "clock": _clock,
    "count": _count,
    "daily_average": _daily_average,
    "distinct": lambda values: list(dict.fromkeys(values)),
    "ean": ean,
    "find": _find,
    "first_upper": _first_upper,
    "format": _formatted,
    "grown": _grown,
    "having": _having,
    "iban": iban,
    "in_words": in_words,
    "iso6346": iso6346,
    "join": lambda values, between: between.join(map(str, values)),
    "joined": lambda left, right: [*left, *right],
    "last_of_each": _last_of_each,
    "length": len,
    "lower": str.lower,
    "luhn": luhn,
    "max": lambda *values: max(values[0] if len(values) == 1 else values),
    "min": lambda *values: min(values[0] if len(values) == 1 else values),
    "month_end": _month_end,
    "month_start": _month_start,
    "mrz": mrz,
    "npi": npi,
    "present": lambda values: [each for each in values if each is not None],
    "range": lambda *bounds: list(range(*map(int, bounds))),
    "round": rounded,
    "rounded_half": lambda value: rounded(value * 2, 0) / 2,
    "rupees": _rupees,
    "sorted": sorted,
    "spoken": _spoken,
    "sum": _sum,
    "title": str.title,
    "upper": str.upper,
    "vin": vin,
    "where": _where,
    "whole": _whole,
    "years": _years,
}
"""All functions; those that do not draw are called with values."""
