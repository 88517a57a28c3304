"""Fixtures: what a request must be like, and what it is answered with."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from heapq import merge
from itertools import chain, islice
from typing import Any, TypeAlias

from vlmrun_mock.chat_request import ChatRequest
from vlmrun_mock.difference import ANOTHER_DOCUMENT, IN_ANOTHER_CASE, ORDINARY, Difference
from vlmrun_mock.match import Match, RequestFacts

GRAM = 4
"""How many characters long the pieces are by which a needle is looked up in a text."""

SCANNED = 32
"""Up to how many fixtures of one shelf are tried one by one: cheaper than cutting the text into pieces."""

LOOKED_AT = 500
"""Up to how many fixtures of one group are compared for the nearest: a miss must not hold up a server of thousands."""


USER_ORIGIN = 1
"""The origin of the first folder's fixtures; the next folder's is one more. 0 is for those registered at run time."""

PACKAGED_ORIGIN = 1_000_000


@dataclass(frozen=True, slots=True)
class ErrorAnswer:
    """An answer that is an error: its status, message and further headers.

    `body` is what is sent, as text, where that is not to be the API's own way of saying the message.
    """

    status: int
    message: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None


@dataclass(frozen=True, slots=True)
class FixtureAnswer:
    """What a fixture answers: `content` (JSON, or a string that goes out verbatim) or `error`.

    `merged` content is the domain's packaged answer with a patch, and follows a caller's schema as that one does.
    `usage` overrides counted figures; `latency` is in seconds.

    Of what was recorded, `status` and `completion`, all of the body but its content, are sent instead of the mock's
    own, and `took` is how long the upstream took, in seconds.
    """

    content: Any = None
    merged: bool = False
    error: ErrorAnswer | None = None
    usage: Mapping[str, int] = field(default_factory=dict)
    latency: float = 0.0
    status: int | None = None
    completion: Mapping[str, Any] | None = None
    took: float = 0.0


@dataclass(frozen=True, slots=True)
class Fixture:
    """A name, what it matches, and its answers: one, or several that are used one after the other.

    `origin` orders fixtures before all else: registered at run time, then the user's folders in their order, then
    packaged; smaller wins. `number` counts those registered at run time, of which the latest wins.
    """

    name: str
    match: Match
    answers: tuple[FixtureAnswer, ...]
    origin: int = 0
    number: int = 0
    description: str | None = None

    @property
    def is_recording(self) -> bool:
        """Return whether it was recorded: it matches one request alone, and has one answer, with all that was said."""
        first, *others = self.answers
        is_whole_answer = first.completion is not None or (first.error is not None and first.error.body is not None)
        return self.match.is_whole and is_whole_answer and not others

    @property
    def rank(self) -> tuple[int, int, int, str]:
        """Return the key that puts fixtures in order of precedence."""
        return (self.origin, -self.match.constraints, -self.number, self.name)


@dataclass(frozen=True, slots=True)
class Miss:
    """Why no fixture matched: the nearest one, if there is any, and all its differences."""

    fixtures: int
    nearest: Fixture | None
    differences: tuple[Difference, ...]

    @property
    def message(self) -> str:
        """Return the miss in words."""
        if self.nearest is None:
            return "No fixture matches: none is loaded."
        reasons = [difference.message for difference in self.differences]
        reasons += filter(None, [self.nearest.match.agreement(self.differences)])
        return f"No fixture matches. The nearest of {self.fixtures} is {self.nearest.name}: {'; '.join(reasons)}."

    def as_json(self) -> dict[str, Any]:
        """Return the miss as data."""
        return {
            "fixtures": self.fixtures,
            "nearest": self.nearest.name if self.nearest else None,
            "differences": [difference.as_json() for difference in self.differences],
        }


NONE_NAMED, SOME_NAMED = "none named", "some named"

Distance: TypeAlias = tuple[bool, bool, int]
"""How far a fixture is from a request: whether it is not for the same documents, not for the domain, and the weight."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A fixture that a request misses, and by what."""

    fixture: Fixture
    differences: tuple[Difference, ...]

    @property
    def distance(self) -> Distance:
        """Return how near it is; the same documents are the nearest, as hardly anyone sends them by chance."""
        parts = {difference.part for difference in self.differences}
        other_documents = not self.fixture.match.documents or any(part.startswith("documents") for part in parts)
        return (other_documents, "domain" in parts, sum(difference.weight for difference in self.differences))

    @property
    def rank(self) -> tuple[Distance, tuple[int, int, int, str]]:
        """Return the key that puts neighbours in order: the nearest first, and equals by precedence."""
        return (self.distance, self.fixture.rank)


