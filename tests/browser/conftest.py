"""What the tests of the page need: a Chromium, and a page that fails its test by any error or foreign request."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.inspecting import inspected
from tests.serving import RunningMock

Inspect = Callable[..., RunningMock]

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
HOW = "scripts/test-browser installs what is missing and runs these tests"


@pytest.fixture(scope="session")
def browser(pytestconfig: pytest.Config) -> Iterator[Any]:
    """Return Chromium, driven by Playwright."""
    if not pytestconfig.getoption("browser"):
        pytest.skip("only with --browser, by scripts/test-browser")
    playwright = pytest.importorskip("playwright.sync_api", reason=f"Playwright is not installed: {HOW}")
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip(f"there is no Chromium: {HOW}")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def inspect(browser: Any, tmp_path: Path) -> Iterator[Inspect]:
    """Return a function that serves with an inspector, by default with an empty folder; no browser, no test."""
    assert browser
    with ExitStack() as stack:

        def start(*folders: Path, **settings: Any) -> RunningMock:
            return stack.enter_context(inspected(*(folders or (tmp_path,)), **settings))

        yield start


@pytest.fixture
def opened(browser: Any) -> Iterator[Callable[..., Any]]:
    """Return a function that opens the page of a server; an error in its console or a foreign request is a failure."""
    problems: list[str] = []
    with ExitStack() as stack:

        def open_page(served: RunningMock, address: str = "", expected: str = "", **options: Any) -> Any:
            context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
            stack.callback(context.close)
            page = context.new_page()
            page.set_default_timeout(15_000)

            def told(message: Any) -> None:
                if message.type in ("error", "warning") and not (expected and expected in message.text):
                    problems.append(message.text)

            page.on("console", told)
            page.on("pageerror", lambda error: problems.append(str(error)))
            page.on("request", lambda request: _expect_own(request.url, served.url, problems))
            page.goto(f"{served.url}/_mock/{address}")
            return page

        yield open_page
    assert problems == []


def _expect_own(url: str, own: str, problems: list[str]) -> None:
    if not url.startswith((f"{own}/_mock", f"blob:{own}/")):
        problems.append(f"a request to {url}")


@pytest.fixture(scope="session")
def axe() -> str:
    """Return the text of axe-core, which `VLMRUN_MOCK_AXE` leads to."""
    path = os.environ.get("VLMRUN_MOCK_AXE")
    if not path:
        pytest.skip(f"VLMRUN_MOCK_AXE does not lead to axe.min.js: {HOW}")
    return Path(path).read_text(encoding="utf-8")
