"""The file of a recording: what it is called, and written whole or not at all."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import socket
import time
import unicodedata
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from vlmrun_mock.api.request import ExtractionRequest
from vlmrun_mock.fixtures.domains import Domains
from vlmrun_mock.fixtures.errors import FixtureError
from vlmrun_mock.fixtures.folders import OUTSIDE, TEMPORARY, contents, files, is_inside
from vlmrun_mock.recording.recording import Recording, fixture_of

LONGEST_SLUG = 40
LONGEST_DOMAIN = 100
HASH_DIGITS = 10

KEPT = ("$schema", "description")
"""The keys that a person may add to a recording, and that stay when it is made again."""

RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d|conin\$|conout\$)(?:\..*)?")
"""The names that no file may have on Windows, whatever its ending."""

HOST = f"{zlib.crc32(socket.gethostname().encode()):08x}"
"""A short name for this machine, as a folder may be shared with others."""

UNFINISHED = re.compile(rf"\..+\.json\.(?:([0-9a-f]{{8}})-)?(\d+)-\d+{re.escape(TEMPORARY)}")
"""What a file is called that is being written: by which machine and process."""

LONGEST_WRITING = 3_600.0
"""How many seconds a file may take to be written; one that took longer was left behind."""

_numbers = itertools.count(1)


def name_of(request: ExtractionRequest, number: int = 1) -> str:
    """Return the path of a request's recording in its folder: `<domain>/<short text>-<short hash>.json`."""
    folder = re.sub(r"[^a-z0-9_-]+", ".", (request.domain or "no-domain").lower()).strip(".")[:LONGEST_DOMAIN]
    folder = f"domain.{folder}" if RESERVED.fullmatch(folder) else folder
    names = [document.filename for document in request.documents if document.filename]
    slug = next(filter(None, map(_slug, (request.text, *names))), "request")
    further = f"-{number}" if number > 1 else ""
    return f"{folder or 'domain'}/{slug}-{request.fingerprint[:HASH_DIGITS]}{further}.json"


def _slug(text: str) -> str:
    """Return the first words of a text in plain small letters."""
    plain = unicodedata.normalize("NFKD", text[:1_000]).encode("ascii", "ignore").decode().lower()
    slug = ""
    for word in re.findall(r"[a-z0-9]+", plain):
        if slug and len(slug) + len(word) >= LONGEST_SLUG:
            break
        slug = f"{slug}-{word}" if slug else word[:LONGEST_SLUG]
    return slug


def free_name(folder: Path, request: ExtractionRequest, domains: Domains) -> str:
    """Return a name at which no file stands, or that of one which answers the request: no other is written over."""
    names = (name_of(request, number) for number in itertools.count(1))
    return next(name for name in names if _is_free(folder / name, name, request, domains))


def _is_free(path: Path, name: str, request: ExtractionRequest, domains: Domains) -> bool:
    try:
        return not fixture_of(contents(path), name, domains).match.difference(request)
    except FileNotFoundError:
        return True
    except NotADirectoryError:  # writing will say so
        return True
    except (OSError, FixtureError):
        return False


def write(folder: Path, name: str, recording: Recording, root: Path | None = None) -> None:
    """Write a fixture into its folder, whole or not at all; raises OSError.

    `root` is where the folder really was when recording began: a link that took its place is not followed.
    """
    write_bytes(
        folder, name, lambda target: replace(recording, data={**_kept(target), **recording.data}).text.encode(), root
    )


def write_bytes(folder: Path, name: str, content: Callable[[Path], bytes], root: Path | None = None) -> None:
    """Write a file into a folder, whole or not at all; raises OSError.

    `content` returns what to write, and is asked when all else is known to be well: what it raises leaves the file as
    it was. `root` as in `write`.
    """
    target, roots = folder / name, (root or Path(os.path.realpath(folder)),)
    _expect_inside(target, roots)
    target.parent.mkdir(parents=True, exist_ok=True)
    _expect_inside(target, roots)
    if target.exists() and not target.is_file():
        raise OSError(None, "something stands there that is not a file", str(target))
    data = content(target)
    temporary = target.with_name(f".{target.name}.{HOST}-{os.getpid()}-{next(_numbers)}{TEMPORARY}")
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def _expect_inside(target: Path, roots: Sequence[Path]) -> None:
    if not is_inside(target, roots):
        raise OSError(None, OUTSIDE, str(target))


def _kept(target: Path) -> Mapping[str, Any]:
    """Return what a file that is written over says and the recording does not."""
    with contextlib.suppress(OSError, ValueError):
        data = json.loads(contents(target))
        return {name: data[name] for name in KEPT if isinstance(data.get(name), str)}
    return {}


def remove_unfinished(folder: Path) -> int:
    """Remove what recorders that were killed left unfinished, before this one writes; return how many files it were."""
    removed = 0
    for path in [path for path in files(folder) if _is_left_over(path)]:
        with contextlib.suppress(OSError):
            path.unlink()
            removed += 1
    return removed


def _is_left_over(path: Path) -> bool:
    """Return whether a file's recorder is gone: its process has ended, or it has had far more time than it needs."""
    found = UNFINISHED.fullmatch(path.name)
    if not found:
        return False
    with contextlib.suppress(OSError):
        is_old = time.time() - path.lstat().st_mtime > LONGEST_WRITING
        return is_old or (found[1] == HOST and not _is_running(int(found[2])))
    return False


def _is_running(process: int) -> bool:
    if process == os.getpid():  # a process of the same number, before this one
        return False
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True
