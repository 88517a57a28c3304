"""All cases by name, and in groups."""

from __future__ import annotations

from collections.abc import Mapping

from tests.corpus import (
    catalog,
    control,
    domains,
    errors,
    faults,
    fixtures,
    messages,
    parameters,
    schemas,
    settings,
    upstream,
    wire,
)
from tests.corpus.case import Cases

GROUPS: Mapping[str, Cases] = {
    "domains": domains.cases(),
    "parameters": parameters.cases(),
    "messages": messages.cases(),
    "schemas": schemas.cases(),
    "errors": errors.cases(),
    "fixtures": fixtures.cases(),
    "faults": faults.cases(),
    "upstream": upstream.cases(),
    "catalog": catalog.cases(),
    "control": control.cases(),
    "settings": settings.cases(),
    "wire": wire.cases(),
}


def corpus() -> Cases:
    """Return the cases of all groups; raises ValueError if two have the same name."""
    found: Cases = {}
    for cases in GROUPS.values():
        if twice := found.keys() & cases.keys():
            raise ValueError(f"two cases have the same name: {', '.join(sorted(twice))}")
        found |= cases
    return found
