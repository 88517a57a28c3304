"""Varied answers: a packaged answer as the template, and a recipe that says how each field is drawn or follows.

A recipe is data. It has the form of the answer; in place of a value stands a rule:

- `= expression` is a relation: what the field has to be, given other fields, in every document of the kind;
- `~ expression` says how it is drawn;
- any other text is a template, in which expressions stand in braces;
- an object with `$of` is a list with an item for each value of that expression: `it`, at `index`, of `count`, after
  `before`; `$item` is the rule of an item that is no object;
- `$let` names values that several rules share;
- `$locale` is the locale of documents that there are in one country alone, whichever locale is asked for.

What has no rule stays as it is in the packaged answer.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

from vlmrun_mock.schema.generate import locales
from vlmrun_mock.schema.generate.expressions import Expression, RecipeProblem, expression, number, template
from vlmrun_mock.schema.generate.functions import DRAWING, FUNCTIONS
from vlmrun_mock.schema.generate.locales import Locale

if TYPE_CHECKING:
    from random import Random

RELATION, DRAWN = "= ", "~ "
IN_LISTS = frozenset({"it", "index", "count", "before"})
CENT = Decimal("0.005")
MONEY = frozenset({"money_code", "money_scale"})
"""Names that stand for the locale's currency, and for what a dollar is in it."""


@dataclass(frozen=True, slots=True)
class Pool:
    """Things to draw one or several from: texts, records or further values."""

    things: Sequence[Any]


@dataclass(frozen=True, slots=True)
class Value:
    """The rule of a value: an expression, and whether it is a relation."""

    expression: Expression
    is_relation: bool = False


@dataclass(frozen=True, slots=True)
class Constant:
    """The rule of a value that does not change."""

    value: Any


@dataclass(frozen=True, slots=True)
class Object:
    """The rule of an object: its fields in the order of the answer, and the names that its rules share."""

    fields: Mapping[str, Rule]
    shared: Mapping[str, Rule] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Row:
    """The rule of a list whose items are written out."""

    items: Sequence[Rule]


@dataclass(frozen=True, slots=True)
class Each:
    """The rule of a list with an item for each of the values of an expression."""

    of: Expression
    item: Rule


Rule: TypeAlias = Value | Constant | Object | Row | Each


@cache
def _text_rule(text: str) -> Rule:
    if text.startswith((RELATION, DRAWN)):
        return Value(expression(text[2:]), text.startswith(RELATION))
    return Value(template(text)) if "{" in text else Constant(text)


def _rule(written: Any, model: Any, place: str) -> Rule:
    """Return the rule of what a recipe says of a place, where the packaged answer has `model`."""
    if isinstance(written, str):
        return _text_rule(written)
    if isinstance(written, list):
        return Row([_rule(each, _item(model), f"{place}[]") for each in written])
    if not isinstance(written, dict):
        return Constant(number(written))
    if "$of" not in written:
        return _object(written, model, place)
    inner = {name: each for name, each in written.items() if name != "$of"}
    item = _rule(inner.get("$item", inner), _item(model), f"{place}[]")
    return Each(expression(written["$of"].removeprefix(DRAWN)), item)


def _object(written: Mapping[str, Any], model: Any, place: str) -> Object:
    known = model if isinstance(model, dict) else {}
    shared = {name: _rule(each, None, f"{place}.$let") for name, each in written.get("$let", {}).items()}
    own = {name: each for name, each in written.items() if name != "$let"}
    is_free = any("{" in name for name in own)
    unknown = [name for name in own if isinstance(model, dict) and name not in known and not is_free]
    if unknown:
        raise RecipeProblem(f"{place}.{unknown[0]}: the answer has no such field")
    fields: dict[str, Rule] = {name: Constant(number(each)) for name, each in known.items() if not is_free}
    fields |= {name: _rule(each, known.get(name), f"{place}.{name}") for name, each in own.items()}
    return Object(fields, shared)


def _item(model: Any) -> Any:
    """Return what items of a list look like: all fields that any of them has."""
    items = model if isinstance(model, list) else []
    if items and isinstance(items[0], dict):
        return {name: value for item in reversed(items) for name, value in item.items()}
    return items[0] if items else None


