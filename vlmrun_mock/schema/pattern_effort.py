r"""What it takes to compile patterns: much where they have classes of Unicode such as `\p{L}`, or repeat much.

Where a schema has many of them, each is compiled when a text first has to match it. Efforts are in classes of Unicode:
one takes about 0.2 ms, and 40 kB for as long as it is kept. jsonschema-rs refuses a pattern that takes more than 10 MB.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

from vlmrun_mock.lazy import lazy
from vlmrun_mock.schema.latest import Latest
from vlmrun_mock.schema.limits import LONGEST_PATTERN
from vlmrun_mock.schema.references import Place, SchemaProblem

if TYPE_CHECKING:
    import jsonschema_rs
else:
    jsonschema_rs = lazy("jsonschema_rs")

CLASS = re.compile(r"\\(?:([pP](?:\{[^}]*(?:\}|\Z)|\w))|.)", re.DOTALL)
"""A class of Unicode in group 1, or another escape sequence."""

TOKEN = re.compile(
    r"""
    (?P<class> \\[pP](?:\{[^}]*(?:\}|\Z)|\w) )
    | (?P<set> \[(?:\\.|[^\]\\])*(?:\]|\Z) )
    | (?P<repetition> \{[ ]*(?P<least>\d+)[ ]*(?:,[ ]*(?P<most>\d*)[ ]*)?\} )
    | (?P<begin> \( ) | (?P<end> \) )
    | (?P<letters> [a-zA-Z0-9_]+(?=[a-zA-Z0-9_]) ) | (?P<dots> \.+(?=\.) )
    | (?P<wide> \. | \\[SDW] ) | (?P<blank> \\s )
    | (?P<between> [\^$|] )
    | (?P<narrow> \\. | [^*+?] )
    """,
    re.DOTALL | re.VERBOSE,
)
"""A part of a pattern, or several letters or dots, of which the last is a part of its own: it may be repeated.

It takes all that is left where an end is missing, so that a pattern is looked at once.
"""

WIDE_SET = re.compile(r"\[\^|\\[SDWxuU]|[^\x00-\x7f]")
"""What is in a set that holds most letters of Unicode, or many of them."""

CASELESS = re.compile(r"\(\?[a-zA-Z-]*i")

LEAST, WIDE, BLANK, NARROW = 1 / 40, 1 / 40, 1 / 80, 1 / 800
"""What any pattern takes, and each part of one that stands for most letters, for blanks, and for some letters."""

MEMBER = 1 / 300
"""What each letter takes that a set lists, where it is not in ASCII."""

BETWEEN = 5 * NARROW
"""What a group takes, or an alternative, beside its parts."""

EITHER_CASE = 6
"""How many times as much a pattern takes that stands for letters in either case."""

MOST = 1_000_000.0
"""The most that is counted."""

LONGEST_REPETITION = 9
"""Digits of a count that are read."""

TOGETHER = 100.0
"""What the patterns of a schema may take to be compiled when it is loaded, rather than late: 20 ms."""

SURELY_VALID = 120.0
"""Up to this, a pattern takes less than 10 MB; one that takes more is compiled early, to tell."""

MOST_AT_LOAD = 550
"""What may be compiled when a schema is loaded: a tenth of a second."""

MOST_KEPT = 600.0
"""What is kept compiled: 25 MB."""

SHARED = 0.5
"""From this on, a pattern is compiled once for the whole schema and for the values that are tried one by one."""

CLASS_EFFORT = 30
"""Units of a generation's budget for one class."""

IN_JSON = re.compile(r'"pattern": ("(?:[^"\\]|\\.)*")')


