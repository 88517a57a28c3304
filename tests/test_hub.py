"""The installed vlmrun-hub is what counts, and one that cannot be used is no reason to end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from loguru import logger
from vlmrun.hub.registry import registry

from tests.process import PATIENCE, ROOT, environment
from vlmrun_mock import hub
from vlmrun_mock.domains import packaged

DOMAINS = packaged()
VERSION = DOMAINS.hub["version"]


def told(folder: Path, modules: Mapping[str, str]) -> str:
    """Return which release counts in a process that finds modules in a folder first; it may not say anything else."""
    for name, code in modules.items():
        path = folder / "vlmrun" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code, encoding="utf-8")
    code = "from vlmrun_mock import domains, hub; print(hub.current(domains.packaged()))"
    ended = subprocess.run(  # noqa: S603 - the code is the test's own
        [sys.executable, "-c", code],
        env=environment(PYTHONPATH=os.pathsep.join([str(folder), str(ROOT)])),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    assert ended.stderr == ""
    return ended.stdout.rstrip("\n")


def test_the_installed_release_counts() -> None:
    current = hub.current(DOMAINS)

    assert str(current) == f"vlmrun-hub {VERSION} (installed)"
    assert list(current.schemas) == registry.list_schemas()


def test_the_packaged_release_has_the_same_domains_without_their_prose() -> None:
    known = hub.packaged(DOMAINS)

    assert str(known) == f"vlmrun-hub {VERSION} (packaged)"
    assert list(known.schemas) == DOMAINS.hub["domains"]
    assert "description" not in json.dumps(known.schemas["document.invoice"]["$defs"]["Address"])


def test_reading_the_hub_leaves_no_trace(capfd: pytest.CaptureFixture[str]) -> None:
    lines: list[str] = []
    sink = logger.add(lines.append, format="{message}")

    hub.current(DOMAINS)
    logger.info("heard")

    logger.remove(sink)
    assert lines == ["heard\n"]
    assert "Loaded schemas" not in "".join(capfd.readouterr())


def test_a_process_that_reads_the_hub_is_silent(tmp_path: Path) -> None:
    assert told(tmp_path, {}) == f"vlmrun-hub {VERSION} (installed)"


@pytest.mark.parametrize(
    "modules", [{"__init__.py": ""}, {"__init__.py": "", "hub/__init__.py": ""}], ids=["the SDK", "a part"]
)
def test_without_the_hub_the_packaged_release_counts(tmp_path: Path, modules: dict[str, str]) -> None:
    assert told(tmp_path, modules) == f"vlmrun-hub {VERSION} (packaged)"


REGISTRY = "class Registry(dict):\n    list_schemas = dict.keys\n\n"
BROKEN: dict[str, tuple[dict[str, str], str]] = {
    "a package that is missing": (
        {"hub/registry.py": "import no_such_package"},
        "ModuleNotFoundError: No module named",
    ),
    "an error on import": ({"hub/registry.py": "1 / 0"}, "ZeroDivisionError: division by zero"),
    "an end of the process": ({"hub/registry.py": "raise SystemExit(3)"}, "SystemExit: 3"),
    "no registry": ({"hub/registry.py": ""}, "ImportError: cannot import name 'registry'"),
    "code that is none": ({"hub/registry.py": "def"}, "SyntaxError: "),
    "no version": (
        {"hub/registry.py": f"{REGISTRY}registry = Registry()", "hub/version.py": ""},
        "ImportError: cannot import name '__version__'",
    ),
    "no schema": (
        {
            "hub/registry.py": f"class Model:\n    model_json_schema = dict\n\n\n{REGISTRY}registry = Registry(x=5)",
        },
        "AttributeError: 'int' object has no attribute 'model_json_schema'",
    ),
    "a schema that refers to elsewhere": (
        {
            "hub/registry.py": (
                "class Model:\n    def model_json_schema():\n        return {'$ref': 'https://example.com'}\n\n\n"
                f"{REGISTRY}registry = Registry(x=Model)"
            ),
        },
        "SchemaProblem: $ref: 'https://example.com' is outside the schema",
    ),
    "noise": (
        {"hub/registry.py": "import sys; print('out'); print('err', file=sys.stderr); 1 / 0"},
        "ZeroDivisionError",
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_hub_that_cannot_be_used_is_told_and_the_packaged_release_counts(tmp_path: Path, what: str) -> None:
    modules, reason = BROKEN[what]

    line = told(tmp_path, modules)

    assert line.startswith(f"vlmrun-hub {VERSION} (packaged; the installed one cannot be used: {reason}")
    assert "\n" not in line
