"""What the server reaches for inside uvicorn."""

from __future__ import annotations

import inspect

import pytest
from uvicorn.protocols.http import h11_impl, httptools_impl


@pytest.mark.parametrize("cycle", [h11_impl.RequestResponseCycle, httptools_impl.RequestResponseCycle])
def test_uvicorns_request_cycle_has_the_names_that_a_lost_connection_is_reported_with(cycle: type) -> None:
    names = {"response_complete", "disconnected", "message_event"}

    assert all(f"self.{name}" in inspect.getsource(cycle) for name in names)
