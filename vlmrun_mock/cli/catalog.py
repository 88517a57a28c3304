"""`vlmrun-mock domains` and `vlmrun-mock hash`."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command()
@click.argument("domain", required=False)
def domains(domain: str | None) -> None:
    """List the domains, or print the packaged answer of one."""
    from vlmrun_mock.fixtures.domains import packaged  # noqa: PLC0415 - heavy: not imported by the other commands

    known = packaged()
    if domain is None:
        width = max(map(len, known.names()))
        for name in known.names():
            found = known.get(name)
            click.echo(f"{name:<{width}}  {found.description if found else ''}".rstrip())
        return
    found = known.get(domain)
    if found is None:
        closest = ", ".join(known.closest(domain))
        raise click.ClickException(f"unknown domain {domain[:100]!r}" + (f"; closest: {closest}" if closest else ""))
    click.echo(json.dumps(found.content, indent=2, ensure_ascii=False))


@click.command("hash")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def hash_(files: tuple[Path, ...]) -> None:
    """Print the identity of documents, as fixtures name them."""
    from vlmrun_mock.documents import identity  # noqa: PLC0415 - heavy: not imported by the other commands

    for file in files:
        try:
            click.echo(f"{identity.identity(file.read_bytes())}  {file}")
        except OSError as error:
            raise click.ClickException(f"cannot read {file}: {error.strerror}") from None
