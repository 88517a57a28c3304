"""click's options, made from the table."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from vlmrun_mock.cli.values import FaultType, limit, size, upstream
from vlmrun_mock.mock.options import of_command
from vlmrun_mock.mock.options.option import Command, Kind, Option

Function = TypeVar("Function", bound=Callable[..., Any])

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)

TYPES: Mapping[Kind, Any] = {
    "host": str,
    "port": click.IntRange(0, 65535),
    "bytes": size,
    "seconds": click.FloatRange(min=0, min_open=True, max=86_400),
    "share": click.FloatRange(min=0, max=1),
    "file": click.Path(dir_okay=False, path_type=Path),
    "files": FILE,
    "folder": click.Path(file_okay=False, path_type=Path),
    "folders": FOLDER,
    "keys": str,
    "key": str,
    "names": str,
    "faults": FaultType(),
    "rate": limit,
    "url": upstream,
}
"""The type of click that reads a value of each kind, where it is the same for all options of the kind."""

# What a command is about, such as the folders that `check` looks at, is an argument of click's and no option of the
# table: it differs with every call, so that no environment and no default could give it.

folders_argument = click.argument("folders", metavar="DIR...", nargs=-1, required=True, type=FOLDER)


SERVICE_ADDRESS = re.compile(r"(?:tcp|udp|sctp)://", re.IGNORECASE)
"""The beginning of a value that Kubernetes or a Docker link writes for a service, such as `tcp://10.0.0.1:8000`."""


class ClickOption(click.Option):
    """An option, whose variable does not count where it holds the address of a service.

    For a Service named `vlmrun-mock`, Kubernetes sets `VLMRUN_MOCK_PORT`:
    https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
    """

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        """Return the value of the variable; None if it is not set, or not meant for this option."""
        value = super().resolve_envvar_value(ctx)
        if value is None or not SERVICE_ADDRESS.match(value):
            return value
        if not ctx.resilient_parsing:
            line = f"{self.envvar}={value:.100} is the address of a service, as Kubernetes sets it, and is ignored"
            click.echo(f"{line}; {self.opts[0]} gives another value.", err=True)
        return None


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
    if option.kind == "switch":
        both = f"{option.written}/--no-{option.written[2:]}"
        return click.option(both, option.name, default=option.default, envvar=option.variable, help=option.help)
    return click.option(
        *names,
        cls=ClickOption,
        type=_type(option),
        multiple=option.is_repeatable,
        required=option.required,
        envvar=option.variable,
        metavar=option.metavar,
        help=option.help,
        callback=_as_set if option.kind in ("keys", "names") else None,
        **_default(option),
    )


def _type(option: Option) -> Any:
    """Return the type of click that reads a value of an option."""
    if option.kind == "word":
        return click.Choice(option.words)
    if option.kind == "integer":
        is_limited = option.least is not None or option.most is not None
        return click.IntRange(option.least, option.most) if is_limited else int
    return TYPES[option.kind]


def _as_set(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> frozenset[str]:
    """Return what was given repeatedly, without the empty values of variables that are set to nothing."""
    return frozenset(filter(None, values))


def _default(option: Option) -> dict[str, Any]:
    """Return the default, if there is one: a size is written as a user would, everything else stands for itself."""
    if option.written_default is None:
        return {}
    default = option.written_default if option.kind == "bytes" else option.default
    return {"default": default, "show_default": True}
