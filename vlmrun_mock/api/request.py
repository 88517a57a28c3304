"""The extraction request: what determines an answer, whichever way it came in."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property, lru_cache
from typing import Any, Generic, TypeAlias, TypeVar, overload

import msgspec

from vlmrun_mock.documents.identity import Document

DEFAULT_MODEL = "vlm-1"
DEFAULT_ROLE = "user"

DELETE = b"\x7f"

AS_FACTS = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode
"""How facts are written to be digested."""

WHOLE = re.compile(r"\.0|e\+")
"""What is in each number that is written as a float though it is whole."""

NOT_PLAIN = (re.compile(DELETE), re.compile(rb"\.\d"), re.compile(rb"e-?\d"))
"""What is in each float, and in what is escaped; in a text such as "1.2", it costs time alone.

Three searches for a byte are faster than one for several.
"""

OwnerT = TypeVar("OwnerT")
ValueT = TypeVar("ValueT")

LONGEST_AT_ONCE = 500_000
"""Characters of a text that are written at once: this keeps the interpreter to itself, and other requests waiting."""

Place: TypeAlias = tuple[str | int, ...]
"""A path in the body, as in a 422's `loc`."""


class _Once(Generic[OwnerT, ValueT]):
    """A property that is worked out once; `functools.cached_property` takes a lock for it before Python 3.12."""

    def __init__(self, function: Callable[[OwnerT], ValueT]) -> None:
        self._function = function
        self._name = function.__name__
        self.__doc__ = function.__doc__

    @overload
    def __get__(self, instance: None, owner: type[OwnerT]) -> _Once[OwnerT, ValueT]: ...

    @overload
    def __get__(self, instance: OwnerT, owner: type[OwnerT]) -> ValueT: ...

    def __get__(self, instance: OwnerT | None, owner: type[OwnerT]) -> ValueT | _Once[OwnerT, ValueT]:
        if instance is None:
            return self
        value = instance.__dict__[self._name] = self._function(instance)
        return value


