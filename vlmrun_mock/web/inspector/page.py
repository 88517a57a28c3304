"""The page itself and its files, which come with the package; nothing of it is made of what a client sent."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

FOLDER = Path(__file__).parent / "page"

TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
)
"""What the page may do: load its own files, ask its own server, and show pictures that it was given."""

BYTES_POLICY = "sandbox; default-src 'none'"
"""What may be done with the bytes of a document: nothing, wherever they are opened."""

HEADERS = {
    "content-security-policy": PAGE_POLICY,
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-cache",
}


@cache
def files() -> dict[str, bytes]:
    """Return the files of the page by their names."""
    return {path.name: path.read_bytes() for path in sorted(FOLDER.iterdir()) if path.suffix in TYPES}


async def page(request: Request) -> Response:
    """Return the page to a browser; a client that accepts no HTML gets a 404, as for any unknown path."""
    if "text/html" not in request.headers.get("accept", ""):
        raise HTTPException(404)
    return _file("index.html")


async def file(request: Request) -> Response:
    """Return one of the page's files."""
    return _file(request.path_params["name"])


def _file(name: str) -> Response:
    content = files().get(name)
    if content is None:
        raise HTTPException(404)
    return Response(content, media_type=TYPES[Path(name).suffix], headers=HEADERS)
