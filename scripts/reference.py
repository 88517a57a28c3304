"""Write the pages of docs/reference/ from the code: `python -m scripts.reference`.

tests/docs/test_reference.py fails while a page differs from what this writes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from starlette.routing import Route

from vlmrun_mock.api import errors
from vlmrun_mock.api.quirks import QUIRKS
from vlmrun_mock.cli import main as cli
from vlmrun_mock.fixtures.check.finding import CODES
from vlmrun_mock.fixtures.domains import ALIASES, packaged
from vlmrun_mock.mock.faults import KINDS
from vlmrun_mock.mock.scopes import Scopes
from vlmrun_mock.mock.verdict import FINDINGS
from vlmrun_mock.web.app import routes

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
    "GET /v1/openai/models": "the documented models, as OpenAI lists them",
    "GET /v1/openai/models/{id}": "one model",
    "GET /v1/models": "every domain with its model",
    "GET /v1/domains": "all domains",
    "GET /v1/hub/domains": "the domains of vlmrun-hub",
    "GET /v1/hub/info": "the vlmrun-hub release that the schemas come from",
    "POST /v1/schema": "a domain's JSON Schema and the GraphQL statement that selects all of it",
    "POST /v1/hub/schema": "the same",
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
}
"""What each route answers."""

HEADERS: Mapping[str, str] = {
    "x-request-id": "a number for this request",
    "x-vlmrun-mock-source": "where the answer comes from: `fixture`, `generated`, or while recording `upstream`",
    "x-vlmrun-mock-fixture": "the fixture's name, percent-encoded where it is not ASCII",
    "x-vlmrun-mock-ignored": "the parameters that were sent and have no effect",
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
}
"""What each kind of fault puts on the wire, what that raises, and whether OpenAI's SDK tries again by itself."""


ERRORS = """# Errors

Every error body has `detail`. Below `/v1/openai/` it also has `error`, with `message`, `type`, `param` and `code`.
The `detail` of a 422 is FastAPI's list of problems.

"""

QUIRKS_BEFORE = """# Parameters without effect

The API documents these differences from OpenAI, and the mock reproduces them. By default it ignores these parameters,
and names those that ask for something in `x-vlmrun-mock-ignored` and in the log. With `--unsupported reject`, a
parameter that is documented as not supported is a 400 whose `error.param` names it. So a test suite can prove that an
application does not depend on it.

"""

QUIRKS_AFTER = """
Mind `stream`: the answer is one JSON body, in which a client that iterates a stream finds no chunk at all. The OpenAI
SDK's `chat.completions.stream()` ends in an assertion of its own.
"""

FAULTS_BEFORE = """# Faults

An application reads an invoice as JSON, checks it with a model and adds up the tokens. The table says what it sees with
OpenAI's Python SDK 1.109, and whether the SDK tries again by itself.

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

A repeatable option takes several values from its variable: folders separated as in `PATH`, keys and faults by blanks.

"""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of Markdown."""
    lines = (f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))
    return "\n".join(lines) + "\n"


def commands() -> str:
    """Return every command with its arguments and options."""
    return COMMANDS + "\n".join(_command(name, command) for name, command in cli.commands.items())


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
        return ""
    if isinstance(option.type, click.Choice):
        return ", ".join(f"`{choice}`" for choice in option.type.choices)
    return f"`{option.metavar or option.opts[0].lstrip('-').split('-')[-1].upper()}`"


def _default(option: click.Option) -> str:
    shown = option.show_default if isinstance(option.show_default, str) else option.default
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


def quirks() -> str:
    """Return every documented difference from OpenAI."""
    head = ("parameter", "documented", "where", "what happens", "asks for nothing")
    rows = []
    for quirk in QUIRKS:
        neutral = ", ".join(f"`{json.dumps(value)}`" for value in quirk.neutral)
        neutral += ", or a limit that the output does not reach" if quirk.supported else ""
        rows.append((f"`{quirk.parameter}`", quirk.documented, quirk.source, quirk.effect, neutral))
    return QUIRKS_BEFORE + table(head, rows) + QUIRKS_AFTER


def faults() -> str:
    """Return every kind of fault."""
    rows = ((f"`{kind}`", *FAULTS[kind]) for kind in KINDS)
    return FAULTS_BEFORE + table(("fault", "on the wire", "raised", "tried again"), rows) + FAULTS_AFTER


def findings() -> str:
    """Return the codes of `check` and of the verdict."""
    check = ((f"`{code}`", meaning) for code, meaning in CODES.items())
    verdict = ((f"`{code}`", meaning) for code, meaning in FINDINGS.items())
    of_check, of_the_verdict = table(("code", "meaning"), check), table(("code", "the client"), verdict)
    return FINDINGS_OF_CHECK + of_check + FINDINGS_OF_THE_VERDICT + of_the_verdict


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


PAGES: Mapping[str, Callable[[], str]] = {
    "commands": commands,
    "routes": routes_page,
    "headers": headers,
    "errors": errors_page,
    "quirks": quirks,
    "faults": faults,
    "findings": findings,
    "domains": domains,
    "fixture-format": fixture_format,
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
