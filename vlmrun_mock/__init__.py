"""An offline stand-in for VLM Run's API."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vlmrun_mock.address import Address
    from vlmrun_mock.testing.control import Control
    from vlmrun_mock.testing.mock_server import MockServer

__all__ = ["Address", "Control", "MockServer", "__version__"]

__version__ = "0.1.0"


_HOMES = {
    "Address": "vlmrun_mock.address",
    "Control": "vlmrun_mock.testing.control",
    "MockServer": "vlmrun_mock.testing.mock_server",
}


def __getattr__(name: str) -> Any:
    """Return a name that is loaded when it is first asked for: the command line and the plugin need none of them."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
