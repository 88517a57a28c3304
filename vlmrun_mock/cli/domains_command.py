"""`vlmrun-mock domains`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from vlmrun_mock.cli.options import options_of
from vlmrun_mock.cli.output import watched
from vlmrun_mock.lazy import lazy
from vlmrun_mock.seed import Seed

if TYPE_CHECKING:
    from vlmrun_mock.fixtures import domains as catalog
    from vlmrun_mock.fixtures.domains import Domain, Domains
else:
    catalog = lazy("vlmrun_mock.fixtures.domains")

LONGEST_NAME = 100
"""How many characters of an unknown name an error repeats."""


@click.command()
@click.argument("domain", required=False)
@options_of("domains")
def domains(*, domain: str | None, vary: bool, seed: int, count: int | None, locale: str, layout: str) -> None:
    """List the domains, or print the packaged answer of one, or answers that are drawn for it."""
    known = catalog.packaged()
    if domain is None:
        if vary or count:
            raise click.UsageError("name the domain whose answers are to vary, such as document.invoice")
        width = max(map(len, known.names()))
        for name in known.names():
            found = known.get(name)
            click.echo(f"{name:<{width}}  {found.description if found else ''}".rstrip())
        return
    found = known_domain(known, domain)
    if count is not None:
        _print_many(_answers(found, seed, count, locale), count, layout)
    else:
        _print(found.varied(Seed(seed), locale=locale) if vary else found.content, layout)


def known_domain(known: Domains, name: str) -> Domain:
    """Return a domain by its name; for an unknown name raises click's exception, which names the closest."""
    found = known.get(name)
    if found is None:
        closest = ", ".join(known.closest(name))
        hint = f"; closest: {closest}" if closest else ""
        raise click.ClickException(f"unknown domain {name[:LONGEST_NAME]!r}{hint}")
    return found


def _answers(domain: Domain, seed: int, count: int, locale: str) -> Iterator[dict[str, Any]]:
    """Yield the answers of as many seeds as asked for, from the first on."""
    return (domain.varied(Seed(number), locale=locale) for number in range(seed, seed + count))


def _print(answer: Any, layout: str) -> None:
    click.echo(json.dumps(answer, indent=2 if layout == "json" else None, ensure_ascii=False))


def _print_many(answers: Iterator[dict[str, Any]], count: int, layout: str) -> None:
    """Print answers one by one."""
    opening, between, closing = ("[\n", ",\n", "\n]\n") if layout == "json" else ("", "\n", "\n")
    click.echo(opening, nl=False)
    for index, answer in enumerate(watched(answers, count, are_printed=True)):
        click.echo((between if index else "") + json.dumps(answer, ensure_ascii=False), nl=False)
    click.echo(closing, nl=False)
