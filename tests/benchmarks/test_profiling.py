"""The shares that functions take of a request."""

from __future__ import annotations

from benchmarks.profiling import OTHERS, Function, Share, Timings, shares
from vlmrun_mock.seed import Seed

CODE = Seed.digest.__code__
OURS: Function = (CODE.co_filename, CODE.co_firstlineno, CODE.co_name)
THEIRS: Function = ("/lib/uvicorn/server.py", 1, "serve")
HASH: Function = ("~", 0, "<built-in method sha256>")
LOAD: Function = (CODE.co_filename, 1, "<module>")


def timings(calls: int, own: float, altogether: float, callers: dict[Function, float] | None = None) -> Timings:
    """Return what the profiler says of a function, and of what it takes for each caller."""
    parts = {function: (calls, calls, part, part) for function, part in (callers or {}).items()}
    return (calls, calls, own, altogether, parts)


def test_a_function_takes_what_it_and_its_built_in_functions_take() -> None:
    found = shares(
        {
            OURS: timings(100, 2.0, 5.0),
            HASH: timings(100, 3.0, 3.0, {OURS: 3.0}),
            THEIRS: timings(100, 5.0, 10.0),
        },
        100,
    )

    assert found == [Share("`seed.py`", "Seed.digest", 0.5, 0.5), Share(OTHERS, "", 0.5, 0.5)]


def test_what_runs_at_the_start_alone_is_left_out() -> None:
    found = shares({LOAD: timings(1, 50.0, 50.0), OURS: timings(100, 1.0, 1.0)}, 100)

    assert found == [Share("`seed.py`", "Seed.digest", 1.0, 1.0), Share(OTHERS, "", 0.0, 0.0)]
