"""The application on a port: in the foreground, or in a thread as a context manager."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import math
import signal
import socket
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import TypeAlias

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from vlmrun_mock.web.connection import knowing_transport

LOOPBACK = "127.0.0.1"
IDLE_SECONDS = 75
"""How long a connection stays open without a request.

uvicorn's 5 s are just what httpx, and so the official clients, keep one for: the two would close it at the same moment
as the next request is sent, which then gets no answer.
"""

TICK_SECONDS = 0.1
"""How often uvicorn looks after what is due: ten ticks are a second in its own counting."""

LEAST_TICK_SECONDS = 0.001
"""How soon it is looked whether all has ended; each later look comes after twice as long."""

SHUTDOWN_SECONDS = 1
"""How long a request that is under way may go on after the server was told to stop."""


OnStop: TypeAlias = Callable[[], Awaitable[None]]


async def at_once() -> None:
    """Wait for nothing."""


def bind(host: str = LOOPBACK, port: int = 0) -> socket.socket:
    """Return a listening socket, on a free port if `port` is 0; raises OSError if the address is taken."""
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        # A port in TIME_WAIT is free; on Windows the option would allow taking a port that is in use.
        if hasattr(socket, "SO_REUSEPORT"):
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(2048)
    except OSError:
        listener.close()
        raise
    return listener


def url_of(listener: socket.socket) -> str:
    """Return where a socket can be reached from this machine, such as `http://127.0.0.1:8000`."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": LOOPBACK, "::": "::1"}.get(host, host)  # noqa: S104 - recognised here, never bound by default
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class _Server(uvicorn.Server):
    """uvicorn's server, with a call when it has started and one when it stops.

    Requests that are under way then have `patience` seconds, and so has what `on_stop` waits for.
    """

    def __init__(
        self, app: ASGIApp, on_start: Callable[[], None], on_stop: OnStop, patience: float = SHUTDOWN_SECONDS
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                lifespan="off",
                http=knowing_transport(AutoHTTPProtocol),
                ws="none",
                access_log=False,
                proxy_headers=False,
                log_level="error",
                log_config=None,
                server_header=False,
                headers=[("x-content-type-options", "nosniff"), ("cross-origin-resource-policy", "same-origin")],
                timeout_keep_alive=IDLE_SECONDS,
            )
        )
        self._on_start = on_start
        self._on_stop = on_stop
        self._patience = patience
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """End, from another thread."""
        self.should_exit = True
        if self._loop:
            with contextlib.suppress(RuntimeError):  # it has ended by itself
                self._loop.call_soon_threadsafe(self._stopping.set)

    async def main_loop(self) -> None:
        # As uvicorn's own, which would notice the end a tenth of a second late: much of what a short session takes.
        self._loop = asyncio.get_running_loop()
        ticks = itertools.count()
        while not await self.on_tick(next(ticks)):
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), TICK_SECONDS)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_start()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # As uvicorn's own, which rests for a tenth of a second even where nothing goes on. Requests that go on for too
        # long are answered; uvicorn would drop them, and print a traceback for each.
        loop = asyncio.get_running_loop()
        loop.call_later(self._patience, self._cut_off)
        settled = asyncio.ensure_future(self._on_stop())
        for listener in (*self.servers, *(sockets or ())):
            listener.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        end, pause = loop.time() + math.ceil(self._patience) + SHUTDOWN_SECONDS, LEAST_TICK_SECONDS
        while not self.force_exit and (not settled.done() or (self._goes_on() and loop.time() < end)):
            await asyncio.sleep(pause)
            pause = min(TICK_SECONDS, 2 * pause)
        settled.cancel()

    def _goes_on(self) -> bool:
        """Return whether a connection is open or a request under way."""
        return bool(self.server_state.connections or self.server_state.tasks)

    def _cut_off(self) -> None:
        for task in self.server_state.tasks:
            task.cancel()


def run(
    app: ASGIApp,
    listener: socket.socket,
    on_start: Callable[[], None] = lambda: None,
    on_stop: OnStop = at_once,
    patience: float = SHUTDOWN_SECONDS,
) -> None:
    """Serve in the foreground until a signal; `on_start` is called when requests are answered.

    Then requests that are under way, and what `on_stop` waits for, may take `patience` seconds, or until a second
    signal.
    """
    # uvicorn raises the signal again when it has shut down; to be stopped by one is not an error.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt):
        _Server(app, on_start, on_stop, patience).run([listener])


@contextlib.contextmanager
def running(app: ASGIApp, host: str = LOOPBACK, port: int = 0, on_stop: OnStop = at_once) -> Iterator[str]:
    """Serve in a thread for the length of a `with` block, which gets the server's URL; `on_stop` as in `run`."""
    listener = bind(host, port)
    started = threading.Event()
    server = _Server(app, started.set, on_stop)
    thread = threading.Thread(target=server.run, args=([listener],), name="vlmrun-mock", daemon=True)
    thread.start()
    try:
        started.wait()
        yield url_of(listener)
    finally:
        server.stop()
        thread.join()
        listener.close()


@contextlib.contextmanager
def beside(steps: Iterable[None], after: float = 0.0) -> Iterator[None]:
    """Take steps in a thread beside a `with` block, `after` so many seconds; once it ends, no further one is begun.

    The one under way is waited for: a thread that is killed inside a compiled library would abort the process.
    """
    stopped = threading.Event()

    def take() -> None:
        if stopped.wait(after):
            return
        for _ in steps:
            if stopped.is_set():
                return

    thread = threading.Thread(target=take, name="vlmrun-mock-steps")
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()
