"""What an answer says: made to meet a caller's schema, cut to the selected fields, with the metadata asked for."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeAlias, TypeVar

import msgspec

from vlmrun_mock.api.errors import InvalidRequest, Problem
from vlmrun_mock.api.request import CallerSchema, ExtractionRequest, Place
from vlmrun_mock.helper import HELPER
from vlmrun_mock.json_text import compact, dotted, quoted, written
from vlmrun_mock.mock.options.server import LOCALES
from vlmrun_mock.schema import generate, gql_statement, grounding, misreading, selection
from vlmrun_mock.schema.gql_statement import SelectionProblem
from vlmrun_mock.schema.grounding import NOWHERE, Boxes
from vlmrun_mock.schema.references import SchemaProblem
from vlmrun_mock.schema.validation import load
from vlmrun_mock.seed import Seed

if TYPE_CHECKING:
    from vlmrun_mock.fixtures.domains import Domain
    from vlmrun_mock.mock.mock import Mock
    from vlmrun_mock.mock.settings import Settings

Arguments = ParamSpec("Arguments")
ResultT = TypeVar("ResultT")

Guesses: TypeAlias = tuple[str, ...]
"""How a schema was read that names no dialect, or an unknown one."""
LOCALE_OF_LANGUAGE: Mapping[str, str] = {
    **{locale.lower(): locale for locale in LOCALES},
    **{locale[:2]: locale for locale in reversed(LOCALES) if not locale.startswith("en")},
}
"""The locale of a locale's or a language's name in lower case."""

COMMON_WORDS: Mapping[str, str] = {
    "de_DE": "der die das und aus mit bitte rechnung alle eine den von ist auf beleg welche nicht für lies gib",
    "fr_FR": "le la les et des du une facture veuillez avec toutes dans sur pour ce cette extrais est aux quelle",
    "es_ES": "el los las y del una factura por favor con todos en para esta este extrae es datos cuál",
    "it_IT": "il gli e della dei una fattura estrai tutti per questo questa con dati nel sono quale che",
    "nl_NL": "de het een en van alle uit met deze factuur haal alsjeblieft voor op niet welke gegevens",
    "pt_BR": "os uma e da do dos fatura nota extraia todos com para este esta dados é quais por não",
}
"""Words by which the language of a text is known."""

ENOUGH_WORDS = 4
"""How many of a language's words a text has at least."""

LONGEST_READ = 2_000

SHORT = 2_000
"""Bytes of a schema that takes some milliseconds, unless it asks for MANY of something."""

MANY = re.compile(rb'"min(?:Items|Properties|Contains)":\d\d')
"""Ten or more, in a schema as compact JSON."""

MARKDOWN = "document.markdown"
"""The domain whose answer is a list of pages."""

WITHOUT_GROUNDING = frozenset({MARKDOWN})
"""Domains that are documented to have no grounding."""


def varied(domain: Domain, mock: Mock, request: ExtractionRequest) -> dict[str, Any]:
    """Return the answer of a domain that is drawn for the documents of a request, and for the schema in it."""
    schema = [json.dumps(request.schema.schema, sort_keys=True)] if request.schema else []
    identities = [document.identity for document in request.documents]
    return domain.varied(mock.seed, (*identities, *schema), locale_of(request, mock.settings.locale))


def locale_of(request: ExtractionRequest, usual: str) -> str:
    """Return the locale that the request's metadata or the language of its texts asks for, or else the usual one.

    A language is at home where its locale is in the table; English is where the usual locale is.
    """
    for key in ("locale", "language", "lang"):
        asked = request.metadata.get(key)
        found = LOCALE_OF_LANGUAGE.get(str(asked).replace("-", "_").lower()) if asked else None
        if found:
            return found
    words = set(re.findall(r"\w+", request.text[:LONGEST_READ].lower()))
    counts = {locale: len(words & set(common.split())) for locale, common in COMMON_WORDS.items()}
    best = max(counts, key=counts.__getitem__)
    return best if counts[best] >= ENOUGH_WORDS else usual


class Filled(msgspec.Struct, frozen=True):
    """A value that meets a caller's schema, as compact JSON, and how the schema was read."""

    text: str
    guesses: Guesses

    @property
    def value(self) -> Any:
        """The value itself."""
        return json.loads(self.text)


