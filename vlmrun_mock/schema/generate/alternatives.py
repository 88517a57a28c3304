"""The shapes that a value may take: every way to settle anyOf, oneOf, not, if and type, the best first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeAlias

from vlmrun_mock.schema.generate.budget import Budget, Exhausted
from vlmrun_mock.schema.generate.negation import denials
from vlmrun_mock.schema.generate.node import KINDS, KINDS_OF_TYPE, Node, Shape
from vlmrun_mock.schema.references import REFERENCES, Place, References, SchemaProblem

Option: TypeAlias = tuple[Node, ...]
DEEPEST_RECURSION = 2  # how often a reference's target may be inside itself

HINTS = {
    "object": ("properties", "required", "additionalProperties", "patternProperties", "propertyNames"),
    "array": ("items", "prefixItems", "contains", "minItems", "maxItems", "uniqueItems"),
    "string": ("minLength", "maxLength", "pattern", "format"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
}
HINTS["object"] += ("minProperties", "maxProperties", "dependentRequired", "dependentSchemas", "unevaluatedProperties")


class Alternatives:
    """Looks for the shapes in which all of some subschemas hold, below references already entered."""

    def __init__(
        self,
        references: References,
        problems: list[SchemaProblem],
        *,
        siblings: bool,
        entered: Mapping[Place, int],
        budget: Budget,
    ) -> None:
        self._references = references
        self._siblings = siblings  # whether keywords beside a $ref count, as they do since draft 2019-09
        self._entered = entered
        self._budget = budget
        self._problems = problems  # why shapes were left out

    def shapes(self, nodes: Sequence[Node]) -> Iterator[Shape]:
        """Yield the shapes, and add to the problems why others were left out."""
        for shape in self._settled(Shape(), list(nodes), []):
            for settled in _of_one_kind(shape):
                self._budget.step(shape.place)
                yield settled

    def _settled(self, shape: Shape, nodes: list[Node], choices: list[list[Option]]) -> Iterator[Shape]:
        """Add what leaves no choice first, so that a branch that contradicts it ends early."""
        try:
            shape, choices = self._added(shape, nodes, choices)
        except Exhausted:
            raise
        except SchemaProblem as problem:
            self._problems.append(problem)
            return
        if not choices:
            yield shape
            return
        for option in choices[0]:
            yield from self._settled(shape, list(option), choices[1:])

    def _added(self, shape: Shape, nodes: list[Node], choices: list[list[Option]]) -> tuple[Shape, list[list[Option]]]:
        choices, waiting = list(choices), list(reversed(nodes))
        while waiting:
            node = waiting.pop()
            self._budget.step(node.place)
            if node.schema is (not node.denied):
                continue
            if isinstance(node.schema, bool):
                raise SchemaProblem(node.place, "no value is allowed here")
            if "$ref" in node.schema and not self._siblings:
                node = replace(node, schema={"$ref": node.schema["$ref"]})
            if node.denied:
                self._deny(node, choices)
                continue
            shape = _kept(shape, node) if node.schema.get("$denied") is None else _without(shape, node)
            for choice in self._choices(node):
                if len(choice) == 1:
                    waiting += reversed(choice[0])
                else:
                    choices.append(choice)
            shape, targets = self._followed(shape, node)
            waiting += targets
        return shape, choices

    def _deny(self, node: Node, choices: list[list[Option]]) -> None:
        targets = [Node(*found, denied=True) for found in self._targets(node)]
        options = [*denials(node), *((target,) for target in targets)]
        if not options:
            raise SchemaProblem(node.place, "nothing is left that it does not forbid")
        choices.append(options)

    def _targets(self, node: Node) -> Iterator[tuple[Place, Any]]:
        for keyword in REFERENCES:
            if isinstance(node.schema.get(keyword), str):
                yield self._references.resolve(node.place, node.schema[keyword])

    def _followed(self, shape: Shape, node: Node) -> tuple[Shape, list[Node]]:
        found = (Node(*target) for target in self._targets(node))
        targets = [target for target in found if target.place not in shape.opened]
        for target in targets:
            if self._entered.get(target.place, 0) >= DEEPEST_RECURSION:
                raise SchemaProblem((*node.place, "$ref"), "the recursion does not end")
            shape = replace(shape, opened=(*shape.opened, target.place))
        return shape, targets

    def _choices(self, node: Node) -> Iterator[list[Option]]:
        """Yield what is to be settled: each time a list of options, of which one must hold."""
        schema = node.schema
        if "allOf" in schema:
            yield [tuple(node.child("allOf", index) for index in range(len(schema["allOf"])))]
        for keyword in ("anyOf", "oneOf"):
            if keyword in schema:
                yield self._branches(node, keyword)
        if "not" in schema:
            yield [(replace(node.child("not"), denied=True),)]
        if "if" in schema and ("then" in schema or "else" in schema):
            yield _conditions(node)
        yield from _dependencies(node)

    def _branches(self, node: Node, keyword: str) -> list[Option]:
        branches = [node.child(keyword, index) for index in range(len(node.schema[keyword]))]
        branches.sort(key=partial(_is_null))
        options: list[Option] = [(branch,) for branch in branches]
        if keyword == "oneOf" and 1 < len(branches) <= 12:  # noqa: PLR2004  # more would square the work
            options += [(one, *(replace(other, denied=True) for other in branches if other != one)) for one in branches]
        return options or [(node.made({"enum": []}),)]


def _is_null(node: Node) -> bool:
    return isinstance(node.schema, dict) and node.kinds() == {"null"}


def _kept(shape: Shape, node: Node) -> Shape:
    shape = shape.with_node(node)
    if not shape.kinds:
        culprit = next((keyword for keyword in ("type", "const", "enum") if keyword in node.schema), "type")
        raise SchemaProblem((*node.place, culprit), "no type is left that every part of the schema allows")
    return shape


def _without(shape: Shape, node: Node) -> Shape:
    return replace(shape, denied=(*shape.denied, node.made(node.schema["$denied"])))


def _conditions(node: Node) -> list[Option]:
    condition = node.child("if")
    met = (condition, *(node.child("then") for _ in "1" if "then" in node.schema))
    unmet = (replace(condition, denied=True), *(node.child("else") for _ in "1" if "else" in node.schema))
    return [met, unmet]


def _dependencies(node: Node) -> Iterator[list[Option]]:
    for keyword in ("dependentSchemas", "dependencies"):
        for name, schema in node.schema.get(keyword, {}).items():
            if not isinstance(schema, list):
                present = (node.child(keyword, name), node.made({"required": [name]}))
                absent = (node.made({"properties": {name: False}}),)
                expected = name in node.schema.get("properties", {}) or name in node.schema.get("required", [])
                yield [present, absent] if expected else [absent, present]


def _of_one_kind(shape: Shape) -> Iterator[Shape]:
    """Yield the shape once for each kind of value that it leaves, the wanted ones first."""
    if shape.allowed() is not None:
        yield shape.of_kind("listed")
        return
    done = set[str]()
    for name in _wanted(shape):
        kinds = KINDS_OF_TYPE[name] & shape.kinds
        if kinds - done:
            done.update(kinds)
            yield shape.of_kind("number" if "fraction" in kinds else min(kinds))


def _wanted(shape: Shape) -> list[str]:
    """Return the types in the order in which to try them: as declared, else by the keywords; null last."""
    declared = [name for _, types in shape.having("type") for name in (types if isinstance(types, list) else [types])]
    used = {keyword for node in shape.nodes for keyword in node.schema}
    hinted = [name for name, keywords in HINTS.items() if not used.isdisjoint(keywords)]
    rest = ["string", "number", *KINDS] if not declared else []
    return sorted((name for name in [*declared, *hinted, *rest] if name in KINDS_OF_TYPE), key="null".__eq__)
