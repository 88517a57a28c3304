"""Whether a JSON Schema can be used, and what is wrong with a value by it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from vlmrun_mock.lazy import lazy
from vlmrun_mock.schema.references import (
    REFERENCES,
    SAME_VALUE,
    Place,
    References,
    SchemaProblem,
    children,
    draft,
    subtree,
)

if TYPE_CHECKING:
    import jsonschema_rs
else:
    jsonschema_rs = lazy("jsonschema_rs")

DEEPEST = 100  # levels of nesting; a validator written in C recurses on each
MOST_NODES = 50_000  # JSON values in a schema, data such as enum included
LARGEST_NUMBER = 1e300  # beyond it a double overflows in arithmetic
LONGEST_PATTERN = 5_000  # characters
LONGEST_CHAIN = 100  # subschemas that apply to one value, each from the one before
MOST_VISITS = 4_000_000  # subschemas applied to parts of one value: about a tenth of a second
MOST_VIOLATIONS = 100
ENDLESS = "its references multiply: checking a value against it would not end soon"
UNCHECKABLE = (ValueError, TypeError, RecursionError)  # what is no JSON, or nested too deeply
SMALLEST_ANSWER = {"minLength": 500_000, "minItems": 5_000, "minContains": 5_000, "minProperties": 5_000}  # of 1 MB


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that is wrong with a value: `place` is its path in the value."""

    place: Place
    message: str


def check(schema: object) -> None:
    """Raise SchemaProblem unless `schema` is an object that is a JSON Schema and can be used offline.

    Drafts 4 to 2020-12 are told apart by `$schema`; an unknown one counts as 2020-12. Nothing is fetched.
    """
    load(schema)


def violations(schema: Mapping[str, Any], value: object) -> list[Violation]:
    """Return what is wrong with `value`, formats included; an empty list means that it is valid.

    Raises SchemaProblem if the schema is unusable, or so tangled that checking this value would not end soon.
    """
    return load(schema).violations(value)


class LoadedSchema:
    """A schema that has been checked: its references, and its validator."""

    def __init__(self, root: dict[str, Any]) -> None:
        self.root = root
        self.references = References(root)
        self.uses_references = _check_chains(self.references)
        self._validator = validator(root)

    def violations(self, value: object) -> list[Violation]:
        """Return what is wrong with `value`; see the function of the same name."""
        try:
            if self.uses_references and _visits(self.references, value) > MOST_VISITS:
                raise SchemaProblem((), ENDLESS)
            errors = list(islice(self._validator.iter_errors(value), MOST_VIOLATIONS))
        except SchemaProblem:
            raise
        except UNCHECKABLE as error:
            return [_uncheckable(error)]
        return [Violation(tuple(error.instance_path), error.message[:300]) for error in errors]

    def inspected(self, value: object, *, selected: bool = False) -> list[Violation]:
        """Return all that is wrong with `value`, as `inspector` has it; raises SchemaProblem as `violations` does."""
        try:
            if self.uses_references and _visits(self.references, value) > MOST_VISITS:
                raise SchemaProblem((), ENDLESS)
        except RecursionError as error:
            return [_uncheckable(error)]
        return _inspected(self._validator, value, selected=selected)


def load(schema: object) -> LoadedSchema:
    """Return the checked schema, from a bounded cache if it was met before; raises SchemaProblem."""
    if not isinstance(schema, Mapping):
        raise SchemaProblem((), "a schema must be an object")
    _check_json(schema)
    return _load(json.dumps(schema, sort_keys=False, ensure_ascii=False, separators=(",", ":")))


@lru_cache(maxsize=128)
def _load(text: str) -> LoadedSchema:
    return LoadedSchema(json.loads(text))


def validator(root: dict[str, Any]) -> jsonschema_rs.Validator:
    """Return a validator that checks formats and fetches nothing; raises SchemaProblem for an invalid schema."""
    classes: dict[str, Callable[..., jsonschema_rs.Validator]] = {
        "04": jsonschema_rs.Draft4Validator,
        "06": jsonschema_rs.Draft6Validator,
        "07": jsonschema_rs.Draft7Validator,
        "2019-09": jsonschema_rs.Draft201909Validator,
        "2020-12": jsonschema_rs.Draft202012Validator,
    }
    known = {keyword: value for keyword, value in root.items() if keyword != "$schema"}
    try:
        return classes[draft(root)](known, validate_formats=True, retriever=_refuse)
    except jsonschema_rs.ValidationError as error:
        raise SchemaProblem(tuple(error.instance_path), error.message[:300]) from error
    except ValueError as error:
        raise SchemaProblem((), str(error)[:300]) from error


