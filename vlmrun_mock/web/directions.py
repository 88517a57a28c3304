"""The way to the right route for a client whose base URL is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from starlette.types import Scope

from vlmrun_mock.address import Address
from vlmrun_mock.lazy import lazy

if TYPE_CHECKING:
    import difflib
else:
    difflib = lazy("difflib")

OPENAI_BASE = "/v1/openai"
VLMRUN_BASE = "/v1"

OPENAI_ROUTES = (f"{OPENAI_BASE}/chat/completions", f"{OPENAI_BASE}/models")

LIKE = 0.75
"""How alike a path and a route are at least, from 0 to 1, for the one to be named for the other."""

LONGEST_PATH = 200
"""Characters of a path that are compared."""


def canonical(path: str) -> str:
    """Return a path without repeated slashes and without one at its end, as base URLs put together make them."""
    if not path.endswith("/") and "//" not in path:
        return path
    return "/" + "/".join(step for step in path.split("/") if step)


def base_urls(scope: Scope) -> dict[str, str]:
    """Return the base URLs of the official clients by their variables, as a request reached this server.

    The scheme is that of the connection: a header such as `X-Forwarded-Proto` is anyone's to send.
    """
    host = dict(scope["headers"]).get(b"host", b"localhost").decode("latin-1")
    return Address(f"{scope.get('scheme', 'http')}://{host}", "").base_urls


def directions(scope: Scope, routes: Sequence[str]) -> str:
    """Return a sentence with the route that is nearest to a request's path and the base URL that leads there.

    `routes` are pairs such as `GET /v1/models`; one of the request's own method is nearer than others.
    """
    method, path = scope["method"], scope["path"]
    nearness = {route: _nearness(method, path, route) for route in routes}
    nearest = max(nearness.values())
    found, alike = _most_alike(path, [route for route in routes if nearness[route] == nearest])
    shared, _ = nearest
    if not shared and alike < LIKE:
        if path.startswith(OPENAI_BASE):
            there = " and ".join(route for route in routes if route.partition(" ")[2] in OPENAI_ROUTES)
            return f"Of OpenAI's API this server has {there}."
        return "GET / says what this server is and which base URLs it has."
    target = found.partition(" ")[2]
    base, variable = (VLMRUN_BASE, "VLMRUN_BASE_URL")
    if target.startswith(OPENAI_BASE):
        base, variable = (OPENAI_BASE, "OPENAI_BASE_URL")
    # What a client asks for below the right base URL is no matter of that.
    below = target.startswith(base) and shared >= len(target.removeprefix(base).strip("/").split("/"))
    return f"The nearest route is {found}" + (
        f"; set the client's base URL to {base_urls(scope)[variable]}." if below else "."
    )


def _nearness(method: str, path: str, route: str) -> tuple[int, bool]:
    """Return how many last steps a path shares with a route, and whether it has the method."""
    verb, _, target = route.partition(" ")
    steps = [step for step in path[-LONGEST_PATH:].split("/") if step]
    wanted = [step for step in target.split("/") if step]
    shared = 0
    while shared < min(len(steps), len(wanted)) and steps[-1 - shared] == wanted[-1 - shared]:
        shared += 1
    return shared, verb == method


def _most_alike(path: str, routes: Sequence[str]) -> tuple[str, float]:
    """Return the first of the routes that are most like a path, and how alike they are, from 0 to 1."""
    found, most = routes[0], -1.0
    for route in routes:
        matcher = difflib.SequenceMatcher(None, path[-LONGEST_PATH:], route.partition(" ")[2])
        # An upper bound costs a fraction of the ratio itself, and rules out nearly every route.
        if matcher.quick_ratio() > most and (alike := matcher.ratio()) > most:
            found, most = route, alike
    return found, most
