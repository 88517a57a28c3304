"""Fixtures: what a request must be like, and what it is answered with."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from heapq import merge
from itertools import chain, islice
from typing import Any, Protocol, TypeAlias

from vlmrun_mock.chat_request import ChatRequest
from vlmrun_mock.documents import Document

EXCERPT = 200
"""How many characters of a request's text a difference shows."""

GRAM = 4
"""How many characters long the pieces are by which a needle is looked up in a text."""

SCANNED = 32
"""Up to how many fixtures of one shelf are tried one by one: cheaper than cutting the text into pieces."""

LOOKED_AT = 500
"""Up to how many fixtures of one group are compared for the nearest: a miss must not hold up a server of thousands."""

IN_ANOTHER_CASE, ORDINARY, ANOTHER_DOCUMENT = 1, 2, 3
"""What differences weigh: a wrong document more than a wrong text, and less than two; a text in another case least."""

Facts: TypeAlias = dict[str, Hashable]
"""What can be compared for equality, by the part of a request that it belongs to."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One reason why a fixture does not match a request: which part, wanted what, got what, and a sentence.

    `weight` says how far it keeps them apart.
    """

    part: str
    expected: Any
    actual: Any
    message: str
    weight: int = ORDINARY

    def as_json(self) -> dict[str, Any]:
        """Return the difference as data, for an error's body."""
        return {"part": self.part, "expected": self.expected, "actual": self.actual, "message": self.message}


@dataclass(frozen=True, slots=True)
class TextMatch:
    """What the texts of a request, joined by line breaks, must contain or be equal to."""

    contains: tuple[str, ...] = ()
    equals: str | None = None

    def difference(self, text: str) -> list[Difference]:
        """Return what is wrong with a text; nothing if it matches."""
        found = [self._lacking(needle, text) for needle in self.contains if needle not in text]
        if self.equals is not None and self.equals != text:
            found.append(self._unequal(self.equals, text))
        return found

    def _lacking(self, needle: str, text: str) -> Difference:
        wanted, shown = {"contains": needle}, _excerpt(text)
        if needle.casefold() in _without_case(text):
            message = f"the text contains {_quoted(needle)} only in another case"
            return Difference("text", wanted, shown, message, IN_ANOTHER_CASE)
        return Difference("text", wanted, shown, f"the text does not contain {_quoted(needle)}")

    def _unequal(self, equals: str, text: str) -> Difference:
        wanted, shown = {"equals": equals}, _excerpt(text)
        if equals.casefold() == _without_case(text):
            message = f"the text is {_quoted(equals)} in another case"
            return Difference("text", wanted, shown, message, IN_ANOTHER_CASE)
        return Difference("text", wanted, shown, f"the text is not {_quoted(equals)}")


