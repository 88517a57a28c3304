"""The error for a request that no source answers: a miss, explained, or an unknown domain."""

from __future__ import annotations

from collections.abc import Sequence

from vlmrun_mock.api.errors import ApiError, NoFixture, Problem, UnknownDomain
from vlmrun_mock.api.request import ExtractionRequest
from vlmrun_mock.fixtures import index
from vlmrun_mock.fixtures.domains import Domains
from vlmrun_mock.fixtures.index import FixtureSet
from vlmrun_mock.mock.settings import Settings


def error(request: ExtractionRequest, settings: Settings, domains: Domains, sets: Sequence[FixtureSet]) -> ApiError:
    """Return the error for a request; `sets` are the fixtures that did not match, in order of precedence."""
    named = frozenset().union(*(each.domains for each in sets))
    if not (settings.strict or settings.record or request.domain is None or request.domain in named):
        return _unknown_domain(request.domain, domains, named)
    miss = index.miss(sets, request)
    hint = _suggestion(request.domain, domains, named) if request.domain and miss.nearest else ""
    if settings.record:
        hint += f" The upstream was not asked: in the mode {settings.record} nothing is recorded now."
    return NoFixture(miss.message + hint, data={"miss": miss.as_json()})


def _suggestion(name: str, domains: Domains, named: frozenset[str]) -> str:
    """Return which domain may be meant by one that neither the API nor a fixture knows."""
    known = name in named or domains.get(name)
    closest = [] if known else domains.closest(name, named)
    return f" {name[:100]!r} is no known domain; did you mean {' or '.join(closest)}?" if closest else ""


def _unknown_domain(name: str, domains: Domains, named: frozenset[str]) -> UnknownDomain:
    closest = domains.closest(name, named)
    hint = f"Closest: {', '.join(closest)}. " if closest else ""
    message = (
        f"Unknown domain {name[:100]!r}. {hint}`vlmrun-mock domains` lists all; a fixture, a JSON schema in the "
        "request or `--unknown-domain generate` answers for a domain of your own."
    )
    return UnknownDomain([Problem(("body", "vlmrun", "domain"), message, "enum")])