def explainer(root: dict[str, Any]) -> Callable[[object], Violation | None]:
    """Return a function that says what is wrong with a value, or None, by a schema that is known to be harmless.

    Not guarded as `violations` is, hence hundreds of times as fast. It names the deepest place that it can.
    """
    compiled = validator(root)

    def explain(value: object) -> Violation | None:
        if compiled.is_valid(value):
            return None
        error = _deepest(next(compiled.iter_errors(value)))
        return Violation(tuple(error.instance_path), _reason(error)[:300])

    return explain


def _deepest(error: jsonschema_rs.ValidationError) -> jsonschema_rs.ValidationError:
    """Follow an error of a union, such as "an address or null", to where the branch failed that fitted best."""
    branches = getattr(error.kind, "context", ())
    below = [_deepest(each) for branch in branches for each in branch]
    return max((error, *below), key=lambda each: len(each.instance_path))


def _reason(error: jsonschema_rs.ValidationError) -> str:
    """Return the message of an error; that of a union is what its branches say, but for the one that wants null."""
    branches = _branches(error)
    reasons = [_reason(each) for branch in branches for each in branch[:1]]
    useful = [reason for reason in reasons if not reason.endswith('is not of type "null"')]
    return ", or ".join(dict.fromkeys(useful)) or error.message


def inspector(root: dict[str, Any]) -> Callable[..., list[Violation]]:
    """Return a function that says all that is wrong with a value, by a schema that is known to be harmless.

    Not guarded as `violations` is. A place has one violation, whose message is whole, however long; what is required
    and not there is wrong at its own place. Of a union that branch is followed which fits best. Of what is `selected`
    from a value, nothing is required.
    """
    compiled = validator(root)
    return lambda value, *, selected=False: _inspected(compiled, value, selected=selected)


def _inspected(compiled: jsonschema_rs.Validator, value: object, *, selected: bool) -> list[Violation]:
    try:
        if compiled.is_valid(value):
            return []
        faults = [fault for error in compiled.iter_errors(value) for fault in _faults(error, selected=selected)]
    except UNCHECKABLE as error:
        return [_uncheckable(error)]
    messages: dict[Place, list[str]] = {}
    for fault in faults:
        messages.setdefault(fault.place, []).append(fault.message)
    return [Violation(place, "; ".join(dict.fromkeys(found))) for place, found in messages.items()]


def _uncheckable(error: Exception) -> Violation:
    return Violation((), f"is no JSON value that can be checked: {error}"[:300])


def _faults(error: jsonschema_rs.ValidationError, *, selected: bool) -> list[Violation]:
    """Return what an error says, place by place."""
    kinds, place = jsonschema_rs.ValidationErrorKind, tuple(error.instance_path)
    if isinstance(error.kind, kinds.Required):
        return [] if selected else [Violation((*place, error.kind.property), "this field is required")]
    if isinstance(error.kind, (kinds.AdditionalProperties, kinds.UnevaluatedProperties)):
        return [Violation((*place, name), "no such field is allowed") for name in error.kind.unexpected]
    return _faults_of_union(error, place, selected=selected)


def _faults_of_union(error: jsonschema_rs.ValidationError, place: Place, *, selected: bool) -> list[Violation]:
    """Return what is wrong by the branch that fits best; where none does, or it is no union, what the error says."""
    branches = [branch for branch in _branches(error) if not _is_of_another_type(branch, place)]
    faults = [[fault for each in branch for fault in _faults(each, selected=selected)] for branch in branches]
    if [] in faults:  # nothing that is selected is wrong
        return []
    fits = [(max(map(_depth, branch)), -len(branch)) for branch in branches]
    best = max(fits, default=None)
    return faults[fits.index(best)] if best and fits.count(best) == 1 else [Violation(place, _reason(error))]


def _branches(error: jsonschema_rs.ValidationError) -> Sequence[Sequence[jsonschema_rs.ValidationError]]:
    """Return what is wrong by each branch of a union; none if more of them hold than should."""
    branches: Sequence[Sequence[jsonschema_rs.ValidationError]] = getattr(error.kind, "context", ())
    return branches if all(branches) else ()


def _is_of_another_type(branch: Sequence[jsonschema_rs.ValidationError], place: Place) -> bool:
    """Return whether a branch of a union is not even for values of this type."""
    return any(hasattr(each.kind, "types") and tuple(each.instance_path) == place for each in branch)


def _depth(error: jsonschema_rs.ValidationError) -> int:
    """Return how deep in the value an error is: the deeper it first goes wrong, the better a schema fits."""
    return len(_deepest(error).instance_path)


def _refuse(uri: str) -> Any:
    raise ValueError(f"{uri!r:.200} is not fetched")


