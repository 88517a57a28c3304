"""Write the pages of docs/reference/ from the code: `python -m scripts.reference`.

tests/docs/test_reference.py fails while a page differs from what this writes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import click
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from starlette.routing import Route

from scripts import fidelity
from vlmrun_mock import cli
from vlmrun_mock.api import errors
from vlmrun_mock.api.bodies import MOST_ITEMS, MOST_VALUES
from vlmrun_mock.api.quirks import QUIRKS
from vlmrun_mock.api.tokens import MOST_UNBROKEN, WINDOW
from vlmrun_mock.fixtures.check.finding import CODES
from vlmrun_mock.fixtures.domains import ALIASES, packaged
from vlmrun_mock.helper import PATIENCE, REST
from vlmrun_mock.mock.content import SHORT
from vlmrun_mock.mock.faults import KINDS
from vlmrun_mock.mock.files import MOST_FILES
from vlmrun_mock.mock.journal import MOST_BYTES, MOST_ENTRIES
from vlmrun_mock.mock.options import OPTIONS, SETTINGS
from vlmrun_mock.mock.options.option import MEBIBYTE
from vlmrun_mock.mock.scopes import MOST_SCOPES, Scopes
from vlmrun_mock.mock.verdict import FINDINGS
from vlmrun_mock.recording.settings import LARGEST_ANSWER
from vlmrun_mock.schema.generate import budget
from vlmrun_mock.schema.limits import DEEPEST, LONGEST_PATTERN, MOST_NODES
from vlmrun_mock.schema.pattern_effort import MOST_AT_LOAD
from vlmrun_mock.seed import Seed
from vlmrun_mock.web.body import DRAIN_BYTES, DRAIN_SECONDS
from vlmrun_mock.web.connection import HEAD_SECONDS, LARGEST_HEAD
from vlmrun_mock.web.files import LARGEST_FORM, LARGEST_UPLOAD
from vlmrun_mock.web.inspector.feed import MOST_PAGES
from vlmrun_mock.web.predictions import KINDS as KINDS_OF_PREDICTIONS
from vlmrun_mock.web.routes import routes

__all__ = [
    "ALIASES",
    "CODES",
    "DOCS",
    "FAULTS",
    "FINDINGS",
    "FIXTURE_FORMAT",
    "HEADERS",
    "KINDS",
    "PAGES",
    "QUIRKS",
    "REFERENCE",
    "ROOT",
    "ROUTES",
    "STREAM_FAULTS",
    "WEBHOOK_FAULTS",
    "Scopes",
    "cli",
    "errors",
    "packaged",
    "rendered",
    "routes",
]

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"
FIXTURE_FORMAT = ROOT / "vlmrun_mock" / "fixture.schema.json"

ROUTES: Mapping[str, str] = {
    "POST /v1/openai/chat/completions": "a chat completion: 201 for `vlm-1` and for any name that is not VLM Run's, "
    "200 for `vlm-agent-*` and `vlmrun-orion-*`",
    "GET /v1/health": "200; a wrong key is a 401, which is how `VLMRun(...)` checks its own",
    "GET /v1/openai/health": "the same",
    "GET /v1/experimental/health": "the same",
    "GET /v1/openai/models": "the documented models, as OpenAI lists them",
    "GET /v1/openai/models/{id}": "one model, by any name that chat takes",
    "GET /v1/models": "the documented pairs of a model and a domain",
    "GET /v1/domains": "all domains",
    "GET /v1/hub/domains": "the domains of vlmrun-hub; needs no key",
    "GET /v1/hub/info": "the vlmrun-hub release that the schemas come from; needs no key",
    "POST /v1/schema": "a domain's JSON Schema, or that of the request, a sample, and the GraphQL statement "
    "that selects all of it",
    "POST /v1/hub/schema": "the same; needs no key",
    "GET /v1/files": "the uploaded files, the newest first",
    "POST /v1/files": "takes a file; 201",
    "POST /v1/files/presigned-url": "announces a file, and says where its bytes are sent",
    "GET /v1/files/hash/{md5}": "the oldest file with these bytes; a 404 if there is none",
    "GET /v1/files/verify-upload/{id}": "an announced file whose bytes have come",
    "GET /v1/files/{id}": "one file",
    "DELETE /v1/files/{id}": "forgets a file",
    **{f"POST /v1/{kind}/generate": "a prediction; 201" for kind in KINDS_OF_PREDICTIONS},
    **{f"POST /v1/{kind}/execute": "a prediction by a name, known or not; 201" for kind in KINDS_OF_PREDICTIONS},
    **{f"POST /v1/{kind}/schema": "a schema made up for a document; 201" for kind in KINDS_OF_PREDICTIONS},
    "POST /v1/schema/generate": "the same",
    "POST /v1/web/generate": "a prediction for a page of the web, which is not fetched; 200",
    "POST /v1/experimental/image/embeddings": "numbers drawn for a document; 201",
    "POST /v1/experimental/document/embeddings": "the same",
    "GET /v1/predictions": "the predictions, the newest first",
    "GET /v1/predictions/{id}": "one prediction; a batch is completed by being read",
    "GET /v1/response/{id}": "the same, as it was called in 2024",
    "GET /v1/agent": "the agents, the newest first",
    "GET /v1/agents/{id}": "one agent",
    "GET /v1/agent/lookup": "the same as by POST, with a body, as n8n asks",
    "POST /v1/agent/lookup": "an agent by its `id`, `name` or `prompt`",
    "POST /v1/agent/create": "keeps an agent; 201",
    "POST /v1/agent/execute": "an execution, of a known agent or of any other; 201",
    "GET /v1/agent/executions": "the executions, the newest first",
    "GET /v1/agent/executions/{id}": "one execution, which is completed by being read",
    "GET /v1/skills": "the skills",
    "POST /v1/skills/lookup": "a skill by its `name` or `id`",
    "POST /v1/skills/create": "keeps a skill from a prompt, an archive or a session",
    "GET /v1/skills/{id}": "a skill by its id or its name",
    "POST /v1/skills/{id}/update": "keeps a new version of a skill",
    "GET /v1/skills/{id}/download": "where the archive of a skill is",
    "GET /v1/artifacts": "the bytes of an artifact",
    "GET /v1/artifacts/list": "the artifacts of a session or an execution",
    "POST /v1/feedback/submit": "keeps feedback",
    "POST /v1/experimental/feedback/submit": "the same, as npm's client sends it",
    "GET /v1/feedback/{id}": "the feedback on a prediction, an execution or a chat",
    "GET /v1/datasets": "the datasets, the newest first",
    "POST /v1/datasets/create": "keeps a dataset",
    "GET /v1/datasets/{id}": "one dataset",
    "POST /v1/fine_tuning/create": "keeps a job; nothing is trained",
    "POST /v1/fine_tuning/provision": "says that a model is ready",
    "POST /v1/fine_tuning/generate": "a prediction by a model of any name; 200",
    "GET /v1/fine_tuning/models": "the names of the models that jobs made",
    "GET /v1/fine_tuning/jobs": "the jobs, the newest first",
    "GET /v1/fine_tuning/jobs/{id}": "one job",
    "GET /_mock/skills/{id}/{filename}": "the archive of a skill; needs no key",
    "GET /_mock/artifacts/sample.png": "a picture, to which artifacts lead that are addresses; needs no key",
    "GET /_mock/files/{id}/{filename}": "the bytes of a file; needs no key",
    "PUT /_mock/uploads/{id}/{filename}": "takes the bytes of an announced file; needs no key",
    "GET /": "what this server is: its version, the base URLs, and where the documentation stands; needs no key",
    "GET /_mock/health": "the mock's own health; needs no key",
    "GET /_mock/requests": "the journal: what was asked and answered",
    "DELETE /_mock/requests": "forgets the journal, whole or by a filter",
    "GET /_mock/fixtures": "the fixtures that come before the packaged ones",
    "POST /_mock/fixtures": "registers fixtures; 201 with the names of the new ones",
    "DELETE /_mock/fixtures": "drops the registered fixtures",
    "GET /_mock/faults": "the armed faults, and how many requests each has seen and applied to",
    "POST /_mock/faults": "arms faults; 201",
    "DELETE /_mock/faults": "disarms all faults",
    "POST /_mock/reset": "goes back to how the server was started",
    "GET /_mock/verdict": "the verdict on the client",
    "GET /_mock/files": "the uploaded files, by their hashes",
    "POST /_mock/files": "keeps files under ids of one's own; 201",
    "GET /_mock/predictions": "the predictions, and how each was read",
    "POST /_mock/predictions": "keeps predictions under ids of one's own; 201",
    "GET /_mock/webhooks": "the webhooks that were due, with their attempts",
    "GET /_mock": "the [inspector](../inspector.md), for a browser; its page and its files need no key",
    "GET /_mock/inspector/files/{name}": "a file of that page",
    "GET /_mock/inspector/requests": "the latest requests, in a line each",
    "GET /_mock/inspector/requests/{id}": "all that the page shows of a request",
    "GET /_mock/inspector/requests/{id}/documents/{number}": "a document of it as a picture",
    "GET /_mock/inspector/events": "what happens, as server-sent events",
    "GET /_mock/inspector/state": "domains, fixtures and how often each answered, faults, keys, options",
    "GET /_mock/inspector/domains/{name}": "a domain, its packaged answer and its schema",
    "GET /_mock/inspector/domains/{name}/printed": "the first page of a printed document of a domain, as PNG",
    "POST /_mock/inspector/check": "what is wrong with a fixture that is being written",
    "POST /_mock/inspector/skeleton": "a fixture to begin with for a document",
    "POST /_mock/inspector/fixtures": "writes a fixture into the first folder; 201",
    "GET /_mock/openapi.json": "the control API, and the routes that take a body, as OpenAPI 3.1",
}
"""What each route answers."""

INSPECT_MEMORY = next(option.default for option in OPTIONS if option.name == "inspect_memory")

LIMITS_BEFORE = """# Limits

