"""The heart: from a request to an answer, knowing nothing of HTTP."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from vlmrun_mock.api import quirks
from vlmrun_mock.api.errors import NoFixture, Problem, UnknownDomain
from vlmrun_mock.api.request import CallerSchema, ChatRequest
from vlmrun_mock.fixtures import index
from vlmrun_mock.fixtures.index import USER_ORIGIN, ErrorAnswer, Fixture, FixtureAnswer, FixtureSet
from vlmrun_mock.fixtures.match import Match
from vlmrun_mock.fixtures.store import Library
from vlmrun_mock.mock.faults import Fault, FaultScript
from vlmrun_mock.mock.journal import Journal
from vlmrun_mock.mock.rate_limit import Window
from vlmrun_mock.mock.settings import Settings
from vlmrun_mock.seed import Seed, Stamp

if TYPE_CHECKING:
    from vlmrun_mock.fixtures.format import FixtureBody

Source: TypeAlias = Literal["fixture", "generated", "upstream"]

NO_DOMAIN = (
    'No domain was given, so there is nothing to extract: name one in the request body, for example {"vlmrun": '
    '{"domain": "document.invoice"}}, or send a JSON schema as "response_format".'
)
GENERIC_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "title": {"type": "string"},
        "date": {"type": "string", "format": "date"},
        "reference_number": {"type": "string"},
        "organization_name": {"type": "string"},
        "summary": {"type": "string"},
        "total_amount": {"type": "number"},
        "currency": {"type": "string"},
    },
}
"""What a document of a domain that nobody knows looks like, where the mock was told to generate one; our decision."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the mock decided to reply, before it is dressed as a chat completion.

    `text` is the message's content; with an `error` there is none. `fixture` is a name, `usage` holds figures that
    replace the counted ones, `latency` is in seconds. `status` and `completion`, a body without its content, were
    recorded, and stand for those that the mock would make. `repeatable`: the same request would get the same answer
    again. `notes` are for the log: what a user may not have meant.
    """

    text: str
    source: Source
    fixture: str | None = None
    error: ErrorAnswer | None = None
    usage: Mapping[str, int] = field(default_factory=dict)
    latency: float = 0.0
    status: int | None = None
    completion: Mapping[str, Any] | None = None
    repeatable: bool = True
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lacking:
    """A request that no fixture answers yet, with its domain in the present spelling.

    With a `name`, there is a recording of that name, to be made again. What is `streamed` is never recorded. `version`
    is that of the library in which there was none.
    """

    request: ChatRequest
    version: int
    name: str | None = None
    streamed: bool = False


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
        from vlmrun_mock.fixtures.loader import FixtureBuilder  # noqa: PLC0415 - heavy (pydantic): when first needed

        number = next(self.numbers)
        name = f"registered-{number}"
        fixture = FixtureBuilder(called or name, self.domains).fixture(body, origin=0)
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

    def fault(self, request: ChatRequest) -> Fault | None:
        """Return the fault that strikes a request, the scope's own first."""
        domain = self.domains.canonical(request.domain)
        own = self.faults.draw(domain)
        return own or (self.everyone.faults.draw(domain) if self.everyone else None)

    def answer(self, request: ChatRequest) -> Answer:
        """Return the answer to a request; raises ApiError.

        The first that has one: a fixture of the user, the caller's schema, the domain's packaged fixture.
        """
        request = self._accepted(request)
        # Asked for once: a request is answered wholly from before a change, or wholly from after it.
        sets = self._sets()
        fixture = _first(sets, request)
        if fixture is not None:
            return self._play(fixture, request)
        if self.settings.strict or self.settings.record:
            raise self._missed(request, sets)
        return replace(self._otherwise(request, sets), notes=_nearly(request, sets))

    @property
    def records(self) -> bool:
        """Return whether there is anything that the upstream may be asked for."""
        mode = self.settings.record
        return mode in ("new", "all") or (mode == "once" and self.library.began_empty)

    def lacking(self, request: ChatRequest) -> Lacking | None:
        """Return what the upstream has to be asked for to answer a request, or None; raises ApiError."""
        if not self.records:
            return None
        request = self._accepted(request)
        # Read first, so that what is recorded from now on is noticed.
        version = self.library.version
        if request.generation != "vlm-1" and request.parameters.get("stream"):
            return Lacking(request, version, streamed=True)
        fixture = _first(self._sets(), request)
        if fixture is None:
            return Lacking(request, version)
        if self.settings.record == "all" and fixture.is_recording and fixture.origin == USER_ORIGIN:
            return Lacking(request, version, fixture.name)
        return None

    def _accepted(self, request: ChatRequest) -> ChatRequest:
        """Return a request with its domain in the present spelling; raises UnsupportedParameter."""
        if self.settings.unsupported == "reject":
            quirks.refuse(request)
        return replace(request, domain=self.domains.canonical(request.domain))

    def _otherwise(self, request: ChatRequest, sets: Sequence[FixtureSet]) -> Answer:
        """Return the answer to a request that no fixture of the user matches."""
        if request.schema is not None:
            return self._generated(request, request.schema)
        if request.domain is None:
            text = json.dumps({"message": NO_DOMAIN}, separators=(",", ":")) if request.json_object else NO_DOMAIN
            return Answer(text, "generated")
        packaged_fixture = self.library.packaged(request.domain)
        if packaged_fixture is not None:
            return self._play(packaged_fixture, request)
        if self.settings.unknown_domain == "generate":
            return self._generated(request, CallerSchema(GENERIC_SCHEMA, ()))
        named = frozenset().union(*(each.domains for each in sets))
        if request.domain in named:
            raise self._missed(request, sets)
        raise self._unknown(request.domain, named)

    def warm(self) -> Iterator[None]:
        """Load what is otherwise loaded when a request first needs it, the most likely first, and pause between."""
        from vlmrun_mock.api import chat_parser  # noqa: PLC0415 - heavy (pydantic): imported when first needed

        chat_parser.parse(b'{"messages": [{}]}')
        yield
        self.library.packaged("document.invoice")
        yield
        self.tokenizer.load()
        yield
        self._filled(CallerSchema({"type": "string"}, ()), ChatRequest(), base=None)

    def _sets(self) -> list[FixtureSet]:
        """Return the sets of fixtures in order of precedence."""
        shared = [self.everyone.registered] if self.everyone else []
        return [self.registered, *shared, self.library.fixtures]

    def _play(self, fixture: Fixture, request: ChatRequest) -> Answer:
        """Return a fixture's answer: the only one, or the next of several, of which the last repeats."""
        played = fixture.answers[0] if len(fixture.answers) == 1 else self._next(fixture)
        return Answer(
            text="" if played.error else self._text(played, request),
            source="fixture",
            fixture=fixture.name,
            error=played.error,
            usage=played.usage,
            latency=max(played.latency, played.took if self.settings.latency == "recorded" else 0),
            status=played.status,
            completion=played.completion,
            repeatable=len(fixture.answers) == 1,
            notes=() if played.error or played.merged else self._unmet(fixture, played.content, request),
        )

    def _next(self, fixture: Fixture) -> FixtureAnswer:
        key = f"{fixture.origin}:{fixture.number}:{fixture.name}"
        with self._lock:
            counted, used = self._uses.get(key, (fixture, 0))
            # Under the same name another one: its file has changed, and it starts anew.
            used = used if counted is fixture else 0
            self._uses[key] = (fixture, used + 1)
        return fixture.answers[min(used, len(fixture.answers) - 1)]

    def _text(self, played: FixtureAnswer, request: ChatRequest) -> str:
        if isinstance(played.content, str):
            return played.content
        content = played.content
        if played.merged and request.schema is not None:
            content = self._filled(request.schema, request, base=content)
        return self._finished(content, request)

    def _unmet(self, fixture: Fixture, content: object, request: ChatRequest) -> tuple[str, ...]:
        """Say so if what a fixture answers does not meet the schema in the request: it goes out all the same."""
        if request.schema is None:
            return ()
        from vlmrun_mock.mock import content as contents  # noqa: PLC0415 - heavy (the validator): imported when first needed

        reason = contents.unmet(request.schema, content)
        return (f"{fixture.name} does not meet the schema in the request: {reason}",) if reason else ()

    def _generated(self, request: ChatRequest, caller: CallerSchema) -> Answer:
        domain = self.domains.get(request.domain) if request.domain else None
        content = self._filled(caller, request, base=domain.content if domain else None)
        return Answer(self._finished(content, request), "generated")

    def _filled(self, caller: CallerSchema, request: ChatRequest, base: object) -> object:
        from vlmrun_mock.mock import content  # noqa: PLC0415 - heavy (the generator): imported when first needed

        return content.filled(caller, request, self.seed, base)

    def _finished(self, value: object, request: ChatRequest) -> str:
        from vlmrun_mock.mock import content  # noqa: PLC0415 - heavy (the generator): imported when first needed

        return content.finished(value, request, self.seed, self.schema(request))

    def schema(self, request: ChatRequest) -> Mapping[str, Any] | None:
        """Return the schema that the answer follows: the caller's, else the domain's, if it is known."""
        if request.schema is not None:
            return request.schema.schema
        domain = self.domains.get(request.domain) if request.domain else None
        return domain.schema if domain else None

    def _missed(self, request: ChatRequest, sets: Sequence[FixtureSet]) -> NoFixture:
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


def _first(sets: Sequence[FixtureSet], request: ChatRequest) -> Fixture | None:
    """Return the first fixture that matches, of the first set that has one."""
    return next((found for each in sets if (found := each.find(request))), None)


def _nearly(request: ChatRequest, sets: Sequence[FixtureSet]) -> tuple[str, ...]:
    """Explain a miss that may not have been meant: a fixture of the user is for this domain or for these documents."""
    if not any(map(len, sets)):
        return ()
    miss = index.miss(sets, request)
    wrong = {difference.part for difference in miss.differences}
    match = miss.nearest.match if miss.nearest else Match()
    same_domain = match.domain is not None and "domain" not in wrong
    same_documents = bool(match.documents) and not any(part.startswith("documents") for part in wrong)
    return (miss.message,) if same_domain or same_documents else ()
