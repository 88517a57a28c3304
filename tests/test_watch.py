"""`serve --watch`: what is saved is answered, what is broken is explained, and nobody is served the past."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import re
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import watchfiles  # noqa: F401 - here, where files can still be opened

from tests.process import PATIENCE, ServeProcess, run, serving
from tests.serving import CHAT, content, image_message, picture, source, text
from vlmrun_mock.chat_parser import parse
from vlmrun_mock.fixture_error import FixtureFolderError
from vlmrun_mock.library import Library
from vlmrun_mock.mock import Mock
from vlmrun_mock.watch import watching

REQUEST = {"messages": [{}], "domain": "document.invoice"}
NOISE = 1.1
"""Seconds in which a line that should not come would have come."""


def fixture(invoice: object) -> str:
    """Return a fixture file for invoices."""
    return json.dumps({"match": {"domain": "document.invoice"}, "answer": {"content": {"invoice_id": invoice}}})


def eventually(condition: Callable[[], object]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


class Watched:
    """A folder with one fixture, `a.json`, and the lines about it."""

    def __init__(self, folder: Path, lines: Callable[[], list[str]]) -> None:
        self.folder = folder
        self.file = folder / "a.json"
        self._lines = lines
        self._read = 0

    def said(self) -> str:
        """Wait for the next line about the fixtures, and return it without its time."""
        eventually(lambda: len(self._lines()) > self._read)
        self._read += 1
        return re.sub(r"^\d\d:\d\d:\d\d  ", "", self._lines()[self._read - 1])

    def quiet(self) -> bool:
        """Return whether no further line comes."""
        time.sleep(NOISE)
        return len(self._lines()) == self._read


def a_folder(path: Path) -> Path:
    """Return a new folder with one fixture."""
    path.mkdir()
    (path / "a.json").write_text(fixture("first"), encoding="utf-8")
    return path


def ready(watched: Watched) -> None:
    """Wait until the watch has begun: until then a change is found, too, but several are one."""
    probe = watched.folder / "probe.json"
    probe.write_text(json.dumps({"answer": {"content": ""}}), encoding="utf-8")
    assert watched.said().endswith("(1 added)")
    probe.unlink()
    assert watched.said().endswith("(1 removed)")


@contextlib.contextmanager
def in_process(library: Library) -> Iterator[Watched]:
    """Watch a library's first folder."""
    lines: list[str] = []
    with watching(library, lines.append):
        watched = Watched(library.folders[0], lambda: list(lines))
        ready(watched)
        yield watched


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """Return the library of a folder with one fixture."""
    return Library([a_folder(tmp_path / "fixtures")])


@contextlib.contextmanager
def served_watching(tmp_path: Path, *options: str, polling: str = "") -> Iterator[tuple[ServeProcess, Watched]]:
    """Serve a folder with one fixture, and watch it."""
    folder = a_folder(tmp_path / "fixtures")
    changes = {"WATCHFILES_FORCE_POLLING": polling} if polling else {}
    with serving(tmp_path / "served", "--fixtures", str(folder), "--watch", *options, changes=changes) as process:
        watched = Watched(folder, lambda: [line for line in process.output.splitlines() if "reloaded" in line])
        ready(watched)
        yield process, watched


def invoice(process: ServeProcess) -> object:
    """Return the invoice that a server answers with."""
    return content(process.http.post(CHAT, json=REQUEST))["invoice_id"]


def in_place(file: Path, new: str) -> None:
    file.write_text(new, encoding="utf-8")


def as_vim(file: Path, new: str) -> None:
    """Save as vim does: the old file becomes the backup, and a new one is written in its place."""
    (file.parent / "4913").touch()
    (file.parent / "4913").unlink()
    backup = file.rename(file.with_name(f"{file.name}~"))
    file.write_text(new, encoding="utf-8")
    backup.unlink()


