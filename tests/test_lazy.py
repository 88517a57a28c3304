"""The doors for heavy imports."""

from __future__ import annotations

import sys

import pytest

from vlmrun_mock.lazy import lazy


def test_a_module_is_loaded_when_a_name_of_it_is_first_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "this", raising=False)
    monkeypatch.setattr(sys, "stdout", None)  # the module prints itself
    door = lazy("this")
    assert "this" not in sys.modules

    found = door.d

    assert sys.modules["this"].d is found
    assert door.d is found


def test_what_a_module_lacks_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = lazy("json").no_such_name


def test_a_module_that_is_missing_is_named() -> None:
    with pytest.raises(ModuleNotFoundError, match="vlmrun_mock_missing"):
        _ = lazy("vlmrun_mock_missing").anything
