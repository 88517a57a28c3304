"""What is declared of an option: a row of the table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import msgspec

Kind: TypeAlias = Literal[
    "flag",
    "switch",
    "word",
    "host",
    "integer",
    "port",
    "bytes",
    "seconds",
    "share",
    "file",
    "files",
    "folder",
    "folders",
    "keys",
    "key",
    "names",
    "faults",
    "rate",
    "url",
]
Command: TypeAlias = Literal["serve", "record", "check", "drift", "domains", "score", "documents"]

MEBIBYTE = 1024 * 1024

METAVARS: Mapping[Kind, str] = {
    "host": "HOST",
    "integer": "NUMBER",
    "port": "PORT",
    "bytes": "SIZE",
    "seconds": "SECONDS",
    "share": "SHARE",
    "file": "FILE",
    "files": "FILE",
    "folder": "DIR",
    "folders": "DIR",
    "keys": "KEY",
    "names": "NAME",
    "key": "SECRET",
    "faults": "FAULT",
    "rate": "RATE",
    "url": "URL",
}
"""What stands for a value in help texts, where there are no words to list."""

SEVERAL: frozenset[Kind] = frozenset({"files", "folders", "keys", "faults", "names"})
"""The kinds of options that can be given more than once."""


class Option(msgspec.Struct, frozen=True):
    """One option.

    `name` is its name in Python, and in pytest's configuration file after `vlmrun_mock_`; `words` are the valid values
    of a `word`, `least` and `most` the limits of an `integer`. `commands` have it on the command line, as `flag` if
    that is not its name, with the `help` that is shown there. With `own_variable`, its environment variable has the
    command in its name, because the same word means something else to another command. A `setting` is a field of
    Settings with the same default, a keyword of MockServer and of the marker; `ini_help` is what pytest shows of it.
    """

    name: str
    kind: Kind
    default: Any
    help: str = ""
    words: tuple[str, ...] = ()
    least: int | None = None
    most: int | None = None
    commands: tuple[Command, ...] = ()
    flag: str = ""
    own_variable: bool = False
    required: bool = False
    setting: bool = False
    ini_help: str = ""

    @property
    def written(self) -> str:
        """Return the option as it is written on the command line, such as `--unknown-domain`."""
        return f"--{self.flag or self.name.replace('_', '-')}"

    @property
    def variable(self) -> str | None:
        """Return the environment variable that gives it, or None: `VLMRUN_MOCK_` and its name."""
        if not self.commands:
            return None
        words = [*(self.commands if self.own_variable else ()), self.written[2:].replace("-", "_")]
        return "_".join(("VLMRUN_MOCK", *words)).upper()

    @property
    def metavar(self) -> str | None:
        """Return what stands for its value in help texts, or None for what click makes of it."""
        return METAVARS.get(self.kind)

    @property
    def is_repeatable(self) -> bool:
        """Return whether it can be given more than once."""
        return self.kind in SEVERAL

    @property
    def written_default(self) -> str | None:
        """Return its default as it is written on the command line, or None if there is none to show."""
        if self.kind == "flag" or self.default in (None, (), frozenset()):
            return None
        return f"{self.default // MEBIBYTE}MiB" if self.kind == "bytes" else str(self.default)

    @property
    def explanation(self) -> str:
        """Return what pytest's help says of it."""
        return self.ini_help or (f"{self.help[:-1]}: {' or '.join(self.words)}." if self.words else self.help)
