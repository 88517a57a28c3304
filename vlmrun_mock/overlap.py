"""Fixtures that get in each other's way: two between which only the name decides, and those that never answer."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from heapq import merge
from itertools import chain, groupby, islice, takewhile
from operator import attrgetter
from typing import Literal, TypeAlias

from vlmrun_mock.chat_request import ChatRequest, Message
from vlmrun_mock.fixtures import Fixture
from vlmrun_mock.match import Facts, Match

GRAM = 4
"""How many characters long the pieces are by which a needle is looked up in texts."""

SCANNED = 32
"""Up to how many fixtures are tried one by one: cheaper than cutting texts into pieces."""

MOST_OTHERS = 10
"""Up to how many others are counted with which one fixture ties."""

Kind: TypeAlias = Literal["shadow", "same", "tie", "texts"]
Rank: TypeAlias = tuple[int, int, int, str]
Parts: TypeAlias = frozenset[str]


@dataclass(frozen=True, slots=True)
class Overlap:
    """A fixture, and another one that has precedence over it for some of its requests, or for all.

    `shadow`: for all, so that the fixture never answers. The others are of one folder and look at equally many parts
    of a request, so that only the name decides: `same`: both match the same requests; `texts`: they differ in what the
    text contains, and a request whose text contains both is matched by both; `tie`: another request that both match.
    `others`: how many there are, up to MOST_OTHERS.
    """

    fixture: Fixture
    other: Fixture
    kind: Kind
    others: int = 1


def contradiction(match: Match) -> str | None:
    """Return why no request can match, or None; nothing is looked at but that which follows from another part."""
    text, generation = _said(match), _follows(match)
    equals = match.text.equals if match.text else None
    if equals is not None and text != equals:
        return "text.equals is not what the messages say"
    if match.text and text is not None and any(needle not in text for needle in match.text.contains):
        return f"text.contains is not in {'the messages' if equals is None else 'text.equals'}"
    if generation is not None and match.particulars.get("generation", generation) != generation:
        return f"the generation of the model {match.model} is {generation}"
    return None


def overlaps(fixtures: Iterable[Fixture]) -> Iterator[Overlap]:
    """Yield the fixtures that another one gets in the way of, each once, with the first such one."""
    numbers: dict[tuple[str, Hashable], int] = {}
    reaches = [_reach(fixture, numbers) for fixture in fixtures if not contradiction(fixture.match)]
    reaches.sort(key=attrgetter("rank"))
    catalog = _Catalog(reaches)
    seen = []
    for reach in reaches:
        cover = catalog.cover(reach.facts, reach.texts, reach.rank)
        if cover is None:
            seen.append(reach)
        else:
            yield Overlap(reach.fixture, cover.fixture, "same" if cover.is_as(reach) else "shadow")
    for _, level in groupby(seen, key=lambda reach: reach.rank[:2]):
        yield from _Level(list(level), catalog).ties()


def _said(match: Match) -> str | None:
    """Return the text that a request has if it matches; None if it may be another one."""
    messages = match.particulars.get("messages")
    if messages is None:
        return match.text.equals if match.text else None
    return ChatRequest(tuple(Message(each["role"], _texts(each["content"])) for each in messages)).text


def _texts(content: str | list[str]) -> tuple[str, ...]:
    return (content,) if isinstance(content, str) else tuple(content)


def _follows(match: Match) -> str | None:
    """Return the generation that follows from the model."""
    return None if match.model is None else ChatRequest(model=match.model).generation


@dataclass(frozen=True, slots=True, eq=False)
class _Reach:
    """What a fixture matches: its `own` facts and those that follow, as numbers; and the text, or the needles in it."""

    fixture: Fixture
    rank: Rank
    own: Parts
    facts: Mapping[str, int]
    text: str | None
    needles: tuple[str, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        """Return what any text that matches contains."""
        return self.needles if self.text is None else (self.text,)

    @property
    def parts(self) -> Parts:
        """Return the parts of a request that are known."""
        return frozenset(self.facts)

    def is_implied(self, texts: Sequence[str]) -> bool:
        """Return whether its needles are in any text that contains these."""
        return all(any(needle in text for text in texts) for needle in self.needles)

    def is_as(self, other: _Reach) -> bool:
        """Return whether it, covering the other, matches nothing else, and is of the same folder."""
        is_beside = self.rank[:2] == other.rank[:2]
        return is_beside and self.facts == other.facts and other.is_implied(self.texts)


def _reach(fixture: Fixture, numbers: dict[tuple[str, Hashable], int]) -> _Reach:
    """Return what a fixture matches; equal values of a part get the same number."""
    match = fixture.match
    facts: Facts = match.facts
    text, generation = _said(match), _follows(match)
    further = {"text": text, "generation": generation}
    known = facts | {part: value for part, value in further.items() if value is not None}
    needles = tuple(filter(None, match.text.contains)) if match.text and text is None else ()
    numbered = {part: numbers.setdefault((part, value), len(numbers)) for part, value in known.items()}
    return _Reach(fixture, fixture.rank, frozenset(facts), numbered, text, needles)


class _Catalog:
    """All fixtures, found by the facts that they ask for."""

    def __init__(self, reaches: Iterable[_Reach]) -> None:
        found: dict[Parts, dict[tuple[int, ...], list[_Reach]]] = defaultdict(lambda: defaultdict(list))
        for reach in reaches:
            found[reach.own][_values(reach.facts, reach.own)].append(reach)
        self._shelves = {
            parts: {values: _Shelf(shelf) for values, shelf in of_parts.items()} for parts, of_parts in found.items()
        }
        frequency = Counter(part for parts in found for part in parts)
        self._by_rarest: dict[str | None, list[Parts]] = defaultdict(list)
        for parts in found:
            self._by_rarest[min(parts, key=lambda part: (frequency[part], part), default=None)].append(parts)

    def cover(self, facts: Mapping[str, int], texts: Sequence[str], before: Rank) -> _Reach | None:
        """Return the first fixture that matches all requests with some facts and texts, of those before a rank."""
        best: _Reach | None = None
        for parts in chain.from_iterable(self._by_rarest.get(part, ()) for part in (None, *facts)):
            shelf = self._shelves[parts].get(_values(facts, parts)) if parts <= facts.keys() else None
            found = next(shelf.implied(texts), None) if shelf else None
            if found and found.rank < (best.rank if best else before):
                best = found
        return best


def _values(facts: Mapping[str, int], parts: Parts) -> tuple[int, ...]:
    return tuple(facts[part] for part in sorted(parts))


class _Shelf:
    """Fixtures in order, found by texts that imply their needles; a long shelf is indexed by rare pieces of these."""

    def __init__(self, reaches: Sequence[_Reach] = ()) -> None:
        self._reaches = reaches

    def before(self, rank: Rank) -> Iterator[_Reach]:
        """Yield the fixtures before a rank, in order."""
        return takewhile(lambda reach: reach.rank < rank, self._reaches)

    def implied(self, texts: Sequence[str]) -> Iterator[_Reach]:
        """Yield the fixtures whose needles are in any text that contains these, in order."""
        candidates: Iterable[_Reach] = self._reaches
        if len(self._reaches) > SCANNED:
            lengths, indexed = self._index
            met = {text[at : at + length] for text in texts for length in lengths for at in range(len(text))}
            positions = merge(*(indexed[piece] for piece in (None, *met) if piece in indexed))
            candidates = (self._reaches[position] for position in positions)
        return (reach for reach in candidates if reach.is_implied(texts))

    @cached_property
    def _index(self) -> tuple[set[int], Mapping[str | None, list[int]]]:
        """Return how long the pieces are, and the fixtures by their rarest piece; by None if they have no needle."""
        pieces = [{piece for needle in reach.needles for piece in _pieces(needle)} for reach in self._reaches]
        frequency = Counter(piece for own in pieces for piece in own)
        indexed: dict[str | None, list[int]] = defaultdict(list)
        for position, own in enumerate(pieces):
            indexed[min(own, key=lambda piece: (frequency[piece], piece), default=None)].append(position)
        return {len(piece) for piece in indexed if piece}, indexed


def _pieces(needle: str) -> set[str]:
    """Return the pieces of a needle; a short one is its only piece."""
    return {needle[at : at + GRAM] for at in range(max(1, len(needle) - GRAM + 1))}


class _Level:
    """Fixtures of one folder that look at equally many parts of a request, in order, none of which is covered."""

    def __init__(self, reaches: Sequence[_Reach], catalog: _Catalog) -> None:
        self._reaches = reaches
        self._catalog = catalog
        self._kinds: dict[Parts, list[_Reach]] = defaultdict(list)
        for reach in reaches:
            self._kinds[reach.parts].append(reach)
        self._indexes: dict[tuple[Parts, Parts, bool], dict[tuple[int, ...], _Shelf]] = {}
        self._by_text: dict[str, list[_Reach]] = defaultdict(list)

    def ties(self) -> Iterator[Overlap]:
        """Yield the fixtures that tie with an earlier one."""
        for reach in self._reaches:
            self._note_ties_by_text(reach)
        for reach in self._reaches:
            overlap = self._overlap(reach, self._certain(reach), "tie")
            overlap = overlap or self._overlap(reach, self._unrelated(reach), "texts")
            if overlap:
                yield overlap

    def _overlap(self, reach: _Reach, others: Iterator[_Reach], kind: Kind) -> Overlap | None:
        found = list(islice((other for other in others if not self._is_settled(reach, other)), MOST_OTHERS))
        return Overlap(reach.fixture, found[0].fixture, kind, len(found)) if found else None

    def _is_settled(self, one: _Reach, other: _Reach) -> bool:
        """Return whether a third fixture answers whatever both match."""
        known = [text for text in (one.text, other.text) if text is not None]
        texts = known[:1] or (*one.needles, *other.needles)
        return self._catalog.cover({**one.facts, **other.facts}, texts, min(one.rank, other.rank)) is not None

    def _certain(self, reach: _Reach) -> Iterator[_Reach]:
        """Yield the earlier fixtures that tie with one, unless they only differ in what the text contains."""
        yield from self._by_text[reach.fixture.name]
        for parts in self._kinds:
            if not (reach.needles and "text" in parts):
                yield from self._beside(reach, parts, with_needles=False).before(reach.rank)
            if reach.text is None and not (reach.needles and parts == reach.parts):
                yield from self._beside(reach, parts, with_needles=True).before(reach.rank)

    def _unrelated(self, reach: _Reach) -> Iterator[_Reach]:
        """Yield the earlier fixtures that only differ from one in what the text contains."""
        shelf = self._beside(reach, reach.parts, with_needles=True) if reach.needles else _Shelf()
        return shelf.before(reach.rank)

    def _note_ties_by_text(self, reach: _Reach) -> None:
        """Note where the text of a fixture, or what its text contains, implies what that of another one contains."""
        for parts in self._kinds if reach.text is not None else [reach.parts] if reach.needles else ():
            for other in self._beside(reach, parts, with_needles=True).implied(reach.texts):
                if other is not reach:
                    earlier, later = sorted((reach, other), key=attrgetter("rank"))
                    self._by_text[later.fixture.name].append(earlier)

    def _beside(self, reach: _Reach, parts: Parts, *, with_needles: bool) -> _Shelf:
        """Return the fixtures that know some parts, and of those agree with one in all that it knows, too."""
        common = reach.parts & parts
        key = (parts, common, with_needles)
        if key not in self._indexes:
            found: dict[tuple[int, ...], list[_Reach]] = defaultdict(list)
            for each in self._kinds[parts]:
                if bool(each.needles) == with_needles:
                    found[_values(each.facts, common)].append(each)
            self._indexes[key] = {values: _Shelf(shelf) for values, shelf in found.items()}
        return self._indexes[key].get(_values(reach.facts, common)) or _Shelf()
