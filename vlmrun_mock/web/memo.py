"""The memo of the latest responses: the same bytes need no second look, as an answer is a pure function of them."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import TypeAlias

from vlmrun_mock.mock.mock import Mock
from vlmrun_mock.web.response import ChatResponse

MemoKey: TypeAlias = tuple[Mock, tuple[int, ...], bytes]
"""Whose response it is, that mock's revision, and the digest of the request's body."""


class Memo:
    """The latest responses.

    Bounded by count and by the size of what is kept; a large body costs more to digest than it saves, and is left out.
    """

    RESPONSES = 512
    LARGEST_REQUEST = 1024 * 1024
    LARGEST_RESPONSE = 64 * 1024

    def __init__(self) -> None:
        self._responses: OrderedDict[MemoKey, ChatResponse] = OrderedDict()

    def get(self, mock: Mock, revision: tuple[int, ...], raw: bytes) -> ChatResponse | None:
        """Return the response to these bytes, if it is kept."""
        if len(raw) > self.LARGEST_REQUEST or mock.faulty:
            return None
        key = (mock, revision, hashlib.sha256(raw).digest())
        response = self._responses.get(key)
        if response is not None:
            self._responses.move_to_end(key)
        return response

    def put(self, mock: Mock, revision: tuple[int, ...], raw: bytes, response: ChatResponse) -> None:
        """Keep a response, made from what the mock held at this revision or later."""
        if len(raw) <= self.LARGEST_REQUEST and len(response.body) <= self.LARGEST_RESPONSE:
            self._responses[mock, revision, hashlib.sha256(raw).digest()] = response
            if len(self._responses) > self.RESPONSES:
                self._responses.popitem(last=False)