All of these are ours. They keep a single request from taking the memory or the time of all others.

"""

LIMITS: Sequence[tuple[str, str, str]] = (
    ("a request's body", f"`--max-body`, {SETTINGS['max_body'].default // MEBIBYTE} MiB unless given", "413"),
    (
        "what is received of a body that is refused",
        f"{DRAIN_BYTES // MEBIBYTE} MiB, {DRAIN_SECONDS:.0f} s",
        "the connection is closed",
    ),
    ("a file that is sent in a form", f"{LARGEST_FORM // MEBIBYTE} MiB", "413"),
    ("a file that is sent to an address of its own", f"{LARGEST_UPLOAD // MEBIBYTE} MiB", "413"),
    ("the files of a key", f"{MOST_FILES:,}", "the oldest make room"),
    ("the line and the headers of a request", f"{LARGEST_HEAD // 1024} KiB", "431"),
    ("the time until they are complete", f"{HEAD_SECONDS:.0f} s", "408"),
    ("JSON values in a body, and commas in its texts", f"{MOST_VALUES:,}", "413"),
    ("messages, and parts of a message", f"{MOST_ITEMS:,} each", "422"),
    (
        f"characters in rows of {WINDOW:,} without a letter or digit before a sign, a blank or one of the other",
        f"{MOST_UNBROKEN:,}, of which runs of one character are none",
        "413",
    ),
    ("a schema's values", f"{MOST_NODES:,}", "422"),
    ("a schema's levels", str(DEEPEST), "422"),
    ("a pattern in a schema", f"{LONGEST_PATTERN:,} characters", "422"),
    (
        "what the patterns of a schema take to compile, in classes of Unicode such as `\\p{L}`, repetitions counted",
        f"{MOST_AT_LOAD:,}",
        "422",
    ),
    ("values of a generated answer", f"{budget.MOST_VALUES:,}", "fewer optional fields, then 422"),
    ("choices looked at for a generated answer", f"{budget.MOST_STEPS:,}", "fewer optional fields, then 422"),
    (
        "effort for a generated answer, of which a value takes 5 or more",
        f"{budget.MOST_EFFORT:,}",
        "fewer optional fields, and equal subschemas get equal values",
    ),
    ("characters of a generated answer", f"{budget.MOST_TEXT:,}", "422"),
    (
        "characters of a schema that a thread fills",
        f"{SHORT:,}, and no `minItems` of 10 or more",
        "the helper fills it",
    ),
    ("the helper's time for an answer", f"{PATIENCE:g} s", f"a thread fills schemas for {REST:.0f} s"),
    ("an answer of the upstream, unpacked", f"{LARGEST_ANSWER // MEBIBYTE} MiB", "502"),
    ("entries of a key's journal", f"{MOST_ENTRIES:,}, and {MOST_BYTES // 1_000_000} MB", "the oldest make room"),
    (
        "the bytes of requests and answers that the inspector shows",
        f"`--inspect-memory`, {INSPECT_MEMORY // MEBIBYTE} MiB unless given",
        "the oldest make room",
    ),
    ("pages of the inspector that are told what happens", str(MOST_PAGES), "the one that was opened first ends"),
    ("keys that are told apart", str(MOST_SCOPES), "the one that was not used for longest makes room"),
)
"""What is limited, how, and what happens beyond it."""

HEADERS: Mapping[str, str] = {
    "x-request-id": "a number for this request",
    "x-client-request-id": "the client's own `X-Request-Id`, if it sent one",
    "x-vlmrun-mock-source": "where the answer comes from: `fixture`, `generated`, or while recording `upstream`",
    "x-vlmrun-mock-fixture": "the fixture's name, percent-encoded where it is not ASCII",
    "x-vlmrun-mock-ignored": "the parameters that were sent and have no effect",
    "x-vlmrun-mock-dialect": "how a JSON Schema was read that names no dialect, or an unknown one",
    "x-vlmrun-mock-documents": "`re-encoded`: a picture was known again by what it shows, and not by its bytes",
    "x-vlmrun-mock-called": "the function that the answer calls, which is ours",
    "x-content-type-options": "`nosniff`: a browser does not guess what an answer is",
    "cross-origin-resource-policy": "`same-origin`: no page embeds an answer",
    "access-control-allow-origin": "the origin of the web page that asks, if that is let in",
}
"""The response headers that the mock adds."""

FAULTS: Mapping[str, tuple[str, str, str]] = {
    "error": (
        "the status, with the API's own error body and the headers given",
        "`RateLimitError` for 429, `InternalServerError` from 500 on",
        "yes",
    ),
    "latency": (
        "the whole answer, late",
        "nothing, or past the client's timeout `APITimeoutError`",
        "past the timeout",
    ),
    "disconnect": ("the connection is closed instead of an answer", "`APIConnectionError`", "yes"),
    "disconnect-midway": ("the connection is reset after half of the answer", "`APIConnectionError`", "yes"),
    "truncate": (
        "half of the answer, with the `content-length` of that half",
        "`JSONDecodeError`, by the SDK itself",
        "no",
    ),
    "truncate-undeclared": (
        "half of the answer, with the `content-length` of the whole, then an orderly end",
        "`APIConnectionError`",
        "yes",
    ),
    "invalid-json": (
        "a completion whose content is prose around JSON that ends too early",
        "nothing; then `json.loads` raises `JSONDecodeError`",
        "no",
    ),
    "invalid-schema": (
        "a completion whose content is JSON that violates the schema of the domain or of the caller",
        "nothing; then the model raises `ValidationError`",
        "no",
    ),
    "empty-choices": (
        'a completion with `"choices": []`',
        "nothing; then `choices[0]` raises `IndexError`",
        "no",
    ),
    "no-usage": (
        "a completion without `usage`",
        "nothing; then `usage.total_tokens` raises `AttributeError`",
        "no",
    ),
    "hang": (
        "nothing, until the client leaves",
        "`APITimeoutError`, after 10 minutes unless the client has a `timeout`",
        "yes",
    ),
    "failed": (
        "a batch prediction or an execution that ends as `failed`, with the message; a 500 for all else",
        "`InternalServerError`; VLM Run's `predictions.wait` goes on until its timeout",
        "yes",
    ),
    **{
        kind: (f"{wire}; a plain answer is whole", "nothing", "no")
        for kind, wire in {
            "cut-at-start": "a stream is reset before its first chunk",
            "cut-in-character": "a stream ends, with its connection, in the middle of a character",
            "error-event": "a stream ends after half of its chunks with an event that is an error",
            "no-done": "a stream ends without `[DONE]`",
            "stall": "a stream stops after half of its chunks, until the client leaves",
        }.items()
    },
}
"""What each kind of fault puts on the wire, what that raises, and whether OpenAI's SDK tries again by itself."""


