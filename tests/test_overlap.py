"""Fixtures that get in each other's way are found, as trying every request would find them, but quickly."""

from __future__ import annotations

import hashlib
import itertools
import random
import time
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from vlmrun_mock.chat_request import ChatRequest, Message
from vlmrun_mock.documents import Document
from vlmrun_mock.fixtures import Fixture, FixtureAnswer
from vlmrun_mock.match import Match, TextMatch
from vlmrun_mock.overlap import MOST_OTHERS, Kind, contradiction, overlaps

DIGEST = "sha256:" + "0" * 64
HELLO = [{"role": "user", "content": "Hello"}]


def fixture(name: str, match: Match, origin: int = 1) -> Fixture:
    return Fixture(name, match, (FixtureAnswer("x"),), origin)


def asking(*contains: str, equals: str | None = None, **further: Any) -> Match:
    """Return a match of a text."""
    return Match(text=TextMatch(contains, equals), **further)


def told(*matches: Match) -> list[tuple[str, str, Kind]]:
    """Return which of the fixtures a, b, c … another one gets in the way of, which one, and how."""
    fixtures = [fixture(name, match) for name, match in zip("abcdefgh", matches, strict=False)]
    return [(found.fixture.name, found.other.name, found.kind) for found in overlaps(fixtures)]


PAIRS: dict[str, tuple[Match, Match, Kind | None]] = {
    "all and all": (Match(), Match(), "same"),
    "the same in all parts": (
        asking("a", domain="d", documents=(DIGEST,), metadata={"k": {"v": 1}}),
        asking("a", domain="d", documents=(DIGEST,), metadata={"k": {"v": 1.0}}),
        "same",
    ),
    "the same needles in another order": (asking("a", "b"), asking("b", "a"), "same"),
    "another domain": (Match(domain="d"), Match(domain="e"), None),
    "a domain and none": (Match(domain="d"), Match(domain=""), None),
    "another document": (Match(documents=(DIGEST,)), Match(documents=("https://example.com",)), None),
    "no document and one": (Match(documents=()), Match(documents=(DIGEST,)), None),
    "another value of metadata": (Match(metadata={"k": 1}), Match(metadata={"k": True}), None),
    "another key of metadata": (Match(metadata={"k": 1}), Match(metadata={"l": 1}), "tie"),
    "different parts": (Match(domain="d"), Match(model="m"), "tie"),
    "a part in common": (Match(domain="d", model="m"), asking("a", domain="d"), "tie"),
    "a part in common that differs": (Match(domain="d", model="m"), asking("a", domain="e"), None),
    "unrelated needles": (asking("a"), asking("b"), "texts"),
    "unrelated needles, all else the same": (asking("a", domain="d"), asking("b", domain="d"), "texts"),
    "unrelated needles, and more than these": (asking("a", domain="d"), asking("b", model="m"), "tie"),
    "a needle in a needle, the longer one first": (asking("ab"), asking("a"), "tie"),
    "a needle in a needle, the shorter one first": (asking("a"), asking("ab"), "shadow"),
    "more needles, and first": (asking("a", "b"), asking("b"), "tie"),
    "a needle in a text": (asking(equals="ab"), asking("a"), "tie"),
    "a text with a needle": (asking("a"), asking(equals="ab"), "shadow"),
    "a needle in no text": (asking(equals="ab"), asking("c"), None),
    "another text": (asking(equals="a"), asking(equals="b"), None),
    "the empty needle": (asking(""), asking("a"), "shadow"),
    "a needle in messages": (Match(particulars={"messages": HELLO}), asking("Hell"), "tie"),
    "messages with a needle": (asking("Hell"), Match(particulars={"messages": HELLO}), "shadow"),
    "a needle in no message": (Match(particulars={"messages": HELLO}), asking("hell"), None),
    "a text that messages say": (asking(equals="Hello"), Match(particulars={"messages": HELLO}), "shadow"),
    "messages that say a text": (Match(particulars={"messages": HELLO}), asking(equals="Hello"), "tie"),
    "a needle across messages": (
        Match(particulars={"messages": [{"role": "system", "content": ["a", "b"]}, *HELLO]}),
        asking("a\nb\nHello"),
        "tie",
    ),
    "the same words from another role": (
        Match(particulars={"messages": HELLO}),
        Match(particulars={"messages": [{"role": "system", "content": "Hello"}]}),
        None,
    ),
    "a generation and its model": (Match(particulars={"generation": "vlm-1"}), Match(model="vlm-1"), "shadow"),
    "a model and its generation": (Match(model="vlm-1"), Match(particulars={"generation": "vlm-1"}), "tie"),
    "a model and another generation": (Match(model="vlm-1"), Match(particulars={"generation": "orion"}), None),
    "a schema and none": (Match(particulars={"schema": {}}), Match(particulars={"schema": {"type": "object"}}), None),
}


