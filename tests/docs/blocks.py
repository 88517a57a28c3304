"""The code blocks of the README and of docs/, by the ids in the comments before them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from scripts.reference import DOCS, ROOT

README = ROOT / "README.md"
PAGES = (README, *sorted(DOCS.glob("*.md")))

BLOCK = re.compile(
    r"^<!-- test: (?P<id>\S+) -->\n```(?P<language>\w+)\n(?P<content>.*?)^```$", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Block:
    """A code block. The id `first-request.output` belongs to what `first-request` prints."""

    id: str
    language: str
    content: str
    page: Path


def found() -> dict[str, Block]:
    """Return all blocks by their ids, which must differ."""
    blocks = [
        Block(match["id"], match["language"], match["content"], page)
        for page in PAGES
        for match in BLOCK.finditer(page.read_text(encoding="utf-8"))
    ]
    by_id = {block.id: block for block in blocks}
    if len(by_id) < len(blocks):
        raise ValueError("two blocks have the same id")
    return by_id


BLOCKS = found()
