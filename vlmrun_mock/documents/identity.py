"""The documents of a request: their identity, and the metadata that their URL or their bytes contain."""

from __future__ import annotations

import hashlib
import io
import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import unquote, unquote_to_bytes

from vlmrun_mock.documents import picture_size
from vlmrun_mock.documents.picture_size import Readable
from vlmrun_mock.lazy import lazy

if TYPE_CHECKING:
    import pybase64
else:
    pybase64 = lazy("pybase64")

NOT_A_PATH = re.compile(r"sha256:|file:|(?i:https?://|data:)")
"""How a document's name begins that is an identity or a URL, and no path."""

LONGEST_FILE_NAME = 200  # characters that are kept
LONGEST_HEADER = 1024  # characters of a data URL up to its comma
MOST_ESCAPES = 1_000_000  # percent signs in a data URL: base64 needs none, and each costs memory while it is decoded

BLANKS = b" \t\n\r\f\v"
ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
STANDARD_ALPHABET = bytes.maketrans(b"-_", b"+/")
HTTP_URL = re.compile(r"https?://[^\s/?#:@]", re.IGNORECASE)
SCHEME = re.compile(r"[a-z][a-z0-9+.-]{0,20}:", re.IGNORECASE)
MEDIA_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+", re.ASCII)
BARE_BASE64 = {
    "/9j/": "image/jpeg",
    "iVBORw": "image/png",
    "R0lGOD": "image/gif",
    "UklGR": "image/webp",
    "JVBERi": "application/pdf",
}

SIGNATURES = (
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"GIF8[79]a"), "image/gif"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "image/webp"),
    (re.compile(rb"%PDF-"), "application/pdf"),
    (re.compile(rb"II\*\0|MM\0\*|II\+\0"), "image/tiff"),
    (re.compile(rb"BM....\0\0\0\0", re.DOTALL), "image/bmp"),
    (re.compile(rb"\0\0\0\x0cjP  \r\n\x87\n"), "image/jp2"),
    (re.compile(rb"....ftyp(?:avif|avis)", re.DOTALL), "image/avif"),
    (re.compile(rb"....ftyp(?:heic|heix|hevc|hevx)", re.DOTALL), "image/heic"),
)

LONGEST_SIGNATURE = 32
"""Bytes of a file that are looked at for a signature."""


class DocumentProblem(ValueError):
    """A URL or id without a usable document; the message is for a client, and never contains the payload."""


@dataclass(frozen=True, slots=True)
class Document:
    """One image or file of a request.

    `identity` is `sha256:` and 64 hexadecimal digits of the decoded bytes, an http URL as it was sent, or `file:` and
    a file's id. `kind` is the type of the content part that held it. `size` is in bytes, `width` and `height` are in
    pixels as stored, without the rotation in EXIF; None if unknown. `filename` is the client's name for the file, which
    is no part of the identity.
    """

    identity: str
    kind: str
    media_type: str | None = None
    size: int | None = None
    width: int | None = None
    height: int | None = None
    filename: str | None = None


def from_url(url: str, kind: str = "image_url") -> Document:
    """Return the document at a `data:` or http(s) URL, without fetching or opening anything.

    Raises DocumentProblem for any other URL, and for a data URL whose data is missing or malformed.
    """
    if url[:5].lower() == "data:":
        return _from_data_url(url, kind)
    if not HTTP_URL.match(url):
        raise DocumentProblem(_refusal(url))
    if not url.isprintable():
        raise DocumentProblem("the URL holds a control character or another one that cannot be printed")
    return Document(identity=url, kind=kind)


def from_file_id(file_id: str, kind: str = "input_file") -> Document:
    """Return the document with the id of an uploaded file; raises DocumentProblem for an unusable id."""
    if not file_id or not file_id.isprintable():
        raise DocumentProblem("a file's id is a text of printable characters and not empty")
    return Document(identity=f"file:{file_id}", kind=kind)


def from_bytes(data: bytes, kind: str = "image_url", media_type: str | None = None) -> Document:
    """Return the document with these bytes; `media_type` is the type if they have no known signature.

    Raises DocumentProblem if there are no bytes.
    """
    if not data:
        raise DocumentProblem("the document has no data: it is 0 bytes long")
    return of_file(hashlib.sha256(data).hexdigest(), len(data), io.BytesIO(data), kind, media_type)


def of_file(
    digest: str, size: int, file: Readable, kind: str = "input_file", media_type: str | None = None
) -> Document:
    """Return the document with a SHA-256 in hexadecimal digits, by a file that has at least its header.

    `media_type` as in `from_bytes`.
    """
    sniffed = sniff(file.read(LONGEST_SIGNATURE))
    file.seek(0)
    width, height = picture_size.size_of(file) if sniffed and sniffed.startswith("image/") else (None, None)
    return Document(f"sha256:{digest}", kind, sniffed or media_type, size, width, height)


