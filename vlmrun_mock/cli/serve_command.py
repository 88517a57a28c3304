"""`vlmrun-mock serve`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from vlmrun_mock import __version__
from vlmrun_mock.address import Address
from vlmrun_mock.cli.foreground import Inspector, run
from vlmrun_mock.cli.options import options_of
from vlmrun_mock.cli.shells import lines
from vlmrun_mock.display import printable
from vlmrun_mock.mock.proxies import exempting
from vlmrun_mock.mock.settings import Settings

if TYPE_CHECKING:
    from vlmrun_mock.mock.scopes import Scopes

LONGEST_FOLDER = 200
"""Characters of a folder's name that are printed."""


@click.command()
@options_of("serve")
def serve(
    *,
    host: str,
    port: int,
    fixtures: tuple[Path, ...],
    watch: bool,
    shell: str,
    inspect: bool | None,
    inspect_memory: int,
    opens: bool,
    **choices: Any,
) -> None:
    """Serve the mock until Ctrl-C."""
    if watch and not fixtures:
        raise click.UsageError("--watch needs --fixtures DIR: without a folder there is nothing to watch")
    banner = partial(_banner, shell=shell, watch=watch)
    inspector = Inspector(inspect, inspect_memory, opens)
    run(Settings(fixtures=fixtures, **choices), host, port, banner, watch=watch, inspector=inspector)


def _banner(url: str, scopes: Scopes, notes: Sequence[str], *, shell: str, watch: bool) -> str:
    settings = scopes.settings
    # A key that was given is a secret, and standard output often ends in a log.
    key = "<a key given with --api-key>" if settings.api_keys else "local"
    domains, fixtures = len(scopes.store.domains.names()), len(scopes.store.fixtures)
    loaded = f"{domains} domains, {fixtures} fixtures of yours, seed {settings.seed}"
    variables = Address(url, key).environment | exempting(urlsplit(url).hostname or "", os.environ)
    return "\n".join(
        (
            f"vlmrun-mock {__version__} listens on {url} ({loaded}). Ctrl-C stops it.",
            *_fixtures(settings, watch=watch),
            *_drills(settings),
            _variation(settings),
            *notes,
            "",
            *lines(variables, shell, os.name),
            "",
        )
    )


def _fixtures(settings: Settings, *, watch: bool) -> list[str]:
    """Return a line that names the folders of fixtures and what a miss is, where either was chosen."""
    folders = ", ".join(printable(os.fspath(folder), LONGEST_FOLDER) for folder in settings.fixtures)
    given = [f"Fixtures: {folders}{' (watched)' if watch else ''}."] if folders else []
    strict = ["Strict: a request that no fixture matches is an error."] if settings.strict else []
    return [" ".join(given + strict)] if given or strict else []


def _variation(settings: Settings) -> str:
    if settings.vary:
        return f"Each document gets an answer of its own (--vary, seed {settings.seed})."
    return "Every document of a domain gets the same answer; --vary gives each its own."


def _drills(settings: Settings) -> list[str]:
    """Return a line that says what will go wrong on purpose, if anything will."""
    faults = [f"Faults: {'; '.join(map(str, settings.faults))}."] if settings.faults else []
    limits = [f"Rate limit: {settings.rate_limit} for each key."] if settings.rate_limit else []
    return [" ".join(faults + limits)] if faults or limits else []
