"""Settings as keywords of Python: checked, and explained when they are wrong."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from vlmrun_mock.lazy import lazy
from vlmrun_mock.mock import rate_limit
from vlmrun_mock.mock.faults import Fault
from vlmrun_mock.mock.options import SETTINGS
from vlmrun_mock.mock.options.option import Kind, Option
from vlmrun_mock.mock.rate_limit import RateLimit
from vlmrun_mock.mock.settings import Settings
from vlmrun_mock.recording import address
from vlmrun_mock.recording.settings import is_sendable

if TYPE_CHECKING:
    from vlmrun_mock.mock import fault_format
else:
    fault_format = lazy("vlmrun_mock.mock.fault_format")

Reader: TypeAlias = Callable[[Option, Any], Any]


class SettingsError(ValueError):
    """A setting that is not known or has a value that it cannot have; the message says which are valid."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """Settings, and the fixtures that were written in place instead of in a folder, in the format of a file."""

    settings: Settings
    fixtures: tuple[Mapping[str, Any], ...] = ()


def configuration(keywords: Mapping[str, Any], folder: Path | None = None) -> Configuration:
    """Return what keywords configure, by the names of Settings; raises SettingsError.

    `fixtures` is a folder or a fixture as a mapping, or several of either; `folder` is what a folder's path is relative
    to, the working directory unless it is given. A fault is written as a mapping or as for `--fault`, a rate limit as
    for `--rate-limit`.
    """
    for name in keywords:
        if name not in SETTINGS:
            close = difflib.get_close_matches(name, SETTINGS, n=1)
            hint = f" (did you mean {close[0]!r}?)" if close else ""
            raise SettingsError(f"there is no setting {name!r}{hint}; there are {', '.join(SETTINGS)}")
    values = {name: READERS[SETTINGS[name].kind](SETTINGS[name], value) for name, value in keywords.items()}
    given = values.pop("fixtures", ())
    in_place = tuple(each for each in given if isinstance(each, Mapping))
    folders = tuple((folder or Path()) / each for each in given if not isinstance(each, Mapping))
    if values.get("record") and not folders:
        raise SettingsError("record needs fixtures: a folder that recordings are written into, and replayed from")
    return Configuration(Settings(fixtures=folders, **values), in_place)


def _fixtures(option: Option, value: Any) -> tuple[Path | Mapping[str, Any], ...]:
    """Return folders and mappings."""
    found: list[Path | Mapping[str, Any]] = []
    for each in _several(value, (str, PathLike, Mapping)):
        if isinstance(each, Mapping):
            found.append(each)
        elif isinstance(each, (str, PathLike)):
            found.append(Path(each))
        else:
            raise _wrong(option, "folders, or fixtures as mappings", each)
    return tuple(found)


def _flag(option: Option, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _wrong(option, "True or False", value)
    return value


def _integer(option: Option, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _wrong(option, "a whole number", value)
    return value


def _bytes(option: Option, value: Any) -> int:
    number = _integer(option, value)
    if number < 1:
        raise _wrong(option, "a positive number of bytes", value)
    return number


def _seconds(option: Option, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < math.inf:
        raise _wrong(option, "a positive number of seconds", value)
    return float(value)


def _share(option: Option, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise _wrong(option, "a number from 0 to 1", value)
    return float(value)


def _word(option: Option, value: Any) -> str | None:
    if value not in option.words and not (value is None and option.default is None):
        raise _wrong(option, " or ".join(map(repr, option.words)), value)
    word: str | None = value
    return word


def _url(option: Option, value: Any) -> str:
    try:
        return address.base(str(value))
    except address.AddressProblem as problem:
        raise SettingsError(f"{option.name}: {problem}") from None


def _key(option: Option, value: Any) -> str | None:
    if value is not None and not (isinstance(value, str) and value and is_sendable(value)):
        raise SettingsError(f"{option.name} is a key of plain characters that is not empty, or None")
    return value


def _keys(option: Option, value: Any) -> frozenset[str]:
    keys = list(_several(value, str))
    if not all(isinstance(key, str) and key for key in keys):
        raise _wrong(option, f"{option.kind} that are not empty", value)
    return frozenset(keys)


def _faults(option: Option, value: Any) -> tuple[Fault, ...]:
    found: list[Fault] = []
    for each in _several(value, (str, Mapping, Fault)):
        if isinstance(each, Fault):
            found.append(each)
        elif isinstance(each, str):
            found.append(fault_format.parse_option(each, option.name))
        elif isinstance(each, Mapping):
            found.append(fault_format.parse(each, option.name))
        else:
            raise _wrong(option, "faults such as 'status=429,times=2'", each)
    return tuple(found)


def _rate_limit(option: Option, value: Any) -> RateLimit | None:
    if value is None or isinstance(value, RateLimit):
        return value
    try:
        return rate_limit.parse(str(value))
    except rate_limit.RateLimitError as error:
        raise SettingsError(f"{option.name}: {error}") from None


READERS: Mapping[Kind, Reader] = {
    "flag": _flag,
    "word": _word,
    "integer": _integer,
    "bytes": _bytes,
    "seconds": _seconds,
    "share": _share,
    "folders": _fixtures,
    "key": _key,
    "keys": _keys,
    "names": _keys,
    "faults": _faults,
    "rate": _rate_limit,
    "url": _url,
}
"""What checks a value of each kind of setting."""


def _several(value: Any, single: type | tuple[type, ...]) -> Iterable[Any]:
    """Return the values of a list, of which one may stand for itself."""
    if isinstance(value, single):
        return [value]
    return value if isinstance(value, Iterable) and not isinstance(value, (bytes, bytearray)) else [value]


def _wrong(option: Option, valid: str, value: object) -> SettingsError:
    return SettingsError(f"{option.name} is {valid}, not {value!r:.100}")