STREAM_FAULTS: Mapping[str, tuple[str, str, str]] = {
    "error": ("no stream, but an error as above", "`RateLimitError` for 429", "no"),
    "latency": ("the stream, late", "nothing", "yes"),
    "disconnect": ("nothing; the connection is closed", "`APIConnectionError`", "no"),
    "disconnect-midway": ("half of the events, then a reset", "`ReadError`", "no"),
    "truncate": ("half of the events, then an orderly end without `[DONE]`", "nothing", "no"),
    "truncate-undeclared": ("half of the events, then the end of the connection", "`RemoteProtocolError`", "no"),
    "invalid-json": ("chunks that are together prose around JSON that ends too early", "nothing", "no"),
    "invalid-schema": ("chunks that are together JSON that violates the schema", "nothing", "no"),
    "empty-choices": ("one chunk, with the usage and without a choice", "nothing", "no"),
    "no-usage": ("all chunks, none with a usage", "nothing", "yes"),
    "hang": ("nothing, until the client leaves", "`APITimeoutError`", "no"),
    "failed": ("no stream, but a 500", "`InternalServerError`", "no"),
    "cut-at-start": (
        "status and headers, then a reset",
        "`ReadError`",
        "no",
    ),
    "cut-in-character": (
        "events up to the first byte of a character that has several",
        "`RemoteProtocolError`",
        "no",
    ),
    "error-event": ('half of the events, then `data: {"error": …}`', "`APIError`", "no"),
    "no-done": ("all chunks, but no `[DONE]`", "nothing", "yes"),
    "stall": ("half of the events, then nothing until the client leaves", "`ReadTimeout`", "no"),
}
"""What each kind of fault does to a stream, what reading that raises, and whether the whole text came."""

