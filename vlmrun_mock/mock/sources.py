"""Where answers come from: each source answers a request or leaves it to the next one in the row."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from vlmrun_mock.api.answer import Answer
from vlmrun_mock.api.request import CallerSchema, ExtractionRequest
from vlmrun_mock.fixtures import index
from vlmrun_mock.fixtures.fixture import USER_ORIGIN, Fixture, FixtureAnswer
from vlmrun_mock.fixtures.index import FixtureSet
from vlmrun_mock.fixtures.match import Match
from vlmrun_mock.lazy import lazy
from vlmrun_mock.recording.upstream import UpstreamRequest

if TYPE_CHECKING:
    from vlmrun_mock.mock import content
    from vlmrun_mock.mock.mock import Mock
else:
    content = lazy("vlmrun_mock.mock.content")

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


@dataclass(frozen=True, slots=True)
class Fixtures:
    """A set of fixtures: those registered at run time, or those of the folders."""

    mock: Mock
    fixtures: FixtureSet

    async def answer(self, request: ExtractionRequest) -> Answer | None:
        """Return what the first matching fixture answers; a recording that is to be made again does not."""
        fixture = self.fixtures.find(request)
        if fixture is None or is_recorded_again(self.mock, fixture):
            return None
        return played(self.mock, fixture, request)


@dataclass(frozen=True, slots=True)
class Upstream:
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
            version = self.mock.library.version
            fixture = None if self.original.unrecordable else first(self.mock.fixture_sets(), request)
            again = fixture is not None and is_recorded_again(self.mock, fixture)
            if fixture is not None and not again:
                return played(self.mock, fixture, request)
            name = fixture.name if fixture is not None else None
            answer = await self.mock.recorder.ask(
                self.original,
                request,
                self.mock.settings.upstream_settings,
                self.mock.library,
                version=version,
                name=name,
            )
            if answer is not None:
                return answer


@dataclass(frozen=True, slots=True)
class CallersSchema:
    """A JSON Schema in the request: the answer is generated to meet it. `sets` are the fixtures that did not match."""

    mock: Mock
    sets: Sequence[FixtureSet]

    async def answer(self, request: ExtractionRequest) -> Answer | None:
        """Return an answer that meets the caller's schema, if there is one; raises InvalidRequest."""
        if request.schema is None:
            return None
        return replace(generated(self.mock, request, request.schema), notes=near_miss(request, self.sets))


@dataclass(frozen=True, slots=True)
class Packaged:
    """The packaged answers of the documented domains, and what is said where there is no domain.

    `sets` are the fixtures that did not match.
    """

    mock: Mock
    sets: Sequence[FixtureSet]

    async def answer(self, request: ExtractionRequest) -> Answer | None:
        """Return the domain's packaged answer, or a generated one if unknown domains are to get one."""
        answer = self._answer(request)
        return replace(answer, notes=near_miss(request, self.sets)) if answer else None

    def _answer(self, request: ExtractionRequest) -> Answer | None:
        if request.domain is None:
            text = json.dumps({"message": NO_DOMAIN}, separators=(",", ":")) if request.json_object else NO_DOMAIN
            return Answer(text, "generated")
        fixture = self.mock.library.packaged(request.domain)
        if fixture is not None:
            return played(self.mock, fixture, request)
        if self.mock.settings.unknown_domain == "generate":
            return generated(self.mock, request, CallerSchema(GENERIC_SCHEMA, ()))
        return None


def first(sets: Sequence[FixtureSet], request: ExtractionRequest) -> Fixture | None:
    """Return the first fixture that matches, of the first set that has one."""
    return next((found for each in sets if (found := each.find(request))), None)


def is_recorded_again(mock: Mock, fixture: Fixture) -> bool:
    """Return whether the upstream is asked again for what a fixture holds: a recording, in the mode `all`."""
    return mock.settings.record == "all" and fixture.is_recording and fixture.origin == USER_ORIGIN


def played(mock: Mock, fixture: Fixture, request: ExtractionRequest) -> Answer:
    """Return a fixture's answer: the only one, or the next of several, of which the last repeats."""
    answer = mock.next_answer(fixture)
    notes: tuple[str, ...] = ()
    if request.schema is not None and not (answer.error or answer.merged):
        # It goes out all the same.
        reason = content.unmet(request.schema, answer.content)
        notes = (f"{fixture.name} does not meet the schema in the request: {reason}",) if reason else ()
    return Answer(
        text="" if answer.error else _text(mock, answer, request),
        source="fixture",
        fixture=fixture.name,
        error=answer.error,
        usage=answer.usage,
        latency=max(answer.latency, answer.took if mock.settings.latency == "recorded" else 0),
        status=answer.status,
        completion=answer.completion,
        repeatable=len(fixture.answers) == 1,
        notes=notes,
    )


def _text(mock: Mock, answer: FixtureAnswer, request: ExtractionRequest) -> str:
    if isinstance(answer.content, str):
        return answer.content
    value = answer.content
    if answer.merged and request.schema is not None:
        value = content.filled(request.schema, request, mock.seed, value)
    return finished(mock, value, request)


def generated(mock: Mock, request: ExtractionRequest, caller: CallerSchema) -> Answer:
    """Return an answer that meets a schema, with the domain's packaged values where names and types agree."""
    domain = mock.domains.get(request.domain) if request.domain else None
    value = content.filled(caller, request, mock.seed, domain.content if domain else None)
    return Answer(finished(mock, value, request), "generated")


def finished(mock: Mock, value: object, request: ExtractionRequest) -> str:
    """Return content as JSON text, with what the request's config does to it; raises InvalidRequest."""
    return content.finished(value, request, mock.seed, mock.schema(request))


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