@pytest.mark.parametrize("what", PAIRS)
def test_a_pair_is_told_apart(what: str) -> None:
    first, second, kind = PAIRS[what]

    assert told(first, second) == ([("b", "a", kind)] if kind else [])


def test_more_constraints_win_and_are_no_tie() -> None:
    assert told(Match(domain="d"), Match(domain="d", model="m"), Match(domain="d", model="m", metadata={"k": 1})) == []


def test_an_earlier_folder_hides_what_it_matches_however_little_it_asks_for() -> None:
    fixtures = [
        fixture("z", Match(domain="d"), 1),
        fixture("a", Match(domain="d", model="m"), 2),
        fixture("b", Match(), 2),
    ]

    assert [(found.fixture.name, found.other.name, found.kind) for found in overlaps(fixtures)] == [
        ("a", "z", "shadow")
    ]


def test_the_same_match_in_two_folders_is_hidden_and_no_tie() -> None:
    fixtures = [fixture("a", Match(domain="d"), 1), fixture("a", Match(domain="d"), 2)]

    assert [(found.fixture.origin, found.kind) for found in overlaps(fixtures)] == [(2, "shadow")]


def test_fixtures_of_two_folders_do_not_tie() -> None:
    fixtures = [fixture("a", Match(domain="d"), 1), fixture("b", Match(model="m"), 2)]

    assert list(overlaps(fixtures)) == []


def test_a_tie_is_settled_by_a_third_that_says_more() -> None:
    tie = (Match(domain="d"), Match(model="m"))

    assert told(*tie) == [("b", "a", "tie")]
    assert told(*tie, Match(domain="d", model="m")) == []
    assert told(*tie, Match(domain="d", model="n")) == [("b", "a", "tie")]


def test_unrelated_needles_are_settled_by_one_with_both() -> None:
    named = {"both": asking("a", "b"), "one": asking("a"), "other": asking("b")}

    found = list(overlaps(fixture(name, match) for name, match in named.items()))

    assert [(each.fixture.name, each.other.name, each.others) for each in found] == [
        ("one", "both", 1),
        ("other", "both", 1),
    ]


def test_what_never_answers_ties_with_nothing() -> None:
    assert told(Match(domain="d"), Match(domain="d"), Match(model="m")) == [("b", "a", "same"), ("c", "a", "tie")]


def test_others_are_counted_up_to_a_bound() -> None:
    few = [fixture(f"{number:02}", asking(f"-{number:02}-")) for number in range(4)]
    many = [fixture(f"{number:02}", asking(f"-{number:02}-")) for number in range(40)]

    assert [found.others for found in overlaps(few)] == [1, 2, 3]
    assert [found.others for found in overlaps(many)][-1] == MOST_OTHERS


CONTRADICTIONS: list[tuple[Match, str | None]] = [
    (Match(), None),
    (asking("b", equals="abc"), None),
    (asking("x", equals="abc"), "text.contains is not in text.equals"),
    (Match(particulars={"messages": HELLO}, text=TextMatch(("ell", "x"))), "text.contains is not in the messages"),
    (Match(particulars={"messages": HELLO}, text=TextMatch((), "Hello")), None),
    (Match(particulars={"messages": HELLO}, text=TextMatch((), "x")), "text.equals is not what the messages say"),
    (Match(model="vlm-1", particulars={"generation": "vlm-1"}), None),
    (Match(model="vlm-1", particulars={"generation": "orion"}), "the generation of the model vlm-1 is vlm-1"),
]


@pytest.mark.parametrize(("match", "reason"), CONTRADICTIONS, ids=str)
def test_a_match_that_contradicts_itself_says_why_and_gets_in_nobodys_way(match: Match, reason: str | None) -> None:
    assert contradiction(match) == reason
    assert bool(told(match, match)) is (reason is None)


TEXTS = ("", "a", "b", "ab", "a b", "x", "c", "c a", "c b", "c ab", "c a b")
MODELS = ("vlm-1", "other", "vlm-agent-1", "vlm-agent-2")
REQUESTS = [
    ChatRequest(
        messages=(Message(role, (text,)),),
        documents=tuple(Document(identity, "image_url") for identity in documents),
        domain=domain,
        metadata=metadata,
        model=model,
    )
    for text, model, role, domain, documents, metadata in itertools.product(
        TEXTS, MODELS, ("user", "system"), (None, "d"), ((), (DIGEST,)), ({}, {"k": 1})
    )
]
"""Every request that can be made of a few values; what a text contains implies nothing else by chance."""