FIDELITY_BEFORE = """# Fidelity

What each route of the API answers when all is well, where each fact comes from, and the test that proves it. A test
sends an example to every one of these routes, and compares the status and the fields.

"""

ERRORS = """# Errors

Every error body has `detail`. Below `/v1/openai/` it also has `error`, with `message`, `type`, `param` and `code`.
The `detail` of a 422 is FastAPI's list of problems.

"""

QUIRKS_BEFORE = """# Parameters without effect

The API documents these differences from OpenAI, and the mock reproduces them. The rows marked as ours are parameters of
OpenAI's that the API does not name, and that have no effect in the mock. By default it ignores all of these, and names
those that ask for something in `x-vlmrun-mock-ignored` and in the log. With `--unsupported reject`, a parameter that is
documented as not supported is a 400 whose `error.param` names it. So a test suite can prove that an application does
not depend on it.

"""

QUIRKS_AFTER = """
Mind `stream`: the answer is one JSON body, in which a client that iterates a stream finds no chunk at all. The OpenAI
SDK's `chat.completions.stream()` ends in an assertion of its own.
"""

FAULTS_BEFORE = """# Faults

An application reads an invoice as JSON, checks it with a model and adds up the tokens. The table says what it sees with
OpenAI's Python SDK 1.109, and whether the SDK tries again by itself.

"""

