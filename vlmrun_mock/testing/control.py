"""The verbs: what a test does with a mock, and what it asks of it afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import EllipsisType
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from vlmrun_mock.fixtures.errors import FixtureError
from vlmrun_mock.lazy import lazy
from vlmrun_mock.mock.faults import FaultKind
from vlmrun_mock.mock.journal import LONGEST_NAME, Entry
from vlmrun_mock.mock.mock import Mock
from vlmrun_mock.mock.verdict import Verdict, together, verdict
from vlmrun_mock.testing import arguments
from vlmrun_mock.testing.arguments import Documents, TextLike, given
from vlmrun_mock.testing.expectation import Expectation

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from vlmrun_mock.fixtures import loader
    from vlmrun_mock.fixtures.fixture import Fixture
    from vlmrun_mock.fixtures.match import Match
    from vlmrun_mock.mock import fault_format
else:
    loader = lazy("vlmrun_mock.fixtures.loader")
    fault_format = lazy("vlmrun_mock.mock.fault_format")

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

UNLESS_SAID = 429
"""The status of a failure that is not described any further."""

EXPECTED = "assert_requested()"
"""What an error calls an expectation that cannot be understood."""


class Control:
    """One scope of a server: where it is reached, and the verbs on it.

    `api_key` is the key to send, `app` the ASGI application, for a client that calls it without a socket.
    """

    api_key: str

    def __init__(self, app: ASGIApp, mock: Mock, api_key: str) -> None:
        self.app = app
        self.api_key = api_key
        self._mock = mock

    def __repr__(self) -> str:
        return f"<{type(self).__name__} with the key {self.api_key!r}>"

    @property
    def url(self) -> str:
        """Return where the server is, such as `http://127.0.0.1:41234`."""
        raise NotImplementedError

    @property
    def openai_url(self) -> str:
        """Return the base URL for the OpenAI SDK."""
        return f"{self.url}/v1/openai"

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables that lead the official clients to this server."""
        return {
            "OPENAI_BASE_URL": self.openai_url,
            "OPENAI_API_KEY": self.api_key,
            "VLMRUN_BASE_URL": f"{self.url}/v1",
            "VLMRUN_API_KEY": self.api_key,
        }

    @property
    def requests(self) -> list[Entry]:
        """Return the chat requests so far, in the order in which they were answered."""
        return sorted((entry for mock in self._mocks() for entry in mock.journal), key=lambda entry: entry.end)

    def add(
        self,
        domain: str | None = None,
        *,
        documents: Documents | None = None,
        text: TextLike | None = None,
        model: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        content: Mapping[str, Any] | Sequence[Any] | str | None = None,
        merge: Mapping[str, Any] | None = None,
        error: Mapping[str, Any] | None = None,
        answers: Sequence[Mapping[str, Any]] | None = None,
        usage: Mapping[str, int] | None = None,
        latency_ms: float | None = None,
    ) -> str:
        """Register a fixture, and return its name.

        The arguments are the keys of a fixture file: first what a request must be like, then one of `content`,
        `merge`, `error` and `answers`. A path of a document is relative to the working directory. The latest of equal
        fixtures wins. Raises FixtureError, which names the place and the reason.
        """
        __tracebackhide__ = True
        answer = given(content=content, merge=merge, error=error, usage=usage, latency_ms=latency_ms)
        body = given(answer=answer if answer or answers is None else None, answers=answers)
        match = arguments.match(domain, documents, text, model, metadata)
        fixture = _without_traceback(self._built, {"match": match, **body})
        self._mock.register(fixture)
        return fixture.name

    def fail(
        self,
        kind: FaultKind | None = None,
        *,
        status: int | None = None,
        message: str | None = None,
        headers: Mapping[str, str] | None = None,
        retry_after: float | None = None,
        latency_ms: float | Sequence[float] | None = None,
        domain: str | None = None,
        times: int | EllipsisType | None = ...,
        every: int | None = None,
        share: float | None = None,
    ) -> None:
        """Make requests fail: the next one with a 429, unless more is said.

        `times` is how many requests it strikes, and None all of them; `every` lets it strike only each Nth, `share` a
        drawn part, both without an end unless `times` is given. Raises FaultError, which names the place and the
        reason.
        """
        __tracebackhide__ = True
        said = given(status=status, message=message, headers=headers, retry_after=retry_after)
        if kind in (None, "error") and status is None and (said or kind or latency_ms is None):
            said["status"] = UNLESS_SAID
        said |= given(kind=kind, latency_ms=latency_ms, domain=domain, every=every, share=share)
        if times is not ...:
            said["times"] = times
        self._mock.arm(_without_traceback(fault_format.parse, said, "fail()"))

    def assert_requested(
        self,
        domain: str | None = None,
        *,
        documents: Documents | None = None,
        text: TextLike | None = None,
        model: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        times: int | None = None,
    ) -> list[Entry]:
        """Return the requests that match; raises AssertionError if there is none, or not `times` of them.

        The arguments mean what they mean in a fixture. The error says what was asked instead, and how the nearest
        request differs.
        """
        __tracebackhide__ = True
        match = arguments.match(domain, documents, text, model, metadata)
        expectation = Expectation(_without_traceback(self._match, match), times)
        entries = self.requests
        explanation = expectation.explained(entries, sum(mock.journal.dropped for mock in self._mocks()))
        if explanation:
            raise AssertionError(explanation)
        return [entry for entry in entries if expectation.is_met_by(entry)]

    def assert_not_requested(
        self,
        domain: str | None = None,
        *,
        documents: Documents | None = None,
        text: TextLike | None = None,
        model: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Raise AssertionError if there is a request that matches."""
        __tracebackhide__ = True
        self.assert_requested(domain, documents=documents, text=text, model=model, metadata=metadata, times=0)

    def verdict(self) -> Verdict:
        """Return what the application did with the answers that it got: it is true if there is nothing to say."""
        return together(verdict(mock.journal) for mock in self._mocks())

    def reset(self) -> None:
        """Return to the start: nothing registered, no failures to come, nothing asked."""
        for mock in self._mocks():
            mock.reset()

    def _mocks(self) -> list[Mock]:
        """Return the mocks whose requests count."""
        return [self._mock]

    def _built(self, body: Mapping[str, Any]) -> Fixture:
        return self._mock.built(arguments.fixture_body(body, "add()"), "add()")

    def _match(self, match: Mapping[str, Any]) -> Match:
        """Return what a match in the format of a fixture means for the journal; raises FixtureError."""
        body = arguments.fixture_body({"match": match, "answer": {"content": ""}}, EXPECTED)
        wanted = loader.FixtureBuilder(EXPECTED, self._mock.domains).fixture(body, origin=0).match
        # The journal keeps no more than this of a name.
        kept = tuple(name[:LONGEST_NAME] for name in wanted.documents) if wanted.documents is not None else None
        return replace(wanted, documents=kept)


def _without_traceback(
    function: Callable[Parameters, Result], *args: Parameters.args, **kw: Parameters.kwargs
) -> Result:
    """Call a function whose error explains itself: a test shows its own line, and not where the mistake was noticed."""
    __tracebackhide__ = True
    try:
        return function(*args, **kw)
    except FixtureError as error:
        raise error.with_traceback(None) from None
