"""The heart: from a request to an answer, knowing nothing of HTTP."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any

from vlmrun_mock.api.answer import Answer
from vlmrun_mock.api.errors import ApiError, NoFixture, Problem, UnknownDomain
from vlmrun_mock.api.request import CallerSchema, ExtractionRequest
from vlmrun_mock.fixtures import index
from vlmrun_mock.fixtures.fixture import Fixture, FixtureAnswer
from vlmrun_mock.fixtures.index import FixtureSet
from vlmrun_mock.fixtures.store import Library
from vlmrun_mock.lazy import lazy
from vlmrun_mock.mock.faults import Fault, FaultScript
from vlmrun_mock.mock.journal import Journal
from vlmrun_mock.mock.rate_limit import Window
from vlmrun_mock.mock.settings import Settings
from vlmrun_mock.mock.sources import CallersSchema, Fixtures, Packaged, Source, Upstream
from vlmrun_mock.recording.upstream import UpstreamRequest
from vlmrun_mock.seed import Seed, Stamp

if TYPE_CHECKING:
    from vlmrun_mock.api import chat_parser
    from vlmrun_mock.fixtures import loader
    from vlmrun_mock.fixtures.format import FixtureBody
    from vlmrun_mock.mock import content
    from vlmrun_mock.recording import recorder as recording
    from vlmrun_mock.recording.recorder import Recorder
else:
    chat_parser = lazy("vlmrun_mock.api.chat_parser")
    loader = lazy("vlmrun_mock.fixtures.loader")
    content = lazy("vlmrun_mock.mock.content")
    recording = lazy("vlmrun_mock.recording.recorder")


class Mock:
    """One scope's stand-in: its settings, what was registered for it, what it was asked, and what it counts.

    Each API key of a server has one. `everyone` is the mock of the requests and registrations without a key: its
    fixtures and faults apply to all.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        library: Library | None = None,
        everyone: Mock | None = None,
    ) -> None:
        """Load the fixtures of the settings unless a library is given; raises FixtureFolderError."""
        self.settings = settings or Settings()
        self.library = library or Library(self.settings.fixtures)
        self.everyone = everyone
        self.domains = self.library.domains
        self.tokenizer = self.library.tokenizer
        self.seed = Seed(self.settings.seed)
        self.stamp = Stamp(self.seed, self.settings.clock == "wall", self.settings.ids == "random")
        # Shared by all scopes, so that no two fixtures are ever counted as one.
        self.numbers: Iterator[int] = everyone.numbers if everyone else itertools.count(1)
        self._lock = Lock()
        self._changes = 0
        self._given: tuple[Fixture, ...] = ()
        self.reset()

    @property
    def fixtures(self) -> FixtureSet:
        """Return the fixtures of the server's folders."""
        return self.library.fixtures

    @property
    def revision(self) -> tuple[int, ...]:
        """Return numbers that differ whenever the same request may be answered otherwise than before."""
        return (self.library.version, self._changes, *(self.everyone.revision if self.everyone else ()))

    @property
    def is_prepared(self) -> bool:
        """Return whether a fixture or a fault was registered for this scope alone."""
        return bool(len(self.registered) or len(self.faults) > len(self.settings.faults))

    @property
    def faulty(self) -> bool:
        """Return whether a request may be struck by a fault."""
        return self.faults.live or bool(self.everyone and self.everyone.faults.live)

    def reset(self) -> None:
        """Return to how the server was started: nothing registered, nothing asked, nothing counted.

        A request that is under way is not in the new journal, even if it ends later.
        """
        with self._lock:
            self.registered = FixtureSet(self._given)
            self.faults = FaultScript(self.seed, [self._as_domains_are_called(each) for each in self.settings.faults])
            self.window = Window(self.settings.rate_limit)
            self.journal = Journal()
            self._uses: dict[str, tuple[Fixture, int]] = {}
            self._changes += 1

    def built(self, body: FixtureBody, called: str | None = None) -> Fixture:
        """Return a fixture with a name of its own, to be registered; raises FixtureError, which uses `called`."""
        number = next(self.numbers)
        name = f"registered-{number}"
        fixture = loader.FixtureBuilder(called or name, self.domains).fixture(body, origin=0)
        return replace(fixture, name=name, number=number)

    def register(self, *fixtures: Fixture) -> None:
        """Add fixtures that take precedence over those of the folders; of equals, the latest wins."""
        numbered = [each if each.number else replace(each, number=next(self.numbers)) for each in fixtures]
        with self._lock:
            self.registered = FixtureSet([*self.registered, *numbered])
            # Last: whoever reads the new revision finds the new set.
            self._changes += 1

    def start_with(self, *fixtures: Fixture) -> None:
        """Add fixtures that stay when the registered ones are dropped, as those of the folders do."""
        with self._lock:
            self._given += fixtures
            self.registered = FixtureSet([*self.registered, *fixtures])
            self._changes += 1

    def unregister(self) -> None:
        """Drop the fixtures that were registered."""
        with self._lock:
            self.registered = FixtureSet(self._given)
            self._changes += 1

    def arm(self, *faults: Fault) -> None:
        """Add faults, after those that are armed already."""
        for fault in faults:
            self.faults.add(self._as_domains_are_called(fault))

    def _as_domains_are_called(self, fault: Fault) -> Fault:
        """Return a fault that names its domain in the present spelling, as the requests that it meets do."""
        return replace(fault, domain=self.domains.canonical(fault.domain))

    def fault(self, request: ExtractionRequest) -> Fault | None:
        """Return the fault that strikes a request, the scope's own first."""
        own = self.faults.draw(request.domain)
        return own or (self.everyone.faults.draw(request.domain) if self.everyone else None)

    def present(self, request: ExtractionRequest) -> ExtractionRequest:
        """Return a request with its domain in the present spelling."""
        domain = self.domains.canonical(request.domain)
        return request if domain == request.domain else replace(request, domain=domain)

    def sources(self, original: UpstreamRequest | None = None) -> list[Source]:
        """Return the sources of answers in order; `original` is what the upstream is sent, where there is one.

        The sets of fixtures are those of now: a request is answered wholly from before a change, or from after it.
        """
        upstream: list[Source] = [Upstream(self, original)] if self.records and original is not None else []
        if original is not None and original.unrecordable:
            return upstream
        sets = self.fixture_sets()
        fixtures: list[Source] = [Fixtures(self, each) for each in sets]
        if self.settings.strict or self.settings.record:
            return [*fixtures, *upstream]
        return [*fixtures, CallersSchema(self, sets), Packaged(self, sets)]

    async def answer(self, request: ExtractionRequest, original: UpstreamRequest | None = None) -> Answer:
        """Return the answer of the first source that has one; raises ApiError.

        The request has its domain in the present spelling.
        """
        for source in self.sources(original):
            answer = await source.answer(request)
            if answer is not None:
                return answer
        raise self._unanswered(request)

    async def pass_on(self, original: UpstreamRequest) -> Answer:
        """Return what the upstream answers to a body that cannot be read; raises ApiError."""
        answer = None
        while answer is None:
            answer = await self.recorder.ask(original, None, self.settings.upstream_settings, self.library)
        return answer

    @property
    def records(self) -> bool:
        """Return whether there is anything that the upstream may be asked for."""
        mode = self.settings.record
        return mode in ("new", "all") or (mode == "once" and self.library.began_empty)

    @cached_property
    def recorder(self) -> Recorder:
        """Return what asks the upstream, the same for all scopes of a server."""
        return self.everyone.recorder if self.everyone else recording.Recorder()

    def warm(self) -> Iterator[None]:
        """Load what is otherwise loaded when a request first needs it, the most likely first, and pause between."""
        chat_parser.parse(b'{"messages": [{}]}')
        yield
        self.library.packaged("document.invoice")
        yield
        self.tokenizer.load()
        yield
        content.filled(CallerSchema({"type": "string"}, ()), ExtractionRequest(), self.seed, None)

    def fixture_sets(self) -> list[FixtureSet]:
        """Return the sets of fixtures in order of precedence."""
        shared = [self.everyone.registered] if self.everyone else []
        return [self.registered, *shared, self.library.fixtures]

    def next_answer(self, fixture: Fixture) -> FixtureAnswer:
        """Return a fixture's answer: the only one, or the next of several, of which the last repeats."""
        if len(fixture.answers) == 1:
            return fixture.answers[0]
        key = f"{fixture.origin}:{fixture.number}:{fixture.name}"
        with self._lock:
            counted, used = self._uses.get(key, (fixture, 0))
            # Under the same name another one: its file has changed, and it starts anew.
            used = used if counted is fixture else 0
            self._uses[key] = (fixture, used + 1)
        return fixture.answers[min(used, len(fixture.answers) - 1)]

    def schema(self, request: ExtractionRequest) -> Mapping[str, Any] | None:
        """Return the schema that the answer follows: the caller's, else the domain's, if it is known."""
        if request.schema is not None:
            return request.schema.schema
        domain = self.domains.get(request.domain) if request.domain else None
        return domain.schema if domain else None

    def _unanswered(self, request: ExtractionRequest) -> ApiError:
        """Return the error for a request that no source answers."""
        sets = self.fixture_sets()
        named = frozenset().union(*(each.domains for each in sets))
        if self.settings.strict or self.settings.record or request.domain is None or request.domain in named:
            return self._missed(request, sets)
        return self._unknown(request.domain, named)

    def _missed(self, request: ExtractionRequest, sets: Sequence[FixtureSet]) -> NoFixture:
        miss = index.miss(sets, request)
        hint = self._meant(request.domain, sets) if request.domain and miss.nearest else ""
        if self.settings.record:
            hint += f" The upstream was not asked: in the mode {self.settings.record} nothing is recorded now."
        return NoFixture(miss.message + hint, data={"miss": miss.as_json()})

    def _meant(self, name: str, sets: Sequence[FixtureSet]) -> str:
        """Return which domain may have been meant by one that neither the API nor a fixture knows."""
        named = frozenset().union(*(each.domains for each in sets))
        known = name in named or self.domains.get(name)
        closest = [] if known else self.domains.closest(name, named)
        return f" {name[:100]!r} is no known domain; did you mean {' or '.join(closest)}?" if closest else ""

    def _unknown(self, name: str, named: frozenset[str]) -> UnknownDomain:
        closest = self.domains.closest(name, named)
        hint = f"Closest: {', '.join(closest)}. " if closest else ""
        message = (
            f"Unknown domain {name[:100]!r}. {hint}`vlmrun-mock domains` lists all; a fixture, a JSON schema in the "
            "request or `--unknown-domain generate` answers for a domain of your own."
        )
        return UnknownDomain([Problem(("body", "vlmrun", "domain"), message, "enum")])
