"""`vlmrun-mock hash`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vlmrun_mock.lazy import lazy

if TYPE_CHECKING:
    from vlmrun_mock.documents import identity
else:
    identity = lazy("vlmrun_mock.documents.identity")


@click.command("hash")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def hash_(files: tuple[Path, ...]) -> None:
    """Print the identity of documents, as fixtures name them."""
    for file in files:
        try:
            if not file.is_file():
                raise OSError(
                    None, "it is not a file: a pipe or a device may never end; save what it gives, and name that"
                )
            click.echo(f"{identity.identity(file.read_bytes())}  {file}")
        except OSError as error:
            raise click.ClickException(f"cannot read {file}: {error.strerror}") from None
