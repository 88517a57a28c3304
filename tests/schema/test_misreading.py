"""What was spoilt is told where it is now, whatever became of the rows around it."""

from __future__ import annotations

from typing import Any

import pytest

from vlmrun_mock.schema.grounding import Boxes
from vlmrun_mock.schema.misreading import misread, moved
from vlmrun_mock.seed import Seed

ROWS: dict[str, Any] = {"rows": [{"name": f"Row {number:03} of all", "parts": ["one", "two"]} for number in range(6)]}


def _at(content: Any, place: tuple[Any, ...]) -> Any:
    for key in place:
        content = content[key]
    return content


@pytest.mark.parametrize("seed", range(12))
def test_a_note_names_the_place_where_a_value_is_after_rows_were_lost_or_swapped(seed: int) -> None:
    read, notes = misread(ROWS, 0.6, schema=None, seed=Seed(seed), facts=())

    values = [note for note in notes if not isinstance(_at(read, note.place), list)]
    assert values
    assert [note for note in values if _at(read, note.place) != note.read] == []
    assert [note.place for note in values if _at(read, note.place) == note.truth] == []


def test_every_value_that_is_not_as_it_was_has_a_note() -> None:
    read, notes = misread(ROWS, 0.4, schema=None, seed=Seed(3), facts=())

    noted = {note.place for note in notes}
    names = {row["name"] for row in ROWS["rows"]}
    spoilt = {("rows", index, "name") for index, row in enumerate(read["rows"]) if row["name"] not in names}
    assert any(len(note.place) == 1 for note in notes)
    assert spoilt
    assert spoilt <= noted


def test_a_box_stays_with_its_value_where_rows_within_rows_are_lost_and_swapped() -> None:
    names = {(row, cell): f"{row}-{cell}" for row in range(4) for cell in range(3)}
    content = {"rows": [{"cells": [{"v": names[row, cell]} for cell in range(3)]} for row in range(4)]}
    boxes: Boxes = {
        ("rows", str(row), "cells", str(cell), "v"): [{"page": 0, "xywh": [row / 10, cell / 10, 0.1, 0.1]}]
        for row, cell in names
    }
    truth = {name: boxes["rows", str(row), "cells", str(cell), "v"] for (row, cell), name in names.items()}
    lost_or_swapped = 0

    for number in range(100):
        read, spoilt = misread(content, 0.5, schema=None, seed=Seed(number), facts=())
        places = moved(boxes, spoilt)

        lost_or_swapped += sum(bool(each.order) and len(each.place) == 3 for each in spoilt)
        for row, line in enumerate(read["rows"]):
            for cell, value in enumerate(line["cells"]):
                if value["v"] in truth:
                    assert places["rows", str(row), "cells", str(cell), "v"] == truth[value["v"]]
    assert lost_or_swapped > 20