def identity(data: bytes) -> str:
    """Return the identity of a document with these bytes: `sha256:` and 64 hexadecimal digits."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def data_of(url: str) -> bytes | None:
    """Return the bytes in a data URL of base64, or None for any other one."""
    head, comma, _ = url[:LONGEST_HEADER].partition(",")
    if not comma or not head.lower().endswith(";base64"):
        return None
    try:
        return from_base64(url[len(head) + 1 :])
    except ValueError:
        return None


def sent_as(text: str) -> bytes | None:
    """Return the bytes of the document that a text is, as a data URL or as bare base64; None for any other text."""
    if text[:5].lower() == "data:":
        return data_of(text)
    try:
        return from_base64(text) if text.startswith(tuple(BARE_BASE64)) else None
    except ValueError:
        return None


def is_path(name: str) -> bool:
    """Return whether a document's name is the path of a file, and neither an identity nor a URL."""
    return not NOT_A_PATH.match(name)


def file_name(name: str) -> str | None:
    """Return the last part of a client's path or file name, or None if it cannot be displayed."""
    last = re.split(r"[/\\]", name)[-1].strip()
    return last[:LONGEST_FILE_NAME] if last.isprintable() and last.strip(".") else None


def sniff(data: bytes) -> str | None:
    """Return the media type by the signature of the first bytes, or None."""
    return next((media_type for signature, media_type in SIGNATURES if signature.match(data)), None)


def _from_data_url(url: str, kind: str) -> Document:
    comma = url.find(",", 0, LONGEST_HEADER)
    if comma < 0:
        raise DocumentProblem("the data URL has no comma before its data: write data:image/png;base64,<data>")
    if url[len("data:") : comma].strip().lower() == "base64":
        raise DocumentProblem("the data URL has no media type and no semicolon: write data:image/png;base64,<data>")
    payload = url[comma + 1 :]
    is_base64 = "base64" in (part.strip().lower() for part in url[:comma].split(";")[1:])
    data = from_base64(payload) if is_base64 else _from_percent(payload)
    if not data:
        raise DocumentProblem("the data URL has no data after its comma")
    return as_declared(from_bytes(data, kind), url[:comma])


def as_declared(document: Document, head: str) -> Document:
    """Return a document with what its data URL says of it before the comma.

    Its media type counts if the bytes have no known signature.
    """
    media_type, filename = _declared(head)
    if filename is None and (document.media_type or not media_type):
        return document
    return replace(document, media_type=document.media_type or media_type, filename=filename)


@lru_cache(maxsize=200)
def _declared(head: str) -> tuple[str | None, str | None]:
    """Return the media type and the file name that the head of a data URL declares."""
    declared, *parameters = (part.strip() for part in head[len("data:") :].split(";"))
    media_type = declared.lower() if MEDIA_TYPE.fullmatch(declared) else None
    named = dict(parameter.partition("=")[::2] for parameter in parameters)
    name = next((value for key, value in named.items() if key.lower() in ("name", "filename")), "")
    return media_type, file_name(unquote(name.strip('"')))


def from_base64(payload: str) -> bytes:
    """Return the bytes of base64: read strictly, which is fast, and only then as the variants that services tolerate.

    Raises DocumentProblem.
    """
    try:
        return pybase64.b64decode(payload, validate=True)
    except ValueError:
        return pybase64.b64decode(_strict_base64(payload), validate=True)


def _strict_base64(payload: str) -> bytes:
    """Return base64 in strict form: the standard alphabet, padded, without white space."""
    raw = _from_percent(payload)
    digits = raw.translate(STANDARD_ALPHABET, delete=BLANKS).rstrip(b"=")
    invalid = digits.translate(None, delete=ALPHABET)
    if invalid:
        place = raw.index(invalid[:1]) + 1
        character = (
            repr(chr(invalid[0])) if invalid[:1].isascii() else f"the byte 0x{invalid[0]:02x}, which is not ASCII"
        )
        raise DocumentProblem(f"the data is not base64: at position {place} there is {character}")
    if len(digits) % 4 == 1:
        raise DocumentProblem(f"the base64 data is cut short: {len(digits)} characters do not make whole bytes")
    return digits + b"=" * (-len(digits) % 4)


def _from_percent(payload: str) -> bytes:
    if payload.count("%") > MOST_ESCAPES:
        raise DocumentProblem(f"the data URL has more than {MOST_ESCAPES:,} percent signs: send base64 instead")
    try:
        return unquote_to_bytes(payload)
    except UnicodeEncodeError as problem:
        place = problem.start + 1
        raise DocumentProblem(
            f"at position {place} of the data URL's data there is half a character, a lone surrogate"
        ) from None


def _refusal(url: str) -> str:
    """Return the reason to refuse a URL, and what to send instead."""
    instead = "send an http(s) URL, or the file itself as data:<media type>;base64,<data>"
    if not url.strip():
        return f"the URL is empty: {instead}"
    for start, media_type in BARE_BASE64.items():
        if url.startswith(start):
            return f"the URL is bare base64: put data:{media_type};base64, before it"
    scheme = SCHEME.match(url)
    if scheme and scheme[0].lower() not in ("http:", "https:"):
        return f"{scheme[0]} URLs are not accepted and nothing is opened: {instead}"
    return f"{url[:32]!a} is not a complete URL: {instead}"
