"""Lines that set environment variables, to paste into a shell."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping

SHELLS: Mapping[str, Callable[[str, str], str]] = {
    "sh": lambda name, value: f"export {name}={shlex.quote(value)}",
    "powershell": lambda name, value: "$env:{} = '{}'".format(name, value.replace("'", "''")),
    "cmd": lambda name, value: f'set "{name}={value}"',
}
"""What sets a variable in each shell."""

COMMENTS: Mapping[str, str] = {"sh": "#", "powershell": "#", "cmd": "rem"}
WINDOWS: Mapping[str, str] = {"powershell": "In PowerShell:", "cmd": "In cmd:"}
"""The shells of Windows, where no variable tells which one it is."""


def lines(variables: Mapping[str, str], shell: str, platform: str, comment: str = "") -> Iterator[str]:
    """Yield the lines for a shell; for `auto`, those of each usual shell of a platform, as `os.name` has it.

    A `comment` stands below them.
    """
    wanted = [shell] if shell != "auto" else list(WINDOWS) if platform == "nt" else ["sh"]
    for number, each in enumerate(wanted):
        if len(wanted) > 1:
            yield from ("", WINDOWS[each]) if number else (WINDOWS[each],)
        yield from (SHELLS[each](name, value) for name, value in variables.items())
        if comment:
            yield f"{COMMENTS[each]} {comment}"