def _check_json(schema: object) -> None:
    """Raise unless the schema is plain, finite JSON of a sane size; nothing here recurses."""
    waiting: list[tuple[Place, object]] = [((), schema)]
    met = 0
    while waiting:
        place, value = waiting.pop()
        met += 1
        if met > MOST_NODES or len(waiting) > MOST_NODES:
            raise SchemaProblem((), f"it has more than {MOST_NODES:,} parts")
        if len(place) > DEEPEST:
            raise SchemaProblem(place[:5], f"it is nested more than {DEEPEST} levels deep")
        _check_scalar(place, value)
        if isinstance(value, Mapping):
            for key in value:
                _check_text(place, key)
            waiting += [((*place, key), child) for key, child in value.items()]
        elif isinstance(value, list | tuple):
            waiting += [((*place, index), child) for index, child in enumerate(value)]


def _check_scalar(place: Place, value: object) -> None:
    if isinstance(value, str):
        _check_text(place, value)
    elif isinstance(value, int | float):
        _check_number(place, value)
    elif value is not None and not isinstance(value, Mapping | list | tuple):
        raise SchemaProblem(place, f"a {type(value).__name__} is not a JSON value")


def _check_text(place: Place, text: object) -> None:
    if not isinstance(text, str):
        raise SchemaProblem(place, "a key of a JSON object is text")
    if any("\ud800" <= character <= "\udfff" for character in text) if not text.isascii() else False:
        raise SchemaProblem(place, "it holds half of a surrogate pair, which no JSON text can carry")
    if place and place[-1] == "pattern" and len(text) > LONGEST_PATTERN:
        raise SchemaProblem(place, f"a pattern of more than {LONGEST_PATTERN:,} characters")


def _check_number(place: Place, number: float) -> None:
    if (isinstance(number, float) and not math.isfinite(number)) or abs(number) > LARGEST_NUMBER:
        raise SchemaProblem(place, "a number must be finite and below 1e300")


def _check_chains(references: References) -> bool:
    """Visit each subschema, those behind references too; return whether there are references at all.

    Raises when a reference leads nowhere, when a chain of references ends in itself without going into the
    value, and when an answer could not be smaller than about 1 MB.
    """
    waiting, targets, checked = list(subtree((), references.root)), set[Place](), set[Place]()
    uses_references = False
    while waiting:
        place, schema = waiting.pop()
        if not isinstance(schema, dict):
            continue
        _check_sizes(place, schema)
        for keyword in REFERENCES:
            if isinstance(schema.get(keyword), str):
                uses_references = True
                target, found = references.resolve(place, schema[keyword])
                waiting += subtree(target, found) if target not in targets else ()
                targets.add(target)
        _check_chain(references, place, schema, (), checked)
    return uses_references


def _check_chain(refs: References, place: Place, schema: Any, chain: tuple[Place, ...], checked: set[Place]) -> None:
    if place in checked:
        return
    if place in chain or len(chain) > LONGEST_CHAIN:
        raise SchemaProblem(place, "it refers to itself, or on and on, without going into the value")
    for target, found in refs.same_value(place, schema):
        _check_chain(refs, target, found, (*chain, place), checked)
    checked.add(place)


def _check_sizes(place: Place, schema: Mapping[str, Any]) -> None:
    for keyword, most in SMALLEST_ANSWER.items():
        if isinstance(schema.get(keyword), int | float) and schema[keyword] > most:
            raise SchemaProblem((*place, keyword), f"{keyword} above {most:,} asks for too large an answer")


def _visits(references: References, value: object) -> int:
    """Return how many times a validator that remembers nothing applies a subschema to a part of `value`."""
    return _visits_below(references, (), references.root, value, {})


def _visits_below(refs: References, place: Place, schema: Any, value: Any, known: dict[Any, int]) -> int:
    key = (place, id(value) if isinstance(value, dict | list) else None)
    if key not in known:
        below = partial(_visits_below, refs, known=known)
        count = 1 + sum(below(*target, value) for target in refs.same_value(place, schema))
        known[key] = count + sum(below((*place, *at), child, part) for at, child, part in _parts(schema, value))
    return known[key]


def _parts(schema: Any, value: Any) -> Iterator[tuple[Place, Any, Any]]:
    """Yield each subschema that may apply to a direct part of `value`, with the part."""
    items = (
        list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    )
    for at, child in children(schema) if items else ():
        if at[0] in SAME_VALUE or at[0] in ("$defs", "definitions", "propertyNames"):
            continue
        only = at[1] if at[0] in ("properties", "prefixItems") else None
        yield from ((at, child, part) for key, part in items if only is None or key == only)
