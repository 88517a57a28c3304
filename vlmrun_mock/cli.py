"""The command line: a thin shell over the package."""

from __future__ import annotations

import contextlib
import gc
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vlmrun_mock import __version__, rate_limit
from vlmrun_mock.fixture_error import FixtureFolderError
from vlmrun_mock.rate_limit import RateLimit
from vlmrun_mock.settings import Settings

if TYPE_CHECKING:
    from vlmrun_mock.faults import Fault
    from vlmrun_mock.scopes import Scopes

UNITS = {"": 1, "b": 1, "kb": 1000, "mb": 1000**2, "gb": 1000**3, "kib": 1024, "mib": 1024**2, "gib": 1024**3}


def size(text: str) -> int:
    """Return the bytes in a size such as `64MiB`, `10MB` or `1048576`."""
    found = re.fullmatch(r"\s*(\d{1,18})\s*([a-z]*)\s*", text, re.IGNORECASE | re.ASCII)
    if not found or found[2].lower() not in UNITS or not int(found[1]):
        raise click.BadParameter(f"{text!r} is not a size such as 64MiB, 10MB or 1048576")
    return int(found[1]) * UNITS[found[2].lower()]


def limit(text: str) -> RateLimit:
    """Return the rate limit in a text such as `10/min`."""
    try:
        return rate_limit.parse(text)
    except rate_limit.RateLimitError as error:
        raise click.BadParameter(str(error)) from None


class FaultType(click.ParamType):  # type: ignore[type-arg]  # generic only in the latest releases of click
    """A fault such as `status=429,times=2`, or a JSON object; a variable may hold several."""

    name = "fault"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Fault:
        """Return the fault; ends the command with a usage error if there is something wrong with it."""
        from vlmrun_mock import fault_file  # noqa: PLC0415 - heavy (pydantic): imported when first needed

        try:
            return fault_file.parse_option(value, repr(value[:100]))
        except fault_file.FaultError as error:
            self.fail(str(error), param, ctx)

    def split_envvar_value(self, rv: str) -> list[str]:
        """Return the faults in a variable: a JSON object, a list of them, or pairs with blanks between the faults."""
        if not rv.lstrip().startswith(("[", "{")):
            return rv.split()
        try:
            found = json.loads(rv)
        except ValueError:
            return [rv]
        return [json.dumps(each) for each in found] if isinstance(found, list) else [rv]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="vlmrun-mock")
def main() -> None:
    """Stand in for VLM Run's OpenAI-compatible API, offline."""


@main.command()
@click.option("--host", default="127.0.0.1", envvar="VLMRUN_MOCK_HOST", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    envvar="VLMRUN_MOCK_PORT",
    show_default=True,
    help="Port to listen on; 0 takes a free one and prints it.",
)
@click.option(
    "--fixtures",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    envvar="VLMRUN_MOCK_FIXTURES",
    metavar="DIR",
    help="Folder of fixture files. Repeatable; the first folder wins.",
)
@click.option(
    "--watch",
    is_flag=True,
    envvar="VLMRUN_MOCK_WATCH",
    help="Load the fixture folders again whenever a file in them changes.",
)
@click.option(
    "--strict",
    is_flag=True,
    envvar="VLMRUN_MOCK_STRICT",
    help="Answer an error, which explains the miss, where no fixture of yours matches.",
)
@click.option("--seed", type=int, default=0, envvar="VLMRUN_MOCK_SEED", show_default=True, help="Decides drawn values.")
@click.option(
    "--unsupported",
    type=click.Choice(["ignore", "reject"]),
    default="ignore",
    envvar="VLMRUN_MOCK_UNSUPPORTED",
    show_default=True,
    help="What becomes of parameters that the API does not support.",
)
@click.option(
    "--unknown-domain",
    type=click.Choice(["reject", "generate"]),
    default="reject",
    envvar="VLMRUN_MOCK_UNKNOWN_DOMAIN",
    show_default=True,
    help="What becomes of domains that nobody knows.",
)
@click.option(
    "--api-key",
    "api_keys",
    multiple=True,
    envvar="VLMRUN_MOCK_API_KEY",
    metavar="KEY",
    help="Accept this key. Repeatable; without it any key is accepted.",
)
@click.option(
    "--clock",
    type=click.Choice(["frozen", "wall"]),
    default="frozen",
    envvar="VLMRUN_MOCK_CLOCK",
    show_default=True,
    help="Whether `created` is constant or the real time.",
)
@click.option(
    "--ids",
    type=click.Choice(["stable", "random"]),
    default="stable",
    envvar="VLMRUN_MOCK_IDS",
    show_default=True,
    help="Whether a completion's id follows from its request or is fresh.",
)
@click.option(
    "--max-body",
    type=size,
    default="64MiB",
    envvar="VLMRUN_MOCK_MAX_BODY",
    metavar="SIZE",
    show_default=True,
    help="Largest request body.",
)
@click.option(
    "--fault",
    "faults",
    multiple=True,
    type=FaultType(),
    envvar="VLMRUN_MOCK_FAULT",
    metavar="FAULT",
    help="Fail on purpose, such as `status=429,times=2`. Repeatable; of those due, the first strikes.",
)
@click.option(
    "--rate-limit",
    type=limit,
    envvar="VLMRUN_MOCK_RATE_LIMIT",
    metavar="RATE",
    help="Answer 429 to a key's requests beyond this, such as `10/min`; also `/s` and `/hour`.",
)
def serve(
    *, host: str, port: int, fixtures: tuple[Path, ...], watch: bool, api_keys: tuple[str, ...], **choices: Any
) -> None:
    """Serve the mock until Ctrl-C."""
    if watch and not fixtures:
        raise click.UsageError("--watch needs --fixtures DIR: without a folder there is nothing to watch")
    # Heavy: not imported by the other commands.
    from vlmrun_mock import server  # noqa: PLC0415
    from vlmrun_mock.console import Console  # noqa: PLC0415
    from vlmrun_mock.web.app import application  # noqa: PLC0415

    scopes = _scopes(Settings(fixtures=fixtures, api_keys=frozenset(filter(None, api_keys)), **choices))
    try:
        listener = server.bind(host, port)
    except (OSError, UnicodeError) as error:  # the latter: a name that cannot be one
        reason = getattr(error, "strerror", None) or error
        raise click.ClickException(f"cannot listen on {host:.100}:{port}: {reason}") from None
    url = server.url_of(listener)

    console = Console()

    def announce() -> None:
        console.log(_banner(url, scopes))
        # What the first request will need is loaded beside the server's start, which does not wait for it.
        ending.enter_context(server.beside(_warmed(scopes)))
        if watch:
            from vlmrun_mock.watch import watching  # noqa: PLC0415 - heavy: only with --watch

            ending.enter_context(watching(scopes.library, console.from_other_threads()))

    with contextlib.ExitStack() as ending:
        ending.callback(console.flush)
        server.run(application(scopes, log=console.log), listener, announce)


