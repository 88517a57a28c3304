"""A server in the foreground: what `serve` and `record` have in common."""

from __future__ import annotations

import contextlib
import gc
import socket
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from vlmrun_mock.fixtures.errors import FixtureFolderError
from vlmrun_mock.lazy import lazy
from vlmrun_mock.mock.settings import Settings

if TYPE_CHECKING:
    from vlmrun_mock.cli import console
    from vlmrun_mock.fixtures import watch as watcher
    from vlmrun_mock.mock import scopes as mock_scopes
    from vlmrun_mock.mock.scopes import Scopes
    from vlmrun_mock.web import app, server
else:
    console = lazy("vlmrun_mock.cli.console")
    watcher = lazy("vlmrun_mock.fixtures.watch")
    mock_scopes = lazy("vlmrun_mock.mock.scopes")
    app = lazy("vlmrun_mock.web.app")
    server = lazy("vlmrun_mock.web.server")


def run(
    settings: Settings, host: str, port: int, banner: Callable[[str, Scopes], str], *, watch: bool = False
) -> Scopes:
    """Serve until a signal, and return its scopes; what prevents the start is a clear end.

    `banner` makes what is printed first of the server's URL and its scopes.
    """
    scopes = _scopes(settings)
    listener = _bound(host, port, settings)
    url = server.url_of(listener)
    output = console.Console()

    def announce() -> None:
        output.log(banner(url, scopes))
        # What the first request will need is loaded beside the server's start, which does not wait for it.
        ending.enter_context(server.beside(_warmed(scopes)))
        if watch:
            ending.enter_context(watcher.watching(scopes.library, output.from_other_threads()))

    async def settle() -> None:
        waiting = scopes.everyone.recorder.waiting
        if waiting:
            what = "an answer" if waiting == 1 else f"{waiting} answers"
            output.log(f"Waiting for {what} of the upstream; Ctrl-C again does not.")
            output.flush()
            await scopes.everyone.recorder.settle()

    with contextlib.ExitStack() as ending:
        ending.callback(output.flush)
        application = app.application(scopes, log=output.log)
        if settings.record:
            server.run(application, listener, announce, settle, settings.timeout)
        else:
            server.run(application, listener, announce)
    return scopes


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


def _scopes(settings: Settings) -> Scopes:
    """Return the scopes of a server; a fixture that does not load is a clear end."""
    try:
        return mock_scopes.Scopes(settings)
    except FixtureFolderError as error:
        raise click.ClickException(f"fixtures do not load:\n{error}") from None
