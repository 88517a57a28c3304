"""What the tests of recording share: a real API, a folder to record into, and a server that records."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Serve
from tests.real_api import RealApi, real_api
from tests.serving import RunningMock


@pytest.fixture(scope="session")
def _real_api() -> Iterator[RealApi]:
    with real_api() as api:
        yield api


@pytest.fixture
def api(_real_api: RealApi) -> RealApi:
    """Return the real API as it was when it started."""
    _real_api.reset()
    return _real_api


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder that is recorded into, which is not there yet."""
    return tmp_path / "recordings"


@pytest.fixture
def recorder(serve: Serve, api: RealApi, folder: Path) -> RunningMock:
    """Return a server that records what is not recorded."""
    return serve(record="new", fixtures=(folder,), upstream=api.url)
