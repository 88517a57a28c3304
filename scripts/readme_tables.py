"""Rewrite the README's tables that are made from the code: options, parameters without effect, old spellings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from vlmrun_mock.api.quirks import QUIRKS
from vlmrun_mock.fixtures.check.finding import CODES
from vlmrun_mock.fixtures.domains import ALIASES
from vlmrun_mock.mock.options import Command, Option, of_command
from vlmrun_mock.mock.verdict import FINDINGS

README = Path(__file__).parent.parent / "README.md"


def options(command: Command) -> Iterator[str]:
    yield "| option | variable | default | meaning |"
    yield "| --- | --- | --- | --- |"
    for option in of_command(command):
        variable = f"`{option.variable}`" if option.variable else "none"
        yield f"| `{option.written}{_value(option)}` | {variable} | {_default(option)} | {option.help} |"


def _value(option: Option) -> str:
    if option.kind == "flag":
        return ""
    return " " + ("\\|".join(option.words) or option.metavar or option.name.upper())


def _default(option: Option) -> str:
    if option.kind == "flag":
        return "off"
    return "none" if option.written_default is None else f"`{option.written_default}`"


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
        "options": options("serve"),
        "record options": options("record"),
        "drift options": options("drift"),
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
