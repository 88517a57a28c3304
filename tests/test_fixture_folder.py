"""Folders of fixtures load whole, or not at all and with a line for every file that is wrong."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vlmrun_mock.domains import packaged
from vlmrun_mock.fixture_error import FixtureError, FixtureFolderError
from vlmrun_mock.fixture_file import parse
from vlmrun_mock.fixture_folder import FixtureBuilder, FixtureFolders, load, packaged_fixture
from vlmrun_mock.fixtures import PACKAGED_ORIGIN, Fixture
from vlmrun_mock.match import Match

Write = Callable[[str, str | bytes], Path]

DOMAINS = packaged()
HELLO: dict[str, Any] = {"answer": {"content": "hello"}}
INVOICE = (Path(__file__).parent.parent / "fixtures" / "document.invoice" / "answer.json").read_text(encoding="utf-8")


def text(**match: Any) -> str:
    return json.dumps({"match": match, **HELLO})


def loaded(*folders: Path) -> list[Fixture]:
    return load(folders, DOMAINS)


def problems(*folders: Path) -> list[str]:
    """Return what is wrong with the folders, a line for each."""
    with pytest.raises(FixtureFolderError) as caught:
        loaded(*folders)
    lines = str(caught.value).split("\n")
    assert all(line.isprintable() for line in lines)
    return lines


def test_files_are_found_at_any_depth_and_called_by_their_path(tmp_path: Path, write: Write) -> None:
    for name in ("b.json", "a/deep/er.json", "Rechnung Köln 東京.json", "a.json"):
        write(name, text())
    write("notes.txt", "no fixture")
    write("dir.json/inside.json", text())

    names = sorted(fixture.name for fixture in loaded(tmp_path))

    assert names == ["Rechnung Köln 東京.json", "a.json", "a/deep/er.json", "b.json", "dir.json/inside.json"]


def test_hidden_files_and_folders_are_left_alone(tmp_path: Path, write: Write) -> None:
    for name in (".hidden.json", ".git/config.json", "a/.b/c.json"):
        write(name, "no fixture")
    write("seen.json", text())

    names = [fixture.name for fixture in loaded(tmp_path)]

    assert names == ["seen.json"]


def test_a_folder_that_is_hidden_itself_can_be_given(tmp_path: Path, write: Write) -> None:
    write(".fixtures/a.json", text())

    names = [fixture.name for fixture in loaded(tmp_path / ".fixtures")]

    assert names == ["a.json"]


def test_an_earlier_folder_takes_precedence(tmp_path: Path, write: Write) -> None:
    write("one/z.json", text())
    write("two/a.json", text(domain="document.invoice"))

    first_wins = min(loaded(tmp_path / "one", tmp_path / "two"), key=lambda fixture: fixture.rank)
    last_wins = min(loaded(tmp_path / "two", tmp_path / "one"), key=lambda fixture: fixture.rank)

    assert (first_wins.name, last_wins.name) == ("z.json", "a.json")


def test_every_broken_file_is_named(tmp_path: Path, write: Write) -> None:
    write("one/a.json", "{")
    write("one/good.json", text())
    write("one/sub/b.json", text(domian="x"))
    write("two/c.json", text(documents=["gone.png"]))

    lines = problems(tmp_path / "one", tmp_path / "two")

    assert [line.split(": ")[0] for line in lines] == ["a.json", "sub/b.json", "c.json"]


@pytest.mark.parametrize("name", ["missing", "file.json"])
def test_what_is_no_folder_is_an_error(tmp_path: Path, write: Write, name: str) -> None:
    write("file.json", text())

    lines = problems(tmp_path / name)

    assert lines == [f"{tmp_path / name}: is no folder"]


def test_documents_are_hashed_relative_to_their_file(tmp_path: Path, write: Write) -> None:
    write("invoices/scan.png", b"bytes")
    write("invoices/a.json", text(documents=["scan.png", "./scan.png", "../invoices/scan.png"]))
    expected = "sha256:" + hashlib.sha256(b"bytes").hexdigest()

    (fixture,) = loaded(tmp_path)

    assert fixture.match.documents == (expected, expected, expected)


def test_documents_can_stand_in_another_fixture_folder(tmp_path: Path, write: Write) -> None:
    write("pictures/scan.png", b"bytes")
    write("answers/a.json", text(documents=["../pictures/scan.png"]))

    (fixture,) = loaded(tmp_path / "answers", tmp_path / "pictures")

    assert fixture.match.documents == ("sha256:" + hashlib.sha256(b"bytes").hexdigest(),)


def test_identities_urls_and_file_ids_are_taken_as_they_are(tmp_path: Path, write: Write) -> None:
    named = ["sha256:" + "0" * 64, "https://example.com/a.png?b=c", "http://example.com", "file:abc"]
    write("a.json", text(documents=named))

    (fixture,) = loaded(tmp_path)

    assert fixture.match.documents == tuple(named)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ("../secret.png", "cannot be read: it leads out of the fixture folders"),
        ("sub/../../secret.png", "cannot be read: it leads out of the fixture folders"),
        ("/etc/hostname", "cannot be read: it leads out of the fixture folders"),
        ("leak.png", "cannot be read: it leads out of the fixture folders"),
        ("leak/secret.png", "cannot be read: it leads out of the fixture folders"),
        ("../fixtures-too/secret.png", "cannot be read: it leads out of the fixture folders"),
        ("gone.png", "cannot be read: No such file or directory"),
        ("dangling.png", "cannot be read: No such file or directory"),
        ("loop.png", "cannot be read: Too many levels of symbolic links"),
        ("sub", "cannot be read: it is not a file"),
        ("", "cannot be read: it is not a file"),
        ("pipe", "cannot be read: it is not a file"),
        ("a.json/b.png", "cannot be read: Not a directory"),
        ("empty.png", "cannot be read: it is empty"),
        ("nul\0.png", "cannot be read: it is no path"),
        ("n" * 300, "cannot be read: File name too long"),
        ("sha256:ABC", "sha256: is followed by 64 lower-case hexadecimal digits"),
        ("data:image/png;base64,@", "the data is not base64: at position 1 there is '@'"),
        ("data:image/png;base64,", "the data URL has no data after its comma"),
    ],
)
def test_a_document_that_cannot_be_used_is_explained(tmp_path: Path, write: Write, document: str, reason: str) -> None:
    root = tmp_path / "fixtures"
    write("secret.png", b"secret")
    write("fixtures-too/secret.png", b"secret")
    write("fixtures/sub/other.png", b"other")
    write("fixtures/empty.png", b"")
    for name, target in {
        "leak.png": "../secret.png",
        "leak": "..",
        "dangling.png": "gone",
        "loop.png": "loop.png",
    }.items():
        (root / name).symlink_to(target)
    os.mkfifo(root / "pipe")
    write("fixtures/a.json", text(documents=["sub/other.png", document]))

    (line,) = problems(root)

    assert line.startswith("a.json: match.documents.1: ")
    assert line.endswith(reason)


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("../outside.json", "cannot be read: it leads out of the fixture folders"),
        ("gone.json", "cannot be read: No such file or directory"),
        ("link.json", "cannot be read: Too many levels of symbolic links"),
        ("pipe", "cannot be read: it is not a file"),
    ],
)
def test_a_link_that_leads_to_no_fixture_is_explained(tmp_path: Path, write: Write, target: str, reason: str) -> None:
    write("outside.json", text())
    write("fixtures/a.json", text())
    os.mkfifo(tmp_path / "fixtures" / "pipe")
    (tmp_path / "fixtures" / "link.json").symlink_to(target)

    lines = problems(tmp_path / "fixtures")

    assert lines == [f"link.json: {reason}"]


def test_links_within_the_folder_are_followed(tmp_path: Path, write: Write) -> None:
    write("..data/a.json", text(documents=["scan.png"]))
    write("..data/scan.png", b"bytes")
    (tmp_path / "a.json").symlink_to("..data/a.json")
    (tmp_path / "scan.png").symlink_to("..data/scan.png")

    names = [fixture.name for fixture in loaded(tmp_path)]

    assert names == ["a.json"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_explained(tmp_path: Path, write: Write) -> None:
    write("a.json", text()).chmod(0)

    lines = problems(tmp_path)

    assert lines == ["a.json: cannot be read: Permission denied"]


@pytest.mark.skipif(sys.platform != "linux", reason="other file systems refuse such a name")
def test_a_name_that_is_no_unicode_can_still_be_sent_and_printed(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9.json")).write_text(text())

    (fixture,) = loaded(tmp_path)

    assert fixture.name.encode() == b"caf\\udce9.json"


@pytest.mark.skipif(sys.platform == "win32", reason="its file systems refuse such a name")
def test_a_name_that_breaks_lines_is_escaped(tmp_path: Path, write: Write) -> None:
    write("evil\n\x1b[31m\u2028name.json", text())
    write("evil\\n\\x1b[31m\\u2028name.json", text())
    write("東京\u3000ok.json", text())

    names = [fixture.name for fixture in loaded(tmp_path)]

    assert sorted(names) == [*["evil\\n\\x1b[31m\\u2028name.json"] * 2, "東京\u3000ok.json"]


def test_a_problem_is_one_line_whatever_its_file_or_folder_is_called(tmp_path: Path, write: Write) -> None:
    write("evil\nname.json", "{")

    (in_file,) = problems(tmp_path)
    (in_folder,) = problems(tmp_path / "no\nfolder")

    assert in_file.startswith("evil\\nname.json: ")
    assert in_folder == f"{tmp_path}/no\\nfolder: is no folder"


@pytest.mark.parametrize(("count", "last"), [(20, "19.json: wrong"), (21, "… and 1 more"), (5000, "… and 4,980 more")])
def test_of_many_problems_the_first_are_shown_and_the_others_counted(count: int, last: str) -> None:
    wrong = [FixtureError(f"{number}.json", "", "wrong") for number in range(count)]

    error = FixtureFolderError(wrong)

    assert str(error).split("\n") == [f"{number}.json: wrong" for number in range(20)] + [last] * (count > 20)
    assert str(error).endswith(last)
    assert len(error.problems) == count


def test_an_old_spelling_means_the_domain_of_today(tmp_path: Path, write: Write) -> None:
    write("a.json", text(domain="document.w2-form"))

    (fixture,) = loaded(tmp_path)

    assert fixture.match == Match(domain="accounting.form-w2")


@pytest.mark.parametrize("empty", [{}, {"contains": []}, {"contains": None, "equals": None}])
def test_a_text_that_asks_for_nothing_is_no_constraint(tmp_path: Path, write: Write, empty: dict[str, Any]) -> None:
    write("a.json", text(text=empty))

    (fixture,) = loaded(tmp_path)

    assert fixture.match.constraints == 0


def test_content_that_violates_a_hub_schema_names_its_path(tmp_path: Path, write: Write) -> None:
    invoice = json.loads(INVOICE)
    invoice["answer"]["content"]["issuer_address"]["city"] = 5
    write("a.json", json.dumps(invoice))
    write(
        "b.json", json.dumps({**invoice, "answer": None, "answers": [HELLO["answer"], {"content": {"subtotal": "x"}}]})
    )
    write("c.json", json.dumps({**invoice, "answer": {"merge": {"items": [{"quantity": 1}, {"quantity": "many"}]}}}))

    lines = problems(tmp_path)

    assert [line.split(": ")[:2] for line in lines] == [
        ["a.json", "answer.content.issuer_address.city"],
        ["b.json", "answers.1.content.subtotal"],
        ["c.json", "answer.merge.items.1.quantity"],
    ]
    assert all(line.endswith("(by the schema of document.invoice)") for line in lines)
    assert ': "many" is not of type "number" (' in lines[2]


def test_content_of_other_domains_is_free(tmp_path: Path, write: Write) -> None:
    for domain in ("document.markdown", "custom.acme"):
        write(f"{domain}.json", json.dumps({"match": {"domain": domain}, "answer": {"content": {"any": 1}}}))

    answers = [fixture.answers[0].content for fixture in loaded(tmp_path)]

    assert answers == [{"any": 1}, {"any": 1}]


def test_a_text_as_content_is_never_checked(tmp_path: Path, write: Write) -> None:
    write("a.json", text(domain="document.invoice"))

    (fixture,) = loaded(tmp_path)

    assert fixture.answers[0].content == "hello"


def test_a_merge_patches_the_packaged_answer(tmp_path: Path, write: Write) -> None:
    patch = {"invoice_id": "INV-1", "issuer_address": {"city": "Leeds"}, "notes": None}
    write("a.json", json.dumps({"match": {"domain": "document.invoice"}, "answer": {"merge": patch}}))
    original = json.loads(INVOICE)["answer"]["content"]
    domain = DOMAINS.get("document.invoice")

    (fixture,) = loaded(tmp_path)
    content = fixture.answers[0].content

    assert content["invoice_id"] == "INV-1"
    assert content["issuer_address"] == {**original["issuer_address"], "city": "Leeds"}
    assert "notes" in original
    assert "notes" not in content
    assert content["customer_name"] == original["customer_name"]
    assert domain
    assert domain.content == original


@pytest.mark.parametrize("match", [{}, {"domain": "custom.acme"}])
def test_a_merge_needs_a_packaged_answer(tmp_path: Path, write: Write, match: dict[str, Any]) -> None:
    write("a.json", json.dumps({"match": match, "answer": {"merge": {}}}))

    (line,) = problems(tmp_path)

    assert line.startswith("a.json: answer.merge: there is no packaged answer to merge into")


def test_a_document_in_a_data_url_is_hashed(write: Write) -> None:
    path = write("fixtures/a.json", text(documents=["data:text/plain,hello"]))

    (fixture,) = load([path.parent], DOMAINS)

    assert fixture.match.documents == (f"sha256:{hashlib.sha256(b'hello').hexdigest()}",)


def test_without_a_folder_a_document_is_named_by_identity_or_url(tmp_path: Path) -> None:
    (tmp_path / "scan.png").write_bytes(b"bytes")
    builder = FixtureBuilder("registered", DOMAINS)
    by_path, by_url = (parse(text(documents=[name]).encode(), "") for name in ("scan.png", "https://example.com/a.png"))

    fixture = builder.fixture(by_url, origin=0)
    with pytest.raises(FixtureError) as caught:
        builder.fixture(by_path, origin=0)

    assert fixture.match.documents == ("https://example.com/a.png",)
    assert str(caught.value) == (
        "registered: match.documents.0: 'scan.png' is a path, and there is no file it is relative to: "
        "name it by sha256:<digest> or a data: or http(s) URL"
    )


def test_a_packaged_fixture_comes_after_all_others() -> None:
    domain = DOMAINS.get("document.invoice")
    assert domain

    fixture = packaged_fixture(domain, DOMAINS)

    assert (fixture.name, fixture.origin) == ("document.invoice/answer.json", PACKAGED_ORIGIN)
    assert fixture.match == Match(domain="document.invoice")


def test_whole_answers_load_about_as_fast_as_their_json_can_be_read(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number:04}.json" for number in range(500)]
    for path in paths:
        path.write_text(INVOICE, encoding="utf-8")
    loaded(tmp_path)

    started = time.perf_counter()
    for path in paths:
        json.loads(path.read_bytes())
    read = time.perf_counter()
    count = len(loaded(tmp_path))
    finished = time.perf_counter()

    assert count == 500
    # Checking each against its schema anew would take fifty times as long.
    assert finished - read < 20 * (read - started)


def test_a_fixture_that_is_as_it_was_stays_the_same_object(tmp_path: Path, write: Write) -> None:
    write("scan.png", b"scan")
    write("a.json", json.dumps({"match": {"documents": ["scan.png"]}, **HELLO}))
    write("b.json", json.dumps(HELLO))
    folders = FixtureFolders([tmp_path], packaged())
    first = folders.load()
    (tmp_path / "a.json").touch()
    second = folders.load()
    write("scan.png", b"another")
    third = folders.load()

    assert [new is old for new, old in zip(second, first, strict=True)] == [True, True]
    assert [new is old for new, old in zip(third, first, strict=True)] == [False, True]


def test_changes_in_quick_succession_that_keep_the_size_are_all_found(tmp_path: Path, write: Write) -> None:
    folders = FixtureFolders([tmp_path], packaged())
    found = []
    for number in range(200):
        write("a.json", json.dumps({"answer": {"content": f"{number:03}"}}))
        (fixture,) = folders.load()
        found.append(fixture.answers[0].content)

    assert found == [f"{number:03}" for number in range(200)]
