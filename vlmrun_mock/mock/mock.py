"""The heart: from a request to an answer, knowing nothing of HTTP."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from msgspec import structs

from vlmrun_mock.api import dates
from vlmrun_mock.api.answer import Answer
from vlmrun_mock.api.prediction import Outcome, failed, usage
from vlmrun_mock.api.request import CallerSchema, ExtractionRequest
from vlmrun_mock.fixtures.fixture import Fixture, FixtureAnswer
from vlmrun_mock.fixtures.index import FixtureSet
from vlmrun_mock.fixtures.store import FixtureStore
from vlmrun_mock.lazy import lazy
from vlmrun_mock.mock import no_answer
from vlmrun_mock.mock.faults import Fault, FaultScript, RouteFamily
from vlmrun_mock.mock.files import Arrival, Content, Files, StoredFile, resolved
from vlmrun_mock.mock.ids import Ids
from vlmrun_mock.mock.jobs import Job, Jobs
from vlmrun_mock.mock.journal import Journal
from vlmrun_mock.mock.rate_limit import Window
from vlmrun_mock.mock.resources import Resources
from vlmrun_mock.mock.settings import Settings
from vlmrun_mock.mock.sources import CallersSchema, Fixtures, PackagedAnswers, Source, Upstream
from vlmrun_mock.mock.webhooks import Webhooks
from vlmrun_mock.seed import Seed, Stamp

if TYPE_CHECKING:
    from vlmrun_mock.api import chat_parser
    from vlmrun_mock.documents import pages
    from vlmrun_mock.documents.pages import PageCounts
    from vlmrun_mock.fixtures import loader
    from vlmrun_mock.fixtures import originals as pictures
    from vlmrun_mock.fixtures.bodies import FixtureBody
    from vlmrun_mock.fixtures.originals import Looks, Originals
    from vlmrun_mock.recording import recorder as recording
    from vlmrun_mock.recording.recorder import Recorder
    from vlmrun_mock.recording.upstream import UpstreamRequest
    from vlmrun_mock.schema import generate
else:
    chat_parser = lazy("vlmrun_mock.api.chat_parser")
    loader = lazy("vlmrun_mock.fixtures.loader")
    pages = lazy("vlmrun_mock.documents.pages")
    pictures = lazy("vlmrun_mock.fixtures.originals")
    generate = lazy("vlmrun_mock.schema.generate")
    recording = lazy("vlmrun_mock.recording.recorder")


PICTURE = b"data:image/gif;base64,R0lGODlhAQABAAAAACw="
USUAL_BODY = b'{"messages": [{"content": [{"type": "image_url", "image_url": {"url": "%b"}}]}]}' % PICTURE


class Mock:
    """One scope's stand-in: its settings, what was registered for it, what it was asked, and what it counts.

    Each API key of a server has one. `everyone` is the mock of the requests and registrations without a key: its
    fixtures and faults apply to all.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        store: FixtureStore | None = None,
        everyone: Mock | None = None,
        mark: str = "",
    ) -> None:
        """Load the fixtures of the settings unless a store is given; raises FixtureFolderError.

        `mark` tells this scope from others, in addresses that need no key.
        """
        self.settings = settings or Settings()
        self.store = store or FixtureStore(self.settings.fixtures)
        self.everyone = everyone
        self.mark = mark
        self._recorded_into = {folder: Path(os.path.realpath(folder)) for folder in self.settings.fixtures[:1]}
        self.domains = self.store.domains
        self.tokenizer = self.store.tokenizer
        self.seed = Seed(self.settings.seed)
        self.stamp = Stamp(self.seed, self.settings.clock == "wall", self.settings.ids == "random")
        # Shared by all scopes, so that no two fixtures are ever counted as one.
        self.numbers: Iterator[int] = everyone.numbers if everyone else itertools.count(1)
        self._lock = Lock()
        self._changes = 0
        self._given: tuple[Fixture, ...] = ()
        self._row: tuple[list[FixtureSet], list[Source]] = ([], [])
        self._compared: tuple[list[FixtureSet], Originals | None] = ([], None)
        self._files: Files | None = None
        self.reset()

    @property
    def fixtures(self) -> FixtureSet:
        """Return the fixtures of the server's folders."""
        return self.store.fixtures

    @property
    def revision(self) -> tuple[int, ...]:
        """Return numbers that differ whenever the same request may be answered otherwise than before."""
        return (self.store.version, self._changes, *(self.everyone.revision if self.everyone else ()))

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
            self.ids = Ids(self.stamp)
            before, self.files = self._files, Files(self.stamp, self.ids, self.settings.file_memory, self.mark)
            self._files = self.files
            self.jobs = Jobs(self.settings.pending_reads)
            self.resources = Resources(self.domains, self.stamp, self.files)
            self.webhooks = Webhooks()
            self._uses: dict[str, tuple[Fixture, int]] = {}
            self._changes += 1
        if before is not None:
            before.close()

    def built(self, body: FixtureBody, called: str | None = None) -> Fixture:
        """Return a fixture with a name of its own, to be registered; raises FixtureError, which uses `called`."""
        number = next(self.numbers)
        name = f"registered-{number}"
        fixture = loader.FixtureBuilder(called or name, self.domains).fixture(body, origin=0)
        return structs.replace(fixture, name=name, number=number)

    def register(self, *fixtures: Fixture) -> None:
        """Add fixtures that take precedence over those of the folders; of equals, the latest wins."""
        numbered = [each if each.number else structs.replace(each, number=next(self.numbers)) for each in fixtures]
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
        return structs.replace(fault, domain=self.domains.canonical(fault.domain))

    def fault(self, request: ExtractionRequest, route: RouteFamily = "chat") -> Fault | None:
        """Return the fault that strikes a request to a family of routes, the scope's own first."""
        return self._fault(request.domain, route)

    def route_fault(self, route: RouteFamily) -> Fault | None:
        """Return the fault that strikes a request to a family of routes which gives no answers."""
        return self._fault(None, route)

    def webhook_fault(self) -> Fault | None:
        """Return the fault that strikes the next webhook."""
        return self._fault(None, None)

    def _fault(self, domain: str | None, route: RouteFamily | None) -> Fault | None:
        own = self.faults.draw(domain, route)
        return own or (self.everyone.faults.draw(domain, route) if self.everyone else None)

    def changed(self) -> None:
        """Answer anew what was answered before: something that answers depend on is another one now."""
        with self._lock:
            self._changes += 1

    @property
    def _all_files(self) -> tuple[Files, ...]:
        return (self.files, self.everyone.files) if self.everyone else (self.files,)

    @property
    def has_files(self) -> bool:
        """Return whether anything was uploaded, by this key or for everyone."""
        return any(map(len, self._all_files))

    def file_named(self, name: str) -> StoredFile | None:
        """Return the file that `file:` and an id, or a public URL, stands for."""
        return next((found for files in self._all_files if (found := files.named(name))), None)

    def content_of(self, document: str) -> Content | None:
        """Return the uploaded bytes of a document by its identity."""
        return next((found for files in self._all_files if (found := files.content_of(document))), None)

    def with_files(self, request: ExtractionRequest) -> ExtractionRequest:
        """Return a request whose uploaded documents are known by their bytes."""
        if not request.documents or not self.has_files:
            return request
        documents = resolved(request.documents, *self._all_files)
        return request if documents == request.documents else structs.replace(request, documents=documents)

    def add_file(
        self, data: bytes, filename: str = "file", purpose: str = "assistants", file_id: str | None = None
    ) -> StoredFile:
        """Keep a file, under an id of its own or one that is given; it has at least one byte."""
        arrival = Arrival(self.files)
        arrival.write(data)
        file = self.files.add(filename, purpose, arrival.content(filename), file_id)
        self.changed()
        return file

    def add_prediction(
        self, response: Any, domain: str | None = None, status: str = "completed", prediction_id: str | None = None
    ) -> Job:
        """Keep a prediction, under an id of its own or one that is given; a pending one is completed by being read."""
        created = self.stamp.moment()
        outcome = failed("It failed") if status == "failed" else Outcome("completed", response, usage())
        job = Job(
            id=prediction_id or self.ids.next("prediction", "seeded", str(domain)),
            family="prediction",
            created=created,
            created_at=dates.written(created),
            outcome=outcome,
            name=domain or "",
        )
        return self.jobs.add(job, done=status != "pending")

    def with_skills(self, request: ExtractionRequest, more: Any = None) -> ExtractionRequest:
        """Return a request with the schema of a skill that it names or brings along, unless it has one of its own.

        Raises ApiError for a skill that cannot be read, and NoSuchResource for an unknown one where the mock is strict.
        """
        named = request.config.further.get("skills")
        if request.schema is not None or not (named or more):
            return request
        wanted = [each for given in (named, more) if isinstance(given, list) for each in given]
        schema = self.resources.skills.schema_of(wanted, strict=self.settings.strict)
        return structs.replace(request, schema=CallerSchema(schema, ("body", "skills"))) if schema else request

    def present(self, request: ExtractionRequest) -> ExtractionRequest:
        """Return a request with its domain in the present spelling."""
        domain = self.domains.canonical(request.domain)
        return request if domain == request.domain else structs.replace(request, domain=domain)

    def sources(self, original: UpstreamRequest | None = None) -> list[Source]:
        """Return the sources of answers in order; `original` is what the upstream is sent, where there is one.

        The sets of fixtures are those of now: a request is answered wholly from before a change, or from after it.
        """
        upstream: list[Source] = [Upstream(self, original)] if original is not None and self.records else []
        if original is not None and original.unrecordable:
            return upstream
        sets = self.fixture_sets()
        if self.settings.record:
            return [*(Fixtures(self, each) for each in sets), *upstream]
        if self._row[0] != sets:  # sets are equal if they are the same
            self._row = sets, self._offline(sets)
        return self._row[1]

    def _offline(self, sets: Sequence[FixtureSet]) -> list[Source]:
        """Return the sources of a mock that has no upstream."""
        filled = [each for each in sets if len(each)]
        fixtures: list[Source] = [Fixtures(self, each) for each in filled]
        if self.settings.strict:
            return fixtures
        return [*fixtures, CallersSchema(self, filled), PackagedAnswers(self, filled)]

    async def answer(self, request: ExtractionRequest, original: UpstreamRequest | None = None) -> Answer:
        """Return the answer of the first source that has one; raises ApiError.

        The request has its domain in the present spelling.
        """
        for source in self.sources(original):
            answer = await source.answer(request)
            if answer is not None:
                return structs.replace(answer, re_encoded=True) if request.re_encoded else answer
        raise no_answer.error(request, self.settings, self.domains, self.fixture_sets())

    async def pass_on(self, original: UpstreamRequest) -> Answer:
        """Return what the upstream answers to a body that cannot be read; raises ApiError."""
        answer = None
        while answer is None:
            answer = await self.recorder.ask(original, None, self.settings.upstream_settings, self.store)
        return answer

    @property
    def records(self) -> bool:
        """Return whether there is anything that the upstream may be asked for."""
        mode = self.settings.record
        return mode is not None and (mode in ("new", "all") or (mode == "once" and self.store.began_empty))

    @cached_property
    def looks(self) -> Looks:
        """Return what is kept of the pictures that were looked at, the same for all scopes of a server."""
        return self.everyone.looks if self.everyone else pictures.Looks()

    @cached_property
    def page_counts(self) -> PageCounts:
        """Return how many pages the PDFs have that were counted, the same for all scopes of a server."""
        return self.everyone.page_counts if self.everyone else pages.PageCounts()

    @cached_property
    def recorder(self) -> Recorder:
        """Return what asks the upstream, the same for all scopes of a server."""
        return self.everyone.recorder if self.everyone else recording.Recorder(self._recorded_into)

    def warm(self) -> Iterator[None]:
        """Load what is otherwise loaded when a request first needs it, the most likely first, and pause between."""
        chat_parser.parse(USUAL_BODY)
        yield
        self.store.packaged("document.invoice")
        yield
        self.tokenizer.load()
        yield
        generate.generate({"type": "string"}, seed=self.seed)

    def fixture_sets(self) -> list[FixtureSet]:
        """Return the sets of fixtures in order of precedence."""
        shared = [self.everyone.registered] if self.everyone else []
        return [self.registered, *shared, self.store.fixtures]

    @property
    def originals(self) -> Originals | None:
        """Return the pictures that a re-encoded one may be; None if there are none, or the bytes alone count."""
        if self.settings.exact_documents or self.records:
            return None
        sets = self.fixture_sets()
        if not any(each.has_originals for each in sets):
            return None
        known, found = self._compared
        if known != sets:
            found = pictures.Originals(itertools.chain(*sets), self.looks)
            self._compared = sets, found
        return found

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

    def knows(self, domain: str) -> bool:
        """Return whether a domain is a documented one, or one that a fixture names."""
        return self.domains.get(domain) is not None or any(domain in each.domains for each in self.fixture_sets())
