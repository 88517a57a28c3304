"""The table of options: each is declared here, once, for the command line, pytest, Python and the README.

It imports nothing heavy: every session of pytest in an environment that has the package reads it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, TypeAlias

import msgspec

Kind: TypeAlias = Literal[
    "flag",
    "switch",
    "word",
    "text",
    "integer",
    "port",
    "bytes",
    "seconds",
    "share",
    "folder",
    "folders",
    "keys",
    "key",
    "names",
    "faults",
    "rate",
    "url",
]
Command: TypeAlias = Literal["serve", "record", "check", "drift"]

MEBIBYTE = 1024 * 1024

METAVARS: Mapping[Kind, str] = {
    "bytes": "SIZE",
    "seconds": "SECONDS",
    "share": "SHARE",
    "folder": "DIR",
    "folders": "DIR",
    "keys": "KEY",
    "names": "NAME",
    "key": "SECRET",
    "faults": "FAULT",
    "rate": "RATE",
    "url": "URL",
}
"""What stands for a value in help texts, where the option's own name does not."""

SEVERAL: frozenset[Kind] = frozenset({"folders", "keys", "faults", "names"})
"""The kinds of options that can be given more than once."""

LOCALES = (
    "en_US", "en_GB", "de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL", "ja_JP", "pt_BR", "en_IN", "ar_EG", "cs_CZ", "el_GR",
    "fi_FI", "he_IL", "hi_IN", "ko_KR", "pl_PL", "ru_RU", "sv_SE", "th_TH", "tr_TR", "uk_UA", "vi_VN", "zh_CN",
)  # fmt: skip  # several a line
"""The locales that drawn values may have."""

MODES = ("once", "new", "all", "none")
"""When a recorder asks the upstream, as in VCR."""


class Option(msgspec.Struct, frozen=True):
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
        "inspect",
        "switch",
        None,
        "Keep bodies for the page at /_mock/ and let it save fixtures; by default only if no other machine reaches it.",
        commands=("serve",),
    ),
    Option(
        "inspect_memory",
        "bytes",
        64 * MEBIBYTE,
        "How many bytes are kept for that page at most; the oldest make room.",
        commands=("serve",),
    ),
    Option(
        "opens",
        "flag",
        default=False,
        help="Open that page in the browser.",
        commands=("serve",),
        flag="open",
    ),
    Option(
        "shell",
        "word",
        "auto",
        "Shell whose lines are printed to paste; auto follows the platform.",
        words=("auto", "sh", "powershell", "cmd"),
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
        "exact_documents",
        "flag",
        default=False,
        help="Know pictures by their bytes alone, and not where a client has encoded them anew.",
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
        "vary",
        "flag",
        default=False,
        help="Give each document an answer of its own, always the same, instead of its domain's packaged one.",
        commands=("serve",),
        setting=True,
    ),
    Option(
        "locale",
        "word",
        "en_US",
        "Where the people, places, numbers and currency of drawn values are from.",
        words=LOCALES,
        commands=("serve",),
        setting=True,
    ),
    Option(
        "misread",
        "share",
        0.0,
        "Spoil this share of the values, from 0 to 1, as a model does that reads badly.",
        commands=("serve",),
        setting=True,
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
        "success",
        "word",
        "201",
        "The status of a chat completion of vlm-1: the documented one, or the only one that some clients take.",
        words=("201", "200"),
        commands=("serve",),
        setting=True,
        ini_help="The status of a chat completion of vlm-1: 201 as documented, or 200.",
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
        "allow_hosts",
        "names",
        frozenset(),
        "Answer for this host name, too, beside local ones; `*` is any. Repeatable.",
        commands=("serve", "record"),
        flag="allow-host",
        setting=True,
        ini_help="Host names that are answered for, beside local ones.",
    ),
    Option(
        "allow_origins",
        "names",
        frozenset(),
        "Let web pages of this origin ask, such as `https://app.example`; `*` is any. Repeatable.",
        commands=("serve",),
        flag="allow-origin",
        setting=True,
        ini_help="Origins of web pages that may ask, beside local ones.",
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
        "file_memory",
        "bytes",
        256 * MEBIBYTE,
        "How much of a key's uploaded files is kept in memory; the rest is in a temporary folder.",
        commands=("serve",),
        setting=True,
        ini_help="How many bytes of uploaded files are kept in memory.",
    ),
    Option(
        "pending_reads",
        "integer",
        0,
        "How often a batch prediction or an execution is read before it is completed.",
        commands=("serve",),
        setting=True,
    ),
    Option(
        "webhook_secret",
        "key",
        None,
        "Sign webhooks with this secret.",
        commands=("serve",),
        setting=True,
    ),
    Option(
        "webhook_hosts",
        "names",
        frozenset(),
        "Send webhooks to this host, too, beside this machine's own receivers; `*` is any. Repeatable.",
        commands=("serve",),
        flag="webhook-host",
        setting=True,
        ini_help="Hosts that webhooks are sent to, beside this machine.",
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
        "tools",
        "word",
        "call",
        "Whether a request that offers a function, or names one, gets a call of it, or whether tools have no effect.",
        words=("call", "ignore"),
        commands=("serve",),
        setting=True,
    ),
    Option(
        "streams",
        "word",
        "documented",
        "Whether only Orion and agents stream when they are asked to, as documented, or any model does.",
        words=("documented", "always"),
        commands=("serve",),
        setting=True,
    ),
    Option(
        "first_chunk_ms",
        "integer",
        0,
        "How long a stream waits before its first chunk, in milliseconds, more or less.",
        commands=("serve",),
        setting=True,
    ),
    Option(
        "chunks_per_second",
        "integer",
        0,
        "How fast the chunks of a stream follow, more or less; 0 is at once.",
        commands=("serve",),
        setting=True,
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
