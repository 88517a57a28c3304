"""The shapes that a value may take: each way to settle anyOf, oneOf, not, if and type, the best first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from msgspec.structs import replace

from vlmrun_mock.schema.generate.budget import CHOICE, OPTION, Budget, Exhausted
from vlmrun_mock.schema.generate.negation import denials
from vlmrun_mock.schema.generate.node import KINDS, KINDS_OF_TYPE, Node, Shape
from vlmrun_mock.schema.references import Place, References, SchemaProblem

Option: TypeAlias = tuple[Node, ...]
Unions: TypeAlias = dict[tuple[int, Place, str], tuple[object, list[Option]]]
"""The branches of unions, by the identity of the schema, which is kept with them, its place, and the keyword."""

BRANCHES_A_STEP = 2  # branches of a union that are listed in about the time of a step
VALUES_A_STEP = 64  # values of an `enum` that are listed in less than that
COMPARED_A_STEP = 12  # values that are looked for in another `enum`
DEEPEST_RECURSION = 2  # times that the target of a reference may contain itself

CHOOSING = frozenset({"allOf", "anyOf", "oneOf", "not", "if", "dependentSchemas", "dependencies"})

ANY_TEXT = {"type", "title", "description", "default", "example", "examples"}
"""Keywords of a property that may be any text."""

HINTS = {
    "object": ("properties", "required", "additionalProperties", "patternProperties", "propertyNames"),
    "array": ("items", "prefixItems", "contains", "minItems", "maxItems", "uniqueItems"),
    "string": ("minLength", "maxLength", "pattern", "format"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
}
HINTS["object"] += ("minProperties", "maxProperties", "dependentRequired", "dependentSchemas", "unevaluatedProperties")


class Alternatives:
    """Finds the shapes in which several subschemas hold; `entered` counts the references that lead to them."""

    def __init__(
        self,
        references: References,
        problems: list[SchemaProblem],
        *,
        siblings: bool,
        entered: Mapping[Place, int],
        budget: Budget,
        unions: Unions,
    ) -> None:
        self._references = references
        self._siblings = siblings  # whether keywords beside a $ref count, as they do since draft 2019-09
        self._entered = entered
        self._budget = budget
        self._problems = problems  # why other shapes are impossible
        self._unions = unions

    def shapes(self, nodes: Sequence[Node]) -> Iterator[Shape]:
        """Yield the shapes; the reasons for which others are impossible go to `problems`."""
        for shape in self._settled(Shape(), list(nodes), []):
            self._budget.spend(shape.place, _compared(shape))
            for settled in _of_one_kind(shape):
                self._budget.step(shape.place)
                yield settled

    def _settled(self, shape: Shape, nodes: list[Node], choices: list[list[Option]]) -> Iterator[Shape]:
        """Settle the choices, after all that is certain, so that contradictory branches end early."""
        try:
            shape, choices = self._added(shape, nodes, choices)
        except Exhausted:
            raise
        except SchemaProblem as problem:
            # Without its frames, which hold this: that would be garbage in cycles, thousands of objects for one schema.
            self._problems.append(problem.with_traceback(None))
            return
        if not choices:
            yield shape
            return
        for option in choices[0]:
            self._budget.spend(shape.place, OPTION)
            yield from self._settled(shape, list(option), choices[1:])

    def _added(self, shape: Shape, nodes: list[Node], choices: list[list[Option]]) -> tuple[Shape, list[list[Option]]]:
        choices, waiting = list(choices), list(reversed(nodes))
        kept = GrowingShape(shape)
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
            kept.add(node)
            for choice in self._choices(node):
                self._budget.spend(node.place, CHOICE)
                if len(choice) == 1:
                    waiting += reversed(choice[0])
                else:
                    choices.append(choice)
            waiting += self._followed(kept, node)
        return kept.shape(), choices

    def _deny(self, node: Node, choices: list[list[Option]]) -> None:
        targets = self._references.targets(node.place, node.schema)
        options = [*denials(node), *((Node(*target, denied=True),) for target in targets)]
        if not options:
            raise SchemaProblem(node.place, "nothing is left that it does not forbid")
        choices.append(options)

    def _followed(self, kept: GrowingShape, node: Node) -> list[Node]:
        found = (Node(*target) for target in self._references.targets(node.place, node.schema))
        targets = [target for target in found if target.place not in kept.opened]
        for target in targets:
            if self._entered.get(target.place, 0) >= DEEPEST_RECURSION:
                raise SchemaProblem((*node.place, "$ref"), "the recursion does not end")
            kept.opened.append(target.place)
        return targets

    def _choices(self, node: Node) -> Iterator[list[Option]]:
        """Yield the choices: lists of options, one of which must hold."""
        schema = node.schema
        if CHOOSING.isdisjoint(schema):
            return
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
        """Return the branches of a union, listed when it is first met: many values may be of the same one."""
        key = (id(node.schema), node.place, keyword)
        found = self._unions.get(key)
        if found is None:
            found = self._unions[key] = (node.schema, self._listed(node, keyword))
        return found[1]

    def _listed(self, node: Node, keyword: str) -> list[Option]:
        branches = [node.child(keyword, index) for index in range(len(node.schema[keyword]))]
        self._budget.spend(node.place, len(branches) // BRANCHES_A_STEP)
        branches.sort(key=lambda branch: isinstance(branch.schema, dict) and branch.kinds() == {"null"})
        is_told = "discriminator" in node.schema
        options = [self._discriminated(node, branch) if is_told else (branch,) for branch in branches]
        if keyword == "oneOf" and 1 < len(branches) <= 12:  # noqa: PLR2004  # the work grows with the square
            options += [(one, *(replace(other, denied=True) for other in branches if other != one)) for one in branches]
        return options or [(node.made({"enum": []}),)]

    def _discriminated(self, node: Node, branch: Node) -> Option:
        """Return a branch together with the value that OpenAPI's discriminator, if there is one, has for it.

        A branch that states values of its own keeps to them.
        """
        found = node.schema.get("discriminator")
        reference = branch.schema.get("$ref") if isinstance(branch.schema, dict) else None
        name = found.get("propertyName") if isinstance(found, dict) else None
        if not isinstance(found, dict) or not isinstance(name, str) or not isinstance(reference, str):
            return (branch,)
        declared = [Node(*target).schema for target in self._references.targets(branch.place, branch.schema)]
        own = [each["properties"].get(name) for each in declared if isinstance(each, dict) and "properties" in each]
        if not any(isinstance(each, dict) and each.get("type") == "string" and each.keys() <= ANY_TEXT for each in own):
            return (branch,)
        mapping = found.get("mapping")
        mapped = mapping.items() if isinstance(mapping, dict) else ()
        value = next((value for value, target in mapped if target == reference), reference.rpartition("/")[2])
        return (branch, node.made({"properties": {name: {"const": value}}}))


class GrowingShape:
    """A shape that grows."""

    def __init__(self, shape: Shape) -> None:
        self._nodes, self._denied, self.opened = list(shape.nodes), list(shape.denied), list(shape.opened)
        self._kinds = shape.kinds

    def add(self, node: Node) -> None:
        """Let the shape also meet `node`; raises SchemaProblem if no type is left."""
        denied = node.schema.get("$denied")
        if denied is not None:
            self._denied.append(node.made(denied))
            return
        kinds = self._kinds & node.kinds()
        if not kinds:
            culprit = next((keyword for keyword in ("type", "const", "enum") if keyword in node.schema), "type")
            raise SchemaProblem((*node.place, culprit), "no type is left that every part of the schema allows")
        self._nodes.append(node)
        self._kinds = kinds

    def shape(self) -> Shape:
        """Return the shape."""
        return Shape(tuple(self._nodes), tuple(self._denied), tuple(self.opened), self._kinds)


def _conditions(node: Node) -> list[Option]:
    condition = node.child("if")
    met, unmet = ([node.child(word)] if word in node.schema else [] for word in ("then", "else"))
    return [(condition, *met), (replace(condition, denied=True), *unmet)]


def _dependencies(node: Node) -> Iterator[list[Option]]:
    for keyword in ("dependentSchemas", "dependencies"):
        for name, schema in node.schema.get(keyword, {}).items():
            if not isinstance(schema, list):
                present = (node.child(keyword, name), node.made({"required": [name]}))
                absent = (node.made({"properties": {name: False}}),)
                expected = name in node.schema.get("properties", {}) or name in node.schema.get("required", [])
                yield [present, absent] if expected else [absent, present]


def _compared(shape: Shape) -> int:
    """Return the effort of listing the values that an `enum` allows, or that each of several does."""
    counts = [len(values) for _, values in shape.having("enum")]
    return sum(counts) // (VALUES_A_STEP if len(counts) < 2 else COMPARED_A_STEP)  # noqa: PLR2004 - two


def _of_one_kind(shape: Shape) -> Iterator[Shape]:
    """Yield the shape once for each kind of value that it allows, the preferred ones first."""
    values = shape.allowed()
    if values is not None:
        yield shape.of_values(values)
        return
    done = set[str]()
    for name in _wanted(shape):
        kinds = KINDS_OF_TYPE[name] & shape.kinds
        if kinds - done:
            done.update(kinds)
            yield shape.of_kind("number" if "fraction" in kinds else min(kinds))


def _wanted(shape: Shape) -> list[str]:
    """Return the types in the order to try them: those declared, those that the keywords suggest; null last."""
    declared = [name for _, types in shape.having("type") for name in (types if isinstance(types, list) else [types])]
    hinted = [name for name, keywords in HINTS.items() if not shape.keywords.keys().isdisjoint(keywords)]
    rest = ["string", "number", *KINDS] if not declared else []
    return sorted((name for name in [*declared, *hinted, *rest] if name in KINDS_OF_TYPE), key="null".__eq__)
