"""The options that commands share."""

from __future__ import annotations

import click

from vlmrun_mock.cli.values import size, upstream
from vlmrun_mock.recording.settings import VLM_RUN

host_option = click.option(
    "--host", default="127.0.0.1", envvar="VLMRUN_MOCK_HOST", show_default=True, help="Address to listen on."
)
port_option = click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    envvar="VLMRUN_MOCK_PORT",
    show_default=True,
    help="Port to listen on; 0 takes a free one and prints it.",
)
max_body_option = click.option(
    "--max-body",
    type=size,
    default="64MiB",
    envvar="VLMRUN_MOCK_MAX_BODY",
    metavar="SIZE",
    show_default=True,
    help="Largest request body.",
)

upstream_option = click.option(
    "--upstream",
    type=upstream,
    default=VLM_RUN,
    envvar="VLMRUN_MOCK_UPSTREAM",
    metavar="URL",
    show_default=True,
    help="The real API.",
)
timeout_option = click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True, max=86_400),
    default=600.0,
    envvar="VLMRUN_MOCK_TIMEOUT",
    show_default=True,
    metavar="SECONDS",
    help="How long the upstream may take for an answer.",
)
watch_option = click.option(
    "--watch",
    is_flag=True,
    envvar="VLMRUN_MOCK_WATCH",
    help="Load the fixture folders again whenever a file in them changes.",
)
