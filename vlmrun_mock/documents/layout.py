"""The layout of any answer: titled fields, tables for lists of objects, lists, and paragraphs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from vlmrun_mock.documents.leaves import Leaf, Reader, currency_of, titled
from vlmrun_mock.json_text import pointed

Block: TypeAlias = dict[str, Any]
"""A part of a page, as the template gets it: `kind` is fields, paragraph, items, table or section."""

LONG_TEXT = 72
"""Characters of a text that has lines of its own, beneath its title."""

WIDEST_TABLE = 108
"""Characters that a row of a table has room for."""

WIDEST_COLUMN = 24
MOST_LINES = 4  # in a cell
NARROWEST_COLUMN = 5
MOST_COLUMNS = 10
DEEPEST = 5
"""How many levels of titles there are; everything deeper has titles of the last level."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Lays out one answer; `only` are the pointers of what is to be laid out, or None for all."""

    reader: Reader
    locale: str
    only: Collection[str] | None = None

    def blocks(self, value: Any, pointer: str = "", name: str = "", currency: str = "", level: int = 1) -> list[Block]:
        """Return the blocks of a value: first what is at hand in it, then what is nested."""
        if isinstance(value, Mapping):
            return self._of_object(value, pointer, currency_of(value) or currency, level)
        if isinstance(value, list):
            return self._of_list(value, pointer, name, currency, level)
        leaf = self._leaf(value, pointer, name, currency)
        return self._paragraphs([leaf]) if leaf else []

    def _leaf(self, value: Any, pointer: str, name: str, currency: str) -> Leaf | None:
        if self.only is not None and pointer not in self.only:
            return None
        return self.reader.leaf(value, pointer, name, currency)

    def _of_object(self, value: Mapping[str, Any], pointer: str, currency: str, level: int) -> list[Block]:
        leaves = []
        nested: list[Block] = []
        for key, inner in value.items():
            place = f"{pointer}/{pointed(key)}"
            if isinstance(inner, (Mapping, list)):
                nested += self._titled(inner, place, key, currency, level)
            elif (leaf := self._leaf(inner, place, key, currency)) is not None:
                leaves.append(leaf)
        return [*self._fields(leaves), *nested]

    def _titled(self, value: Any, pointer: str, name: str, currency: str, level: int) -> list[Block]:
        """Return a section for a nested value, or a single block that has the title itself."""
        inner = self.blocks(value, pointer, name, currency, level + 1)
        if not inner:
            return []
        if isinstance(value, list) and len(inner) == 1 and inner[0]["kind"] in ("items", "table"):
            return [{**inner[0], "title": titled(name), "level": min(level, DEEPEST)}]
        return [{"kind": "section", "title": titled(name), "level": min(level, DEEPEST), "blocks": inner}]

    def _of_list(self, value: list[Any], pointer: str, name: str, currency: str, level: int) -> list[Block]:
        if not any(isinstance(item, (Mapping, list)) for item in value):
            leaves = [self._leaf(item, f"{pointer}/{index}", name, currency) for index, item in enumerate(value)]
            found = [leaf for leaf in leaves if leaf]
            long = any(len(leaf.plain) > LONG_TEXT for leaf in found)
            data = [leaf.as_data(self.locale) for leaf in found]
            return [{"kind": "items", "title": "", "level": level, "long": long, "items": data}] if found else []
        table = self._table(value, pointer, currency, level)
        if table is not None:
            return table
        return [
            block
            for index, item in enumerate(value)
            for block in self._titled(
                item, f"{pointer}/{index}", f"{titled(name)} {index + 1}".strip(), currency, level
            )
        ]

    def _table(self, rows: list[Any], pointer: str, currency: str, level: int) -> list[Block] | None:
        """Return a table for a list of objects, or None where they do not fit into one."""
        if not all(isinstance(row, Mapping) for row in rows):
            return None
        flat = [self._row(row, f"{pointer}/{index}", currency) for index, row in enumerate(rows)]
        if any(row is None for row in flat):
            return None
        cells = [row for row in flat if row]
        columns = list(dict.fromkeys(key for row in cells for key in row))
        if not columns:
            return []
        texts = {key: [row[key].written(self.locale) for row in cells if key in row] for key in columns}
        widths = [_width(key[-1], texts[key]) for key in columns]
        longest = max(len(text) for column in texts.values() for text in column)
        if len(columns) > MOST_COLUMNS or sum(widths) > WIDEST_TABLE or longest > MOST_LINES * WIDEST_COLUMN:
            return None
        numeric = [all(_is_number(row[key]) for row in cells if key in row) for key in columns]
        table = {
            "kind": "table",
            "title": "",
            "level": level,
            "columns": [titled(" ".join(key[-2:])) for key in columns],
            "widths": widths,
            "numeric": numeric,
            "rows": [[row[key].as_data(self.locale) if key in row else None for key in columns] for row in cells],
        }
        return [table]

    def _row(
        self, row: Mapping[str, Any], pointer: str, currency: str, path: tuple[str, ...] = ()
    ) -> dict[tuple[str, ...], Leaf] | None:
        """Return the leaves of a row by their columns, those of objects in it too; None if there is a list in it."""
        currency = currency_of(row) or currency
        found: dict[tuple[str, ...], Leaf] = {}
        for key, inner in row.items():
            place = f"{pointer}/{pointed(key)}"
            if isinstance(inner, Mapping):
                nested = self._row(inner, place, currency, (*path, key))
                if nested is None:
                    return None
                found |= nested
            elif isinstance(inner, list):
                if next(self.reader.leaves(inner, place), None):
                    return None
            elif (leaf := self._leaf(inner, place, key, currency)) is not None:
                column = (*path, key)
                found[column] = leaf
        return found

    def _fields(self, leaves: Sequence[Leaf]) -> list[Block]:
        """Return a block of the short leaves, and a paragraph for each long one."""
        short = [leaf for leaf in leaves if not _is_long(leaf)]
        fields = [{"kind": "fields", "fields": [leaf.as_data(self.locale) for leaf in short]}] if short else []
        return [*fields, *self._paragraphs([leaf for leaf in leaves if _is_long(leaf)])]

    def _paragraphs(self, leaves: Sequence[Leaf]) -> list[Block]:
        return [{"kind": "paragraph", "title": leaf.title, "leaf": leaf.as_data(self.locale)} for leaf in leaves]


def _is_long(leaf: Leaf) -> bool:
    return isinstance(leaf.value, str) and (len(leaf.plain) > LONG_TEXT or "\n" in leaf.plain)


def _is_number(leaf: Leaf) -> bool:
    return isinstance(leaf.value, (int, float)) and not isinstance(leaf.value, bool)


def _width(name: str, texts: Sequence[str]) -> int:
    """Return the characters that a column needs: those of its longest word and of most of its longest text."""
    words = [word for text in (titled(name), *texts) for word in text.split()]
    needed = max(min(max(map(len, words), default=0), 16), min(max(map(len, texts), default=0), WIDEST_COLUMN))
    return max(NARROWEST_COLUMN, needed + 1)
