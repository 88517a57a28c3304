"""Grounding adds, for each value, how sure it is and where on the page it stands."""

from __future__ import annotations

import copy
import json
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlmrun_mock.schema.grounding import INDENT, UNIT, ground, layout, ungrounded
from vlmrun_mock.seed import Seed

FIXTURES = Path(__file__).parent.parent.parent / "fixtures"
DOMAINS = sorted(path.parent.name for path in FIXTURES.glob("*/answer.json"))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=30,
)


def grounded(content: object, *, boxes: bool = True, seed: int = 0, facts: tuple[str, ...] = ("invoice",)) -> Any:
    return ground(content, boxes=boxes, seed=Seed(seed), facts=facts)


def bboxes(value: Any) -> list[list[float]]:
    """Return each `xywh` of an answer, in its order on the page: nested objects come before what follows them."""
    found = []
    if isinstance(value, list):
        found = [xywh for item in value for xywh in bboxes(item)]
    elif isinstance(value, dict):
        for name, inner in value.items():
            metadata = value.get(f"{name}_metadata")
            found += [box["xywh"] for box in metadata["bboxes"]] if metadata else []
            found += [] if name.endswith("_metadata") else bboxes(inner)
    return found


def stripped(value: Any) -> Any:
    if isinstance(value, list):
        return [stripped(item) for item in value]
    if isinstance(value, dict):
        return {name: stripped(inner) for name, inner in value.items() if not name.endswith("_metadata")}
    return value