def as_jetbrains(file: Path, new: str) -> None:
    """Save as JetBrains' editors do: a new file is written beside the old one, and the two change places."""
    fresh = file.with_name(f"{file.name}___jb_tmp___")
    fresh.write_text(new, encoding="utf-8")
    old = file.rename(file.with_name(f"{file.name}___jb_old___"))
    fresh.rename(file)
    old.unlink()


def atomically(file: Path, new: str) -> None:
    """Save as most programs do that are careful: a hidden file takes the place of the old one."""
    fresh = file.with_name(f".{file.name}.tmp")
    fresh.write_text(new, encoding="utf-8")
    fresh.replace(file)


def slowly(file: Path, new: str) -> None:
    """Save in two halves, with a pause between them."""
    with file.open("w", encoding="utf-8") as open_file:
        open_file.write(new[:20])
        open_file.flush()
        time.sleep(0.15)
        open_file.write(new[20:])


@pytest.mark.parametrize("polling", ["", "1"], ids=["events", "polling"])
def test_what_any_editor_saves_is_answered_after_one_line(tmp_path: Path, polling: str) -> None:
    with served_watching(tmp_path, polling=polling) as (process, watched):
        for save in (in_place, as_vim, as_jetbrains, atomically, slowly):
            name = save.__name__
            save(watched.file, fixture(name))

            assert (name, watched.said()) == (name, "fixtures reloaded: 1 (1 changed)")
            assert invoice(process) == name
        assert watched.quiet()


def test_twenty_changes_in_a_row_are_each_answered(tmp_path: Path) -> None:
    with served_watching(tmp_path) as (process, watched):
        answered = []
        for number in range(20):
            (as_vim, in_place)[number % 2](watched.file, fixture(f"INV-{number}"))
            watched.said()
            answered.append(invoice(process))

    assert answered == [f"INV-{number}" for number in range(20)]


def test_the_last_of_many_fast_changes_is_answered_even_where_changes_are_polled_for(tmp_path: Path) -> None:
    with served_watching(tmp_path, polling="1") as (process, watched):
        for number in range(50):
            in_place(watched.file, fixture(f"INV-{number}"))
            time.sleep(0.02)

        eventually(lambda: invoice(process) == "INV-49")


def test_a_broken_file_is_explained_once_and_the_last_good_set_answers_until_it_is_repaired(tmp_path: Path) -> None:
    with served_watching(tmp_path) as (process, watched):
        in_place(watched.file, fixture(5))
        broken = watched.said()
        (watched.folder / "notes.txt").write_text("not a fixture", encoding="utf-8")
        silent = watched.quiet()
        kept = invoice(process)
        in_place(watched.file, fixture("repaired"))
        repaired = watched.said()

        assert broken.startswith("fixtures not reloaded: a.json: answer.content.invoice_id: 5 is not ")
        assert broken.endswith("; the last good ones go on answering")
        assert (silent, kept) == (True, "first")
        assert repaired == "fixtures reloaded: 1 (1 changed)"
        assert invoice(process) == "repaired"


def test_a_file_put_back_as_it_was_is_told_to_be_good_again(library: Library) -> None:
    with in_process(library) as watched:
        as_it_was = watched.file.read_text(encoding="utf-8")
        in_place(watched.file, "{")
        broken = watched.said()
        in_place(watched.file, as_it_was)

        assert "not reloaded: a.json: is not JSON" in broken
        assert watched.said() == "fixtures reloaded: 1 (none changed)"


def test_who_saves_a_file_that_is_still_broken_is_told_again(library: Library) -> None:
    with in_process(library) as watched:
        in_place(watched.file, "{")
        first = watched.said()
        time.sleep(NOISE)
        in_place(watched.file, "{")

        assert watched.said() == first
        assert watched.quiet()


def test_several_broken_files_are_one_line(library: Library) -> None:
    with in_process(library) as watched:
        for name in ("b.json", "c.json", "d.json"):
            (watched.folder / name).write_text("[]", encoding="utf-8")

        assert watched.said().startswith("fixtures not reloaded: b.json: it should be an object (and 2 more); ")


