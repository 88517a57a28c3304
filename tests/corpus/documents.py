"""Documents of several kinds, made of as few bytes as tell what they are and how large."""

from __future__ import annotations

import base64
import struct
import zlib


def png(width: int, height: int, comment: str = "") -> bytes:
    """Return a PNG without pixels: nobody looks behind its header."""
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    text = _chunk(b"tEXt", b"Comment\0" + comment.encode()) if comment else b""
    return b"\x89PNG\r\n\x1a\n" + header + text + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def jpeg(width: int, height: int) -> bytes:
    """Return a JPEG that ends after its header."""
    jfif = b"\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
    frame = b"\xff\xc0\x00\x0b\x08" + struct.pack(">HH", height, width) + b"\x01\x01\x11\x00"
    return b"\xff\xd8" + jfif + frame + b"\xff\xd9"


def gif(width: int, height: int) -> bytes:
    """Return a GIF without frames."""
    return b"GIF89a" + struct.pack("<HH", width, height) + b"\x00\x00\x00;"


def webp(width: int, height: int) -> bytes:
    """Return a WebP in the extended format, without pixels."""
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    content = b"WEBPVP8X" + struct.pack("<I", 10) + b"\x00\x00\x00\x00" + size
    return b"RIFF" + struct.pack("<I", len(content)) + content


def bmp(width: int, height: int) -> bytes:
    """Return a bitmap without pixels."""
    return b"BM" + struct.pack("<IIIIiiHH", 54, 0, 54, 40, width, height, 1, 24) + bytes(24)


def data_url(data: bytes, media_type: str = "image/png") -> str:
    """Return bytes as a data URL."""
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


PNG = png(640, 480)
OTHER_PNG = png(640, 480, "another")
LARGE_PNG = png(4000, 3000)
JPEG = jpeg(1275, 1650)
GIF = gif(100, 50)
WEBP = webp(800, 600)
BMP = bmp(300, 200)
TIFF = b"II*\0\x08\0\0\0\0\0\0\0\0\0"
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
TEXT = "Rechnung über 12,50 €\n".encode()
