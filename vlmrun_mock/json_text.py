"""JSON values and JSON text: written in a layout, read strictly, compared, and quoted in a sentence."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from vlmrun_mock.lazy import lazy

if TYPE_CHECKING:
    import pydantic_core
else:
    pydantic_core = lazy("pydantic_core")

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

BYTE_ORDER_MARK = b"\xef\xbb\xbf"

UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
"""The byte order marks of UTF-16, in which PowerShell's `>` writes a file."""

EXCERPT = 200
"""Characters of a client's value that a message shows."""


def written(value: object, layout: str = USUAL) -> str:
    """Return a JSON value as text in a layout; raises ValueError for what is no JSON, such as infinity."""
    return json.dumps(value, allow_nan=False, **LAYOUTS[layout])


def compact(value: object) -> bytes:
    """Return a JSON value in as few bytes as it takes, infinity as `null`, and in a fifth of the time of `written`."""
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can escape
        return json.dumps(value, separators=(",", ":")).encode()


def quoted(value: object) -> str:
    """Return a JSON value as a sentence shows it."""
    return json.dumps(value, ensure_ascii=False)


def excerpt(value: Any) -> Any:
    """Return a client's value fit for an answer: as it is, or as text cut short where it is long or no JSON."""
    text = value if isinstance(value, str) else quoted(value)
    # 1e999 is JSON on its way in, and infinity, which is none, from then on.
    return value if len(text) <= EXCERPT and (text is value or "Infinity" not in text) else text[:EXCERPT] + "…"


def pointed(step: str) -> str:
    """Return a key, escaped as a step of a JSON Pointer (RFC 6901)."""
    return step.replace("~", "~0").replace("/", "~1")


def dotted(place: Iterable[str | int]) -> str:
    """Return the keys and indices that lead to a place, such as `answer.content.items.0`."""
    return ".".join(map(str, place))


def strings(value: Any) -> Iterator[str]:
    """Yield the texts in a JSON value, without the keys of objects."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for each in value.values() if isinstance(value, dict) else value:
            yield from strings(each)


def strict(raw: bytes) -> Any:
    """Return the value of a JSON text; raises ValueError, also for equal keys and for numbers beyond a float."""
    data = pydantic_core.from_json(raw.removeprefix(BYTE_ORDER_MARK), allow_inf_nan=False)
    # It takes the last of two equal keys, and 1e999 as infinity; its messages are the better ones.
    json.loads(raw, object_pairs_hook=_without_duplicates, parse_float=_finite)
    return data


def in_utf_8(raw: bytes) -> bytes:
    """Return a text in UTF-8 if it is in UTF-16 with a byte order mark, and else as it is; raises ValueError."""
    return raw.decode("utf-16").encode() if raw.startswith(UTF_16_MARKS) else raw


def _without_duplicates(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        key, _ = Counter(key for key, _ in pairs).most_common(1)[0]
        raise ValueError(f"the key {json.dumps(key)} stands twice in one object")
    return found


def _finite(digits: str) -> float:
    if math.isinf(float(digits)):
        raise ValueError(f"{digits[:40]} is too large a number")
    return float(digits)


def frozen(value: Any) -> Hashable:
    """Return a JSON value that can be hashed and compared as JSON: `true` is not 1, `1.0` is 1."""
    if isinstance(value, dict):
        return frozenset((key, frozen(child)) for key, child in value.items())
    if isinstance(value, list):
        return tuple(map(frozen, value))
    return (bool, value) if isinstance(value, bool) else value


def same(left: Any, right: Any) -> bool:
    """Return whether two JSON values are equal as JSON: `true` is not 1, `1.0` is 1."""
    return frozen(left) == frozen(right)


def merge_patch(target: Any, patch: Any) -> Any:
    """Return a JSON value with a merge patch (RFC 7396) applied; neither is changed."""
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(target) if isinstance(target, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged
