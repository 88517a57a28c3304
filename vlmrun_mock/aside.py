"""Work beside the event loop: what takes long runs in a thread, so that other requests are answered meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
ResultT = TypeVar("ResultT")

GENERATION = ThreadPoolExecutor(1, "vlmrun-mock-generation")
"""One thread, as what it does holds the interpreter: more of them would only take time from the event loop."""


async def aside(
    function: Callable[Arguments, ResultT], executor: Executor | None, *args: Arguments.args, **kwargs: Arguments.kwargs
) -> ResultT:
    """Return what a function returns, which runs in a thread: of an executor, or one of asyncio's own."""
    return await asyncio.get_running_loop().run_in_executor(executor, partial(function, *args, **kwargs))
