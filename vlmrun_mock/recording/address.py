"""The address of a server that the mock asks: checked, and without what belongs to a path or to a secret."""

from __future__ import annotations

from urllib.parse import urlsplit


class AddressProblem(ValueError):
    """A text that is no address of a server; the message says what is."""


def base(url: str) -> str:
    """Return the address of a server, such as `https://api.vlm.run`; a path of its API is left out.

    Raises AddressProblem.
    """
    if "@" in url:
        raise AddressProblem("the address holds a user name: a key is sent by the client, or read from VLMRUN_API_KEY")
    try:
        parts = urlsplit(url.strip())
        _ = parts.port
    except ValueError as error:
        raise AddressProblem(f"{url!r:.100} is no address of a server: {error}") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise AddressProblem(f"{url!r:.100} is no address of a server such as https://api.vlm.run")
    path = parts.path.rstrip("/")
    for ending in ("/chat/completions", "/openai", "/v1"):
        path = path.removesuffix(ending)
    return f"{parts.scheme}://{parts.netloc}{path}"
