"""Drawn values depend on the seed and the facts, and on nothing else."""

from __future__ import annotations

import itertools
import time
import uuid

from vlmrun_mock.seed import FROZEN_INSTANT, Seed, Stamp

FINGERPRINT = "f" * 64


def test_the_same_facts_draw_the_same_values_on_every_machine_and_in_every_release() -> None:
    seed = Seed(7)

    drawn = seed.random("document.invoice", "total")

    assert seed.digest("a", "b").hex() == "ec6e4ba5cfcdf2ee78016785df574914dfd6dc9f29ac2760ff9ec66ba0fb7988"
    assert drawn.random() == 0.6774328978394624
    assert seed.uuid("completion", FINGERPRINT) == "3db8e1b1-47aa-4821-89b7-6eefa0f0d18b"


def test_every_seed_and_every_fact_counts() -> None:
    facts = [(), ("",), ("", ""), ("a",), ("b",), ("ab",), ("a", "b"), ("b", "a"), ("a", "b", ""), ("é",), ("e\u0301",)]

    digests = {Seed(number).digest(*each) for number, each in itertools.product((0, 1, -1, 10**30), facts)}

    assert len(digests) == 4 * len(facts)


def test_where_one_fact_ends_and_the_next_begins_counts() -> None:
    seed = Seed()

    assert seed.digest("a\x00", "b") != seed.digest("a", "\x00b")
    assert seed.digest("12", "3") != seed.digest("1", "23")


def test_a_fact_may_be_any_text() -> None:
    seed = Seed()

    digests = {seed.digest(fact) for fact in ("\ud800", "\udc00", "\x00", "😀", "x" * 100_000)}

    assert {len(digest) for digest in digests} == {32}
    assert len(digests) == 5


def test_a_generator_is_its_own_and_disturbs_no_other() -> None:
    seed = Seed()
    undisturbed = seed.random("a").random()

    first, second = seed.random("a"), seed.random("b")
    second.random()

    assert first.random() == undisturbed
    assert first.random() != undisturbed


def test_a_uuid_is_a_valid_version_4() -> None:
    drawn = uuid.UUID(Seed().uuid("anything"))

    assert drawn.version == 4
    assert drawn.variant == uuid.RFC_4122


def test_a_stamp_is_constant_unless_it_is_asked_to_be_real() -> None:
    stamp = Stamp(Seed())

    assert stamp.created() == FROZEN_INSTANT == 1735689600
    assert stamp.completion_id(FINGERPRINT) == Stamp(Seed()).completion_id(FINGERPRINT)
    assert stamp.completion_id(FINGERPRINT) != stamp.completion_id("0" * 64)
    assert stamp.completion_id(FINGERPRINT) != Stamp(Seed(1)).completion_id(FINGERPRINT)
    assert stamp.repeatable


def test_a_wall_clock_tells_the_time_and_keeps_the_ids() -> None:
    stamp = Stamp(Seed(), wall_clock=True)
    before = int(time.time())

    created = stamp.created()

    assert before <= created <= int(time.time())
    assert stamp.completion_id(FINGERPRINT) == Stamp(Seed()).completion_id(FINGERPRINT)
    assert not stamp.repeatable


def test_random_ids_are_fresh_and_keep_the_clock() -> None:
    stamp = Stamp(Seed(), random_ids=True)

    ids = {stamp.completion_id(FINGERPRINT) for _ in range(100)}

    assert len(ids) == 100
    assert {uuid.UUID(each.removeprefix("chatcmpl-")).version for each in ids} == {4}
    assert stamp.created() == FROZEN_INSTANT
    assert not stamp.repeatable
