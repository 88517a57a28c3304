"""The release of vlmrun-hub by which fixtures are checked: the installed one, else the one that was exported."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from vlmrun_mock import schema
from vlmrun_mock.domains import Domains

HUB = "vlmrun.hub"
PARTS = ("vlmrun", HUB, f"{HUB}.registry")
"""The modules of which one is missing where vlmrun-hub is not installed, with the SDK of the same name or without."""


@dataclass(frozen=True, slots=True)
class Hub:
    """A release: its version, where it was found, and the schema of each of its domains.

    `problem` is why the installed one could not be used, if there is one.
    """

    version: str
    origin: Literal["installed", "packaged"]
    schemas: Mapping[str, dict[str, Any]]
    problem: str | None = None

    @property
    def release(self) -> str:
        """Return the name and the version."""
        return _release(self.version)

    def __str__(self) -> str:
        but = f"; the installed one cannot be used: {self.problem}" if self.problem else ""
        return f"{self.release} ({self.origin}{but})"


def release_of(domains: Domains) -> str:
    """Return the name and the version of the release that the package's schemas were exported from."""
    return _release(domains.hub["version"])


def _release(version: object) -> str:
    return f"vlmrun-hub {version}"


def current(domains: Domains) -> Hub:
    """Return the release that is installed in this environment; the packaged one if there is none that can be used."""
    try:
        return installed()
    except ModuleNotFoundError as error:
        return packaged(domains, None if error.name in PARTS else _reason(error))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a package of others', of any release, may fail in any way
        return packaged(domains, _reason(error))


def packaged(domains: Domains, problem: str | None = None) -> Hub:
    """Return the release that the package's schemas were exported from."""
    known = {name: domain.schema for name in domains.hub["domains"] if (domain := domains.get(name))}
    return Hub(str(domains.hub["version"]), "packaged", known, problem)


def installed() -> Hub:
    """Return the installed release; raises whatever its import raises, and SchemaProblem for an unusable schema."""
    with _silenced():
        from vlmrun.hub.registry import registry  # noqa: PLC0415 - not there for most users, and heavy
        from vlmrun.hub.version import __version__  # noqa: PLC0415

        schemas = {name: registry[name].model_json_schema() for name in registry.list_schemas()}
    for each in schemas.values():
        schema.check(each)
    return Hub(str(__version__), "installed", schemas)


@contextlib.contextmanager
def _silenced() -> Iterator[None]:
    """Keep what the hub logs, prints and warns of to itself."""
    with _without_log(), warnings.catch_warnings(), contextlib.ExitStack() as redirected:
        warnings.simplefilter("ignore")
        redirected.enter_context(contextlib.redirect_stdout(io.StringIO()))
        redirected.enter_context(contextlib.redirect_stderr(io.StringIO()))
        yield


@contextlib.contextmanager
def _without_log() -> Iterator[None]:
    try:
        from loguru import logger  # noqa: PLC0415 - what the hub logs with: it is there if the hub is
    except ImportError:
        yield
        return
    logger.disable(HUB)
    try:
        yield
    finally:
        logger.enable(HUB)


def _reason(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:200]
