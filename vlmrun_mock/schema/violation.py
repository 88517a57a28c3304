"""Violations of a schema, made from the errors of jsonschema-rs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from vlmrun_mock.lazy import lazy
from vlmrun_mock.schema.references import Place

if TYPE_CHECKING:
    import jsonschema_rs
    from jsonschema_rs import ValidationError
else:
    jsonschema_rs = lazy("jsonschema_rs")

LONGEST_MESSAGE = 300  # characters


class Violation(msgspec.Struct, frozen=True):
    """An error in a value: `place` is its path in the value."""

    place: Place
    message: str


def of_error(error: ValidationError) -> Violation:
    """Return the validator's error, with at most LONGEST_MESSAGE characters."""
    return Violation(tuple(error.instance_path), error.message[:LONGEST_MESSAGE])


def of_deepest(error: ValidationError) -> Violation:
    """Return the violation at the deepest place of an error, with at most LONGEST_MESSAGE characters."""
    deepest = _deepest(error)
    return Violation(tuple(deepest.instance_path), _reason(deepest)[:LONGEST_MESSAGE])


def by_field(errors: Iterable[ValidationError], *, selected: bool) -> list[Violation]:
    """Return one violation for each field, with all reasons in full.

    The place of a missing field is its own; in a `selected` value no field is required. Of a union, only the branch
    that fits best counts.
    """
    messages: dict[Place, list[str]] = {}
    for error in errors:
        for found in _field_violations(error, selected=selected):
            messages.setdefault(found.place, []).append(found.message)
    return [Violation(place, "; ".join(dict.fromkeys(reasons))) for place, reasons in messages.items()]


def _field_violations(error: ValidationError, *, selected: bool) -> Iterator[Violation]:
    kinds, place = jsonschema_rs.ValidationErrorKind, tuple(error.instance_path)
    if isinstance(error.kind, kinds.Required):
        if not selected:
            yield Violation((*place, error.kind.property), "this field is required")
    elif isinstance(error.kind, (kinds.AdditionalProperties, kinds.UnevaluatedProperties)):
        yield from (Violation((*place, name), "no such field is allowed") for name in error.kind.unexpected)
    else:
        yield from _best_branch_violations(error, place, selected=selected)


def _best_branch_violations(error: ValidationError, place: Place, *, selected: bool) -> list[Violation]:
    """Return the violations of the best branch of a union, or that of the whole error if no branch is best."""
    branches = [branch for branch in _branches(error) if not _is_of_another_type(branch, place)]
    violations = [
        [found for each in branch for found in _field_violations(each, selected=selected)] for branch in branches
    ]
    if [] in violations:  # a branch only lacks fields, and none is required here
        return []
    fits = [(max(len(_deepest(each).instance_path) for each in branch), -len(branch)) for branch in branches]
    best = max(fits, default=None)
    return violations[fits.index(best)] if best and fits.count(best) == 1 else [Violation(place, _reason(error))]


def _is_of_another_type(branch: Sequence[ValidationError], place: Place) -> bool:
    return any(hasattr(each.kind, "types") and tuple(each.instance_path) == place for each in branch)


def _deepest(error: ValidationError) -> ValidationError:
    """Return the error at the deepest place of the value; the deeper that of a branch, the better the branch fits."""
    below = [_deepest(each) for branch in _context(error) for each in branch]
    return max((error, *below), key=lambda each: len(each.instance_path))


def _reason(error: ValidationError) -> str:
    """Return an error's message; for a union, those of its branches, except that the value is not null."""
    reasons = [_reason(branch[0]) for branch in _branches(error)]
    useful = [reason for reason in reasons if not reason.endswith('is not of type "null"')]
    return ", or ".join(dict.fromkeys(useful)) or error.message


def _branches(error: ValidationError) -> Sequence[Sequence[ValidationError]]:
    """Return the errors of each branch of a union, or none if a branch holds, for then several hold."""
    return _context(error) if all(_context(error)) else ()


def _context(error: ValidationError) -> Sequence[Sequence[ValidationError]]:
    context: Sequence[Sequence[ValidationError]] = getattr(error.kind, "context", ())
    return context
