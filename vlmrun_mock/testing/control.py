"""The verbs of a test: scripting a mock, and asserting what it was asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import EllipsisType
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import msgspec

from vlmrun_mock.address import Address
from vlmrun_mock.fixtures.errors import FixtureError
from vlmrun_mock.lazy import lazy
from vlmrun_mock.mock import verdict
from vlmrun_mock.mock.faults import FaultKind, RouteFamily
from vlmrun_mock.mock.files import StoredFile
from vlmrun_mock.mock.journal import Entry, EnvelopeKind
from vlmrun_mock.mock.mock import Mock
from vlmrun_mock.mock.request_summary import LONGEST_NAME
from vlmrun_mock.mock.verdict import Verdict, together
from vlmrun_mock.mock.webhooks import Webhook
from vlmrun_mock.testing import arguments
from vlmrun_mock.testing.arguments import Documents, TextLike, given
from vlmrun_mock.testing.expectation import Expectation

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from vlmrun_mock.documents import printer
    from vlmrun_mock.documents.appearance import Format, Strength, Style
    from vlmrun_mock.fixtures import loader, printed
    from vlmrun_mock.fixtures import score as scoring
    from vlmrun_mock.fixtures.fixture import Fixture
    from vlmrun_mock.fixtures.match import Match
    from vlmrun_mock.fixtures.printed import PrintedDocument
    from vlmrun_mock.fixtures.score import Score
    from vlmrun_mock.mock import fault_format
else:
    printed = lazy("vlmrun_mock.fixtures.printed")
    printer = lazy("vlmrun_mock.documents.printer")
    loader = lazy("vlmrun_mock.fixtures.loader")
    fault_format = lazy("vlmrun_mock.mock.fault_format")
    scoring = lazy("vlmrun_mock.fixtures.score")

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

DEFAULT_STATUS = 429
"""The status of a failure without a description."""

EXPECTED = "assert_requested()"
"""The name of an invalid expectation in its error."""


class Control:
    """One scope of a server: its address, and the verbs on it.

    `api_key` is the key to send. `app` is the ASGI application, for clients that need no socket.
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
        """Return the server's address, such as `http://127.0.0.1:41234`."""
        raise NotImplementedError

    @property
    def openai_url(self) -> str:
        """Return the base URL for the OpenAI SDK."""
        return Address(self.url, self.api_key).openai_url

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment variables that direct the official clients to this server."""
        return Address(self.url, self.api_key).environment

    @property
    def requests(self) -> list[Entry]:
        """Return the requests for answers so far, chats, predictions and executions, in the order of their answers."""
        return sorted((entry for mock in self._mocks() for entry in mock.journal), key=lambda entry: entry.end)

    @property
    def files(self) -> list[StoredFile]:
        """Return the files that were uploaded, the oldest first."""
        return [file for mock in self._mocks() for file in mock.files.all() if file.content]

    @property
    def webhooks(self) -> list[Webhook]:
        """Return the webhooks that were due, each with its attempts."""
        return [webhook for mock in self._mocks() for webhook in mock.webhooks]

    def add(
        self,
        domain: str | None = None,
        *,
        documents: Documents | None = None,
        text: TextLike | None = None,
        model: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        content: Mapping[str, Any] | Sequence[Any] | str | None = None,
        boxes: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
        merge: Mapping[str, Any] | None = None,
        vary: bool | None = None,
        error: Mapping[str, Any] | None = None,
        answers: Sequence[Mapping[str, Any]] | None = None,
        usage: Mapping[str, int] | None = None,
        latency_ms: float | None = None,
    ) -> str:
        """Register a fixture, and return its name.

        The arguments are the keys of a fixture file: first what a request must match, then one of `content`, `merge`,
        `vary`, `error` and `answers`; `boxes` go with `content`. Paths of documents are relative to the working
        directory. The latest of equal fixtures wins. Raises FixtureError, which names the place and the reason.
        """
        __tracebackhide__ = True
        answer = given(
            content=content, boxes=boxes, merge=merge, vary=vary, error=error, usage=usage, latency_ms=latency_ms
        )
        body = given(answer=answer if answer or answers is None else None, answers=answers)
        match = arguments.match(domain, documents, text, model, metadata)
        fixture = _without_traceback(self._built, {"match": match, **body})
        self._mock.register(fixture)
        return fixture.name

    def document(
        self,
        domain: str,
        *,
        seed: int = 0,
        format: Format = "pdf",  # noqa: A002 - the word of the command line
        style: Style | None = None,
        locale: str = "en_US",
        scan: Strength | None = None,
        fonts: Sequence[Path] = (),
    ) -> PrintedDocument:
        """Print a document of a domain, register the answer that is printed on it, and return both.

        Its `data`, or `files` for the pages of pictures, are what to send; `save` writes them. With `scan`, `light` or
        `heavy`, it looks scanned. `fonts` are folders of fonts, for characters that ours do not show. Raises
        PrintingError, also where the extra `documents` is not installed, and ValueError for a domain or an option that
        there is not.
        """
        __tracebackhide__ = True
        known = self._mock.domains.get(domain)
        if known is None:
            closest = ", ".join(self._mock.domains.closest(domain))
            raise ValueError(f"document(): unknown domain {domain!r:.100}{f'; closest: {closest}' if closest else ''}")
        press = printed.Press(printer.Printer(fonts), format, locale, style, scan)
        document = press.of_domain(known, seed)
        self._mock.register(_without_traceback(self._built, document.fixture(document.files), "document()"))
        return document

    def score(self, answer: Any, truth: Any) -> Score:
        """Return how near what an application stored comes to the truth, field by field.

        Its `total` goes from 0 to 1, `wrong` are the fields that are not exactly right, and as text it lists them.
        Raises ModuleNotFoundError where the extra `documents` is not installed.
        """
        return scoring.score(answer, truth)

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
        route: RouteFamily | None = None,
        times: int | EllipsisType | None = ...,
        every: int | None = None,
        share: float | None = None,
    ) -> None:
        """Make requests fail: by default the next one, with a 429.

        `route` limits this to a family of routes, such as `files`; without it, what asks for an answer fails.
        `times` is the number of requests that fail, or None for all. With `every` only each Nth request fails, with
        `share` a random part, both without an end unless `times` is given. Raises FaultError, which names the place
        and the reason.
        """
        __tracebackhide__ = True
        described = given(status=status, message=message, headers=headers, retry_after=retry_after)
        if kind in (None, "error") and status is None and (described or kind or latency_ms is None):
            described["status"] = DEFAULT_STATUS
        described |= given(kind=kind, latency_ms=latency_ms, domain=domain, route=route, every=every, share=share)
        if times is not ...:
            described["times"] = times
        self._mock.arm(_without_traceback(fault_format.parse, described, "fail()"))

    def assert_requested(
        self,
        domain: str | None = None,
        *,
        documents: Documents | None = None,
        text: TextLike | None = None,
        model: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        kind: EnvelopeKind | None = None,
        times: int | None = None,
    ) -> list[Entry]:
        """Return the requests that match; raises AssertionError if there is none, or not `times` of them.

        The arguments are those of `add`, and `kind`, which is chat, prediction or execution. The error lists the
        requests that came instead, and how the nearest differs.
        """
        __tracebackhide__ = True
        match = arguments.match(domain, documents, text, model, metadata)
        expectation = Expectation(_without_traceback(self._match, match), times, kind)
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
        kind: EnvelopeKind | None = None,
    ) -> None:
        """Raise AssertionError if a request matches."""
        __tracebackhide__ = True
        self.assert_requested(
            domain, documents=documents, text=text, model=model, metadata=metadata, kind=kind, times=0
        )

    def verdict(self) -> Verdict:
        """Return what the application did wrong with its answers; the verdict is true if it did nothing wrong."""
        return together(map(verdict.of, self._mocks()))

    def reset(self) -> None:
        """Remove what was registered, the failures to come, and the requests so far."""
        for mock in self._mocks():
            mock.reset()

    def _mocks(self) -> list[Mock]:
        """Return the mocks whose requests belong to this scope."""
        return [self._mock]

    def _built(self, body: Mapping[str, Any], verb: str = "add()") -> Fixture:
        fixture = self._mock.built(arguments.fixture_body(body, verb), verb)
        return msgspec.structs.replace(fixture, originals=(*fixture.originals, *arguments.originals(body)))

    def _match(self, match: Mapping[str, Any]) -> Match:
        """Return a match in the format of a fixture as the journal needs it; raises FixtureError."""
        body = arguments.fixture_body({"match": match, "answer": {"content": ""}}, EXPECTED)
        wanted = loader.FixtureBuilder(EXPECTED, self._mock.domains).fixture(body, origin=0).match
        # The journal cuts names to this length.
        kept = tuple(name[:LONGEST_NAME] for name in wanted.documents) if wanted.documents is not None else None
        return replace(wanted, documents=kept)


def _without_traceback(
    function: Callable[Parameters, Result], *args: Parameters.args, **kw: Parameters.kwargs
) -> Result:
    """Call a function, and drop the traceback of its FixtureError, so that pytest shows the line of the test."""
    __tracebackhide__ = True
    try:
        return function(*args, **kw)
    except FixtureError as error:
        raise error.with_traceback(None) from None
