"""What an answer says: made to meet a caller's schema, cut to the selected fields, with the metadata asked for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from vlmrun_mock.api.errors import InvalidRequest, Problem
from vlmrun_mock.api.request import CallerSchema, ExtractionRequest
from vlmrun_mock.json_text import written
from vlmrun_mock.schema import generate, gql_statement, grounding, selection
from vlmrun_mock.schema.gql_statement import SelectionProblem
from vlmrun_mock.schema.references import SchemaProblem
from vlmrun_mock.schema.validation import violations
from vlmrun_mock.seed import Seed

WITHOUT_GROUNDING = frozenset({"document.markdown"})
"""Domains that are documented to have no grounding."""


def filled(caller: CallerSchema, request: ExtractionRequest, seed: Seed, base: object) -> object:
    """Return a value that meets the caller's schema, from `base` where names and types agree; raises InvalidRequest."""
    try:
        return generate.generate(caller.schema, seed=seed, facts=request.subject, base=base)
    except SchemaProblem as problem:
        raise InvalidRequest([Problem((*caller.place, *problem.place), problem.message)]) from None


def unmet(caller: CallerSchema, content: object) -> str | None:
    """Return why content does not meet the caller's schema, or None; a string is read as the JSON that it should be."""
    try:
        value = json.loads(content) if isinstance(content, str) else content
        found = violations(caller.schema, value)
    except ValueError as problem:
        return str(problem)
    return f"{'.'.join(map(str, found[0].place)) or 'it'}: {found[0].message}" if found else None


def finished(content: object, request: ExtractionRequest, seed: Seed, schema: Mapping[str, Any] | None) -> str:
    """Return content as compact JSON, with what the request's config does to it; `schema` is the one that it follows.

    Raises InvalidRequest for a selection that cannot be made.
    """
    config = request.config
    if config.gql_stmt:
        content = _selected(config.gql_stmt, content, schema)
    if (config.grounding or config.confidence) and request.domain not in WITHOUT_GROUNDING:
        content = grounding.ground(content, boxes=config.grounding, seed=seed, facts=request.subject)
    return written(content)


def _selected(statement: str, content: object, schema: Mapping[str, Any] | None) -> object:
    try:
        return selection.select(gql_statement.parse(statement), content, schema)
    except SelectionProblem as problem:
        place = ("body", "vlmrun", "config", "gql_stmt")
        raise InvalidRequest([Problem(place, str(problem))]) from None