def _warmed(scopes: Scopes) -> Iterator[None]:
    """Load what requests will need, and then take all that is loaded out of the garbage collector's rounds.

    It lives as long as the server; 10,000 fixtures would hold up requests by 0.2 s at each round.
    """
    yield from scopes.everyone.warm()
    gc.freeze()


@main.command()
@click.argument("domain", required=False)
def domains(domain: str | None) -> None:
    """List the domains, or print the packaged answer of one."""
    from vlmrun_mock.domains import packaged  # noqa: PLC0415 - heavy: not imported by the other commands

    known = packaged()
    if domain is None:
        width = max(map(len, known.names()))
        for name in known.names():
            found = known.get(name)
            click.echo(f"{name:<{width}}  {found.description if found else ''}".rstrip())
        return
    found = known.get(domain)
    if found is None:
        closest = ", ".join(known.closest(domain))
        raise click.ClickException(f"unknown domain {domain[:100]!r}" + (f"; closest: {closest}" if closest else ""))
    click.echo(json.dumps(found.content, indent=2, ensure_ascii=False))


@main.command("hash")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def hash_(files: tuple[Path, ...]) -> None:
    """Print the identity of documents, as fixtures name them."""
    from vlmrun_mock import documents  # noqa: PLC0415 - heavy: not imported by the other commands

    for file in files:
        try:
            click.echo(f"{documents.identity(file.read_bytes())}  {file}")
        except OSError as error:
            raise click.ClickException(f"cannot read {file}: {error.strerror}") from None


def _scopes(settings: Settings) -> Scopes:
    """Return a server's mocks; a fixture that does not load is a clear end."""
    from vlmrun_mock.scopes import Scopes  # noqa: PLC0415 - heavy: not imported by the other commands

    try:
        return Scopes(settings)
    except FixtureFolderError as error:
        raise click.ClickException(f"fixtures do not load:\n{error}") from None


def _banner(url: str, scopes: Scopes) -> str:
    # A key that was given is a secret, and standard output often ends in a log.
    key = "'<a key given with --api-key>'" if scopes.settings.api_keys else "local"
    loaded = f"{len(scopes.library.domains.names())} domains, {len(scopes.library.fixtures)} fixtures of yours"
    return "\n".join(
        (
            f"vlmrun-mock {__version__} listens on {url} ({loaded}). Ctrl-C stops it.",
            *_drills(scopes.settings),
            "",
            f"export OPENAI_BASE_URL={url}/v1/openai",
            f"export OPENAI_API_KEY={key}",
            f"export VLMRUN_BASE_URL={url}/v1",
            f"export VLMRUN_API_KEY={key}",
            "",
        )
    )


def _drills(settings: Settings) -> list[str]:
    """Return a line that says what will go wrong on purpose, if anything will."""
    faults = [f"Faults: {'; '.join(map(str, settings.faults))}."] if settings.faults else []
    limits = [f"Rate limit: {settings.rate_limit} for each key."] if settings.rate_limit else []
    return [" ".join(faults + limits)] if faults or limits else []


if __name__ == "__main__":
    main()