@lru_cache(maxsize=4096)
def effort(pattern: str) -> float:
    """Return about what a pattern takes to compile, at most MOST; what is repeated is compiled as often."""
    if len(pattern) > LONGEST_PATTERN:
        return MOST
    groups = [0.0]
    last = 0.0  # of the part that a repetition behind it repeats
    for token in TOKEN.finditer(pattern):
        if token["begin"]:
            groups.append(BETWEEN)
            last = 0.0
            continue
        if token["repetition"]:
            counts = (token["least"], token["most"] or "0")
            times = max(1, *(int(count[:LONGEST_REPETITION]) for count in counts))
            more, last = last * (times - 1), min(last * times, MOST)
        elif token["end"]:
            more = last = groups.pop() if len(groups) > 1 else 0.0
        elif token["between"]:
            more, last = BETWEEN, 0.0
        else:
            more = last = _effort_of(token)
        groups[-1] = min(groups[-1] + more, MOST)
    return min((LEAST + sum(groups)) * (EITHER_CASE if CASELESS.search(pattern) else 1), MOST)


def _effort_of(token: re.Match[str]) -> float:
    """Return what a part of a pattern takes that stands for letters."""
    if token["class"]:
        return 1.0
    if token["letters"] or token["dots"]:
        return len(token[0]) * (NARROW if token["letters"] else WIDE)
    letters = token["set"]
    if letters:
        classes = sum(bool(found[1]) for found in CLASS.finditer(letters))
        members = sum(not letter.isascii() for letter in letters) + len(re.findall(r"\\[xuU]", letters))
        of_letters = WIDE if WIDE_SET.search(letters) else BLANK if r"\s" in letters else NARROW
        return classes or of_letters + members * MEMBER
    return WIDE if token["wide"] else BLANK if token["blank"] else NARROW


def compiled(patterns: Mapping[str, Place], names: Mapping[str, Place]) -> tuple[Keywords | None, float]:
    """Return the keyword that compiles the patterns of values late, or None, and what is compiled early.

    That is all if it is little, or if one of them is wrong, which is then named where it is compiled. Those of `names`
    are compiled early, twice. Raises SchemaProblem for what takes too long, at the place of the one that takes most.
    """
    if sum(map(effort, patterns)) <= TOGETHER:
        return None, _checked(patterns, names)
    early = {pattern: place for pattern, place in patterns.items() if effort(pattern) > SURELY_VALID}
    cheap = {_cheap(pattern) for pattern in patterns}
    cheap.update(found[0] for pattern in patterns for found in CLASS.finditer(pattern) if found[1])
    found = _checked(early, names, sum(map(effort, cheap)))
    try:
        for pattern in early:
            _matcher(pattern)
        jsonschema_rs.Draft202012Validator({"allOf": [{"pattern": pattern} for pattern in sorted(cheap)]})
    except ValueError:
        return None, _checked(patterns, names)
    return LATE, found


def _checked(patterns: Mapping[str, Place], names: Mapping[str, Place], more: float = 0.0) -> float:
    """Return what patterns take to compile; raises SchemaProblem for too much."""
    found = sum(map(effort, patterns)) + 2 * sum(map(effort, names)) + more
    if found > MOST_AT_LOAD:
        places = {**patterns, **names}
        words = f"as long as more than {MOST_AT_LOAD:,} classes of Unicode such as \\p{{L}}"
        message = f"the schema's patterns take {words} to compile: use fewer of these, or repeat them less often"
        raise SchemaProblem(places[max(places, key=effort)] if places else (), message)
    return found


def _cheap(pattern: str) -> str:
    """Return a pattern that is as valid as another, and takes little."""

    def part(token: re.Match[str]) -> str:
        if token["repetition"]:
            is_valid = not token["most"] or int(token["least"][:9]) <= int(token["most"][:9])
            return "{1}" if is_valid else token[0]
        if token["set"]:
            return CLASS.sub(lambda found: "a" if found[1] else found[0], token[0])
        if token["letters"] or token["dots"]:
            return ""
        return "a" if token["class"] or token["wide"] else token[0]

    return TOKEN.sub(part, pattern)


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


def in_json(text: str) -> tuple[Keywords | None, float]:
    """Return the same as `compiled` for a schema that was checked, as `json.dumps` writes it."""
    efforts = [effort(json.loads(pattern)) for pattern in IN_JSON.findall(text)]
    return (LATE, 0.0) if any(each > SHARED for each in efforts) else (None, sum(efforts))
