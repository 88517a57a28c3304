"""`vlmrun-mock record`."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vlmrun_mock import __version__
from vlmrun_mock.cli.foreground import run
from vlmrun_mock.cli.options import options_of
from vlmrun_mock.mock.settings import RecordMode, Settings

if TYPE_CHECKING:
    from vlmrun_mock.mock.scopes import Scopes


@click.command()
@options_of("record")
def record(
    *, host: str, port: int, out: Path, mode: RecordMode, fixtures: tuple[Path, ...], watch: bool, **choices: Any
) -> None:
    """Serve, and record what the real API answers.

    It is asked for what no fixture answers yet, with the key that the client sends, and each answer becomes a fixture.
    """
    if mode != "none":
        _expect_writable(out)
    scopes = run(Settings(fixtures=(out, *fixtures), record=mode, **choices), host, port, _banner, watch=watch)
    recorder = scopes.everyone.recorder
    if mode != "none":
        click.echo(f"Recorded {_fixtures(recorder.recorded)} into {out}.")
    if recorder.dropped:
        raise click.ClickException(f"the answers to {_requests(recorder.dropped)} were not waited for, and are lost")
    if recorder.unwritten:
        raise click.ClickException(f"{_fixtures(recorder.unwritten)} could not be written into {out}")


def _expect_writable(folder: Path) -> None:
    """End with a clear error if nothing can be written into a folder."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise click.ClickException(f"cannot write into {folder}: {error.strerror}") from None


def _fixtures(number: int) -> str:
    return f"{number} fixture{'' if number == 1 else 's'}"


def _requests(number: int) -> str:
    return f"{number} request{'' if number == 1 else 's'}"


def _banner(url: str, scopes: Scopes) -> str:
    settings, loaded = scopes.settings, _fixtures(len(scopes.library.fixtures))
    folder = os.fspath(settings.fixtures[0])
    does = f"records {settings.upstream} into {folder}" if scopes.everyone.records else f"replays {folder}"
    state = f"mode {settings.record}, {loaded} so far"
    return "\n".join(
        (
            f"vlmrun-mock {__version__} listens on {url} and {does} ({state}). Ctrl-C stops it.",
            "",
            f"export OPENAI_BASE_URL={url}/v1/openai",
            f"export VLMRUN_BASE_URL={url}/v1",
            "# OPENAI_API_KEY and VLMRUN_API_KEY stay your real ones: they are passed on, and never written down.",
            "",
        )
    )
