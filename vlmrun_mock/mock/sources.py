"""The sources of answers: each answers a request, or leaves it to the next."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
from msgspec.structs import replace

from vlmrun_mock.api.answer import Answer
from vlmrun_mock.api.request import CallerSchema, ExtractionRequest
from vlmrun_mock.aside import GENERATION, aside
from vlmrun_mock.fixtures import index
from vlmrun_mock.fixtures.fixture import PACKAGED_ORIGIN, USER_ORIGIN, Fixture, FixtureAnswer
from vlmrun_mock.fixtures.index import FixtureSet
from vlmrun_mock.fixtures.match import Match
from vlmrun_mock.json_text import merge_patch, written
from vlmrun_mock.lazy import lazy
from vlmrun_mock.schema.grounding import NOWHERE, Boxes

if TYPE_CHECKING:
    from vlmrun_mock.mock import content, prose
    from vlmrun_mock.mock.mock import Mock
    from vlmrun_mock.recording.upstream import UpstreamRequest
else:
    content = lazy("vlmrun_mock.mock.content")
    prose = lazy("vlmrun_mock.mock.prose")

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
"""What a document of an unknown domain looks like, where the mock is told to generate one; our decision."""


class Source(Protocol):
    """Answers requests, or leaves them to the next source."""

    async def answer(self, request: ExtractionRequest) -> Answer | None:
        """Return the answer to a request, or None; raises ApiError."""


class Fixtures(msgspec.Struct, frozen=True):
    """A set of fixtures: those registered at run time, or those of the folders."""

    mock: Mock
    fixtures: FixtureSet

    async def answer(self, request: ExtractionRequest) -> Answer | None:
        """Return what the first matching fixture answers; a recording that is to be made again does not."""
        fixture = self.fixtures.find(request)
        if fixture is None or is_recorded_again(self.mock, fixture):
            return None
        return await played(self.mock, fixture, request)


class Upstream(msgspec.Struct, frozen=True):
    """The real API, asked for what is to be recorded.

    A recording may appear while it waits for its turn: another client asked for the same, or another recorder wrote
    into the folder. Such a recording answers.
    """

    mock: Mock
    original: UpstreamRequest

    async def answer(self, request: ExtractionRequest) -> Answer | None:
        """Return what a recording answers that has appeared, or else what the upstream answers; raises ApiError."""
        while True:
            # Read first, so that what is recorded from now on is noticed.
            version = self.mock.store.version
            fixture = None if self.original.unrecordable else first(self.mock.fixture_sets(), request)
            again = fixture is not None and is_recorded_again(self.mock, fixture)
            if fixture is not None and not again:
                return await played(self.mock, fixture, request)
            name = fixture.name if fixture is not None else None
            answer = await self.mock.recorder.ask(
                self.original,
                request,
                self.mock.settings.upstream_settings,
                self.mock.store,
                version=version,
                name=name,
            )
            if answer is not None:
                return answer


class CallersSchema(msgspec.Struct, frozen=True):
    """A JSON Schema in the request: the answer is generated to meet it. `sets` are the fixtures that did not match."""

    mock: Mock
    sets: Sequence[FixtureSet]

    async def answer(self, request: ExtractionRequest) -> Answer | None:
        """Return an answer that meets the caller's schema, if there is one; raises InvalidRequest."""
        if request.schema is None:
            return None
        answer = await aside(generated, GENERATION, self.mock, request, request.schema)
        return replace(answer, notes=(*answer.notes, *near_miss(request, self.sets)))


class PackagedAnswers(msgspec.Struct, frozen=True):
    """The packaged answers of the documented domains, and what is said where there is no domain.

    `sets` are the fixtures that did not match.
    """

    mock: Mock
    sets: Sequence[FixtureSet]

    async def answer(self, request: ExtractionRequest) -> Answer | None:
        """Return the domain's packaged answer, or a generated one if unknown domains are to get one."""
        fixture = self.mock.store.packaged(request.domain) if request.domain is not None else None
        answer = await (played(self.mock, fixture, request) if fixture else self._without_fixture(request))
        notes = near_miss(request, self.sets) if self.sets else ()
        return replace(answer, notes=(*answer.notes, *notes)) if answer and notes else answer

    async def _without_fixture(self, request: ExtractionRequest) -> Answer | None:
        if request.domain is None and request.generation != "vlm-1":
            text = await aside(_orion_text, GENERATION, self.mock, request)
            return Answer(text, "generated")
        if request.domain is None:
            text = json.dumps({"message": NO_DOMAIN}, separators=(",", ":")) if request.json_object else NO_DOMAIN
            return Answer(text, "generated")
        if self.mock.settings.unknown_domain == "generate":
            return await aside(generated, GENERATION, self.mock, request, CallerSchema(GENERIC_SCHEMA, ()))
        return None


def _orion_text(mock: Mock, request: ExtractionRequest) -> str:
    """Return what Orion says where nothing names what is to be found."""
    if request.json_object:
        return written(prose.plausible(request, mock.seed, GENERIC_SCHEMA))
    return prose.prose(request, mock.seed, GENERIC_SCHEMA)


