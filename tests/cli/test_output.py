"""A command prints in any encoding, and nothing ends at a character that a terminal cannot show."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from vlmrun_mock.cli import main
from vlmrun_mock.cli.output import ESCAPING
from vlmrun_mock.fixtures.domains import packaged

CODE_PAGE = CliRunner(charset="cp437")  # what many a terminal of Windows has


def test_a_character_is_escaped_as_json_does() -> None:
    assert CODE_PAGE.invoke(main, ["--help"]).exit_code == 0

    assert "é 日 😀 \udcff".encode("ascii", ESCAPING) == rb"\u00e9 \u65e5 \ud83d\ude00 \udcff"
    assert json.loads('"é 日 😀"'.encode("ascii", ESCAPING)) == "é 日 😀"


def test_an_answer_stays_json_where_the_encoding_lacks_its_characters() -> None:
    known = packaged().get("document.bank-check")

    result = CODE_PAGE.invoke(main, ["domains", "document.bank-check"])

    assert known is not None
    assert "\\u" in result.stdout
    assert (result.exit_code, json.loads(result.stdout)) == (0, known.content)


@pytest.mark.parametrize("command", ["score", "hash", "documents", "check"])
def test_a_name_that_the_encoding_lacks_does_not_end_a_command(command: str, tmp_path: Path) -> None:
    (tmp_path / "日").mkdir()
    (tmp_path / "日/日.json").write_text('{"total": 1}', encoding="utf-8")
    folder, file = str(tmp_path / "日"), str(tmp_path / "日/日.json")
    arguments = {
        "score": [folder, str(tmp_path)],
        "hash": [file],
        "documents": ["document.bank-check", "--out", folder],
        "check": [folder],
    }

    result = CODE_PAGE.invoke(main, [command, *arguments[command]])

    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert "\\u65e5" in result.stdout
