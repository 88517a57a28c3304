"""Where the peers are installed: an environment each, outside of the project's own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

ROOT = Path(__file__).parent.parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "vlmrun-mock-benchmarks"

PRINT_VERSION = "import importlib.metadata, sys; print(importlib.metadata.version(sys.argv[1]))"


class Environment(Protocol):
    """A folder into which a package manager installs."""

    @property
    def name(self) -> str:
        """Return the folder's name."""

    @property
    def installed(self) -> bool:
        """Tell whether it can be used."""

    def install(self) -> None:
        """Make it, or bring it up to date; raises CalledProcessError."""

    def version(self, package: str) -> str:
        """Return the version of an installed package."""

    def variables(self) -> Mapping[str, str]:
        """Return the environment variables of its processes."""


@dataclass(frozen=True, slots=True)
class PythonEnvironment:
    """A virtual environment of the Python that runs the benchmarks."""

    name: str
    requirements: Sequence[str]
    source: Path | None = None
    """A folder whose packages are imported in place of what is installed."""

    @property
    def python(self) -> Path:
        """Return its interpreter."""
        return CACHE / self.name / "bin" / "python"

    def script(self, name: str) -> str:
        """Return the path of a command that a package brought."""
        return str(self.python.with_name(name))

    @property
    def installed(self) -> bool:
        """Tell whether the interpreter is there."""
        return self.python.exists()

    def install(self) -> None:
        """Make the virtual environment and let pip install the newest versions."""
        _run([sys.executable, "-m", "venv", str(CACHE / self.name)])
        _run([str(self.python), "-m", "pip", "install", "--quiet", "--upgrade", *self.requirements])

    def version(self, package: str) -> str:
        """Ask the interpreter for the version of a distribution."""
        return _output([str(self.python), "-c", PRINT_VERSION, package], self.variables())

    def variables(self) -> Mapping[str, str]:
        """Return this process's own, with the source as the only other place to import from."""
        return _without_pythons() | ({"PYTHONPATH": str(self.source)} if self.source else {})


@dataclass(frozen=True, slots=True)
class NodeEnvironment:
    """A folder of npm's."""

    name: str
    package: str

    @property
    def folder(self) -> Path:
        """Return the folder of the package."""
        return CACHE / self.name / "node_modules" / self.package

    @property
    def installed(self) -> bool:
        """Tell whether the package is there."""
        return self.folder.exists()

    def install(self) -> None:
        """Let npm install the newest version."""
        (CACHE / self.name).mkdir(parents=True, exist_ok=True)
        _run(
            ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(CACHE / self.name), f"{self.package}@latest"]
        )

    def version(self, package: str) -> str:  # noqa: ARG002 - there is one package
        """Read the version from the package's own description."""
        return str(json.loads((self.folder / "package.json").read_text(encoding="utf-8"))["version"])

    def variables(self) -> Mapping[str, str]:
        """Return this process's own."""
        return _without_pythons()


def _without_pythons() -> dict[str, str]:
    # The sources of this checkout are compiled once, as those of a package are when it is installed.
    foreign = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE")
    return {name: value for name, value in os.environ.items() if name not in foreign}


def _run(command: Sequence[str]) -> None:
    subprocess.run(command, check=True)


def _output(command: Sequence[str], variables: Mapping[str, str]) -> str:
    ended = subprocess.run(command, check=True, capture_output=True, text=True, env=variables)
    return ended.stdout.strip()


OWN = PythonEnvironment("vlmrun-mock", ["--editable", str(ROOT), "pytest"], source=ROOT)
"""This project's dependencies, which the bare application and Starlette use too. Its code is that of this checkout."""


CHART = PythonEnvironment("chart", ["matplotlib"], source=ROOT)
