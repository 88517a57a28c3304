"""Fixtures as Python callers write them: documents as bytes or paths, a text as a string."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from vlmrun_mock.documents import identity
from vlmrun_mock.fixtures.errors import FixtureError
from vlmrun_mock.fixtures.folders import contents
from vlmrun_mock.lazy import lazy

if TYPE_CHECKING:
    from vlmrun_mock.fixtures import format as file_format
    from vlmrun_mock.fixtures import originals as pictures
    from vlmrun_mock.fixtures.bodies import FixtureBody
    from vlmrun_mock.fixtures.originals import Original
else:
    pictures = lazy("vlmrun_mock.fixtures.originals")
    file_format = lazy("vlmrun_mock.fixtures.format")

DocumentLike: TypeAlias = "str | bytes | bytearray | memoryview | os.PathLike[str]"
"""A document: its bytes, its path, its identity `sha256:…`, or its URL."""

Documents: TypeAlias = "Sequence[DocumentLike] | DocumentLike"
"""Documents in order; a single one needs no list."""

TextLike: TypeAlias = "str | Sequence[str] | Mapping[str, Any]"
"""What a text contains: one string, or each of several; or `contains` or `equals` as in a fixture file."""


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
    """Return the fixture in a mapping; raises FixtureError, which names it `name`.

    Paths of documents are relative to `folder`, by default the working directory.
    """
    # As JSON and back: later changes to the test's dict have no effect, and anything but JSON is refused here.
    try:
        raw = json.dumps(_with_identities(data, name, folder or Path()), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        if isinstance(error, FixtureError):
            raise
        raise FixtureError(name, "", f"is not JSON: {error}") from None
    return file_format.parse(raw.encode(), name)


def originals(data: Mapping[str, Any], folder: Path | None = None) -> tuple[Original, ...]:
    """Return the pictures among the documents of a valid fixture that are given as bytes or by their paths."""
    documents = data.get("match", {}).get("documents") or ()
    return tuple(found for each in documents if (found := _original(each, (folder or Path()).resolve())))


def _original(document: Any, folder: Path) -> Original | None:
    if isinstance(document, Mapping) or (isinstance(document, str) and not identity.is_path(document)):
        return None
    path = folder / document if isinstance(document, (str, os.PathLike)) else None
    name = str(document) if path else "a picture given as bytes"
    return pictures.original(_data(document, folder), name, path)


def _with_identities(data: Mapping[str, Any], name: str, folder: Path) -> dict[str, Any]:
    """Return a fixture with the identities of its documents; anything malformed stays, for the parser to refuse."""
    wanted = data.get("match") if isinstance(data, Mapping) else None
    documents = wanted.get("documents") if isinstance(wanted, Mapping) else None
    if not isinstance(wanted, Mapping) or isinstance(documents, (str, bytes)) or not isinstance(documents, Sequence):
        return dict(data) if isinstance(data, Mapping) else data
    identities = [_identity(document, index, name, folder) for index, document in enumerate(documents)]
    return {**data, "match": {**wanted, "documents": identities}}


def _identity(document: Any, index: int, name: str, folder: Path) -> Any:
    """Return a document as a fixture file has it."""
    if isinstance(document, Mapping) or (isinstance(document, str) and not identity.is_path(document)):
        return document
    try:
        return identity.identity(_data(document, folder))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        shown = f"{str(document)[:200]!r} cannot be read: " if isinstance(document, (str, os.PathLike)) else ""
        raise FixtureError(name, f"match.documents.{index}", f"{shown}{reason}") from None


def _data(document: DocumentLike, folder: Path) -> bytes:
    """Return a document's bytes; raises OSError or ValueError."""
    if isinstance(document, (str, os.PathLike)):
        data = contents(folder / document)
    elif isinstance(document, (bytes, bytearray, memoryview)):
        data = bytes(document)
    else:
        raise ValueError(f"a document is bytes, a path, an identity or a URL, not {type(document).__name__}")  # noqa: TRY004 - one of the reasons that FixtureError gives
    if not data:
        raise ValueError("it is empty")
    return data
