"""The people, companies, towns and days that an answer speaks of, drawn from the seed."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from vlmrun_mock.lazy import lazy
from vlmrun_mock.schema.generate.words import singular, words_of
from vlmrun_mock.schema.references import Place

if TYPE_CHECKING:
    from random import Random

    import faker
    from faker.providers.address import en_US as addresses
    from faker.providers.job import en_US as jobs
    from faker.providers.person import en_US as people

    from vlmrun_mock.seed import Seed
else:
    faker = lazy("faker")
    addresses = lazy("faker.providers.address.en_US")
    jobs = lazy("faker.providers.job.en_US")
    people = lazy("faker.providers.person.en_US")

FIRST_DAY = dt.date(2023, 2, 1)  # a year of days from here, and the offsets of DAYS, stay within 2023..2025
DAYS_TO_DRAW = 600
SUFFIXES = ("Supply Co.", "Logistics", "Industries", "Partners", "Services LLC", "Group", "Trading Co.", "Works")
LOCALITIES = (
    ("Portland", "OR", "Oregon", "97205", "503"),
    ("Austin", "TX", "Texas", "78701", "512"),
    ("Denver", "CO", "Colorado", "80202", "303"),
    ("Columbus", "OH", "Ohio", "43215", "614"),
    ("Madison", "WI", "Wisconsin", "53703", "608"),
    ("Raleigh", "NC", "North Carolina", "27601", "919"),
    ("Tucson", "AZ", "Arizona", "85701", "520"),
    ("Boise", "ID", "Idaho", "83702", "208"),
    ("Omaha", "NE", "Nebraska", "68102", "402"),
    ("Richmond", "VA", "Virginia", "23219", "804"),
)


@dataclass(frozen=True, slots=True)
class Person:
    """A person's names."""

    first: str
    last: str
    gender: str

    @property
    def name(self) -> str:
        """Both names."""
        return f"{self.first} {self.last}"


@dataclass(frozen=True, slots=True)
class Locality:
    """A town with what depends on it."""

    city: str
    state_code: str
    state: str
    zip_code: str
    area_code: str


class World:
    """Everything drawn depends on the seed, the facts and the path of a value, and on nothing else."""

    def __init__(self, seed: Seed, facts: tuple[str, ...]) -> None:
        self._seed = seed
        self._facts = facts

    def random(self, *about: str) -> Random:
        """Return a generator of its own for what the words say."""
        return self._seed.random("generate", *self._facts, *about)

    def subject(self, path: Place, variation: int = 0) -> Subject:
        """Return what can be known about the value at a path."""
        return Subject(self, path, variation)

    @cached_property
    def faker(self) -> Any:
        """Faker's American English as far as it is used here; one answer's own, for it holds what it draws from.

        Its methods come from the providers, so a type checker does not know them.
        """
        generator = faker.Generator()
        for module in (people, addresses, jobs):
            generator.add_provider(module.Provider)
        return generator


class Subject:
    """What the path of a value says about it: the words of its name, and those of what encloses it."""

    def __init__(self, world: World, path: Place, variation: int) -> None:
        self._world = world
        self._path = tuple(map(str, path))
        self._variation = variation
        names = [key for key in path if isinstance(key, str)]
        in_list = bool(path) and not isinstance(path[-1], str)
        self.words = tuple(words_of(names[-1])) if names else ()
        if in_list and self.words:
            self.words = (*self.words[:-1], singular(self.words[-1]))
        self.levels = [tuple(map(singular, words_of(name))) for name in reversed(names[:-1])]
        self.role: tuple[str, ...] = self.words

    def random(self, *about: str) -> Random:
        """Return the generator of this very value."""
        shift = (f"variation {self._variation}",) if self._variation else ()
        return self._world.random("value", *self._path, *about, *shift)

    def boolean(self) -> bool:
        """Return true three times of four: a form has more boxes ticked than not."""
        return self.random().random() < 0.75  # noqa: PLR2004  # the share that the docstring names

    def shared(self, what: str) -> Random:
        """Return the generator that this value shares with those beside it that have the same role."""
        return self._world.random(what, *self._path[:-1], "role", *self.role, *self._shift())

    def _shift(self) -> tuple[str, ...]:
        return (str(self._variation),) if self._variation else ()

    def faker(self, source: Random) -> Any:
        """Return Faker, drawing from `source`."""
        generator = self._world.faker
        generator.random = source
        return generator

    def person(self) -> Person:
        """Return the person that the fields of this role speak of."""
        source = self.shared("person")
        female = source.random() < 0.5  # noqa: PLR2004  # one of two
        generator = self.faker(source)
        first = generator.first_name_female() if female else generator.first_name_male()
        return Person(first, generator.last_name(), "female" if female else "male")

    def company(self) -> str:
        """Return the company that the fields of this role speak of."""
        source = self.shared("company")
        return f"{self.faker(source).last_name()} {source.choice(SUFFIXES)}"

    def company_host(self) -> str:
        """Return the company's host name, below a domain reserved for examples."""
        return f"{re.sub('[^a-z]', '', self.company().split(' ')[0].lower())}.example.com"

    def locality(self) -> Locality:
        """Return the town that the fields of this role speak of."""
        return Locality(*self.shared("locality").choice(LOCALITIES))

    def day(self, offset: int) -> dt.date:
        """Return a day so many days after the one that the document is about."""
        start = self._world.random("day").randrange(DAYS_TO_DRAW)
        listed = [index for index, key in enumerate(self._path) if key.isdecimal()]
        inside = self._path[: listed[-1] + 1] if listed else ()
        later = self._world.random("day", *inside).randrange(20) if listed else 0
        return FIRST_DAY + dt.timedelta(days=start + later + offset + self._variation)

    def clock(self, hour: int) -> str:
        """Return a time of day in or just after an hour, to the minute."""
        return f"{hour:02}:{self.random('minute').randrange(0, 60, 5):02}"
