"""What a server keeps and tells for the inspector's page; a server that has none keeps no bytes and tells nobody."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from vlmrun_mock.lazy import lazy
from vlmrun_mock.web.exchange import Exchange, Exchanges
from vlmrun_mock.web.head import Head
from vlmrun_mock.web.inspector.feed import Feed
from vlmrun_mock.web.request_log import RequestLog

if TYPE_CHECKING:
    from vlmrun_mock.web.inspector import rows
else:
    rows = lazy("vlmrun_mock.web.inspector.rows")

PAGE = "/_mock/inspector/"
"""Where the page's own files and data are, whose requests are not logged: they are the page's and no client's."""

ANSWERING = "/v1/"
CONTROL = "/_mock/"
READING = ("GET", "HEAD", "OPTIONS")


class Inspection:
    """The exchanges that are kept for the page, at most `most_bytes` of them, and the pages that are open."""

    def __init__(self, most_bytes: int) -> None:
        self.exchanges = Exchanges(most_bytes)
        self.feed = Feed()
        self.began = time.time()

    def exchange(self, head: Head) -> Exchange | None:
        """Return where to keep the bytes of a request that begins; None for one that no journal records."""
        if not head.path.startswith(ANSWERING) or head.method in READING:
            return None
        return Exchange(head.method, head.path, head.query, head.headers)

    def ended(self, log: RequestLog) -> None:
        """Count what was kept of a request that is over, and tell the open pages of it."""
        if log.recorded and log.exchange is not None:
            self.exchanges.keep(log.exchange)
        if not self.feed.pages:
            return
        if log.recorded:
            kept = log.exchange is not None and log.exchange.is_kept
            self.feed.tell("request", rows.row(log.complete_entry(), log.key, kept=kept), log.key)
        elif log.head.method not in READING and log.head.path.startswith(CONTROL):
            self.feed.tell("changed", {})