def miss(sets: Iterable[FixtureSet], request: ChatRequest) -> Miss:
    """Return why no fixture of several sets matches."""
    sets = list(sets)
    neighbours = [found for each in sets if (found := each.nearest(request))]
    count = sum(map(len, sets))
    if not neighbours:
        return Miss(count, None, ())
    nearest = min(neighbours, key=lambda neighbour: neighbour.rank)
    return Miss(count, nearest.fixture, nearest.differences)


class FixtureSet:
    """Fixtures in order of precedence, found by index.

    Fixtures that are equal in their facts share a shelf. A request has one shelf for each combination of parts that
    any fixture looks at, and there are few such combinations, however many fixtures there are.
    """

    def __init__(self, fixtures: Iterable[Fixture] = ()) -> None:
        self._fixtures = sorted(fixtures, key=lambda fixture: fixture.rank)
        shelves: dict[tuple[str, ...], dict[tuple[Hashable, ...], list[Fixture]]] = defaultdict(dict)
        for fixture in self._fixtures:
            facts = fixture.match.facts
            shelves[tuple(facts)].setdefault(tuple(facts.values()), []).append(fixture)
        self._domains = dict.fromkeys(fixture.match.domain for fixture in self._fixtures if fixture.match.domain)
        self._shelves = {
            parts: {values: _Shelf(shelf) for values, shelf in of_parts.items()} for parts, of_parts in shelves.items()
        }

    def __len__(self) -> int:
        return len(self._fixtures)

    def __iter__(self) -> Iterator[Fixture]:
        return iter(self._fixtures)

    @property
    def domains(self) -> list[str]:
        """Return the domains that fixtures name."""
        return list(self._domains)

    def find(self, request: ChatRequest) -> Fixture | None:
        """Return the first fixture that matches, by precedence."""
        facts = RequestFacts(request)
        shelves = (of_parts.get(tuple(map(facts.get, parts))) for parts, of_parts in self._shelves.items())
        found = (shelf.first(request) for shelf in shelves if shelf)
        return min((fixture for fixture in found if fixture), key=lambda fixture: fixture.rank, default=None)

    def nearest(self, request: ChatRequest) -> Neighbour | None:
        """Return the nearest fixture to a request that none matches: by documents, domain, differences, precedence."""
        return self._neighbourhood.nearest(request)

    def miss(self, request: ChatRequest) -> Miss:
        """Return why no fixture matches."""
        return miss([self], request)

    @cached_property
    def _neighbourhood(self) -> _Neighbourhood:
        return _Neighbourhood(self._fixtures)


