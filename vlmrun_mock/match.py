"""What a request must be like to get an answer: compared part by part, so that a match is no difference."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Protocol, TypeAlias

from vlmrun_mock.difference import (
    ANOTHER_DOCUMENT,
    ANOTHER_NUMBER,
    IN_ANOTHER_CASE,
    PARTICULARS,
    Difference,
    count_of,
    excerpt,
    frozen,
    quoted,
    same,
)
from vlmrun_mock.documents import Document

USUAL_GENERATION = "vlm-1"
"""What hardly anyone needs to be told that it agrees."""

Facts: TypeAlias = dict[str, Hashable]
"""What can be compared for equality, by the part of a request that it belongs to."""


@dataclass(frozen=True, slots=True)
class TextMatch:
    """What the texts of a request, joined by line breaks, must contain or be equal to."""

    contains: tuple[str, ...] = ()
    equals: str | None = None

    def difference(self, text: str) -> list[Difference]:
        """Return what is wrong with a text; nothing if it matches."""
        found = [self._lacking(needle, text) for needle in self.contains if needle not in text]
        if self.equals is not None and self.equals != text:
            found.append(self._unequal(self.equals, text))
        return found

    def _lacking(self, needle: str, text: str) -> Difference:
        wanted, shown = {"contains": needle}, excerpt(text)
        if needle.casefold() in _without_case(text):
            message = f"the text contains {quoted(needle)} only in another case"
            return Difference("text", wanted, shown, message, IN_ANOTHER_CASE)
        return Difference("text", wanted, shown, f"the text does not contain {quoted(needle)}")

    def _unequal(self, equals: str, text: str) -> Difference:
        wanted, shown = {"equals": equals}, excerpt(text)
        if equals.casefold() == _without_case(text):
            message = f"the text is {quoted(equals)} in another case"
            return Difference("text", wanted, shown, message, IN_ANOTHER_CASE)
        return Difference("text", wanted, shown, f"the text is not {quoted(equals)}")


class Matchable(Protocol):
    """What a match looks at: a request, or what the journal keeps of one."""

    @property
    def domain(self) -> str | None:
        """Return the domain, in its present spelling."""

    @property
    def documents(self) -> Sequence[Document]:
        """Return the documents."""

    @property
    def text(self) -> str:
        """Return the texts of all messages."""

    @property
    def model(self) -> str | None:
        """Return the model; None if it is not known."""

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Return the metadata."""

    @property
    def particulars(self) -> Mapping[str, Any]:
        """Return what is left of it, as `ChatRequest.particulars` has it."""


