"""`vlmrun-mock record`."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from vlmrun_mock import __version__
from vlmrun_mock.address import Address
from vlmrun_mock.cli.foreground import run
from vlmrun_mock.cli.options import options_of
from vlmrun_mock.cli.shells import lines
from vlmrun_mock.display import count
from vlmrun_mock.lazy import lazy
from vlmrun_mock.mock.options.words import RecordMode
from vlmrun_mock.mock.proxies import exempting
from vlmrun_mock.mock.settings import Settings

if TYPE_CHECKING:
    from vlmrun_mock.mock.scopes import Scopes
    from vlmrun_mock.recording import store
else:
    store = lazy("vlmrun_mock.recording.store")

KEYS = "OPENAI_API_KEY and VLMRUN_API_KEY stay your real ones: they are passed on, and never written down."


@click.command()
@options_of("record")
def record(
    *,
    host: str,
    port: int,
    out: Path,
    mode: RecordMode,
    fixtures: tuple[Path, ...],
    watch: bool,
    shell: str,
    **choices: Any,
) -> None:
    """Serve, and record what the real API answers.

    It is asked for what no fixture answers yet, with the key that the client sends, and each answer becomes a fixture.
    """
    if mode != "none":
        _expect_writable(out)
        left = store.remove_unfinished(out)
        if left:
            click.echo(f"Removed {count(left, 'unfinished file')} of a recorder that was killed.", err=True)
    settings = Settings(fixtures=(out, *fixtures), record=mode, **choices)
    scopes = run(settings, host, port, partial(_banner, shell=shell), watch=watch)
    recorder = scopes.everyone.recorder
    if mode != "none":
        click.echo(f"Recorded {count(recorder.recorded, 'fixture')} into {out}.")
    if recorder.dropped:
        requests = count(recorder.dropped, "request")
        raise click.ClickException(f"the answers to {requests} were not waited for, and are lost")
    if recorder.unwritten:
        raise click.ClickException(f"{count(recorder.unwritten, 'fixture')} could not be written into {out}")


def _expect_writable(folder: Path) -> None:
    """End the command with an error if nothing can be written into a folder."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise click.ClickException(f"cannot write into {folder}: {error.strerror}") from None


def _banner(url: str, scopes: Scopes, notes: Sequence[str], *, shell: str) -> str:
    settings, loaded = scopes.settings, count(len(scopes.store.fixtures), "fixture")
    folder = os.fspath(settings.fixtures[0])
    does = f"records {settings.upstream} into {folder}" if scopes.everyone.records else f"replays {folder}"
    state = f"mode {settings.record}, {loaded} so far"
    variables = Address(url, "").base_urls | exempting(urlsplit(url).hostname or "", os.environ)
    return "\n".join(
        (
            f"vlmrun-mock {__version__} listens on {url} and {does} ({state}). Ctrl-C stops it.",
            *notes,
            "",
            *lines(variables, shell, os.name, KEYS),
            "",
        )
    )