class Message(msgspec.Struct, frozen=True):
    """One message: its role, and its texts in order.

    `places` says of each document in it how many of the texts come before it.
    """

    role: str
    texts: tuple[str, ...]
    places: tuple[int, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the message as a fixture names it: `content` is its text, or the list of them unless it is one."""
        return {"role": self.role, "content": self.content}

    @property
    def content(self) -> str | list[str]:
        """Return the text, or the list of the texts unless there is one."""
        return self.texts[0] if len(self.texts) == 1 else list(self.texts)


class CallerSchema(msgspec.Struct, frozen=True):
    """A JSON Schema that came with the request, and where in the body it stood."""

    schema: Mapping[str, Any]
    place: Place


@dataclass(frozen=True, slots=True)
class Config:
    """What changes the content of an answer besides domain and schema.

    `further` is what else was sent: of it, the mock's answers depend on `page_indices` alone.
    """

    prompt: str | None = None
    detail: str = "auto"
    gql_stmt: str | None = None
    grounding: bool = False
    confidence: bool = False
    further: Mapping[str, Any] = field(default_factory=dict)

    @property
    def pages(self) -> tuple[int, ...]:
        """Return the pages that are asked for in `page_indices`, of which the first is 0; none stands for all."""
        given = self.further.get("page_indices")
        return tuple(each for each in given if type(each) is int) if isinstance(given, list) else ()

    @property
    def known(self) -> dict[str, Any]:
        """Return all but what is further."""
        return {each.name: getattr(self, each.name) for each in fields(self) if each.name != "further"}

    def as_json(self) -> dict[str, Any]:
        """Return what is not as it is without a config."""
        usual = Config.__dataclass_fields__
        given = {name: value for name, value in self.known.items() if value != usual[name].default}
        return {**given, **self.further}


NO_CONFIG = Config()


@dataclass(frozen=True, slots=True)
class RequestParts:
    """What identifies a request beside its domain and documents, as a fixture names it; None is for a part left open.

    `places` says of each document in which message it stands; the first message is 1. Without a schema of the caller's,
    or without a config, each is an empty object.
    """

    generation: str | None = None
    messages: Sequence[Mapping[str, Any]] | None = None
    places: Sequence[int] | None = None
    schema: Mapping[str, Any] | None = None
    config: Mapping[str, Any] | None = None
    json_object: bool | None = None

    def given(self) -> dict[str, Any]:
        """Return the parts that are not left open, by name."""
        return {name: value for name in PART_NAMES if (value := getattr(self, name)) is not None}


PART_NAMES = tuple(each.name for each in fields(RequestParts))


class ExtractionRequest(msgspec.Struct, frozen=True, dict=True):
    """What a client asks for, free of HTTP and of any envelope; nothing behind it checks it again.

    `json_object`: the answer has to be a JSON object even where there is nothing to extract. `model` and `metadata`
    are here because fixtures match them; neither identifies the request, but the model's generation does. `size` is
    how many bytes all this took in the body, documents aside; 0 is unknown. `re_encoded`: a document stands for the
    one that it was before it was encoded anew.
    """

    messages: tuple[Message, ...] = ()
    documents: tuple[Document, ...] = ()
    domain: str | None = None
    schema: CallerSchema | None = None
    config: Config = NO_CONFIG
    metadata: Mapping[str, Any] = {}
    model: str = DEFAULT_MODEL
    json_object: bool = False
    size: int = 0
    re_encoded: bool = False

    def __eq__(self, other: object) -> bool:
        """Return whether another request asks for the same; `size` and `re_encoded` do not count."""
        if not isinstance(other, ExtractionRequest):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in COMPARED)

    __hash__ = None  # type: ignore[assignment]  # its metadata cannot be hashed

    @property
    def generation(self) -> str:
        """Return `vlm-1`, `agents` or `orion`."""
        return generation_of(self.model)

    @_Once
    def text(self) -> str:
        """Return the texts of all messages, each on a line of its own."""
        return "\n".join([text for message in self.messages for text in message.texts])

    @property
    def places(self) -> list[int]:
        """Return in which message each document stands; the first message is 1."""
        return [number for number, message in enumerate(self.messages, 1) for _ in message.places]

    @cached_property
    def parts(self) -> RequestParts:
        """Return what identifies the request beside its domain and documents; every part is given."""
        return RequestParts(
            generation=self.generation,
            messages=[message.as_json() for message in self.messages],
            places=self.places,
            schema=self.schema.schema if self.schema else {},
            config={} if self.config is NO_CONFIG else self.config.as_json(),
            json_object=self.json_object,
        )

    @property
    def subject(self) -> tuple[str, ...]:
        """Return the facts that drawn values depend on: domain, documents and texts, but not how they are asked for."""
        return (self.domain or "", *(document.identity for document in self.documents), self.text)

    @_Once
    def fingerprint(self) -> str:
        """Return the SHA-256 (hex) of what the real service would look at.

        Covered: generation, domain, schema, documents by identity and in order, roles and texts, config.
        Left out: the quirk parameters, metadata, the key, the headers, and how the JSON was written.
        """
        digest = hashlib.sha256()
        for piece in self._facts_in_pieces() if self.size > LONGEST_AT_ONCE else (_facts(self),):
            digest.update(piece)
        return digest.hexdigest()

    def _facts_in_pieces(self) -> Iterator[bytes]:
        """Yield the facts, a long text in pieces: at first a name that nobody can guess stands in its place."""
        long: dict[str, str] = {}

        def short(text: str) -> str:
            name = secrets.token_hex() if len(text) > LONGEST_AT_ONCE else ""
            if name:
                long[name] = text
            return name or text

        messages = [msgspec.structs.replace(each, texts=tuple(map(short, each.texts))) for each in self.messages]
        facts = _facts(msgspec.structs.replace(self, messages=tuple(messages)))
        for name, text in long.items():
            before, _, facts = facts.partition(name.encode())
            yield before
            for start in range(0, len(text), LONGEST_AT_ONCE):
                yield _as_facts(text[start : start + LONGEST_AT_ONCE])[1:-1]
        yield facts


COMPARED = tuple(name for name in ExtractionRequest.__struct_fields__ if name not in ("size", "re_encoded"))
"""The parts in which two equal requests are equal."""


@lru_cache(maxsize=1_000)
def generation_of(model: str) -> str:
    """Return `vlm-1`, `agents` or `orion`. The model's name decides; any name not VLM Run's is vlm-1."""
    if model.startswith("vlm-agent-"):
        return "agents"
    return "orion" if model.startswith("vlmrun-orion-") else "vlm-1"


def _facts(request: ExtractionRequest) -> bytes:
    """Return what the fingerprint of a request is that of."""
    identities = [document.identity for document in request.documents]
    if request.schema or request.config is not NO_CONFIG:
        return _any_facts([request.domain, identities, request.parts.given()])
    return _usual_facts(request, identities)


def _any_facts(value: Any) -> bytes:
    """Return what AS_FACTS writes of a JSON value with numbers that are written alike if they are equal."""
    try:
        text = msgspec.json.encode(value, order="deterministic")
    except UnicodeEncodeError:
        text = DELETE
    # Python writes some floats in another way, and escapes what is not plain ASCII.
    if text.isascii() and not any(each.search(text) for each in NOT_PLAIN):
        return text
    facts = AS_FACTS(value)
    return (AS_FACTS(_with_plain_numbers(value)) if WHOLE.search(facts) else facts).encode()


def _usual_facts(request: ExtractionRequest, identities: Sequence[str]) -> bytes:
    """Return the facts of a request without a schema and a config: the same bytes, in a fraction of the time."""
    messages = [
        _MessageFacts(each.texts[0] if len(each.texts) == 1 else list(each.texts), each.role)
        for each in request.messages
    ]
    places = request.places if identities else []
    usual = _UsualFacts({}, generation_of(request.model), request.json_object, messages, places, {})
    return _as_facts((request.domain, identities, usual))


def _as_facts(value: Any) -> bytes:
    """Return what AS_FACTS writes of a value whose keys are in order, in a fraction of the time where it is ASCII."""
    text = msgspec.json.encode(value)
    # What is not plain ASCII is escaped.
    return text if text.isascii() and DELETE not in text else AS_FACTS(msgspec.to_builtins(value)).encode()


class _MessageFacts(msgspec.Struct):
    """A message in the facts of a request, its keys in the order of the alphabet."""

    content: str | list[str]
    role: str


class _UsualFacts(msgspec.Struct):
    """The parts of a request without a schema and a config, likewise."""

    config: dict[str, Any]
    generation: str
    json_object: bool
    messages: list[_MessageFacts]
    places: list[int]
    schema: dict[str, Any]


def _with_plain_numbers(value: Any) -> Any:
    """Return a JSON value in which equal numbers are written alike: 1.0 as 1."""
    if isinstance(value, dict):
        return {key: _with_plain_numbers(child) for key, child in value.items()}
    if isinstance(value, list):
        return [_with_plain_numbers(child) for child in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
