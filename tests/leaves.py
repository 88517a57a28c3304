"""The scalars of a JSON value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def leaves(value: Any) -> Iterator[Any]:
    """Yield every scalar of a JSON value; an empty list or object counts as one missing value."""
    children = list(value.values()) if isinstance(value, dict) else value
    if not isinstance(children, list):
        yield value
    elif not children:
        yield None
    else:
        for child in children:
            yield from leaves(child)