class Recipe:
    """How the answers for one kind of document vary; `pools` are what is drawn from, by name.

    Raises RecipeProblem for a rule of a field that the answer does not have, or that names what is nowhere.
    """

    def __init__(self, written: Mapping[str, Any], answer: Mapping[str, Any], pools: Mapping[str, Any]) -> None:
        self._pools = pools
        self._answer = answer
        self._only: str | None = written.get("$locale")
        self._root = _object({name: each for name, each in written.items() if name != "$locale"}, answer, "$")
        named = set(_names(self._root))
        known = named | pools.keys() | IN_LISTS | MONEY
        for place, rule in _rules(self._root, "$"):
            _check_names(place, rule, named, known)

    def vary(self, random: Random, locale: str = "en_US") -> dict[str, Any]:
        """Return an answer of this kind; all of it depends on the generator alone."""
        scope = Scope(Draws(random, self._pools, locales.of(self.locale_of(locale))), self._root)
        answer: dict[str, Any] = plain(scope, self._answer)
        return answer

    def locale_of(self, asked: str) -> str:
        """Return the locale of a document that is asked for in one: there are some in one country alone."""
        return self._only or asked

    def mismatches(self, answer: Mapping[str, Any]) -> Iterator[tuple[tuple[str | int, ...], Any, Any]]:
        """Yield the place, the number and the number it should be of each relation that does not hold."""
        draws = Draws(None, self._pools, locales.of_currency(answer.get("currency")))
        yield from _mismatches(self._root, answer, Scope(draws, Object({}), None), ())


def _names(rule: Rule) -> Iterator[str]:
    """Yield all names of fields and of shared values."""
    match rule:
        case Object(fields, shared):
            for name, each in (*fields.items(), *shared.items()):
                yield name
                yield from _names(each)
        case Row(items):
            for each in items:
                yield from _names(each)
        case Each(_, item):
            yield from _names(item)
        case Constant(dict() as value):
            yield from value


def _rules(rule: Rule, place: str) -> Iterator[tuple[str, Value]]:
    match rule:
        case Object(fields, shared):
            for name, each in (*fields.items(), *shared.items()):
                yield from _rules(each, f"{place}.{name}")
        case Row(items):
            for each in items:
                yield from _rules(each, f"{place}[]")
        case Each(of, item):
            yield f"{place}.$of", Value(of)
            yield from _rules(item, f"{place}[]")
        case Value():
            yield place, rule


def _check_names(place: str, rule: Value, named: set[str], known: set[str]) -> None:
    unknown = sorted(rule.expression.names - known)
    if unknown:
        raise RecipeProblem(f"{place}: {unknown[0]} is no field, no shared value and no pool")
    missing = sorted(rule.expression.functions - FUNCTIONS.keys())
    if missing:
        raise RecipeProblem(f"{place}: there is no function {missing[0]}")
    if rule.is_relation and not (rule.expression.names | rule.expression.parts) & (named | IN_LISTS):
        raise RecipeProblem(f"{place}: the relation names no field")


class Draws:
    """What a recipe draws with: a generator, the pools, and the locale, whose own pools come first."""

    def __init__(self, random: Any, pools: Mapping[str, Any], locale: Locale) -> None:
        self.random: Random = random
        self._pools = pools
        self.locale = locale

    def pool(self, name: str) -> Pool | None:
        """Return the pool with that name, or None."""
        if name in MONEY:
            country = self.locale.country
            return Pool([country.currency if name == "money_code" else country.scale])
        things = self.locale.pools.get(name, self._pools.get(name))
        return None if things is None else Pool(things)

    def one(self, pool: Pool, scope: Scope) -> Any:
        """Draw one thing of a pool."""
        return self.made(pool.things[int(self.random.random() * len(pool.things))], scope)

    def several(self, pool: Pool, count: int, scope: Scope) -> list[Any]:
        """Draw different things of a pool, as many as there are if it has fewer."""
        things = self.random.sample(list(pool.things), min(count, len(pool.things)))
        return [self.made(thing, scope) for thing in things]

    def made(self, thing: Any, scope: Scope) -> Any:
        """Return a thing of a pool: a text is a rule, and a record has rules for its parts."""
        if isinstance(thing, str):
            return scope.valued(_text_rule(thing))
        if isinstance(thing, dict):
            return Scope(self, _record(thing), scope)
        return Pool(thing) if isinstance(thing, list) else number(thing)


def _record(thing: dict[str, Any]) -> Object:
    found = RECORDS.get(id(thing))
    if found is None or found[0] is not thing:
        found = RECORDS[id(thing)] = (thing, Object({name: _part(each) for name, each in thing.items()}))
    return found[1]


def _part(value: Any) -> Rule:
    """Return the rule of a part of a record."""
    if isinstance(value, str):
        return _text_rule(value)
    return Constant(Pool(value) if isinstance(value, list) else number(value))


RECORDS: dict[int, tuple[dict[str, Any], Object]] = {}
"""The rules of the records of pools, which are as many as the data files have, by identity."""