def test_a_burst_is_one_reload(library: Library) -> None:
    with in_process(library) as watched:
        for number in range(30):
            (watched.folder / f"{number}.json").write_text(fixture(str(number)), encoding="utf-8")
        (watched.folder / "0.json").rename(watched.folder / "zero.json")

        assert watched.said() == "fixtures reloaded: 31 (30 added)"
        assert watched.quiet()


def test_a_save_without_a_change_is_no_reload(library: Library) -> None:
    with in_process(library) as watched:
        before, version = library.fixtures, library.version
        watched.file.touch()
        as_vim(watched.file, watched.file.read_text(encoding="utf-8"))

        assert watched.quiet()
        assert (library.fixtures, library.version) == (before, version)


def test_what_python_takes_for_equal_is_a_change(library: Library) -> None:
    with in_process(library) as watched:
        answers = []
        for value in ("1", "1.0", "true"):
            in_place(watched.file, f'{{"answer": {{"content": [{value}]}}}}')
            watched.said()
            answers.append(Mock(library=library).answer(parse(json.dumps(REQUEST).encode())).text)

    assert answers == ["[1]", "[1.0]", "[true]"]


def test_files_that_are_created_removed_and_renamed_are_counted(library: Library) -> None:
    with in_process(library) as watched:
        (watched.folder / "b.json").write_text(fixture("b"), encoding="utf-8")
        created = watched.said()
        watched.file.rename(watched.folder / "c.json")
        renamed = watched.said()
        (watched.folder / "c.json").unlink()

        assert created == "fixtures reloaded: 2 (1 added)"
        assert renamed == "fixtures reloaded: 2 (1 added, 1 removed)"
        assert watched.said() == "fixtures reloaded: 1 (1 removed)"


def test_a_new_subfolder_is_watched_too(library: Library) -> None:
    with in_process(library) as watched:
        below = watched.folder / "one" / "two"
        below.mkdir(parents=True)
        time.sleep(0.2)
        (below / "b.json").write_text(fixture("b"), encoding="utf-8")
        created = watched.said()
        in_place(below / "b.json", fixture("c"))
        changed = watched.said()
        shutil.rmtree(watched.folder / "one")

        assert (created, changed) == ("fixtures reloaded: 2 (1 added)", "fixtures reloaded: 2 (1 changed)")
        assert watched.said() == "fixtures reloaded: 1 (1 removed)"


def test_a_picture_that_a_fixture_names_is_watched_too(tmp_path: Path) -> None:
    body = {"domain": "document.invoice", "messages": image_message(picture(2))}
    with served_watching(tmp_path) as (process, watched):
        shown = watched.folder / "shown.png"
        shown.write_bytes(picture(1))
        match = {"domain": "document.invoice", "documents": ["shown.png"]}
        in_place(watched.folder / "b.json", json.dumps({"match": match, "answer": {"content": "the picture"}}))
        watched.said()
        before = source(process.http.post(CHAT, json=body))
        shown.write_bytes(picture(2))
        changed = watched.said()
        after = text(process.http.post(CHAT, json=body))
        shown.unlink()
        gone = watched.said()

    assert before == ("fixture", "a.json")
    assert (changed, after) == ("fixtures reloaded: 2 (1 changed)", "the picture")
    assert gone.startswith("fixtures not reloaded: b.json: match.documents.0: 'shown.png' cannot be read: ")


