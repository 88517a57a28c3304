"""Count the tokens of the packaged answers, and write them to fixtures/tokens.json.

Run it after changing an answer. tests/api/test_tokens.py compares the two.
"""

from __future__ import annotations

import json
from pathlib import Path

from vlmrun_mock.api.tokens import Tokenizer
from vlmrun_mock.fixtures.domains import packaged
from vlmrun_mock.json_text import written

TARGET = Path(__file__).parent.parent / "fixtures" / "tokens.json"


def main() -> None:
    domains, tokenizer = packaged(), Tokenizer()
    contents = {name: domain.content for name in domains.names() if (domain := domains.get(name))}
    counted = {name: tokenizer.count(written(content)) for name, content in contents.items()}
    TARGET.write_text(json.dumps(counted, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
