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
from vlmrun_mock.mock.settings import Settings

if TYPE_CHECKING:
    from vlmrun_mock.mock.scopes import Scopes


def run(
    settings: Settings, host: str, port: int, banner: Callable[[str, Scopes], str], *, watch: bool = False
) -> Scopes:
    """Serve until a signal, and return the server's mocks; what prevents the start is a clear end.

    `banner` makes what is printed first of the server's URL and its mocks.
    """
    # Heavy: not imported by the other commands.
    from vlmrun_mock.cli.console import Console  # noqa: PLC0415
    from vlmrun_mock.web import server  # noqa: PLC0415
    from vlmrun_mock.web.app import application  # noqa: PLC0415

    scopes = _scopes(settings)
    listener = _bound(host, port, settings)
    url = server.url_of(listener)
    console = Console()

    def announce() -> None:
        console.log(banner(url, scopes))
        # What the first request will need is loaded beside the server's start, which does not wait for it.
        ending.enter_context(server.beside(_warmed(scopes)))
        if watch:
            from vlmrun_mock.fixtures.watch import watching  # noqa: PLC0415 - heavy: only with --watch

            ending.enter_context(watching(scopes.library, console.from_other_threads()))

    async def settle() -> None:
        waiting = scopes.everyone.recorder.waiting
        if waiting:
            what = "an answer" if waiting == 1 else f"{waiting} answers"
            console.log(f"Waiting for {what} of the upstream; Ctrl-C again does not.")
            console.flush()
            await scopes.everyone.recorder.settle()

    with contextlib.ExitStack() as ending:
        ending.callback(console.flush)
        application_ = application(scopes, log=console.log)
        if settings.record:
            server.run(application_, listener, announce, settle, settings.timeout)
        else:
            server.run(application_, listener, announce)
    return scopes


def _bound(host: str, port: int, settings: Settings) -> socket.socket:
    """Return a listening socket; ends the command if there can be none."""
    from vlmrun_mock.web import server  # noqa: PLC0415 - heavy: not imported by the other commands

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
    """Return a server's mocks; a fixture that does not load is a clear end."""
    from vlmrun_mock.mock.scopes import Scopes  # noqa: PLC0415 - heavy: not imported by the other commands

    try:
        return Scopes(settings)
    except FixtureFolderError as error:
        raise click.ClickException(f"fixtures do not load:\n{error}") from None
