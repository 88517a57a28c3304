r"""Patterns with classes of Unicode such as `\p{L}`, each of which takes as long to compile as ten fields to check.

Where a schema has many of them, each is compiled when a text first has to match it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

from vlmrun_mock.lazy import lazy
from vlmrun_mock.schema.references import SchemaProblem

if TYPE_CHECKING:
    import jsonschema_rs
else:
    jsonschema_rs = lazy("jsonschema_rs")

CLASS = re.compile(r"\\(?:([pP](?:\{[^}]*\}|\w))|.)", re.DOTALL)
"""A class of Unicode in group 1, or another escape sequence."""

REPEATED = re.compile(r"\{(\d{1,3})(?:,(\d{0,3}))?\}")
CLASS_EFFORT = 80  # in units of a generation's budget: to compile one
MOST_CLASSES = 100
"""Classes of Unicode, repeated ones several times, that are compiled at once: about a sixtieth of a second."""

MOST_AT_LOAD = 2_500
"""Classes of Unicode, repeated ones several times, that may be compiled when a schema is loaded.

That is about 0.4 s, in which no other request is answered.
"""


def check(patterns: Sequence[str]) -> None:
    """Raise SchemaProblem if the patterns that are compiled when a schema is loaded take too long."""
    if sum(map(classes, patterns)) > MOST_AT_LOAD:
        words = f"more than {MOST_AT_LOAD:,} classes of Unicode such as \\p{{L}}, each as often as it is repeated"
        raise SchemaProblem((), f"its patterns have {words}: use fewer of them, or repeat them less often")


def classes(pattern: str) -> int:
    """Return how many classes of Unicode are compiled for a pattern, at most; a repeated one is compiled as often."""
    if "\\p" not in pattern and "\\P" not in pattern:
        return 0
    counts = [int(bound) for bounds in REPEATED.findall(pattern) for bound in bounds if bound]
    return sum(bool(found[1]) for found in CLASS.finditer(pattern)) * max([1, *counts])


def late(patterns: Sequence[str]) -> Keywords | None:
    """Return the keyword that compiles patterns late if many are costly, each of them not too much, and all are valid.

    A very long pattern is compiled at once, as it may be too long.
    """
    counts = [classes(pattern) for pattern in patterns]
    if sum(counts) <= MOST_CLASSES or max(counts) > MOST_CLASSES:
        return None
    named = {found[0] for pattern in patterns for found in CLASS.finditer(pattern) if found[1]}
    cheap = (CLASS.sub(lambda found: "a" if found[1] else found[0], pattern) for pattern in patterns)
    try:
        jsonschema_rs.Draft202012Validator({"allOf": [{"pattern": pattern} for pattern in (*named, *cheap)]})
    except ValueError:
        return None
    return LATE


class LatePattern:
    """The keyword `pattern`, as jsonschema-rs calls it; what cannot be compiled is matched by no text."""

    def __init__(self, _schema: dict[str, Any], pattern: str, _place: list[str | int]) -> None:
        self._pattern = pattern

    def validate(self, value: object) -> None:
        """Raise ValueError, with the message of jsonschema-rs, if a text does not match."""
        if isinstance(value, str):
            try:
                error = next(_matcher(self._pattern).iter_errors(value), None)
            except ValueError as problem:
                raise ValueError(f'"{self._pattern}" is not a "regex"') from problem
            if error is not None:
                raise ValueError(error.message)


Keywords: TypeAlias = Mapping[str, type[LatePattern]]
LATE: Keywords = {"pattern": LatePattern}


@lru_cache(maxsize=1024)
def _matcher(pattern: str) -> jsonschema_rs.Validator:
    return jsonschema_rs.Draft202012Validator({"pattern": pattern})
