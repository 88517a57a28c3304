"""What tests that run pytest in this very process need."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest


class Imports:
    """A plugin that keeps the modules that a session imports, apart from those below a folder.

    pytester forgets them, and a module that is imported twice has classes that are not those of the first time.
    """

    def __init__(self, apart_from: Path) -> None:
        self._apart_from = str(apart_from)
        self._modules: dict[str, ModuleType] = {}

    def pytest_unconfigure(self) -> None:
        """Take note of what is imported at the end of the session."""
        self._modules |= sys.modules

    def restore(self) -> None:
        """Put back what pytester forgot."""
        for name, module in self._modules.items():
            if not str(getattr(module, "__file__", "")).startswith(self._apart_from):
                sys.modules.setdefault(name, module)


@pytest.fixture
def imports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Imports]:
    """Return what keeps the imports; named before `pytester`, it puts them back after `pytester` has ended."""
    imports = Imports(tmp_path_factory.getbasetemp())
    yield imports
    imports.restore()
