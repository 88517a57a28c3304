"""`vlmrun-mock documents` writes documents, and beside each the fixture that answers what is printed on it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from click.testing import CliRunner
from PIL import Image

from vlmrun_mock.cli import main
from vlmrun_mock.fixtures import loader
from vlmrun_mock.fixtures.domains import packaged
from vlmrun_mock.seed import Seed

CHECK = "document.bank-check"


def invoke(*arguments: str | Path, **variables: str) -> tuple[int, str]:
    """Run the command in this process; return its exit status and all that it prints."""
    result = CliRunner().invoke(main, ["documents", *map(str, arguments)], env=variables, catch_exceptions=False)
    return result.exit_code, result.output


def fixture(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_each_document_stands_beside_a_fixture_with_its_answer_and_boxes(tmp_path: Path) -> None:
    status, output = invoke(CHECK, "--count", "2", "--seed", "7", "--out", tmp_path / "out")

    domain = packaged().get(CHECK)
    assert domain is not None
    assert (status, output.partition(" in ")[0]) == (0, "2 documents")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        f"{CHECK}-{seed}.{kind}" for seed in ("0007", "0008") for kind in ("json", "pdf")
    ]
    body = fixture(tmp_path / f"out/{CHECK}-0008.json")
    assert body["match"] == {"domain": CHECK, "documents": [f"{CHECK}-0008.pdf"]}
    assert body["answer"]["content"] == domain.varied(Seed(8))
    assert body["answer"]["boxes"]["/payee"][0]["page"] == 0
    assert len(loader.load([tmp_path / "out"], packaged())) == 2


def test_variables_say_what_options_would(tmp_path: Path) -> None:
    values = {"SEED": "7", "LOCALE": "de_DE", "SCAN": "light", "STYLE": "modern"}
    own = {"COUNT": "2", "FORMAT": "png", "OUT": str(tmp_path / "by variables")}
    options = [word for name, value in values.items() for word in (f"--{name.lower()}", value)]

    by_variables = invoke(
        CHECK,
        **{f"VLMRUN_MOCK_{name}": value for name, value in values.items()},
        **{f"VLMRUN_MOCK_DOCUMENTS_{name}": value for name, value in own.items()},
    )
    by_options = invoke(CHECK, *options, "--count", "2", "--format", "png", "--out", tmp_path / "by options")

    one, other = ({path.name: path.read_bytes() for path in each.iterdir()} for each in sorted(tmp_path.iterdir()))
    assert (by_variables[0], by_options[0]) == (0, 0)
    assert len(one) == 4
    assert one == other


def test_variables_of_other_commands_do_not_count(tmp_path: Path) -> None:
    others = {"VLMRUN_MOCK_FORMAT": "github", "VLMRUN_MOCK_OUT": str(tmp_path / "recordings")}

    status, _ = invoke(CHECK, "--out", tmp_path / "out", **others)

    assert status == 0
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_the_same_command_writes_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        invoke(CHECK, "--format", "png", "--out", tmp_path / name)

    first, second = ({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("a", "b"))
    assert first == second


@pytest.mark.parametrize("file_format", ["pdf", "png", "jpg"])
def test_a_document_can_look_scanned_with_its_boxes_moved_along(tmp_path: Path, file_format: str) -> None:
    for folder, options in (("flat", ()), ("scan", ("--scan", "heavy"))):
        assert invoke(CHECK, "--format", file_format, "--out", tmp_path / folder, *options)[0] == 0

    flat, scan = fixture(tmp_path / f"flat/{CHECK}-0000.json"), fixture(tmp_path / f"scan/{CHECK}-0000-scan.json")
    assert scan["match"]["documents"] == [f"{CHECK}-0000-scan.{file_format}"]
    assert scan["answer"]["content"] == flat["answer"]["content"]
    assert scan["answer"]["boxes"].keys() == flat["answer"]["boxes"].keys()
    assert scan["answer"]["boxes"] != flat["answer"]["boxes"]
    assert len(loader.load([tmp_path / "scan"], packaged())) == 1


@pytest.mark.parametrize(("file_format", "kind"), [("png", "PNG"), ("jpg", "JPEG")])
def test_a_document_can_be_a_picture(tmp_path: Path, file_format: str, kind: str) -> None:
    invoke(CHECK, "--format", file_format, "--out", tmp_path)

    with Image.open(tmp_path / f"{CHECK}-0000.{file_format}") as picture:
        assert picture.format == kind
        assert min(picture.size) > 300
    assert fixture(tmp_path / f"{CHECK}-0000.json")["match"]["documents"] == [f"{CHECK}-0000.{file_format}"]


def test_each_page_of_several_is_a_picture_and_the_fixture_names_them_in_order(tmp_path: Path) -> None:
    schema = {"type": "object", "required": ["terms"], "properties": {"terms": {"const": "A long clause. " * 900}}}
    (tmp_path / "lease.json").write_text(json.dumps(schema), encoding="utf-8")

    invoke("--schema", tmp_path / "lease.json", "--format", "png", "--out", tmp_path / "out")

    body = fixture(tmp_path / "out/lease-0000.json")
    names = body["match"]["documents"]
    assert len(names) >= 2
    assert names == [f"lease-0000-{number}.png" for number in range(1, len(names) + 1)]
    assert all((tmp_path / "out" / name).exists() for name in names)
    assert {box["page"] for box in body["answer"]["boxes"]["/terms"]} == set(range(len(names)))


def test_a_schema_of_your_own_is_laid_out(tmp_path: Path) -> None:
    schema = {
        "title": "Delivery note",
        "type": "object",
        "required": ["number", "lines"],
        "properties": {
            "number": {"type": "string"},
            "lines": {
                "type": "array",
                "minItems": 2,
                "items": {"type": "object", "required": ["sku"], "properties": {"sku": {"type": "string"}}},
            },
        },
    }
    (tmp_path / "note.json").write_text(json.dumps(schema), encoding="utf-8")

    status, _ = invoke("--schema", tmp_path / "note.json", "--out", tmp_path / "out")

    body = fixture(tmp_path / "out/note-0000.json")
    text = pypdfium2.PdfDocument(tmp_path / "out/note-0000.pdf")[0].get_textpage().get_text_bounded()
    assert status == 0
    assert "domain" not in body["match"]
    assert body["answer"]["content"]["number"] in text
    assert "delivery note" in text.lower()
    assert set(body["answer"]["boxes"]) >= {"/number", "/lines/0/sku", "/lines/1/sku"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name a domain, such as document.invoice, or a file with --schema"),
        (["document.invoce"], "unknown domain 'document.invoce'; closest: document.invoice"),
        ([CHECK, "--locale", "ja_JP"], "no font at hand shows "),
        (["--schema", "broken.json", "--schema", "other/broken.json"], "two schemas have the same file name"),
        (["--schema", "broken.json"], "broken.json is not JSON"),
        (["--schema", "list.json"], "list.json is no JSON Schema: it should be an object"),
        (["--schema", "unmeetable.json"], "unmeetable.json: minLength: no text has"),
        ([CHECK, "--out", "file/inside"], "cannot be written to"),
    ],
)
def test_what_cannot_be_printed_is_said_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("other").mkdir()
    for name in ("broken.json", "other/broken.json"):
        Path(name).write_text("{", encoding="utf-8")
    Path("list.json").write_text("[]", encoding="utf-8")
    Path("unmeetable.json").write_text('{"type": "string", "minLength": 5, "maxLength": 2}', encoding="utf-8")
    Path("file").write_text("", encoding="utf-8")

    status, output = invoke(*arguments)

    assert status != 0
    assert message in output


def test_a_domain_that_is_named_twice_is_printed_once(tmp_path: Path) -> None:
    _, output = invoke("document.w2-form", "accounting.form-w2", "--out", tmp_path)

    assert output.startswith("1 document in ")


def test_a_bar_shows_a_person_how_far_it_is(tmp_path: Path) -> None:
    person, terminal = os.openpty()

    command = [sys.executable, "-m", "vlmrun_mock", "documents", CHECK, "--out", str(tmp_path)]
    subprocess.run(command, stderr=terminal, stdout=subprocess.PIPE, check=True)

    os.close(terminal)
    assert b"100%" in os.read(person, 10_000)
    os.close(person)
