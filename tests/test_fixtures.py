"""A fixture matches, is found, or is explained by its differences; the index changes nothing but the time it takes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from itertools import combinations
from random import Random
from typing import Any

import pytest

from tests.serving import data_url
from vlmrun_mock import chat_parser
from vlmrun_mock.chat_request import ChatRequest
from vlmrun_mock.documents import identity
from vlmrun_mock.fixtures import SCANNED, Fixture, FixtureAnswer, FixtureSet, Neighbour, miss
from vlmrun_mock.match import Match, TextMatch
from vlmrun_mock.seed import Seed

MANY = 10_000


def fixture(name: str, match: Match | None = None, origin: int = 1) -> Fixture:
    return Fixture(name, match or Match(), (FixtureAnswer("answer"),), origin)


def request(
    text: str = "Extract", pictures: Sequence[bytes] = (), metadata: dict[str, Any] | None = None, **body: Any
) -> ChatRequest:
    parts: list[Any] = [{"type": "text", "text": text}]
    parts += [{"type": "image_url", "image_url": {"url": data_url(picture)}} for picture in pictures]
    vlmrun = {"domain": body.pop("domain", "document.invoice"), "metadata": metadata or {}}
    return chat_parser.parse(
        json.dumps({"messages": [{"role": "user", "content": parts}], "vlmrun": vlmrun, **body}).encode()
    )


def parts(match: Match, asked: ChatRequest) -> list[str]:
    return [difference.part for difference in match.difference(asked)]


MATCHING: dict[str, Any] = {
    "domain": "document.invoice",
    "documents": (identity(b"one"), identity(b"two")),
    "text": TextMatch(("all", "Extract"), "Extract it all"),
    "model": "vlm-1",
    "metadata": {"environment": "dev", "session_id": "s-1"},
}
DIFFERENT: dict[str, tuple[dict[str, Any], list[str]]] = {
    "domain": ({"domain": "document.receipt"}, ["domain"]),
    "documents": ({"pictures": [b"two", b"one"]}, ["documents[0]", "documents[1]"]),
    "text": ({"text": "Extract it"}, ["text", "text"]),
    "model": ({"model": "gpt-4o-mini"}, ["model"]),
    "metadata": (
        {"metadata": {"environment": "staging", "session_id": "s-2"}},
        ["metadata.environment", "metadata.session_id"],
    ),
}
ASKED: dict[str, Any] = {
    "text": "Extract it all",
    "pictures": [b"one", b"two"],
    "metadata": {"environment": "dev", "session_id": "s-1", "further": True},
    "model": "vlm-1",
}
COMBINATIONS = [chosen for size in range(6) for chosen in combinations(MATCHING, size)]


@pytest.mark.parametrize("chosen", COMBINATIONS, ids="+".join)
def test_any_combination_of_parts_matches_and_each_part_can_differ(chosen: tuple[str, ...]) -> None:
    match = Match(**{part: MATCHING[part] for part in chosen})
    fixtures = FixtureSet([fixture("a.json", match)])

    found = fixtures.find(request(**ASKED))
    others = {part: request(**{**ASKED, **change}) for part, (change, _) in DIFFERENT.items()}

    assert found
    assert {part: parts(match, other) for part, other in others.items()} == {
        part: DIFFERENT[part][1] if part in chosen else [] for part in MATCHING
    }
    assert {part for part, other in others.items() if fixtures.find(other) is None} == set(chosen)


@pytest.mark.parametrize(
    ("wanted", "sent", "differing"),
    [
        ([b"one"], [b"one"], []),
        ([], [], []),
        ([], [b"one"], ["documents"]),
        ([b"one"], [], ["documents"]),
        ([b"one"], [b"two"], ["documents[0]"]),
        ([b"one"], [b"one", b"two"], ["documents"]),
        ([b"one", b"two"], [b"one"], ["documents"]),
        ([b"one", b"two"], [b"two", b"one"], ["documents[0]", "documents[1]"]),
        ([b"one", b"two"], [b"one", b"three"], ["documents[1]"]),
        ([b"one", b"one"], [b"one"], ["documents"]),
    ],
)
def test_documents_match_when_they_are_the_same_and_in_order(
    wanted: list[bytes], sent: list[bytes], differing: list[str]
) -> None:
    match = Match(documents=tuple(map(identity, wanted)))

    asked = request(pictures=sent)

    assert parts(match, asked) == differing
    assert (FixtureSet([fixture("a.json", match)]).find(asked) is None) == bool(differing)


@pytest.mark.parametrize(
    ("wanted", "sent", "matches"),
    [
        (1, 1, True),
        (1, 1.0, True),
        (1, True, False),
        (False, 0, False),
        ("1", 1, False),
        (None, None, True),
        ([1, 2], [1, 2], True),
        ([1, 2], [2, 1], False),
        ([True], [1], False),
        ({"a": [1], "b": 2}, {"b": 2, "a": [1.0]}, True),
        ({"a": True}, {"a": 1}, False),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ({}, [], False),
    ],
)
def test_metadata_is_compared_as_json(wanted: Any, sent: Any, matches: bool) -> None:  # noqa: FBT001 - a table's column
    match = Match(metadata={"key": wanted})

    asked = request(metadata={"key": sent})

    assert (match.difference(asked) == []) == matches
    assert (FixtureSet([fixture("a.json", match)]).find(asked) is not None) == matches


def test_metadata_that_was_not_sent_is_the_default_or_null() -> None:
    match = Match(metadata={"environment": "prod", "allow_training": True, "session_id": None, "unheard_of": None})

    found = FixtureSet([fixture("a.json", match)]).find(request())

    assert found


def test_the_text_is_that_of_all_messages_line_by_line() -> None:
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Extract"}]
    asked = chat_parser.parse(json.dumps({"messages": messages}).encode())

    whole = Match(text=TextMatch(equals="Be brief.\nExtract"))
    across = Match(text=TextMatch(("brief.\nEx",)))

    assert whole.difference(asked) == across.difference(asked) == []


def test_precedence_is_origin_then_constraints_then_name_whatever_the_order() -> None:
    narrow = Match(domain="document.invoice", model="vlm-1")
    ranked = [
        fixture("z.json", origin=0),
        fixture("b.json", Match(metadata={"environment": "prod", "session_id": None, "allow_training": True}), 1),
        fixture("c.json", narrow, 1),
        fixture("d.json", narrow, 1),
        fixture("a.json", Match(text=TextMatch(("Extract",))), 1),
        fixture("b/a.json", Match(domain="document.invoice"), 1),
        fixture("0.json", origin=1),
        fixture("1.json", narrow, 2),
    ]
    random = Seed().random("order")

    for start in range(len(ranked)):
        rest = random.sample(ranked[start:], len(ranked) - start)

        found = FixtureSet(rest).find(request())

        assert found is ranked[start]


def drawn_match(random: Random) -> Match:
    """Return a match of few values, so that many fixtures match and many nearly do."""
    needles = tuple(random.choices(["a", "ab", "abc", "abca", "bcab", "abcab", "cabca", "é東b"], k=random.randrange(3)))
    return Match(
        domain=random.choice([None, "document.invoice", "document.receipt"]),
        documents=random.choice([None, None, (), (identity(b"one"),), (identity(b"one"), identity(b"two"))]),
        text=random.choice([None, TextMatch(needles), TextMatch(needles), TextMatch(needles, "abcab")]),
        model=random.choice([None, None, "vlm-1", "other"]),
        metadata=random.choice([{}, {}, {"a": 1}, {"a": [1, {"b": 2}]}, {"b": None, "a": 1}, {"environment": "dev"}]),
    )


def drawn_request(random: Random) -> ChatRequest:
    metadata: list[dict[str, Any]] = [{}, {"a": 1.0}, {"a": [1, {"b": 2}]}, {"a": 1, "environment": "dev"}]
    return request(
        "".join(random.choices(["a", "b", "c", "é東b"], k=random.randrange(12))) or "abcab",
        random.choice([[], [b"one"], [b"one", b"two"]]),
        random.choice(metadata),
        domain=random.choice(["document.invoice", "document.receipt", "custom.other"]),
        model=random.choice(["vlm-1", "other"]),
    )


@pytest.mark.parametrize("size", [5, 60, 3000])
def test_the_index_finds_what_a_scan_finds(size: int) -> None:
    random = Seed(size).random("index")
    fixtures = [fixture(f"{number}.json", drawn_match(random), random.randrange(3)) for number in range(size)]
    indexed = FixtureSet(fixtures)
    in_order = sorted(fixtures, key=lambda each: each.rank)
    outcomes = set()

    for _ in range(200):
        asked = drawn_request(random)
        scanned = next((each for each in in_order if not each.match.difference(asked)), None)
        found = indexed.find(asked)
        outcomes.add(found.name if found else None)

        assert found is scanned

    assert len(outcomes) > 3


def test_needles_of_every_length_are_found_on_a_long_shelf() -> None:
    needles = ["", "x", "né", "東京都", "four", "longer than that"]
    filler = [fixture(f"z{number}.json", Match(text=TextMatch((f"filler {number}",)))) for number in range(SCANNED * 2)]

    for needle in needles:
        fixtures = FixtureSet([*filler, fixture("a.json", Match(text=TextMatch((needle,))))])

        found = fixtures.find(request(f"<{needle}>"))

        assert found
        assert found.name == "a.json"


def test_all_needles_are_needed_on_a_long_shelf() -> None:
    matches = [Match(text=TextMatch((f"first {number:03}", f"second {number:03}"))) for number in range(SCANNED * 3)]
    fixtures = FixtureSet(fixture(f"{number:03}.json", match) for number, match in enumerate(matches))

    both = fixtures.find(request("second 070 and first 070"))
    mixed = fixtures.find(request("second 070 and first 071"))

    assert both
    assert both.name == "070.json"
    assert mixed is None


def test_a_miss_names_the_nearest_fixture_with_words_and_data() -> None:
    fixtures = FixtureSet(
        [
            fixture("receipt.json", Match(domain="document.receipt")),
            fixture("far.json", Match(domain="document.invoice", model="other", text=TextMatch(("nothing",)))),
            fixture("near.json", Match(domain="document.invoice", documents=(identity(b"one"),))),
        ]
    )

    miss = fixtures.miss(request())

    assert miss.message == (
        "No fixture matches. The nearest of 3 is near.json: the request has no documents, not 1; domain agrees."
    )
    assert miss.as_json() == {
        "fixtures": 3,
        "nearest": "near.json",
        "differences": [
            {
                "part": "documents",
                "expected": 1,
                "actual": 0,
                "message": "the request has no documents, not 1",
            }
        ],
    }


def test_the_same_domain_is_nearer_than_fewer_differences() -> None:
    wanted = Match(domain="document.invoice", model="other", metadata={"a": 1, "b": 2})
    fixtures = FixtureSet([fixture("a.json", Match(domain="document.receipt")), fixture("b.json", wanted)])

    miss = fixtures.miss(request())

    assert miss.nearest
    assert miss.nearest.name == "b.json"
    assert [difference.part for difference in miss.differences] == ["model", "metadata.a", "metadata.b"]


def test_a_fixture_for_any_domain_is_nearer_than_one_for_another() -> None:
    wanted = Match(model="other", metadata={"a": 1})
    fixtures = FixtureSet([fixture("a.json", Match(domain="document.receipt")), fixture("b.json", wanted)])

    miss = fixtures.miss(request())

    assert miss.nearest
    assert miss.nearest.name == "b.json"


def test_where_all_are_for_other_domains_the_fewest_differences_are_nearest() -> None:
    matches = {
        "a.json": Match(domain="document.receipt", model="other", metadata={"a": 1}),
        "b.json": Match(domain="document.resume", model="other"),
        "c.json": Match(domain="document.receipt", model="another"),
    }
    fixtures = FixtureSet(fixture(name, match) for name, match in matches.items())

    miss = fixtures.miss(request())

    assert miss.nearest
    assert miss.nearest.name == "b.json"
    assert [difference.part for difference in miss.differences] == ["domain", "model"]


def test_of_equally_near_fixtures_the_first_by_precedence_is_named() -> None:
    wanted = Match(domain="document.invoice", model="other")
    open_to_all = Match(model="another")

    miss = FixtureSet([fixture("c.json", wanted), fixture("b.json", wanted), fixture("a.json", open_to_all)]).miss(
        request()
    )

    assert miss.nearest
    assert miss.nearest.name == "b.json"


def nearest_name(matches: dict[str, Match], asked: ChatRequest) -> str | None:
    miss = FixtureSet(fixture(name, match) for name, match in matches.items()).miss(asked)
    return miss.nearest.name if miss.nearest else None


@pytest.mark.parametrize("domain", ["document.receipt", None, "document.invoices"])
def test_a_fixture_for_the_same_documents_is_nearest_whatever_the_domain(domain: str | None) -> None:
    matches = {
        "acme.json": Match("document.invoice", (identity(b"A"),)),
        "any.json": Match(model="m-1"),
        "retry.json": Match("document.receipt", text=TextMatch(("try again",))),
    }

    miss = FixtureSet(fixture(name, match) for name, match in matches.items()).miss(
        request(pictures=[b"A"], domain=domain)
    )

    assert miss.nearest
    assert miss.nearest.name == "acme.json"
    assert [difference.part for difference in miss.differences] == ["domain"]
    assert f"acme.json: the domain is {domain or 'none'}, not document.invoice" in miss.message


def test_in_one_domain_the_same_documents_are_nearer_than_fewer_differences() -> None:
    matches = {
        "a_other.json": Match("document.invoice", (identity(b"B"),)),
        "b_same.json": Match(
            "document.invoice", (identity(b"A"),), TextMatch(("Extract",)), metadata={"environment": "dev"}
        ),
    }

    name = nearest_name(matches, request("extract it", [b"A"]))

    assert name == "b_same.json"


def test_of_two_for_the_same_documents_the_one_for_the_domain_is_nearer() -> None:
    matches = {
        "a.json": Match("document.receipt", (identity(b"A"),)),
        "b.json": Match(None, (identity(b"A"),), model="other", metadata={"a": 1}),
    }

    name = nearest_name(matches, request(pictures=[b"A"]))

    assert name == "b.json"


@pytest.mark.parametrize("domain", ["document.invoice", "document.receipt"])
def test_a_wrong_document_is_farther_than_one_other_difference_and_nearer_than_two(domain: str) -> None:
    picture = Match(domain, (identity(b"B"),))
    one, two = Match(domain, text=TextMatch(("x-1",))), Match(domain, text=TextMatch(("x-1", "x-2")))

    nearer = nearest_name({"a.json": picture, "b.json": one}, request(pictures=[b"A"]))
    farther = nearest_name({"b.json": picture, "a.json": two}, request(pictures=[b"A"]))

    assert (nearer, farther) == ("b.json", "b.json")


def test_a_fixture_without_documents_is_not_near_for_having_none() -> None:
    matches = {
        "a.json": Match("document.receipt", ()),
        "b.json": Match("document.invoice", model="other", metadata={"a": 1}),
    }

    name = nearest_name(matches, request())

    assert name == "b.json"


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (TextMatch(("Extract",)), 'the text contains "Extract" only in another case'),
        (TextMatch(equals="EXTRACT it"), 'the text is "EXTRACT it" in another case'),
        (TextMatch(("Read",)), 'the text does not contain "Read"'),
        (TextMatch(equals="EXTRACT"), 'the text is not "EXTRACT"'),
    ],
)
def test_a_text_that_matches_but_for_its_case_is_told_from_another(wanted: TextMatch, message: str) -> None:
    (difference,) = wanted.difference("extract it")

    assert difference.message == message


def test_a_text_in_another_case_is_nearer_than_another_text() -> None:
    matches = {f"{number}.json": Match(text=TextMatch((needle,))) for number, needle in enumerate(["Read", "EXTRACT"])}

    name = nearest_name(matches, request("Extract"))

    assert name == "1.json"


def missing(random: Random) -> tuple[list[Fixture], list[ChatRequest]]:
    """Return as many fixtures as are all looked at, and requests that none of them matches."""
    matches = [match for match in (drawn_match(random) for _ in range(1000)) if match.constraints > 2]
    fixtures = [fixture(f"{number}.json", match, number % 3) for number, match in enumerate(matches[:SCANNED])]
    drawn = [drawn_request(random) for _ in range(300)]
    return fixtures, [each for each in drawn if not FixtureSet(fixtures).find(each)]


def test_the_nearest_of_several_sets_is_that_of_all_in_one() -> None:
    fixtures, asked = missing(Seed().random("sets"))

    apart = [miss([FixtureSet(fixtures[start::3]) for start in range(3)], each) for each in asked]

    assert len(asked) > 100
    assert apart == [FixtureSet(fixtures).miss(each) for each in asked]


def test_the_index_misses_by_what_a_scan_misses_by() -> None:
    fixtures, asked = missing(Seed().random("misses"))

    names = [FixtureSet(fixtures).miss(each).nearest for each in asked]
    scanned = [
        min((Neighbour(own, tuple(own.match.difference(each))) for own in fixtures), key=lambda found: found.rank)
        for each in asked
    ]

    assert len(asked) > 100
    assert names == [neighbour.fixture for neighbour in scanned]


def test_without_fixtures_a_miss_says_so() -> None:
    miss = FixtureSet().miss(request())

    assert miss.message == "No fixture matches: none is loaded."
    assert miss.as_json() == {"fixtures": 0, "nearest": None, "differences": []}


def test_a_miss_shows_an_excerpt_of_a_long_text() -> None:
    fixtures = FixtureSet([fixture("a.json", Match(text=TextMatch(("needle",))))])

    miss = fixtures.miss(request("hay" * 10_000))

    assert miss.message.endswith('the text does not contain "needle".')
    assert len(json.dumps(miss.as_json())) < 500


def numbered(number: int) -> dict[str, tuple[Match, dict[str, Any]]]:
    """Return fixtures of which many are alike but for a number, each with a request that it answers."""
    domain, code = "document.invoice", f"INV-{number:05}"
    return {
        "documents": (Match(domain, (identity(code.encode()),)), {"pictures": [code.encode()]}),
        "text.contains": (Match(domain, text=TextMatch((code,))), {"text": f"Read {code} for me"}),
        "text.equals": (Match(domain, text=TextMatch(equals=code)), {"text": code}),
        "metadata": (Match(domain, metadata={"session_id": code}), {"metadata": {"session_id": code}}),
        "domain": (Match(f"custom.{code}"), {"domain": f"custom.{code}"}),
        "model": (Match(domain, model=code), {"model": code}),
    }


def best_time(call: Callable[[], object]) -> float:
    """Return how many seconds a call takes, undisturbed."""
    times = []
    for _ in range(20):
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return min(times)


@pytest.mark.parametrize("kind", numbered(0))
def test_ten_thousand_fixtures_do_not_slow_an_answer(kind: str) -> None:
    few = FixtureSet(fixture(f"{number:05}.json", numbered(number)[kind][0]) for number in range(10))
    many = FixtureSet(fixture(f"{number:05}.json", numbered(number)[kind][0]) for number in range(MANY))
    last_of_few, last_of_many, of_none = (request(**numbered(number)[kind][1]) for number in (9, MANY - 1, MANY))

    found = many.find(last_of_many)

    assert found
    assert found.name == f"{MANY - 1:05}.json"
    assert many.find(of_none) is None
    # A scan would take a thousand times as long.
    assert best_time(lambda: many.find(last_of_many)) < 30 * best_time(lambda: few.find(last_of_few))
    assert best_time(lambda: many.miss(of_none)) < 30 * best_time(lambda: few.miss(of_none))


@pytest.mark.parametrize(
    "match",
    [
        Match("document.invoice", (identity(b"other"),), metadata={"a": 1}),
        Match("document.receipt", (identity(b"other"),), TextMatch(("a", "b"))),
        Match("document.invoice", model="other", metadata={"a": 1}),
        Match("document.receipt", (identity(b"A"),), TextMatch(("a", "b"))),
    ],
)
def test_ten_thousand_fixtures_that_all_differ_in_more_do_not_slow_a_miss(match: Match) -> None:
    few, many = (FixtureSet(fixture(f"{number:05}.json", match) for number in range(size)) for size in (500, MANY))
    asked = request("x", [b"A"])

    quick = best_time(lambda: few.miss(asked))
    slow = best_time(lambda: many.miss(asked))

    # A scan would take twenty times as long.
    assert slow < 8 * quick