STREAM_FAULTS_BEFORE = """
## On a stream

What an application sees that streams from Orion with the same SDK, which tries nothing again once a stream has begun.

"""

WEBHOOK_FAULTS: Mapping[str, str] = {
    "webhook-late": "sent after its `latency_ms`, or 2 s",
    "webhook-twice": "sent twice",
    "webhook-reordered": "sent after the next one, or after 2 s",
    "webhook-forged": "signed with another secret",
    "webhook-down": "not sent at the first attempt, as if nobody had listened",
}
"""What each kind of fault does to a webhook."""

WEBHOOK_FAULTS_BEFORE = """
## On a webhook

These strike the webhooks of predictions, executions and agents, and no request.

"""

FAULTS_AFTER = """
[Failure drills](../failure-drills.md) explains how to write a fault.
"""

FINDINGS_OF_CHECK = """# Findings

## Of check

`vlmrun-mock check` finds these in folders of [fixtures](../recording.md).

"""

FINDINGS_OF_THE_VERDICT = """
## Of the verdict

The [verdict](../failure-drills.md) on a client finds these.

"""

DOMAINS = """# Domains

`vlmrun-mock domains` lists them, too. The answers of the 31 domains of vlmrun-hub 0.1.35 validate as
the hub's own models.

"""

OLD_SPELLINGS = """
## Old spellings

The mock understands names that client code still sends.

"""

