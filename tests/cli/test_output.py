"""A command prints in any encoding, and nothing ends at a character that a terminal cannot show."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from vlmrun_mock.cli import main
from vlmrun_mock.fixtures.domains import packaged

CODE_PAGE = CliRunner(charset="cp437")  # what many a terminal of Windows has


def test_a_character_is_escaped_as_json_does(tmp_path: Path) -> None:
    (tmp_path / "é日😀").write_bytes(b"a document")

    printed = CODE_PAGE.invoke(main, ["hash", str(tmp_path / "é日😀")]).stdout

    name = printed.strip().rpartition("/")[2]
    assert name == "é\\u65e5\\ud83d\\ude00"
    assert json.loads(f'"{name}"') == "é日😀"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a file's name is text")
@pytest.mark.parametrize("charset", ["cp437", "utf-8"])
def test_the_bytes_of_a_file_s_name_are_printed_as_they_are(charset: str, tmp_path: Path) -> None:
    (tmp_path / "\udcff").write_bytes(b"a document")

    result = CliRunner(charset=charset).invoke(main, ["hash", str(tmp_path / "\udcff")])

    assert result.stdout_bytes.endswith(b"/\xff\n")


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
