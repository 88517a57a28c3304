"""Parsing a GraphQL statement (`gql_stmt`) into the fields that it selects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from vlmrun_mock.lazy import lazy

if TYPE_CHECKING:
    from collections.abc import Sequence

    import graphql
    from graphql import DocumentNode, FieldNode, Node, SelectionSetNode
else:
    graphql = lazy("graphql")

LONGEST_STATEMENT = 65_536  # characters
DEEPEST_SELECTION = 50  # braces within braces


class SelectionProblem(ValueError):
    """A statement is malformed or selects an unknown field; the message is for a client."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The selected fields in order; None selects a whole field."""

    fields: Mapping[str, Selection | None]


def parse(statement: str) -> Selection:
    """Parse `{ a b { c } }`, `query { ... }` or `query Name { ... }`.

    Raises SelectionProblem, with line and column, for anything else: aliases, arguments, fragments, directives,
    variables and mutations have no documented effect.
    """
    definitions = _document(statement).definitions
    for definition in definitions:
        if definition.kind != "operation_definition":
            raise _problem_at(definition, f"{definition.kind.replace('_', ' ')}s are not supported, write one query")
    _refuse(definitions[1:], "several operations are not supported, write one query")
    query = cast("Any", definitions[0])
    if query.operation.value != "query":
        raise _problem_at(query, f"{query.operation.value}s are not supported, write a query")
    _refuse(query.variable_definitions, "variables are not supported")
    _refuse(query.directives, "directives are not supported")
    return _selection(query.selection_set, 1)


def _document(statement: str) -> DocumentNode:
    if len(statement) > LONGEST_STATEMENT:
        raise SelectionProblem(f"the statement is longer than {LONGEST_STATEMENT:,} characters")
    try:
        return graphql.parse(statement)
    except graphql.GraphQLSyntaxError as problem:
        line, column = problem.locations[0] if problem.locations else (1, 1)
        reason = problem.message.removeprefix("Syntax Error: ")[:200]
        message = f"line {line}, column {column}: {reason} A statement looks like {{ invoice_id items {{ quantity }} }}"
        raise SelectionProblem(message) from None
    except RecursionError:
        raise SelectionProblem("the statement is nested too deeply") from None


def _selection(chosen: SelectionSetNode, depth: int) -> Selection:
    if depth > DEEPEST_SELECTION:
        raise _problem_at(chosen, f"the statement is nested deeper than {DEEPEST_SELECTION} levels")
    if not chosen.selections:
        raise _problem_at(chosen, "there is no field between the braces")
    fields: dict[str, Selection | None] = {}
    for node in chosen.selections:
        if node.kind != "field":
            raise _problem_at(node, "fragments are not supported, name the fields")
        field = cast("FieldNode", node)
        if field.alias:
            raise _problem_at(field.alias, "aliases are not supported, fields keep their names")
        _refuse(field.arguments, "arguments are not supported")
        _refuse(field.directives, "directives are not supported")
        name = field.name.value
        inner = _selection(field.selection_set, depth + 1) if field.selection_set else None
        fields[name] = _merged(field, fields[name], inner) if name in fields else inner
    return Selection(fields)


def _merged(node: FieldNode, first: Selection | None, second: Selection | None) -> Selection | None:
    """Merge the two selections of a repeated field."""
    if first is None or second is None:
        if first is second:
            return None
        raise _problem_at(node, f"{node.name.value} is selected once whole and once in part")
    fields = dict(first.fields)
    for name, inner in second.fields.items():
        fields[name] = _merged(node, fields[name], inner) if name in fields else inner
    return Selection(fields)


def _refuse(nodes: Sequence[Node] | None, message: str) -> None:
    if nodes:
        raise _problem_at(nodes[0], message)


def _problem_at(node: Node, message: str) -> SelectionProblem:
    if node.loc is None:
        return SelectionProblem(message)
    token = node.loc.start_token
    return SelectionProblem(f"line {token.line}, column {token.column}: {message}")