FIXTURE_FORMAT_BEFORE = """# Fixture format

Editors complete and check a fixture if its `$schema` names `vlmrun_mock/fixture.schema.json`, from which this page is
made. [Fixtures](../fixtures.md) explains what the keys do.

"""

COMMANDS = """# Commands and options

An option that means something else to another command has the command in its variable's name. A repeatable option takes
several values from its variable: files and folders separated as in `PATH`, keys, names and faults by blanks.
A `VLMRUN_MOCK_PORT` such as `tcp://10.0.0.1:8000`, as Kubernetes sets it for a Service named `vlmrun-mock`, is ignored.

"""


DEPENDENCIES_BEFORE = """# Dependencies

What `pip install vlmrun-mock` installs along on Linux and macOS, and the licence that each package names. Older
releases of Python need a few backports more.

"""

DEPENDENCIES_OF_DOCUMENTS = """
## Of the extra `documents`

What `pip install 'vlmrun-mock[documents]'` installs besides. The fonts that documents are printed with come with this
package, each with its licence, the SIL Open Font License: Arimo, Roboto Condensed, Caveat and Noto Sans Symbols 2.
typst carries Libertinus Serif, New Computer Modern and DejaVu Sans Mono.

"""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of Markdown."""
    lines = (f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))
    return "\n".join(lines) + "\n"


def commands() -> str:
    """Return every command with its arguments and options."""
    return COMMANDS + "\n".join(_command(name, cli.command(name)) for name in cli.COMMANDS)


def _command(name: str, command: click.Command) -> str:
    arguments = [
        f" {argument.make_metavar(click.Context(command))}"
        for argument in command.params
        if isinstance(argument, click.Argument)
    ]
    options = [option for option in command.params if isinstance(option, click.Option)]
    text = f"## {name}\n\n`vlmrun-mock {name}{''.join(arguments)}`: {_first_sentence(command.help)}\n"
    head = ("option", "value", "variable", "default", "meaning")
    return text + ("\n" + table(head, map(_option, options)) if options else "")


def _option(option: click.Option) -> Sequence[str]:
    variable = f"`{option.envvar}`" if option.envvar else "none"
    return f"`{option.opts[0]}`", _value(option), variable, _default(option), option.help or ""


def _value(option: click.Option) -> str:
    if option.is_flag:
        return "".join(f"or `{each}`" for each in option.secondary_opts)
    if isinstance(option.type, click.Choice):
        return ", ".join(f"`{choice}`" for choice in option.type.choices)
    return f"`{option.metavar}`"


def _default(option: click.Option) -> str:
    shown = option.show_default if isinstance(option.show_default, str) else option.default
    if option.secondary_opts:
        return "by the host"
    return f"`{shown}`" if option.show_default else "off" if option.is_flag else "none"


def _first_sentence(text: str | None) -> str:
    return " ".join((text or "").split("\n\n")[0].split()).rstrip(".") + "."


def routes_page() -> str:
    """Return every route with what it answers."""
    pairs = [
        f"{method} {route.path.replace(':path', '')}"
        for route in routes(Scopes())
        if isinstance(route, Route)
        for method in sorted((route.methods or set()) - {"HEAD"})
    ]
    rows = ((f"`{pair}`", ROUTES[pair]) for pair in sorted(pairs, key=list(ROUTES).index))
    return "# Routes\n\n" + table(("route", "answer"), rows)


def headers() -> str:
    """Return every header that the mock adds to an answer."""
    rows = ((f"`{name}`", meaning) for name, meaning in HEADERS.items())
    return "# Response headers\n\n" + table(("header", "value"), rows)


def errors_page() -> str:
    """Return every error with its status, code and meaning."""
    kinds = [getattr(errors, name) for name in errors.__all__]
    found = [kind for kind in kinds if issubclass(kind, errors.ApiError) and kind is not errors.ApiError]
    rows = [
        ("any" if kind is errors.ScriptedError else str(kind.status), f"`{kind.code}`", _summary(kind))
        for kind in found
    ]
    return ERRORS + table(("status", "`error.code`", "when"), sorted(rows))


def _summary(kind: type) -> str:
    return (kind.__doc__ or "").split("\n\n")[0].replace("\n    ", " ").rstrip(".")


def limits() -> str:
    """Return every limit on what is read, looked at and kept."""
    return LIMITS_BEFORE + table(("of", "at most", "beyond it"), LIMITS)


def quirks() -> str:
    """Return every parameter without effect."""
    head = ("parameter", "documented", "where", "what happens", "asks for nothing")
    rows = []
    for quirk in QUIRKS:
        neutral = ", ".join(f"`{json.dumps(value)}`" for value in quirk.neutral)
        neutral += ", or a limit that the output does not reach" if quirk.limits_tokens else ""
        rows.append((f"`{quirk.parameter}`", quirk.documented, quirk.source, quirk.effect, neutral))
    return QUIRKS_BEFORE + table(head, rows) + QUIRKS_AFTER


def fidelity_page() -> str:
    """Return what each route answers, with the source of each fact and the test that proves it."""
    marks = table(("mark", "a fact is"), ((f"{mark}", meaning) for mark, meaning in fidelity.MARKS.items()))
    rows = (
        (f"`{route}`", f"{row.status} ({row.mark})", _marked(row.fields), f"`{row.test.replace('::', ' ')}`")
        for route, row in fidelity.ROWS.items()
    )
    head = ("route", "success", "fields", "test")
    statuses = ((str(status), when, mark) for status, when, mark in fidelity.STATUSES)
    errors_table = table(("status", "when", "mark"), statuses)
    return FIDELITY_BEFORE + marks + "\n## Routes\n\n" + table(head, rows) + "\n## Errors\n\n" + errors_table


def _marked(fields: Mapping[str, str]) -> str:
    """Return fields, grouped by where they come from."""
    groups = {mark: [name for name, own in fields.items() if own == mark] for mark in fidelity.MARKS}
    return "; ".join(f"{mark}: {', '.join(f'`{name}`' for name in names)}" for mark, names in groups.items() if names)


def faults() -> str:
    """Return every kind of fault."""
    rows = ((f"`{kind}`", *FAULTS[kind]) for kind in KINDS)
    whole = table(("fault", "on the wire", "raised", "tried again"), rows)
    streams = ((f"`{kind}`", wire, raised, text) for kind, (wire, raised, text) in STREAM_FAULTS.items())
    webhooks = table(("on a webhook", "it is"), ((f"`{kind}`", what) for kind, what in WEBHOOK_FAULTS.items()))
    head = ("on a stream", "events", "raised while it is read", "the whole text came")
    return (
        FAULTS_BEFORE
        + whole
        + STREAM_FAULTS_BEFORE
        + table(head, streams)
        + WEBHOOK_FAULTS_BEFORE
        + webhooks
        + FAULTS_AFTER
    )


def findings() -> str:
    """Return the codes of `check` and of the verdict."""
    check = ((f"`{code}`", meaning) for code, meaning in CODES.items())
    verdict = ((f"`{code}`", meaning) for code, meaning in FINDINGS.items())
    of_check, of_the_verdict = table(("code", "meaning"), check), table(("code", "the client"), verdict)
    return FINDINGS_OF_CHECK + of_check + FINDINGS_OF_THE_VERDICT + of_the_verdict


GALLERY_DOMAINS = (
    "document.invoice",
    "document.receipt",
    "document.bank-statement",
    "document.resume",
    "document.us-passport",
    "accounting.form-w2",
    "real-estate.lease-agreement",
    "healthcare.pathology-report",
    "media.nba-game-state",
    "video.transcription",
)

GALLERY = """# Gallery

