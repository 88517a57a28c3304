"""Grounding: where on the page each value of an answer was found, and how sure that is."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from math import ceil
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vlmrun_mock.seed import Seed

SUFFIX = "_metadata"
SURE, FAIR = 230, 250  # of 256: nine values in ten are `hi`, one in forty is `low`

UNIT = 10_000  # boxes are laid out in ten-thousandths of the page's width and height
MARGIN = 800
PRINTED = UNIT - 2 * MARGIN
GUTTER = 200  # between columns
INDENT = 128  # at most; a power of two, to take a byte's remainder
CHARACTER = 95  # the width of one
TALLEST_ROW = 350
TEXTS_IN_COLUMN = 48  # more texts than this make another column
MOST_COLUMNS = 12
MOST_ROWS = 6  # of one text


def ground(content: object, *, boxes: bool, seed: Seed, facts: Sequence[str]) -> object:
    """Return `content` with a sibling `X_metadata` for each leaf field X, after the object's own keys.

    `confidence` is `hi`, `med` or `low`, drawn from the seed, the facts and the field's place. With `boxes` there are
    `bboxes` too: `xywh` in fractions of the page (x and y of the top left corner, width, height), on page 0. A null
    field has null. [doc] A list of scalars is one leaf with a box for each item that is not null; in other lists the
    objects are grounded; an empty object or list has no metadata. A field that has metadata already, or
    whose name says that it is metadata, stays as it is. [ours]
    """
    page = _Page(seed, facts)
    grounded = page.grounded(content, ())
    if boxes:
        page.add_boxes()
    return grounded


def ungrounded(content: object) -> object:
    """Return `content` without the siblings that grounding gives to fields."""
    if isinstance(content, list):
        return [ungrounded(item) for item in content]
    if not isinstance(content, Mapping):
        return content
    given = {name + SUFFIX for name in content}
    return {name: ungrounded(inner) for name, inner in content.items() if name not in given}


@dataclass(frozen=True, slots=True)
class _Leaf:
    """A leaf field with a value: its metadata, the lengths of its texts in characters, 32 bytes drawn for it."""

    metadata: dict[str, Any]
    lengths: Sequence[int]
    drawn: bytes


@dataclass(frozen=True, slots=True)
class _Page:
    """The leaf fields of a page, in reading order."""

    seed: Seed
    facts: Sequence[str]
    leaves: list[_Leaf] = field(default_factory=list)

    def grounded(self, value: object, place: tuple[str, ...]) -> object:
        if isinstance(value, list):
            return [self.grounded(item, (*place, str(index))) for index, item in enumerate(value)]
        if not isinstance(value, Mapping):
            return value
        fields = dict(value)
        for name, inner in value.items():
            if name.endswith(SUFFIX) or name + SUFFIX in value:
                continue
            scalars = _scalars(inner)
            if scalars is None or inner == []:
                fields[name] = self.grounded(inner, (*place, name))
            else:
                fields[name + SUFFIX] = self._metadata(scalars, (*place, name)) if scalars else None
        return fields

    def _metadata(self, scalars: Sequence[object], place: tuple[str, ...]) -> dict[str, Any]:
        drawn = self.seed.digest(*self.facts, "grounding", *place)
        confidence = "hi" if drawn[0] < SURE else "med" if drawn[0] < FAIR else "low"
        leaf = _Leaf({"confidence": confidence}, [_length(scalar) for scalar in scalars], drawn)
        self.leaves.append(leaf)
        return leaf.metadata

    def add_boxes(self) -> None:
        """Add the boxes to the metadata of each leaf."""
        boxes = iter(layout([length for leaf in self.leaves for length in leaf.lengths]))
        for leaf in self.leaves:
            indent = leaf.drawn[1] % INDENT
            leaf.metadata["bboxes"] = [
                {"xywh": [side / UNIT for side in (x + indent, y, w, h)], "page": 0}
                for _, (x, y, w, h) in zip(leaf.lengths, boxes, strict=False)
            ]


def layout(lengths: Sequence[int]) -> list[tuple[int, int, int, int]]:
    """Return a box (x, y, width, height, in UNITs) for each text of a length in characters, in reading order.

    Texts fill columns from top to bottom; each may be indented by up to INDENT. Boxes do not overlap as long as a row
    is a UNIT high, which is for tens of thousands of texts.
    """
    columns = min(MOST_COLUMNS, ceil(len(lengths) / TEXTS_IN_COLUMN)) or 1
    width = PRINTED // columns - GUTTER - INDENT
    heights = [min(MOST_ROWS, ceil(length * CHARACTER / width)) or 1 for length in lengths]
    rows = ceil(sum(heights) / columns) + (MOST_ROWS - 1 if columns > 1 else 0)  # a text does not cross columns
    printed = min(PRINTED, TALLEST_ROW * rows)
    boxes = []
    column = row = 0
    for length, height in zip(lengths, heights, strict=True):
        if row + height > rows:
            column, row = column + 1, 0
        top, bottom = row * printed // rows, (row + height) * printed // rows
        x = MARGIN + column * (PRINTED // columns)
        boxes.append((x, MARGIN + top, min(width, max(length, 1) * CHARACTER), (bottom - top) * 7 // 10 or 1))
        row += height
    return boxes


def _scalars(value: object) -> list[object] | None:
    """Return the scalars of a leaf, without nulls; None for an object and for a list that has one in it."""
    if isinstance(value, Mapping):
        return None
    if not isinstance(value, list):
        return [] if value is None else [value]
    parts = [_scalars(item) for item in value]
    return None if None in parts else list(chain.from_iterable(part for part in parts if part))


def _length(scalar: object) -> int:
    return len(scalar) if isinstance(scalar, str) else len(json.dumps(scalar))
