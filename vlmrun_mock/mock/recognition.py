"""Pictures that a client has encoded anew on their way: known again by what they show."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from msgspec import structs

from vlmrun_mock.aside import aside
from vlmrun_mock.documents import identity, likeness
from vlmrun_mock.fixtures.originals import Ambiguous
from vlmrun_mock.json_text import strings

if TYPE_CHECKING:
    from vlmrun_mock.api.request import ExtractionRequest
    from vlmrun_mock.documents.identity import Document
    from vlmrun_mock.fixtures.originals import Original, Originals
    from vlmrun_mock.mock.mock import Mock

MOST_DOCUMENTS = 32
"""How many documents of one request are compared, from the first on."""

LOOKING = ThreadPoolExecutor(1, "vlmrun-mock-pictures")
"""One thread, so that no more than one picture and the one that it is compared with are in memory as pixels."""

WITHOUT_PILLOW = (
    "has the size of a picture that a fixture names: to know it again though it is re-encoded takes Pillow, "
    "pip install 'vlmrun-mock[documents]'"
)


@dataclass(frozen=True, slots=True)
class Recognition:
    """A request whose documents are those that fixtures name, and what the log says of it."""

    request: ExtractionRequest
    notes: tuple[str, ...]


async def recognised(mock: Mock, originals: Originals, request: ExtractionRequest, raw: bytes) -> Recognition:
    """Return a request whose re-encoded pictures stand for those that fixtures name; `raw` is its body."""
    if not likeness.is_installed():
        return Recognition(request, tuple(_said(request, originals, WITHOUT_PILLOW)))
    return await aside(_recognised, LOOKING, mock, originals, request, raw)


def _said(request: ExtractionRequest, originals: Originals, what: str) -> Iterator[str]:
    """Yield a note for each document that may be another one re-encoded."""
    for number, document in enumerate(request.documents, 1):
        if originals.has_size_of(document):
            yield f"document {number} {what}"


def _recognised(mock: Mock, originals: Originals, request: ExtractionRequest, raw: bytes) -> Recognition:
    wanted = {each.identity for each in request.documents[:MOST_DOCUMENTS] if originals.may_be(each)}
    data = bytes_of(mock, wanted, raw)
    notes: list[str] = []
    known = [
        _same(originals, number, document, data.get(document.identity), notes)
        for number, document in enumerate(request.documents, 1)
    ]
    documents = tuple(_known_again(request.documents, known, notes))
    if documents == request.documents:
        return Recognition(request, tuple(notes))
    return Recognition(structs.replace(request, documents=documents, re_encoded=True), tuple(notes))


def _same(
    originals: Originals, number: int, document: Document, data: bytes | None, notes: list[str]
) -> Original | None:
    """Return the picture that a document is a re-encoding of; what is unsure is added to the notes."""
    try:
        return originals.same(document, data) if data else None
    except Ambiguous as several:
        notes.append(f"document {number} might be {several}, re-encoded: it is taken for none of them")
        return None


def _known_again(sent: Sequence[Document], known: Sequence[Original | None], notes: list[str]) -> Iterator[Document]:
    """Yield the documents as fixtures name them: all pages of a PDF, one after the other, are that PDF."""
    index = 0
    while index < len(sent):
        document, found = sent[index], known[index]
        pages = [] if found is None or found.page is None else known[index : index + found.count]
        if found is None:
            yield document
        elif found.page is None:
            notes.append(f"document {index + 1} is {found.name}, re-encoded")
            yield replace(found.document, kind=document.kind, filename=document.filename)
        elif _are_all_pages(pages, found):
            through = (
                f"documents {index + 1} to {index + len(pages)} are" if len(pages) > 1 else f"document {index + 1} is"
            )
            notes.append(f"{through} {found.name}, page by page")
            yield replace(found.document, filename=document.filename, width=None, height=None)
            index += len(pages) - 1
        else:
            notes.append(
                f"document {index + 1} is page {found.page} of {found.name}, whose other pages are not beside it"
            )
            yield document
        index += 1


def _are_all_pages(pages: Sequence[Original | None], first: Original) -> bool:
    """Return whether pictures are all pages of a PDF, in order."""
    numbers = [each.page for each in pages if each and each.document.identity == first.document.identity]
    return numbers == list(range(first.count))


def bytes_of(mock: Mock, wanted: set[str], raw: bytes) -> Mapping[str, bytes]:
    """Return the bytes of documents by their identity, from a body or from the files that were uploaded."""
    stored = ((name, mock.content_of(name)) for name in wanted if mock.has_files)
    found = {name: content.read() for name, content in stored if content}
    if wanted <= found.keys():
        return found
    for text in strings(json.loads(raw)):
        data = identity.sent_as(text)
        if data and (name := identity.identity(data)) in wanted:
            found[name] = data
    return found
