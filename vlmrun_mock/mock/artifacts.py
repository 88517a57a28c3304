"""Artifacts: what the references in an answer lead to, for each session and each execution."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from vlmrun_mock.api import refs
from vlmrun_mock.documents.identity import Document
from vlmrun_mock.mock.files import Files
from vlmrun_mock.mock.records import Records

MOST_NAMESPACES = 1_000

MOST_BYTES = 64_000_000
"""Bytes of inputs that were sent in requests and are kept for one key."""

SIDE = 64

MEDIA_TYPES = {
    "img": "image/png",
    "vid": "video/mp4",
    "aud": "audio/mpeg",
    "doc": "application/pdf",
    "recon": "application/octet-stream",
    "arr": "application/octet-stream",
    "url": "text/plain",
}
"""The media type of an artifact by its kind; Python's client wants exactly these."""


class Namespace(msgspec.Struct):
    """What one session or execution has: its texts, and its references with the inputs that some stand for."""

    id: str
    texts: list[str] = []
    inputs: dict[str, Document | None] = {}
    data: dict[str, bytes] = {}


class Artifacts:
    """The namespaces of one key."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._namespaces: Records[Namespace] = Records(MOST_NAMESPACES)
        self._kept = 0

    def note(self, name: str, documents: Iterable[Document], text: str, answer: str) -> Namespace:
        """Remember what a request brought and what its answer refers to."""
        namespace = self._namespaces.get(name) or self._namespaces.add(name, Namespace(name))
        if text:
            namespace.texts.append(text)
        namespace.inputs |= {refs.ref(each): each for each in documents}
        for found in refs.REF.findall(answer):
            namespace.inputs.setdefault(found, None)
        return namespace

    def keep(self, namespace: Namespace, ref: str, data: bytes) -> None:
        """Keep the bytes of an input that came with a request, as long as there is room."""
        if ref not in namespace.data and self._kept + len(data) <= MOST_BYTES:
            namespace.data[ref] = data
            self._kept += len(data)

    def get(self, name: str) -> Namespace | None:
        """Return a namespace."""
        return self._namespaces.get(name)

    def read(self, namespace: Namespace, ref: str, url: str) -> tuple[bytes, str]:
        """Return the bytes of an artifact and their media type; `url` is what one says that is an address.

        Those of an input where they are known, and else those of a sample.
        """
        document = namespace.inputs.get(ref)
        data = namespace.data.get(ref)
        if data is None and document is not None:
            stored = self._files.content_of(document.identity)
            data = stored.read() if stored else None
        kind = ref.partition("_")[0]
        is_exact = kind not in ("img", "doc") or (document is not None and document.media_type in EXACT[kind])
        if data is not None and is_exact:
            usual = MEDIA_TYPES[kind]
            return data, (document.media_type or usual) if document and kind == "img" else usual
        return (url.encode() if kind == "url" else SAMPLES[kind]), MEDIA_TYPES[kind]


EXACT: Mapping[str, tuple[str, ...]] = {"img": ("image/png", "image/jpeg"), "doc": ("application/pdf",)}
"""The media types that the clients take for a kind; any other input is answered by a sample."""


def _picture() -> bytes:
    """Return a grey PNG."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 0, 0, 0, 0)
    pixels = zlib.compress((b"\0" + b"\xb0" * SIDE) * SIDE)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def _document() -> bytes:
    """Return a PDF with one empty page."""
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>",
    )
    text, places = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(text))
        text += b"%d 0 obj\n%b\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"xref\n0 4\n0000000000 65535 f \n%btrailer\n<< /Size 4 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
    return text + end % (table, len(text))


SAMPLES: Mapping[str, bytes] = {
    "img": _picture(),
    "doc": _document(),
    "vid": b"\0\0\0\x18ftypisom\0\0\x02\0isomiso2\0\0\0\x08mdat",
    "aud": b"\xff\xfb\x10\xc4" + bytes(100),
    "recon": bytes(64),
    "arr": bytes(64),
}
"""A file of each kind, which stands for an artifact whose bytes are not known."""


def listed(namespace: Namespace) -> list[dict[str, Any]]:
    """Return the artifacts of a namespace as the API lists them."""
    return [
        {
            "object_id": ref,
            "filename": document.filename if document else None,
            "source": "manifest" if document else "store",
        }
        for ref, document in namespace.inputs.items()
    ]
