"""The doors for heavy imports."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from vlmrun_mock.lazy import lazy

ROOT = Path(__file__).parent.parent


def test_a_module_is_loaded_when_a_name_of_it_is_first_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "this", raising=False)
    monkeypatch.setattr(sys, "stdout", None)  # the module prints itself
    door = lazy("this")
    assert "this" not in sys.modules

    found = door.d

    assert sys.modules["this"].d is found
    assert door.d is found


def test_a_private_name_loads_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "this", raising=False)
    door = lazy("this")

    for name in ("__wrapped__", "_pytestfixturefunction"):
        assert not hasattr(door, name)

    assert "this" not in sys.modules


def test_every_other_package_behind_a_door_is_named_for_contributors() -> None:
    sources = (file.read_text(encoding="utf-8") for file in (ROOT / "vlmrun_mock").rglob("*.py"))
    doors = {name for source in sources for name in re.findall(r' = lazy\("([a-z_0-9]+)', source)} - {"vlmrun_mock"}
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").lower().replace("-", "_")

    assert len(doors) >= 8
    assert [name for name in doors if name not in text] == []


def test_a_missing_name_in_a_lazy_module_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = lazy("json").no_such_name


def test_a_module_that_is_missing_is_named() -> None:
    with pytest.raises(ModuleNotFoundError, match="vlmrun_mock_missing"):
        _ = lazy("vlmrun_mock_missing").anything
