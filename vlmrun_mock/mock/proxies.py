"""A proxy in the environment, and the variables that keep clients from sending it what is meant for the mock."""

from __future__ import annotations

from collections.abc import Mapping

PROXIES = ("http_proxy", "all_proxy")
EXEMPT = ("NO_PROXY", "no_proxy")
"""The variables that name hosts to ask without a proxy; clients read one or the other."""


def exempting(host: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that keep clients from asking a proxy for a host; none where no proxy is set."""
    # Of `os.environ`, a value takes longer to read than a name.
    if not any(environment[name] for name in environment if name.lower() in PROXIES):
        return {}
    given = next((environment[name] for name in reversed(EXEMPT) if environment.get(name)), "")
    hosts = [each.strip() for each in given.split(",") if each.strip()]
    return {} if {host, "*"} & set(hosts) else dict.fromkeys(EXEMPT, ",".join([*hosts, host]))
