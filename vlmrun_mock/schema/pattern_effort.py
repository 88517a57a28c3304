r"""What it takes to compile patterns: much where they have classes of Unicode such as `\p{L}`, or repeat much.

Where a schema has many of them, each is compiled when a text first has to match it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

from vlmrun_mock.lazy import lazy
from vlmrun_mock.schema.latest import Latest
from vlmrun_mock.schema.references import Place, SchemaProblem

if TYPE_CHECKING:
    import jsonschema_rs
else:
    jsonschema_rs = lazy("jsonschema_rs")

CLASS = re.compile(r"\\(?:([pP](?:\{[^}]*\}|\w))|.)", re.DOTALL)
"""A class of Unicode in group 1, or another escape sequence."""

TOKEN = re.compile(
    r"""
    (?P<class> \\[pP](?:\{[^}]*\}|\w) )
    | (?P<set> \[(?:\\.|[^\]\\])*\] )
    | (?P<repetition> \{(?P<least>\d+)(?:,(?P<most>\d*))?\} )
    | (?P<begin> \( ) | (?P<end> \) )
    | (?P<wide> \. | \\[SDW] )
    | (?P<narrow> \\. | [^*+?|^$] )
    """,
    re.DOTALL | re.VERBOSE,
)
"""A part of a pattern."""

WIDE_SET = re.compile(r"\[\^|\\[SDWu]|[^\x00-\x7f]")
"""What is in a set that holds most letters of Unicode, or many of them."""

LEAST, WIDE, NARROW = 1 / 40, 1 / 40, 1 / 800
"""What any pattern takes, and each part of one that stands for most letters, or for some: in classes of Unicode."""

CLASS_EFFORT = 80  # in units of a generation's budget: to compile one
MOST_AT_ONCE = 100
"""Classes of Unicode, or as much as they take, that are compiled at once: about a sixtieth of a second."""

MOST_AT_LOAD = 400
"""The same that may be compiled when a schema is loaded: less than a tenth of a second."""

MOST_KEPT = 300
"""The same that are kept compiled: some ten megabytes."""

LONG = 0.5
"""What one pattern of a value takes that is compiled late, and shared with the validator of the whole schema."""

IN_JSON = re.compile(r'"pattern": ("(?:[^"\\]|\\.)*")')


def checked(patterns: Mapping[str, Place]) -> float:
    """Return what it takes to compile the patterns of a schema, which have places in it.

    Raises SchemaProblem for too much, at the place of the one that takes most.
    """
    found = sum(map(effort, patterns))
    if found > MOST_AT_LOAD:
        words = f"as long as more than {MOST_AT_LOAD:,} classes of Unicode such as \\p{{L}}"
        message = f"the schema's patterns take {words} to compile: use fewer of these, or repeat them less often"
        raise SchemaProblem(patterns[max(patterns, key=effort)], message)
    return found


@lru_cache(maxsize=4096)
def effort(pattern: str) -> float:
    """Return about how many classes of Unicode take as long to compile as a pattern.

    What is repeated is compiled as often.
    """
    open_groups, last = [0.0], 0.0
    for token in TOKEN.finditer(pattern):
        if token["begin"]:
            open_groups.append(0.0)
            continue
        if token["repetition"]:
            more = last * (max(int(token["least"]), int(token["most"] or 0)) - 1)
            last += more
        elif token["end"]:
            last = more = open_groups.pop() if len(open_groups) > 1 else 0.0
        else:
            last = more = _effort_of(token)
        open_groups[-1] += more
    return LEAST + sum(open_groups)


def _effort_of(token: re.Match[str]) -> float:
    """Return what a part of a pattern takes that stands for one letter."""
    classes = sum(bool(found[1]) for found in CLASS.finditer(token["set"] or "")) if token["set"] else 0
    if token["class"] or classes:
        return max(1.0, classes)
    return WIDE if token["wide"] or (token["set"] and WIDE_SET.search(token["set"])) else NARROW


def is_long(text: str) -> bool:
    """Return whether the JSON text of a schema, as `json.dumps` writes it, has a pattern that takes long."""
    return any(effort(json.loads(pattern)) > LONG for pattern in IN_JSON.findall(text))


def late(patterns: Collection[str]) -> Keywords | None:
    """Return the keyword that compiles patterns late if many are costly, each of them not too much, and all are valid.

    A very long pattern is compiled at once, as it may be too long.
    """
    efforts = [effort(pattern) for pattern in patterns]
    if sum(efforts) <= MOST_AT_ONCE or max(efforts) > MOST_AT_ONCE:
        return None
    named = {found[0] for pattern in patterns for found in CLASS.finditer(pattern) if found[1]}
    cheap = {_repeated_once(CLASS.sub(lambda found: "a" if found[1] else found[0], each)) for each in patterns}
    try:
        jsonschema_rs.Draft202012Validator({"allOf": [{"pattern": pattern} for pattern in sorted((*named, *cheap))]})
    except ValueError:
        return None
    return LATE


def _repeated_once(pattern: str) -> str:
    """Return a pattern that is as valid as another, without its long repetitions."""

    def once(token: re.Match[str]) -> str:
        is_valid = not token["most"] or int(token["least"] or 0) <= int(token["most"])
        return "{1}" if token["repetition"] and is_valid else token[0]

    return TOKEN.sub(once, pattern)


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


MATCHERS: Latest[jsonschema_rs.Validator] = Latest(MOST_KEPT)


def _matcher(pattern: str) -> jsonschema_rs.Validator:
    """Return what matches a pattern; raises ValueError for one that cannot be compiled."""
    found = MATCHERS.get(pattern)
    if found is None:
        found = jsonschema_rs.Draft202012Validator({"pattern": pattern})
        MATCHERS.put(pattern, found, effort(pattern))
    return found
