"""Options of what asks the real API: `record`, `drift`, and tests that record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from vlmrun_mock.mock.options.option import Option
from vlmrun_mock.mock.options.words import RecordMode

MODES: tuple[RecordMode, ...] = get_args(RecordMode)

UPSTREAM: Sequence[Option] = (
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
        "Further folder of fixture files, which answer instead of the upstream. Repeatable.",
        commands=("record",),
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
        "What is printed; with json, what goes on is told on standard error.",
        words=("text", "json"),
        commands=("drift",),
        flag="format",
        own_variable=True,
    ),
)