@pytest.mark.parametrize("polling", ["", "1"], ids=["events", "polling"])
def test_a_folder_that_is_deleted_and_made_again_is_followed(
    library: Library, polling: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHFILES_FORCE_POLLING", polling)
    with in_process(library) as watched:
        shutil.rmtree(watched.folder)
        gone = watched.said()
        watched.folder.mkdir()
        while_empty = watched.said()
        in_place(watched.file, fixture("again"))
        again = watched.said()
        in_place(watched.file, fixture("and again"))

        assert gone == f"fixtures not reloaded: {watched.folder}: is no folder; the last good ones go on answering"
        assert while_empty == "fixtures reloaded: 0 (1 removed)"
        assert (again, watched.said()) == ("fixtures reloaded: 1 (1 added)", "fixtures reloaded: 1 (1 changed)")


def test_a_folder_behind_a_link_is_followed_also_when_the_link_leads_elsewhere(tmp_path: Path) -> None:
    first, second = a_folder(tmp_path / "first"), a_folder(tmp_path / "second")
    (second / "a.json").write_text(fixture("second"), encoding="utf-8")
    link = tmp_path / "current"
    link.symlink_to(first, target_is_directory=True)
    with in_process(Library([link])) as watched:
        in_place(first / "a.json", fixture("changed"))
        changed = watched.said()
        fresh = tmp_path / "fresh"
        fresh.symlink_to(second, target_is_directory=True)
        fresh.replace(link)
        swapped = watched.said()
        in_place(second / "a.json", fixture("changed too"))

        assert (changed, swapped) == ("fixtures reloaded: 1 (1 changed)",) * 2
        assert watched.said() == "fixtures reloaded: 1 (1 changed)"


def test_a_link_that_leads_out_of_the_folders_is_refused_as_at_the_start(library: Library, tmp_path: Path) -> None:
    (tmp_path / "outside.json").write_text(fixture("outside"), encoding="utf-8")
    with in_process(library) as watched:
        (watched.folder / "b.json").symlink_to(tmp_path / "outside.json")

        assert "b.json: cannot be read: it leads out of the fixture folders" in watched.said()


def test_every_folder_is_watched_and_the_first_one_still_wins(tmp_path: Path) -> None:
    first, second = a_folder(tmp_path / "first"), a_folder(tmp_path / "second")
    library = Library([first, second])
    request = parse(json.dumps(REQUEST).encode())
    with in_process(library) as watched:
        in_place(second / "a.json", fixture("second"))
        changed = watched.said()
        with_both = Mock(library=library).answer(request).text
        watched.file.unlink()
        removed = watched.said()

    assert (changed, removed) == ("fixtures reloaded: 2 (1 changed)", "fixtures reloaded: 1 (1 removed)")
    assert (with_both, Mock(library=library).answer(request).text) == (
        '{"invoice_id":"first"}',
        '{"invoice_id":"second"}',
    )


def test_a_name_with_control_characters_does_not_reach_the_terminal(library: Library) -> None:
    with in_process(library) as watched:
        (watched.folder / "\x1b[31m\nred.json").write_text("{", encoding="utf-8")

        assert watched.said().startswith("fixtures not reloaded: \\x1b[31m\\nred.json: is not JSON")


def test_what_changed_while_the_server_started_is_found(library: Library) -> None:
    lines: list[str] = []
    (library.folders[0] / "b.json").write_text(fixture("b"), encoding="utf-8")
    with watching(library, lines.append):
        eventually(lambda: lines)

    assert lines[0].endswith("  fixtures reloaded: 2 (1 added)")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere events need no file of their own")
def test_where_no_events_can_be_had_the_folders_are_polled(library: Library) -> None:
    resource = importlib.import_module("resource")  # Windows has none
    lines: list[str] = []
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.ExitStack() as stack:
        with socket.socket() as probe:
            resource.setrlimit(resource.RLIMIT_NOFILE, (probe.fileno(), limits[1]))
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, limits)
        stack.enter_context(watching(library, lines.append))
        eventually(lambda: lines)
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        time.sleep(NOISE)
        in_place(library.folders[0] / "a.json", fixture("second"))
        eventually(lambda: len(lines) > 1)

    assert "the file system sends no events, so the folders are polled: " in lines[0]
    assert lines[1].endswith("  fixtures reloaded: 1 (1 changed)")