@dataclass(frozen=True, slots=True)
class Match:
    """Which requests a fixture answers; what is None or empty matches everything.

    `domain` may be empty: it matches a request without one. `documents` are identities, in order, and all of them: a
    request with one more does not match. `particulars` are some of those of `ChatRequest`, to be equal as JSON.
    """

    domain: str | None = None
    documents: tuple[str, ...] | None = None
    text: TextMatch | None = None
    model: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    particulars: Mapping[str, Any] = field(default_factory=dict)

    @property
    def constraints(self) -> int:
        """Return how many parts of a request are looked at; of two fixtures the one with more wins."""
        wanted = (self.domain, self.documents, self.text, self.model)
        return sum(part is not None for part in wanted) + len(self.metadata) + len(self.particulars)

    @property
    def is_whole(self) -> bool:
        """Return whether all that identifies a request is looked at, as a recording does.

        Only where the documents stand may be left open.
        """
        is_particular = self.particulars.keys() >= PARTICULARS.keys() - {"places"}
        return self.domain is not None and self.documents is not None and is_particular

    def difference(self, request: Matchable) -> list[Difference]:
        """Return every reason why this does not match; a match is no difference."""
        found: list[Difference] = []
        if self.domain is not None and self.domain != (request.domain or ""):
            got = excerpt(request.domain)
            message = f"the domain is {got or 'none'}, not {self.domain or 'none'}"
            found.append(Difference("domain", self.domain, got, message))
        if self.documents is not None:
            found += _document_differences(self.documents, request.documents)
        if self.text is not None:
            found += self.text.difference(request.text)
        if self.model is not None and self.model != request.model:
            got = excerpt(request.model)
            found.append(Difference("model", self.model, got, f"the model is {got}, not {self.model}"))
        for name, wanted in self.metadata.items():
            actual = request.metadata.get(name)
            if not same(actual, wanted):
                actual = excerpt(actual)
                message = f"metadata.{name} is {quoted(actual)}, not {quoted(wanted)}"
                found.append(Difference(f"metadata.{name}", wanted, actual, message))
        for name, wanted in self.particulars.items():
            actual = request.particulars.get(name)
            # Of another number of documents, it is no news that they stand elsewhere.
            if not same(actual, wanted) and not (name == "places" and any(each.part == "documents" for each in found)):
                found += PARTICULARS[name](wanted, actual)
        return found

    def agreement(self, differences: Sequence[Difference]) -> str:
        """Return in words what a request has in common with this, beside its differences; nothing if that is nothing.

        What is only matched by being absent is not worth a word.
        """
        named: dict[str, Any] = {"domain": self.domain, "documents": self.documents, "text": self.text}
        named |= {"model": self.model} | dict.fromkeys((f"metadata.{name}" for name in self.metadata), True)
        silent = (USUAL_GENERATION, self.particulars.get("places"))
        named |= {name: value for name, value in self.particulars.items() if value not in silent}
        wrong = tuple(difference.part for difference in differences)
        right = [name for name, value in named.items() if value and not any(part.startswith(name) for part in wrong)]
        words = ["text" if name == "messages" else name for name in right]
        listed = " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))
        verb = "agrees" if len(words) == 1 and words != ["documents"] else "agree"
        return f"{listed} {verb}" if words else ""

    @property
    def facts(self) -> Facts:
        """Return what a request must be equal in; what its text must contain is all that is left to look at."""
        equals = self.text.equals if self.text else None
        facts: Facts = {"domain": self.domain, "documents": self.documents, "text": equals, "model": self.model}
        given = {part: value for part, value in facts.items() if value is not None}
        particulars = {name: frozen(self.particulars[name]) for name in PARTICULARS if name in self.particulars}
        return given | _metadata_facts(dict(sorted(self.metadata.items()))) | particulars


class RequestFacts:
    """What a request has to be compared, by part; each is worked out when it is first asked for, as few are."""

    def __init__(self, request: Matchable) -> None:
        self._request = request
        self._known: Facts = {}

    def get(self, part: str) -> Hashable:
        """Return what the request has as a part; None if it has no such part."""
        if part not in self._known:
            self._known[part] = self._of(part)
        return self._known[part]

    def _of(self, part: str) -> Hashable:
        request = self._request
        if part == "domain":
            return request.domain or ""
        if part == "documents":
            return tuple(document.identity for document in request.documents)
        if part in PARTICULARS:
            return frozen(request.particulars.get(part))
        if part.startswith("metadata."):
            return frozen(request.metadata.get(part.removeprefix("metadata.")))
        return request.text if part == "text" else request.model


def _metadata_facts(metadata: Mapping[str, Any]) -> Facts:
    return {f"metadata.{name}": frozen(value) for name, value in metadata.items()}


@lru_cache(maxsize=1)
def _without_case(text: str) -> str:
    """Return a text to be compared in any case, kept while one request is compared with many fixtures."""
    return text.casefold()


def _document_differences(wanted: Sequence[str], documents: Sequence[Document]) -> list[Difference]:
    found = []
    if len(wanted) != len(documents):
        message = f"the request has {count_of(len(documents))}, not {len(wanted)}"
        found.append(Difference("documents", len(wanted), len(documents), message, ANOTHER_NUMBER))
    for index, (identity, document) in enumerate(zip(wanted, documents, strict=False)):
        if identity != document.identity:
            got = excerpt(document.identity)
            message = f"document {index + 1} is another {_kind(document)} ({got} instead of {identity})"
            found.append(Difference(f"documents[{index}]", identity, got, message, ANOTHER_DOCUMENT))
    return found


def _kind(document: Document) -> str:
    media_type = document.media_type or ("image/" if document.kind == "image_url" else "")
    return "picture" if media_type.startswith("image/") else "file"
