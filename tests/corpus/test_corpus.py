"""Every request of the corpus is answered as it was recorded, to the byte."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.corpus.case import Case
from tests.corpus.player import Player, names
from tests.corpus.recording import Record, Recording, versions
from tests.corpus.requests import GROUPS, corpus

RECORDED = Recording.load()
OTHERS = sorted(name for name, release in versions().items() if RECORDED.versions.get(name) != release)

SHOWN = 20
"""How many cases a failure shows in full."""

pytestmark = pytest.mark.skipif(
    bool(OTHERS),
    reason=f"recorded with other releases of {', '.join(OTHERS)}: record again with `python -m tests.corpus`",
)


@pytest.fixture(scope="session")
def player(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Player]:
    """Return a player, whose servers the cases share."""
    with Player(tmp_path_factory.mktemp("corpus")) as player:
        yield player


def differences(name: str, case: Case, player: Player) -> Iterator[str]:
    """Yield in lines how the answers to a case differ from those that were recorded."""
    for key, answer in player.play(name, case).items():
        was, now = RECORDED.records.get(key), Record.of(answer)
        if was != now:
            yield f"{key}:"
            yield from now.differences(was) if was else ["it was not recorded"]


@pytest.mark.parametrize("group", GROUPS)
def test_requests_are_answered_as_recorded(group: str, player: Player) -> None:
    found = {name: list(differences(name, case, player)) for name, case in GROUPS[group].items()}

    changed = {name: lines for name, lines in found.items() if lines}
    shown = [line for lines in list(changed.values())[:SHOWN] for line in lines]
    how = f"{len(changed)} of {len(found)} cases have changed; `python -m tests.corpus NAME` prints one whole"
    assert not changed, "\n".join([how, *shown, *list(changed)[SHOWN:]])


def test_nothing_else_is_recorded() -> None:
    keys = {key for name, case in corpus().items() for key in names(name, case)}

    assert RECORDED.records.keys() == keys
