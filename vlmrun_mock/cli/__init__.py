"""The command line: a thin shell over the package."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from importlib import import_module

import click

from vlmrun_mock import __version__
from vlmrun_mock.cli.output import escape_unencodable

COMMANDS: Mapping[str, str] = {
    "serve": "serve_command:serve",
    "record": "record_command:record",
    "check": "check_command:check",
    "drift": "drift_command:drift",
    "domains": "domains_command:domains",
    "score": "score_command:score_",
    "documents": "documents_command:documents",
    "hash": "hash_command:hash_",
}
"""Each command, and the module and name below this package that it is loaded from."""

LOADED = 200_000
"""How many objects are made before Python looks for garbage in cycles: to load a command takes fewer, all in use."""


def command(name: str) -> click.Command:
    """Load a command; raises KeyError for a name that is none."""
    module, _, function = COMMANDS[name].partition(":")
    loaded: click.Command = getattr(import_module(f"{__name__}.{module}"), function)
    return loaded


class Commands(click.Group):
    """The commands, of which one is loaded when it is typed: most of a start is loading."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, in the order in which help shows them."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, or None where there is none of that name."""
        del ctx
        gc.set_threshold(LOADED)
        return command(cmd_name) if cmd_name in COMMANDS else None


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="vlmrun-mock")
def main() -> None:
    """Stand in for VLM Run's API, offline."""
    escape_unencodable()
