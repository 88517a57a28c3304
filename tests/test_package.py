"""The built package: what is in it, and that it works far from the checkout. It needs a network and a campaign."""

from __future__ import annotations

import json
import os
import re
import site
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from email.parser import HeaderParser
from pathlib import Path
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.campaign

ROOT = Path(__file__).parent.parent
FIXTURES = sorted(path.relative_to(ROOT / "fixtures").as_posix() for path in (ROOT / "fixtures").rglob("*.json"))
MODULES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "vlmrun_mock").rglob("*.py"))
PRINTED_WITH = [
    path.relative_to(ROOT).as_posix()
    for folder in ("templates", "fonts")
    for path in (ROOT / "vlmrun_mock/documents" / folder).iterdir()
]
LOCALES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "vlmrun_mock/schema").rglob("*.json"))
WANTED = re.compile(
    r"vlmrun_mock/(?:\w+/)*\w+\.py|vlmrun_mock/py\.typed|vlmrun_mock/fixture\.schema\.json"
    r"|vlmrun_mock/schema/generate/locales/[a-z]{2}_[A-Z]{2}\.json"
    r"|vlmrun_mock/web/inspector/page/\w+\.(?:html|css|js|svg)"
    r"|vlmrun_mock/packaged/(?:vlmrun-hub|tokens|pools/\w+|[\w.-]+/(?:answer|schema|relations))\.json"
    r"|vlmrun_mock/documents/(?:templates/[\w.-]+\.typ|fonts/[\w-]+\.(?:ttf|LICENSE))"
    r"|vlmrun_mock-[\d.]+\.dist-info/(?:METADATA|WHEEL|RECORD|entry_points\.txt|licenses/LICENSE)"
)
STARTED = 60
"""Seconds in which a server has started, or never will."""


def run(*command: str | Path, cwd: Path) -> str:
    """Return what a command prints; its errors are shown if it fails."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="session")
def builder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a Python that has pip, the build backend, and what that wants for an editable install."""
    folder = tmp_path_factory.mktemp("builder")
    run(sys.executable, "-m", "venv", folder, cwd=folder)
    python = folder / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", "hatchling>=1.26", "editables", cwd=folder)
    return python


def build_wheel(builder: Path, source: Path, folder: Path) -> Path:
    """Return the wheel that pip makes of a checkout or a source distribution."""
    command = ("wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, source)
    run(builder, "-m", "pip", *command, cwd=folder)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="session")
