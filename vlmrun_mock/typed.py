"""JSON values made typed by msgspec, from any thread.

msgspec reads the fields of a type when it first decodes one, and crashes the process where two threads do so at once.
"""

from __future__ import annotations

import threading
from types import UnionType
from typing import Any, TypeVar, overload

import msgspec

T = TypeVar("T")

_prepared: set[Any] = set()
_preparing = threading.Lock()


def decoder(kind: type[T]) -> msgspec.json.Decoder[T]:
    """Return a decoder of JSON texts of a type."""
    with _preparing:
        return msgspec.json.Decoder(kind)


@overload
def convert(value: Any, kind: type[T]) -> T: ...
@overload
def convert(value: Any, kind: UnionType) -> Any: ...
def convert(value: Any, kind: Any) -> Any:
    """Return JSON values as a type says; raises msgspec.ValidationError."""
    if kind not in _prepared:
        decoder(kind)
        _prepared.add(kind)
    return msgspec.convert(value, kind)
