"""The command line: a thin shell over the package."""

from __future__ import annotations

import asyncio
import io
import os
import re
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vlmrun_mock import __version__
from vlmrun_mock.fixture_error import FixtureFolderError
from vlmrun_mock.settings import Settings

if TYPE_CHECKING:
    from vlmrun_mock.mock import Mock

UNITS = {"": 1, "b": 1, "kb": 1000, "mb": 1000**2, "gb": 1000**3, "kib": 1024, "mib": 1024**2, "gib": 1024**3}


def size(text: str) -> int:
    """Return the bytes in a size such as `64MiB`, `10MB` or `1048576`."""
    found = re.fullmatch(r"\s*(\d{1,18})\s*([a-z]*)\s*", text, re.IGNORECASE | re.ASCII)
    if not found or found[2].lower() not in UNITS or not int(found[1]):
        raise click.BadParameter(f"{text!r} is not a size such as 64MiB, 10MB or 1048576")
    return int(found[1]) * UNITS[found[2].lower()]


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
def serve(host: str, port: int, fixtures: tuple[Path, ...], api_keys: tuple[str, ...], **choices: Any) -> None:
    """Serve the mock until Ctrl-C."""
    # Heavy: not imported by the other commands.
    from vlmrun_mock import server  # noqa: PLC0415
    from vlmrun_mock.web.app import application  # noqa: PLC0415

    mock = _mock(Settings(fixtures=fixtures, api_keys=frozenset(filter(None, api_keys)), **choices))
    try:
        listener = server.bind(host, port)
    except (OSError, UnicodeError) as error:  # the latter: a name that cannot be one
        reason = getattr(error, "strerror", None) or error
        raise click.ClickException(f"cannot listen on {host:.100}:{port}: {reason}") from None
    url = server.url_of(listener)

    console = Console()
    stopped = threading.Event()

    def announce() -> None:
        console.log(_banner(url, mock))
        # What the first request will need is loaded beside the server's start, which does not wait for it.
        threading.Thread(target=_warm, args=(mock, stopped)).start()

    try:
        server.run(application(mock, log=console.log), listener, announce)
    finally:
        stopped.set()


def _warm(mock: Mock, stopped: threading.Event) -> None:
    """Warm a mock until told to stop; a thread that is killed in the middle would abort the process."""
    for _ in mock.warm():
        if stopped.is_set():
            return


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
    import json  # noqa: PLC0415

    click.echo(json.dumps(found.content, indent=2, ensure_ascii=False))


@main.command("hash")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def hash_(files: tuple[Path, ...]) -> None:
    """Print the identity of documents, as `match.documents` in a fixture wants it."""
    from vlmrun_mock import documents  # noqa: PLC0415 - heavy: not imported by the other commands

    for file in files:
        try:
            click.echo(f"{documents.identity(file.read_bytes())}  {file}")
        except OSError as error:
            raise click.ClickException(f"cannot read {file}: {error.strerror}") from None


def _mock(settings: Settings) -> Mock:
    """Return a mock; a fixture that does not load is a clear end."""
    from vlmrun_mock.mock import Mock  # noqa: PLC0415 - heavy: not imported by the other commands

    try:
        return Mock(settings)
    except FixtureFolderError as error:
        raise click.ClickException(f"fixtures do not load:\n{error}") from None


def _banner(url: str, mock: Mock) -> str:
    # A key that was given is a secret, and standard output often ends in a log.
    key = "'<a key given with --api-key>'" if mock.settings.api_keys else "local"
    loaded = f"{len(mock.domains.names())} domains, {len(mock.fixtures)} fixtures of yours"
    return "\n".join(
        (
            f"vlmrun-mock {__version__} listens on {url} ({loaded}). Ctrl-C stops it.",
            "",
            f"export OPENAI_BASE_URL={url}/v1/openai",
            f"export OPENAI_API_KEY={key}",
            f"export VLMRUN_BASE_URL={url}/v1",
            f"export VLMRUN_API_KEY={key}",
            "",
        )
    )


class Console:
    """Standard output as a log: what is written in one turn of the event loop goes out together, at its end."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        if isinstance(sys.stdout, io.TextIOWrapper):  # it is None where standard output was closed from the start
            # A character that the terminal cannot show must not end the log.
            sys.stdout.reconfigure(errors="backslashreplace")

    def log(self, line: str) -> None:
        """Write a line, from within the event loop."""
        if not self._lines:
            asyncio.get_running_loop().call_soon(self._flush)
        self._lines.append(line)

    def _flush(self) -> None:
        lines, self._lines = self._lines, []
        try:
            print("\n".join(lines), flush=True)  # noqa: T201 - the log of a command line tool
        except (OSError, ValueError):
            # A reader that has gone away must not stop the server.
            sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - open as long as the process


if __name__ == "__main__":
    main()
