"""`python -m tests.corpus` records the answers of this code; with names of cases it prints those whole instead."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tests.corpus.player import Player
from tests.corpus.recording import FILE, Record, Recording, versions
from tests.corpus.requests import corpus


def played(names: Iterable[str]) -> dict[str, Record]:
    """Return the records of the answers to some cases, played in this order."""
    cases = corpus()
    with tempfile.TemporaryDirectory() as folder, Player(Path(folder)) as player:
        answers = {key: one for name in names for key, one in player.play(name, cases[name]).items()}
    return {key: Record.of(answer) for key, answer in answers.items()}


def record() -> str:
    """Write the file, unless an answer depends on what was asked before; return what there is to say."""
    names = list(corpus())
    records = played(names)
    backwards = played(reversed(names))
    if varying := [key for key, each in records.items() if each != backwards[key]]:
        return "\n  ".join(["not recorded, because these are not the same twice:", *varying])
    Recording(versions(), records).save()
    return f"{len(records)} answers to {len(names)} cases are in {FILE}"


def show(name: str) -> str:
    """Return the answers to a case in full."""
    with tempfile.TemporaryDirectory() as folder, Player(Path(folder)) as player:
        answers = player.play(name, corpus()[name])
    parts = ((f"== {key}", f"{one.status} ({one.ending})", *one.headers, "", one.text) for key, one in answers.items())
    return "\n".join(line for part in parts for line in part)


if __name__ == "__main__":
    named = sys.argv[1:]
    sys.stdout.write("\n".join(map(show, named) if named else [record()]) + "\n")
