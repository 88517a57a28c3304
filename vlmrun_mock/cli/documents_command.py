"""`vlmrun-mock documents`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import click

from vlmrun_mock.cli.domains_command import known_domain
from vlmrun_mock.cli.options import options_of
from vlmrun_mock.cli.output import watched
from vlmrun_mock.display import count as counted
from vlmrun_mock.documents.appearance import Format, Strength, Style
from vlmrun_mock.lazy import lazy

if TYPE_CHECKING:
    from vlmrun_mock.documents import printer
    from vlmrun_mock.fixtures import domains as catalog
    from vlmrun_mock.fixtures import printed
    from vlmrun_mock.fixtures.printed import Press, PrintedDocument
    from vlmrun_mock.schema import references
else:
    catalog = lazy("vlmrun_mock.fixtures.domains")
    printer = lazy("vlmrun_mock.documents.printer")
    printed = lazy("vlmrun_mock.fixtures.printed")
    references = lazy("vlmrun_mock.schema.references")

Kind: TypeAlias = "Callable[[int], PrintedDocument]"
"""A function that prints the document of one kind for a seed."""


@click.command()
@click.argument("domains", metavar="[DOMAIN]...", nargs=-1)
@options_of("documents")
def documents(
    *,
    domains: Sequence[str],
    schemas: Sequence[Path],
    count: int,
    seed: int,
    file_format: Format,
    style: Style | None,
    locale: str,
    scan: Strength | None,
    fonts: Sequence[Path],
    out: Path,
) -> None:
    """Print documents of domains, and beside each the fixture that answers what is printed on it."""
    if not domains and not schemas:
        raise click.UsageError("name a domain, such as document.invoice, or a file with --schema")
    if len({path.stem for path in schemas}) < len(schemas):
        raise click.UsageError("two schemas have the same file name, and so would their documents: rename one")
    try:
        press = printed.Press(printer.Printer(fonts), file_format, locale, style, scan)
        known = catalog.packaged()
        named = {domain.id: domain for domain in (known_domain(known, name) for name in domains)}
        kinds: list[Kind] = [partial(press.of_domain, domain) for domain in named.values()]
        kinds += [partial(_of_schema, press, path, _schema(path)) for path in schemas]
        printing = (kind(number) for kind in kinds for number in range(seed, seed + count))
        written = [document.save(out) for document in watched(printing, len(kinds) * count)]
    except printer.PrintingError as problem:
        raise click.ClickException(str(problem)) from None
    except OSError as error:
        raise click.ClickException(f"{out} cannot be written to: {error.strerror}") from None
    click.echo(f"{counted(len(written), 'document')} in {out}; vlmrun-mock serve --fixtures {out} answers for them.")


def _schema(path: Path) -> dict[str, Any]:
    try:
        schema = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise click.ClickException(f"{path} is not JSON: {error}") from None
    if not isinstance(schema, dict):
        raise click.ClickException(f"{path} is no JSON Schema: it should be an object")
    return schema


def _of_schema(press: Press, path: Path, schema: Mapping[str, Any], seed: int) -> PrintedDocument:
    try:
        return press.of_schema(schema, path.stem, seed)
    except references.SchemaProblem as problem:
        raise click.ClickException(f"{path}: {problem}") from None
