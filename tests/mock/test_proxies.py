"""Where the environment names a proxy, clients are told to ask the mock without it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from vlmrun_mock.mock.proxies import exempting

HOST = "127.0.0.1"
BOTH = {"NO_PROXY": HOST, "no_proxy": HOST}


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "Http_Proxy"])
def test_a_proxy_of_any_spelling_is_passed_by(name: str) -> None:
    assert exempting(HOST, {name: "http://proxy.example:3128"}) == BOTH


@pytest.mark.parametrize("environment", [{}, {"HTTP_PROXY": ""}, {"HTTPS_PROXY": "http://proxy.example:3128"}])
def test_without_a_proxy_for_plain_http_the_environment_stays(environment: Mapping[str, str]) -> None:
    assert exempting(HOST, environment) == {}


@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
def test_the_hosts_that_are_exempt_stay_exempt(name: str) -> None:
    environment = {"HTTP_PROXY": "http://proxy.example:3128", name: "internal.example, .corp"}

    assert exempting(HOST, environment) == dict.fromkeys(BOTH, f"internal.example,.corp,{HOST}")


@pytest.mark.parametrize("given", [HOST, f"a.example,{HOST}", "*"])
def test_an_exempt_host_needs_nothing(given: str) -> None:
    assert exempting(HOST, {"HTTP_PROXY": "http://proxy.example:3128", "NO_PROXY": given}) == {}
