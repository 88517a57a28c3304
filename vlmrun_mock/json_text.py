"""How JSON is written as the content of a message."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

LAYOUTS: Mapping[str, Mapping[str, Any]] = {
    "compact": {"separators": (",", ":"), "ensure_ascii": False},
    "spaced": {"ensure_ascii": False},
    "indent-2": {"indent": 2, "ensure_ascii": False},
    "indent-4": {"indent": 4, "ensure_ascii": False},
    "compact-ascii": {"separators": (",", ":")},
    "spaced-ascii": {},
    "indent-2-ascii": {"indent": 2},
    "indent-4-ascii": {"indent": 4},
}
"""How JSON may be written as a message's content, and what that is called: as arguments of `json.dumps`."""

Layout = Literal[
    "compact", "spaced", "indent-2", "indent-4", "compact-ascii", "spaced-ascii", "indent-2-ascii", "indent-4-ascii"
]

USUAL: Layout = "compact"


def written(value: object, layout: str = USUAL) -> str:
    """Return a JSON value as text in a layout; raises ValueError for what is no JSON, such as infinity."""
    return json.dumps(value, allow_nan=False, **LAYOUTS[layout])
