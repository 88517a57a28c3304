"""What is quick never changes an answer: requests are asked in a usual spelling and in one that nothing speeds up."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
from pathlib import Path
from typing import Any

import pytest

from tests.mixed import FAULTS, FIXTURES, KEYS, Client, body, spellings, write_fixture
from tests.serving import CHAT


async def compare(quick: Client, slow: Client, folder: Path, count: int) -> int:
    """Ask for so many answers in both ways, with faults and other fixtures now and then; return how many differ."""
    source = random.Random(9)
    recent: list[dict[str, Any]] = []
    wrong = 0
    versions = itertools.count(1)
    for number in range(count):
        key, chance = source.choice(KEYS), source.random()
        if chance < 0.01:
            raw = json.dumps(source.choice(FAULTS)).encode()
            answers = [await client.ask("/_mock/faults", key, raw) for client in (quick, slow)]
        else:
            if chance < 0.013:
                write_fixture(folder, source.randrange(FIXTURES), next(versions))
                quick.scopes.store.reload()
                slow.scopes.store.reload()
            asked = source.choice(recent) if recent and source.random() < 0.6 else body(source)
            recent = [*recent[-30:], asked]
            raws = spellings(asked, number)
            answers = [await client.ask(CHAT, key, raw) for client, raw in zip((quick, slow), raws, strict=True)]
        wrong += answers[0] != answers[1]
    return wrong


def test_mixed_requests_are_answered_logged_and_noted_as_in_the_plain_way(
    tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    for number in range(FIXTURES):
        write_fixture(tmp_path, number, 0)
    quick, slow = Client(tmp_path), Client(tmp_path)

    wrong = asyncio.run(compare(quick, slow, tmp_path, 10_000 if pytestconfig.getoption("campaign") else 300))

    assert wrong == 0
    for key in KEYS:
        assert list(quick.journal(key)) == list(slow.journal(key))
    assert quick.log() == slow.log()
