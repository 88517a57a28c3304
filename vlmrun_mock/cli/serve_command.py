"""`vlmrun-mock serve`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vlmrun_mock import __version__
from vlmrun_mock.cli.foreground import run
from vlmrun_mock.cli.options import host_option, max_body_option, port_option, watch_option
from vlmrun_mock.cli.values import FaultType, limit
from vlmrun_mock.mock.settings import Settings

if TYPE_CHECKING:
    from vlmrun_mock.mock.scopes import Scopes


@click.command()
@host_option
@port_option
@click.option(
    "--fixtures",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    envvar="VLMRUN_MOCK_FIXTURES",
    metavar="DIR",
    help="Folder of fixture files. Repeatable; the first folder wins.",
)
@watch_option
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
@max_body_option
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
@click.option(
    "--latency",
    type=click.Choice(["scripted", "recorded"]),
    default="scripted",
    envvar="VLMRUN_MOCK_LATENCY",
    show_default=True,
    help="Whether to wait as fixtures say, or also for as long as the upstream took when they were recorded.",
)
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
