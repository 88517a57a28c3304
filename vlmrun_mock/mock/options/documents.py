"""Options of the commands that make test data: `domains` prints answers, and `documents` prints documents."""

from __future__ import annotations

from collections.abc import Sequence

from vlmrun_mock.documents.appearance import MEDIA_TYPES, STRENGTHS, STYLES
from vlmrun_mock.mock.options.option import Option

DOCUMENTS: Sequence[Option] = (
    Option(
        "vary",
        "flag",
        default=False,
        help="Print a drawn answer instead of the packaged one.",
        commands=("domains",),
        own_variable=True,
    ),
    Option(
        "schemas",
        "files",
        (),
        "Print what meets the JSON Schema in this file. Repeatable.",
        commands=("documents",),
        flag="schema",
    ),
    Option(
        "count",
        "integer",
        1,
        "How many of each.",
        least=1,
        most=100_000,
        commands=("documents",),
        own_variable=True,
    ),
    Option("seed", "integer", 0, "Decides the first of each.", least=0, commands=("documents",)),
    Option(
        "count",
        "integer",
        None,
        "Print so many drawn answers, for one seed each.",
        least=1,
        most=1_000_000,
        commands=("domains",),
        own_variable=True,
    ),
    Option(
        "file_format",
        "word",
        "pdf",
        "The kind of files.",
        words=tuple(MEDIA_TYPES),
        commands=("documents",),
        flag="format",
        own_variable=True,
    ),
    Option(
        "style",
        "word",
        None,
        "How they look; each as it is drawn, unless given.",
        words=STYLES,
        commands=("documents",),
    ),
    Option(
        "layout",
        "word",
        "json",
        "Print several as a list, or each on a line of its own.",
        words=("json", "jsonl"),
        commands=("domains",),
        flag="format",
        own_variable=True,
    ),
    Option(
        "scan",
        "word",
        None,
        "Make them look scanned, or photographed with a phone.",
        words=STRENGTHS,
        commands=("documents",),
    ),
    Option(
        "fonts",
        "folders",
        (),
        "Folder of fonts, for characters that ours do not show. Repeatable.",
        commands=("documents",),
    ),
    Option(
        "out",
        "folder",
        "documents",
        "Folder to write to; made if it is not there.",
        commands=("documents",),
        own_variable=True,
    ),
)
