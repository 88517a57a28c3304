"""Expressions in recipes: names, numbers, days and calls, compiled once into functions of what the names stand for."""

from __future__ import annotations

import ast
import datetime as dt
import operator
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any, Protocol, TypeAlias

NAMED = re.compile(r"\{([^{}]*)\}")


class RecipeProblem(ValueError):
    """A recipe that cannot be followed: it says where, and why."""


class Lookup(Protocol):
    """What the names in an expression stand for."""

    def find(self, name: str) -> Any:
        """Return the value of a name; raises RecipeProblem."""

    def attribute(self, value: Any, name: str) -> Any:
        """Return a part of a value; raises RecipeProblem."""

    def call(self, name: str, arguments: list[Any]) -> Any:
        """Return what a function makes of its arguments; raises RecipeProblem."""

    def settled(self, value: Any) -> Any:
        """Return a value in which nothing is left to draw."""


Compiled: TypeAlias = Callable[[Lookup], Any]


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression, and the names in it: those that stand alone, the parts asked for, and the functions."""

    value: Compiled
    names: frozenset[str]
    parts: frozenset[str]
    functions: frozenset[str]


def number(value: Any) -> Any:
    """Return a number with exact decimals, and everything else as it is."""
    return Decimal(repr(value)) if isinstance(value, float) else value


def _added(left: Any, right: Any, sign: int) -> Any:
    """Add or subtract: a missing amount is none, and to a day, days are added."""
    if isinstance(left, dt.date):
        return left + sign * dt.timedelta(days=int(right)) if not isinstance(right, dt.date) else (left - right).days
    if left is None and right is None:
        return None
    left, right = (0 if each is None else each for each in (left, right))
    return left + right if sign > 0 else left - right


def _divided(left: Any, right: Any) -> Any:
    return None if left is None or not right else Decimal(left) / Decimal(right)


OPERATORS: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: lambda left, right: _added(left, right, 1),
    ast.Sub: lambda left, right: _added(left, right, -1),
    ast.Mult: lambda left, right: None if left is None or right is None else left * right,
    ast.Div: _divided,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.In: lambda left, right: left in right,
}


@cache
def expression(text: str) -> Expression:
    """Return a compiled expression; raises RecipeProblem for what is none."""
    try:
        tree = ast.parse(text.strip(), mode="eval").body
        nodes = list(ast.walk(tree))
        functions = {node.func.id for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
        names = {node.id for node in nodes if isinstance(node, ast.Name)} - functions
        parts = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
        return Expression(_compiled(tree), frozenset(names), frozenset(parts), frozenset(functions))
    except SyntaxError as error:
        raise RecipeProblem(f"{text!r} is no expression: {error.msg}") from None


def _item(listed: Any, index: int) -> Any:
    """Return an item of a list, or a character of a text: none where the text is too short."""
    return listed[index] if not isinstance(listed, str) or index < len(listed) else ""


def _compiled(node: ast.expr) -> Compiled:  # noqa: C901, PLR0911 - one branch for each kind of node
    match node:
        case ast.Constant(value=value):
            exact = number(value)
            return lambda _: exact
        case ast.Name(id=name):
            return lambda lookup: lookup.find(name)
        case ast.Attribute(value=inner, attr=part):
            whole = _compiled(inner)
            return lambda lookup: lookup.attribute(whole(lookup), part)
        case ast.Subscript(value=inner, slice=place):
            listed, index = _compiled(inner), _compiled(place)
            return lambda lookup: _item(listed(lookup), int(index(lookup)))
        case ast.List(elts=elements):
            made = [_compiled(each) for each in elements]
            return lambda lookup: [each(lookup) for each in made]
        case ast.BinOp(left=left, op=op, right=right):
            return _of_two(left, type(op), right)
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return _of_two(left, type(op), right)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            asked, met, unmet = map(_compiled, (test, body, orelse))
            return lambda lookup: met(lookup) if asked(lookup) else unmet(lookup)
        case ast.BoolOp(op=op, values=values):
            return _any_or_all(isinstance(op, ast.Or), [_compiled(each) for each in values])
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            denied = _compiled(operand)
            return lambda lookup: not denied(lookup)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            negated = _compiled(operand)
            return lambda lookup: -negated(lookup)
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
            arguments = [_compiled(each) for each in args]
            return lambda lookup: lookup.call(name, [each(lookup) for each in arguments])
    raise RecipeProblem(f"{ast.unparse(node)!r} is not understood in an expression")


def _of_two(left: ast.expr, kind: type[ast.AST], right: ast.expr) -> Compiled:
    if kind not in OPERATORS:
        raise RecipeProblem(f"{kind.__name__} is not understood in an expression")
    work, one, other = OPERATORS[kind], _compiled(left), _compiled(right)
    return lambda lookup: work(lookup.settled(one(lookup)), lookup.settled(other(lookup)))


def _any_or_all(is_or: bool, values: list[Compiled]) -> Compiled:  # noqa: FBT001 - the operator's kind
    def value(lookup: Lookup) -> Any:
        found: Any = None
        for each in values:
            found = each(lookup)
            if bool(found) is is_or:
                return found
        return found

    return value


@cache
def template(text: str) -> Expression:
    """Return a compiled text, in which expressions stand in braces; raises RecipeProblem."""
    pieces = NAMED.split(text)
    if len(pieces) == 1:
        return Expression(lambda _: text, frozenset(), frozenset(), frozenset())
    inner = [expression(piece) for piece in pieces[1::2]]
    literals = pieces[::2]

    def value(lookup: Lookup) -> str:
        found = [literals[0]]
        for each, literal in zip(inner, literals[1:], strict=True):
            found += (written(lookup.settled(each.value(lookup))), literal)
        return "".join(found)

    return Expression(value, *(frozenset(_all(inner, kind)) for kind in ("names", "parts", "functions")))


def _all(expressions: list[Expression], kind: str) -> Iterator[str]:
    return (name for each in expressions for name in getattr(each, kind))


def written(value: Any) -> str:
    """Return a value as it stands in a text."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value.isoformat() if isinstance(value, dt.date) else str(value)
