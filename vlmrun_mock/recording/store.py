"""The file of a recording: what it is called, and written whole or not at all."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from vlmrun_mock.api.request import ExtractionRequest
from vlmrun_mock.fixtures.domains import Domains
from vlmrun_mock.fixtures.errors import FixtureError
from vlmrun_mock.fixtures.folders import OUTSIDE, TEMPORARY, is_inside
from vlmrun_mock.recording.recording import Recording, fixture_of

LONGEST_SLUG = 40
LONGEST_DOMAIN = 100
HASH_DIGITS = 10

KEPT = ("$schema", "description")
"""What somebody may have written into a recording, and that stays when it is made again."""

_numbers = itertools.count(1)


def name_of(request: ExtractionRequest, number: int = 1) -> str:
    """Return the path of a request's recording in its folder: `<domain>/<short text>-<short hash>.json`."""
    folder = re.sub(r"[^a-z0-9_-]+", ".", (request.domain or "no-domain").lower()).strip(".")[:LONGEST_DOMAIN]
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
        return not fixture_of(path.read_bytes(), name, domains).match.difference(request)
    except FileNotFoundError:
        return True
    except NotADirectoryError:  # writing will say so
        return True
    except (OSError, FixtureError):
        return False


def write(folder: Path, name: str, recording: Recording) -> None:
    """Write a fixture into its folder, whole or not at all; raises OSError."""
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    if not is_inside(target, (Path(os.path.realpath(folder)),)):
        raise OSError(None, OUTSIDE, str(target))
    text = replace(recording, data={**_kept(target), **recording.data}).text
    temporary = target.with_name(f".{target.name}.{os.getpid()}-{next(_numbers)}{TEMPORARY}")
    try:
        with temporary.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def _kept(target: Path) -> Mapping[str, Any]:
    """Return what a file that is written over says and the recording does not."""
    with contextlib.suppress(OSError, ValueError):
        data = json.loads(target.read_bytes())
        return {name: data[name] for name in KEPT if isinstance(data.get(name), str)}
    return {}