def wheel(builder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel of the checkout."""
    return build_wheel(builder, ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def sdist(builder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the source distribution of the checkout."""
    folder = tmp_path_factory.mktemp("sdist")
    run(builder, "-m", "hatchling", "build", "--target", "sdist", "--directory", folder, cwd=ROOT)
    return next(folder.glob("*.tar.gz"))


def install(builder: Path, folder: Path, wheel: Path) -> Path:
    """Install a wheel into an environment of its own, and return the folder of its programs.

    The dependencies are those of the environment that runs the tests. A path in a .pth file is not searched for
    further .pth files, so an editable install there is out of reach.
    """
    run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=folder)
    python = folder / "bin" / "python"
    packages = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).strip())
    packages.joinpath("dependencies.pth").write_text("\n".join(site.getsitepackages()), encoding="utf-8")
    run(builder, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", wheel, cwd=folder)
    return folder / "bin"


def imported(programs: Path, folder: Path) -> Path:
    """Return where an environment takes the package from."""
    command = "import vlmrun_mock; print(vlmrun_mock.__path__[0])"
    return Path(run(programs / "python", "-c", command, cwd=folder).strip())


@contextmanager
def serving(programs: Path, folder: Path) -> Iterator[str]:
    """Run `vlmrun-mock serve` in a folder, and yield the base URL that it prints."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VLMRUN"))}
    command = (str(programs / "vlmrun-mock"), "serve", "--port", "0")
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as process:
        watch = threading.Timer(STARTED, process.kill)
        watch.start()
        try:
            urls = (line.partition("OPENAI_BASE_URL=")[2].strip() for line in process.stdout or ())
            url = next(filter(None, urls), "")
            assert url, "the server ended, or was ended, before it printed its address"
            yield url
        finally:
            watch.cancel()
            process.terminate()


def invoice(base_url: str) -> Any:
    """Return what a server answers for an invoice."""
    body = {"messages": [{"role": "user", "content": "Extract"}], "vlmrun": {"domain": "document.invoice"}}
    response = httpx.post(f"{base_url}/chat/completions", json=body, headers={"X-Api-Key": "local"}, timeout=30)
    assert response.status_code == 201, response.text
    return json.loads(response.json()["choices"][0]["message"]["content"])


def packaged_invoice() -> Any:
    """Return the answer as it stands in the checkout."""
    fixture = json.loads((ROOT / "fixtures/document.invoice/answer.json").read_text(encoding="utf-8"))
    return fixture["answer"]["content"]


def test_the_wheel_holds_every_module_and_every_fixture(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())

    assert {f"vlmrun_mock/packaged/{name}" for name in FIXTURES} <= names
    assert set(MODULES) <= names
    assert set(PRINTED_WITH) <= names
    assert len(LOCALES) >= 25
    assert set(LOCALES) <= names
    assert {"vlmrun_mock/py.typed", "vlmrun_mock/fixture.schema.json"} <= names
    assert "vlmrun_mock/packaged/vlmrun-hub.json" in names
    assert sum(name.endswith("/answer.json") for name in names) >= 31


def test_the_wheel_holds_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()

    assert [name for name in names if not WANTED.fullmatch(name)] == []
    assert len(names) == len(set(names))


def test_the_wheel_requires_what_runs_and_not_what_tests(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    metadata = HeaderParser().parsestr(
        archive.read(next(name for name in archive.namelist() if name.endswith("METADATA"))).decode()
    )

    required = [line for line in metadata.get_all("Requires-Dist", []) if "extra ==" not in line]
    names = {re.split(r"[^\w-]", line)[0] for line in required}
    assert {"starlette", "uvicorn", "pydantic", "click", "faker", "tiktoken"} <= names
    assert names.isdisjoint({"vlmrun", "vlmrun-hub", "openai", "httpx", "pytest", "pillow", "typst"})
    assert metadata["Requires-Python"] == ">=3.10"


def test_the_source_distribution_makes_the_same_wheel(builder: Path, sdist: Path, wheel: Path, tmp_path: Path) -> None:
    again = build_wheel(builder, sdist, tmp_path)

    def contents(archive: Path) -> dict[str, int]:
        return {entry.filename: entry.CRC for entry in zipfile.ZipFile(archive).infolist()}

    assert again.name == wheel.name
    assert contents(again) == contents(wheel)


def test_the_installed_wheel_answers_far_from_the_checkout(builder: Path, wheel: Path, tmp_path: Path) -> None:
    programs = install(builder, tmp_path, wheel)

    with serving(programs, tmp_path) as base_url:
        answer = invoice(base_url)

    assert answer == packaged_invoice()
    assert imported(programs, tmp_path).is_relative_to(tmp_path)


def test_an_editable_install_answers_with_the_fixtures_of_the_checkout(builder: Path, tmp_path: Path) -> None:
    hook = f"from hatchling.build import build_editable; print(build_editable({str(tmp_path)!r}))"
    editable = tmp_path / run(builder, "-c", hook, cwd=ROOT).strip()
    programs = install(builder, tmp_path, editable)

    with serving(programs, tmp_path) as base_url:
        answer = invoice(base_url)

    assert answer == packaged_invoice()
    assert imported(programs, tmp_path) == ROOT / "vlmrun_mock"


def test_the_installed_package_is_typed(builder: Path, wheel: Path, tmp_path: Path) -> None:
    programs = install(builder, tmp_path, wheel)
    user = tmp_path / "user.py"
    user.write_text("from vlmrun_mock.mock.settings import Settings\nreveal_type(Settings().seed)\n", encoding="utf-8")

    options = ("--no-incremental", "--python-executable", programs / "python", "--cache-dir", os.devnull)
    seen = run(sys.executable, "-m", "mypy", "--strict", *options, user, cwd=tmp_path)

    assert 'Revealed type is "int"' in seen
