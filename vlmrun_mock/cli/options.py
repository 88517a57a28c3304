"""click's options, made from the table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from vlmrun_mock.cli.values import FaultType, limit, size, upstream
from vlmrun_mock.mock.options import Command, Kind, Option, of_command

Function = TypeVar("Function", bound=Callable[..., Any])

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)

TYPES: Mapping[Kind, Any] = {
    "text": str,
    "integer": int,
    "port": click.IntRange(0, 65535),
    "bytes": size,
    "seconds": click.FloatRange(min=0, min_open=True, max=86_400),
    "folder": click.Path(file_okay=False, path_type=Path),
    "folders": FOLDER,
    "keys": str,
    "faults": FaultType(),
    "rate": limit,
    "url": upstream,
}
"""What reads a value of each kind; a flag has none, and a word is one of its option's."""

folders_argument = click.argument("folders", metavar="DIR...", nargs=-1, required=True, type=FOLDER)


def options_of(command: Command) -> Callable[[Function], Function]:
    """Return a decorator that gives a command its options."""

    def decorated(function: Function) -> Function:
        for option in reversed(list(of_command(command))):
            function = _click_option(option)(function)
        return function

    return decorated


def _click_option(option: Option) -> Callable[[Function], Function]:
    names = (option.written, option.name)
    if option.kind == "flag":
        return click.option(*names, is_flag=True, envvar=option.variable, help=option.help)
    return click.option(
        *names,
        type=click.Choice(option.words) if option.words else TYPES[option.kind],
        multiple=option.is_repeatable,
        required=option.required,
        envvar=option.variable,
        metavar=option.metavar,
        help=option.help,
        **_default(option),
    )


def _default(option: Option) -> dict[str, Any]:
    """Return the default, if there is one: a size is written as a user would, everything else stands for itself."""
    if option.written_default is None:
        return {}
    default = option.written_default if option.kind == "bytes" else option.default
    return {"default": default, "show_default": True}
