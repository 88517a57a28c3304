"""The people, companies, towns and days in an answer, drawn from the seed."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from vlmrun_mock.lazy import lazy
from vlmrun_mock.schema.generate import functions, locales
from vlmrun_mock.schema.generate.budget import DRAW, NAME, RECORD, SPELLING
from vlmrun_mock.schema.generate.locales import Country, Locale
from vlmrun_mock.schema.generate.terms import ENCLOSED, NOTHING
from vlmrun_mock.schema.generate.words import singular, singular_words, words_of
from vlmrun_mock.schema.references import Place

if TYPE_CHECKING:
    from random import Random

    import faker
    from faker.providers.address import en_US as addresses
    from faker.providers.job import en_US as jobs
    from faker.providers.person import en_US as people

    from vlmrun_mock.schema.generate import variation
    from vlmrun_mock.seed import Seed
else:
    faker = lazy("faker")
    addresses = lazy("faker.providers.address.en_US")
    jobs = lazy("faker.providers.job.en_US")
    people = lazy("faker.providers.person.en_US")
    variation = lazy("vlmrun_mock.schema.generate.variation")

FIRST_DAY = dt.date(2023, 2, 1)  # with any offset, days stay between 2023 and 2025
DAYS_TO_DRAW = 600
SUFFIXES = ("Supply Co.", "Logistics", "Industries", "Partners", "Services LLC", "Group", "Trading Co.", "Works")
LOCALITIES = (
    ("Portland", "OR", "Oregon", "97205", "503", 45.517, -122.68),
    ("Austin", "TX", "Texas", "78701", "512", 30.27, -97.743),
    ("Denver", "CO", "Colorado", "80202", "303", 39.75, -104.997),
    ("Columbus", "OH", "Ohio", "43215", "614", 39.961, -82.999),
    ("Madison", "WI", "Wisconsin", "53703", "608", 43.075, -89.384),
    ("Raleigh", "NC", "North Carolina", "27601", "919", 35.78, -78.639),
    ("Tucson", "AZ", "Arizona", "85701", "520", 32.222, -110.971),
    ("Boise", "ID", "Idaho", "83702", "208", 43.615, -116.203),
    ("Omaha", "NE", "Nebraska", "68102", "402", 41.257, -95.935),
    ("Richmond", "VA", "Virginia", "23219", "804", 37.54, -77.436),
)


@dataclass(frozen=True, slots=True)
class Person:
    """A person, by names and gender."""

    first: str
    last: str
    gender: str
    name: str
    """First and last name, in the order of the country."""


@dataclass(frozen=True, slots=True)
class Locality:
    """A town, its state and its codes."""

    city: str
    state_code: str
    state: str
    zip_code: str
    area_code: str
    latitude: float
    longitude: float


class World:
    """Draws what depends on nothing but the seed, the facts and the path of a value."""

    def __init__(self, seed: Seed, facts: tuple[str, ...], locale: str = locales.USUAL) -> None:
        self._seed = seed
        self._facts = facts
        self.locale = locales.of(locale)
        self.effort = 0  # what was drawn, in the units of a budget

    def random(self, *about: str) -> Random:
        """Return the random generator for these words."""
        self.effort += DRAW
        return self._seed.random("generate", *self._facts, *about)

    def subject(self, path: Place, variation: int = 0) -> Subject:
        """Return what the path of a value says about it."""
        return Subject(self, path, variation)

    @cached_property
    def faker(self) -> Any:
        """Faker in the locale; one for each answer, for it holds the generator that it draws from.

        It has the methods of its providers, which a type checker does not know.
        """
        generator = faker.Generator()
        local = (people, addresses)
        if self.locale.faker:
            local = tuple(lazy(f"faker.providers.{kind}.{self.locale.name}") for kind in ("person", "address"))
        for module in (*local, jobs):
            generator.add_provider(module.Provider)
        return generator


def _meant(names: list[str]) -> list[str]:
    """Return names without a last one that means what encloses it, such as `value`."""
    while len(names) > 1 and tuple(words_of(names[-1])) in ENCLOSED:
        names = names[:-1]
    return names


class Subject:
    """A value as its path describes it: by the words of its own name, and of the names around it."""

    def __init__(self, world: World, path: Place, variation: int) -> None:
        self._world = world
        self._place = path
        self._variation = variation
        name = next((key for key in reversed(path) if isinstance(key, str)), "")
        self.words = tuple(words_of(name))
        if self.words in ENCLOSED:
            self.words = tuple(words_of(self._names[-1]))
        if path and not isinstance(path[-1], str) and self.words:
            self.words = (*self.words[:-1], singular(self.words[-1]))
        self.role: tuple[str, ...] = self.words

    @cached_property
    def _path(self) -> tuple[str, ...]:
        return tuple(map(str, self._place))

    @cached_property
    def _names(self) -> list[str]:
        names = [key for key in self._place if isinstance(key, str)]
        return _meant(names) if len(self._place) > 1 and isinstance(self._place[-2], str) else names

    @cached_property
    def levels(self) -> list[tuple[str, ...]]:
        """The words of the names around it, the nearest first."""
        return [singular_words(name) for name in reversed(self._names[:-1])]

    @property
    def is_nothing(self) -> bool:
        """Return whether the field is empty or false in a good answer, as `errors` and `is_duplicate` are."""
        return self.words[:1] not in (("no",), ("not",), ("has",)) and not NOTHING.isdisjoint(self.words)

    def random(self, *about: str) -> Random:
        """Return the random generator of this value alone."""
        variation = (f"variation {self._variation}",) if self._variation else ()
        return self._world.random("value", *self._path, *about, *variation)

    def boolean(self) -> bool:
        """Return True three times in four, as a form has more boxes ticked than not; never for what is wrong."""
        return not self.is_nothing and self.random().random() < 0.75  # noqa: PLR2004  # the share of the docstring

    def shared(self, what: str) -> Random:
        """Return the random generator that this value shares with its neighbours in the same role."""
        variation = (str(self._variation),) if self._variation else ()
        return self._world.random(what, *self._path[:-1], "role", *self.role, *variation)

    def faker(self, source: Random) -> Any:
        """Return Faker, drawing from `source`."""
        self._world.effort += NAME
        generator = self._world.faker
        generator.random = source
        return generator

    @property
    def locale(self) -> Locale:
        """Return the locale that the document is from."""
        return self._world.locale

    @property
    def _is_of_faker(self) -> bool:
        return self.locale.faker or self.locale.name == locales.USUAL

    def drawn(self, source: Random, name: str, **known: Any) -> Any:
        """Return a thing of one of the locale's own pools, whose rules may name what is `known`."""
        self._world.effort += RECORD
        scope = variation.Scope(variation.Draws(source, {}, self.locale), variation.Object({}), **known)
        return variation.plain(scope.settled(scope.find(name)), None)

    def person(self) -> Person:
        """Return the person that the fields of this role describe."""
        source = self.shared("person")
        gender = "female" if source.random() < 0.5 else "male"  # noqa: PLR2004 - one in two
        if self._is_of_faker:
            generator = self.faker(source)
            first = generator.first_name_female() if gender == "female" else generator.first_name_male()
            last = generator.last_name()
        else:
            first, last = self.drawn(source, f"first_{gender}"), self.drawn(source, "last")
        return Person(first, last, gender, self.locale.full_name.format(first=first, last=last))

    def company(self) -> str:
        """Return the company that the fields of this role describe."""
        source = self.shared("company")
        last = self.faker(source).last_name() if self._is_of_faker else self.drawn(source, "last")
        if "legal" in self.locale.pools:
            return f"{last} {self.drawn(source, 'legal')}"
        return f"{last} {source.choice(SUFFIXES)}"

    def letters(self, text: str) -> str:
        """Return the letters of a name as they stand in an address: in lower case, without marks and blanks."""
        self._world.effort += SPELLING
        return functions.letters(text, self.locale)

    def company_host(self) -> str:
        """Return the company's host name, below a domain reserved for examples."""
        return f"{self.letters(self.company().split(' ')[0])}.example.com"

    def locality(self) -> Locality:
        """Return the town that the fields of this role describe."""
        source = self.shared("locality")
        if self.locale.name == locales.USUAL:
            return Locality(*source.choice(LOCALITIES))
        town = self.drawn(source, "town")
        place = (town["latitude"], town["longitude"])
        return Locality(town["city"], town["state"], town["state_name"], town["zip"], town["area"], *place)

    @property
    def country(self) -> Country:
        """Return the country that the document is from."""
        return self.locale.country

    def day(self, offset: int) -> dt.date:
        """Return the day `offset` days after the document's own."""
        start = self._world.random("day").randrange(DAYS_TO_DRAW)
        listed = [index for index, key in enumerate(self._path) if key.isdecimal()]
        inside = self._path[: listed[-1] + 1] if listed else ()
        later = self._world.random("day", *inside).randrange(20) if listed else 0
        return FIRST_DAY + dt.timedelta(days=start + later + offset + self._variation)

    def clock(self, hour: int) -> str:
        """Return a time of day within an hour, in steps of five minutes."""
        return f"{hour:02}:{self.random('minute').randrange(0, 60, 5):02}"