A varied answer of each of ten domains, as `vlmrun-mock domains DOMAIN --vary --seed 3` prints it.

"""


def domains() -> str:
    """Return every domain, and the old spellings that still work."""
    known = packaged()
    rows = []
    for name in known.names():
        domain = known.get(name)
        if domain is not None:
            rows.append((f"`{name}`", domain.description))
    old = table(("old spelling", "domain"), ((f"`{old}`", f"`{new}`") for old, new in ALIASES.items()))
    return DOMAINS + table(("domain", "what it reads"), rows) + OLD_SPELLINGS + old


def fixture_format() -> str:
    """Return the keys of a fixture file, from its JSON Schema."""
    schema = json.loads(FIXTURE_FORMAT.read_text(encoding="utf-8"))
    parts = [("Fixture", schema), *schema["$defs"].items()]
    return FIXTURE_FORMAT_BEFORE + "\n".join(_part(name, part) for name, part in parts)


def _part(name: str, part: Mapping[str, Any]) -> str:
    required = part.get("required", [])
    rows = [
        (f"`{key}`", _type(value), "yes" if key in required else "no")
        for key, value in part.get("properties", {}).items()
    ]
    return f"## {name}\n\n{part.get('description', '')}\n\n" + table(("key", "value", "required"), rows)


def _type(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    for combination in ("anyOf", "oneOf"):
        if combination in schema:
            return " or ".join(_type(branch) for branch in schema[combination] if branch.get("type") != "null")
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    return "".join(_words(schema)) or "any"


def _words(schema: Mapping[str, Any]) -> Iterator[str]:
    yield str(schema.get("type", ""))
    if schema.get("items"):
        yield f" of {_type(schema['items'])}"
    if "minimum" in schema:
        yield f" from {schema['minimum']}"
    if "maximum" in schema:
        yield f" to {schema['maximum']}"


def dependencies() -> str:
    """Return what is installed along at run time, with the licence that each package names in its metadata."""
    always = _closure(_declared("dependencies"))
    extra = [name for name in _closure(_declared("documents")) if name not in always]
    return DEPENDENCIES_BEFORE + _licences(always) + DEPENDENCIES_OF_DOCUMENTS + _licences(extra)


def _licences(names: Iterable[str]) -> str:
    return table(("package", "licence"), ((f"`{name}`", _licence(name)) for name in names))


def _declared(key: str) -> list[str]:
    """Return the requirements in a list of pyproject.toml."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    declared = text.partition(f"\n{key} = [\n")[2].partition("\n]")[0]
    return [line.strip().strip('",') for line in declared.splitlines()]


