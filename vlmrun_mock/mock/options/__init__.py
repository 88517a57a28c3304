"""The table of options: each is declared here, once, for the command line, pytest, Python and the reference.

It imports nothing heavy: every session of pytest in an environment that has the package reads it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from vlmrun_mock.mock.options.documents import DOCUMENTS
from vlmrun_mock.mock.options.option import Command, Option
from vlmrun_mock.mock.options.reports import REPORTS
from vlmrun_mock.mock.options.server import SERVER
from vlmrun_mock.mock.options.upstream import UPSTREAM

OPTIONS: Sequence[Option] = (*SERVER, *UPSTREAM, *REPORTS, *DOCUMENTS)
"""All options, in the order in which they are shown."""

FIRST: Mapping[Command, Sequence[str]] = {
    "record": ("host", "port", "upstream", "out", "mode", "fixtures", "watch", "record_errors", "timeout"),
}
"""What a command shows before its other options, where the order of the table is not its own."""

SETTINGS: Mapping[str, Option] = {option.name: option for option in OPTIONS if option.setting}
"""The options that Python callers and the marker have."""

INI: Mapping[str, Option] = {name: option for name, option in SETTINGS.items() if option.kind != "key"}
"""The options that pytest's configuration file has: a key does not stand in a file."""


def of_command(command: Command) -> Iterator[Option]:
    """Yield the options of a command, in the order in which it shows them."""
    first = FIRST.get(command, ())
    own = [option for option in OPTIONS if command in option.commands]
    yield from sorted(own, key=lambda option: first.index(option.name) if option.name in first else len(first))
