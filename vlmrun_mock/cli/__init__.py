"""The command line: a thin shell over the package."""

from __future__ import annotations

import click

from vlmrun_mock import __version__
from vlmrun_mock.cli.check_command import check
from vlmrun_mock.cli.domains_command import domains
from vlmrun_mock.cli.drift_command import drift
from vlmrun_mock.cli.hash_command import hash_
from vlmrun_mock.cli.record_command import record
from vlmrun_mock.cli.serve_command import serve

__all__ = ["check", "domains", "drift", "hash_", "main", "record", "serve"]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="vlmrun-mock")
def main() -> None:
    """Stand in for VLM Run's OpenAI-compatible API, offline."""


for command in (serve, record, check, drift, domains, hash_):
    main.add_command(command)
