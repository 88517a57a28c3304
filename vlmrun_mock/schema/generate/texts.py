"""Texts: the first of a field's believable candidates with the right format, pattern and length."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from msgspec.structs import replace

from vlmrun_mock.schema.generate import descriptions, patterns, phrases
from vlmrun_mock.schema.generate.budget import PATTERN
from vlmrun_mock.schema.generate.example import ABSENT
from vlmrun_mock.schema.generate.names import suggested_text
from vlmrun_mock.schema.generate.node import Shape
from vlmrun_mock.schema.pattern_effort import CLASS_EFFORT, effort
from vlmrun_mock.schema.references import SchemaProblem

if TYPE_CHECKING:
    from vlmrun_mock.schema.generate.builder import Builder, Spot
    from vlmrun_mock.schema.generate.world import Subject

MOST_TRIES = 90
MORE = " as listed in the attached pages and confirmed on receipt"


def _ip6_address(subject: Subject) -> str:
    return f"2001:db8::{subject.random().randrange(1, 0xFFFF):x}"  # reserved for documentation by RFC 3849


FORMATS: dict[str, Sequence[Callable[[Subject], str]]] = {
    "date": [phrases.date],
    "date-time": [phrases.date_time],
    "time": [lambda subject: f"{phrases.time(subject)}:00Z"],
    "duration": [lambda subject: f"PT{subject.random().randrange(5, 55)}M"],
    **dict.fromkeys(("email", "idn-email"), (phrases.email, lambda _: "a@b.co")),
    "uri": [phrases.uri, lambda _: "a:b"],
    "multi-host-uri": [phrases.connection],
    "iri": [phrases.website, lambda _: "a:b"],
    **dict.fromkeys(("uri-reference", "iri-reference"), (phrases.website, lambda _: "/a")),
    "uri-template": [lambda subject: f"{phrases.website(subject)}/{{id}}", lambda _: "{a}"],
    **dict.fromkeys(("hostname", "idn-hostname"), (lambda subject: subject.company_host(), lambda _: "ab")),
    "uuid": [phrases.uuid],
    **{f"uuid{version}": [phrases.uuid_of(version)] for version in range(1, 9)},
    **dict.fromkeys(("ipv4", "ipvanyaddress"), (phrases.ip_address,)),
    **dict.fromkeys(("ipv4interface", "ipvanyinterface"), (lambda subject: f"{phrases.ip_address(subject)}/24",)),
    **dict.fromkeys(("ipv4network", "ipvanynetwork"), (lambda _: "203.0.113.0/24",)),
    "ipv6": [_ip6_address, lambda _: "::1"],
    "ipv6interface": [lambda subject: f"{_ip6_address(subject)}/64"],
    "ipv6network": [lambda _: "2001:db8::/64"],
    **dict.fromkeys(("base64", "base64url", "binary", "byte"), (phrases.base64,)),
    "json-string": [lambda subject: json.dumps({"value": phrases.short(subject)})],
    "password": [lambda s: f"{s.company().split(' ')[0]}-{s.random().randrange(1000, 10_000)}!"],
    "name-email": [lambda subject: f"{subject.person().name} <{phrases.email(subject)}>"],
    "color": [phrases.color],
    **dict.fromkeys(("path", "file-path"), (phrases.file_name,)),
    "directory-path": [lambda _: "."],  # a directory that exists on every machine
    "json-pointer": [lambda _: "/items/0", lambda _: "/a", lambda _: ""],
    "relative-json-pointer": [lambda _: "1/id", lambda _: "0"],
    "regex": [lambda _: "^[A-Z]{2}[0-9]+$", lambda _: "a"],
}

CODES = {"country": "US", "nationality": "US", "state": "OR", "currency": "USD", "language": "en"}
"""Codes that a pattern may ask for where a name is usual."""

BYTE_SIZE = r"^\s*(\d*\.?\d+)\s*(\w+)?"
"""The pattern of pydantic's ByteSize, which matches more units than pydantic reads."""


