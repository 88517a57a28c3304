"""Settings as Python callers write them: checked, and explained when they are wrong."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, get_args

from vlmrun_mock.mock import rate_limit
from vlmrun_mock.mock.faults import Fault
from vlmrun_mock.mock.rate_limit import RateLimit
from vlmrun_mock.mock.settings import Clock, Ids, Latency, RecordMode, Settings, UnknownDomain, Unsupported
from vlmrun_mock.recording.settings import is_sendable


class SettingsError(ValueError):
    """A setting that is not known or has a value that it cannot have; the message says which are valid."""


@dataclass(frozen=True, slots=True)
class Choices:
    """Settings, and the fixtures that were written in place instead of in a folder, in the format of a file."""

    settings: Settings
    fixtures: tuple[Mapping[str, Any], ...] = ()


def chosen(given: Mapping[str, Any], folder: Path | None = None) -> Choices:
    """Return what a caller chose, by the names of Settings; raises SettingsError.

    `fixtures` is a folder or a fixture as a mapping, or several of either; `folder` is what a folder's path is relative
    to, the working directory unless it is given. A fault is written as a mapping or as for `--fault`, a rate limit as
    for `--rate-limit`.
    """
    for name in given:
        if name not in VALUES:
            close = difflib.get_close_matches(name, VALUES, n=1)
            hint = f" (did you mean {close[0]!r}?)" if close else ""
            raise SettingsError(f"there is no setting {name!r}{hint}; there are {', '.join(VALUES)}")
    values = {name: VALUES[name](name, value) for name, value in given.items()}
    wanted = values.pop("fixtures", ())
    written = tuple(each for each in wanted if isinstance(each, Mapping))
    folders = tuple((folder or Path()) / each for each in wanted if not isinstance(each, Mapping))
    if values.get("record") and not folders:
        raise SettingsError("record needs fixtures: a folder that recordings are written into, and replayed from")
    return Choices(Settings(fixtures=folders, **values), written)


def _fixtures(name: str, value: Any) -> tuple[Path | Mapping[str, Any], ...]:
    """Return folders and mappings."""
    found: list[Path | Mapping[str, Any]] = []
    for each in _several(value, (str, PathLike, Mapping)):
        if isinstance(each, Mapping):
            found.append(each)
        elif isinstance(each, (str, PathLike)):
            found.append(Path(each))
        else:
            raise _wrong(name, "folders, or fixtures as mappings", each)
    return tuple(found)


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _wrong(name, "True or False", value)
    return value


def _number(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _wrong(name, "a whole number", value)
    return value


def _size(name: str, value: Any) -> int:
    number = _number(name, value)
    if number < 1:
        raise _wrong(name, "a positive number of bytes", value)
    return number


def _seconds(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < math.inf:
        raise _wrong(name, "a positive number of seconds", value)
    return float(value)


def _mode(name: str, value: Any) -> RecordMode | None:
    modes: RecordMode | None = None if value is None else _word(get_args(RecordMode))(name, value)
    return modes


def _address(name: str, value: Any) -> str:
    from vlmrun_mock.recording import address  # noqa: PLC0415 - only for recording

    try:
        return address.base(str(value))
    except address.AddressProblem as problem:
        raise SettingsError(f"{name}: {problem}") from None


def _key(name: str, value: Any) -> str | None:
    if value is not None and not (isinstance(value, str) and value and is_sendable(value)):
        raise SettingsError(f"{name} is a key of plain characters that is not empty, or None")
    return value


def _word(words: Sequence[str]) -> Callable[[str, Any], Any]:
    def read(name: str, value: Any) -> Any:
        if value not in words:
            raise _wrong(name, " or ".join(map(repr, words)), value)
        return value

    return read


def _keys(name: str, value: Any) -> frozenset[str]:
    keys = list(_several(value, str))
    if not all(isinstance(key, str) and key for key in keys):
        raise _wrong(name, "keys that are not empty", value)
    return frozenset(keys)


def _faults(name: str, value: Any) -> tuple[Fault, ...]:
    from vlmrun_mock.mock import fault_format  # noqa: PLC0415 - heavy (pydantic): imported when first needed

    found: list[Fault] = []
    for each in _several(value, (str, Mapping, Fault)):
        if isinstance(each, Fault):
            found.append(each)
        elif isinstance(each, str):
            found.append(fault_format.parse_option(each, name))
        elif isinstance(each, Mapping):
            found.append(fault_format.parse(each, name))
        else:
            raise _wrong(name, "faults such as 'status=429,times=2'", each)
    return tuple(found)


def _rate_limit(name: str, value: Any) -> RateLimit | None:
    if value is None or isinstance(value, RateLimit):
        return value
    try:
        return rate_limit.parse(str(value))
    except rate_limit.RateLimitError as error:
        raise SettingsError(f"{name}: {error}") from None


VALUES: Mapping[str, Callable[[str, Any], Any]] = {
    "fixtures": _fixtures,
    "strict": _flag,
    "seed": _number,
    "unsupported": _word(get_args(Unsupported)),
    "unknown_domain": _word(get_args(UnknownDomain)),
    "api_keys": _keys,
    "clock": _word(get_args(Clock)),
    "ids": _word(get_args(Ids)),
    "max_body": _size,
    "faults": _faults,
    "rate_limit": _rate_limit,
    "latency": _word(get_args(Latency)),
    "record": _mode,
    "record_errors": _flag,
    "upstream": _address,
    "upstream_key": _key,
    "timeout": _seconds,
}
"""What reads a value of each setting."""


def _several(value: Any, single: type | tuple[type, ...]) -> Iterable[Any]:
    """Return the values of a list, of which one may stand for itself."""
    if isinstance(value, single):
        return [value]
    return value if isinstance(value, Iterable) and not isinstance(value, (bytes, bytearray)) else [value]


def _wrong(name: str, wanted: str, value: object) -> SettingsError:
    return SettingsError(f"{name} is {wanted}, not {value!r:.100}")
