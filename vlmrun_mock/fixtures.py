"""Fixtures: what a request must be like, and what it is answered with."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import merge
from itertools import chain
from typing import Any, TypeAlias

from vlmrun_mock.chat_request import ChatRequest
from vlmrun_mock.documents import Document

EXCERPT = 200
"""How many characters of a request's text a difference shows."""

GRAM = 4
"""How many characters long the pieces are by which a needle is looked up in a text."""

SCANNED = 32
"""Up to how many fixtures of one shelf are tried one by one: cheaper than cutting the text into pieces."""

Facts: TypeAlias = dict[str, Hashable]
"""What can be compared for equality, by the part of a request that it belongs to."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One reason why a fixture does not match a request: which part, wanted what, got what, and a sentence."""

    part: str
    expected: Any
    actual: Any
    message: str

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
        shown = _excerpt(text)
        found = [
            Difference("text", {"contains": needle}, shown, f"the text does not contain {_quoted(needle)}")
            for needle in self.contains
            if needle not in text
        ]
        if self.equals is not None and self.equals != text:
            message = f"the text is not {_quoted(self.equals)}"
            found.append(Difference("text", {"equals": self.equals}, shown, message))
        return found


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

    def difference(self, request: ChatRequest) -> list[Difference]:
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
        found.append(Difference("documents", len(wanted), len(documents), message))
    for index, (identity, document) in enumerate(zip(wanted, documents, strict=False)):
        if identity != document.identity:
            got = _excerpt(document.identity)
            message = f"document {index + 1} is another: {got} instead of {identity}"
            found.append(Difference(f"documents[{index}]", identity, got, message))
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
    packaged; smaller wins.
    """

    name: str
    match: Match
    answers: tuple[FixtureAnswer, ...]
    origin: int = 0
    description: str | None = None

    @property
    def rank(self) -> tuple[int, int, str]:
        """Return the key that puts fixtures in order of precedence."""
        return (self.origin, -self.match.constraints, self.name)


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


class FixtureSet:
    """Fixtures in order of precedence, found by index.

    Fixtures that are equal in their facts share a shelf. A request has one shelf for each combination of parts that
    any fixture looks at, and there are few such combinations, however many fixtures there are.
    """

    def __init__(self, fixtures: Iterable[Fixture] = ()) -> None:
        self._fixtures = sorted(fixtures, key=lambda fixture: fixture.rank)
        self._by_domain: dict[str | None, list[Fixture]] = defaultdict(list)
        shelves: dict[tuple[str, ...], dict[tuple[Hashable, ...], list[Fixture]]] = defaultdict(dict)
        for fixture in self._fixtures:
            facts = fixture.match.facts
            self._by_domain[fixture.match.domain].append(fixture)
            shelves[tuple(facts)].setdefault(tuple(facts.values()), []).append(fixture)
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
        return [domain for domain in self._by_domain if domain]

    def find(self, request: ChatRequest) -> Fixture | None:
        """Return the first fixture that matches, by precedence."""
        facts = _facts(request)
        shelves = (of_parts.get(tuple(map(facts.get, parts))) for parts, of_parts in self._shelves.items())
        found = (shelf.first(request) for shelf in shelves if shelf)
        return min((fixture for fixture in found if fixture), key=lambda fixture: fixture.rank, default=None)

    def miss(self, request: ChatRequest) -> Miss:
        """Return the nearest fixture: one for the same domain, with the fewest differences, by precedence."""
        nearest, differences = None, list[Difference]()
        for fixture in self._nearby(request.domain):
            found = fixture.match.difference(request)
            if nearest is None or len(found) < len(differences):
                nearest, differences = fixture, found
            if len(differences) == 1:  # none is nearer: without a difference it would be no miss
                break
        return Miss(len(self), nearest, tuple(differences))

    def _nearby(self, domain: str | None) -> Iterable[Fixture]:
        """Return the fixtures for a domain and for any, in order of precedence, or all if there are none."""
        groups = [self._by_domain[name] for name in {domain, None} if name in self._by_domain]
        return merge(*groups, key=lambda fixture: fixture.rank) if groups else self._fixtures


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
