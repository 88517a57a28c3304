"""Rewrite the README's tables that are made from the code: options, parameters without effect, old spellings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click

from vlmrun_mock.api.quirks import QUIRKS
from vlmrun_mock.cli import drift, record, serve
from vlmrun_mock.fixtures.check.finding import CODES
from vlmrun_mock.fixtures.domains import ALIASES
from vlmrun_mock.mock.verdict import FINDINGS

README = Path(__file__).parent.parent / "README.md"


def options(command: click.Command) -> Iterator[str]:
    yield "| option | variable | default | meaning |"
    yield "| --- | --- | --- | --- |"
    for option in command.params:
        if isinstance(option, click.Option):
            name, value = option.opts[0], _value(option)
            yield f"| `{name}{value}` | {_variable(option)} | {_default(option)} | {option.help} |"


def _variable(option: click.Option) -> str:
    return f"`{option.envvar}`" if option.envvar else "none"


def _value(option: click.Option) -> str:
    if option.is_flag:
        return ""
    if isinstance(option.type, click.Choice):
        return " " + "\\|".join(option.type.choices)
    return f" {option.metavar or option.opts[0].lstrip('-').split('-')[-1].upper()}"


def _default(option: click.Option) -> str:
    shown = option.show_default if isinstance(option.show_default, str) else option.default
    return f"`{shown}`" if option.show_default else "off" if option.is_flag else "none"


def quirks() -> Iterator[str]:
    yield "| parameter | documented | where | what happens | asks for nothing |"
    yield "| --- | --- | --- | --- | --- |"
    for quirk in QUIRKS:
        neutral = ", ".join(f"`{_json(value)}`" for value in quirk.neutral)
        if quirk.supported:
            neutral += ", or a limit that the output does not reach"
        yield f"| `{quirk.parameter}` | {quirk.documented} | {quirk.source} | {quirk.effect} | {neutral} |"


def _json(value: object) -> str:
    return {"None": "null", "False": "false"}.get(str(value), str(value))


def aliases() -> Iterator[str]:
    yield "| old spelling | domain |"
    yield "| --- | --- |"
    for old, new in ALIASES.items():
        yield f"| `{old}` | `{new}` |"


def findings() -> Iterator[str]:
    yield "| finding | the client |"
    yield "| --- | --- |"
    for code, meaning in FINDINGS.items():
        yield f"| `{code}` | {meaning} |"


def codes() -> Iterator[str]:
    yield "| code | meaning |"
    yield "| --- | --- |"
    for code, meaning in CODES.items():
        yield f"| `{code}` | {meaning} |"


def rendered(text: str) -> str:
    """Return the README with its tables made anew."""
    tables = {
        "options": options(serve),
        "record options": options(record),
        "drift options": options(drift),
        "quirks": quirks(),
        "aliases": aliases(),
        "findings": findings(),
        "codes": codes(),
    }
    for name, table in tables.items():
        begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
        made = begin + "\n".join(table) + "\n" + end
        text = re.sub(f"{begin}.*?{end}", lambda _, made=made: made, text, flags=re.DOTALL)  # type: ignore[misc]  # mypy cannot type the default
    return text


def main() -> None:
    README.write_text(rendered(README.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
