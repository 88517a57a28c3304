"""`vlmrun-mock serve`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vlmrun_mock import __version__
from vlmrun_mock.cli.foreground import run
from vlmrun_mock.cli.options import options_of
from vlmrun_mock.mock.settings import Settings

if TYPE_CHECKING:
    from vlmrun_mock.mock.scopes import Scopes


@click.command()
@options_of("serve")
def serve(
    *, host: str, port: int, fixtures: tuple[Path, ...], watch: bool, api_keys: tuple[str, ...], **choices: Any
) -> None:
    """Serve the mock until Ctrl-C."""
    if watch and not fixtures:
        raise click.UsageError("--watch needs --fixtures DIR: without a folder there is nothing to watch")
    settings = Settings(fixtures=fixtures, api_keys=frozenset(filter(None, api_keys)), **choices)
    run(settings, host, port, _banner, watch=watch)


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
