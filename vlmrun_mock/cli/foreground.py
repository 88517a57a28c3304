"""A server in the foreground: what `serve` and `record` have in common."""

from __future__ import annotations

import contextlib
import gc
import ipaddress
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from vlmrun_mock.fixtures.errors import FixtureFolderError
from vlmrun_mock.helper import HELPER
from vlmrun_mock.lazy import lazy
from vlmrun_mock.mock.settings import Settings

if TYPE_CHECKING:
    import webbrowser

    from vlmrun_mock.cli import console
    from vlmrun_mock.cli.console import Console
    from vlmrun_mock.fixtures import watch as watcher
    from vlmrun_mock.mock import scopes as mock_scopes
    from vlmrun_mock.mock.scopes import Scopes
    from vlmrun_mock.web import app, malloc, server
    from vlmrun_mock.web.inspector import inspection as inspector_state
else:
    webbrowser = lazy("webbrowser")
    console = lazy("vlmrun_mock.cli.console")
    watcher = lazy("vlmrun_mock.fixtures.watch")
    mock_scopes = lazy("vlmrun_mock.mock.scopes")
    app = lazy("vlmrun_mock.web.app")
    malloc = lazy("vlmrun_mock.web.malloc")
    server = lazy("vlmrun_mock.web.server")
    inspector_state = lazy("vlmrun_mock.web.inspector.inspection")


QUIET_SECONDS = 0.5
"""How long after the start the first requests have the processor to themselves, before more is loaded beside them."""

COLLECTED = (50_000, 1, 400)
"""When Python looks for garbage in cycles: seldom, as no request makes any that is kept."""

SWITCH_SECONDS = 0.0001
"""How long a thread holds the interpreter while the event loop waits for it; Python's own 5 ms are felt by clients."""

EXPOSED = (
    "Warning: listening on {address}, other machines can reach this server, by its address or a name without a dot.\n"
    "--allow-host NAME lets them use a name with dots; leave out --host to listen on this machine alone."
)


@dataclass(frozen=True, slots=True)
class Inspector:
    """Whether the inspector keeps what it shows, at most `most_bytes`, and whether its page is opened.

    `wanted` is None where it is for the address to decide: what only this machine reaches is inspected.
    """

    wanted: bool | None = False
    most_bytes: int = 0
    opens: bool = False


NOT_INSPECTED = Inspector()


def run(
    settings: Settings,
    host: str,
    port: int,
    banner: Callable[[str, Scopes, Sequence[str]], str],
    *,
    watch: bool = False,
    inspector: Inspector = NOT_INSPECTED,
) -> Scopes:
    """Serve until a signal, and return its scopes; what prevents the start is a clear end.

    `banner` makes what is printed first of the server's URL, its scopes, and lines that it has to hold.
    """
    malloc.keep_freed_memory()
    scopes = _scopes(settings)
    listener = _bound(host, port, settings)
    url = server.url_of(listener)
    page = f"{url}/_mock/"
    output = console.Console()
    inspected = _is_loopback(listener) if inspector.wanted is None else inspector.wanted
    inspection = inspector_state.Inspection(inspector.most_bytes) if inspected else None

    def on_start() -> None:
        if not _is_loopback(listener):
            output.log(EXPOSED.format(address=_address(listener)))
        output.log(banner(url, scopes, [f"Look at the requests at {page}."] if inspection else []))
        if inspector.opens:
            # A browser that does not start at once must not hold up the server.
            threading.Thread(target=webbrowser.open, args=(page,), daemon=True).start()
        sys.setswitchinterval(SWITCH_SECONDS)
        ending.enter_context(HELPER.allowed())
        # What later requests will need is loaded beside the first, which load the little that they need.
        ending.enter_context(server.beside(_warmed(scopes), after=QUIET_SECONDS))
        if watch:
            ending.enter_context(watcher.watching(scopes.store, console.from_other_threads(on_reload)))

    def on_reload(line: str) -> None:
        output.log(line)
        if inspection:
            inspection.feed.tell("changed", {})

    with contextlib.ExitStack() as ending:
        ending.callback(output.flush)
        _end_with_the_terminal()
        application = app.application(scopes, log=output.log, inspection=inspection)
        if settings.record:
            server.run(application, listener, on_start, partial(_settle, scopes, output), settings.timeout)
        else:
            server.run(application, listener, on_start, inspection.feed.close if inspection else server.at_once)
    return scopes


async def _settle(scopes: Scopes, output: Console) -> None:
    """Wait for the answers of the upstream that are under way, so that they are recorded."""
    recorder = scopes.everyone.recorder
    if recorder.waiting:
        what = "an answer" if recorder.waiting == 1 else f"{recorder.waiting} answers"
        output.log(f"Waiting for {what} of the upstream; Ctrl-C again does not.")
        output.flush()
        await recorder.settle()


def _end_with_the_terminal() -> None:
    """Let a terminal that closes end the server as SIGTERM does, which loses no answer; not under `nohup`."""
    hangup = getattr(signal, "SIGHUP", None)  # Windows has none
    if hangup is not None and signal.getsignal(hangup) is not signal.SIG_IGN:
        signal.signal(hangup, lambda *_: signal.raise_signal(signal.SIGTERM))


def _bound(host: str, port: int, settings: Settings) -> socket.socket:
    """Return a listening socket; ends the command if there can be none."""
    try:
        listener = server.bind(host, port)
    except (OSError, UnicodeError) as error:  # the latter: a name that cannot be one
        reason = getattr(error, "strerror", None) or error
        raise click.ClickException(f"cannot listen on {host:.100}:{port}: {reason}") from None
    if settings.record and _is_at(settings.upstream, listener):
        listener.close()
        raise click.ClickException(f"{settings.upstream} is this recorder itself: give the real API to --upstream")
    return listener


def _is_loopback(listener: socket.socket) -> bool:
    """Return whether only this machine reaches a socket."""
    return ipaddress.ip_address(listener.getsockname()[0].partition("%")[0]).is_loopback


def _address(listener: socket.socket) -> str:
    """Return where a socket listens, such as `0.0.0.0:8000`."""
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _is_at(url: str, listener: socket.socket) -> bool:
    """Return whether a URL leads to a socket of this machine."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return port == listener.getsockname()[1] and parts.hostname in (
        "localhost",
        *listener.getsockname()[:1],
        "127.0.0.1",
        "::1",
    )


def _warmed(scopes: Scopes) -> Iterator[None]:
    """Load what requests will need, and then take all that is loaded out of the garbage collector's rounds.

    It lives as long as the server; 10,000 fixtures would hold up requests by 0.2 s at each round.
    """
    if scopes.everyone.records:
        scopes.everyone.recorder.warm()
        yield
    yield from scopes.everyone.warm()
    gc.freeze()
    gc.set_threshold(*COLLECTED)


def _scopes(settings: Settings) -> Scopes:
    """Return the scopes of a server; a fixture that does not load is a clear end."""
    try:
        return mock_scopes.Scopes(settings)
    except FixtureFolderError as error:
        raise click.ClickException(f"fixtures do not load:\n{error}") from None
