"""`vlmrun-mock domains`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from vlmrun_mock.lazy import lazy

if TYPE_CHECKING:
    from vlmrun_mock.fixtures import domains as catalog
else:
    catalog = lazy("vlmrun_mock.fixtures.domains")

LONGEST_NAME = 100
"""How many characters of an unknown name an error repeats."""


@click.command()
@click.argument("domain", required=False)
def domains(domain: str | None) -> None:
    """List the domains, or print the packaged answer of one."""
    known = catalog.packaged()
    if domain is None:
        width = max(map(len, known.names()))
        for name in known.names():
            found = known.get(name)
            click.echo(f"{name:<{width}}  {found.description if found else ''}".rstrip())
        return
    found = known.get(domain)
    if found is None:
        closest = ", ".join(known.closest(domain))
        hint = f"; closest: {closest}" if closest else ""
        raise click.ClickException(f"unknown domain {domain[:LONGEST_NAME]!r}{hint}")
    click.echo(json.dumps(found.content, indent=2, ensure_ascii=False))
