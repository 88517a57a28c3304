"""The values of options that click has no type for."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import click

from vlmrun_mock.lazy import lazy
from vlmrun_mock.mock import rate_limit
from vlmrun_mock.mock.rate_limit import RateLimit
from vlmrun_mock.recording import address

if TYPE_CHECKING:
    from vlmrun_mock.mock import fault_format
    from vlmrun_mock.mock.faults import Fault
else:
    fault_format = lazy("vlmrun_mock.mock.fault_format")

UNITS = {"": 1, "b": 1, "kb": 1000, "mb": 1000**2, "gb": 1000**3, "kib": 1024, "mib": 1024**2, "gib": 1024**3}


def size(text: str) -> int:
    """Return the bytes in a size such as `64MiB`, `10MB` or `1048576`."""
    found = re.fullmatch(r"\s*(\d{1,18})\s*([a-z]*)\s*", text, re.IGNORECASE | re.ASCII)
    if not found or found[2].lower() not in UNITS or not int(found[1]):
        raise click.BadParameter(f"{text!r} is not a size such as 64MiB, 10MB or 1048576")
    return int(found[1]) * UNITS[found[2].lower()]


def limit(text: str) -> RateLimit:
    """Return the rate limit in a text such as `10/min`."""
    try:
        return rate_limit.parse(text)
    except rate_limit.RateLimitError as error:
        raise click.BadParameter(str(error)) from None


class FaultType(click.ParamType):  # type: ignore[type-arg]  # generic only in the latest releases of click
    """A fault such as `status=429,times=2`, or a JSON object; a variable may hold several."""

    name = "fault"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Fault:
        """Return the fault; ends the command with a usage error if there is something wrong with it."""
        try:
            return fault_format.parse_option(value, repr(value[:100]))
        except fault_format.FaultError as error:
            self.fail(str(error), param, ctx)

    def split_envvar_value(self, rv: str) -> list[str]:
        """Return the faults in a variable: a JSON object, a list of them, or pairs with blanks between the faults."""
        if not rv.lstrip().startswith(("[", "{")):
            return rv.split()
        try:
            found = json.loads(rv)
        except ValueError:
            return [rv]
        return [json.dumps(each) for each in found] if isinstance(found, list) else [rv]


def upstream(text: str) -> str:
    """Return the address of an upstream, such as `https://api.vlm.run`."""
    try:
        return address.base(text)
    except address.AddressProblem as problem:
        raise click.BadParameter(str(problem)) from None