def drawn(draw: random.Random) -> Match:
    """Return a match of those values."""

    def sometimes(chance: float, *values: Any) -> Any:
        return draw.choice(values) if draw.random() < chance else None

    contains = tuple(draw.sample(["a", "b", "ab", "c", ""], draw.choice([1, 1, 2]))) if draw.random() < 0.4 else ()
    equals = sometimes(0.1, "a", "ab", "x")
    particulars = {
        "messages": sometimes(
            0.25, *([{"role": role, "content": text}] for role in ("user", "system") for text in TEXTS)
        ),
        "generation": sometimes(0.2, "vlm-1", "agents"),
    }
    return Match(
        domain=sometimes(0.5, "", "d"),
        documents=sometimes(0.3, (), (DIGEST,)),
        text=TextMatch(contains, equals) if contains or equals else None,
        model=sometimes(0.3, *MODELS),
        metadata=sometimes(0.2, {"k": 1}) or {},
        particulars={name: value for name, value in particulars.items() if value is not None},
    )


def tried(fixtures: Iterable[Fixture]) -> dict[str, tuple[str, int]]:
    """Return what gets in the way of fixtures, and how many others do, found by trying every request."""
    ranked = sorted(fixtures, key=lambda each: each.rank)
    matched = {
        each.name: frozenset(number for number, asked in enumerate(REQUESTS) if not each.match.difference(asked))
        for each in ranked
    }
    ranked = [each for each in ranked if matched[each.name]]
    found, seen = {}, list[Fixture]()
    for each in ranked:
        mine = matched[each.name]
        if any(mine <= matched[other.name] for other in ranked if other.rank < each.rank):
            found[each.name] = ("covered", 1)
            continue
        ties = {"tie": 0, "texts": 0}
        for other in seen:
            both = mine & matched[other.name]
            settled = any(both <= matched[third.name] for third in ranked if third.rank < other.rank)
            if both and not settled and other.rank[:2] == each.rank[:2]:
                is_of_texts = other.match.facts == each.match.facts and both not in (mine, matched[other.name])
                ties["texts" if is_of_texts else "tie"] += 1
        seen.append(each)
        kind = "tie" if ties["tie"] else "texts"
        if ties[kind]:
            found[each.name] = (kind, ties[kind])
    return found


@pytest.mark.parametrize("seed", range(20))
def test_it_is_as_if_every_request_had_been_tried(seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311 - repeatable is the point
    for _ in range(10):
        fixtures = [
            fixture(name, drawn(draw), draw.choice([1, 1, 1, 2])) for name in "abcdefg"[: draw.choice([2, 4, 7])]
        ]

        covered = {"same": "covered", "shadow": "covered"}
        found = {each.fixture.name: (covered.get(each.kind, each.kind), each.others) for each in overlaps(fixtures)}

        assert found == tried(fixtures)


def numbered(make: Callable[[int], Match]) -> list[Fixture]:
    return [fixture(f"{number:05}", make(number)) for number in range(10_000)]


def recorded(number: int) -> Match:
    """Return a match as recordings have it."""
    digest = hashlib.sha256(str(number).encode()).hexdigest()
    messages = [{"role": "user", "content": f"Extract the data from this document, please; case {number % 7}"}]
    further = {"generation": "vlm-1", "messages": messages, "schema": {}, "config": {}, "json_object": False}
    return Match(f"domain-{number % 60}", (f"sha256:{digest}",), particulars=further)


MANY: dict[str, tuple[Callable[[int], Match], int]] = {
    "recordings": (recorded, 0),
    "equal ones": (lambda _: Match(domain="d"), 9_999),
    "needles": (lambda number: asking(f"number {number:05}"), 9_999),
    "short needles": (lambda number: asking(str(number)), 9_999),
    "needles and texts": (
        lambda number: (
            asking(f"number {number:05}")
            if number % 2
            else Match(particulars={"messages": [{"role": "user", "content": f"Extract number {number + 1:05}"}]})
        ),
        5_000,
    ),
    "metadata of one key": (lambda number: Match(metadata={"case": number}), 0),
    "metadata of many keys": (lambda number: Match(metadata={f"case {number}": True}), 9_999),
    "different parts": (lambda number: Match(model=f"m{number}") if number % 2 else Match(f"d{number}"), 9_999),
}


@pytest.mark.parametrize("what", MANY)
def test_ten_thousand_fixtures_take_seconds_not_minutes(what: str) -> None:
    make, expected = MANY[what]
    fixtures = numbered(make)
    started = time.perf_counter()

    count = sum(1 for _ in overlaps(fixtures))

    assert count == expected
    assert time.perf_counter() - started < 20
