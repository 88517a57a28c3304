"""Any answer is laid out: as fields, paragraphs, lists, tables and sections, each value once."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from vlmrun_mock.documents.layout import Layout
from vlmrun_mock.documents.leaves import LEAF, reader

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
ANSWERS = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=25
)


def laid_out(content: Any) -> list[dict[str, Any]]:
    return Layout(reader(content), "en_US").blocks(content)


def pointers(node: Any) -> list[str]:
    """Return the pointers of the leaves in blocks, in the order in which they are printed."""
    if isinstance(node, dict):
        return [node[LEAF]] if LEAF in node else [each for inner in node.values() for each in pointers(inner)]
    return [each for inner in node for each in pointers(inner)] if isinstance(node, list) else []


@given(ANSWERS)
def test_every_value_of_any_answer_is_laid_out_once(content: Any) -> None:
    wanted = [leaf.pointer for leaf in reader(content).leaves(content)]

    assert sorted(pointers(laid_out(content))) == sorted(wanted)


def test_short_values_are_fields_and_long_ones_paragraphs() -> None:
    fields, paragraph = laid_out({"note": "word " * 40, "id": "A-1", "paid": True})

    assert [each["title"] for each in fields["fields"]] == ["ID", "Paid"]
    assert (paragraph["kind"], paragraph["title"]) == ("paragraph", "Note")


def test_a_list_of_objects_is_a_table_with_a_column_for_each_field() -> None:
    (table,) = laid_out({"items": [{"name": "Nut", "price": 1.5}, {"name": "Bolt", "size": {"mm": 8}}]})

    assert (table["kind"], table["title"], table["columns"]) == ("table", "Items", ["Name", "Price", "Size mm"])
    assert table["numeric"] == [False, True, True]
    assert [[cell and cell["text"] for cell in row] for row in table["rows"]] == [
        ["Nut", "1.5", None],
        ["Bolt", None, "8"],
    ]


def test_objects_that_do_not_fit_into_a_table_are_sections_with_a_number() -> None:
    (section,) = laid_out({"jobs": [{"tasks": ["a", "b"]}, {"tasks": ["c"]}]})

    assert [each["title"] for each in section["blocks"]] == ["Jobs 1", "Jobs 2"]
    assert pointers(section) == ["/jobs/0/tasks/0", "/jobs/0/tasks/1", "/jobs/1/tasks/0"]


def test_an_amount_is_money_where_the_answer_names_a_currency() -> None:
    (with_currency,) = laid_out({"total": 1200.5, "currency": "EUR"})
    (without,) = laid_out({"total": 1200.5})
    (counted,) = laid_out({"deposits": 3, "currency": "EUR"})

    assert (with_currency["fields"][0]["is_money"], with_currency["fields"][0]["money"]) == (True, "€1,200.50")
    assert not without["fields"][0]["is_money"]
    assert not counted["fields"][0]["is_money"]


def test_only_what_is_asked_for_is_laid_out() -> None:
    content = {"a": 1, "b": {"c": 2, "d/e": 3}, "f": [4, 5]}

    blocks = Layout(reader(content), "en_US", {"/b/d~1e", "/f/1"}).blocks(content)

    assert pointers(blocks) == ["/b/d~1e", "/f/1"]
