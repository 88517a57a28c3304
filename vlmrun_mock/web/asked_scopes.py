"""The scopes that a request below `/_mock/` is about: that of its key, or without one all of them."""

from __future__ import annotations

from starlette.requests import Request

from vlmrun_mock.mock.mock import Mock
from vlmrun_mock.mock.scopes import Scopes
from vlmrun_mock.web.keys import authenticate, key_of, raw_headers


class AskedScopes:
    """Finds them; where `--api-key` is given, there has to be one of those, else Unauthenticated is raised."""

    def __init__(self, scopes: Scopes) -> None:
        self._scopes = scopes

    def key(self, request: Request) -> str:
        """Return the key of a request, which may be empty."""
        headers = raw_headers(request.scope)
        key = key_of(headers)
        if key or self._scopes.api_keys:
            authenticate(headers, self._scopes.api_keys)
        return key.decode("utf-8", "surrogateescape")

    def mock(self, request: Request) -> Mock:
        """Return the mock that a request acts on."""
        return self._scopes.of(self.key(request))

    def mocks(self, request: Request) -> list[Mock]:
        """Return the mocks that a request is about: that of its key, or all."""
        key = self.key(request)
        return [self._scopes.of(key)] if key else self._scopes.all()
