"""`vlmrun-mock check` tells people, programs and GitHub what is wrong, and nobody what to do with a terminal."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import vlmrun.hub.registry
from click.testing import CliRunner

from tests.conftest import Put
from tests.process import ROOT, run
from vlmrun_mock.cli import main
from vlmrun_mock.fixtures.domains import packaged

Write = Callable[[str, str | bytes], Path]

INVOICE = "document.invoice"
HELLO: dict[str, Any] = {"content": "hello"}
HUB = f"vlmrun-hub {packaged().hub['version']}"
ENDED = f"checked against {HUB} (installed)"
MISSPELT = (
    "there is no domain document.invoce; the closest is document.invoice: name it, unless document.invoce is one of "
    "your own"
)
WRONG_TYPE = f'5 is not of type "string", by the schema of document.invoice ({HUB})'


def invoke(*arguments: str | Path, **changes: str) -> tuple[int, str]:
    """Run `check` in this process; return its exit status and its output. There are no errors beside it."""
    result = CliRunner().invoke(main, ["check", *map(str, arguments)], env=changes, catch_exceptions=False)
    assert result.stderr == ""
    return result.exit_code, result.stdout


@pytest.fixture
def within(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the test's folder, in which it stands."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def wrong(within: Path, put: Put) -> Path:
    """Return a folder, named `fixtures`, with an error, a warning, and an error without a place."""
    put("fixtures/a.json", {"content": {"invoice_id": 5}}, domain=INVOICE)
    put("fixtures/sub/b.json", HELLO, domain="document.invoce")
    (within / "fixtures" / "c.json").write_text("{", encoding="utf-8")
    return within


def test_if_all_is_well_there_is_only_the_summary(tmp_path: Path, put: Put) -> None:
    put("a.json", {"content": {"invoice_id": "1"}}, domain=INVOICE)

    assert invoke(tmp_path) == (0, f"1 fixture {ENDED}: all is well.\n")
    assert invoke(tmp_path, "--format", "github") == invoke(tmp_path)


@pytest.mark.usefixtures("wrong")
def test_each_finding_is_a_line_and_the_end_a_summary() -> None:
    status, output = invoke("fixtures")

    assert status == 1
    assert output.splitlines() == [
        f"error: fixtures/a.json: answer.content.invoice_id: {WRONG_TYPE} [schema]",
        "error: fixtures/c.json: is not JSON: EOF while parsing an object at line 1 column 1 [malformed]",
        f"warning: fixtures/sub/b.json: match.domain: {MISSPELT} [unknown_domain]",
        f"3 fixtures {ENDED}: 2 errors and 1 warning.",
    ]


@pytest.mark.usefixtures("within")
def test_a_warning_is_no_failure(put: Put) -> None:
    put("fixtures/a.json", HELLO, domain="document.invoce")

    status, output = invoke("fixtures")

    assert (status, output.splitlines()[-1]) == (0, f"1 fixture {ENDED}: 1 warning.")


@pytest.mark.usefixtures("wrong")
def test_a_program_gets_json_and_nothing_else() -> None:
    status, output = invoke("fixtures", "--format", "json")

    data = json.loads(output)
    assert status == 1
    assert (data["ok"], data["files"], data["hub"]) == (False, 3, f"{HUB} (installed)")
    assert data["findings"][0] == {
        "file": "fixtures/a.json",
        "place": "answer.content.invoice_id",
        "code": "schema",
        "level": "error",
        "message": WRONG_TYPE,
    }
    assert [(each["file"], each["level"]) for each in data["findings"][1:]] == [
        ("fixtures/c.json", "error"),
        ("fixtures/sub/b.json", "warning"),
    ]


@pytest.mark.usefixtures("wrong")
def test_github_gets_annotations() -> None:
    status, output = invoke("fixtures", VLMRUN_MOCK_FORMAT="github")

    lines = output.splitlines()
    assert status == 1
    assert lines[0] == (
        f"::error file=fixtures/a.json,title=vlmrun-mock check (schema)::answer.content.invoice_id: {WRONG_TYPE}"
    )
    assert lines[1].startswith("::error file=fixtures/c.json,title=vlmrun-mock check (malformed)::is not JSON")
    assert lines[2].startswith(
        "::warning file=fixtures/sub/b.json,title=vlmrun-mock check (unknown_domain)::match.domain: "
    )
    assert lines[3:] == [f"3 fixtures {ENDED}: 2 errors and 1 warning."]


def _decoded(text: str) -> str:
    """Return a property of a workflow command as GitHub reads it."""
    for code, character in (("%2C", ","), ("%3A", ":"), ("%0A", "\n"), ("%0D", "\r"), ("%25", "%")):
        text = text.replace(code, character)
    return text


@pytest.mark.skipif(sys.platform == "win32", reason="its file systems refuse such a name")
@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("100%,of:it.json", "100%,of:it.json"),
        ("%0A::error::x.json", "%0A::error::x.json"),
        ("::warning::x.json", "::warning::x.json"),
        ("a\n::error::x.json", "a\\n::error::x.json"),
        ("a\r::error::x.json", "a\\r::error::x.json"),
        ("\x1b[31mred\x07.json", "\\x1b[31mred\\x07.json"),
        ("##[error]x.json", "#\\x23[error]x.json"),
        ("\u202egnp.json", "\\u202egnp.json"),
        ("Köln 東京.json", "Köln 東京.json"),
    ],
)
@pytest.mark.usefixtures("within")
def test_what_a_file_is_called_is_never_obeyed(put: Put, name: str, shown: str) -> None:
    put(name, {"content": {"invoice_id": 5}}, domain=INVOICE)

    _, text = invoke(".")
    _, annotated = invoke(".", "--format", "github")
    _, data = invoke(".", "--format", "json")

    found = re.fullmatch(r"::error file=([^:,]*),title=[^:,]*::.*", annotated.splitlines()[0])
    assert text.splitlines()[0] == f"error: {shown}: answer.content.invoice_id: {WRONG_TYPE} [schema]"
    assert found is not None
    assert _decoded(found[1]) == shown
    assert [len(each.splitlines()) for each in (text, annotated)] == [2, 2]
    assert all(line.isprintable() for line in (*text.splitlines(), *annotated.splitlines()))
    assert data.isascii()
    assert len(json.loads(data)["findings"]) == 1


@pytest.mark.usefixtures("within")
def test_what_a_fixture_says_is_never_obeyed(put: Put) -> None:
    evil = "\r\n::error::pwned\n##[error]pwned\x1b[2J\x9b31m\u2028"
    put("a.json", {"content": {"invoice_id": [evil], evil: 100}}, domain=INVOICE)
    put("b.json", HELLO, **{evil: 1})

    for layout in ("text", "github"):
        status, output = invoke(".", "--format", layout)

        lines = output.splitlines()
        assert status == 1
        assert len(lines) == 4
        assert all(line.isprintable() for line in lines)
        assert "##[" not in output
        assert [line.split("::")[1][:5] for line in lines if line.startswith("::")] == ["error"] * 3 * (
            layout == "github"
        )


def test_the_first_folder_wins(tmp_path: Path, put: Put) -> None:
    put("one/a.json", HELLO, domain=INVOICE)
    put("two/b.json", HELLO, domain=INVOICE, model="vlm-1")

    assert invoke(tmp_path / "one", tmp_path / "two")[0] == 1
    assert invoke(tmp_path / "two", tmp_path / "one")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ([], "Missing argument 'DIR...'"),
        (["/nonexistent"], "Directory '/nonexistent' does not exist"),
        ([__file__], "is a file"),
        ([".", "/nonexistent"], "Directory '/nonexistent' does not exist"),
        ([".", "--format", "yaml"], "'yaml' is not one of 'text', 'json', 'github'"),
        ([".", "--fix"], "--fix"),
    ],
)
def test_what_cannot_be_checked_is_a_clear_line_and_exit_status_2(arguments: list[str], named: str) -> None:
    result = CliRunner().invoke(main, ["check", *arguments])

    assert (result.exit_code, result.stdout) == (2, "")
    assert named in result.stderr.splitlines()[-1]


def test_a_bad_environment_variable_is_as_clear(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["check", str(tmp_path)], env={"VLMRUN_MOCK_FORMAT": "yaml"})

    assert result.exit_code == 2
    assert "'--format'" in result.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    "layout", ["text", *(pytest.param(each, marks=pytest.mark.campaign) for each in ("json", "github"))]
)
def test_check_escapes_what_a_terminal_cannot_show_and_silences_the_hub(tmp_path: Path, put: Put, layout: str) -> None:
    put("東京.json", {"content": {"invoice_id": 5}}, domain=INVOICE)

    ended = run("check", str(tmp_path), "--format", layout, PYTHONIOENCODING="latin-1")

    assert (ended.returncode, ended.stderr) == (1, "")
    assert "/\\u6771\\u4eac.json" in ended.stdout
    assert "Loaded schemas" not in ended.stdout
    assert f"{HUB} (installed)" in ended.stdout


def drifted(folder: Path) -> str:
    """Put a copy of the installed vlmrun-hub into a folder, as a later release; return a path that finds it first."""
    hub = folder / "vlmrun" / "hub"
    shutil.copytree(Path(str(vlmrun.hub.registry.__file__)).parent, hub, ignore=shutil.ignore_patterns("__pycache__"))
    changes = {
        hub / "version.py": {f'"{packaged().hub["version"]}"': '"0.9.0"'},
        hub / "schemas" / "document" / "invoice.py": {
            "issuer_name: Optional[str]": "issuer_full_name: Optional[str]",
            "total_amount: Optional[float]": "total_amount: Optional[str]",
            "quantity: Optional[float]": "amount: Optional[float]",
        },
    }
    for path, replaced in changes.items():
        code = path.read_text(encoding="utf-8")
        for before, after in replaced.items():
            assert code.count(before) == 1
            code = code.replace(before, after)
        path.write_text(code, encoding="utf-8")
    return os.pathsep.join([str(folder), str(ROOT)])


def test_a_new_release_of_the_hub_shows_exactly_what_has_drifted(tmp_path: Path, put: Put) -> None:
    for name in packaged().names():
        shutil.copytree(
            ROOT / "fixtures" / name,
            tmp_path / "all" / name,
            ignore=shutil.ignore_patterns("schema.json", "relations.json"),
        )
    put("one/a.json", {"content": {"invoice_id": "1", "issuer_name": "Acme", "total_amount": 5}}, domain=INVOICE)
    put("one/b.json", {"content": {"invoice_id": "1", "total_amount": None}}, domain=INVOICE, model="vlm-1")
    path = drifted(tmp_path / "later")

    before = invoke(tmp_path / "all", "--format", "json")
    after = run("check", str(tmp_path / "all"), "--format", "json", PYTHONPATH=path)
    text = run("check", str(tmp_path / "one"), PYTHONPATH=path)

    items = len(json.loads((ROOT / "fixtures" / INVOICE / "answer.json").read_bytes())["answer"]["content"]["items"])
    found = [(each["place"], each["code"]) for each in json.loads(after.stdout)["findings"]]
    assert (before[0], json.loads(before[1])["findings"]) == (0, [])
    assert (after.returncode, after.stderr) == (1, "")
    assert found == [
        ("answer.content.issuer_name", "unknown_field"),
        *((f"answer.content.items.{index}.quantity", "unknown_field") for index in range(items)),
        ("answer.content.total_amount", "schema"),
    ]
    called, later = (
        f"error: {tmp_path / 'one' / 'a.json'}: answer.content",
        "the schema of document.invoice (vlmrun-hub 0.9.0)",
    )
    renamed = f"there is no such field in {later}; the closest is issuer_full_name: rename it, or remove it"
    assert text.stdout.splitlines() == [
        f"{called}.issuer_name: {renamed} [unknown_field]",
        f'{called}.total_amount: 5 is not of type "string", by {later} [schema]',
        "2 fixtures checked against vlmrun-hub 0.9.0 (installed): 2 errors.",
    ]


def test_a_hub_that_cannot_be_used_is_told_in_the_summary(tmp_path: Path, put: Put, write: Write) -> None:
    put("fixtures/a.json", HELLO, domain=INVOICE)
    write("later/vlmrun/hub/registry.py", 'raise RuntimeError("\\x1b[31m\\n::error::pwned")')
    path = os.pathsep.join([str(tmp_path / "later"), str(ROOT)])

    ended = run("check", str(tmp_path / "fixtures"), "--format", "github", PYTHONPATH=path)

    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == (
        f"1 fixture checked against {HUB} (packaged; the installed one cannot be used: RuntimeError: "
        "\\x1b[31m\\n::error::pwned): all is well.\n"
    )
