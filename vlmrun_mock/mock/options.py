"""The table of options: each is declared here, once, for the command line, pytest, Python and the README.

It imports nothing heavy: every session of pytest in an environment that has the package reads it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Kind: TypeAlias = Literal[
    "flag",
    "word",
    "text",
    "integer",
    "port",
    "bytes",
    "seconds",
    "folder",
    "folders",
    "keys",
    "key",
    "faults",
    "rate",
    "url",
]
Command: TypeAlias = Literal["serve", "record", "check", "drift"]

MEBIBYTE = 1024 * 1024

METAVARS: Mapping[Kind, str] = {
    "bytes": "SIZE",
    "seconds": "SECONDS",
    "folder": "DIR",
    "folders": "DIR",
    "keys": "KEY",
    "faults": "FAULT",
    "rate": "RATE",
    "url": "URL",
}
"""What stands for a value in help texts, where the option's own name does not."""

SEVERAL: frozenset[Kind] = frozenset({"folders", "keys", "faults"})
"""The kinds of options that can be given more than once."""

MODES = ("once", "new", "all", "none")
"""When a recorder asks the upstream, as in VCR."""


@dataclass(frozen=True, slots=True)
class Option:
    """One option.

    `name` is its name in Python, and in pytest's configuration file after `vlmrun_mock_`; `words` are the valid values
    of a `word`. `commands` have it on the command line, as `flag` if that is not its name, with the `help` that is
    shown there. A `setting` is a field of Settings with the same default, a keyword of MockServer and of the marker;
    `ini_help` is what pytest shows of it.
    """

    name: str
    kind: Kind
    default: Any
    help: str = ""
    words: tuple[str, ...] = ()
    commands: tuple[Command, ...] = ()
    flag: str = ""
    has_variable: bool = True
    required: bool = False
    setting: bool = False
    ini_help: str = ""

    @property
    def written(self) -> str:
        """Return the option as it is written on the command line, such as `--unknown-domain`."""
        return f"--{self.flag or self.name.replace('_', '-')}"

    @property
    def variable(self) -> str | None:
        """Return the environment variable that gives it, such as `VLMRUN_MOCK_UNKNOWN_DOMAIN`."""
        return "VLMRUN_MOCK_" + self.written[2:].replace("-", "_").upper() if self.has_variable else None

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


OPTIONS: Sequence[Option] = (
    Option("host", "text", "127.0.0.1", "Address to listen on.", commands=("serve", "record")),
    Option("port", "port", 8000, "Port to listen on; 0 takes a free one and prints it.", commands=("serve", "record")),
    Option(
        "out",
        "folder",
        None,
        "Folder that recordings are written into; made if it is not there.",
        commands=("record",),
        required=True,
    ),
    Option(
        "mode",
        "word",
        "new",
        "Ask for what is not recorded (new), only if nothing is (once), for everything (all), or for nothing (none).",
        words=MODES,
        commands=("record",),
    ),
    Option(
        "fixtures",
        "folders",
        (),
        "Folder of fixture files. Repeatable; the first folder wins.",
        commands=("serve",),
        setting=True,
        ini_help="Folders of fixture files, relative to this file; the first one wins.",
    ),
    Option(
        "fixtures",
        "folders",
        (),
        "Further folder of fixture files, which answer instead of the upstream. Repeatable.",
        commands=("record",),
    ),
    Option(
        "watch",
        "flag",
        default=False,
        help="Load the fixture folders again whenever a file in them changes.",
        commands=("serve", "record"),
    ),
    Option(
        "strict",
        "flag",
        default=False,
        help="Answer an error, which explains the miss, where no fixture of yours matches.",
        commands=("serve",),
        setting=True,
    ),
    Option(
        "seed",
        "integer",
        0,
        "Decides drawn values.",
        commands=("serve",),
        setting=True,
        ini_help="A whole number that decides drawn values.",
    ),
    Option(
        "unsupported",
        "word",
        "ignore",
        "What becomes of parameters that the API does not support.",
        words=("ignore", "reject"),
        commands=("serve",),
        setting=True,
    ),
    Option(
        "unknown_domain",
        "word",
        "reject",
        "What becomes of domains that nobody knows.",
        words=("reject", "generate"),
        commands=("serve",),
        setting=True,
    ),
    Option(
        "api_keys",
        "keys",
        frozenset(),
        "Accept this key. Repeatable; without it any key is accepted.",
        commands=("serve",),
        flag="api-key",
        setting=True,
        ini_help="The keys that are accepted; without them any is.",
    ),
    Option(
        "clock",
        "word",
        "frozen",
        "Whether `created` is constant or the real time.",
        words=("frozen", "wall"),
        commands=("serve",),
        setting=True,
    ),
    Option(
        "ids",
        "word",
        "stable",
        "Whether a completion's id follows from its request or is fresh.",
        words=("stable", "random"),
        commands=("serve",),
        setting=True,
    ),
    Option(
        "max_body",
        "bytes",
        64 * MEBIBYTE,
        "Largest request body.",
        commands=("serve", "record"),
        setting=True,
        ini_help="Largest request body, in bytes.",
    ),
    Option(
        "faults",
        "faults",
        (),
        "Fail on purpose, such as `status=429,times=2`. Repeatable; of those due, the first strikes.",
        commands=("serve",),
        flag="fault",
        setting=True,
        ini_help="Failures that each test starts with, such as status=429,times=2.",
    ),
    Option(
        "rate_limit",
        "rate",
        None,
        "Answer 429 to a key's requests beyond this, such as `10/min`; also `/s` and `/hour`.",
        commands=("serve",),
        setting=True,
        ini_help="How many requests a test may send in a while, such as 10/min.",
    ),
    Option(
        "latency",
        "word",
        "scripted",
        "Whether to wait as fixtures say, or also for as long as the upstream took when they were recorded.",
        words=("scripted", "recorded"),
        commands=("serve",),
        setting=True,
        ini_help="Whether to wait as fixtures say, or also as the upstream took: scripted or recorded.",
    ),
    Option(
        "record",
        "word",
        None,
        words=MODES,
        setting=True,
        ini_help="Which requests are asked of the upstream, and recorded: once, new, all or none.",
    ),
    Option(
        "record_errors",
        "flag",
        default=False,
        help="Write down errors, and whatever else is no chat completion, too.",
        commands=("record",),
        setting=True,
        ini_help="Record errors, and whatever else is no chat completion, too.",
    ),
    Option(
        "upstream",
        "url",
        "https://api.vlm.run",
        "The real API.",
        commands=("record", "drift"),
        setting=True,
        ini_help="The real API that is recorded, https://api.vlm.run unless given.",
    ),
    Option("upstream_key", "key", None, setting=True),
    Option(
        "documents",
        "folders",
        (),
        "Folder with the documents of the recordings, found by their hash. Repeatable.",
        commands=("drift",),
    ),
    Option(
        "timeout",
        "seconds",
        600.0,
        "How long the upstream may take for an answer.",
        commands=("record", "drift"),
        setting=True,
        ini_help="How many seconds the upstream may take.",
    ),
    Option(
        "values",
        "flag",
        default=False,
        help="List differences of value, too, and not only how many there are.",
        commands=("drift",),
    ),
    Option(
        "layout",
        "word",
        "text",
        "What is printed; github is shown as annotations by GitHub Actions.",
        words=("text", "json", "github"),
        commands=("check",),
        flag="format",
    ),
    Option(
        "layout",
        "word",
        "text",
        "What is printed; with json, what goes on is told on standard error.",
        words=("text", "json"),
        commands=("drift",),
        flag="format",
        has_variable=False,
    ),
)
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
