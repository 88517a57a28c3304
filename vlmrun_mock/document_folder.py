"""Folders of documents: their files, found by what their bytes are."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vlmrun_mock import documents
from vlmrun_mock.fixture_file import contents
from vlmrun_mock.fixture_folder import is_inside, real_folders, shown

OUTSIDE = "it leads out of the folders of documents"


@dataclass(frozen=True)
class DocumentFolders:
    """The files in folders and below, by identity; and a line for each of those that were not read, and why."""

    folders: tuple[Path, ...]
    paths: dict[str, Path]
    problems: tuple[str, ...]


def search(folders: Sequence[Path], sizes: Collection[int] | None = None) -> DocumentFolders:
    """Return the files in folders and below, but not the hidden ones, nor what a link leads to outside them.

    Only those of some sizes in bytes are read, all of them if these are not known.
    """
    roots = real_folders(folders)
    paths: dict[str, Path] = {}
    problems: list[str] = []
    for root in roots:
        for path in _files(root, roots, lambda path, reason: problems.append(f"{shown(path)} is not read: {reason}")):
            try:
                if sizes is None or path.stat().st_size in sizes:
                    paths.setdefault(documents.identity(contents(path)), path)
            except OSError as error:
                problems.append(f"{shown(str(path))} cannot be read: {error.strerror}")
    return DocumentFolders(roots, paths, tuple(problems))


def _files(root: Path, roots: Sequence[Path], refuse: Callable[[str, str], None]) -> Iterator[Path]:
    """Yield the files below a folder in a stable order; what cannot be read is refused, with a reason."""
    for folder, subfolders, files in os.walk(root, onerror=lambda error: refuse(error.filename, str(error.strerror))):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        for name in [*subfolders, *sorted(files)]:
            path = Path(folder, name)
            if name.startswith("."):
                continue
            if path.is_symlink() and not is_inside(path, roots):
                refuse(str(path), OUTSIDE)
            elif name in files:
                yield path