def first(sets: Sequence[FixtureSet], request: ExtractionRequest) -> Fixture | None:
    """Return the first fixture that matches, of the first set that has one."""
    return next((found for each in sets if (found := each.find(request))), None)


def is_recorded_again(mock: Mock, fixture: Fixture) -> bool:
    """Return whether the upstream is asked again for what a fixture holds: a recording, in the mode `all`."""
    return mock.settings.record == "all" and fixture.is_recording and fixture.origin == USER_ORIGIN


async def played(mock: Mock, fixture: Fixture, request: ExtractionRequest) -> Answer:
    """Return a fixture's answer: the only one, or the next of several, of which the last repeats."""
    answer = mock.next_answer(fixture)
    if answer.varied or (mock.settings.vary and fixture.origin == PACKAGED_ORIGIN):
        answer = await aside(_varied, GENERATION, mock, fixture, answer, request)
    if answer.error or isinstance(answer.content, str):
        made = AnswerText("" if answer.error else answer.content)
    elif _is_changed(mock, request) or (answer.merged and request.schema):
        made = await aside(_changed, GENERATION, mock, answer, request)
    else:
        made = AnswerText(answer.compact)
    if request.schema is not None and not (answer.error or answer.merged):
        # It goes out all the same.
        reason, guesses = await aside(content.unmet, GENERATION, request.schema, answer.content)
        unmet = (f"{fixture.name} does not meet the schema in the request: {reason}",) if reason else ()
        made = AnswerText(made.text, (*made.notes, *unmet), guesses or made.guesses)
    return Answer(
        text=made.text,
        source="fixture",
        fixture=fixture.name,
        error=answer.error,
        usage=answer.usage,
        latency=max(answer.latency, answer.took if mock.settings.latency == "recorded" else 0),
        status=answer.status,
        completion=answer.completion,
        chunks=answer.chunks,
        repeatable=len(fixture.answers) == 1,
        notes=made.notes,
        guesses=made.guesses,
    )


def _varied(mock: Mock, fixture: Fixture, answer: FixtureAnswer, request: ExtractionRequest) -> FixtureAnswer:
    """Return the answer that is drawn for the documents of a request."""
    domain = mock.domains.get(fixture.match.domain or "")
    if domain is None:
        return answer
    drawn = merge_patch(content.varied(domain, mock, request), answer.patch)
    return replace(answer, content=drawn, merged=True)


class AnswerText(msgspec.Struct, frozen=True):
    """The text of an answer, notes on it, and how a schema was read that changed it."""

    text: str
    notes: tuple[str, ...] = ()
    guesses: tuple[str, ...] = ()


def _changed(mock: Mock, answer: FixtureAnswer, request: ExtractionRequest) -> AnswerText:
    """Return the text of an answer that the request's schema or config changes."""
    value: object = answer.content
    guesses: tuple[str, ...] = ()
    if answer.merged and request.schema is not None:
        locale = content.locale_of(request, mock.settings.locale)
        made = content.filled(request.schema, request, mock.seed, value, locale)
        value, guesses = made.value, made.guesses
    return finished(mock, value, request, guesses, answer.boxes)


def generated(mock: Mock, request: ExtractionRequest, caller: CallerSchema) -> Answer:
    """Return an answer that meets a schema, with the domain's packaged values where names and types agree."""
    domain = mock.domains.get(request.domain) if request.domain else None
    base = domain.content if domain else None
    if domain and mock.settings.vary:
        base = content.varied(domain, mock, request)
    locale = content.locale_of(request, mock.settings.locale)
    made = content.filled(caller, request, mock.seed, base, locale)
    if request.generation != "vlm-1":
        done = finished(mock, prose.with_refs(made.value, request, mock.seed), request, made.guesses)
    elif _is_changed(mock, request):
        done = finished(mock, made.value, request, made.guesses)
    else:
        done = AnswerText(made.text, guesses=made.guesses)
    return Answer(done.text, "generated", notes=done.notes, guesses=done.guesses)


def _is_changed(mock: Mock, request: ExtractionRequest) -> bool:
    """Return whether `finished` changes an answer, without loading `content`, which the first answer can do without."""
    config = request.config
    pages = config.pages and request.domain == content.MARKDOWN
    return bool(mock.settings.misread or config.gql_stmt or config.grounding or config.confidence or pages)


def finished(
    mock: Mock, value: object, request: ExtractionRequest, guesses: tuple[str, ...], boxes: Boxes = NOWHERE
) -> AnswerText:
    """Return content as JSON text, as the request's config wants it; raises InvalidRequest."""
    text, notes = content.finished(value, request, mock.settings, mock.schema(request), boxes)
    return AnswerText(text, notes, guesses)


def near_miss(request: ExtractionRequest, sets: Sequence[FixtureSet]) -> tuple[str, ...]:
    """Explain a miss that may not have been meant: a fixture of the user is for this domain or for these documents."""
    if not any(map(len, sets)):
        return ()
    miss = index.miss(sets, request)
    wrong = {difference.part for difference in miss.differences}
    match = miss.nearest.match if miss.nearest else Match()
    same_domain = match.domain is not None and "domain" not in wrong
    same_documents = bool(match.documents) and not any(part.startswith("documents") for part in wrong)
    return (miss.message,) if same_domain or same_documents else ()
