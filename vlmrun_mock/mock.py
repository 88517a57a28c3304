"""The heart: from a request to an answer, knowing nothing of HTTP."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any, Literal, TypeAlias

from vlmrun_mock import quirks
from vlmrun_mock.chat_request import CallerSchema, ChatRequest
from vlmrun_mock.domains import Domains, packaged
from vlmrun_mock.errors import NoFixture, Problem, UnknownDomain
from vlmrun_mock.fixtures import ErrorAnswer, Fixture, FixtureAnswer, FixtureSet
from vlmrun_mock.seed import Seed, Stamp
from vlmrun_mock.settings import Settings
from vlmrun_mock.tokens import Tokenizer

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
    replace the counted ones, `latency` is in seconds. `repeatable`: the same request would get the same answer again.
    """

    text: str
    source: Source
    fixture: str | None = None
    error: ErrorAnswer | None = None
    usage: Mapping[str, int] = field(default_factory=dict)
    latency: float = 0.0
    repeatable: bool = True


class Mock:
    """All state of one stand-in: its settings, domains, fixtures, and how often scripted ones were used."""

    def __init__(self, settings: Settings | None = None, domains: Domains | None = None) -> None:
        """Load the fixtures of the settings; raises FixtureFolderError."""
        self.settings = settings or Settings()
        self.domains = domains or packaged()
        self.fixtures = self._loaded()
        self.seed = Seed(self.settings.seed)
        self.stamp = Stamp(self.seed, self.settings.clock == "wall", self.settings.ids == "random")
        self.tokenizer = Tokenizer()
        self._packaged: dict[str, Fixture] = {}
        self._uses: Counter[str] = Counter()
        self._lock = Lock()

    def answer(self, request: ChatRequest) -> Answer:
        """Return the answer to a request; raises ApiError.

        The first that has one: a fixture of the user, the caller's schema, the domain's packaged fixture.
        """
        if self.settings.unsupported == "reject":
            quirks.refuse(request)
        request = replace(request, domain=self.domains.canonical(request.domain))
        fixture = self.fixtures.find(request)
        if fixture is not None:
            return self._play(fixture, request)
        if self.settings.strict:
            raise self._missed(request)
        if request.schema is not None:
            return self._generated(request, request.schema)
        if request.domain is None:
            text = json.dumps({"message": NO_DOMAIN}, separators=(",", ":")) if request.json_object else NO_DOMAIN
            return Answer(text, "generated")
        packaged_fixture = self._packaged_fixture(request.domain)
        if packaged_fixture is not None:
            return self._play(packaged_fixture, request)
        if self.settings.unknown_domain == "generate":
            return self._generated(request, CallerSchema(GENERIC_SCHEMA, ()))
        if request.domain in self.fixtures.domains:
            raise self._missed(request)
        raise self._unknown(request.domain)

    def warm(self) -> Iterator[None]:
        """Load what is otherwise loaded when a request first needs it, the most likely first, and pause between."""
        from vlmrun_mock import chat_parser  # noqa: PLC0415 - heavy (pydantic): imported when first needed

        chat_parser.parse(b'{"messages": [{}]}')
        yield
        self._packaged_fixture("document.invoice")
        yield
        self.tokenizer.load()
        yield
        self._filled(CallerSchema({"type": "string"}, ()), ChatRequest(), base=None)

    def _loaded(self) -> FixtureSet:
        if not self.settings.fixtures:
            return FixtureSet()
        from vlmrun_mock import fixture_folder  # noqa: PLC0415 - heavy (pydantic): imported when first needed

        return FixtureSet(fixture_folder.load(self.settings.fixtures, self.domains))

    def _packaged_fixture(self, name: str) -> Fixture | None:
        domain = self.domains.get(name)
        if domain is None:
            return None
        if name not in self._packaged:
            from vlmrun_mock import fixture_folder  # noqa: PLC0415 - heavy (pydantic): imported when first needed

            self._packaged[name] = fixture_folder.packaged_fixture(domain, self.domains)
        return self._packaged[name]

    def _play(self, fixture: Fixture, request: ChatRequest) -> Answer:
        """Return a fixture's answer: the only one, or the next of several, of which the last repeats."""
        played = fixture.answers[0] if len(fixture.answers) == 1 else self._next(fixture)
        return Answer(
            text="" if played.error else self._text(played, request),
            source="fixture",
            fixture=fixture.name,
            error=played.error,
            usage=played.usage,
            latency=played.latency,
            repeatable=len(fixture.answers) == 1,
        )

    def _next(self, fixture: Fixture) -> FixtureAnswer:
        key = f"{fixture.origin}:{fixture.name}"
        with self._lock:
            used = self._uses[key]
            self._uses[key] += 1
        return fixture.answers[min(used, len(fixture.answers) - 1)]

    def _text(self, played: FixtureAnswer, request: ChatRequest) -> str:
        if isinstance(played.content, str):
            return played.content
        content = played.content
        if played.merged and request.schema is not None:
            content = self._filled(request.schema, request, base=content)
        return self._finished(content, request)

    def _generated(self, request: ChatRequest, caller: CallerSchema) -> Answer:
        domain = self.domains.get(request.domain) if request.domain else None
        content = self._filled(caller, request, base=domain.content if domain else None)
        return Answer(self._finished(content, request), "generated")

    def _filled(self, caller: CallerSchema, request: ChatRequest, base: object) -> object:
        from vlmrun_mock import content  # noqa: PLC0415 - heavy (the generator): imported when first needed

        return content.filled(caller, request, self.seed, base)

    def _finished(self, value: object, request: ChatRequest) -> str:
        from vlmrun_mock import content  # noqa: PLC0415 - heavy (the generator): imported when first needed

        return content.finished(value, request, self.seed, self._schema(request))

    def _schema(self, request: ChatRequest) -> Mapping[str, Any] | None:
        """Return the schema that the answer follows: the caller's, else the domain's, if it is known."""
        if request.schema is not None:
            return request.schema.schema
        domain = self.domains.get(request.domain) if request.domain else None
        return domain.schema if domain else None

    def _missed(self, request: ChatRequest) -> NoFixture:
        miss = self.fixtures.miss(request)
        return NoFixture(miss.message, data={"miss": miss.as_json()})

    def _unknown(self, name: str) -> UnknownDomain:
        closest = self.domains.closest(name, self.fixtures.domains)
        hint = f"Closest: {', '.join(closest)}. " if closest else ""
        message = (
            f"Unknown domain {name[:100]!r}. {hint}`vlmrun-mock domains` lists all; a fixture, a JSON schema in the "
            "request or `--unknown-domain generate` answers for a domain of your own."
        )
        return UnknownDomain([Problem(("body", "vlmrun", "domain"), message, "enum")])