def test_the_answers_of_a_changed_fixture_start_anew_and_those_of_others_go_on(library: Library) -> None:
    folder = library.folders[0]
    (folder / "a.json").unlink()
    for name in ("one", "two"):
        sequence = [{"content": f"{name} {number}"} for number in range(4)]
        body = {"match": {"text": {"equals": name}}, "answers": sequence}
        (folder / f"{name}.json").write_text(json.dumps(body), encoding="utf-8")
    library.reload()
    mock = Mock(library=library)

    def ask(name: str) -> str:
        return mock.answer(parse(json.dumps({"messages": [{"content": name}]}).encode())).text

    before = [ask("one"), ask("two"), ask("one"), ask("two")]
    changed = (folder / "one.json").read_text(encoding="utf-8").replace("one 0", "one anew")
    (folder / "one.json").write_text(changed, encoding="utf-8")
    library.reload()

    assert before == ["one 0", "two 0", "one 1", "two 1"]
    assert [ask("one"), ask("two"), ask("one"), ask("two")] == ["one anew", "two 2", "one 1", "two 3"]


def test_a_reload_that_fails_keeps_the_set_and_one_that_is_ended_does_too(library: Library) -> None:
    before = library.fixtures
    (library.folders[0] / "b.json").write_text("{", encoding="utf-8")

    with pytest.raises(FixtureFolderError):
        library.reload()

    def give_up() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        library.reload(give_up)
    assert (library.fixtures, library.version) == (before, 0)


def test_no_answer_is_older_than_the_line_that_announced_its_set(tmp_path: Path) -> None:
    """Eight clients ask the same without a pause, so that every reload meets requests that are under way."""
    with served_watching(tmp_path) as (process, watched):
        announced, stop = 0, threading.Event()
        in_place(watched.file, fixture("INV-0"))
        watched.said()

        def ask() -> list[tuple[int, int]]:
            found = []
            while not stop.is_set():
                known = announced
                found.append((known, int(str(invoice(process)).removeprefix("INV-"))))
            return found

        with ThreadPoolExecutor(8) as pool:
            asked = [pool.submit(ask) for _ in range(8)]
            for number in range(1, 13):
                in_place(watched.file, fixture(f"INV-{number}"))
                watched.said()
                announced = number
                time.sleep(0.05)
            stop.set()
            answers = [pair for each in asked for pair in each.result()]

    assert len(answers) > 100
    assert {known for known, _ in answers} >= set(range(1, 12))
    assert [pair for pair in answers if pair[1] < pair[0]] == []


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_at_once_and_quietly(sent: signal.Signals, tmp_path: Path) -> None:
    with served_watching(tmp_path) as (process, _):
        status, seconds = process.stop(sent)

    assert (status, process.errors) == (0, "")
    assert seconds < 2.5


def test_a_signal_ends_it_in_the_middle_of_a_reload(tmp_path: Path) -> None:
    with served_watching(tmp_path) as (process, watched):
        for number in range(1500):
            (watched.folder / f"{number}.json").write_text(fixture(f"{number}"), encoding="utf-8")
        time.sleep(0.15)
        status, seconds = process.stop()

    assert (status, process.errors) == (0, "")
    assert seconds < 2.5


def test_a_watch_without_a_folder_is_a_usage_error() -> None:
    by_option, by_variable = run("serve", "--watch"), run("serve", VLMRUN_MOCK_WATCH="1")

    for finished in (by_option, by_variable):
        assert finished.returncode == 2
        assert "--watch needs --fixtures DIR: without a folder there is nothing to watch" in finished.stderr


def test_the_watch_can_stand_in_the_environment(tmp_path: Path) -> None:
    folder = a_folder(tmp_path / "fixtures")
    changes = {"VLMRUN_MOCK_WATCH": "1", "VLMRUN_MOCK_FIXTURES": os.fspath(folder)}
    with serving(tmp_path / "served", changes=changes) as process:
        (folder / "b.json").write_text(fixture("b"), encoding="utf-8")

        assert process.line(r"fixtures reloaded: 2 \(1 added\)")
