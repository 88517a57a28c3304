"""The door to uvicorn."""

from __future__ import annotations

import subprocess
import sys

from tests.process import PATIENCE, environment

NOT_LOADED = """
import sys
import vlmrun_mock.web.server
print(sorted({"multiprocessing", "watchfiles", "uvicorn.supervisors"} & sys.modules.keys()))
"""

SUPERVISED = """
import sys
import vlmrun_mock.web.server
import uvicorn
made = sys.modules["uvicorn.main"].Multiprocess(uvicorn.Config(None), sockets=[])
from uvicorn.supervisors import ChangeReload, Multiprocess
print(type(made) is Multiprocess, isinstance(ChangeReload, type))
"""


def printed_by(script: str) -> str:
    ended = subprocess.run(
        [sys.executable, "-c", script],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    return ended.stdout.strip()


def test_a_server_loads_nothing_for_reloading_or_several_processes() -> None:
    assert printed_by(NOT_LOADED) == "[]"


def test_whoever_supervises_processes_in_the_same_process_gets_the_real_supervisors() -> None:
    assert printed_by(SUPERVISED) == "True True"