def _closure(requirements: Iterable[str]) -> list[str]:
    """Return the names of packages and of all that these need, but for what only some releases of Python do."""
    found: set[str] = set()
    waiting = list(requirements)
    while waiting:
        requirement = Requirement(waiting.pop())
        marker = str(requirement.marker or "")
        name = canonicalize_name(requirement.name)
        if name in found or "extra" in marker or "python_" in marker:
            continue
        if requirement.marker is None or requirement.marker.evaluate():
            found.add(name)
            waiting += metadata.requires(name) or []
    return sorted(found)


def _licence(name: str) -> str:
    """Return the licence of an installed package: its expression, else its classifier, else the first line of it."""
    about = metadata.metadata(name).json
    named = [each.rpartition(" :: ")[2] for each in about.get("classifier", []) if str(each).startswith("License")]
    told = str(about.get("license_expression") or ", ".join(named) or about.get("license") or "").strip()
    return told.splitlines()[0] if told else "not named"


GALLERY_SEED = 3


def gallery() -> str:
    """Return a varied answer of each of ten domains."""
    known = packaged()
    found = ((name, domain.varied(Seed(GALLERY_SEED))) for name in GALLERY_DOMAINS if (domain := known.get(name)))
    blocks = (f"## {name}\n\n```json\n{json.dumps(each, indent=2, ensure_ascii=False)}\n```\n" for name, each in found)
    return GALLERY + "\n".join(blocks)


PAGES: Mapping[str, Callable[[], str]] = {
    "commands": commands,
    "routes": routes_page,
    "headers": headers,
    "errors": errors_page,
    "limits": limits,
    "quirks": quirks,
    "faults": faults,
    "findings": findings,
    "domains": domains,
    "fixture-format": fixture_format,
    "dependencies": dependencies,
    "fidelity": fidelity_page,
    "gallery": gallery,
}
"""The pages by the names of their files."""


def rendered(name: str) -> str:
    """Return a page as it must stand in docs/reference/."""
    return f"<!-- Made by python -m scripts.reference: change the code, not this page. -->\n\n{PAGES[name]()}"


def main() -> None:
    REFERENCE.mkdir(parents=True, exist_ok=True)
    for name in PAGES:
        (REFERENCE / f"{name}.md").write_text(rendered(name), encoding="utf-8")


if __name__ == "__main__":
    main()