def is_apart(one: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> bool:
    (x, y, w, h), (x2, y2, w2, h2) = one, other
    return x + w + INDENT <= x2 or x2 + w2 + INDENT <= x or y + h <= y2 or y2 + h2 <= y


def test_a_value_gets_a_sibling_after_the_objects_own_keys() -> None:
    found = grounded({"license_number": "1234567", "holder": {"name": "Ada"}, "state": "MA"})

    assert list(found) == ["license_number", "holder", "state", "license_number_metadata", "state_metadata"]
    assert list(found["holder"]) == ["name", "name_metadata"]
    assert set(found["state_metadata"]) == {"confidence", "bboxes"}
    assert found["state_metadata"]["bboxes"][0].keys() == {"xywh", "page"}
    assert found["state_metadata"]["bboxes"][0]["page"] == 0


def test_confidence_alone_has_no_boxes() -> None:
    found = grounded({"a": 1, "b": None}, boxes=False)

    assert found == {"a": 1, "b": None, "a_metadata": {"confidence": "hi"}, "b_metadata": None}


def test_a_null_field_has_null() -> None:
    found = grounded({"a": None, "b": [None]})

    assert found == {"a": None, "b": [None], "a_metadata": None, "b_metadata": None}


@pytest.mark.parametrize("value", ["", "x", 0, 1.5, False, True])
def test_every_scalar_is_a_value(value: object) -> None:
    found = grounded({"a": value})

    assert len(bboxes(found)) == 1


def test_a_list_of_scalars_has_one_metadata_with_a_box_for_each_item() -> None:
    found = grounded({"tags": ["a", None, "b"], "rows": [[1, 2], [3]]})

    assert len(found["tags_metadata"]["bboxes"]) == 2
    assert len(found["rows_metadata"]["bboxes"]) == 3


def test_objects_in_lists_are_grounded_where_they_stand() -> None:
    found = grounded({"items": [{"n": 1}, {"n": None}, [{"n": 2}], "loose"]})

    assert list(found) == ["items"]
    assert [list(item) for item in found["items"][:2]] == [["n", "n_metadata"], ["n", "n_metadata"]]
    assert "n_metadata" in found["items"][2][0]
    assert found["items"][3] == "loose"


def test_an_empty_object_or_list_has_no_metadata() -> None:
    assert grounded({"a": {}, "b": []}) == {"a": {}, "b": []}


def test_what_is_metadata_already_is_left_alone() -> None:
    content = {"person": "x", "person_metadata": {"bboxes": []}, "dog_metadata": {"bboxes": [{"page": 0}]}}

    assert grounded(content) == content


@pytest.mark.parametrize("content", ["text", 1, None, [], [1, 2]])
def test_an_answer_without_fields_is_returned_as_it_is(content: object) -> None:
    assert grounded(content) == content


def test_what_has_no_field_beside_it_is_no_metadata_to_take_away() -> None:
    content = {"a": [{"b": 1, "b_metadata": None}], "a_metadata": {}, "c_metadata": {"d": 1, "d_metadata": 2}}

    assert ungrounded(content) == {"a": [{"b": 1}], "c_metadata": {"d": 1}}


def test_a_longer_text_has_a_wider_box() -> None:
    found = bboxes(grounded({"a": "x", "b": "x" * 10, "c": "x" * 40}))

    widths = [width for _, _, width, _ in found]
    assert widths == sorted(set(widths))


def test_a_text_of_several_lines_has_a_higher_box() -> None:
    (_, _, _, short), (_, _, _, long) = bboxes(grounded({"a": "x", "b": "x" * 400}))

    assert long > 2 * short


def test_fields_stand_from_top_to_bottom_in_their_order() -> None:
    found = bboxes(grounded({"a": "x", "b": {"c": [1, 2], "d": None, "e": "z"}, "f": [{"g": 1}], "h": 2}))

    assert len(found) == 6
    assert all(y + h <= below for (_, y, _, h), (_, below, _, _) in pairwise(found))


def test_a_metadata_belongs_to_its_field_whatever_stands_around_it() -> None:
    alone = grounded({"b": {"c": 1}}, boxes=False)
    among = grounded({"a": 1, "b": {"z": 2, "c": 1}}, boxes=False)

    assert alone["b"]["c_metadata"] == among["b"]["c_metadata"]


def test_most_values_are_sure_and_a_few_are_not() -> None:
    found = grounded({f"field_{number}": number for number in range(2_000)}, boxes=False)

    drawn = [value["confidence"] for name, value in found.items() if name.endswith("_metadata")]
    assert 1_700 < drawn.count("hi") < 1_900
    assert drawn.count("med") > drawn.count("low") > 10


def test_seed_and_facts_decide_what_is_drawn() -> None:
    content = {f"field_{number}": number for number in range(100)}

    assert grounded(content) == grounded(content)
    assert grounded(content) != grounded(content, seed=1)
    assert grounded(content) != grounded(content, facts=("receipt",))


@given(st.lists(st.integers(0, 3_000), max_size=150))
def test_boxes_of_different_texts_do_not_overlap(lengths: list[int]) -> None:
    boxes = layout(lengths)

    assert len(boxes) == len(lengths)
    assert all(is_apart(one, other) for one, other in combinations(boxes, 2))


@pytest.mark.parametrize("count", [48, 49, 300])
def test_long_texts_stay_in_their_columns(count: int) -> None:
    boxes = layout([2_000] * count)

    assert all(is_apart(one, other) for one, other in combinations(boxes, 2))
    assert all(x + INDENT + w <= UNIT for x, _, w, _ in boxes)


@pytest.mark.parametrize("count", [0, 1, 48, 49, 500, 5_000, 200_000])
def test_any_number_of_texts_fits_on_the_page(count: int) -> None:
    boxes = layout([30, 2_000] * (count // 2) + [1] * (count % 2))

    assert len(boxes) == count
    assert all(x >= 0 and y >= 0 and w > 0 and h > 0 for x, y, w, h in boxes)
    assert all(x + INDENT + w <= UNIT and y + h <= UNIT for x, y, w, h in boxes)


@given(VALUES)
def test_any_content_keeps_its_values_and_has_boxes_within_the_page(content: object) -> None:
    before = copy.deepcopy(content)

    found = grounded(content)

    assert content == before
    assert stripped(found) == stripped(content)
    for x, y, w, h in bboxes(found):
        assert min(x, y) >= 0
        assert min(w, h) > 0
        assert max(x + w, y + h) <= 1
        assert all(round(side, 4) == side for side in (x, y, w, h))


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_packaged_answer_is_grounded_without_a_change_to_its_values(domain: str) -> None:
    content = json.loads((FIXTURES / domain / "answer.json").read_text(encoding="utf-8"))["answer"]["content"]

    found = cast("dict[str, Any]", grounded(content))

    assert {name: stripped(found[name]) for name in content} == {name: stripped(content[name]) for name in content}
    assert json.dumps(found) == json.dumps(grounded(content))


@pytest.mark.parametrize("domain", DOMAINS)
def test_what_grounding_adds_can_be_taken_away(domain: str) -> None:
    answer = json.loads((FIXTURES / domain / "answer.json").read_text(encoding="utf-8"))["answer"]["content"]

    assert ungrounded(grounded(answer)) == answer
