"""What open pages are told while it happens: bounded for each, and ended when the server stops."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

MOST_PAGES = 32
"""Pages that are told at the same time; the one that was opened first makes room."""

MOST_WAITING = 256
"""Messages that wait for a slow page; beyond them it is told to load the list again instead."""

HEARTBEAT_SECONDS = 15.0
"""After how long a silence a comment is sent, so that a connection which is gone is noticed."""


def event(name: str, data: Any) -> bytes:
    """Return a server-sent event."""
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()


class OpenPage:
    """One open page; `key` is the API key whose requests it shows, empty for all."""

    def __init__(self, key: str) -> None:
        self.key = key
        self._waiting: asyncio.Queue[bytes | None] = asyncio.Queue()

    def put(self, message: bytes) -> None:
        """Send a message, or the advice to load everything again where too many wait already."""
        if self._waiting.qsize() >= MOST_WAITING:
            while not self._waiting.empty():
                self._waiting.get_nowait()
            message = event("reload", {})
        self._waiting.put_nowait(message)

    def close(self) -> None:
        """End it, after what waits."""
        self._waiting.put_nowait(None)

    async def messages(self) -> AsyncIterator[bytes]:
        """Yield the messages until it is closed."""
        yield event("hello", {})
        while True:
            try:
                message = await asyncio.wait_for(self._waiting.get(), HEARTBEAT_SECONDS)
            except asyncio.TimeoutError:
                message = b": still here\n\n"
            if message is None:
                return
            yield message


class Feed:
    """The open pages of a server. Its methods are for the event loop alone."""

    def __init__(self) -> None:
        self.pages: list[OpenPage] = []
        self._is_closed = False

    def open(self, key: str) -> OpenPage:
        """Return a new page, which is told what happens from now on."""
        page = OpenPage(key)
        if self._is_closed:
            page.close()
            return page
        if len(self.pages) >= MOST_PAGES:
            self.pages.pop(0).close()
        self.pages.append(page)
        return page

    def leave(self, page: OpenPage) -> None:
        """Forget a page."""
        if page in self.pages:
            self.pages.remove(page)

    def tell(self, name: str, data: Any, key: str | None = None) -> None:
        """Tell the pages that show the requests of a key, or all pages."""
        message = event(name, data)
        for page in self.pages:
            if key is None or not page.key or page.key == key:
                page.put(message)

    async def close(self) -> None:
        """End all pages, now and from now on, so that the server can stop at once."""
        self._is_closed = True
        for page in self.pages:
            page.close()
        self.pages = []
