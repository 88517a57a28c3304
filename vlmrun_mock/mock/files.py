"""The files that a client uploaded: kept in memory up to a bound, beyond it in a private folder that goes with them."""

from __future__ import annotations

import hashlib
import io
import re
import shutil
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from mimetypes import MimeTypes
from pathlib import Path
from threading import Lock
from typing import BinaryIO

from vlmrun_mock.documents import identity, pages
from vlmrun_mock.documents.identity import Document
from vlmrun_mock.mock.ids import Ids
from vlmrun_mock.seed import Stamp

PUBLIC = "/_mock/files/"
UPLOADS = "/_mock/uploads/"
"""Where a file can be read, and where the bytes of one are sent that was announced."""

PUBLIC_URL = re.compile(rf"https?://[^/?#]+{PUBLIC}([0-9a-f-]{{36}})/")

HEAD = 131_072
"""Bytes of a file that are looked at to tell what it is."""

PIECE = 1_048_576
"""Bytes that are read at a time."""

MOST_FILES = 10_000
"""Files of one key that are kept; the oldest make room."""


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes of a file, in memory or on disk, and what they are."""

    document: Document
    md5: str
    pages: int
    data: bytes | None = None
    path: Path | None = None

    def pieces(self) -> Iterator[bytes]:
        """Yield the bytes; raises OSError where they are gone."""
        if self.path is None:
            yield self.data or b""
            return
        with self.path.open("rb") as file:
            while piece := file.read(PIECE):
                yield piece

    def read(self) -> bytes:
        """Return the bytes; raises OSError where they are gone."""
        return self.data if self.data is not None else b"".join(self.pieces())


@dataclass(frozen=True, slots=True)
class StoredFile:
    """An uploaded file; without a content it was announced, and its bytes have not come yet."""

    id: str
    filename: str
    purpose: str
    created: float
    content: Content | None = None


class Arrival:
    """A file on its way in: hashed while it comes, and on disk as soon as there is no room in memory."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._sha256, self._md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
        self._file: BinaryIO = io.BytesIO()
        self._room = files.room
        self._head = b""
        self._path: Path | None = None
        self.size = 0

    def write(self, piece: bytes) -> None:
        """Take the next bytes."""
        self._sha256.update(piece)
        self._md5.update(piece)
        self.size += len(piece)
        if len(self._head) < HEAD:
            self._head += piece[: HEAD - len(self._head)]
        if self._path is None and self.size > self._room:
            self._path = self._files.new_path()
            file = self._path.open("wb")
            file.write(self._file.getvalue())  # type: ignore[attr-defined]  # it is in memory so far
            self._file = file
        self._file.write(piece)

    def discard(self) -> None:
        """Forget what came."""
        self._file.close()
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def content(self, filename: str) -> Content:
        """Return all that came as the content of a file with this name."""
        data = self._file.getvalue() if isinstance(self._file, io.BytesIO) else None
        self._file.close()
        document = identity.of_file(
            self._sha256.hexdigest(), self.size, io.BytesIO(self._head), media_type=media_type(filename)
        )
        content = Content(document, self._md5.hexdigest(), 1, data, self._path)
        if document.media_type == "application/pdf":
            content = replace(content, pages=pages.count(content.read()))
        return content


class Files:
    """The files of one key, and the pages of each document among them."""

    def __init__(self, stamp: Stamp, ids: Ids, memory: int, mark: str) -> None:
        self._stamp, self._ids, self._memory, self._mark = stamp, ids, memory, mark
        self._files: dict[str, StoredFile] = {}
        self._folder: Path | None = None
        self._numbers = 0
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._files)

    @property
    def room(self) -> int:
        """Return how many bytes more are kept in memory."""
        kept = (each.content.data for each in self.all() if each.content)
        return self._memory - sum(len(data) for data in kept if data is not None)

    def new_path(self) -> Path:
        """Return where a file can be written, in a folder that nobody else can read."""
        with self._lock:
            if self._folder is None:
                self._folder = Path(tempfile.mkdtemp(prefix="vlmrun-mock-"))
                # It goes with this object, and at the latest with the process.
                weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
            self._numbers += 1
            return self._folder / str(self._numbers)

    def add(self, filename: str, purpose: str, content: Content, given_id: str | None = None) -> StoredFile:
        """Keep a new file, under an id of its own or one that is given."""
        facts = ("file", content.document.identity, filename, purpose)
        file = StoredFile(given_id or self._ids.next(*facts), filename, purpose, self._stamp.moment(), content)
        self._keep(file)
        return file

    def announce(self, filename: str, purpose: str) -> StoredFile:
        """Expect the bytes of a new file."""
        # Whoever sends them has no key, so that the id has to be one of this scope alone.
        file_id = self._ids.next("upload", self._mark, filename, purpose)
        file = StoredFile(file_id, filename, purpose, self._stamp.moment())
        self._keep(file)
        return file

    def arrived(self, file: StoredFile, content: Content) -> StoredFile:
        """Keep the bytes of an announced file."""
        file = replace(file, content=content)
        self._keep(file)
        return file

    def get(self, file_id: str) -> StoredFile | None:
        """Return a file, also one that was only announced."""
        return self._files.get(file_id)

    def by_md5(self, digest: str) -> StoredFile | None:
        """Return the oldest file whose bytes have an MD5, in hexadecimal digits."""
        wanted = digest.lower()
        return next((each for each in self.all() if each.content and each.content.md5 == wanted), None)

    def all(self) -> list[StoredFile]:
        """Return the files, the oldest first."""
        with self._lock:
            return list(self._files.values())

    def delete(self, file_id: str) -> StoredFile | None:
        """Forget a file, and return what it was."""
        with self._lock:
            file = self._files.pop(file_id, None)
        if file is not None and file.content and file.content.path:
            file.content.path.unlink(missing_ok=True)
        return file

    def close(self) -> None:
        """Forget all files."""
        with self._lock:
            self._files.clear()
            folder, self._folder = self._folder, None
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)

    def known(self, document: Document) -> Document | None:
        """Return the document that a file's id or its public URL stands for, or None for any other name."""
        file = self.named(document.identity)
        if file is None or file.content is None:
            return None
        return replace(file.content.document, kind=document.kind, filename=document.filename or file.filename)

    def named(self, name: str) -> StoredFile | None:
        """Return the file that `file:` and an id, or a public URL, stands for."""
        found = PUBLIC_URL.match(name)
        return self._files.get(found[1] if found else name.removeprefix("file:"))

    def content_of(self, document: str) -> Content | None:
        """Return the bytes of a document by its identity, where a file has them."""
        return next((each.content for each in self.all() if each.content and _is(each.content, document)), None)

    def _keep(self, file: StoredFile) -> None:
        with self._lock:
            self._files[file.id] = file
            oldest = next(iter(self._files)) if len(self._files) > MOST_FILES else None
        if oldest is not None:
            self.delete(oldest)


def resolved(documents: Sequence[Document], *stores: Files) -> tuple[Document, ...]:
    """Return documents with the uploaded ones known by their bytes; of several stores the first that has one counts."""
    return tuple(next((found for store in stores if (found := store.known(each))), each) for each in documents)


@cache
def _types() -> MimeTypes:
    """Return Python's own list, without that of the machine."""
    return MimeTypes()


def media_type(filename: str) -> str:
    """Return the media type by a name's ending."""
    return _types().guess_type(filename)[0] or "application/octet-stream"


def _is(content: Content, document: str) -> bool:
    return content.document.identity == document
