"""Doors for heavy imports: a module that is loaded when a name of it is first used, so that commands start fast."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any


class LazyModule(ModuleType):
    """Stands in for a module until one of its names is asked for; several threads may ask at once.

    A name that was found is kept, so that only its first use takes the long way.
    """

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # what Python or pytest asks of any module must load nothing
            raise AttributeError(name)
        value = getattr(import_module(self.__name__), name)
        setattr(self, name, value)
        return value


def lazy(name: str) -> Any:
    """Return a stand-in for a module of this name, which is loaded when it is first used.

    A door is written as two branches, of which type checkers read the first, and Python runs the second:

        if TYPE_CHECKING:
            import httpx2
        else:
            httpx2 = lazy("httpx2")
    """
    return LazyModule(name)
