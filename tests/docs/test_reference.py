"""The reference is in step with the code, and names all that a user can type, send or receive."""

from __future__ import annotations

import re

import click
import pytest
from starlette.routing import Route

from scripts.reference import (
    ALIASES,
    CODES,
    FAULTS,
    FINDINGS,
    HEADERS,
    KINDS,
    PAGES,
    QUIRKS,
    REFERENCE,
    ROOT,
    ROUTES,
    Scopes,
    cli,
    errors,
    packaged,
    rendered,
    routes,
)


def page(name: str) -> str:
    """Return a page of the reference."""
    return (REFERENCE / f"{name}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_what_the_script_writes(name: str) -> None:
    assert page(name) == rendered(name), "run python -m scripts.reference"


def test_the_folder_has_no_other_page() -> None:
    assert {path.stem for path in REFERENCE.iterdir()} == set(PAGES)


def test_every_command_option_and_variable_is_named() -> None:
    text = page("commands")
    options = [
        option for name in cli.COMMANDS for option in cli.command(name).params if isinstance(option, click.Option)
    ]

    assert len(options) >= 30
    assert all(f"\n## {name}\n" in text for name in cli.COMMANDS)
    for option in options:
        assert f"`{option.opts[0]}`" in text
        assert not option.envvar or f"`{option.envvar}`" in text


def test_every_route_is_named_and_every_name_is_a_route() -> None:
    known = {
        f"{method} {route.path.replace(':path', '')}"
        for route in routes(Scopes())
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    }

    assert known == set(ROUTES)
    assert all(f"| `{pair}` |" in page("routes") for pair in known)


def test_every_header_that_the_mock_adds_is_named() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "vlmrun_mock").rglob("*.py"))

    found = set(re.findall(r'b?"(x-[a-z-]+)"', sources)) - {"x-api-key", "x-should-retry"}  # those of others

    assert found == {header for header in HEADERS if header.startswith("x-")}
    assert all(f"| `{header}` |" in page("headers") for header in found)


def test_every_error_is_named_with_its_status_and_code() -> None:
    kinds = [getattr(errors, name) for name in errors.__all__]
    found = [kind for kind in kinds if issubclass(kind, errors.ApiError) and kind is not errors.ApiError]

    assert len(found) >= 13
    for kind in found:
        status = "any" if kind is errors.ScriptedError else kind.status
        assert f"| {status} | `{kind.code}` |" in page("errors")


def test_every_fault_is_named_and_every_name_is_a_fault() -> None:
    assert set(KINDS) == set(FAULTS)
    assert all(f"| `{kind}` |" in page("faults") for kind in KINDS)


@pytest.mark.parametrize(
    ("name", "entries"),
    [
        ("quirks", [quirk.parameter for quirk in QUIRKS]),
        ("findings", [*CODES, *FINDINGS]),
        ("domains", [*packaged().names(), *ALIASES]),
    ],
)
def test_every_entry_of_a_table_in_the_code_is_named(name: str, entries: list[str]) -> None:
    assert len(entries) >= 10
    assert all(f"| `{entry}` |" in page(name) for entry in entries)