def make(builder: Builder, shape: Shape, spot: Spot, variation: int) -> str:
    """Return a text; raises SchemaProblem, with the place of a keyword, if no candidate meets the shape."""
    least, most = shape.most("minLength"), shape.least("maxLength")
    if most is not None and least > most:
        raise SchemaProblem(shape.place_of("minLength"), f"no text has at least {least} and at most {most} characters")
    is_met = builder.check(shape)
    for candidate in islice(_candidates(builder, shape, spot, variation), MOST_TRIES):
        builder.budget.step(shape.place)
        if is_met(candidate):
            builder.budget.write(shape.place, len(candidate))
            return candidate
    place = shape.place_of("pattern", "format", "maxLength", "minLength")
    raise SchemaProblem(place, "no text was found that meets it")


def _candidates(builder: Builder, shape: Shape, spot: Spot, variation: int) -> Iterator[str]:
    yield from [example for example in shape.examples if isinstance(example, str)][variation:]
    subject = builder.world.subject(spot.path, variation)
    if subject.is_nothing and not variation:
        yield ""
    yield from descriptions.texts(descriptions.of(shape), subject)
    yield from _json(builder, shape, spot)
    least, most = shape.most("minLength"), shape.least("maxLength")
    suggested = suggested_text(subject) or phrases.short(subject)
    for name in (str(name) for _, name in shape.having("format")):
        if name not in {"email", "idn-email", "uri", "iri"}:
            yield from (maker(subject) for maker in FORMATS.get(name, ()))
        yield suggested
        yield from (text for maker in FORMATS.get(name, ()) for text in _padded(name, maker(subject), least))
    found = list(dict.fromkeys(str(pattern) for _, pattern in shape.having("pattern")))
    if BYTE_SIZE in found:
        yield f"{subject.random().randrange(11, 99) / 10} MB"
    if found:
        yield suggested
        yield from (code for word, code in CODES.items() if word in subject.words)
    if any("{4}" in pattern or ":" in pattern for pattern in found):
        yield from (phrases.date(subject), phrases.date_time(subject), phrases.time(subject))
    for pattern in found:
        others = [other for other in found if other != pattern]
        builder.budget.spend(shape.place, round(CLASS_EFFORT * effort(pattern)))
        for text in _matching(shape, pattern, others, subject):
            builder.budget.spend(shape.place, PATTERN + 2 * len(text))
            yield text
    yield fitted(suggested if not variation else f"{suggested} {variation + 1}", least, most)
    for attempt in range(variation, variation + MOST_TRIES):
        text = f"{attempt + 1} {phrases.short(builder.world.subject(spot.path, attempt))}"
        yield from (fitted(one, least, most) for one in (text, text.split(" ", 1)[1].lower(), f"{text.upper()}."))


def _matching(shape: Shape, pattern: str, others: list[str], subject: Subject) -> Iterator[str]:
    """Yield texts of a pattern, also extended by texts of the other patterns, which must match as well."""
    least, most = shape.most("minLength"), shape.least("maxLength")
    try:
        texts = patterns.matching(pattern, subject.random("pattern"), least, most)
        if not others:
            yield from texts
        for text in islice(texts if others else (), 3):
            yield text
            for other in others:
                for end in islice(patterns.matching(other, subject.random("end"), 0, most), 3):
                    room = len(text) if most is None else max(most - len(end), 0)
                    yield from (text[:room] + end, end + text[:room])
    except patterns.Unreadable as error:
        raise SchemaProblem(shape.place_of("pattern"), f"no text can be made for this pattern: {error}") from error


def _json(builder: Builder, shape: Shape, spot: Spot) -> Iterator[str]:
    """Yield a JSON text that meets the schema of its content."""
    for node, media_type in shape.having("contentMediaType"):
        if media_type == "application/json":
            content = [node.child("contentSchema")] if "contentSchema" in node.schema else []
            yield json.dumps(builder.build(content, replace(spot, path=(*spot.path, "content"), example=ABSENT)))


def _padded(name: str, text: str, least: int) -> Iterator[str]:
    """Yield a text of a format, and a lengthened one where the format allows it."""
    yield text
    short = max(least - len(text), 0)
    if short and "email" in name:
        yield f"{'a' * short}{text}"
    elif short:
        yield f"{text}/{'a' * (short - 1)}"


def fitted(text: str, least: int, most: int | None) -> str:
    """Return a text cut or lengthened to between `least` and `most` characters."""
    if len(text) < least:
        text = (text + MORE * ((least - len(text)) // len(MORE) + 1))[:least]
        text = f"{text[:-1]}." if text.endswith(" ") else text
    if most is None or len(text) <= most:
        return text
    cut = text[:most].rstrip()
    return cut if len(cut) >= least else text[:most]
