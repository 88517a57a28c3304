"""Documents are found by their bytes, and nothing outside their folders is read."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from vlmrun_mock.document_folder import search
from vlmrun_mock.documents import identity

Write = Callable[[str, str | bytes], Path]


def test_every_file_below_is_found_by_its_bytes(write: Write, tmp_path: Path) -> None:
    top, below = write("in/a.png", b"one"), write("in/deep/er/b c.PDF", b"two")
    write("in/deep/copy.png", b"one")

    found = search([tmp_path / "in"])

    assert found.paths == {identity(b"one"): top, identity(b"two"): below}
    assert found.problems == ()


def test_several_folders_are_searched(write: Write, tmp_path: Path) -> None:
    one, two = write("in/a.png", b"one"), write("other/b.png", b"two")

    assert set(search([tmp_path / "in", tmp_path / "other"]).paths.values()) == {one, two}


def test_what_is_hidden_is_left_alone(write: Write, tmp_path: Path) -> None:
    write("in/.a.png", b"one")
    write("in/.git/b.png", b"two")

    assert search([tmp_path / "in"]).paths == {}


def test_only_files_of_a_size_that_is_wanted_are_read(write: Write, tmp_path: Path) -> None:
    wanted = write("in/a.png", b"one")
    write("in/b.png", b"three")

    assert search([tmp_path / "in"], {3}).paths == {identity(b"one"): wanted}
    assert search([tmp_path / "in"], set()).paths == {}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")
def test_what_cannot_be_read_is_told(write: Write, tmp_path: Path) -> None:
    write("in/a.png", b"one")
    (tmp_path / "in/gone.png").symlink_to("never-there.png")
    os.mkfifo(tmp_path / "in/pipe\n.png")

    found = search([tmp_path / "in"])

    assert len(found.paths) == 1
    assert found.problems == (
        f"{tmp_path}/in/gone.png cannot be read: No such file or directory",
        f"{tmp_path}/in/pipe\\n.png cannot be read: it is not a file",
    )


def test_links_lead_nowhere_outside(write: Write, tmp_path: Path) -> None:
    inside = write("in/deep/a.png", b"one")
    write("outside/secret.png", b"secret")
    (tmp_path / "in/file.png").symlink_to(tmp_path / "outside/secret.png")
    (tmp_path / "in/folder").symlink_to(tmp_path / "outside")
    (tmp_path / "in/same.png").symlink_to(inside)

    found = search([tmp_path / "in"])

    assert set(found.paths) == {identity(b"one")}
    assert found.problems == tuple(
        f"{tmp_path}/in/{name} is not read: it leads out of the folders of documents" for name in ("folder", "file.png")
    )


def test_the_folder_itself_may_be_a_link(write: Write, tmp_path: Path) -> None:
    write("real/a.png", b"one")
    (tmp_path / "in").symlink_to(tmp_path / "real")

    assert set(search([tmp_path / "in"]).paths) == {identity(b"one")}