class Scope:
    """An object in the making: a field is made when it is first asked for, so that the order of rules is free."""

    __slots__ = ("draws", "outer", "pending", "rule", "values")

    def __init__(self, draws: Draws, rule: Object, outer: Scope | None = None, **values: Any) -> None:
        self.draws = draws
        self.rule = rule
        self.outer = outer
        self.values: dict[str, Any] = values
        self.pending: set[str] = set()

    def find(self, name: str) -> Any:
        """Return what a name stands for: a field here or further out, or a pool; in its own rule, only further out."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.values:
                return scope.values[name]
            if name not in scope.pending:
                rule = scope.rule.shared.get(name) or scope.rule.fields.get(name)
                if rule is not None:
                    return scope._make(name, rule)
            scope = scope.outer
        pool = self.draws.pool(name)
        if pool is None:
            raise RecipeProblem(f"{name} is no field, no shared value and no pool")
        return pool

    def _make(self, name: str, rule: Rule) -> Any:
        self.pending.add(name)
        value = self.valued(rule)
        # A record keeps its lists, to draw several of; everything else is drawn once.
        self.values[name] = value = value if isinstance(rule, Constant) else self.settled(value)
        self.pending.discard(name)
        return value

    def valued(self, rule: Rule) -> Any:
        """Return what a rule gives here."""
        match rule:
            case Value(found):
                return found.value(self)
            case Constant(value):
                return value
            case Object():
                return Scope(self.draws, rule, self)
            case Row(items):
                return [self.settled(self.valued(each)) for each in items]
            case Each(of, item):
                return self._list(self.settled(of.value(self)), item)

    def _list(self, things: Sequence[Any], item: Rule) -> list[Any]:
        made: list[Any] = []
        before = None
        for index, it in enumerate(things):
            around = Scope(self.draws, Object({}), self, it=it, index=index, count=len(things), before=before)
            before = around.settled(around.valued(item))
            made.append(before)
        return made

    def attribute(self, value: Any, name: str) -> Any:
        """Return a part of an object, or that part of each item of a list."""
        value = self.settled(value)
        if isinstance(value, Scope):
            rule = value.rule.shared.get(name) or value.rule.fields.get(name)
            return value.find(name) if name in value.values or rule is not None else None
        if isinstance(value, list):
            return [self.attribute(each, name) for each in value]
        if isinstance(value, dict):
            return number(value.get(name))
        if value is None:
            return None
        if isinstance(value, dt.date) and name in {"year", "month", "day"}:
            return getattr(value, name)
        raise RecipeProblem(f"{name} is no part of {value!r}")

    def call(self, name: str, arguments: list[Any]) -> Any:
        """Return what a function makes of its arguments."""
        if name in DRAWING:
            return DRAWING[name](self, *arguments)
        return FUNCTIONS[name](*map(self.settled, arguments))

    def settled(self, value: Any) -> Any:
        """Return a value in which nothing is left to draw."""
        while isinstance(value, Pool):
            value = self.draws.one(value, self)
        return value


def plain(value: Any, model: Any) -> Any:
    """Return what was made as JSON; a number has a fraction where that of the model has one."""
    if isinstance(value, Scope):
        known = model if isinstance(model, dict) else {}
        return {_written_name(name, value): plain(value.find(name), known.get(name)) for name in value.rule.fields}
    if isinstance(value, list):
        item = _item(model)
        return [plain(each, item) for each in value]
    if isinstance(value, dict):
        return {name: plain(each, None) for name, each in value.items()}
    if isinstance(value, Decimal):
        return int(value) if isinstance(model, int) and value == int(value) else float(value)
    if isinstance(value, int) and isinstance(model, float):
        return float(value)
    return value.isoformat() if isinstance(value, dt.date) else value


def _written_name(name: str, scope: Scope) -> str:
    return name if "{" not in name else str(template(name).value(scope))


def _mismatches(
    rule: Rule, value: Any, around: Scope, place: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], Any, Any]]:
    match rule:
        case Object(fields, _) if isinstance(value, dict):
            own = Scope(around.draws, Object({}), around, **{name: _read(each) for name, each in value.items()})
            for name, each in fields.items():
                if name in value:
                    yield from _mismatches(each, value[name], own, (*place, name))
        case Each(_, item) if isinstance(value, list):
            before = None
            for index, each in enumerate(value):
                inner = Scope(around.draws, Object({}), around, index=index, count=len(value), before=before)
                yield from _mismatches(item, each, inner, (*place, index))
                before = _read(each)
        case Value(found, True) if isinstance(value, int | float) and not isinstance(value, bool):
            wanted = _recomputed(found, around)
            if wanted is not None and abs(number(value) - wanted) > CENT:
                yield place, value, wanted


def _read(value: Any) -> Any:
    if isinstance(value, list):
        return [_read(each) for each in value]
    return number(value)


def _recomputed(found: Expression, around: Scope) -> Any:
    """Return the number that a relation asks for, or None where what it names is not there or not a number."""
    try:
        wanted = found.value(around)
    except (RecipeProblem, TypeError, ValueError, ArithmeticError, LookupError, AttributeError):
        return None
    return wanted if isinstance(wanted, int | Decimal) and not isinstance(wanted, bool) else None
