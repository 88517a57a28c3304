"""Export the format of fixture files as a JSON Schema to vlmrun_mock/fixture.schema.json.

The models in vlmrun_mock/fixtures/format.py are the format; run it after changing them. tests/fixtures/test_format.py
compares the two.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from vlmrun_mock.fixtures.bodies import FixtureBody

TARGET = Path(__file__).parent.parent / "vlmrun_mock" / "fixture.schema.json"


def exported() -> dict[str, Any]:
    """Return the format's JSON Schema."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **FixtureBody.model_json_schema()}


def main() -> None:
    TARGET.write_text(json.dumps(exported(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
