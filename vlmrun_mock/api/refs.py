"""References, such as `doc_678168`: how Orion names what came in and what it made."""

from __future__ import annotations

import hashlib
import re

from vlmrun_mock.documents.identity import Document

KINDS = ("img", "vid", "aud", "doc", "recon", "arr", "url")
"""What a reference can be to, as documented: pictures, videos, recordings, documents, scenes, arrays and addresses."""

REF = re.compile(rf"\b(?:{'|'.join(KINDS)})_[0-9a-f]{{6}}\b")

SHAPED = re.compile(rf"({'|'.join(KINDS)})_\w{{6}}", re.ASCII)
"""A string that was made to look like a reference."""

NAMES = {"img": "image", "vid": "video", "aud": "audio", "doc": "document"}
"""What an input of each kind is called in a sentence."""

BY_PART = {"video_url": "vid", "audio_url": "aud", "image_url": "img"}
BY_MEDIA = {"image": "img", "video": "vid", "audio": "aud"}


def kind_of(document: Document) -> str:
    """Return the kind of an input, by what its bytes are, or else by the part that held it."""
    major = (document.media_type or "").partition("/")[0]
    return BY_MEDIA.get(major) or ("doc" if document.media_type else BY_PART.get(document.kind, "doc"))


def ref(document: Document) -> str:
    """Return the reference of an input: the same one for the same document."""
    return f"{kind_of(document)}_{hashlib.sha256(document.identity.encode('utf-8', 'surrogatepass')).hexdigest()[:6]}"