def filled(caller: CallerSchema, request: ExtractionRequest, seed: Seed, base: object, locale: str = "en_US") -> Filled:
    """Return a value that meets the caller's schema, from `base` where names and types agree; raises InvalidRequest."""
    made = _helped(_filled, caller.schema, seed, request.subject, base, locale)
    if isinstance(made, Filled):
        return made
    place, message = made
    raise InvalidRequest([Problem((*caller.place, *place), message)])


def _filled(
    schema: Mapping[str, Any], seed: Seed, facts: Sequence[str], base: object, locale: str
) -> Filled | tuple[Place, str]:
    """Return what meets a schema, or the place and the words of the problem with it."""
    try:
        loaded = load(schema)
        value = generate.generate(loaded, seed=seed, facts=facts, base=base, locale=locale)
    except SchemaProblem as problem:
        return problem.place, problem.message
    return Filled(written(value), loaded.guesses)


def _helped(
    function: Callable[Concatenate[Mapping[str, Any], Arguments], ResultT],
    schema: Mapping[str, Any],
    *args: Arguments.args,
    **kwargs: Arguments.kwargs,
) -> ResultT:
    """Return what a function of a schema returns, called by the helper where that may take long."""
    text = compact(schema)
    if len(text) > SHORT or MANY.search(text):
        return HELPER.call(function, schema, *args, **kwargs)
    return function(schema, *args, **kwargs)


def unmet(caller: CallerSchema, content: object) -> tuple[str | None, Guesses]:
    """Return why content does not meet the caller's schema, or None, and how that was read.

    Content that is text is read as the JSON that it should be.
    """
    return _helped(_unmet, caller.schema, content)


def _unmet(schema: Mapping[str, Any], content: object) -> tuple[str | None, Guesses]:
    guesses: Guesses = ()
    try:
        loaded = load(schema)
        guesses = loaded.guesses
        found = loaded.violations(json.loads(content) if isinstance(content, str) else content)
    except ValueError as problem:
        return str(problem), guesses
    return f"{'.'.join(map(str, found[0].place)) or 'it'}: {found[0].message}" if found else None, guesses


def finished(
    content: object,
    request: ExtractionRequest,
    settings: Settings,
    schema: Mapping[str, Any] | None,
    boxes: Boxes = NOWHERE,
) -> tuple[str, tuple[str, ...]]:
    """Return content as compact JSON, and a note of what was misread in it; `schema` is the one that it follows.

    The request's config selects fields and adds metadata, with the `boxes` that are known of the values. Raises
    InvalidRequest for a selection that cannot be made.
    """
    config, seed = request.config, Seed(settings.seed)
    pages = config.pages
    if pages and request.domain == MARKDOWN:
        content = _of_pages(content, pages)
    notes: tuple[str, ...] = ()
    spoilt: tuple[misreading.Misreading, ...] = ()
    if settings.misread:
        content, spoilt = misreading.misread(content, settings.misread, schema=schema, seed=seed, facts=request.subject)
        notes = tuple(f"misread {dotted(each.place)}: {quoted(each.truth)}" for each in spoilt)
    if config.gql_stmt:
        content = _selected(config.gql_stmt, content, schema)
    if (config.grounding or config.confidence) and request.domain not in WITHOUT_GROUNDING:
        doubtful = [tuple(map(str, each.place)) for each in spoilt]
        known = misreading.moved(boxes, spoilt)
        if pages:
            known = {place: [box for box in each if box["page"] in pages] for place, each in known.items()}
        content = grounding.ground(
            content,
            boxes=config.grounding,
            seed=seed,
            facts=request.subject,
            doubtful=doubtful,
            known=known,
            page=min(pages, default=0),
        )
    return written(content), notes


def _of_pages(content: object, pages: Collection[int]) -> object:
    """Return an answer of pages without those that were not asked for; with all of them if none of these is there."""
    found = content.get("pages") if isinstance(content, Mapping) else None
    if not isinstance(content, Mapping) or not isinstance(found, list):
        return content
    kept = [each for each in found if isinstance(each, Mapping) and _number_of(each) in pages]
    return {**content, "pages": kept} if kept else content


def _number_of(page: Mapping[str, Any]) -> object:
    metadata = page.get("metadata")
    return metadata.get("page_number") if isinstance(metadata, Mapping) else None


def _selected(statement: str, content: object, schema: Mapping[str, Any] | None) -> object:
    try:
        return selection.select(gql_statement.parse(statement), content, schema)
    except SelectionProblem as problem:
        place = ("body", "vlmrun", "config", "gql_stmt")
        raise InvalidRequest([Problem(place, str(problem))]) from None