class _Neighbourhood:
    """Fixtures by the documents and the domain that they are for, to find the nearest to a request.

    The first key is the documents, or whether any are named; the groups are in order of precedence.
    """

    def __init__(self, fixtures: Iterable[Fixture]) -> None:
        self._anywhere: dict[Hashable, list[Fixture]] = defaultdict(list)
        self._in_domain: dict[tuple[Hashable, str | None], list[Fixture]] = defaultdict(list)
        for fixture in fixtures:
            documents, domain = fixture.match.documents, fixture.match.domain
            for key in (SOME_NAMED, documents) if documents else (NONE_NAMED,):
                self._anywhere[key].append(fixture)
                self._in_domain[key, domain].append(fixture)

    def nearest(self, request: ChatRequest) -> Neighbour | None:
        """Return the nearest fixture; of equally near ones the first by precedence."""
        best: Neighbour | None = None
        for least, group in self._groups(request):
            if best and best.distance < least:
                break
            found = _nearest(group, request, least)
            best = min(filter(None, (best, found)), key=lambda neighbour: neighbour.rank, default=None)
        return best

    def _groups(self, request: ChatRequest) -> Iterator[tuple[Distance, Iterable[Fixture]]]:
        """Yield groups of fixtures, the nearest first, each with the least distance that one of it can have."""
        same = tuple(document.identity for document in request.documents)
        if same:
            yield (False, False, IN_ANOTHER_CASE), self._for_domain(same, request)
            yield (False, True, ORDINARY), self._anywhere.get(same, ())
        yield (True, False, IN_ANOTHER_CASE), self._for_domain(NONE_NAMED, request)
        yield (True, False, ANOTHER_DOCUMENT), self._for_domain(SOME_NAMED, request)
        yield (True, True, ORDINARY), self._anywhere.get(NONE_NAMED, ())
        yield (True, True, ORDINARY + ANOTHER_DOCUMENT), self._anywhere.get(SOME_NAMED, ())

    def _for_domain(self, documents: Hashable, request: ChatRequest) -> Iterable[Fixture]:
        """Return the fixtures for the domain of a request and for any."""
        groups = (self._in_domain.get((documents, domain), ()) for domain in {request.domain or "", None})
        return merge(*groups, key=lambda fixture: fixture.rank)


def _nearest(group: Iterable[Fixture], request: ChatRequest, least: Distance) -> Neighbour | None:
    """Return the nearest fixture of a group; where one is about as near as can be, few more are looked at."""
    best: Neighbour | None = None
    neighbours = (Neighbour(fixture, tuple(fixture.match.difference(request))) for fixture in islice(group, LOOKED_AT))
    enough = max(least, (*least[:2], ORDINARY))
    for neighbour in neighbours:
        best = min(filter(None, (best, neighbour)), key=lambda each: each.distance)
        if best.distance <= enough:
            break
    return min(filter(None, (best, *islice(neighbours, SCANNED))), key=lambda each: each.distance, default=None)


class _Shelf:
    """Fixtures that differ only in what the text contains, in order of precedence.

    A long shelf is indexed: each fixture by the rarest piece of its needles, which any text that contains the needles
    contains too, or by None if they are too short to have one.
    """

    def __init__(self, fixtures: Sequence[Fixture]) -> None:
        self._fixtures = fixtures
        self._positions: dict[str | None, list[int]] = defaultdict(list)
        if len(fixtures) > SCANNED:
            pieces = [set(chain.from_iterable(map(_pieces, _needles(fixture)))) for fixture in fixtures]
            frequency = Counter(chain.from_iterable(pieces))
            for position, own in enumerate(pieces):
                rarest = min(own, key=lambda piece: (frequency[piece], piece), default=None)
                self._positions[rarest].append(position)

    def first(self, request: ChatRequest) -> Fixture | None:
        """Return the first fixture that matches a request."""
        for fixture in self._candidates(request.text):
            if not fixture.match.difference(request):
                return fixture
        return None

    def _candidates(self, text: str) -> Iterable[Fixture]:
        if not self._positions:
            return self._fixtures
        met = self._positions.keys() & {None, *_pieces(text)}
        return (self._fixtures[position] for position in merge(*(self._positions[piece] for piece in met)))


def _needles(fixture: Fixture) -> Sequence[str]:
    return fixture.match.text.contains if fixture.match.text else ()


def _pieces(text: str) -> set[str]:
    return {text[start : start + GRAM] for start in range(len(text) - GRAM + 1)}