class Matchable(Protocol):
    """What a match looks at: a request, or what the journal keeps of one."""

    @property
    def domain(self) -> str | None:
        """Return the domain, in its present spelling."""

    @property
    def documents(self) -> Sequence[Document]:
        """Return the documents."""

    @property
    def text(self) -> str:
        """Return the texts of all messages."""

    @property
    def model(self) -> str | None:
        """Return the model; None if it is not known."""

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Return the metadata."""


@dataclass(frozen=True, slots=True)
class Match:
    """Which requests a fixture answers; what is None or empty matches everything.

    `documents` are identities, in order, and all of them: a request with one more does not match.
    """

    domain: str | None = None
    documents: tuple[str, ...] | None = None
    text: TextMatch | None = None
    model: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def constraints(self) -> int:
        """Return how many parts of a request are looked at; of two fixtures the one with more wins."""
        wanted = (self.domain, self.documents, self.text, self.model)
        return sum(part is not None for part in wanted) + len(self.metadata)

    def difference(self, request: Matchable) -> list[Difference]:
        """Return every reason why this does not match; a match is no difference."""
        found: list[Difference] = []
        if self.domain is not None and self.domain != request.domain:
            got = _excerpt(request.domain)
            message = f"the domain is {got or 'none'}, not {self.domain}"
            found.append(Difference("domain", self.domain, got, message))
        if self.documents is not None:
            found += _document_differences(self.documents, request.documents)
        if self.text is not None:
            found += self.text.difference(request.text)
        if self.model is not None and self.model != request.model:
            got = _excerpt(request.model)
            found.append(Difference("model", self.model, got, f"the model is {got}, not {self.model}"))
        for name, wanted in self.metadata.items():
            actual = request.metadata.get(name)
            if _frozen(actual) != _frozen(wanted):
                actual = _excerpt(actual)
                message = f"metadata.{name} is {_quoted(actual)}, not {_quoted(wanted)}"
                found.append(Difference(f"metadata.{name}", wanted, actual, message))
        return found

    @property
    def facts(self) -> Facts:
        """Return what a request must be equal in; what its text must contain is all that is left to look at."""
        equals = self.text.equals if self.text else None
        facts: Facts = {"domain": self.domain, "documents": self.documents, "text": equals, "model": self.model}
        given = {part: value for part, value in facts.items() if value is not None}
        return given | _metadata_facts(dict(sorted(self.metadata.items())))


def _facts(request: ChatRequest) -> Facts:
    identities = tuple(document.identity for document in request.documents)
    facts: Facts = {"domain": request.domain, "documents": identities, "text": request.text, "model": request.model}
    return facts | _metadata_facts(request.metadata)


def _metadata_facts(metadata: Mapping[str, Any]) -> Facts:
    return {f"metadata.{name}": _frozen(value) for name, value in metadata.items()}


def _frozen(value: Any) -> Hashable:
    """Return a JSON value that can be hashed and compared as JSON: `true` is not 1, `1.0` is 1."""
    if isinstance(value, dict):
        return frozenset((key, _frozen(child)) for key, child in value.items())
    if isinstance(value, list):
        return tuple(map(_frozen, value))
    return (bool, value) if isinstance(value, bool) else value


@lru_cache(maxsize=1)
def _without_case(text: str) -> str:
    """Return a text to be compared in any case, kept while one request is compared with many fixtures."""
    return text.casefold()


def _quoted(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _excerpt(value: Any) -> Any:
    """Return what a client sent fit for an answer: as it is, or where that is long or no JSON, how it begins."""
    text = value if isinstance(value, str) else _quoted(value)
    # 1e999 is JSON on its way in, and infinity, which is none, from then on.
    return value if len(text) <= EXCERPT and (text is value or "Infinity" not in text) else text[:EXCERPT] + "…"


def _document_differences(wanted: Sequence[str], documents: Sequence[Document]) -> list[Difference]:
    found = []
    if len(wanted) != len(documents):
        message = f"the request has {_count(len(documents))}, not {len(wanted)}"
        found.append(Difference("documents", len(wanted), len(documents), message, ANOTHER_DOCUMENT))
    for index, (identity, document) in enumerate(zip(wanted, documents, strict=False)):
        if identity != document.identity:
            got = _excerpt(document.identity)
            message = f"document {index + 1} is another: {got} instead of {identity}"
            found.append(Difference(f"documents[{index}]", identity, got, message, ANOTHER_DOCUMENT))
    return found


def _count(documents: int) -> str:
    return f"{documents or 'no'} document{'' if documents == 1 else 's'}"


@dataclass(frozen=True, slots=True)
class ErrorAnswer:
    """An answer that is an error: its status (400 to 599), message and further headers."""

    status: int
    message: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FixtureAnswer:
    """What a fixture answers: `content` (JSON, or a string that goes out verbatim) or `error`.

    `merged` content is the domain's packaged answer with a patch, and follows a caller's schema as that one does.
    `usage` overrides counted figures; `latency` is in seconds.
    """

    content: Any = None
    merged: bool = False
    error: ErrorAnswer | None = None
    usage: Mapping[str, int] = field(default_factory=dict)
    latency: float = 0.0


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
        reasons = "; ".join(difference.message for difference in self.differences)
        return f"No fixture matches. The nearest of {self.fixtures} is {self.nearest.name}: {reasons}."

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
        facts = _facts(request)
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
        groups = (self._in_domain.get((documents, domain), ()) for domain in {request.domain, None})
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
