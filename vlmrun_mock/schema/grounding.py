"""Grounding: the place on the page and the confidence of each value of an answer."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain
from math import ceil
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

if TYPE_CHECKING:
    from vlmrun_mock.seed import Seed

SUFFIX = "_metadata"
HIGH, MEDIUM = 230, 250  # of 256, exclusive: nine values in ten are `hi`, one in forty is `low`

UNIT = 10_000  # boxes are laid out in ten-thousandths of the page's width and height
MARGIN = 800
PRINTED = UNIT - 2 * MARGIN
GUTTER = 200  # between columns
INDENT = 128  # at most; a power of two, to take a byte's remainder
CHARACTER_WIDTH = 95
TALLEST_ROW = 350
TEXTS_IN_COLUMN = 48  # more texts than this make another column
MOST_COLUMNS = 12
MOST_ROWS = 6  # of one text

Box: TypeAlias = Mapping[str, Any]
"""Where a text stands, in the form of an answer: `xywh` and `page`."""

Boxes: TypeAlias = Mapping[tuple[str, ...], Sequence[Box]]
"""The boxes of scalars, by the names and numbers that lead to each."""

NOWHERE: Boxes = {}


def ground(
    content: object,
    *,
    boxes: bool,
    seed: Seed,
    facts: Sequence[str],
    doubtful: Collection[tuple[str, ...]] = (),
    known: Boxes = NOWHERE,
    page: int = 0,
) -> object:
    """Return a copy of `content` with a sibling `X_metadata` for each leaf field X, after the object's own keys.

    `confidence` is `hi`, `med` or `low`, drawn from the seed, the facts and the field's place, and `low` at the
    `doubtful` places. With `boxes` there are
    `bboxes` too: `xywh` in fractions of the page (x and y of the top left corner, width, height), on one `page`. A null
    field has null. [doc] A list of scalars is one leaf with a box for each item that is not null; in other lists the
    objects are grounded; an empty object or list has no metadata. A field that is metadata by its name, or has some
    already, stays unchanged. A leaf of which boxes are `known` has those, and the others are where they would be
    without them. [ours]
    """
    printed = _Page(seed, facts, doubtful, known)
    grounded = printed.grounded(content, ())
    if boxes:
        printed.add_boxes(page)
    return grounded


def ungrounded(content: object) -> object:
    """Return a copy of `content` without the siblings that `ground` adds."""
    if isinstance(content, list):
        return [ungrounded(item) for item in content]
    if not isinstance(content, Mapping):
        return content
    siblings = {name + SUFFIX for name in content}
    return {name: ungrounded(inner) for name, inner in content.items() if name not in siblings}


class _Leaf(msgspec.Struct, frozen=True):
    """A leaf field with a value: its metadata, the lengths of its texts in characters, and 32 random bytes.

    `known` are its boxes; None if they are to be drawn.
    """

    metadata: dict[str, Any]
    lengths: Sequence[int]
    drawn: bytes
    known: Sequence[Box] | None = None


class _Page(msgspec.Struct, frozen=True):
    """The leaf fields of a page, in reading order."""

    seed: Seed
    facts: Sequence[str]
    doubtful: Collection[tuple[str, ...]]
    known: Boxes
    leaves: list[_Leaf] = []

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
                fields[name + SUFFIX] = self._metadata(inner, scalars, (*place, name)) if scalars else None
        return fields

    def _metadata(self, value: object, scalars: Sequence[object], place: tuple[str, ...]) -> dict[str, Any]:
        """Return the metadata of a leaf with some scalars, to which `add_boxes` can add boxes."""
        drawn = self.seed.digest(*self.facts, "grounding", *place)
        confidence = "hi" if drawn[0] < HIGH else "med" if drawn[0] < MEDIUM else "low"
        if any(each[: len(place)] == place for each in self.doubtful):
            confidence = "low"
        lengths = [len(scalar if isinstance(scalar, str) else json.dumps(scalar)) for scalar in scalars]
        leaf = _Leaf({"confidence": confidence}, lengths, drawn, self._known(value, place) if self.known else None)
        self.leaves.append(leaf)
        return leaf.metadata

    def _known(self, value: object, place: tuple[str, ...]) -> list[Box] | None:
        """Return the boxes that are known of a leaf's scalars; None if there are none."""
        found = [self.known[each] for each in _places(value, place) if each in self.known]
        return list(chain.from_iterable(found)) if found else None

    def add_boxes(self, number: int) -> None:
        """Add the boxes to the metadata of each leaf, on the page of a number unless they are known."""
        boxes = iter(layout([length for leaf in self.leaves for length in leaf.lengths]))
        for leaf in self.leaves:
            indent = leaf.drawn[1] % INDENT
            drawn = [
                {"xywh": [side / UNIT for side in (x + indent, y, w, h)], "page": number}
                for _, (x, y, w, h) in zip(leaf.lengths, boxes, strict=False)
            ]
            leaf.metadata["bboxes"] = drawn if leaf.known is None else list(leaf.known)


def layout(lengths: Sequence[int]) -> list[tuple[int, int, int, int]]:
    """Return the box (x, y, width, height, in UNITs) of each text, by its length in characters, in reading order.

    Texts fill columns from top to bottom, and leave room for an INDENT. Boxes do not overlap while a row is at least a
    UNIT high, which holds for tens of thousands of texts.
    """
    columns = min(MOST_COLUMNS, ceil(len(lengths) / TEXTS_IN_COLUMN)) or 1
    width = PRINTED // columns - GUTTER - INDENT
    heights = [min(MOST_ROWS, ceil(length * CHARACTER_WIDTH / width)) or 1 for length in lengths]
    rows = ceil(sum(heights) / columns) + (MOST_ROWS - 1 if columns > 1 else 0)  # a text does not cross columns
    printed = min(PRINTED, TALLEST_ROW * rows)
    boxes = []
    column = row = 0
    for length, height in zip(lengths, heights, strict=True):
        if row + height > rows:
            column, row = column + 1, 0
        top, bottom = row * printed // rows, (row + height) * printed // rows
        x = MARGIN + column * (PRINTED // columns)
        boxes.append((x, MARGIN + top, min(width, max(length, 1) * CHARACTER_WIDTH), (bottom - top) * 7 // 10 or 1))
        row += height
    return boxes


def _scalars(value: object) -> list[object] | None:
    """Return the scalars of a leaf except nulls, or None for an object and for a list that contains one."""
    if isinstance(value, Mapping):
        return None
    if not isinstance(value, list):
        return [] if value is None else [value]
    parts = [_scalars(item) for item in value]
    return None if None in parts else list(chain.from_iterable(part for part in parts if part))


def _places(value: object, place: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield the places of a leaf's scalars except nulls."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _places(item, (*place, str(index)))
    elif value is not None:
        yield place
