"""Keeps pytest from compiling this package anew, through a name that pytest keeps to itself.

pytest rewrites the assertions of every module of a plugin's distribution. Here are none, and where pytest cannot keep
what it compiled, or has not yet, that takes half a second. `PYTEST_DONT_REWRITE` in a docstring spares the rewriting,
but not the compilation, and would have to stand in every module.
"""

from __future__ import annotations

import pytest


def keep_compiled(package: str, config: pytest.Config) -> None:
    """Let Python load a package as it was compiled already; without effect where pytest has no such name."""
    rewritten: set[str] = getattr(getattr(config.pluginmanager, "rewrite_hook", None), "_must_rewrite", set())
    rewritten.discard(package)
