"""uvicorn, without what it loads for reloading and for several processes: a server here does neither.

Its package imports `uvicorn.supervisors` and so multiprocessing and watchfiles, a third of the time that it takes.
Whoever does reload, or start processes, in this process gets the real ones then.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

SUPERVISORS = "uvicorn.supervisors"


class _Supervisors(ModuleType):
    """Stands in for the module while uvicorn is imported: its names are the real ones, loaded when they are called."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what Python itself asks of a module must load nothing
            raise AttributeError(name)

        def supervisor(*args: Any, **kwargs: Any) -> Any:
            return getattr(import_module(SUPERVISORS), name)(*args, **kwargs)

        return supervisor


def _imported() -> Any:
    if "uvicorn" in sys.modules:
        return import_module("uvicorn")
    sys.modules[SUPERVISORS] = _Supervisors(SUPERVISORS)
    try:
        return import_module("uvicorn")
    finally:
        del sys.modules[SUPERVISORS]


if TYPE_CHECKING:
    import uvicorn
    from uvicorn.protocols.http.auto import AutoHTTPProtocol
else:
    uvicorn = _imported()
    AutoHTTPProtocol = import_module("uvicorn.protocols.http.auto").AutoHTTPProtocol

__all__ = ["AutoHTTPProtocol", "uvicorn"]
