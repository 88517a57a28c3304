"""Export the structure of every vlmrun-hub schema to fixtures/<domain>/schema.json.

Names, types, formats, defaults and required keys are kept; prose (descriptions, titles of
fields, examples) is left out, so that what is exported is the contract and nothing else.
Run it after installing another vlmrun-hub; tests/test_packaged_fixtures.py compares the two.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from vlmrun.hub.registry import registry
from vlmrun.hub.version import __version__ as hub_version

FIXTURES = Path(__file__).parent.parent / "fixtures"
PROSE = {"description", "title", "examples"}


def structure(node: Any) -> Any:
    """Return a JSON Schema node without its prose; a property may be *named* like a prose keyword."""
    if isinstance(node, list):
        return [structure(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {}
    for key, value in node.items():
        if key in ("properties", "$defs"):
            kept[key] = {name: structure(child) for name, child in value.items()}
        elif key not in PROSE:
            kept[key] = structure(value)
    return kept


def exported(domain: str) -> dict[str, Any]:
    """Return the schema of one hub domain as it is stored: its structure and the model's name."""
    schema = registry[domain].model_json_schema()
    return {"title": schema["title"], **structure(schema)}


def release() -> dict[str, Any]:
    """Return which hub the schemas come from, and its domains."""
    return {"version": hub_version, "domains": registry.list_schemas()}


def main() -> None:
    write(FIXTURES / "vlmrun-hub.json", release())
    for domain in registry.list_schemas():
        write(FIXTURES / domain / "schema.json", exported(domain))


def write(target: Path, data: dict[str, Any]) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
