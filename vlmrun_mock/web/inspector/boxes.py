"""The boxes and the confidence of an answer's fields, by their places in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vlmrun_mock.fixtures.fixture import Fixture
from vlmrun_mock.json_text import pointed
from vlmrun_mock.schema.grounding import SUFFIX

SIDES = 4


def boxes(content: Any) -> list[dict[str, Any]]:
    """Return each grounded field: its place as a JSON Pointer, its confidence, and its boxes in fractions of a page."""
    return list(_boxes(content, ""))


def known(fixture: Fixture) -> list[dict[str, Any]]:
    """Return the boxes that a fixture itself knows, for an answer that was asked for without them."""
    found = next((answer.boxes for answer in fixture.answers if answer.boxes), {})
    return [
        {
            "pointer": "".join(f"/{pointed(step)}" for step in place),
            "confidence": None,
            "boxes": [box for each in values if (box := _box(each))],
        }
        for place, values in found.items()
    ]


def _boxes(value: Any, place: str) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _boxes(item, f"{place}/{index}")
    if not isinstance(value, dict):
        return
    for name, inner in value.items():
        at = f"{place}/{pointed(name)}"
        beside = value.get(name + SUFFIX)
        if isinstance(beside, Mapping):
            yield {
                "pointer": at,
                "confidence": beside.get("confidence") if isinstance(beside.get("confidence"), str) else None,
                "boxes": [box for each in _listed(beside.get("bboxes")) if (box := _box(each))],
            }
        if not name.endswith(SUFFIX):
            yield from _boxes(inner, at)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _box(given: Any) -> dict[str, Any] | None:
    """Return a box as the page draws it, or None for what is none."""
    sides = given.get("xywh") if isinstance(given, Mapping) else None
    if not isinstance(sides, list) or len(sides) != SIDES:
        return None
    if not all(isinstance(side, (int, float)) and 0 <= side <= 1 for side in sides):
        return None
    page = given.get("page")
    return {"page": page if isinstance(page, int) else 0, "xywh": sides}
