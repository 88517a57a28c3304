"""Reading a GraphQL statement (`gql_stmt`): which fields it asks for, or what is wrong with it."""

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
    """A statement that cannot be read, or that asks for a field that does not exist; the message is for a client."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Selected fields in their order; None stands for a whole field."""

    fields: Mapping[str, Selection | None]


def parse(statement: str) -> Selection:
    """Read `{ a b { c } }`, `query { ... }` or `query Name { ... }`.

    Raises SelectionProblem with line and column for anything else: aliases, arguments, fragments, directives,
    variables and mutations have no documented effect here.
    """
    if len(statement) > LONGEST_STATEMENT:
        raise SelectionProblem(f"the statement is longer than {LONGEST_STATEMENT:,} characters")
    operation, *others = _document(statement).definitions
    for definition in (operation, *others):
        if definition.kind != "operation_definition":
            raise _problem_at(definition, f"{definition.kind.replace('_', ' ')}s are not supported, write one query")
    if others:
        raise _problem_at(others[0], "several operations are not supported, write one query")
    query = cast("Any", operation)
    if query.operation.value != "query":
        raise _problem_at(query, f"{query.operation.value}s are not supported, write a query")
    _refuse(query.variable_definitions, "variables are not supported")
    _refuse(query.directives, "directives are not supported")
    return _selection(query.selection_set, 1)


def _document(statement: str) -> DocumentNode:
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
        wanted = cast("FieldNode", node)
        name, inner = wanted.name.value, _inner(wanted, depth)
        fields[name] = _merged(wanted, fields[name], inner) if name in fields else inner
    return Selection(fields)


def _inner(node: FieldNode, depth: int) -> Selection | None:
    if node.alias:
        raise _problem_at(node.alias, "aliases are not supported, fields keep their names")
    _refuse(node.arguments, "arguments are not supported")
    _refuse(node.directives, "directives are not supported")
    return _selection(node.selection_set, depth + 1) if node.selection_set else None


def _merged(node: FieldNode, first: Selection | None, second: Selection | None) -> Selection | None:
    """Return both selections of a field that is named twice as one."""
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
