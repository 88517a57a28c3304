"""Fixtures as Python callers write them: documents by their bytes or their path, a text by itself."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from vlmrun_mock.documents import identity
from vlmrun_mock.fixtures.errors import FixtureError
from vlmrun_mock.lazy import lazy

if TYPE_CHECKING:
    from vlmrun_mock.fixtures import format as file_format
    from vlmrun_mock.fixtures.format import FixtureBody
else:
    file_format = lazy("vlmrun_mock.fixtures.format")

DocumentLike: TypeAlias = "str | bytes | bytearray | memoryview | os.PathLike[str]"
"""A document by its bytes, its path, its identity `sha256:…`, or its URL."""

Documents: TypeAlias = "Sequence[DocumentLike] | DocumentLike"
"""Documents in order; one may stand for itself."""

TextLike: TypeAlias = "str | Sequence[str] | Mapping[str, Any]"
"""What a text contains: one string, or all of several; or `contains` or `equals` as in a fixture file."""


def given(**arguments: Any) -> dict[str, Any]:
    """Return the arguments that are not None."""
    return {name: value for name, value in arguments.items() if value is not None}


def match(
    domain: str | None,
    documents: Documents | None,
    text: TextLike | None,
    model: str | None,
    metadata: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Return the `match` of a fixture."""
    if text is not None and not isinstance(text, Mapping):
        text = {"contains": text}
    if isinstance(documents, (str, bytes, bytearray, memoryview, os.PathLike)):
        documents = [documents]
    return given(domain=domain, documents=documents, text=text, model=model, metadata=metadata)


def fixture_body(data: Mapping[str, Any], name: str, folder: Path | None = None) -> FixtureBody:
    """Return a fixture that was written as a mapping; raises FixtureError, which calls it by `name`.

    `folder` is what the paths of documents are relative to: the working directory unless it is given.
    """
    # As JSON and back: what a test does with its dict later changes nothing, and what is no JSON is refused here.
    try:
        raw = json.dumps(_with_identities(data, name, folder or Path()), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        if isinstance(error, FixtureError):
            raise
        raise FixtureError(name, "", f"is not JSON: {error}") from None
    return file_format.parse(raw.encode(), name)


def _with_identities(data: Mapping[str, Any], name: str, folder: Path) -> dict[str, Any]:
    """Return a fixture with each document by what it is known by; whatever is no document is left to be refused."""
    wanted = data.get("match") if isinstance(data, Mapping) else None
    named = wanted.get("documents") if isinstance(wanted, Mapping) else None
    if not isinstance(wanted, Mapping) or isinstance(named, (str, bytes)) or not isinstance(named, Sequence):
        return dict(data) if isinstance(data, Mapping) else data
    # What is written as an object, as a recording does, is checked with the rest of the fixture.
    identities = [
        each if isinstance(each, Mapping) else _identity(each, index, name, folder) for index, each in enumerate(named)
    ]
    return {**data, "match": {**wanted, "documents": identities}}


def _identity(document: DocumentLike, index: int, name: str, folder: Path) -> str:
    """Return what names a document in a fixture."""
    if isinstance(document, str) and not identity.is_path(document):
        return document
    try:
        return identity.identity(_data(document, folder))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        shown = f"{str(document)[:200]!r} cannot be read: " if isinstance(document, (str, os.PathLike)) else ""
        raise FixtureError(name, f"match.documents.{index}", f"{shown}{reason}") from None


def _data(document: DocumentLike, folder: Path) -> bytes:
    """Return a document's bytes; raises OSError or ValueError if there are none."""
    if isinstance(document, (str, os.PathLike)):
        data = file_format.contents(folder / document)
    elif isinstance(document, (bytes, bytearray, memoryview)):
        data = bytes(document)
    else:
        raise ValueError(f"a document is bytes, a path, an identity or a URL, not {type(document).__name__}")  # noqa: TRY004 - one of the reasons that FixtureError gives
    if not data:
        raise ValueError("it is empty")
    return data
