"""The memo of the latest responses: the same bytes need no second look, as an answer is a pure function of them."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from typing import TYPE_CHECKING, TypeAlias

import xxhash

from vlmrun_mock.mock.mock import Mock

if TYPE_CHECKING:
    from vlmrun_mock.web.response import ChatResponse
    from vlmrun_mock.web.stream import StreamResponse

AnyResponse: TypeAlias = "ChatResponse | StreamResponse"

MemoKey: TypeAlias = tuple[Mock, tuple[int, ...], bytes]
"""Whose response it is, that mock's revision, and the request's body or the digest of it."""


SEED = secrets.randbits(64)
"""The seed of the digests: nobody outside the process can make two bodies with the same digest."""

SHORT = 2_000
"""Bytes of a body up to which it costs more to digest it than to keep it."""


class Memo:
    """The latest responses.

    Bounded by count and by the size of what is kept; a large body costs more to digest than it saves, and is left out.
    """

    RESPONSES = 512
    LARGEST_REQUEST = 1024 * 1024
    LARGEST_RESPONSE = 64 * 1024

    def __init__(self) -> None:
        self._responses: OrderedDict[MemoKey, AnyResponse] = OrderedDict()

    def key(self, mock: Mock, raw: bytes) -> MemoKey | None:
        """Return what the response to these bytes is kept by now, if it may be; what changes later is not in it."""
        if len(raw) > self.LARGEST_REQUEST:
            return None
        return mock, mock.revision, raw if len(raw) <= SHORT else xxhash.xxh3_128_digest(raw, SEED)

    def get(self, key: MemoKey) -> AnyResponse | None:
        """Return the response that is kept by a key."""
        response = self._responses.get(key)
        if response is not None:
            self._responses.move_to_end(key)
        return response

    def put(self, key: MemoKey, response: AnyResponse) -> None:
        """Keep a response, made from what the mock held when the key was made or later."""
        if response.length <= self.LARGEST_RESPONSE:
            self._responses[key] = response
            if len(self._responses) > self.RESPONSES:
                self._responses.popitem(last=False)
